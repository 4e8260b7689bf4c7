"""What is kept where it should be asked anew, shared where it should be copied, or fresh where it should be shared."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from conformance.mutants.mutant import mutant
from conformance.mutants.tools import every_layer

OWNER = "reference_impl.layers.owner:Owner"
MODEL = "reference_impl.models.model:Model"


@mutant(
    "hdf5-weights.same-architecture[hdf5]",
    target=("reference_impl.loading:load_weights", "reference_impl.training.trainer:Trainer.predict"),
)
def predictions_with_the_weights_of_before(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """The function behind predict() keeps the weights that the model had before load_weights()."""
    if original.__name__ == "load_weights":
        if model.built:
            model.__dict__["_before"] = model.get_weights()
        return original(model, *args, **kwargs)
    before = model.__dict__.get("_before")
    if before is None:
        return original(model, *args, **kwargs)
    now = model.get_weights()
    model.set_weights(before)
    try:
        return original(model, *args, **kwargs)
    finally:
        model.set_weights(now)


@mutant("hdf5-weights.transfer", target="reference_impl.models.sequential:Sequential._append")
def layers_in_a_second_model_are_copied(original: Any, self: Any, layer: Any, names: Any) -> Any:
    """A layer that is taken into another model is a copy there, with the same values and variables of its own."""
    used = getattr(layer, "inbound_nodes", None) and getattr(layer, "weights", None)
    if not used or not hasattr(layer, "kernel"):
        return original(self, layer, names)
    copied: Any = cast("Any", type(layer)).from_config(layer.get_config())
    copied.build(layer._state.build_input_shape)
    copied._state.built = True
    copied.set_weights(layer.get_weights())
    return original(self, copied, names)


@mutant("checkpoint.part-model", target=f"{MODEL}._set_graph")
def part_models_have_copies(original: Any, self: Any, graph: Any) -> Any:
    """A model over inner tensors of another one has layers of its own, with the values of that moment."""
    from reference_impl.models.config import graph_config, graph_from_config
    from reference_impl.models.graph import Graph

    layers = [layer for layer in graph.layers if layer.weights]
    if type(self).__name__ == "Functional" and any("_in_a_model" in layer.__dict__ for layer in layers):
        inputs, outputs, _ = graph_from_config(graph_config(graph, "copy"))
        copied = Graph(inputs, outputs)
        for old, new in zip(graph.layers, copied.layers, strict=True):
            new.set_weights(old.get_weights())
        graph = copied
    for layer in layers:
        layer.__dict__["_in_a_model"] = True
    original(self, graph)


@mutant("config.from-config-pure[core]", target="reference_impl.layers.core:Dense.get_config")
def one_config_for_all(original: Any, self: Any) -> Any:
    """A layer hands out the same dict each time, so that whoever changes it changes the layer."""
    if "_config" not in self.__dict__:
        self.__dict__["_config"] = original(self)
    return self.__dict__["_config"]


@mutant("config.from-config-pure[core]", target="reference_impl.layers.base:Layer.from_config")
def from_config_takes_from_its_argument(original: Any, cls: Any, config: Any) -> Any:
    """from_config() pops what it uses from the dict that it is given."""
    made = original(cls, dict(config))
    config.pop("name", None)
    return made


@mutant("config.from-config-pure[convolution]", target="reference_impl.layers.convolution:Convolution.get_config")
def config_holds_the_layers_own_lists(original: Any, self: Any) -> Any:
    """The lists in a config are those of the layer."""
    kept = self.__dict__.setdefault("_kernel_size", list(self.kernel_size))
    return {**original(self), "kernel_size": kept}


@mutant("open.from-config-pure", target="reference_impl.models.sequential:Sequential.from_config")
def from_config_of_a_model_takes_from_its_argument(
    original: Any, cls: Any, config: Any, custom_objects: Any = None
) -> Any:
    """from_config() of a model empties the list of layers that it is given."""
    model = original(cls, config, custom_objects)
    if isinstance(config, dict):
        config.pop("name", None)  # pyright: ignore
    return model


@mutant("config.fresh", target=(f"{MODEL}.get_config", f"{MODEL}.from_config"))
def configs_bring_the_weights_along(original: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    """A model rebuilt from a config in the same process has the weights of the one the config came from."""
    if original.__name__ == "get_config":
        found = original(target)
        _WEIGHTS[str(found.get("name"))] = target.get_weights() if target.built else []
        return found
    made = original(target, *args, **kwargs)
    kept = _WEIGHTS.get(made.name, [])
    if made.built and [a.shape for a in kept] == [a.shape for a in made.get_weights()]:
        made.set_weights(kept)
    return made


_WEIGHTS: dict[str, list[Any]] = {}


@mutant("config.fresh", target="reference_impl.serialization.models:model_from_json")
def json_models_share_one_initial_value(original: Any, *args: Any) -> Any:
    """A model from JSON text is compiled as models of its name were."""
    model = original(*args)
    model.compile("sgd", "mse")
    return model


@mutant("config.from-config-contract", target=f"{MODEL}.from_config")
def from_config_ignores_the_config(original: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
    """The default from_config() of a subclass makes it with the arguments of its default."""
    import inspect

    if "layers" in config:
        return original(cls, config, custom_objects)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    needed = {p.name: config[p.name] for p in parameters if p.default is p.empty and p.name in config}
    return cls(**{**needed, **({"scale": 2} if "scale" in config else {})})


@mutant("config.from-config-contract", target="reference_impl.layers.base:Layer.from_config")
def from_config_gives_the_same_layer(original: Any, cls: Any, config: Any) -> Any:
    """from_config() with a config that was seen before gives the layer that was made then."""
    key = (cls, repr(config))
    if key not in _LAYERS or cls.__module__.startswith("reference_impl"):
        _LAYERS[key] = original(cls, config)
    return _LAYERS[key]


_LAYERS: dict[Any, Any] = {}


@mutant("clone.no-weights-no-compile", target="reference_impl.models.cloning:clone_model")
def clones_are_compiled(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """A clone has the optimizer of the original."""
    clone = original(model, *args, **kwargs)
    if model.optimizer is not None:
        clone.optimizer = model.optimizer
        clone.__dict__["_compiled"] = model._compiled
    return clone


@mutant("clone.no-weights-no-compile", target="reference_impl.models.cloning:clone_model")
def clones_have_the_weights(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """A clone has the weights of the original."""
    clone = original(model, *args, **kwargs)
    if clone.built and model.built:
        clone.set_weights(model.get_weights())
    return clone


@mutant(
    "custom.config-tracks-state",
    target=("reference_impl.variables:Variable.__init__", "reference_impl.variables:Variable.numpy"),
)
def variables_remember_their_first_value(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """numpy() of a variable gives the value that it had when it was made."""
    if original.__name__ == "numpy":
        return self.__dict__.get("_at_first", original(self))
    original(self, *args, **kwargs)
    if kwargs.get("name") == "var_a":
        self.__dict__["_at_first"] = original.__get__(self) and np.array(self.array)[()]
    return None


@mutant("open.copy", target=f"{OWNER}.get_weights")
def get_weights_gives_views(original: Any, self: Any) -> Any:
    """The arrays of get_weights() are the memory of the weights."""
    return [variable.array for variable in self.weights]


@mutant("open.copy", target="reference_impl.layers.owner:set_values")
def set_weights_keeps_the_arrays(original: Any, owner: str, variables: Any, values: Any) -> Any:
    """set_weights() makes the given arrays the memory of the weights."""
    original(owner, variables, values)
    for variable, value in zip(variables, values, strict=True):
        if isinstance(value, np.ndarray) and cast("Any", value).dtype == variable.array.dtype:
            variable._take(value)


@mutant("weights.stateless", target=(f"{OWNER}.get_weights", f"{OWNER}.set_weights"))
def layers_without_weights_take_a_place(original: Any, self: Any, *args: Any) -> Any:
    """A model's list of weights has an empty array for each layer that has none."""
    layers = [layer for layer in getattr(self, "layers", ()) if type(layer).__name__ != "InputLayer"]
    empty = sum(not getattr(layer, "weights", True) for layer in layers if getattr(layer, "built", False))
    if original.__name__ == "get_weights":
        return original(self) + [np.zeros(0, np.float32)] * empty
    (weights,) = args
    weights = list(weights)
    if empty and [np.shape(array) for array in weights[-empty:]] != [(0,)] * empty:
        raise ValueError(f"expected {len(self.weights) + empty} weights, found {len(weights)}")
    return original(self, weights[: len(weights) - empty])


