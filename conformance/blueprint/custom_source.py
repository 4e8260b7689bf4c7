"""The named custom set as plain Keras source, for scripts that must stand alone.

Adapters build these objects from their own copy (``conformance/adapters/custom_objects.py``); a test holds
the two against each other. The text is in ``custom_objects.txt``, whose first lines say how it is laid out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib.resources import files

from conformance.blueprint.error import BlueprintError

_PART = re.compile(r"^### (.+)\n", re.MULTILINE)


@functools.cache
def _sources() -> Mapping[tuple[str, str], str]:
    """(id, dialect or "" for all others) -> source."""
    text = files("conformance.blueprint").joinpath("custom_objects.txt").read_text(encoding="utf-8")
    parts = _PART.split(text)[1:]
    sources: dict[tuple[str, str], str] = {}
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        words = heading.split()
        dialect = words.pop() if words[-1].startswith("keras-") else ""
        for custom in words:
            sources[custom, dialect] = body.strip("\n").replace("MARKER", custom.partition(":")[2])
    return sources


def custom_ids() -> tuple[str, ...]:
    """The ids of the named set, in the order of the text."""
    return tuple(dict.fromkeys(custom for custom, _ in _sources()))


def identifier(custom: str) -> str:
    """The Python name a script knows the object by: ``Foo:A`` is ``Foo_A``, its class still named ``Foo``."""
    return re.sub(r"\W", "_", custom)


def custom_source(custom: str, dialect: str) -> str:
    """The Python text that defines one custom object under its :func:`identifier`.

    Raises BlueprintError for an unknown id.
    """
    sources = _sources()
    text = sources.get((custom, dialect)) or sources.get((custom, ""))
    if text is None:
        raise BlueprintError("", f"unknown custom object {custom!r}; known are {', '.join(custom_ids())}")
    own_name = custom.partition(":")[0]
    return text if identifier(custom) == own_name else f"{text}\n\n\n{identifier(custom)} = {own_name}"
