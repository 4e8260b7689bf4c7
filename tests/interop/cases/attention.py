"""Attention layers."""


def _multi_head(masked=False, **arguments):
    """Multi-head attention as a function of its symbolic inputs; ``masked``: where the last of them is positive."""

    def make(library):
        layer = library.MultiHeadAttention(**arguments)
        if masked:
            return lambda inputs: layer(inputs[0], inputs[1], attention_mask=inputs[2] > 0.0)
        return lambda inputs: layer(*inputs)

    return make


# The gradient of a key's bias is zero: what there is of it is rounding.
_TOLERANCE = 1e-5

CASES = {
    "attention": dict(layer=lambda L: L.Attention(), inputs=[(4, 3), (5, 3)]),
    "attention-scale-key-masked": dict(
        layer=lambda L: L.Attention(use_scale=True), inputs=[(4, 3), (5, 3), (5, 3)], mask=True
    ),
    "attention-causal": dict(
        layer=lambda L: L.Attention(causal=True),
        inputs=[(4, 3), (5, 3)],
        mask=True,
        but={
            "tf2.15": "its config leaves causal out",
            "tf-keras": "its config leaves causal out",
            "keras3": "it has no argument causal",
        },
    ),
    "attention-dropout": dict(layer=lambda L: L.Attention(dropout=0.4), inputs=[(4, 3), (5, 3)], random=True),
    "additive-attention": dict(layer=lambda L: L.AdditiveAttention(), inputs=[(4, 3), (5, 3)], mask=True),
    "additive-attention-unscaled": dict(
        layer=lambda L: L.AdditiveAttention(use_scale=False), inputs=[(4, 3), (5, 3), (5, 3)]
    ),
    "attention-concat": dict(
        layer=lambda L: L.Attention(use_scale=True, score_mode="concat"),
        inputs=[(4, 3), (5, 3)],
        but={"tf2.4": "score_mode is later than TensorFlow 2.4"},
    ),
    "multi-head-attention": dict(
        tolerance=_TOLERANCE,
        layer=_multi_head(num_heads=2, key_dim=3),
        inputs=[(4, 5), (6, 5)],
    ),
    "multi-head-attention-dims": dict(
        tolerance=_TOLERANCE,
        layer=_multi_head(num_heads=2, key_dim=3, value_dim=4, output_shape=7, use_bias=False),
        inputs=[(4, 5), (6, 3), (6, 2)],
    ),
    "multi-head-attention-axes": dict(
        tolerance=_TOLERANCE,
        layer=_multi_head(num_heads=2, key_dim=3, attention_axes=(2,), output_shape=(2, 3)),
        inputs=[(3, 4, 5), (3, 6, 5)],
    ),
    "multi-head-attention-dropout": dict(
        tolerance=_TOLERANCE,
        layer=_multi_head(num_heads=2, key_dim=3, dropout=0.3),
        inputs=[(4, 5), (6, 5)],
        random=True,
    ),
    "multi-head-attention-mask": dict(
        tolerance=_TOLERANCE,
        layer=_multi_head(masked=True, num_heads=2, key_dim=3),
        inputs=[(4, 5), (6, 5), (4, 6)],
        but={"keras3": "a comparison is a layer of another class there"},
    ),
    "einsum-dense": dict(
        layer=lambda L: L.EinsumDense("abc,cd->abd", output_shape=(None, 7), bias_axes="d"), inputs=[(4, 3)]
    ),
    "einsum-dense-ellipsis": dict(
        layer=lambda L: L.EinsumDense("...x,xy->...y", output_shape=4, bias_axes="y", activation="relu"),
        inputs=[(2, 4, 3)],
    ),
    "einsum-dense-trailing-ellipsis": dict(
        layer=lambda L: L.EinsumDense("ab...,bc->ac...", output_shape=4, bias_axes="c"), inputs=[(3, 2, 5)]
    ),
    "einsum-dense-two-axes": dict(
        layer=lambda L: L.EinsumDense("abc,bcde->ade", output_shape=(2, 3), bias_axes="de"), inputs=[(4, 3)]
    ),
}
