"""All mutants, by the kind of fault: a module a kind."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from conformance.mutants.mutant import Mutant, MutantError


@cache
def load_mutants() -> dict[str, Mutant]:
    """Every mutant by its name, module by module. Raises :class:`MutantError` for a name given twice."""
    found: dict[str, Mutant] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if not isinstance(value, Mutant):
                continue
            if value.name in found:
                raise MutantError(f"two mutants are named {value.name!r}; rename one")
            found[value.name] = value
    return found
