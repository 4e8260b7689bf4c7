"""The neutral description of a model: any adapter can build it, and it prints itself as plain Keras code.

A blueprint is plain data. :class:`Sequential`, :class:`Functional` and :class:`Subclassed` are its three
kinds; every one that exists is valid, because the constructors check it. Arguments of layers are *encoded
values*: JSON, and tagged objects such as ``{"$tuple": [3, 3]}`` or ``{"$custom": "custom_activation"}`` for what
JSON cannot say.
"""

from conformance.blueprint.error import BlueprintError
from conformance.blueprint.model import (
    Blueprint,
    Call,
    Compile,
    Custom,
    Functional,
    Input,
    Layer,
    NestedModel,
    Node,
    Sequential,
    Subclassed,
    chain,
    layer,
)
from conformance.blueprint.reading import from_json
from conformance.blueprint.shapes import Shape, UnknownShapeError, output_shapes, weight_shapes
from conformance.blueprint.source import layer_source, to_source

__all__ = [
    "Blueprint",
    "BlueprintError",
    "Call",
    "Compile",
    "Custom",
    "Functional",
    "Input",
    "Layer",
    "NestedModel",
    "Node",
    "Sequential",
    "Shape",
    "Subclassed",
    "UnknownShapeError",
    "chain",
    "from_json",
    "layer",
    "layer_source",
    "output_shapes",
    "to_source",
    "weight_shapes",
]
