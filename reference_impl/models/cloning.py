"""Models made anew from models in memory."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from reference_impl.layers.base import Layer
from reference_impl.models.config import graph_config, graph_from_config
from reference_impl.models.functional import Functional
from reference_impl.models.model import Model
from reference_impl.models.sequential import Sequential


def clone_model(model: Model, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None) -> Any:
    """A model of the same layers, names and ``trainable`` flags, with fresh weights, not compiled.

    ``clone_function`` gives the new layer for each old one but the InputLayers; the default goes through the layer's
    config. Functions of the user's own must be known (a scope) unless the layer holds no name of one.
    A subclassed model needs a config of its own; ``ValueError`` if it has none.
    """
    if input_tensors is not None:
        raise ValueError("clone_model: input_tensors are not supported; clone, then call the clone on them")
    return _cloned(model, clone_function or _Copies())


def _cloned(model: Model, clone: Callable[[Layer], Layer]) -> Any:
    if isinstance(model, Sequential):
        copies: Any = [
            _clone_layer(layer) if not isinstance(layer, Model) and _is_input(layer) else clone(layer)
            for layer in model._all_layers
        ]
        result = Sequential(copies, name=model.name)
    elif model._graph is not None:
        _check_all_in_graph(model)
        result = _clone_graph(model, clone)
    else:
        if type(model).get_config is Model.get_config:
            raise ValueError(
                f"Expected `model` argument to be a Sequential or Functional model, but got a subclassed model "
                f"({type(model).__name__}) without get_config; define it"
            )
        result = type(model).from_config(model.get_config())
    _copy_flags(model, result)
    return result


def _clone_graph(model: Model, clone: Callable[[Layer], Layer]) -> Model:
    assert model._graph is not None
    originals = {layer.name: layer for layer in model._graph.layers}

    def make(entry: Mapping[str, Any]) -> Layer:
        layer = originals[entry["name"]]
        return _clone_layer(layer) if _is_input(layer) else clone(layer)

    config = graph_config(model._graph, model.name, form_of=lambda layer: {})
    inputs, outputs, ancillary = graph_from_config(config, make)
    result = Functional(inputs=inputs, outputs=outputs, name=model.name)
    if ancillary and result._graph is not None:
        result._graph.extend(ancillary)
    return result


def _is_input(layer: Layer) -> bool:
    from reference_impl.layers.input_layer import InputLayer

    return isinstance(layer, InputLayer)


def _check_all_in_graph(model: Model) -> None:
    """``ValueError`` if ``model`` holds weights that its graph does not know of, and the clone would not have."""
    assert model._graph is not None
    in_graph = {id(weight) for layer in model._graph.layers for weight in layer.weights}
    beside = [weight.name for weight in model.weights if id(weight) not in in_graph]
    if beside:
        raise ValueError(
            f"clone_model: {model.name!r} ({type(model).__name__}) has weights beside its graph: {', '.join(beside[:8])}; "
            "the clone would be a plain model of the graph without them; make another instance of the class instead"
        )


def _clone_layer(layer: Layer) -> Any:
    return type(layer).from_config(layer.get_config())


class _Copies:
    """One clone for each layer, also of a layer that a nested model shares with the model around it."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Layer, Any]] = {}

    def __call__(self, layer: Layer) -> Any:
        if id(layer) not in self._made:
            is_graph = isinstance(layer, Model) and (layer._graph is not None or isinstance(layer, Sequential))
            made: Any = _cloned(cast("Model", layer), self) if is_graph else _clone_layer(layer)
            self._made[id(layer)] = (layer, made)
        return self._made[id(layer)][1]


def _copy_flags(source: Layer, target: Layer) -> None:
    """Give the layers inside ``target`` the flags of those inside ``source``, where the two agree in structure."""
    target._state.trainable = source._state.trainable
    for old, new in zip(source._children(), target._children(), strict=False):
        if isinstance(old, Layer) and isinstance(new, Layer):
            _copy_flags(old, new)
