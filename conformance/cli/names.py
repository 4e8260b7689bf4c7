"""Names that a user typed: unknown ones are answered with the nearest that exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import click


def check_names(what: str, given: Iterable[str], known: Iterable[str], hint: str = "") -> None:
    """Raise :class:`click.UsageError` (exit 2) for the first of ``given`` that is not one of ``known``."""
    known = list(known)
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, n=3, cutoff=0.4)
            nearest = f"nearest: {', '.join(close)}" if close else f"known: {', '.join(known[:12])}"
            raise click.UsageError(f"unknown {what} {name!r}; {nearest}{f' ({hint})' if hint else ''}")


def user_errors() -> tuple[type[ValueError], ...]:
    """The errors that mean that what the user gave cannot be used: shown as a message, without a traceback."""
    from conformance.fixtures.error import FixtureError
    from conformance.implementations.registry import ImplementationError
    from conformance.results.expectations import ExpectationsError
    from conformance.results.model import ResultsError
    from conformance.spec import SpecificationError

    return (ExpectationsError, FixtureError, ImplementationError, ResultsError, SpecificationError)
