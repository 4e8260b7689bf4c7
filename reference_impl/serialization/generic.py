"""Serialised objects: ``{"class_name": …, "config": …}``, or the name of a function.

One function writes the form and one reads it, for layers, initializers, losses and everything else; what differs
from kind to kind is a :class:`Kind`. Nothing in a config is ever executed: names are looked up, see
:mod:`reference_impl.serialization.registry`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from reference_impl.errors import LoadError
from reference_impl.serialization import registry
from reference_impl.serialization.registry import CustomObjectScope, Objects


@dataclass(frozen=True)
class Kind:
    """A kind of object a config can name: the word used in errors, and the built-in objects."""

    word: str
    builtin: Callable[[], Objects]


def serialize(target: Any) -> Any:
    """The config form of an object with ``get_config``, or the registered name of a function. None stays None."""
    if target is None:
        return None
    if hasattr(target, "get_config") and not inspect.isclass(target):
        return {"class_name": registry.get_registered_name(type(target)), "config": target.get_config()}
    if hasattr(target, "__name__"):
        return registry.get_registered_name(target)
    raise ValueError(f"Cannot serialize {target!r}: it has neither get_config nor a __name__; define get_config")


def deserialize(kind: Kind, identifier: Any, custom_objects: Objects | None = None) -> Any:
    """The object that ``identifier`` (config form or name) stands for; :class:`LoadError` if there is none.

    A name that stands for a class gives an instance made without arguments. ``identifier`` is not changed.
    """
    with CustomObjectScope(custom_objects):
        if isinstance(identifier, str):
            found = _find(kind, identifier)
            return _construct(kind, found, identifier, {}) if inspect.isclass(found) else found
        if isinstance(identifier, Mapping):
            return _from_mapping(kind, cast("Mapping[str, Any]", identifier))
    raise LoadError(
        f"Could not interpret serialized {kind.word}: {identifier!r}; expected a name or a dict with 'class_name' "
        "and 'config'"
    )


def _from_mapping(kind: Kind, form: Mapping[str, Any]) -> Any:
    missing = [key for key in ("class_name", "config") if key not in form]
    if missing:
        raise LoadError(f"Improper config format for a {kind.word}: {dict(form)!r:.200} has no {missing[0]!r}")
    name, config = form["class_name"], form["config"]
    found = _find(kind, name)
    if not inspect.isclass(found):
        return found
    if not isinstance(config, Mapping | list):
        raise LoadError(f"{name}: its config is {config!r:.60}; expected a dict")
    return _construct(kind, found, name, config)


def _find(kind: Kind, name: Any) -> Any:
    found = registry.lookup(name, kind.builtin()) if isinstance(name, str) else None
    if found is None:
        raise LoadError(
            f"Unknown {kind.word}: {name}. If it is an object of your own, make it known: pass it in `custom_objects`, "
            "load inside `custom_object_scope`, or decorate it with `register_keras_serializable` before loading"
        )
    return found


def _construct(kind: Kind, found: Any, name: str, config: Any) -> Any:
    own = copy.deepcopy(config)
    make = getattr(found, "from_config", None)
    try:
        return make(own) if make is not None else found(**own)
    except LoadError:
        raise
    except (TypeError, ValueError, KeyError) as error:
        detail = " ".join(str(argument) for argument in error.args)
        called = cast("Mapping[str, Any]", config).get("name") if isinstance(config, Mapping) else None
        raise LoadError(
            f"{name}{f' {called!r}' if called else ''}: its config does not fit the {kind.word}: {detail}; "
            "expected the keys its get_config writes"
        ) from error
