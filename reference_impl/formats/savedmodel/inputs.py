"""What a layer is to be called with to make its weights: the inputs that the saved one had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reference_impl import structure
from reference_impl.dtypes import as_dtype
from reference_impl.formats.savedmodel import functions
from reference_impl.formats.savedmodel.metadata import TypeSpec
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.formats.savedmodel.structured import TensorSpec
from reference_impl.shapes import as_shape
from reference_impl.tensors import symbolic


def specs_of(stored: Stored, number: int, known: Mapping[str, Any]) -> Any:
    """The specs of the first argument of the layer ``number``; None if nothing tells what it was, or no tensor.

    Functions tell best: they were traced for any size of the batch.
    """
    found = functions.first_argument(stored, number)
    if found is None and known.get("save_spec") is not None:
        found = _specs(known["save_spec"])
    shape = known.get("build_input_shape")
    if found is None and shape is not None:
        found = _shapes(shape, str(known.get("dtype") or "float32"))
    if found is None or not all(_is_known(leaf) for leaf in structure.flatten(found)):
        return None
    return found


def inputs_of(stored: Stored, number: int, known: Mapping[str, Any]) -> Any:
    """Symbolic tensors of these specs."""
    specs = specs_of(stored, number, known)
    return None if specs is None else structure.map_leaves(lambda spec: symbolic(spec.shape, spec.dtype), specs)


def _specs(spec: Any) -> Any:
    """The inputs as the metadata of Keras tells them; what is no tensor stays a TypeSpec."""

    def told(leaf: Any) -> Any:
        if isinstance(leaf, TypeSpec) and leaf.name.removeprefix("tf.") == "TensorSpec":
            shape, dtype = leaf.parts[:2]
            return TensorSpec(shape, as_dtype(dtype))
        return leaf

    return structure.map_leaves(told, spec)


def _is_known(spec: Any) -> bool:
    return isinstance(spec, TensorSpec) and spec.shape is not None


def _shapes(shape: Any, dtype: str) -> Any:
    """The inputs of a layer that is known by the shapes of its inputs alone: one, or a list or dict of them."""
    if isinstance(shape, tuple | list) and all(size is None or isinstance(size, int) for size in cast("Any", shape)):
        return TensorSpec(as_shape(shape), as_dtype(dtype))
    if isinstance(shape, Mapping):
        return {key: _shapes(item, dtype) for key, item in cast("Mapping[str, Any]", shape).items()}
    return [_shapes(item, dtype) for item in cast("list[Any]", shape)]
