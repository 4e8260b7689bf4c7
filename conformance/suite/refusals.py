"""Tests of errors: the implementation must refuse, and the error must be good."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from conformance.protocol.errors import Refused
from conformance.suite.compare import Mismatch


def assert_refuses(
    operation: Callable[[], Any], what: str, *, kinds: tuple[str, ...] = (), mentions: str | None = None
) -> Refused:
    """``operation`` raises an error in the implementation.

    ``kinds`` are names of exception classes, one of which the error must be (or inherit from); ``mentions`` is a
    regular expression that its text must match. Returns the refusal; raises :class:`Mismatch` otherwise.
    """
    try:
        result = operation()
    except Refused as refusal:
        if kinds and not any(refusal.is_a(kind) for kind in kinds):
            raise Mismatch(
                f"{what}: another kind of error", " or ".join(kinds), f"{refusal.exception}: {refusal.text}"
            ) from refusal
        if mentions and not re.search(mentions, refusal.text):
            raise Mismatch(
                f"{what}: the error does not say what it is about", f"a text that matches /{mentions}/", refusal.text
            ) from refusal
        return refusal
    raise Mismatch(
        what, "an error" + (f" ({' or '.join(kinds)})" if kinds else ""), f"no error; the answer was {result!r}"
    )


def attempted(operation: Callable[[], Any]) -> Any:
    """What ``operation`` returns, None where the implementation refuses it: for tests of what is found, not of errors."""
    try:
        return operation()
    except Refused:
        return None


def refused(operation: Callable[[], Any]) -> bool:
    """Whether ``operation`` raised an error in the implementation; for requirements that allow either."""
    try:
        operation()
    except Refused:
        return True
    return False
