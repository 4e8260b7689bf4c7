"""The results document: what a run of the suite found out, as frozen values and as JSON.

The published schema is ``results.schema.json`` beside this file. A document ends with a footer that says whether it is
complete; one without a footer was cut. Readers accept every document of the same major version and ignore fields that
they do not know; another major version is refused.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

import conformance
from conformance.protocol.sandbox import no_network
from conformance.results.verdict import FailureKind, Verdict

SCHEMA_VERSION = "1.0"

_Document = TypeVar("_Document")


class ResultsError(ValueError):
    """A results document that cannot be read: names the file, the place in it, and what is wrong."""


@dataclass(frozen=True)
class TestRecord:
    """What came of one test.

    ``id`` is the test's name with its unit's variant (``test_model.py::test_outputs[savedmodel]``); ``units`` are
    those that it decides; ``message`` is what an expectation's pattern is searched in; ``expected`` and ``actual``
    are the two sides of a comparison that failed, as short texts; ``examples`` counts those that were run and
    ``digest`` is over what was drawn; ``notes`` are further lines for people (the example, the last lines of the
    implementation's stderr); ``script`` is plain Keras code that was seen to show the failure. A test of several units can have several records: one for those it ran for, one for
    those that are not claimed.
    """

    __test__ = False  # not a class of tests, whatever pytest makes of its name

    id: str
    requirements: tuple[str, ...]
    units: tuple[str, ...]
    verdict: Verdict
    kind: FailureKind | None = None
    message: str | None = None
    exception: str | None = None
    expected: str | None = None
    actual: str | None = None
    notes: tuple[str, ...] = ()
    examples: int = 0
    digest: str | None = None
    seconds: float = 0.0
    expectation: str | None = None
    script: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values; fields that say nothing are left out."""
        return _record_adapter().dump_python(self, mode="json", exclude_none=True)

    @classmethod
    def from_json(cls, value: object) -> TestRecord:
        """The inverse of :meth:`to_json`; raises :class:`ResultsError`."""
        return _validated(_record_adapter(), value, "a test record")


@dataclass(frozen=True)
class UnitVerdict:
    """The verdict on one unit.

    ``expectation`` is the entry (``file:line``) that it agrees or disagrees with, ``message`` what to do about that;
    ``blocked_by`` names the failed units that it depends on.
    """

    unit: str
    verdict: Verdict
    expectation: str | None = None
    message: str | None = None
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class StartFailure:
    """Why an implementation could not be started."""

    text: str
    stderr: str = ""


@dataclass(frozen=True)
class Run:
    """One implementation judged in one dialect.

    ``hello`` is what it said about itself (empty if it never did); ``selection`` holds the options that left tests
    out; ``interruption`` says why the run ended early, None if it went to its end; ``problems`` are faults of the
    expectations file that the run brought to light.
    """

    implementation: str
    dialect: str
    hello: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    selection: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    seed: int | None = None
    seconds: float = 0.0
    tests: tuple[TestRecord, ...] = ()
    units: tuple[UnitVerdict, ...] = ()
    problems: tuple[str, ...] = ()
    start_failure: StartFailure | None = None
    interruption: str | None = None

    @property
    def counts(self) -> Counter[Verdict]:
        """How many units have each verdict."""
        return Counter(unit.verdict for unit in self.units)

    @property
    def broken_tests(self) -> tuple[TestRecord, ...]:
        """Tests that were begun and decided nothing, for a fault of their own; the message says which."""
        return tuple(test for test in self.tests if test.verdict is Verdict.NOT_RUN and test.message)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Why this run does not say everything there is to say; empty for a complete one."""
        not_run = self.counts[Verdict.NOT_RUN]
        broken = self.broken_tests
        reasons = {
            "could not be started": self.start_failure is not None,
            f"stopped early: {self.interruption}": self.interruption is not None,
            f"only part of the suite was asked for ({_options(self.selection)})": bool(self.selection),
            f"{len(broken)} broken test{'s' * (len(broken) != 1)} of the suite": bool(broken),
            f"{not_run} unit{'s' * (not_run != 1)} not run": not_run > 0 and not self.selection,
        }
        return tuple(f"{self.implementation}: {reason}" for reason, holds in reasons.items() if holds)

    @property
    def exit_code(self) -> int:
        """0 as expected, 1 a verdict that was not, 2 not complete, 3 not started; of several the highest.

        Units that a selection left out are no fault.
        """
        if self.start_failure:
            return 3
        codes = {verdict.exit_code for verdict in self.counts if not (self.selection and verdict is Verdict.NOT_RUN)}
        return max({0, *codes, 1 if self.problems else 0, 2 if self.interruption or self.broken_tests else 0})


def _options(selection: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} {' '.join(chosen)}" for name, chosen in selection.items())


@dataclass(frozen=True)
class Suite:
    """The suite that made the document."""

    version: str


@dataclass(frozen=True)
class Footer:
    """The end of a document: whether it is complete, if not why, and how many units have each verdict."""

    complete: bool
    counts: Mapping[Verdict, int]
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """A whole results document."""

    schema: str
    suite: Suite
    environment: Mapping[str, Any]
    runs: tuple[Run, ...]
    footer: Footer | None = None

    @property
    def is_complete(self) -> bool:
        """The footer is there, says so, and agrees with the runs."""
        return self.footer is not None and self.footer.complete and self.footer == footer_of(self.runs)

    @property
    def exit_code(self) -> int:
        """The highest of the runs' exit codes."""
        return max((run.exit_code for run in self.runs), default=0)

    def to_json(self) -> dict[str, Any]:
        """The document as JSON values."""
        return _results_adapter().dump_python(self, mode="json", exclude_none=True)

    @classmethod
    def from_json(cls, value: object, where: str = "the document") -> Results:
        """The inverse of :meth:`to_json`; raises :class:`ResultsError` naming ``where`` and the field."""
        schema = _schema_of(value)
        if not isinstance(schema, str) or schema.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
            raise ResultsError(
                f"{where}: schema is {schema!r}, expected {SCHEMA_VERSION!r}: "
                "not a results document that this version reads"
            )
        return _validated(_results_adapter(), value, where)

    def write(self, path: Path) -> None:
        """Write the document; ``path`` holds either all of it or what it held before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self.to_json(), file, indent=1, allow_nan=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read a document; raises :class:`ResultsError`."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ResultsError(f"{path}: cannot be read as JSON: {error}") from error
        return cls.from_json(value, str(path))


def footer_of(runs: Sequence[Run]) -> Footer:
    """The footer that belongs under ``runs``."""
    gaps = tuple(gap for run in runs for gap in run.gaps) or (() if runs else ("no implementation was run",))
    total = sum((run.counts for run in runs), Counter[Verdict]())
    return Footer(
        complete=not gaps, counts={verdict: total[verdict] for verdict in Verdict if total[verdict]}, gaps=gaps
    )


def results_of(runs: Sequence[Run]) -> Results:
    """The document about ``runs``, with this machine's environment and the footer."""
    return Results(SCHEMA_VERSION, Suite(conformance.__version__), environment(), tuple(runs), footer_of(runs))


def environment() -> dict[str, Any]:
    """The driver's side of the machine: what a reader needs to know to compare two documents."""
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "network": no_network() or "adapters have none",
        "packages": {name: metadata.version(name) for name in ("numpy", "h5py", "hypothesis", "pytest")},
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document; ``results.schema.json`` is this, written down."""
    schema = _results_adapter().json_schema(mode="serialization")
    schema["title"] = "keras-conformance results"
    schema["required"] = sorted({*schema["required"], "footer"})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


@cache
def _results_adapter() -> TypeAdapter[Results]:
    return TypeAdapter(Results)


@cache
def _record_adapter() -> TypeAdapter[TestRecord]:
    return TypeAdapter(TestRecord)


def _schema_of(value: object) -> object:
    return cast("Mapping[str, object]", value).get("schema") if isinstance(value, Mapping) else None


def _validated(adapter: TypeAdapter[_Document], value: object, where: str) -> _Document:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or '(top)'}: {fault['msg']}" for fault in error.errors()]
        raise ResultsError(f"{where}: {'; '.join(faults[:3])}") from error
