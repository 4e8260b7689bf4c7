"""The reference's adapter with a mutant's fault in it: in this process, or `python -m conformance.mutants.adapter NAME`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from conformance.adapters.reference import Reference
from conformance.adapters.server import Adapter, serve
from conformance.mutants.faults import load_mutants
from conformance.mutants.mutant import Mutant
from conformance.mutants.patching import Calls, broken


class BrokenReference(Reference):
    """The reference in the mutant's dialect, with its fault in place for as long as the adapter lives."""

    def __init__(self, mutant: Mutant) -> None:
        self._broken: AbstractContextManager[Calls] = broken(mutant)
        self.calls = self._broken.__enter__()
        super().__init__(mutant.dialect)


def broken_adapter(mutant: Mutant) -> tuple[Adapter, Calls]:
    """An adapter in this process, and the count of the fault's calls."""
    library = BrokenReference(mutant)
    return Adapter(library), library.calls


if __name__ == "__main__":
    serve(lambda: BrokenReference(load_mutants()[sys.argv[1]]))
