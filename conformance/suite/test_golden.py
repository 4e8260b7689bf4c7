"""Chapter golden: files that real producers wrote, kept with what a reader must find in them.

Reading them all takes a real library a quarter of an hour; by default each reads the same hundred.
$KERAS_CONFORMANCE_GOLDEN says how many, or "all".
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import zip_longest

from conformance.fixtures.error import FixtureError
from conformance.fixtures.explanations import explain, read_explanations
from conformance.fixtures.location import fixtures_folder
from conformance.fixtures.manifest import Entry, Made, read_manifest
from conformance.fixtures.reading import Outcome, read
from conformance.fixtures.recipe import FORMATS, Recipe, read_recipes
from conformance.protocol.errors import Refused
from conformance.protocol.session import Session
from conformance.spec import Specification, load_specification
from conformance.suite.case import requirement
from conformance.suite.compare import Mismatch

AMOUNT, SAMPLE, ALL = "KERAS_CONFORMANCE_GOLDEN", 100, "all"
UNEXPLAINED = "unexplained"
SHOWN = 40
KERAS_3 = "keras-3"

Kept = tuple[Made, Entry]
Cell = tuple[Made, Entry, Outcome]


@requirement("golden.reads-weights")
def test_reads_weights(impl: Session, format: str, spec: Specification, dialect: str):
    _report(impl, _read(impl, [kept for kept in _kept("weights", format, dialect, spec) if not _later(kept, dialect)]))


@requirement("golden.reads")
def test_reads(impl: Session, format: str, spec: Specification, dialect: str):
    _report(impl, _read(impl, [kept for kept in _kept("model", format, dialect, spec) if not _later(kept, dialect)]))


@requirement("golden.later-weights")
def test_reads_or_refuses_weights_of_later_versions(impl: Session, format: str, spec: Specification, dialect: str):
    kept = [one for one in _kept("weights", format, dialect, spec) if _later(one, dialect) and not _of_keras_3(one)]
    _report(impl, _read(impl, kept), refusing=True)


@requirement("golden.later")
def test_reads_or_refuses_later_versions(impl: Session, format: str, spec: Specification, dialect: str):
    kept = [one for one in _kept("model", format, dialect, spec) if _later(one, dialect) and not _of_keras_3(one)]
    _report(impl, _read(impl, kept), refusing=True)


@requirement("golden.keras-3-weights")
def test_reads_or_refuses_weights_of_keras_3(impl: Session, format: str, spec: Specification, dialect: str):
    _report(impl, _read(impl, filter(_of_keras_3, _kept("weights", format, dialect, spec))), refusing=True)


@requirement("golden.keras-3")
def test_reads_or_refuses_keras_3(impl: Session, format: str, spec: Specification, dialect: str):
    _report(impl, _read(impl, filter(_of_keras_3, _kept("model", format, dialect, spec))), refusing=True)


def _later(kept: Kept, dialect: str) -> bool:
    return dialect in kept[1].may_refuse


def _of_keras_3(kept: Kept) -> bool:
    return kept[0].dialect == KERAS_3


def _kept(artifact: str, format: str, dialect: str, spec: Specification) -> list[Kept]:
    """The entries in one format that are in the sample of those that the dialect has a format for."""
    has = spec.dialects[dialect].formats
    formats = tuple(entry for entry, (kind, name) in FORMATS.items() if name in has[kind])
    return [kept for kept in _sample(formats, os.environ.get(AMOUNT) or str(SAMPLE)) if _is(kept, artifact, format)]


def _is(kept: Kept, artifact: str, format: str) -> bool:
    return FORMATS[kept[1].format] == (artifact, format)


@cache
def _sample(formats: tuple[str, ...], amount: str) -> tuple[Kept, ...]:
    """So many of all, the same ones every time: from each producer and format as many, by the hashes of their names."""
    by_cell: dict[tuple[str, str], list[Kept]] = {}
    for made in read_manifest(fixtures_folder()).made:
        for entry in made.entries:
            if entry.format in formats:
                by_cell.setdefault((made.producer, entry.format), []).append((made, entry))
    ordered = [
        sorted(found, key=lambda kept: hashlib.sha256(_name(*kept).encode()).hexdigest()) for found in by_cell.values()
    ]
    dealt = [kept for round_ in zip_longest(*ordered) for kept in round_ if kept is not None]
    return tuple(dealt if amount == ALL else dealt[: int(amount)])


@cache
def _recipes() -> dict[str, Recipe]:
    return read_recipes(fixtures_folder(), load_specification())


def _read(impl: Session, kept: Iterable[Kept]) -> list[Cell]:
    folder, tolerance = fixtures_folder(), load_specification().tolerance
    kept = list(kept)
    if not kept:
        raise FixtureError(
            f"{folder}: has no golden file of this kind in the sample; regenerate it, or enlarge ${AMOUNT}"
        )
    return [(made, entry, read(impl, folder, made, entry, _recipes()[made.recipe], tolerance)) for made, entry in kept]


def _name(made: Made, entry: Entry) -> str:
    return f"{made.producer}/{made.recipe}/{entry.format}"


def _report(impl: Session, cells: Sequence[Cell], refusing: bool = False) -> None:
    """Raise for those read otherwise than written: silent if one is. The first line names the reasons, as expectations match them.

    ``refusing``: a refusal is right, too.
    """
    right = ("pass", "not-claimed", "refused") if refusing else ("pass", "not-claimed")
    wrong = [cell for cell in cells if cell[2].verdict not in right]
    if not wrong:
        return
    explanations = read_explanations(fixtures_folder())
    found = [explain(explanations, impl.name, *cell) for cell in wrong]
    reasons = sorted({one.id if one else UNEXPLAINED for one in found})
    lines = [f"{_name(made, entry)}: {o.verdict} at {o.aspect}: {o.text}" for made, entry, o in wrong]
    more = [f"… {len(lines)} in all"] if len(lines) > SHOWN else []
    text = "\n".join([f"read otherwise than written: {', '.join(reasons)}", *lines[:SHOWN], *more])
    if all(outcome.verdict == "refused" for *_, outcome in wrong):
        raise Refused("load", "Refusals", (), text, ())
    raise Mismatch(text, "what each writer had", f"{len(wrong)} of {len(cells)} entries that differ")
