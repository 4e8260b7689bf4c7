"""Putting a fault in the place of a function of the reference."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any, cast

from conformance.mutants.mutant import Mutant, MutantError

PACKAGE = "reference_impl"

Undo = Callable[[], None]


@dataclass
class Calls:
    """How often each target was called while its fault was in place."""

    counts: dict[str, int] = field(default_factory=dict[str, int])

    def check(self) -> None:
        """Raise :class:`MutantError` if no target was ever called: then nothing was tried."""
        if not any(self.counts.values()):
            raise MutantError(
                f"{', '.join(self.counts)}: never called by the tests of what it declares; choose what they go through"
            )


@contextlib.contextmanager
def broken(mutant: Mutant) -> Generator[Calls, None, None]:
    """The reference with the mutant's fault in it, for as long as the block lasts.

    Raises :class:`MutantError` if a target is not there (any more), or takes other arguments than the fault does.
    """
    calls = Calls()
    with contextlib.ExitStack() as undoing:
        for target in mutant.targets:
            calls.counts[target] = 0
            undoing.callback(_replace(target, mutant, calls))
        yield calls


def _replace(target: str, mutant: Mutant, calls: Calls) -> Undo:
    owner, name = _owner(target)
    present: Any = cast("dict[str, Any]", vars(owner)).get(name)
    if present is None:
        raise MutantError(f"{target}: there is no such function; name the one that does its work now")

    def faulty(original: Callable[..., Any]) -> Callable[..., Any]:
        _check_arguments(target, original, mutant.fault)

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls.counts[target] += 1
            return mutant.fault(original, *args, **kwargs)

        return wrapper

    replacement = _like(present, faulty)
    if replacement is None:
        raise MutantError(f"{target}: found a {type(present).__name__}, expected a function, method or property")
    if isinstance(owner, ModuleType):
        return _everywhere(present, replacement)
    setattr(owner, name, replacement)
    return lambda: setattr(owner, name, present)


def _check_arguments(target: str, original: Callable[..., Any], fault: Callable[..., Any]) -> None:
    """Raise :class:`MutantError` if a call of the original, with all it may be given or all it must be, is none of the fault."""
    parameters = inspect.signature(original).parameters.values()
    for given in (parameters, [one for one in parameters if one.default is one.empty]):
        positional = [one.name for one in given if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
        named = {one.name: None for one in given if one.kind is one.KEYWORD_ONLY}
        with contextlib.suppress(TypeError):
            inspect.signature(fault).bind(original, *positional, **named)
            return
    raise MutantError(
        f"{target}: its arguments are {inspect.signature(original)} now, and the fault takes "
        f"{inspect.signature(fault)}; give it the same, after `original`"
    )


def _like(present: Any, faulty: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    """The replacement, of the kind that the present function is of; of a property, what it returns is faulty."""
    if isinstance(present, classmethod | staticmethod):
        kind = cast("Any", type(cast("Any", present)))
        return kind(faulty(cast("Any", present).__func__))
    if isinstance(present, property):
        return property(faulty(present.fget), present.fset, present.fdel) if present.fget else None
    if isinstance(present, functools.cached_property):
        made: Any = functools.cached_property(faulty(cast("Any", present).func))
        made.attrname = cast("Any", present).attrname
        return made
    return faulty(present) if callable(present) and not isinstance(present, type) else None


def _everywhere(present: Any, replacement: Any) -> Undo:
    """Replace a function in each module that has it: ``from … import`` gives it to many."""
    places = [
        (vars(module), name)
        for module in _modules()
        for name, value in list(vars(module).items())
        if value is present and isinstance(value, FunctionType | functools._lru_cache_wrapper)  # pyright: ignore[reportPrivateUsage]
    ]
    for namespace, name in places:
        namespace[name] = replacement

    def undo() -> None:
        for module in _modules():  # those too that were imported meanwhile
            for name, value in list(vars(module).items()):
                if value is replacement:
                    vars(module)[name] = present

    return undo


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == PACKAGE]


def _owner(target: str) -> tuple[Any, str]:
    """The module or class that a target is in, and its name there."""
    module_name, colon, path = target.partition(":")
    *classes, name = path.split(".")
    if not colon or not name:
        raise MutantError(f"target {target!r}: expected module:function or module:Class.method")
    try:
        owner: Any = importlib.import_module(module_name)
        for part in classes:
            owner = getattr(owner, part)
    except (ImportError, AttributeError) as error:
        raise MutantError(f"{target}: {error}; name the function that does its work now") from error
    return owner, name
