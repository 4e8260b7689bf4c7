"""Custom objects: found where they should not be, not found where they should, kept where they should end."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Generator
from typing import Any

from conformance.mutants.mutant import mutant

REGISTRY = "reference_impl.serialization.registry"
GENERIC = "reference_impl.serialization.generic"
SCOPE = f"{REGISTRY}:CustomObjectScope"


@contextlib.contextmanager
def _without_scopes() -> Generator[None]:
    from reference_impl.serialization import registry

    stack = registry._scopes.stack  # pyright: ignore
    kept, stack[:] = list(stack), []
    try:
        yield
    finally:
        stack[:] = kept


def _is_built_in(found: Any) -> bool:
    return str(getattr(found, "__module__", "")).startswith("reference_impl")


@mutant("registry.unknown", "hdf5.custom-code-needed", target=f"{GENERIC}:_find")
def unknown_classes_become_plain_layers(original: Any, kind: Any, name: Any) -> Any:
    """A class that is not found is replaced by a layer that passes its inputs on."""
    from reference_impl.errors import LoadError
    from reference_impl.layers import Layer

    try:
        return original(kind, name)
    except LoadError:
        return type(name, (Layer,), {"from_config": classmethod(lambda cls, config: cls(name=config.get("name")))})  # pyright: ignore


@mutant("registry.unknown", target=f"{GENERIC}:_find")
def unknown_names_of_losses_become_none(original: Any, kind: Any, name: Any) -> Any:
    """An unknown loss or metric is nothing, and nothing is said."""
    from reference_impl.errors import LoadError

    try:
        return original(kind, name)
    except LoadError:
        if kind.word == "layer":
            raise
        return "unknown"


@mutant("registry.unknown-message", target=f"{GENERIC}:_find")
def unknown_layers_in_other_words(original: Any, kind: Any, name: Any) -> Any:
    """The error about an unknown layer has the words of another generation."""
    from reference_impl.errors import LoadError, UnknownObjectError

    try:
        return original(kind, name)
    except LoadError:
        raise UnknownObjectError(f"Could not locate class {name!r}") from None


@mutant("custom.registration-needed", target=f"{GENERIC}:_find")
def unregistered_classes_are_found(original: Any, kind: Any, name: Any) -> Any:
    """A class that exists somewhere in the process is found by its name."""
    from reference_impl.errors import LoadError
    from reference_impl.layers import Layer

    try:
        return original(kind, name)
    except LoadError:
        # Tests before left others of the same names behind: the latest that takes units.
        for found in reversed(Layer.__subclasses__()):
            takes_units = "units" in inspect.signature(found.__init__).parameters
            if found.__name__ == name and takes_units and not hasattr(found, "marker"):
                return found
        raise


@mutant("registry.builtin-list[reshaping]", target=f"{GENERIC}:_find")
def a_built_in_layer_is_missing(original: Any, kind: Any, name: Any) -> Any:
    """A layer was left out of the table of names."""
    from reference_impl.errors import UnknownObjectError

    if name == "Permute":
        raise UnknownObjectError("Unknown layer: Permute")
    return original(kind, name)


@mutant("registry.builtin-list[pooling]", target=f"{GENERIC}:_find")
def an_alias_is_another_layer(original: Any, kind: Any, name: Any) -> Any:
    """Two names of the table were exchanged."""
    other = {"MaxPooling1D": "AveragePooling1D", "AveragePooling1D": "MaxPooling1D"}
    return original(kind, other.get(name, name))


@mutant("registry.builtin-objects", target=f"{GENERIC}:_find")
def a_built_in_loss_is_missing(original: Any, kind: Any, name: Any) -> Any:
    """A loss is a function in the table and no class."""
    from reference_impl.errors import UnknownObjectError

    if name == "Huber":
        raise UnknownObjectError("Unknown loss function: Huber")
    return original(kind, name)


@mutant("registry.builtin-objects", target="reference_impl.optimizers:deserialize")
def optimizers_need_small_letters(original: Any, config: Any, custom_objects: Any = None) -> Any:
    """An optimizer is found by its name in small letters alone."""
    from reference_impl.errors import UnknownObjectError

    if isinstance(config, dict) and config.get("class_name") == "RMSprop":  # pyright: ignore
        raise UnknownObjectError("Unknown optimizer: RMSprop")
    return original(config, custom_objects)


@mutant("registry.custom-objects-argument", target=f"{GENERIC}:deserialize")
def the_argument_stays_registered(original: Any, kind: Any, identifier: Any, custom_objects: Any = None) -> Any:
    """What was given as custom_objects is known from then on."""
    from reference_impl.serialization import registry

    registry._global.update(custom_objects or {})  # pyright: ignore
    return original(kind, identifier, custom_objects)


@mutant("registry.custom-objects-argument", target="reference_impl.models.model:Model.from_config")
def the_argument_of_from_config_is_ignored(original: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
    """One of the functions that take custom_objects does not look at them."""
    return original(cls, config)


@mutant(
    "registry.custom-objects-load[hdf5]",
    "registry.custom-objects-load[savedmodel]",
    target="reference_impl.loading:load_model",
)
def the_argument_of_load_model_stays(original: Any, path: Any, custom_objects: Any = None, compile: bool = True) -> Any:
    """What was given to load_model() is known from then on."""
    from reference_impl.serialization import registry

    registry._global.update(custom_objects or {})  # pyright: ignore
    return original(path, custom_objects, compile)


@mutant("registry.scope", target=f"{SCOPE}.__exit__")
def a_scope_outlives_an_error(original: Any, self: Any, *exception: Any) -> Any:
    """A scope that is left through an error stays."""
    if not any(exception):
        original(self, *exception)


@mutant("registry.scope", target=f"{SCOPE}.__enter__")
def an_inner_scope_hides_the_outer(original: Any, self: Any) -> Any:
    """Inside an inner scope the names of the outer one are unknown."""
    from reference_impl.serialization import registry

    if not self._names:
        return original(self)
    for names in registry._scopes.stack:  # pyright: ignore
        names.clear()
    return original(self)


@mutant("registry.scope", target=f"{REGISTRY}:lookup")
def the_outer_scope_comes_first(original: Any, name: str, builtin: Any) -> Any:
    """Of two scopes that have a name the outer one is asked first."""
    from reference_impl.serialization import registry

    for names in registry._scopes.stack:  # pyright: ignore
        if name in names:
            return names[name]
    return original(name, builtin)


@mutant("registry.precedence", target=f"{REGISTRY}:lookup")
def the_global_table_comes_first(original: Any, name: str, builtin: Any) -> Any:
    """The table of the process comes before the scopes and the argument."""
    from reference_impl.serialization import registry

    found = registry._global.get(name)  # pyright: ignore
    return found if found is not None else original(name, builtin)


@mutant(
    "registry.precedence-load[savedmodel]", "registry.precedence-load[hdf5]", target="reference_impl.loading:load_model"
)
def the_argument_of_load_model_comes_last(
    original: Any, path: Any, custom_objects: Any = None, compile: bool = True
) -> Any:
    """load_model() adds what it is given below what is known already."""
    from reference_impl.serialization import registry

    known = dict(registry.get_custom_objects())
    return original(path, {**(custom_objects or {}), **known}, compile)


@mutant("registry.precedence-builtin", target=f"{REGISTRY}:lookup")
def built_in_classes_come_first(original: Any, name: str, builtin: Any) -> Any:
    """A custom class under the name of a built-in one is never found."""
    return builtin[name] if name in builtin else original(name, builtin)


@mutant("registry.precedence-builtin-v3", target=f"{GENERIC}:is_keras", dialect="keras-2.15")
def modules_are_not_looked_at(original: Any, module: Any) -> Any:
    """A class that was serialised with its module is looked for by its name alone."""
    return False


@mutant("registry.example", target="reference_impl.activations:deserialize")
def functions_are_not_found_in_scopes(original: Any, name: Any, custom_objects: Any = None) -> Any:
    """A scope is looked at for classes, and not for functions."""
    with _without_scopes():
        return original(name, custom_objects)


@mutant(
    "custom.functions-by-name[hdf5]",
    "custom.functions-by-name[savedmodel]",
    target="reference_impl.activations:deserialize",
)
def custom_activations_become_linear(original: Any, name: Any, custom_objects: Any = None) -> Any:
    """A function that is no built-in one is known by its name, and not computed."""
    from reference_impl import activations

    found = original(name, custom_objects)
    return found if _is_built_in(found) else activations.linear


@mutant("custom.functions-by-name-config", target="reference_impl.activations:serialize")
def custom_functions_by_their_repr(original: Any, activation: Any) -> Any:
    """A custom function is in the config as what Python prints of it."""
    return original(activation) if _is_built_in(activation) else repr(activation)


@mutant("clone.custom", target="reference_impl.models.cloning:_clone_layer")
def clone_looks_at_no_scope(original: Any, layer: Any) -> Any:
    """The layers of a clone are made outside of the scope in which it is made."""
    with _without_scopes():
        return original(layer)


@mutant("open.registered-name", target=f"{REGISTRY}:register_keras_serializable")
def registered_classes_have_their_plain_name_too(original: Any, package: str = "Custom", name: Any = None) -> Any:
    """A registered class is also found without its package."""
    made = original(package, name)

    def register(target: Any) -> Any:
        from reference_impl.serialization import registry

        registry._global[target.__name__] = target  # pyright: ignore
        return made(target)

    return register


@mutant("open.register-twice", target=f"{REGISTRY}:register_keras_serializable")
def a_second_class_takes_the_name(original: Any, package: str = "Custom", name: Any = None) -> Any:
    """A second class under a registered name replaces the first without a word."""
    made = original(package, name)

    def register(target: Any) -> Any:
        from reference_impl.serialization import registry

        registry._global.pop(f"{package}>{name or target.__name__}", None)  # pyright: ignore
        return made(target)

    return register


@mutant("open.scope-threads", target=f"{REGISTRY}:lookup")
def scopes_hold_for_every_thread(original: Any, name: str, builtin: Any) -> Any:
    """What one thread's scope names, all threads know."""
    from reference_impl.serialization import registry

    _LAST.append(registry._scopes.stack)  # pyright: ignore
    for stack in reversed(_LAST):
        for names in reversed(stack):
            if name in names:
                return names[name]
    return original(name, builtin)


_LAST: list[Any] = []
