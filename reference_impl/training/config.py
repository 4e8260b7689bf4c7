"""Compile information as a config, in the form TensorFlow 2.4 writes into HDF5 files.

``{"loss", "metrics", "weighted_metrics", "loss_weights", "optimizer_config"}``: losses and metrics in the structure
the user gave; in it names stay names, functions become names, objects ``{"class_name", "config"}``.

TensorFlow 2.4 writes the metrics of a *trained* model as objects named with their output (``o1_mae``), and loading
prefixes them again (``o1_o1_mae``). Here the user's own form is written always, and the prefix is taken off on reading.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reference_impl import losses, metrics, optimizers, structure
from reference_impl.errors import LoadError
from reference_impl.layers.op_layer import AddLoss, AddMetric
from reference_impl.serialization import generic
from reference_impl.serialization.registry import CustomObjectScope, Objects
from reference_impl.training.compiled import is_serialised
from reference_impl.training.trainer import Trainer

_ADDED: dict[type, str] = {AddLoss: "a loss added with add_loss", AddMetric: "a metric added with add_metric"}


def training_config(model: Trainer) -> dict[str, Any]:
    """The config of a compiled model; ``ValueError`` if it is not compiled."""
    compiled = model._compiled
    if compiled is None:
        raise ValueError(f"model {model.name!r} is not compiled; it has no training configuration")
    return {
        "loss": _serialised(compiled.loss.given),
        "metrics": _serialised(compiled.metrics.given),
        "weighted_metrics": _serialised(compiled.metrics.given_weighted),
        "loss_weights": compiled.loss.given_weights,
        "optimizer_config": optimizers.serialize(model.optimizer),
    }


def compile_from_config(model: Trainer, config: Mapping[str, Any], custom_objects: Objects | None = None) -> None:
    """Compile ``model`` as ``config`` says; ``LoadError`` names what is missing or unknown."""
    if "optimizer_config" not in config:
        raise LoadError(
            f"the training configuration of {model.name!r} has no 'optimizer_config'; keys: {sorted(config)}"
        )
    with CustomObjectScope(custom_objects):
        model.compile(
            optimizer=optimizers.deserialize(config["optimizer_config"]),
            loss=_deserialised(losses.deserialize, config.get("loss")),
            metrics=_unprefixed(_deserialised(metrics.deserialize, config.get("metrics")), model.output_names),
            weighted_metrics=_unprefixed(
                _deserialised(metrics.deserialize, config.get("weighted_metrics")), model.output_names
            ),
            loss_weights=config.get("loss_weights"),
        )


def external_callables(model: Trainer) -> list[str]:
    """What HDF5 and JSON cannot hold, described.

    That is each function given to ``add_loss``; and symbolic losses and metrics added to a Sequential model, whose
    config is its list of layers alone.
    """
    lost: list[str] = []
    for layer in model._flatten_layers():
        lost += [f"a loss given to add_loss of {layer.name!r}" for p in layer._state.penalties if p.external]
        graph: Any = layer.__dict__.get("_graph")
        if graph is not None and "_chain" in layer.__dict__:
            added = [inner for inner in graph.layers if all(inner is not listed for listed in layer._all_layers)]
            lost += [f"{_ADDED[type(inner)]} of {layer.name!r}" for inner in added if type(inner) in _ADDED]
    return lost


def _serialised(given: Any) -> Any:
    def leaf(value: Any) -> Any:
        if value is None or isinstance(value, str) or is_serialised(value):
            return value
        return generic.serialize(value() if isinstance(value, type) else value)

    return given if is_serialised(given) else structure.map_leaves(leaf, given)


def _deserialised(deserialize: Any, given: Any) -> Any:
    """The same structure with objects for serialised ones and functions of the user's own for their names."""
    if is_serialised(given):
        return deserialize(given)
    if isinstance(given, Mapping):
        return {key: _deserialised(deserialize, item) for key, item in cast("Mapping[str, Any]", given).items()}
    if isinstance(given, list | tuple):
        return [_deserialised(deserialize, item) for item in cast("list[Any]", given)]
    if isinstance(given, str) and given.lower() not in ("accuracy", "acc", "crossentropy", "ce"):
        # Unknown names are refused now. Known ones stay names, which are the names metrics are reported under.
        found = deserialize(given)
        return found if getattr(found, "__name__", given) == given and _is_custom(deserialize, found) else given
    return given


def _is_custom(deserialize: Any, found: Any) -> bool:
    builtin = losses.BUILTIN if deserialize is losses.deserialize else metrics.BUILTIN
    return not any(found is known for known in builtin.values())


def _unprefixed(found: Any, output_names: list[str]) -> Any:
    """Metric objects without the output's name before their own."""
    if isinstance(found, list) and len(output_names) > 1:
        listed = cast("list[Any]", found)
        if len(listed) == len(output_names) and all(isinstance(item, list) for item in listed):
            for name, items in zip(output_names, listed, strict=True):
                for metric in items:
                    if isinstance(metric, metrics.Metric):
                        metric.name = metric.name.removeprefix(f"{name}_")
    return cast("Any", found)
