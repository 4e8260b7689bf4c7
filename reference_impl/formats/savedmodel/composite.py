"""Tensors of several parts: what functions of a SavedModel take and give that is no plain tensor.

A spec of one stands for several tensors among those of the function, in this order:

======================  ===================================================================================
``SparseTensorSpec``    indices (int64, [n, rank]), values ([n]), dense_shape (int64, [rank])
``RaggedTensorSpec``    flat_values, then where the rows begin and end: the innermost axis first
======================  ===================================================================================

Whatever has the parts as attributes (as TensorFlow's own objects have) can be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from reference_impl.dtypes import DType
from reference_impl.formats.savedmodel.structured import TensorSpec, TypeSpec
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor


@dataclass(frozen=True, eq=False)
class SparseTensor:
    """``values`` at the places ``indices`` (int64, [n, rank]) of a tensor of ``dense_shape`` that is zero elsewhere."""

    indices: Tensor
    values: Tensor
    dense_shape: Tensor


@dataclass(frozen=True, eq=False)
class RaggedTensor:
    """Rows of any length: ``flat_values`` one after the other, ``nested_row_splits`` where they begin, outermost axis first."""

    flat_values: Tensor
    nested_row_splits: tuple[Tensor, ...]


def specs_of(spec: TypeSpec) -> list[TensorSpec] | None:
    """The specs of the parts; None for a kind that is not known here."""
    told: Any = spec.state
    state = cast("Sequence[Any]", told) if isinstance(told, tuple | list) else ()
    name = spec.name.rpartition(".")[2]
    if name == "SparseTensorSpec" and len(state) == 2:
        rank = None if state[0] is None else len(state[0])
        int64 = DType("int64")
        return [
            TensorSpec(TensorShape([None, rank]), int64, "indices"),
            TensorSpec(TensorShape([None]), state[1], "values"),
            TensorSpec(TensorShape([rank]), int64, "dense_shape"),
        ]
    if name == "RaggedTensorSpec" and len(state) >= 4:
        shape, dtype, axes, splits = state[:4]
        inner = None if shape is None else TensorShape([None, *shape[axes + 1 :]])
        rows = [TensorSpec(TensorShape([None]), splits, f"row_splits_{place}") for place in range(int(axes))]
        return [TensorSpec(inner, dtype, "flat_values"), *rows]
    return None


def parts_of(spec: TypeSpec, given: Any) -> list[Any] | None:
    """The parts of ``given``, in the order of the specs; None if it is not of this kind."""
    names = ("indices", "values", "dense_shape") if _is_sparse(spec) else ("flat_values", "nested_row_splits")
    if not all(hasattr(given, name) for name in names):
        return None
    if _is_sparse(spec):
        return [getattr(given, name) for name in names]
    return [given.flat_values, *reversed(given.nested_row_splits)]


def packed(spec: TypeSpec, parts: Sequence[Tensor]) -> Any:
    """The object of these parts."""
    return SparseTensor(*parts) if _is_sparse(spec) else RaggedTensor(parts[0], tuple(reversed(parts[1:])))


def _is_sparse(spec: TypeSpec) -> bool:
    return spec.name.rpartition(".")[2] == "SparseTensorSpec"
