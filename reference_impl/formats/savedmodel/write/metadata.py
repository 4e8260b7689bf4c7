"""What Keras keeps of each of its objects: JSON texts from which it makes them anew.

::

    every layer   class_name, name, trainable, expects_training_arg, dtype, batch_input_shape, stateful,
                  must_restore_from_config; config, if it has one; input_spec, build_input_shape
    model         the same; is_graph_network, keras_version, backend, model_config, training_config, save_spec
    input layer   class_name, name, dtype, sparse, ragged, batch_input_shape, config
    metric        class_name, name, dtype, config

JSON has no tuples and no shapes, so these are objects: ``{"class_name": "__tuple__", "items": […]}``,
``{"class_name": "TensorShape", "items": […]}``, ``{"class_name": "TypeSpec", "type_spec": …, "serialized": …}``.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any, cast

from reference_impl import dialects, layers, mixed_precision, structure
from reference_impl.formats import optimizers
from reference_impl.formats.savedmodel.metadata import WITHOUT_CONFIG
from reference_impl.layers.base import Layer
from reference_impl.layers.input_layer import InputLayer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.layers.preprocessing.base import PreprocessingLayer
from reference_impl.layers.recurrent.base import RNN
from reference_impl.metrics import Metric
from reference_impl.models import Model, Sequential
from reference_impl.models.config import graph_config, own_flag
from reference_impl.models.functional import Functional
from reference_impl.serialization import generic, jsonable, registry
from reference_impl.shapes import TensorShape

_LATEST = "keras-2.15"  # that wrote SavedModels

IDENTIFIERS: tuple[tuple[type, str], ...] = (
    (InputLayer, "_tf_keras_input_layer"),
    (Sequential, "_tf_keras_sequential"),
    (Functional, "_tf_keras_network"),
    (Model, "_tf_keras_model"),
    (RNN, "_tf_keras_rnn_layer"),
    (Layer, "_tf_keras_layer"),
    (Metric, "_tf_keras_metric"),
)
"""What Keras calls its kinds of objects; the first that fits."""


def identifier(target: Any) -> str | None:
    """The kind of ``target``; None if it is no object of Keras's."""
    if isinstance(target, Model) and not isinstance(target, Sequential) and target._graph is not None:
        return "_tf_keras_network"
    return next((name for kind, name in IDENTIFIERS if isinstance(target, kind)), None)


def metadata(target: Any, compiled: bool = False) -> str:
    """The JSON text for ``target``. ``compiled``: with how it was compiled, of a model.

    ``TypeError`` for a config that JSON cannot hold, with the place.
    """
    place = f"the config of {target.name!r}"
    if isinstance(target, Metric):
        told: dict[str, Any] = {"class_name": _class_name(target), "name": target.name, "dtype": target.dtype}
        return json.dumps(encode({**told, **_config(target)}, place))
    if isinstance(target, InputLayer):
        return json.dumps(encode(_input_layer(target), place))
    told = _layer(target)
    if isinstance(target, Model):
        told.update(_model(target, told.get("config"), compiled))
    return json.dumps(encode(told, place))


def encode(value: Any, place: str) -> Any:
    """``value`` in terms of JSON; ``TypeError`` names the ``place``."""
    if isinstance(value, TensorShape):
        return {"class_name": "TensorShape", "items": list(value)}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [encode(item, place) for item in cast("tuple[Any, ...]", value)]}
    if isinstance(value, list):
        return [encode(item, place) for item in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {str(key) if isinstance(key, int) else key: encode(item, place) for key, item in items}
    if value is ...:
        return {"class_name": "__ellipsis__"}
    if hasattr(value, "get_config") and not inspect.isclass(value):
        return encode(generic.without_modules(generic.serialize(value)), place)
    return jsonable.encode(value, place)


def spec(tensor: Any, name: str) -> dict[str, Any]:
    """The description of an input, as Keras 2.5 and later have it."""
    return {
        "class_name": "TypeSpec",
        "type_spec": "tf.TensorSpec",
        "serialized": [TensorShape(tensor.shape), tensor.dtype.name, name],
    }


def expects_training(layer: Layer) -> bool:
    """Whether ``call`` takes ``training``."""
    return "training" in inspect.signature(layer.call).parameters


def _layer(layer: Layer) -> dict[str, Any]:
    told: dict[str, Any] = {
        "class_name": _class_name(layer),
        "name": layer.name,
        "trainable": layer.trainable,
        "expects_training_arg": expects_training(layer),
        "dtype": mixed_precision.serialize(layer.dtype_policy),
        "batch_input_shape": layer._state.batch_input_shape,
    }
    if not isinstance(layer, Model):
        told["stateful"] = layer.stateful
    told["must_restore_from_config"] = must_restore_from_config(layer)
    told.update(_config(layer))
    if layer.input_spec is not None:
        told["input_spec"] = structure.map_leaves(_input_spec, layer.input_spec)
    regularizer = layer.activity_regularizer
    if regularizer is not None and hasattr(regularizer, "get_config"):
        told["activity_regularizer"] = generic.without_modules(generic.serialize(regularizer))
    shape = layer._state.build_input_shape
    if shape is None and isinstance(layer, Model) and layer._graph is not None:
        shape = structure.map_leaves(lambda tensor: tensor.shape, layer._graph.input_structure)
    if shape is not None:
        told["build_input_shape"] = shapes(shape)
    return told


def must_restore_from_config(layer: Layer) -> bool:
    """Whether ``layer`` is nothing without its class: what it keeps in a table is no weight."""
    return isinstance(layer, PreprocessingLayer) and bool(getattr(layer, "holds_table", False))


def shapes(value: Any) -> Any:
    """``value``, a shape or a structure of them, with every shape a ``TensorShape``."""
    if isinstance(value, TensorShape) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: shapes(item) for key, item in cast("Mapping[str, Any]", value).items()}
    items = list(cast("list[Any]", value))
    if all(item is None or isinstance(item, int) for item in items):
        return TensorShape(items)
    return [shapes(item) for item in items]


