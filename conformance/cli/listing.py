"""``keras-conformance list``: the implementations, what each claims, and whether it can start here.

``--json`` prints the document that ``list.schema.json`` beside this file describes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from conformance.cli.targets import Target

# Starting one imports a whole library; more at a time would only slow each other down.
AT_A_TIME = 2


@dataclass(frozen=True)
class Listed:
    """One implementation. ``missing`` says why it cannot start, None if it does."""

    name: str
    dialects: tuple[str, ...]
    python: str | None
    starts: bool
    missing: str | None
    capabilities: tuple[str, ...]
    libraries: dict[str, str]


@dataclass(frozen=True)
class Listing:
    """What ``list --json`` prints."""

    implementations: tuple[Listed, ...]


@click.command("list")
@click.option(
    "--python", "pythons", multiple=True, metavar="NAME=PATH", help="The interpreter of an implementation (repeatable)."
)
@click.option(
    "--implementation-file", "files", multiple=True, metavar="FILE.toml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Add an implementation described outside (repeatable).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a document instead.")
def list_(pythons: tuple[str, ...], files: tuple[Path, ...], as_json: bool) -> None:
    """Which implementations there are, what each claims, and whether it can start here.

    Each is started to ask it. One that cannot start is told with the reason and what to do; that is no error.
    """
    from conformance.cli.targets import find_targets, known_names

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        listing = Listing(tuple(pool.map(_ask, find_targets(known_names(files), pythons, files))))
    click.echo(json.dumps(asdict(listing), indent=1) if as_json else "\n".join(map(_text, listing.implementations)))


def _ask(target: Target) -> Listed:
    from conformance.implementations.registry import open_session
    from conformance.protocol.errors import ProtocolError

    missing = target.missing
    capabilities: tuple[str, ...] = ()
    libraries: dict[str, str] = {}
    if missing is None:
        try:
            session = open_session(target.implementation, python=target.python)
        except ProtocolError as failure:
            missing = str(failure)
        else:
            capabilities, libraries = session.hello.capabilities, dict(session.hello.libraries)
            session.close()
    python = str(target.python) if target.python else None
    dialects = tuple(target.implementation.dialects)
    return Listed(target.name, dialects, python, missing is None, missing, capabilities, libraries)


def _text(listed: Listed) -> str:
    state = "starts" if listed.starts else "cannot start"
    lines = [f"{listed.name:<12} {', '.join(listed.dialects):<12} {state:<14} {_versions(listed.libraries)}".rstrip()]
    lines += [f"    {line}" for line in (listed.missing or "").splitlines()]
    lines += [f"    {group}: {' '.join(members)}" for group, members in _grouped(listed.capabilities).items()]
    return "\n".join(lines)


def _versions(libraries: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in libraries.items())


def _grouped(capabilities: Iterable[str]) -> dict[str, list[str]]:
    """``save.hdf5, save.keras, train`` → save: hdf5 keras; and: train."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for capability in capabilities:
        group, dot, member = capability.partition(".")
        groups[group if dot else "and"].append(member or group)
    return dict(groups)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document; ``list.schema.json`` is this, written down."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Listing).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
