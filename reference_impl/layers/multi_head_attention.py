"""Attention with projections, in several heads."""

from __future__ import annotations

import copy
import math
import string
from collections.abc import Sequence
from functools import reduce
from typing import Any, cast

from reference_impl import constraints, dialects, functions, initializers, regularizers
from reference_impl.layers.activation_layers import Softmax
from reference_impl.layers.attention import causal_mask
from reference_impl.layers.base import Layer
from reference_impl.layers.core import Dropout
from reference_impl.layers.einsum_dense import EinsumDense

_LATER = ("query_shape", "key_shape", "value_shape", "seed", "use_gate", "sliding_window", "flash_attention")


class MultiHeadAttention(Layer):
    """Called as ``layer(query, value, key=value, attention_mask=…)``; shapes (batch, Tq, …), (batch, Tv, …).

    Query, key and value are projected to ``num_heads`` heads of ``key_dim`` (``value_dim``) numbers each, attended,
    and projected to ``output_shape`` (default: the query's last size). ``attention_axes``: the axes attended over,
    default all between batch and features. ``attention_mask``: (batch, Tq, Tv), broadcast over heads.

    Generations after TensorFlow 2.10 also mind the masks that the inputs bring. A config of theirs has keys that
    2.4's has not, and a layer made from one does so too.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        later = {key: kwargs.pop(key) for key in _LATER if key in kwargs}
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        for key in ("use_gate", "sliding_window"):
            if later.get(key):
                raise ValueError(f"MultiHeadAttention {self.name!r}: {key} is not supported, found {later[key]!r}")
        self.__dict__["_later"] = later
        if later:
            self.supports_masking = True
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim or key_dim
        self.dropout = dropout
        self.use_bias = use_bias
        # What the checkpoint has of this layer are its parts; these two are plain values.
        self.__dict__["projected_shape"] = output_shape
        self.__dict__["attention_axes"] = (
            attention_axes if attention_axes is None or isinstance(attention_axes, list | tuple) else (attention_axes,)
        )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    attention_axes: Sequence[int] | None

    def build(self, input_shape: Any) -> None:
        """Nothing: the parts are made by the call, which sees the shapes of all inputs."""
        self.built = True

    def _make_parts(self, query: Any, value: Any, key: Any) -> None:
        rank = len(query.shape)
        self._query_dense = self._projection("query", len(query.shape) - 1, 1, [self.num_heads, self.key_dim])
        self._key_dense = self._projection("key", len(key.shape) - 1, 1, [self.num_heads, self.key_dim])
        self._value_dense = self._projection("value", len(value.shape) - 1, 1, [self.num_heads, self.value_dim])
        axes = self.attention_axes
        self.__dict__["attention_axes"] = tuple(range(1, len(value.shape) - 1) if axes is None else axes)
        self._scores_equation, self._results_equation, scores_rank = _attention(
            len(value.shape) + 1, cast("Any", self.attention_axes)
        )
        attended = len(cast("Any", self.attention_axes))
        self._softmax = Softmax(axis=tuple(range(scores_rank - attended, scores_rank)))
        self._dropout_layer = Dropout(self.dropout)
        shape: Any = self.__dict__["projected_shape"]
        sizes = [query.shape[-1]] if not shape else [shape] if isinstance(shape, int) else list(shape)
        self._output_dense = self._projection("attention_output", rank - 1, 2, sizes)

    def _projection(self, name: str, free: int, bound: int, sizes: list[int]) -> EinsumDense:
        """From ``free`` axes and ``bound`` summed ones to the free ones and ``sizes``."""
        letters = iter(string.ascii_lowercase)
        kept, summed, made = ("".join(next(letters) for _ in range(n)) for n in (free, bound, len(sizes)))
        return EinsumDense(
            f"{kept}{summed},{summed}{made}->{kept}{made}",
            output_shape=[None] * (free - 1) + sizes,
            bias_axes=made if self.use_bias else None,
            name=name,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
        )

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        if "_query_dense" not in self.__dict__:
            self._make_parts(query, value, key)
        masks = [mask.mask for mask in (query, value, key)] if self.__dict__["_later"] else [None] * 3
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        scores = functions.einsum(self._scores_equation, k, q * (1.0 / math.sqrt(float(self.key_dim))))
        seen = _seen(scores, attention_mask, masks, use_causal_mask)
        weights = self._softmax(scores, mask=self._for_heads(scores, seen))
        dropped = self._dropout_layer(weights, training=training)
        outputs = self._output_dense(functions.einsum(self._results_equation, dropped, v))
        return (outputs, weights) if return_attention_scores else outputs

    def _for_heads(self, scores: Any, mask: Any) -> Any:
        """``mask`` with axes of size 1 for the heads, in front of those that are attended over."""
        if mask is None:
            return None
        for _ in range(len(scores.shape) - len(mask.shape)):
            mask = functions.expand_dims(mask, -2 * len(cast("Any", self.attention_axes)) - 1)
        return mask

    def get_config(self) -> dict[str, Any]:
        shape: Any = self.__dict__["projected_shape"]
        later: dict[str, Any] = self.__dict__["_later"]
        if dialects.current() == "keras-2.15":
            # Its reader must have these keys; it finds the shapes itself where they are None.
            later = {**dict.fromkeys(_LATER[:3]), **later}
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": copy.copy(shape),
            "attention_axes": self.attention_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            **later,
        }


def _attention(rank: int, axes: Sequence[int]) -> tuple[str, str, int]:
    """The equations of scores (keys, queries) and results (weights, values), and the rank of the scores.

    All have the axes batch, …, heads, size; ``axes`` are attended over, the others are shared.
    """
    letters = iter(string.ascii_lowercase)
    target = [next(letters) for _ in range(rank)]
    source = [next(letters) if place in axes else letter for place, letter in enumerate(target)]
    shared = [letter for place, letter in enumerate(target) if place not in axes and place != rank - 1]
    product = "".join([*shared, *(target[axis] for axis in axes), *(source[axis] for axis in axes)])
    keys, queries = "".join(source), "".join(target)
    return f"{keys},{queries}->{product}", f"{product},{keys}->{queries}", len(product)


def _seen(scores: Any, attention_mask: Any, masks: Sequence[Any], causal: bool) -> Any:
    """What may be attended to: the given mask, those of query, value and key, and the earlier ones if ``causal``."""
    query, value, key = masks
    parts: list[Any] = [] if attention_mask is None else [attention_mask]
    parts += [functions.expand_dims(query, -1)] if query is not None else []
    parts += [
        functions.expand_dims(mask, -2) for mask in (value, key if key is not value else None) if mask is not None
    ]
    if causal:
        rows = causal_mask(scores)
        parts.append(functions.squeeze(rows, list(range(1, len(rows.shape) - 2))))
    if not parts:
        return None
    return reduce(lambda x, y: functions.logical_and(functions.cast_to(x, "bool"), y), parts)