def _input_spec(given: Any) -> Any:
    if not isinstance(given, InputSpec):
        return None
    config = {"dtype": None, "shape": None, "ndim": given.ndim, "max_ndim": given.max_ndim, "min_ndim": given.min_ndim}
    axes = {str(axis): size for axis, size in given.axes.items()}
    return {"class_name": "InputSpec", "config": {**config, "axes": axes}}


def _input_layer(layer: InputLayer) -> dict[str, Any]:
    config = layer.get_config()
    told: dict[str, Any] = {"class_name": "InputLayer", "name": layer.name}
    for key in ("dtype", "sparse", "ragged", "batch_input_shape"):
        told[key] = config[key]
    told["batch_input_shape"] = tuple(told["batch_input_shape"])
    return {**told, "config": {**config, "batch_input_shape": told["batch_input_shape"]}}


def _model(model: Model, config: Any, compiled: bool) -> dict[str, Any]:
    is_graph = model._graph is not None or isinstance(model, Sequential)
    told: dict[str, Any] = {
        "is_graph_network": is_graph,
        "keras_version": dialects.VERSIONS[min(dialects.current(), _LATEST, key=dialects.SUPPORTED.index)],
        "backend": "tensorflow",
    }
    if model._graph is not None:
        names = model._graph.input_names
        entrances = zip(model._graph.inputs, names, strict=True)
        told["save_spec"] = structure.pack_as(model._graph.input_structure, [spec(t, name) for t, name in entrances])
    told["model_config"] = {"class_name": _class_name(model), "config": config}
    if compiled and model._compiled is not None:
        from reference_impl.training.config import training_config

        training = generic.without_modules(training_config(model))
        training["optimizer_config"] = optimizers.told(training["optimizer_config"], model.optimizer)
        told["training_config"] = training
    return told


WITHHELD: Mapping[str, tuple[str, ...]] = {"keras-2.4": ("MultiHeadAttention",)}
"""Classes whose config TensorFlow must not see, by dialect: what 2.4 makes of the config of a MultiHeadAttention makes all its
weights anew when it is called, so those that were loaded are lost. Without config it runs the stored functions."""


def _config(target: Any) -> dict[str, Any]:
    try:
        config = target.get_config()
    except NotImplementedError:
        config = _config_of_parts(target)
        if config is None:
            return {}
    withheld = type(target).__name__ in WITHHELD.get(dialects.current(), ())
    config.update({key: shape for key, shape in _shapes_of_parts(target).items() if key in config})
    return {"withheld_config" if withheld else "config": generic.without_modules(config)}


def _config_of_parts(target: Any) -> dict[str, Any] | None:
    """How a model's layers are connected, though one of them has no config; None of what is no model of layers."""
    if isinstance(target, Sequential):
        return {"name": target.name, "layers": [_form(layer) for layer in target._all_layers], **own_flag(target)}
    if isinstance(target, Model) and target._graph is not None:
        return {**graph_config(target._graph, target.name, _form), **own_flag(target)}
    return None


def _form(layer: Layer) -> dict[str, Any]:
    try:
        return layers.serialize(layer)
    except NotImplementedError:
        return {"class_name": _class_name(layer), "config": _config_of_parts(layer) or {WITHOUT_CONFIG: True}}


_PARTS = {"query_shape": "_query_dense", "value_shape": "_value_dense", "key_shape": "_key_dense"}
"""Where a MultiHeadAttention keeps the shapes of its inputs, from which later generations make its weights at once."""


def _shapes_of_parts(target: Any) -> dict[str, Any]:
    if type(target).__name__ != "MultiHeadAttention":
        return {}
    parts = {key: getattr(target, name, None) for key, name in _PARTS.items()}
    return {key: shapes(part._state.build_input_shape) for key, part in parts.items() if part is not None}


def _class_name(target: Any) -> str:
    return registry.get_registered_name(type(target))
