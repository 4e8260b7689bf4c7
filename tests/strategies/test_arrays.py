"""Arrays from a seed."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.blueprint import Call, Compile, Functional, Input, NestedModel, Sequential, chain, layer
from conformance.strategies import batches, distinct_weights, inputs_for, targets_for

SHAPES = st.lists(st.lists(st.integers(1, 5), max_size=4).map(tuple), min_size=1, max_size=6)


@settings(deadline=None)
@given(SHAPES, st.integers(0, 99))
def test_every_element_of_a_model_differs_from_every_other(shapes: list[tuple[int, ...]], seed: int):
    weights = distinct_weights([(shape, "float32") for shape in shapes], seed)
    assert [array.shape for array in weights] == shapes
    everything = np.concatenate([array.ravel() for array in weights])
    assert len(np.unique(everything)) == everything.size
    assert len(np.unique(np.abs(everything))) == everything.size


def test_a_guide_sized_model_is_distinct_in_float32():
    shapes = [(784, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
    everything = np.concatenate([a.ravel() for a in distinct_weights([(s, "float32") for s in shapes], 1)])
    assert everything.dtype == np.float32
    assert len(np.unique(everything)) == everything.size == 55_050


@settings(deadline=None)
@given(SHAPES, st.integers(0, 99))
def test_what_may_be_a_variance_is_positive(shapes: list[tuple[int, ...]], seed: int):
    for array in distinct_weights([(shape, "float32") for shape in shapes], seed):
        assert array.ndim > 1 or (array > 0).all()


def test_matrices_have_both_signs():
    (kernel,) = distinct_weights([((5, 5), "float32")], 1)
    assert (kernel < 0).any()
    assert (kernel > 0).any()


def test_every_dtype_is_made():
    dtypes = ["float64", "float16", "int64", "uint8", "bool", ml_dtypes.bfloat16]
    weights = distinct_weights([((3,), dtype) for dtype in dtypes], 5)
    assert [array.dtype for array in weights] == [np.dtype(dtype) for dtype in dtypes]
    assert len(set(weights[2].tolist())) == 3
    assert distinct_weights([], 1) == []


def test_a_seed_says_it_all():
    first, again, other = (distinct_weights([((3, 2), "float32")], seed)[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    model = chain(layer("Dense", "d", units=2))
    assert (inputs_for(model, 4)[0] == inputs_for(model, 4)[0]).all()
    (x1, y1), (x2, y2) = batches(model, 4, 2)
    assert (x1[0] != x2[0]).any()
    assert (y1[0] != y2[0]).any()


def test_an_embedding_gets_words_it_has():
    inner = chain(layer("Embedding", "e", input_dim=3, output_dim=2), shape=(50,), dtype="int32", input_name="inner_x")
    model = Functional(
        inputs=(Input("f", (2,)), Input("w", (50,), "int32")),
        layers=(NestedModel("n", inner), layer("Dense", "d", units=1)),
        calls=(Call("n", ("w",), "t0"), Call("d", ("f",), "t1")),
        outputs=("t0", "t1"),
    )
    floats, words = inputs_for(model, 1, batch=2)
    assert floats.dtype == np.float32
    assert words.dtype == np.int32
    assert set(np.unique(words)) == {0, 1, 2}


def test_a_free_size_gets_one():
    assert inputs_for(chain(layer("Dense", "d", units=1), shape=(None, 4)), 1, batch=2)[0].shape == (2, 3, 4)


def test_without_a_declared_input_there_is_nothing_to_make():
    with pytest.raises(ValueError, match="declares no input"):
        inputs_for(Sequential(layers=(layer("Dense", "d", units=1),)), 1)


def test_targets_are_what_the_losses_want():
    model = chain(layer("Dense", "d", units=5))

    def targets(loss: object) -> np.ndarray:
        return targets_for(model.with_compile(Compile("sgd", loss)), 1)[0]

    assert targets("mse").shape == (4, 5)
    assert targets("sparse_categorical_crossentropy").shape == (4, 1)
    assert set(targets("sparse_categorical_crossentropy").ravel()) <= {0, 1, 2, 3, 4}
    assert np.allclose(targets({"class": "CategoricalCrossentropy", "args": {}}).sum(axis=-1), 1.0)
    assert targets(["mse"]).shape == (4, 5)
    assert targets({"custom": "custom_loss"}).shape == (4, 5)


def test_targets_follow_losses_by_the_name_of_the_output():
    model = Functional(
        inputs=(Input("x", (2,)),),
        layers=(layer("Dense", name="one", units=3), layer("Dense", name="two", units=4)),
        calls=(Call("one", ("x",), "t0"), Call("two", ("x",), "t1")),
        outputs=("t1", "t0"),
        compile=Compile("sgd", {"one": "sparse_categorical_crossentropy", "two": "mse"}),
    )
    assert [array.shape for array in targets_for(model, 1)] == [(4, 4), (4, 1)]
