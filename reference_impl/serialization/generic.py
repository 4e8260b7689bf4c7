"""Serialised objects: ``{"class_name": …, "config": …}``, or the name of a function.

One function writes the form and one reads it, for layers, initializers, losses and everything else; what differs
from kind to kind is a :class:`Kind`. Nothing in a config is ever executed: names are looked up, see
:mod:`reference_impl.serialization.registry`.

From Keras 2.12 on the form says also where a class is from: ``module``, and for classes of the user's own
``registered_name``, which alone has the package then. No module is ever imported; what it decides is that a class of
Keras's own stays that class, whatever the user calls so.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from reference_impl import dialects
from reference_impl.errors import LoadError, UnknownObjectError
from reference_impl.serialization import registry
from reference_impl.serialization.registry import CustomObjectScope, Objects

REFUSALS = (
    *(TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError),
    *(NotImplementedError, RecursionError, MemoryError),
)
"""What a class may raise when a config is not its own."""


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
        kind = cast("type", target.__class__)
        name = registry.get_registered_name(kind)
        if dialects.current() in _WITHOUT_MODULES:
            return {"class_name": name, "config": target.get_config()}
        module, own = _module(kind), kind.__name__
        if (module, own) == ("keras", "Functional"):
            module, own = _FUNCTIONAL[dialects.current()]
        registered = None if is_keras(module) else name
        return {"module": module, "class_name": own, "config": target.get_config(), "registered_name": registered}
    if hasattr(target, "__name__"):
        return registry.get_registered_name(target)
    raise ValueError(f"Cannot serialize {target!r}: it has neither get_config nor a __name__; define get_config")


def is_keras(module: Any) -> bool:
    """Whether a ``module`` is one of Keras's own."""
    return isinstance(module, str) and module.split(".")[0] in ("keras", "tf_keras")


def without_modules(form: Any) -> Any:
    """``form``, and the layers in it, as HDF5 files have them still; objects among their arguments keep their modules."""
    if isinstance(form, list | tuple):
        return type(cast("Any", form))([without_modules(item) for item in cast("list[Any]", form)])
    if not isinstance(form, Mapping):
        return form
    known = cast("Mapping[str, Any]", form)
    if not known.keys() >= {"module", "class_name", "config", "registered_name"}:
        return {key: without_modules(value) for key, value in known.items()}
    kept = {key: value for key, value in known.items() if key not in ("module", "registered_name")}
    is_functional = (known["module"], known["class_name"]) in _FUNCTIONAL.values()
    kept["class_name"] = "Functional" if is_functional else _name(known)
    config: Any = kept["config"]
    if isinstance(config, Mapping) and "layers" in config:
        kept["config"] = {**config, "layers": without_modules(config["layers"])}
    return kept


def _module(kind: type) -> str:
    """The public module of a class of ours; that of the user's own classes."""
    package, *inner = kind.__module__.split(".")
    if package != _OWN:
        return kind.__module__
    if inner[0] == "models":
        return "keras"
    return ".".join(["keras", *(inner[:2] if inner[1:] == ["schedules"] else inner[:1])])


_OWN = __name__.partition(".")[0]
_WITHOUT_MODULES = ("keras-2.4", "keras-2.8")
_FUNCTIONAL = {
    # tf_keras has the class elsewhere than 2.15, but both revive it by the public one.
    "keras-2.15": ("keras", "Model"),
    "keras-3": ("keras.src.models.functional", "Functional"),
}
"""Where a model made of inputs and outputs is from."""


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
    name, config = _name(form), form["config"]
    if is_keras(form.get("module")) and name != form["class_name"]:
        raise LoadError(
            f"{form['class_name']} of {form['module']}: found registered_name {name!r}, expected none: a class of Keras's "
            "own is not registered; one of the two names is false"
        )
    stays = is_keras(form.get("module")) and isinstance(name, str)
    found = (kind.builtin().get(name) if stays else None) or _find(kind, name)
    if not inspect.isclass(found):
        return found
    if not isinstance(config, Mapping | list):
        raise LoadError(f"{name}: its config is {config!r:.60}; expected a dict")
    return _construct(kind, found, name, config)


def _name(form: Mapping[str, Any]) -> Any:
    """The name that a class is known by: the registered one, where it has a package."""
    registered = form.get("registered_name")
    return registered if isinstance(registered, str) and ">" in registered else form["class_name"]


def _find(kind: Kind, name: Any) -> Any:
    found = registry.lookup(name, kind.builtin()) if isinstance(name, str) else None
    if found is None:
        raise UnknownObjectError(
            f"Unknown {kind.word}: {name}. If it is an object of your own, make it known: pass it in `custom_objects`, "
            "load inside `custom_object_scope`, or decorate it with `register_keras_serializable` before loading"
        )
    return found


def _construct(kind: Kind, found: Any, name: str, config: Any) -> Any:
    own = _copied(config)
    make = getattr(found, "from_config", None)
    try:
        return make(own) if make is not None else found(**own)
    except LoadError:
        raise
    except REFUSALS as error:
        detail = " ".join(str(argument) for argument in error.args)
        called = cast("Mapping[str, Any]", config).get("name") if isinstance(config, Mapping) else None
        raise LoadError(
            f"{name}{f' {called!r}' if called else ''}: its config does not fit the {kind.word}: {detail}; "
            "expected the keys its get_config writes"
        ) from error


def _copied(value: Any) -> Any:
    """A deep copy; of what JSON has, which is nearly all, a quicker one than :func:`copy.deepcopy` makes."""
    kind = cast("type[Any]", type(value))
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    if kind is list:
        return [_copied(item) for item in value]
    return value if kind in (str, int, float, bool, type(None)) else copy.deepcopy(value)
