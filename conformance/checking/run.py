"""A whole run: find the models, leave out what an earlier run has done, check the others, keep every record at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from conformance.checking.bench import Participant
from conformance.checking.examination import Plan
from conformance.checking.finding import Found, Problem, find
from conformance.checking.pool import Pool
from conformance.checking.record import ModelRecord, Outcome, Verdict
from conformance.checking.results import Document, Header, Version, Writer, footer_of, header_of, read
from conformance.results.model import ResultsError

Options = Mapping[str, str | int | float | bool | None]


class Unfinished(ResultsError):
    """A results file that holds part of a run and would be overwritten."""


@dataclass(frozen=True)
class Watch:
    """Whom to tell: of the number of models there are and how many of them are done already, of each record, of time."""

    begin: Callable[[int, int], None] = lambda total, done: None
    record: Callable[[ModelRecord], None] = lambda record: None
    meanwhile: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Request:
    """What is to be run. ``missing`` are implementations that cannot be started here, and why."""

    models: Sequence[str]
    plan: Plan
    participants: Sequence[Participant]
    options: Options
    missing: Mapping[str, str]
    jobs: int = 1
    output: Path | None = None
    resume: bool = False


def run(request: Request, watch: Watch = Watch()) -> Document:
    """Check the models: the whole document, its records in the order in which the models were found.

    Raises ResultsError for an ``output`` that cannot be gone on with, or that holds part of a run and may not be, and
    OSError where it cannot be written.
    """
    former = _former(request)
    found = list(find(request.models))
    with ExitStack() as stack:
        pool = stack.enter_context(Pool(request.plan, request.participants, request.jobs))
        versions = {**pool.start(), **{name: Version(failure=why) for name, why in request.missing.items()}}
        header = header_of(versions, request.options)
        kept = _kept(request, former, header, found)
        begun = Document(header, tuple(kept.values()))
        writer = stack.enter_context(closing(Writer(request.output, begun))) if request.output else None
        watch.begin(len(found), len(kept))
        records = dict(kept)
        for record in pool.records([each for each in found if each.path not in kept], watch.meanwhile):
            records[record.path] = record
            if writer:
                writer.model(record)
            watch.record(record)
        models = tuple(records[each.path] for each in found)
        footer = footer_of(models)
        if writer:
            writer.footer(footer)
    return Document(header, models, footer)


def _former(request: Request) -> Document | None:
    if request.output is None or not request.output.exists() or not request.output.stat().st_size:
        return None
    if request.resume:
        return read(request.output, complete=False)
    try:
        unfinished = read(request.output, complete=False).footer is None
    except ResultsError as error:
        raise ResultsError(f"{error}; it is not overwritten: remove it, or name another --output") from None
    if unfinished:
        raise Unfinished(f"{request.output}: holds a run that was stopped: go on with it by --resume, or remove it")
    return None


def _kept(
    request: Request, former: Document | None, header: Header, found: Iterable[Found | Problem]
) -> dict[str, ModelRecord]:
    """The records of an earlier run that hold for this one: of the same files, from implementations that ran."""
    if former is None:
        return {}
    here, there = _identity(header), _identity(former.header)
    if here != there:
        names = [name for name in here.keys() | there.keys() if here.get(name) != there.get(name)]
        raise ResultsError(
            f"{request.output}: was begun otherwise, so it cannot be gone on with: "
            + "; ".join(f"{name} was {there.get(name)!r}, is {here.get(name)!r}" for name in sorted(names))
        )
    known = former.by_path
    return {
        each.path: known[each.path]
        for each in found
        if isinstance(each, Found) and each.path in known and _holds(known[each.path], each)
    }


def _identity(header: Header) -> dict[str, object]:
    versions = {name: version.version for name, version in header.implementations.items()}
    return {"suite": header.suite, **versions, **header.options}


def _holds(record: ModelRecord, found: Found) -> bool:
    ran = all(each.outcome not in (Outcome.NOT_STARTED, Outcome.FAULT) for each in record.implementations.values())
    try:
        status = found.main_file.stat()
    except OSError:
        return False
    return ran and record.verdict is not Verdict.BAD_INPUT and record.stamp == (status.st_size, status.st_mtime_ns)
