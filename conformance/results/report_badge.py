"""A badge: the JSON that shields.io's endpoint badges read.

It never says more than the results do. *Conformant* is said of complete results in which every unit that is claimed
and applies passes; an expected failure is a failure that somebody has understood, so it is counted and named.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.results.model import Run
from conformance.results.report_words import counts, gaps_of, unexpected
from conformance.results.verdict import Verdict

LABEL = "keras conformance"


def badge(runs: Sequence[Run]) -> str:
    """The badge about ``runs``."""
    message, colour = _told(runs)
    value = {"schemaVersion": 1, "label": LABEL, "message": message, "color": colour, "isError": colour == "red"}
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _told(runs: Sequence[Run]) -> tuple[str, str]:
    """The worst that there is to say, and its colour."""
    found = counts(runs)
    passed, known, bad = found[Verdict.PASS], found[Verdict.KNOWN_FAILURE], unexpected(runs)
    judged = f"{passed} of {passed + known}"
    if bad:
        return f"{bad} unexpected", "red"
    if gaps_of(runs) or not passed + known:
        return "incomplete", "lightgrey"
    if known:
        return f"{judged} units, {known} known failure{'s' * (known != 1)}", "yellow"
    return f"conformant, {passed} units", "brightgreen"
