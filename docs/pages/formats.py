"""The notes on the file formats: the documentation of the reference's modules, where the bytes are handled."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# Page → title, the packages whose modules explain it.
FORMATS = {
    "checkpoint": ("TensorFlow checkpoint", ("reference_impl/formats/checkpoint",)),
    "hdf5": ("Keras HDF5", ("reference_impl/formats/hdf5",)),
    "keras-v3": (".keras and .weights.h5", ("reference_impl/formats/keras_v3",)),
    "savedmodel": ("SavedModel", ("reference_impl/formats/savedmodel", "reference_impl/formats/savedmodel/write")),
    "graph": ("Graphs and their functions", ("reference_impl/graph",)),
    "config": ("Configurations", ("reference_impl/serialization",)),
}


def format_pages() -> dict[str, str]:
    """One page a format, in reStructuredText as the documentation of the modules is."""
    return {f"formats/{name}.rst": _page(title, packages) for name, (title, packages) in FORMATS.items()}


def _page(title: str, packages: tuple[str, ...]) -> str:
    lines = [title, "=" * len(title), ""]
    for package in packages:
        lines += [_documentation(ROOT / package / "__init__.py"), ""]
        for module in sorted((ROOT / package).glob("*.py")):
            if module.name != "__init__.py":
                heading = f"``{package}/{module.name}``"
                lines += [heading, "-" * len(heading), "", _documentation(module), ""]
    return "\n".join(lines)


def _documentation(module: Path) -> str:
    """A module's documentation; what it refers to has no page of its own here, and becomes a name."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return re.sub(r":\w+:`~?(.+?)`", r"``\1``", text)
