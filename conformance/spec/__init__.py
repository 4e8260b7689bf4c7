"""The specification: requirements as data, their dialects, tolerances, errata and capabilities."""

from __future__ import annotations

from conformance.spec.loader import load_specification
from conformance.spec.model import Chapter, Dialect, Erratum, Observation, Requirement, Specification, Tolerance, Unit
from conformance.spec.table import SpecificationError

__all__ = [
    "Chapter",
    "Dialect",
    "Erratum",
    "Observation",
    "Requirement",
    "Specification",
    "SpecificationError",
    "Tolerance",
    "Unit",
    "load_specification",
]
