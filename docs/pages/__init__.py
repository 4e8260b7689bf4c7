"""Pages made of data: the specification, the errata and dialects, the operations of the protocol."""

from __future__ import annotations

from pages.advisories import advisories_page
from pages.formats import format_pages
from pages.protocol import operations_page
from pages.specification import specification_pages


def all_pages() -> dict[str, str]:
    """Path below ``docs/data`` → its text, Markdown or reStructuredText."""
    return {
        **specification_pages(),
        **format_pages(),
        "operations.md": operations_page(),
        "advisories.md": advisories_page(),
    }
