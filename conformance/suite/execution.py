"""One pytest session's implementation under test: started once, asked what it claims, then judged test by test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance import __version__
from conformance.implementations.registry import ImplementationSpec, load_implementation, open_session
from conformance.plugin import HEADER, RECORD, id_of
from conformance.protocol.errors import StartFailure
from conformance.protocol.session import Session
from conformance.results.expectations import Expectations, read_expectations
from conformance.spec import Unit, load_specification
from conformance.suite import repro, runner
from conformance.suite.case import VARIANTS, Case
from conformance.suite.repro_recorder import Recorder
from conformance.suite.repro_source import NotPrintable
from conformance.suite.units import units_of


@dataclass(frozen=True)
class Standing:
    """The units of a test, by what becomes of them before it runs."""

    active: tuple[Unit, ...]
    not_claimed: tuple[Unit, ...]
    not_applicable: tuple[Unit, ...]


class Execution:
    """Runs conformance tests on the implementation that the options name."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.specification = load_specification()
        file = config.getoption("--implementation-file")
        self.implementation: ImplementationSpec = load_implementation(
            config.getoption("--implementation"), Path(file) if file else None
        )
        self.expectations: Expectations = read_expectations(self.implementation.expectations, self.specification)
        self._session: Session | None = None
        self._recorder: Recorder | None = None
        self._header_given = False

    @property
    def dialect(self) -> str:
        """The dialect in which the implementation is judged."""
        return self.config.getoption("--conformance-dialect") or self.implementation.dialects[0]

    def session(self) -> Session:
        """The running session; the first call starts the adapter."""
        if self._session is None:
            python = self.config.getoption("--conformance-python")
            try:
                self._session = open_session(
                    self.implementation,
                    python=Path(python) if python else None,
                    in_process=self.implementation.in_driver and not self.config.getoption("--conformance-piped"),
                    dialect=self.dialect,
                )
            except StartFailure as failure:
                writer = self.config.pluginmanager.get_plugin("conformance-records")
                if writer is not None:
                    writer.start_failure(str(failure))
                pytest.exit(f"{self.implementation.name} could not be started: {failure}", returncode=3)
            if self.config.getoption("--conformance-scripts"):
                self._recorder = Recorder(self._session)
        return self._session

    def standing(self, case: Case, variant: str | None) -> Standing:
        """Which units of the test hold in this dialect, and which of those the implementation claims."""
        units = units_of(case, variant)
        claimed = set(self.session().hello.capabilities)
        applicable = [unit for unit in units if self.specification.applicable(unit, self.dialect)]
        return Standing(
            active=tuple(unit for unit in applicable if claimed.issuperset(unit.needs)),
            not_claimed=tuple(unit for unit in applicable if not claimed.issuperset(unit.needs)),
            not_applicable=tuple(unit for unit in units if unit not in applicable),
        )

    def run(self, item: pytest.Function, case: Case, variant: str | None) -> None:
        """Run one test and record its verdict; the pytest outcome follows from it."""
        session = self.session()
        if not self._header_given:
            item.user_properties.append((HEADER, self.header()))
            self._header_given = True
        test_id = id_of(item)
        standing = self.standing(case, variant)
        for verdict, units in (("not-claimed", standing.not_claimed), ("not-applicable", standing.not_applicable)):
            if units:
                self._record(item, test_id, units, runner.Outcome(verdict))
        if not standing.active:
            pytest.skip("not claimed" if standing.not_claimed else f"not applicable in dialect {self.dialect}")

        units = [str(unit) for unit in standing.active]
        expected = self.expectations.concerning(test_id, units)
        arguments = {name: item.funcargs[name] for name in VARIANTS if name in item.funcargs}
        outcome = runner.run(
            case,
            item.obj,
            test_id,
            variant,
            arguments,
            session,
            self.specification,
            self.dialect,
            runner.Drawing(
                max_examples=self.config.getoption("--conformance-max-examples"),
                times=self.config.getoption("--conformance-times") or 1,
                seed=self.config.getoption("--conformance-seed"),
                shrink=not expected,
                on_failure=self._recorder.attach if self._recorder else runner.ignored,
            ),
        )
        self._record(item, test_id, standing.active, outcome, self._script(test_id, units, outcome))
        if outcome.error is not None:
            if any(entry.matches(outcome.kind, outcome.message or "") for entry in expected):
                pytest.xfail("known failure")
            raise outcome.error
        if outcome.verdict == "not-claimed":
            pytest.skip(outcome.notes[-1])

    def header(self) -> dict[str, Any]:
        """What the records begin with: who was tested, by which suite, drawing how."""
        return {
            "implementation": self.implementation.name,
            "dialect": self.dialect,
            "suite": __version__,
            "seed": self.config.getoption("--conformance-seed"),
            "hello": self.session().hello.to_json(),
        }

    def _script(self, test_id: str, units: list[str], outcome: runner.Outcome) -> dict[str, Any]:
        """The failure as a script, which nobody has run yet, or a note on why there is none."""
        if self._recorder is None or outcome.error is None:
            return {}
        hello = self.session().hello
        requirements = [self.specification.requirements[unit.partition("[")[0]] for unit in units]
        about = repro.About(
            subject=f"{hello.name} {hello.version} does not meet {', '.join(units)}.",
            text=[f"{one.level} {one.text} ({one.source})" for one in dict.fromkeys(requirements)],
            test=test_id,
            library=hello.name,
            dialect=self.dialect,
            seed=runner.RESET_SEED,
            env=self.implementation.env,
        )
        try:
            return {"script": repro.script_of(outcome.error, about)}
        except NotPrintable as reason:
            return {"notes": [*outcome.notes, f"no script: {reason}"]}

    def _record(
        self,
        item: pytest.Function,
        test_id: str,
        units: tuple[Unit, ...],
        outcome: runner.Outcome,
        more: dict[str, Any] | None = None,
    ) -> None:
        record = {
            "id": test_id,
            "requirements": sorted({unit.requirement_id for unit in units}),
            "units": [str(unit) for unit in units],
            "verdict": outcome.verdict,
            "kind": outcome.kind,
            "message": outcome.message,
            "exception": outcome.exception,
            "expected": outcome.expected,
            "actual": outcome.actual,
            "notes": list(outcome.notes),
            "examples": outcome.examples,
            "digest": outcome.digest,
            "seconds": round(outcome.seconds, 3),
            **(more or {}),
        }
        item.user_properties.append((RECORD, record))

    def pytest_sessionfinish(self) -> None:
        """End the adapter with the pytest session."""
        if self._session is not None:
            self._session.close()
