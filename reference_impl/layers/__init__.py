"""Keras's layers.

``BUILTIN`` is what a class name in a config can stand for; ``serialize`` and ``deserialize`` go between layers and
their config form.
"""

from __future__ import annotations

from typing import Any

from reference_impl.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from reference_impl.layers.base import Layer
from reference_impl.layers.core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Lambda,
    Permute,
    RepeatVector,
    Reshape,
)
from reference_impl.layers.embedding import Embedding
from reference_impl.layers.input_layer import Input, InputLayer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from reference_impl.layers.normalization import BatchNormalization, LayerNormalization
from reference_impl.layers.op_layer import AddLoss, AddMetric, SlicingOpLambda, TFOpLambda
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects

BUILTIN: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        Activation, ActivityRegularization, Add, AddLoss, AddMetric, Average, BatchNormalization, Concatenate, Dense,
        Dot, Dropout, ELU, Embedding, Flatten, GaussianNoise, InputLayer, Lambda, LayerNormalization, LeakyReLU,
        Maximum, Minimum, Multiply, Permute, PReLU, ReLU, RepeatVector, Reshape, SlicingOpLambda, Softmax, Subtract,
        TFOpLambda, ThresholdedReLU,
    )
}  # fmt: skip


def _with_models() -> Objects:
    from reference_impl import models

    model_classes = {"Model": models.Model, "Functional": models.Functional, "Sequential": models.Sequential}
    return {
        **BUILTIN,
        **model_classes,
        "BatchNormalizationV2": BatchNormalization,
        "BatchNormalizationV1": BatchNormalization,
    }


KIND = generic.Kind("layer", _with_models)


def serialize(layer: Any) -> Any:
    """``{"class_name", "config"}``; a registered class is named ``package>name``."""
    return generic.serialize(layer)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """The layer or model of a config form; :class:`~reference_impl.LoadError` ("Unknown layer: NAME") if unknown."""
    return generic.deserialize(KIND, config, custom_objects)


__all__ = [
    "BUILTIN", "ELU", "KIND", "Activation", "ActivityRegularization", "Add", "AddLoss", "AddMetric", "Average",
    "BatchNormalization", "Concatenate", "Dense", "Dot", "Dropout", "Embedding", "Flatten", "GaussianNoise", "Input",
    "InputLayer", "InputSpec", "Lambda", "Layer", "LayerNormalization", "LeakyReLU", "Maximum", "Minimum", "Multiply",
    "PReLU", "Permute", "ReLU", "RepeatVector", "Reshape", "Softmax", "Subtract", "TFOpLambda", "ThresholdedReLU",
    "add", "average", "concatenate", "deserialize", "dot", "maximum", "minimum", "multiply", "serialize", "subtract",
]  # fmt: skip
