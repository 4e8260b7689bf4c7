"""The adapter of the embedded reference, in this process or as a program: `python reference.py [DIALECT]`."""

# The methods are documented where Library declares them.
# ruff: noqa: D102

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    import start  # noqa: F401  # pyright: ignore[reportUnusedImport]

    # In a clone the reference lies beside `conformance`. It runs in the driver's own interpreter, so there is
    # nothing of a library's environment to keep apart.
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from typing import Any, ContextManager, List, Sequence

from conformance.adapters.library import Library
from conformance.adapters.server import serve

DIALECT = "keras-2.4"


class Reference(Library):
    """The reference, behaving as the given dialect."""

    name = "reference_impl"

    def __init__(self, dialect: str = DIALECT) -> None:
        import reference_impl

        self.keras = reference_impl
        self.tf = reference_impl.tf
        self._generation = dialect

    def scope(self) -> ContextManager[object]:
        return self.keras.dialect(self._generation)

    def more_capabilities(self) -> Sequence[str]:
        older = (
            *("save.savedmodel", "load.savedmodel", "graph-only"),
            *("save-weights.checkpoint", "load-weights.checkpoint", "save-weights.hdf5"),
        )
        v3 = ("save.keras", "load.keras", "save-weights.weights-h5", "load-weights.weights-h5")
        return (
            *("source", "add-loss", "checkpoint"),
            *("save.hdf5", "load.hdf5", "load-weights.hdf5"),
            *(older if self._generation != "keras-3" else ()),
            *(v3 if self._generation in ("keras-2.15", "keras-3") else ()),
        )

    def flatten(self, structure: Any) -> List[Any]:
        from reference_impl.structure import flatten

        return flatten(structure)

    def compiled(self, model: Any) -> bool:
        return model.optimizer is not None


if __name__ == "__main__":
    serve(lambda: Reference(*sys.argv[1:]))
