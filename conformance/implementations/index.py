"""The releases of a package that an index has, by its simple API (PEP 503 in HTML, PEP 691 in JSON)."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from conformance.implementations.registry import InterpreterMissing
from conformance.implementations.uv import Uv, UvError, UvMissing, index_url, run_uv

# The address of a page → its text. Raises OSError.
Fetch = Callable[[str], str]

TIMEOUT_SECONDS = 60
_ACCEPTED = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_LINK = re.compile(r"<a\b[^>]*>([^<]+)</a>")


class IndexUnreachable(InterpreterMissing):
    """No index could be asked which releases there are."""


def releases(package: str, *, uv: Uv = run_uv, fetch: Fetch | None = None) -> list[str]:
    """The final releases of ``package``, oldest first, of the first index that uv is configured with.

    Raises IndexUnreachable.
    """
    try:
        page = f"{index_url(package, uv).rstrip('/')}/{package.lower().replace('_', '-')}/"
        text = (fetch or _fetched)(page)
    except (OSError, UvError, UvMissing) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise IndexUnreachable(f"{package}: no package index to ask which versions there are: {reason}") from None
    versions = {version for name in _file_names(text) if (version := _version(name)) and not version.is_prerelease}
    return [str(version) for version in sorted(versions)]


def _file_names(page: str) -> Iterable[str]:
    if page.lstrip().startswith("{"):
        files: list[dict[str, Any]] = json.loads(page).get("files", [])
        return [str(file["filename"]) for file in files if not file.get("yanked")]
    return [match.strip() for match in _LINK.findall(page)]


def _version(name: str) -> Version | None:
    try:
        return parse_wheel_filename(name)[1] if name.endswith(".whl") else parse_sdist_filename(name)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):  # an installer, an egg
        return None


def _fetched(url: str) -> str:
    request = urllib.request.Request(url, headers={"Accept": _ACCEPTED})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return answer.read().decode("utf-8", "replace")
