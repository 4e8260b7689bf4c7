"""From the records of tests to the verdict on each unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from conformance.results.model import TestRecord, UnitVerdict
from conformance.results.verdict import Verdict, worst
from conformance.spec import Specification, Unit


def unit_verdicts(
    records: Iterable[TestRecord], specification: Specification, dialect: str, capabilities: Collection[str] | None
) -> list[UnitVerdict]:
    """The verdict on each unit of the specification, in its order.

    A unit that ``dialect`` does not have is not applicable, whatever a test says; one that needs a capability outside
    ``capabilities`` is not claimed (None: nobody knows what is claimed); any other has the worst verdict of its tests,
    and is not run if it has none.
    """
    verdicts: defaultdict[str, list[Verdict]] = defaultdict(list)
    for record in records:
        for unit in record.units:
            verdicts[unit].append(record.verdict)

    def verdict(unit: Unit) -> Verdict:
        if not specification.applicable(unit, dialect):
            return Verdict.NOT_APPLICABLE
        if capabilities is not None and not set(unit.needs) <= set(capabilities):
            return Verdict.NOT_CLAIMED
        return worst(verdicts[str(unit)])

    return [UnitVerdict(str(unit), verdict(unit)) for unit in specification.units]
