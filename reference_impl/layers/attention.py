"""Attention of queries over keys and values, without projections."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from reference_impl import functions, initializers
from reference_impl.layers.base import Layer


class _DenseAttention(Layer):
    """Called on [query, value] or [query, value, key], of shapes (batch, Tq, dim), (batch, Tv, dim), (batch, Tv, dim).

    ``causal``: a query sees no later value. ``dropout``: of the weights, in training. Masks are those of the inputs,
    or given as ``mask=[query_mask, value_mask]``: values that are masked get no weight, results of masked queries are
    zero. With ``return_attention_scores`` the weights (batch, Tq, Tv) are the second output.
    """

    supports_masking = True

    def __init__(self, use_scale: bool = False, causal: bool = False, dropout: float = 0.0, **kwargs: Any) -> None:
        # A seed is an argument of Keras 3.
        self.seed = kwargs.pop("seed", None)
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.causal = causal
        self.dropout = dropout

    scale: Any = None

    def scores(self, query: Any, key: Any) -> Any:
        raise NotImplementedError

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check(inputs, mask)
        query, value, *rest = inputs
        key = rest[0] if rest else value
        query_mask, value_mask = mask[:2] if mask else (None, None)
        scores = self.scores(query, key)
        seen = None if value_mask is None else functions.expand_dims(value_mask, -2)
        if self.causal or use_causal_mask:
            earlier = causal_mask(scores)
            seen = earlier if seen is None else functions.logical_and(seen, earlier)
        if seen is not None:
            hidden = functions.cast_to(functions.logical_not(seen), scores.dtype)
            scores = scores - hidden * (65504.0 if scores.dtype == "float16" else 1e9)
        weights = functions.softmax(scores)
        if training and self.dropout:
            weights = functions.dropout(weights, self.dropout, seed=self.seed)
        result = functions.matmul(weights, value)
        if query_mask is not None:
            result = result * functions.cast_to(functions.expand_dims(query_mask, -1), result.dtype)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask[0] if mask else None

    def _check(self, inputs: Any, mask: Any) -> None:
        if not isinstance(inputs, list | tuple) or len(cast("list[Any]", inputs)) not in (2, 3):
            raise ValueError(
                f"{self.name}: expected a list of inputs, [query, value] or [query, value, key], found {inputs!r:.200}"
            )
        if mask and (not isinstance(mask, list | tuple) or len(cast("list[Any]", mask)) < 2):
            raise ValueError(f"{self.name}: expected mask=[query_mask, value_mask], found {mask!r:.200}")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "causal": self.causal, "dropout": self.dropout, "use_scale": self.use_scale}


def causal_mask(scores: Any) -> Any:
    """True where the place on the last axis is not behind that on the one before it; (1, …, 1, Tq, Tv)."""
    rank = len(scores.shape)
    sizes = functions.shape(scores)
    ones = functions.ones(functions.concat([np.ones(rank - 2, np.int32), sizes[rank - 2 :]], axis=0), dtype="int32")
    return functions.greater_equal(functions.cumsum(ones, axis=-2), functions.cumsum(ones, axis=-1))


class Attention(_DenseAttention):
    """Dot-product attention: scores are query · key, times ``scale`` (), learned if ``use_scale``.

    ``score_mode`` "concat" (later than TensorFlow 2.4): concat_score_weight · Σ tanh(scale · (query + key)).
    """

    def __init__(self, use_scale: bool = False, score_mode: str = "dot", **kwargs: Any) -> None:
        super().__init__(use_scale, **kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"{self.name}: found score_mode {score_mode!r}, expected 'dot' or 'concat'")
        self.score_mode = score_mode

    concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        if self.use_scale:
            self.scale = self.add_weight("scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight("concat_score_weight", shape=(), initializer="ones")
        self.built = True

    def scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            products = functions.matmul(query, key, transpose_b=True)
            return products if self.scale is None else products * self.scale
        sums = functions.expand_dims(query, -2) + functions.expand_dims(key, -3)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * functions.reduce_sum(functions.tanh(sums), axis=-1)

    def get_config(self) -> dict[str, Any]:
        later = {} if self.score_mode == "dot" else {"score_mode": self.score_mode}
        return {**super().get_config(), **later}


class AdditiveAttention(_DenseAttention):
    """Scores are Σ scale · tanh(query + key); scale (dim,) is learned, or 1 without ``use_scale``."""

    def __init__(self, use_scale: bool = True, **kwargs: Any) -> None:
        super().__init__(use_scale, **kwargs)

    def build(self, input_shape: Any) -> None:
        if self.use_scale:
            self.scale = self.add_weight(
                "scale", shape=[input_shape[1][-1]], initializer=initializers.get("glorot_uniform")
            )
        self.built = True

    def scores(self, query: Any, key: Any) -> Any:
        activated = functions.tanh(functions.expand_dims(query, -2) + functions.expand_dims(key, -3))
        return functions.reduce_sum(activated if self.scale is None else activated * self.scale, axis=-1)
