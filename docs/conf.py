"""Sphinx: the pages written by hand here, and those made of the project's own data (``pages/``)."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import conformance  # noqa: E402

project = "keras-conformance"
author = "the keras-conformance authors"
version = release = conformance.__version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist", "attrs_inline"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = "keras-conformance"
html_static_path = []
html_show_sourcelink = False


def write_pages(_: Sphinx) -> None:
    """Make the pages of the data; those that would be the same are left alone, so that a rebuild is short."""
    from pages import all_pages

    wanted = {HERE / "data" / name: text for name, text in all_pages().items()}
    for stale in {path for path in (HERE / "data").rglob("*.*") if path.is_file()} - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", write_pages)
