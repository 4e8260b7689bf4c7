"""A results document as a whole run of the suite leaves it."""

from __future__ import annotations

from conformance.results.admission import judged_again
from conformance.results.expectations import Expectations
from conformance.results.model import Run, TestRecord
from conformance.results.verdict import Verdict
from conformance.spec import load_specification


def whole_run(name: str = "reference", dialect: str = "keras-2.4", verdict: Verdict = Verdict.PASS) -> Run:
    """What ``run`` writes where every test ends with the verdict."""
    specification = load_specification()
    tests = tuple(
        TestRecord(f"test_x.py::test_{unit}", (unit.requirement_id,), (str(unit),), verdict)
        for unit in specification.units
    )
    return judged_again(Run(name, dialect, tests=tests), specification, Expectations())[0]
