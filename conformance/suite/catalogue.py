"""One check for every built-in layer of a family: all are tried, and the failure names all that fail."""

from __future__ import annotations

from collections.abc import Callable

from conformance.protocol.errors import Refused
from conformance.protocol.session import Session
from conformance.strategies.layers import CatalogueEntry, layer_catalogue
from conformance.suite.compare import Mismatch, assert_true

Check = Callable[[CatalogueEntry], None]


def each_layer(impl: Session, dialect: str, family: str, check: Check) -> None:
    """Run ``check`` on every catalogue entry of the family that the implementation offers.

    Raises :class:`Mismatch` if one of them was silently wrong, else Refused if one was refused; both name all.
    """
    entries = layer_catalogue(family, dialect, impl.hello.layers.get(family, ()))
    assert_true(bool(entries), f"layers of the family {family}", expected="some that can be tested", actual="none")
    failures: dict[str, Mismatch | Refused] = {}
    for entry in entries:
        try:
            check(entry)
        except (Mismatch, Refused) as failure:
            failures.setdefault(entry.cls, failure)
    if not failures:
        return
    names = f"{', '.join(failures)}:"
    silent = [failure for failure in failures.values() if isinstance(failure, Mismatch)]
    if silent:
        others = [str(failure) for failure in failures.values() if failure is not silent[0]]
        raise Mismatch("\n".join([f"{names} {silent[0].what}", *others]), silent[0].expected, silent[0].actual)
    first, *rest = (failure for failure in failures.values() if isinstance(failure, Refused))
    text = "\n".join([f"{names} {first.text}", *map(str, rest)])
    raise Refused(first.operation, first.exception, first.mro, text, first.messages)
