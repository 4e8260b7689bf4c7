"""Which object a name in a config stands for.

Four places are asked, in this order, everywhere: the ``custom_objects`` argument; the scopes, the innermost first;
the names registered for the whole process; the built-in objects. An argument is a scope around the one load.
Scopes belong to the thread that entered them and end with their ``with``, also when it ends in an error.

A class registered by :func:`register_keras_serializable` is known by its full name ``package>name`` alone.
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")
Objects = Mapping[str, Any]

_global: dict[str, Any] = {}
# The registered names by object: (object, name). Objects need not be hashable.
_registered: dict[int, tuple[Any, str]] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.stack: list[dict[str, Any]] = []


_scopes = _Scopes()


class CustomObjectScope:
    """``with CustomObjectScope({"Name": object}, …):`` makes the names known inside."""

    def __init__(self, *custom_objects: Objects | None) -> None:
        self._names: dict[str, Any] = {}
        for objects in custom_objects:
            self._names.update(objects or {})

    def __enter__(self) -> CustomObjectScope:
        _scopes.stack.append(dict(self._names))
        return self

    def __exit__(self, *exception: Any) -> None:
        _scopes.stack.pop()


custom_object_scope = CustomObjectScope


def get_custom_objects() -> MutableMapping[str, Any]:
    """The custom names known here, to read and to change.

    Outside any scope that is the process's dictionary. Inside one, what is set ends with the innermost scope.
    """
    return ChainMap(*reversed(_scopes.stack), _global) if _scopes.stack else _global


def lookup(name: str, builtin: Objects) -> Any:
    """The object that ``name`` stands for; None if it is known nowhere."""
    for names in (*reversed(_scopes.stack), _global, builtin):
        if name in names:
            return names[name]
    return None


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """A decorator that registers a class or function as ``package>name`` (default: its own name).

    ``ValueError`` if another object has that name, if this object has another registered name, or if it is a class
    without ``get_config``. Registering the same object again is no error.
    """

    def register(target: T) -> T:
        own = name if name is not None else getattr(target, "__name__", type(target).__name__)
        full = f"{package}>{own}"
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(
                f"Cannot register a class that does not have a get_config() method: {target.__name__}; define one"
            )
        taken = _global.get(full)
        if taken is not None and taken is not target:
            raise ValueError(f"{full} has already been registered to {taken!r}; use another name or package")
        known = _registered.get(id(target))
        if known is not None and known[1] != full:
            raise ValueError(f"{target!r} has already been registered to {known[1]}; it cannot be {full} as well")
        _global[full] = target
        _registered[id(target)] = (target, full)
        return target

    return register


def get_registered_name(target: Any) -> str:
    """``package>name`` of a registered object, else its own ``__name__``."""
    known = _registered.get(id(target))
    if known is None and target.__name__ == "<lambda>":
        warnings.warn(
            "a lambda has no name to be found again by: what is saved with it cannot be loaded; use def", stacklevel=3
        )
    return known[1] if known is not None else target.__name__


def get_registered_object(
    name: str, custom_objects: Objects | None = None, module_objects: Objects | None = None
) -> Any:
    """The object known as ``name``, asking argument, scopes, registered names, ``module_objects``; else None."""
    with CustomObjectScope(custom_objects):
        return lookup(name, module_objects or {})
