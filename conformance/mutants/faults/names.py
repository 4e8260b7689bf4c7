"""Names that are folded, cut, lost or given twice."""

from __future__ import annotations

from typing import Any, cast

from conformance.mutants.mutant import mutant

STORED = "reference_impl.formats.hdf5.weights"
WEIGHTS = "reference_impl.formats.hdf5.weights"
REGISTERED = "reference_impl.serialization.registry:get_registered_name"


@mutant("open.names[hdf5]", "open.names-weights[hdf5]", target="reference_impl.formats.hdf5.stored:read_layer")
def hdf5_folds_the_case_of_names(original: Any, group: Any, name: str, place: str) -> Any:
    """Groups are found without regard to case, so that layers A and a get the values of one of them."""
    return original(group, next((key for key in group if key.lower() == name.lower()), name), place)


@mutant("open.names[hdf5]", target=f"{WEIGHTS}:write_list")
def hdf5_writes_names_in_ascii(original: Any, attributes: Any, name: str, texts: Any) -> Any:
    """Letters outside ASCII become question marks in the lists of names."""
    original(attributes, name, [text.encode("ascii", "replace").decode() for text in texts])


@mutant("open.names-weights[weights-h5]", target="reference_impl.formats.keras_v3.walk:_Walk.of", dialect="keras-3")
def v3_groups_by_first_letters(original: Any, self: Any, target: Any, path: str) -> Any:
    """Groups are numbered by class, and a layer whose name has a slash is taken for a path."""
    name = getattr(target, "name", "")
    return iter(()) if isinstance(name, str) and "/" in name else original(self, target, path)


@mutant("open.names[savedmodel]", target="reference_impl.formats.savedmodel.revive:load_model")
def savedmodel_takes_slashes_out_of_names(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A slash in the name of a layer is an underscore after loading."""
    model = original(*args, **kwargs)
    for layer in model._flatten_layers():
        layer._name = layer.name.replace("/", "_")
    return model


@mutant("open.names-weights[checkpoint]", target="reference_impl.tracking:layer_edges")
def checkpoint_folds_the_case_of_names(original: Any, layers: Any) -> Any:
    """Of layers whose names differ by case alone a checkpoint has the first."""
    return original(list({layer.name.lower(): layer for layer in reversed(list(layers))}.values())[::-1])


@mutant("custom.unnamed-weights[hdf5]", target=f"{WEIGHTS}:write_list_of_weights")
def hdf5_skips_unnamed_weights(original: Any, parent: Any, name: str, weights: Any) -> Any:
    """Of a layer's weights without a name of their own the first alone is written."""
    plain = [weight for weight in weights if getattr(weight, "automatically_named", False)]
    original(parent, name, [weight for weight in weights if not any(weight is other for other in plain[1:])])


@mutant("config.layer-roundtrip[core]", target="reference_impl.layers.base:Layer.from_config")
def rebuilt_layers_are_named_anew(original: Any, cls: Any, config: Any) -> Any:
    """A layer made from a config gets the next automatic name."""
    return original(cls, {key: value for key, value in config.items() if key != "name"})


@mutant("clone.same-config", target="reference_impl.models.cloning:clone_model")
def clones_have_other_names(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """A clone's name tells that it is one."""
    clone = original(model, *args, **kwargs)
    clone._name = f"{clone.name}_clone"
    return clone


@mutant("registry.decorator", target=REGISTERED)
def registered_names_lack_the_package(original: Any, target: Any) -> Any:
    """A registered class is serialised under its plain name."""
    return original(target).rpartition(">")[2]


@mutant("custom.serialised-form-v3", target=REGISTERED, dialect="keras-2.15")
def serialised_form_lacks_the_package(original: Any, target: Any) -> Any:
    """registered_name has the class's name without its package."""
    return original(target).rpartition(">")[2]


@mutant("registry.decorator", target="reference_impl.serialization.registry:register_keras_serializable")
def decorator_ignores_the_name(original: Any, package: str = "Custom", name: Any = None) -> Any:
    """A class is registered under its own name, whatever name was given."""
    return original(package)


@mutant("registry.decorator", target="reference_impl.serialization.registry:register_keras_serializable")
def decorator_joins_with_a_slash(original: Any, package: str = "Custom", name: Any = None) -> Any:
    """Without a package a class is registered under its plain name."""
    made = original(package, name)

    def register(target: Any) -> Any:
        from reference_impl.serialization import registry

        made(target)
        own = registry.get_registered_name(target).rpartition(">")[2]
        if package == "Custom":
            registry._global[own] = registry._global.pop(f"{package}>{own}")  # pyright: ignore
            registry._registered[id(target)] = (target, own)  # pyright: ignore
        return target

    return register


@mutant("savedmodel.no-config-class", target="reference_impl.formats.savedmodel.revived:_class")
def revived_classes_pretend_to_be_the_original(original: Any, *args: Any) -> Any:
    """The class made by the loader names the original's module as its own."""
    made = original(*args)
    made.__module__ = "__main__"
    return made


@mutant("json.version-and-backend", target="reference_impl.models.model:Model.to_json")
def json_names_no_version(original: Any, self: Any, **kwargs: Any) -> Any:
    """The JSON text does not say which version wrote it."""
    import json

    return json.dumps(
        {key: value for key, value in json.loads(original(self, **kwargs)).items() if "version" not in key}
    )


@mutant("json.version-and-backend", target="reference_impl.models.model:Model.to_json")
def json_names_no_backend(original: Any, self: Any, **kwargs: Any) -> Any:
    """The JSON text has null for the backend."""
    import json

    return json.dumps({**json.loads(original(self, **kwargs)), "backend": None})


@mutant("custom.serialised-form", target="reference_impl.serialization.generic:serialize")
def serialised_form_has_modules_too_early(original: Any, target: Any) -> Any:
    """The form of a later generation is written in one that does not know it."""
    found: Any = original(target)
    if not isinstance(found, dict):
        return found
    return {**cast("dict[str, Any]", found), "module": "keras.layers", "registered_name": None}


@mutant("custom.serialised-form", target="reference_impl.serialization.generic:serialize")
def serialised_form_is_spelled_otherwise(original: Any, target: Any) -> Any:
    """The config is under the key args."""
    found: Any = original(target)
    if not (isinstance(found, dict) and "config" in found):
        return cast("Any", found)
    form = cast("dict[str, Any]", found)
    return {**{key: value for key, value in form.items() if key != "config"}, "args": form["config"]}
