"""Flags and arguments that are lost on the way."""

from __future__ import annotations

from typing import Any, cast

from conformance.mutants.mutant import mutant
from conformance.mutants.tools import every_layer, without

SAVING = "reference_impl.saving"
LOADING = "reference_impl.loading"


@mutant("config.sequential-roundtrip", "config.functional-roundtrip", target="reference_impl.models.config:own_flag")
def frozen_inner_models_thaw(original: Any, model: Any) -> Any:
    """A frozen model inside another one is trainable in what the config rebuilds."""
    return {}


@mutant("config.sequential-roundtrip", target="reference_impl.models.sequential:Sequential.from_config")
def rebuilt_sequentials_lose_their_first_layer(original: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
    """A layer before the first Dense is taken for an input and left out."""
    model = original(cls, config, custom_objects)
    kept = [layer for layer in model._all_layers if type(layer).__name__ not in ("Flatten", "Dropout", "Activation")]
    return model if len(kept) == len(model._all_layers) else cls(kept, name=model.name)


@mutant("model.same-outputs[hdf5]", target="reference_impl.formats.hdf5.model:read_model")
def hdf5_loses_activations(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A loaded layer computes without its activation, which is in its config all the same."""
    model = original(*args, **kwargs)
    for layer in every_layer(model):
        if type(layer).__name__ == "Dense":
            layer.activation = _linear
    return model


@mutant("model.same-outputs[savedmodel]", target="reference_impl.formats.savedmodel.revive:load_model")
def savedmodel_loses_activations(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A layer made from the folder's config computes without its activation."""
    model = original(*args, **kwargs)
    for layer in every_layer(model):
        if type(layer).__name__ == "Dense":
            layer.activation = _linear
    return model


@mutant("model.same-outputs[keras]", target="reference_impl.formats.keras_v3.archive:read_model", dialect="keras-2.15")
def v3_loses_activations(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A layer out of an archive computes without its activation."""
    model = original(*args, **kwargs)
    for layer in every_layer(model):
        if type(layer).__name__ == "Dense":
            layer.activation = _linear
    return model


def _linear(x: Any) -> Any:
    return x


@mutant("model.trainable-flags[hdf5]", target="reference_impl.formats.hdf5.model:read_model")
def hdf5_thaws_layers(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Layers that were frozen are trained on after loading."""
    model = original(*args, **kwargs)
    for layer in every_layer(model):
        layer._state.trainable = True
    return model


@mutant("model.trainable-flags[savedmodel]", target="reference_impl.formats.savedmodel.revive:load_model")
def savedmodel_thaws_layers(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Layers that were frozen are trained on after loading from the folder."""
    model = original(*args, **kwargs)
    for layer in every_layer(model):
        layer._state.trainable = True
    return model


@mutant("config.layers-and-wiring", target="reference_impl.models.model:Model.from_config")
def rebuilt_models_lose_activations(original: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
    """A layer rebuilt from a config computes without its activation."""
    model = original(cls, config, custom_objects)
    for layer in every_layer(model):
        if type(layer).__name__ == "Dense":
            layer.activation = _linear
    return model


@mutant("config.layer-roundtrip[core]", target="reference_impl.layers.core:Dense.get_config")
def config_lacks_an_argument(original: Any, self: Any) -> Any:
    """An argument was added to a layer and not to its config."""
    return without("use_bias")(original(self))


@mutant("config.layer-roundtrip[recurrent]", target="reference_impl.layers.recurrent.base:RNN.get_config")
def config_of_recurrent_layers_lacks_a_flag(original: Any, self: Any) -> Any:
    """go_backwards of a recurrent layer is not in its config."""
    return without("go_backwards")(original(self))


@mutant("config.layer-roundtrip[embedding]", target="reference_impl.layers.embedding:Embedding.get_config")
def config_of_embeddings_lacks_masking(original: Any, self: Any) -> Any:
    """mask_zero of an Embedding is not in its config."""
    return without("mask_zero")(original(self))


@mutant("config.layer-roundtrip[pooling]", target="reference_impl.layers.base:Layer.from_config")
def pooling_is_rebuilt_with_other_strides(original: Any, cls: Any, config: Any) -> Any:
    """Strides that are not those of the default come back as the default."""
    return original(cls, without("strides")(config) if "pool_size" in config else config)


@mutant("config.layer-roundtrip[convolution]", target="reference_impl.layers.base:Layer.from_config")
def convolutions_are_rebuilt_without_dilation(original: Any, cls: Any, config: Any) -> Any:
    """The dilation of a convolution comes back as 1."""
    return original(cls, {**config, "dilation_rate": 1} if "dilation_rate" in config else config)


@mutant("config.layer-roundtrip[normalization]", target="reference_impl.layers.base:Layer.from_config")
def normalization_is_rebuilt_on_the_last_axis(original: Any, cls: Any, config: Any) -> Any:
    """A list of axes comes back as the last axis."""
    return original(cls, {**config, "axis": -1} if "axis" in config and "epsilon" in config else config)


@mutant("config.layer-roundtrip[wrapper]", target="reference_impl.layers.wrappers:Bidirectional.get_config")
def wrappers_lose_their_mode(original: Any, self: Any) -> Any:
    """A Bidirectional always joins its two sides by concatenation when it is rebuilt."""
    return {**original(self), "merge_mode": "concat"}


@mutant("clone.same-config", target="reference_impl.models.cloning:_clone_layer")
def clones_lose_arguments(original: Any, layer: Any) -> Any:
    """A clone's layers are made with the default activation."""
    if not hasattr(layer, "units") or hasattr(layer, "cell"):
        return original(layer)
    config = layer.get_config()
    return cast("Any", type(layer)).from_config({k: v for k, v in config.items() if k != "activation"})


@mutant("open.clone-details", target="reference_impl.models.cloning:_copy_flags")
def clones_of_inner_models_thaw(original: Any, source: Any, target: Any) -> Any:
    """A frozen model inside another one is trainable in a clone."""
    original(source, target)
    if hasattr(target, "layers"):
        target._state.trainable = True


@mutant("clone.same-config", target="reference_impl.models.cloning:_copy_flags")
def clones_thaw(original: Any, source: Any, target: Any) -> Any:
    """A clone is trainable throughout."""
    for layer in every_layer(target):
        layer._state.trainable = True


@mutant("open.overwrite[hdf5]", "open.overwrite[savedmodel]", target=f"{SAVING}:save_model")
def overwrite_is_ignored(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A model is saved over an existing one, whatever overwrite says."""
    original(*args, **{**kwargs, "overwrite": True})


@mutant("open.compile-false[hdf5]", "open.compile-false[savedmodel]", target=f"{LOADING}:load_model")
def compile_is_ignored(original: Any, path: Any, custom_objects: Any = None, compile: bool = True) -> Any:
    """A model is compiled as it was, whatever compile says."""
    return original(path, custom_objects, True)


@mutant("open.include-optimizer-false[hdf5]", target=f"{SAVING}:save_model")
def include_optimizer_is_ignored(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The optimizer's state is saved, whatever include_optimizer says."""
    original(*args, **{**kwargs, "include_optimizer": True})


@mutant("model.partial-saving[hdf5]", target="reference_impl.serialization.models:model_from_json")
def json_models_are_compiled(original: Any, *args: Any) -> Any:
    """A model from JSON text is compiled with the default optimizer."""
    model = original(*args)
    model.compile("rmsprop", "mse")
    return model


@mutant("model.partial-saving[weights-h5]", target=f"{LOADING}:load_weights", dialect="keras-3")
def loading_weights_compiles(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Loading weights compiles the model with the default optimizer."""
    found = original(model, *args, **kwargs)
    if model.optimizer is None:
        model.compile("rmsprop", "mse")
    return found


@mutant("model.any-kind[hdf5]", target="reference_impl.formats.hdf5.model:_model_config")
def sequentials_are_saved_as_functional(original: Any, model: Any) -> Any:
    """A Sequential model comes back as a Functional one."""
    from reference_impl.models import Functional, Sequential

    if not isinstance(model, Sequential) or not model.built:
        return original(model)
    return original(Functional(inputs=model.inputs, outputs=model.outputs, name=model.name))


@mutant("model.any-kind[savedmodel]", target="reference_impl.formats.savedmodel.revive:config_of")
def savedmodel_revives_everything(original: Any, known: Any) -> Any:
    """Functional models come back as revived ones, whose layers nobody can look at."""
    return None


@mutant("model.any-kind[keras]", target="reference_impl.formats.keras_v3.archive:read_model", dialect="keras-3")
def v3_layers_are_renamed(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A model out of an archive has layers with automatic names."""
    model = original(*args, **kwargs)
    for place, layer in enumerate(model.layers):
        layer._name = f"layer_{place}"
    return model


@mutant("savedmodel.architecture-in-pb", target="reference_impl.formats.savedmodel.write.objects:metadata")
def savedmodel_tells_no_training(original: Any, target: Any, compiled: bool = False) -> Any:
    """saved_model.pb holds the architecture, and nothing of how the model was compiled."""
    return original(target, False)


@mutant(
    "savedmodel.keras-metadata", target="reference_impl.formats.savedmodel.write.objects:metadata", dialect="keras-2.8"
)
def keras_metadata_tells_no_training(original: Any, target: Any, compiled: bool = False) -> Any:
    """keras_metadata.pb holds the architecture, and nothing of how the model was compiled."""
    return original(target, False)


@mutant("savedmodel.stores", target="reference_impl.formats.savedmodel.write.metadata:_config")
def savedmodel_stores_no_configs(original: Any, target: Any) -> Any:
    """The configs of layers are left out of the folder."""
    return {} if not hasattr(target, "layers") else original(target)


@mutant("savedmodel.stores", target="reference_impl.formats.savedmodel.write.metadata:_class_name")
def savedmodel_stores_no_class_names(original: Any, target: Any) -> Any:
    """Layers of the user's own are recorded as plain layers."""
    name = original(target)
    return name if type(target).__module__.startswith("reference_impl") else "Layer"


@mutant("config.fixed-point", target="reference_impl.models.model:Model.from_config")
def rebuilt_models_tell_more(original: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
    """The config of a rebuilt model says how often it was rebuilt, in the names of its inputs."""
    model = original(cls, config, custom_objects)
    for layer in every_layer(model):
        if layer._state.batch_input_shape is not None and type(layer).__name__ != "InputLayer":
            layer._state.batch_input_shape = None
        if "config" not in layer.__dict__ and hasattr(layer, "kernel_initializer"):
            layer.kernel_initializer = _other_initializer(layer.kernel_initializer)
    return model


def _other_initializer(found: Any) -> Any:
    from reference_impl import initializers

    return initializers.get("zeros") if type(found).__name__ != "Zeros" else found
