"""Which test decides which requirement, found by looking at the suite's modules without running anything."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import conformance.suite
from conformance.suite.case import case_of


def _tests() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in sorted(pkgutil.iter_modules(conformance.suite.__path__), key=lambda m: m.name):
        if not module.name.startswith("test_"):
            continue
        loaded = importlib.import_module(f"conformance.suite.{module.name}")
        for name, value in vars(loaded).items():
            if name.startswith("test_") and callable(value):
                yield f"{module.name}.py::{name}", value


def tests_by_requirement() -> dict[str, list[str]]:
    """Requirement id → ids of the tests that decide it, in the order of the files."""
    found: dict[str, list[str]] = {}
    for test_id, function in _tests():
        case = case_of(function)
        for requirement_id in case.requirements if case else ():
            found.setdefault(requirement_id, []).append(test_id)
    return found


def tests_without_requirement() -> list[str]:
    """Ids of the tests that name no requirement."""
    return [test_id for test_id, function in _tests() if not (case := case_of(function)) or not case.requirements]
