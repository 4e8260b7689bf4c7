"""The kinds of failure the protocol knows, and which of them an exception is."""

from __future__ import annotations

import traceback
from pathlib import Path

_ADAPTERS = Path(__file__).resolve().parent

# The named set is what a library's user would have written: an exception from there is the library's to pass on.
_USER_CODE = ("custom_objects.py", "guide_objects.py")

# What Python raises at the place of the call when a library lacks a name, an argument or a list entry;
# no frame of the library is in the traceback then.
_RAISED_AT_THE_CALL = (AttributeError, TypeError, IndexError)


class Failure(Exception):
    """A failure which is not the library's own; `kind` is one of the protocol's."""

    kind = "internal"


class UnknownHandle(Failure):
    """A handle that names no object since the last reset."""

    kind = "unknown-handle"


class Unsupported(Failure):
    """Something this adapter, or its library, has no way to do."""

    kind = "unsupported"


class InvalidParams(Failure):
    """A request the protocol does not allow."""

    kind = "invalid-params"


def kind_of(error: Exception) -> str:
    """The protocol's kind for an exception that left an operation.

    "refused" if the library raised it: a frame of the traceback lies outside the adapters, or it is of a
    type that Python raises at the call itself. Anything else is a fault of the adapter: "internal".
    """
    if isinstance(error, Failure):
        return error.kind
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.parent != _ADAPTERS or file.name in _USER_CODE:
            return "refused"
    return "refused" if isinstance(error, _RAISED_AT_THE_CALL) else "internal"