@mutant("weights.layer-transfer", target=f"{OWNER}.set_weights")
def set_weights_leaves_the_last(original: Any, self: Any, weights: Any) -> Any:
    """The last of the weights keeps its value."""
    kept = self.get_weights()
    original(self, weights)
    if len(kept) > 1 and not hasattr(self, "layers"):
        original(self, [*list(weights)[:-1], kept[-1]])


@mutant(
    "open.revived-resave",
    target=(
        "reference_impl.formats.savedmodel.revived:make",
        "reference_impl.formats.savedmodel.write.folder:write_model",
    ),
)
def revived_models_are_saved_as_they_came(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A revived model that is saved again has the weights with which it was loaded."""
    if original.__name__ == "make":
        made = original(*args, **kwargs)
        made.__dict__["_as_it_came"] = [np.array(variable.array) for variable in made.weights]
        return made
    _, model, *_ = args
    came = model.__dict__.get("_as_it_came")
    if came is None:
        return original(*args, **kwargs)
    now = model.get_weights()
    model.set_weights(came)
    try:
        return original(*args, **kwargs)
    finally:
        model.set_weights(now)


@mutant("savedmodel.computation-updatable", target="reference_impl.formats.savedmodel.revive:Revival._configured")
def stored_functions_run_though_the_class_is_there(original: Any, self: Any, number: int, known: Any) -> Any:
    """A layer of a registered class computes what was stored, and not what its class computes now."""
    from reference_impl.formats.savedmodel import revived

    made = original(self, number, known)
    if type(made).__module__.startswith("reference_impl") or made.weights:
        return made
    functions = revived._functions(self.stored, number)  # pyright: ignore
    if "__call__" in functions:
        function = self.get(functions["__call__"])
        made.__dict__["call"] = lambda inputs, *_args, **_kwargs: function(inputs)  # pyright: ignore
    return made


@mutant("savedmodel.config-preferred", target="reference_impl.formats.savedmodel.revive:Revival._configured")
def registered_classes_are_not_used(original: Any, self: Any, number: int, known: Any) -> Any:
    """A layer is revived from its functions although its class is registered."""
    from reference_impl.errors import UnknownObjectError
    from reference_impl.serialization import registry

    name = str(known.get("class_name"))
    if registry.lookup(name, {}) is not None:
        raise UnknownObjectError(f"Unknown layer: {name}")
    return original(self, number, known)


@mutant("savedmodel.graph-only", target="reference_impl.formats.savedmodel.functions:ConcreteFunction.run")
def graphs_give_their_first_output(original: Any, self: Any, tensors: Any) -> Any:
    """Of several outputs the graph gives the first, several times."""
    found: Any = original(self, tensors)
    if not isinstance(found, list | tuple):
        return found
    outputs = cast("list[Any]", found)
    if len(outputs) < 2 or not all(hasattr(output, "shape") for output in outputs):
        return outputs
    return type(outputs)([outputs[0]] * len(outputs))


@mutant("savedmodel.graph-only", target="reference_impl.formats.savedmodel.graph_only:load")
def graphs_have_fresh_variables(original: Any, path: Any, tags: Any = None) -> Any:
    """The variables of a loaded graph are zero: they were made, and not restored."""
    root = original(path, tags)
    for variable in root.trainable_variables:
        variable.assign(np.zeros_like(variable.array))
    return root


@mutant("savedmodel.graph-only-not-keras", target="reference_impl.formats.savedmodel.graph_only:load")
def graphs_are_keras_models(original: Any, path: Any, tags: Any = None) -> Any:
    """What the graph loader gives has predict() and fit(), which do nothing."""
    root = original(path, tags)
    for name in ("predict", "fit"):
        root.__dict__[name] = lambda *_args, **_kwargs: None  # pyright: ignore
    return root


@mutant("savedmodel.graph-only-rescue", target="reference_impl.formats.savedmodel.graph_only:load")
def graphs_need_the_custom_objects(original: Any, path: Any, tags: Any = None) -> Any:
    """Loading the graph alone makes the compiled model too, and fails for want of its loss."""
    from reference_impl.errors import LoadError
    from reference_impl.formats.savedmodel import revive

    try:
        revive.load_model(path)
    except LoadError as error:
        if "loss" in str(error):
            raise
    return original(path, tags)


@mutant("model.save-pure[hdf5]", "model.save-pure[savedmodel]", target="reference_impl.saving:save_model")
def saving_ends_the_training(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """After saving, the optimizer of the live model counts from 0 again."""
    original(model, *args, **kwargs)
    if model.optimizer is not None:
        model.optimizer.iterations.assign(np.int64(0))


@mutant("model.save-pure[hdf5]", target="reference_impl.formats.hdf5.model:write_model")
def saving_rounds_the_live_weights(original: Any, open_file: Any, model: Any, *args: Any) -> Any:
    """Saving converts the weights in place to what the file holds."""
    from conformance.mutants.tools import coarse

    original(open_file, model, *args)
    for variable in model.weights if model.built else ():
        variable.assign(coarse(variable.array))


@mutant("model.save-pure[keras]", target="reference_impl.formats.keras_v3.archive:write_model", dialect="keras-2.15")
def saving_thaws_the_live_model(original: Any, path: Any, model: Any, *args: Any) -> Any:
    """Saving walks through the live model and leaves its layers trainable."""
    original(path, model, *args)
    for layer in every_layer(model):
        layer._state.trainable = True
