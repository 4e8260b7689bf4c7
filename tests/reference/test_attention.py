"""Attention, EinsumDense, and the ops they are made of. The numbers are TensorFlow 2.4's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import functions
from reference_impl.gradients import gradients
from reference_impl.ops.einsum import labels
from reference_impl.tensors import apply, convert, recording, symbolic

L = keras.layers
QUERY = np.arange(12, dtype="float32").reshape(1, 4, 3) / 10 - 0.5
VALUE = np.arange(15, dtype="float32").reshape(1, 5, 3) / 7 - 1


def close(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(actual, expected, atol=tolerance)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ab,bc->ac", [(2, 3), (3, 4)]),
        ("abc,dc->abd", [(2, 3, 4), (5, 4)]),
        ("...ab,bc->...ac", [(2, 5, 3, 4), (4, 2)]),
        ("ab...,bc->ac...", [(2, 3, 4), (3, 5)]),
        ("abc,abd->cd", [(2, 3, 4), (2, 3, 5)]),
        ("abc,ad->d", [(2, 3, 4), (2, 5)]),
        ("ab,ac,ad->bcd", [(2, 3), (2, 4), (2, 5)]),
    ],
)
def test_einsum_its_shape_and_its_gradient(equation: str, shapes: list[tuple[int, ...]]) -> None:
    arrays = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]
    with recording():
        inputs = [convert(array) for array in arrays]
        result = functions.einsum(equation, *inputs)
        weights = np.random.default_rng(9).normal(size=result.shape)
        found = gradients(functions.reduce_sum(result * weights), inputs)
    close(result.numpy(), np.einsum(equation, *arrays), 1e-12)
    known = [symbolic((None, *shape[1:]), "float64") for shape in shapes]
    made = apply("Einsum", *known, equation=equation).shape
    assert len(made) == result.ndim
    assert all(a in (None, b) for a, b in zip(made, result.shape, strict=True))
    for place, (array, gradient) in enumerate(zip(arrays, found, strict=True)):
        step = np.zeros_like(array)
        step.flat[1] = 1e-6
        moved = [other + step if i == place else other for i, other in enumerate(arrays)]
        lowered = [other - step if i == place else other for i, other in enumerate(arrays)]
        slope = ((np.einsum(equation, *moved) - np.einsum(equation, *lowered)) * weights).sum() / 2e-6
        assert gradient is not None
        assert abs(gradient.numpy().flat[1] - slope) < 1e-6


def test_an_equation_that_does_not_fit_is_named() -> None:
    assert labels("...a,ab->...b", [3, 2]) == (["AZa".replace("A", "d").replace("Z", "c"), "ab"], "dcb")
    with pytest.raises(ValueError, match=r"operand 1 of 'ab,bc->ac' has rank 3"):
        labels("ab,bc->ac", [2, 3])
    with pytest.raises(ValueError, match="a result"):
        labels("ab,bc", [2, 2])
    with pytest.raises(ValueError, match="sizes 3 and 4"):
        functions.einsum("ab,bc->ac", symbolic((2, 3)), symbolic((4, 5)))


def test_running_sums() -> None:
    x = np.arange(6.0).reshape(2, 3)
    close(functions.cumsum(x, axis=1).numpy(), [[0, 1, 3], [3, 7, 12]])
    close(functions.cumsum(x, axis=0, exclusive=True).numpy(), [[0, 0, 0], [0, 1, 2]])
    close(functions.cumsum(x, axis=1, reverse=True).numpy(), [[3, 3, 2], [12, 9, 5]])


def test_attention_hides_what_is_masked_and_what_comes_later() -> None:
    layer = L.Attention(use_scale=True, causal=True)
    layer([QUERY, VALUE])
    layer.set_weights([np.float32(0.7)])
    query_mask, value_mask = np.array([[True, True, False, True]]), np.array([[True, False, True, True, True]])
    result = layer([QUERY, VALUE], mask=[functions.constant(query_mask), functions.constant(value_mask)])
    first = [-1.0, -0.857143, -0.714286]
    close(result.numpy(), [[first, first, [0, 0, 0], [-0.034064, 0.108793, 0.25165]]])


def test_attention_gives_its_weights_and_the_mask_of_its_query() -> None:
    query_mask = functions.constant(np.array([[True, True, False, True]]))
    layer = L.Attention()
    result, weights = layer([QUERY, VALUE], return_attention_scores=True)
    assert weights.shape == (1, 4, 5)
    close(weights.numpy().sum(-1), np.ones((1, 4)))
    close(result.numpy(), weights.numpy() @ VALUE)
    assert layer.compute_mask([QUERY, VALUE], [query_mask, None]) is query_mask
    with pytest.raises(ValueError, match="query, value"):
        layer(QUERY)


def test_additive_attention_sums_over_the_last_axis() -> None:
    layer = L.AdditiveAttention()
    layer([QUERY, VALUE])
    layer.set_weights([np.array([0.5, -1.0, 2.0], "float32")])
    scores = (np.tanh(QUERY[:, :, None] + VALUE[:, None]) * [0.5, -1.0, 2.0]).sum(-1)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    close(layer([QUERY, VALUE]).numpy(), weights @ VALUE)


def test_multi_head_attention() -> None:
    layer = L.MultiHeadAttention(2, 2)
    layer(QUERY, VALUE)
    assert [weight.name for weight in layer.weights][:3] == [
        f"{layer.name}/query/kernel:0", f"{layer.name}/query/bias:0", f"{layer.name}/key/kernel:0"
    ]  # fmt: skip
    for i, weight in enumerate(layer.weights):
        size = int(np.prod(weight.shape))
        weight.assign(np.linspace(-1, 1 + i / 10, size, dtype="float32").reshape(weight.shape))
    result, weights = layer(QUERY, VALUE, return_attention_scores=True)
    expected = [[2.8237, 4.83965, 6.85561], [2.9841, 5.0398, 7.09551],
                [3.1278, 5.21875, 7.30970], [3.2549, 5.37665, 7.4984]]  # fmt: skip
    close(result.numpy(), [expected], 1e-4)
    assert weights.shape == (1, 2, 4, 5)
    mask = np.zeros((1, 4, 5), bool)
    mask[..., 1] = True
    _, weights = layer(QUERY, VALUE, attention_mask=mask, return_attention_scores=True)
    close(weights.numpy()[..., 1], np.ones((1, 2, 4)))


def test_only_later_generations_mind_the_masks_of_the_inputs() -> None:
    def outputs(**later: Any) -> Any:
        keras.backend.clear_session()
        layer = L.MultiHeadAttention(2, 2, kernel_initializer="ones", **later)
        value = convert(VALUE)
        value.mask = convert(np.array([[True, False, False, False, False]]))
        _, weights = layer(QUERY, value, return_attention_scores=True)
        return weights.numpy()

    assert outputs()[..., 1:].max() > 0.5
    assert outputs(query_shape=None)[..., 1:].max() < 1e-6


def test_einsum_dense_finds_the_shapes_of_its_weights() -> None:
    for equation, output_shape, bias_axes, inputs, kernel, bias in [
        ("abc,cd->abd", (None, 7), "d", (4, 3), (3, 7), (7,)),
        ("abc,bcde->ade", (2, 3), "e", (4, 3), (4, 3, 2, 3), (3,)),
        ("...x,xy->...y", 5, "y", (2, 4, 3), (3, 5), (5,)),
        ("ab...,bc->ac...", 5, "c", (3, 2, 4), (3, 5), (5, 1, 1)),
        ("abc,cd->abd", (4, 7), "bd", (4, 3), (3, 7), (4, 7)),
    ]:
        layer = L.EinsumDense(equation, output_shape, bias_axes=bias_axes)
        layer.build((None, *inputs))
        assert tuple(layer.kernel.shape) == kernel
        assert layer.bias is not None
        assert tuple(layer.bias.shape) == bias
    for equation, message in [("ab->c", "Invalid einsum equation"), ("ab,cd->ae", "unknown")]:
        with pytest.raises(ValueError, match=message):
            L.EinsumDense(equation, 3).build((None, 4))
    with pytest.raises(ValueError, match="shared dimension 'b'"):
        L.EinsumDense("abc,cd->abd", (5, 7)).build((None, 4, 3))


def test_softmax_over_several_axes_and_with_a_mask() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    both = L.Softmax(axis=[1, 2])(x).numpy()
    close(both, np.exp(x) / np.exp(x).sum((1, 2), keepdims=True))
    mask = np.array([True, False, True, True])
    close(L.Softmax()(x, mask=functions.constant(mask)).numpy()[..., 1], np.zeros((2, 3)))
