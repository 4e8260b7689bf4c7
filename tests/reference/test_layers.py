"""Layers: weights, flags, names, configs, losses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import tf

L = keras.layers


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


EVERY_LAYER = [
    L.Activation("relu"),
    L.ActivityRegularization(0.1, 0.2),
    L.Add(),
    L.Average(),
    L.BatchNormalization(momentum=0.8, scale=False),
    L.Concatenate(axis=1),
    L.Dense(3, "tanh", use_bias=False, kernel_regularizer="l2", kernel_constraint="max_norm", name="d"),
    L.Dot(axes=(1, 2), normalize=True),
    L.Dropout(0.3, noise_shape=(None, 1), seed=3),
    L.ELU(0.5),
    L.Embedding(5, 3, input_length=4),
    L.Flatten(),
    L.GaussianNoise(0.1),
    L.LayerNormalization(axis=[1, 2]),
    L.LeakyReLU(0.1),
    L.Maximum(),
    L.Minimum(),
    L.Multiply(),
    L.Permute((2, 1)),
    L.PReLU(shared_axes=[1]),
    L.ReLU(6.0, 0.1, 0.2),
    L.RepeatVector(3),
    L.Reshape((2, -1)),
    L.Softmax(axis=1),
    L.Subtract(),
    L.ThresholdedReLU(0.5),
    L.InputLayer((3,), dtype="int32", name="in"),
    L.AdditiveAttention(use_scale=False, causal=True),
    L.AlphaDropout(0.3),
    L.Attention(use_scale=True, dropout=0.2),
    L.BatchNormalization(renorm=True, renorm_clipping={"rmax": 2.0}, axis=[1, 2]),
    L.EinsumDense("abc,cd->abd", (None, 7), bias_axes="d", activation="relu"),
    L.GaussianDropout(0.2),
    L.GroupNormalization(4),
    L.Identity(),
    L.MultiHeadAttention(2, 3, value_dim=4, output_shape=(2, 3), attention_axes=(1,)),
    L.RandomFourierFeatures(4, "laplacian", scale=2.0),
    L.Softmax(axis=[1, 2]),
    L.SpatialDropout1D(0.2),
    L.SpatialDropout2D(0.2),
    L.SpatialDropout3D(0.2, data_format="channels_last"),
    L.SyncBatchNormalization(momentum=0.5),
    L.UnitNormalization(axis=[1, 2]),
    L.Normalization(axis=(1, 2)),
    L.Rescaling(0.5),
    L.CategoryEncoding(4, "count"),
    L.CategoryCrossing(depth=2),
    L.Hashing(4, salt=[1, 2]),
    L.HashedCrossing(4),
    L.StringLookup(max_tokens=5),
    L.IntegerLookup(max_values=5),
    L.TextVectorization(ngrams=2),
    L.StringLookup(vocabulary=["a"], output_mode="count"),
    L.TextVectorization(vocabulary=["a"], ragged=False),
    L.Resizing(2, 3),
    L.CenterCrop(2, 3),
    L.RandomCrop(2, 3),
    L.RandomFlip("vertical"),
    L.RandomTranslation(0.1, 0.2),
    L.RandomRotation(0.1),
    L.RandomZoom(0.1),
    L.RandomContrast(0.1),
    L.RandomHeight(0.1),
    L.RandomWidth(0.1),
    L.RandomBrightness(0.1),
    L.Dense(2, trainable=False, dtype="float64", input_shape=(4,), activation=L.LeakyReLU(0.2)),
]


@pytest.mark.parametrize("layer", EVERY_LAYER, ids=lambda layer: type(layer).__name__)
def test_config_is_a_fixed_point_and_json(layer: Any) -> None:
    config = layer.get_config()
    text = json.dumps(config, default=str)
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert json.dumps(config, default=str) == text
    assert layer.get_config() is not config
    loaded = L.deserialize(json.loads(json.dumps(L.serialize(layer))))
    assert json.dumps(loaded.get_config()) == json.dumps(layer.get_config())


def test_changing_a_config_changes_no_layer() -> None:
    layer = L.LayerNormalization(axis=[1, 2])
    layer.get_config()["axis"].append(7)
    assert layer.get_config()["axis"] == [1, 2]


class Nested(L.Layer):
    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.parts = [L.Dense(2, name="one"), {"two": L.Dense(2, name="two")}]
        self.own = tf.Variable(1.0, name="own", trainable=False)

    def call(self, inputs: Any) -> Any:
        return self.parts[1]["two"](self.parts[0](inputs)) * self.own


def names(variables: Any) -> list[str]:
    return [variable.name for variable in variables]


def test_layers_in_lists_and_dicts_are_found() -> None:
    layer = Nested(name="n")
    layer(np.ones((1, 3), "float32"))
    assert names(layer.weights) == ["n/one/kernel:0", "n/one/bias:0", "n/two/kernel:0", "n/two/bias:0", "own:0"]


def test_trainable_is_recursive_and_reorders() -> None:
    layer = Nested(name="n")
    layer(np.ones((1, 3), "float32"))
    layer.parts[0].trainable = False
    assert names(layer.weights) == ["n/two/kernel:0", "n/two/bias:0", "own:0", "n/one/kernel:0", "n/one/bias:0"]
    layer.trainable = False
    assert not layer.parts[1]["two"].trainable
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 5
    layer.trainable = True
    assert layer.parts[0].trainable


def test_unnamed_weights_get_names_of_their_own() -> None:
    class Unnamed(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(2, 2))
            self.b = self.add_weight(shape=(2,))
            self.c = tf.Variable(1.0)

        def call(self, inputs: Any) -> Any:
            return tf.matmul(inputs, self.w) + self.b

    layer = Unnamed()
    layer(np.ones((1, 2), "float32"))
    assert names(layer.weights) == ["unnamed/Variable:0", "unnamed/Variable_1:0", "unnamed/Variable_2:0"]


def test_a_layer_without_super_init_is_a_layer() -> None:
    class Careless(L.Layer):
        def __init__(self, a: int) -> None:
            self.var = tf.Variable(a, name="var_a")

        def call(self, inputs: Any, training: Any = False) -> Any:
            return inputs + 1.0 if training else inputs

    layer = Careless(5)
    assert layer.name == "careless"
    assert layer.weights == [layer.var]
    assert layer.var.dtype == "int32"
    assert float(layer(tf.ones((1,)), training=True)[0]) == 2.0
    with pytest.raises(NotImplementedError, match="Careless has arguments"):
        layer.get_config()


def test_training_reaches_inner_layers() -> None:
    class Outer(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.drop = L.Dropout(0.5)

        def call(self, inputs: Any) -> Any:
            return self.drop(inputs)

    x = np.ones((100, 10), "float32")
    assert (Outer()(x).numpy() == 1).all()
    assert set(np.unique(Outer()(x, training=True).numpy())) == {0.0, 2.0}


def test_set_weights_is_all_or_nothing_and_copies() -> None:
    layer = L.Dense(3, name="dense_2")
    layer.build((None, 4))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r'"dense_2" with a weight list of length 1.*expecting 2 weights'):
        layer.set_weights(before[:1])
    with pytest.raises(ValueError, match=r"kernel:0, has shape \(4, 3\).*\(3, 4\)|bias:0, has shape \(3,\).*\(4,\)"):
        layer.set_weights([np.ones((4, 3)), np.ones(4)])
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    kernel = np.ones((4, 3), "float32")
    layer.set_weights([kernel, np.zeros(3)])
    kernel[:] = 7
    layer.get_weights()[0][:] = 8
    assert layer.kernel.numpy().max() == 1


def test_unknown_argument_is_named() -> None:
    with pytest.raises(TypeError, match="units_typo"):
        L.Dense(3, units_typo=1)
    with pytest.raises(keras.LoadError, match="units_typo"):
        L.deserialize({"class_name": "Dense", "config": {"units": 3, "units_typo": 1}})


def test_inputs_that_do_not_fit_are_refused() -> None:
    layer = L.Dense(3, name="d")
    with pytest.raises(
        ValueError, match=r"layer d is incompatible with the layer: : expected min_ndim=2, found ndim=1"
    ):
        layer(np.ones(3, "float32"))
    layer(np.ones((1, 4), "float32"))
    with pytest.raises(ValueError, match=r"expected axis -1 of input shape to have value 4"):
        layer(np.ones((1, 3), "float32"))


def test_losses_are_those_of_the_last_call() -> None:
    class Loud(L.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(tf.reduce_sum(inputs))
            return inputs

    layer = Loud()
    layer(tf.ones((2,)))
    layer(tf.ones((3,)))
    assert [float(loss) for loss in layer.losses] == [3.0]
    layer.add_loss(lambda: tf.constant(5.0))
    assert [float(loss) for loss in layer.losses] == [3.0, 5.0]
    with pytest.raises(ValueError, match="zero argument `lambda`"):
        layer.add_loss(tf.constant(1.0))


def test_regularizers_are_losses() -> None:
    layer = L.Dense(1, kernel_initializer="ones", kernel_regularizer="l1", activity_regularizer="l2", use_bias=False)
    layer(np.ones((2, 3), "float32"))
    assert [round(float(loss), 5) for loss in layer.losses] == [0.09, 0.03]


def test_add_variable_points_to_add_weight() -> None:
    with pytest.warns(FutureWarning, match="add_weight"):
        variable = L.Layer().add_variable("kernel", shape=(2, 2))
    assert variable.name == "kernel:0"


def test_lambda_has_no_config_and_is_not_loaded() -> None:
    layer = L.Lambda(lambda x: x + 1.0, name="plus")
    assert float(layer(tf.ones((1,)))[0]) == 2.0
    with pytest.raises(NotImplementedError, match="plus is a Lambda"):
        layer.get_config()
    with pytest.raises(keras.LoadError, match=r"'plus'.*never run"):
        L.deserialize({"class_name": "Lambda", "config": {"name": "plus", "function": ["4wEAAAAA", None, None]}})


def test_names_count_per_class() -> None:
    assert [L.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    assert L.BatchNormalization().name == "batch_normalization"
    assert [keras.Input((1,)).name for _ in range(2)] == ["input_1", "input_2"]


def test_batch_normalization_moves_its_statistics() -> None:
    layer = L.BatchNormalization(momentum=0.5, axis=-1)
    x = np.array([[1.0, 2.0], [3.0, 6.0]], "float32")
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [1.0, 2.0])
    np.testing.assert_allclose(layer.moving_variance.numpy(), [1.0, 2.5])
    layer(x)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [1.0, 2.0])
    layer.trainable = False
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [1.0, 2.0])


def test_batch_renormalization() -> None:
    # The numbers are TensorFlow 2.4's.
    x = np.array([[[1, 2, 3], [4, 6, 8.0]], [[0, -1, 5], [2, 2, 2]]], "float32")
    layer = L.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.5, "dmax": 0.4})
    result = layer(x, training=True).numpy()
    np.testing.assert_allclose(result[0], [[-0.35, 0.249256, -0.581887], [2.65, 2.661152, 2.69107]], atol=1e-5)
    expected = [[1, 1, 1], [0, 0, 0], [0.0175, 0.0225, 0.045], [1.00861, 1.028975, 1.024997],
                [1.004794, 1.014877, 1.012915], [0.0175, 0.0225, 0.045], [1.004794, 1.014877, 1.012915]]  # fmt: skip
    for weight, values in zip(layer.weights, expected, strict=True):
        np.testing.assert_allclose(weight.numpy(), values, atol=1e-5, err_msg=weight.name)
    doubled = L.BatchNormalization(
        renorm=True,
        renorm_clipping={"rmax": 1.5, "rmin": 0.5, "dmax": 0.4},
        gamma_initializer=keras.initializers.Constant(2.0),
    )
    np.testing.assert_allclose(doubled(x, training=True).numpy(), result * 2, rtol=1e-5)


def test_statistics_move_to_the_unbiased_variance_for_images_only() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype("float32")
    images, volumes = L.BatchNormalization(momentum=0.0), L.BatchNormalization(momentum=0.0)
    images(x, training=True)
    volumes(x[:, None], training=True)
    np.testing.assert_allclose(images.moving_variance.numpy(), x.var((0, 1, 2), ddof=1), rtol=1e-5)
    np.testing.assert_allclose(volumes.moving_variance.numpy(), x.var((0, 1, 2)), rtol=1e-5)


def test_normalisation_over_several_axes_and_in_groups() -> None:
    x = np.random.default_rng(1).normal(size=(3, 4, 5, 6)).astype("float32")
    layer = L.BatchNormalization(axis=[1, 3], epsilon=0.0)
    result = layer(x, training=True).numpy()
    assert tuple(layer.gamma.shape) == (1, 4, 1, 6)
    np.testing.assert_allclose(result.std((0, 2)), np.ones((4, 6)), atol=1e-4)
    assert layer.get_config()["axis"] == [1, 3]
    groups = L.GroupNormalization(2, epsilon=0.0)(x).numpy().reshape(3, 4, 5, 2, 3)
    np.testing.assert_allclose(groups.std((1, 2, 4)), np.ones((3, 2)), atol=1e-4)
    np.testing.assert_allclose((L.UnitNormalization()(x).numpy() ** 2).sum(-1), np.ones((3, 4, 5)), atol=1e-5)
    for axis, message in ((5, "distinct axes"), ([1, 1], "distinct axes")):
        with pytest.raises(ValueError, match=message):
            L.LayerNormalization(axis=axis)(x)
    with pytest.raises(ValueError, match="virtual_batch_size"):
        L.BatchNormalization(virtual_batch_size=2)


def test_normalisation_of_halves_is_done_in_float32() -> None:
    x = (np.random.default_rng(2).normal(size=(8, 5)) * 100 + 1000).astype("float16")
    for layer in (L.BatchNormalization(dtype="mixed_float16"), L.LayerNormalization(dtype="mixed_float16")):
        result = layer(x, training=True)
        assert result.dtype == "float16"
        assert {str(weight.dtype) for weight in layer.weights} == {"float32"}
        assert np.isfinite(result.numpy()).all()


def test_noise_is_made_in_training_only_and_keeps_the_mean() -> None:
    x = np.full((20, 30, 40), 2.0, "float32")
    for layer in (L.GaussianNoise(0.5), L.GaussianDropout(0.3), L.AlphaDropout(0.3), L.SpatialDropout1D(0.5)):
        np.testing.assert_array_equal(layer(x).numpy(), x)
        noisy = layer(x, training=True).numpy()
        assert noisy.std() > 0.1
        assert abs(noisy.mean() - 2) < 0.2 or isinstance(layer, L.AlphaDropout)
    standard = np.random.default_rng(0).normal(size=(400, 300)).astype("float32")
    alpha = L.AlphaDropout(0.4)(standard, training=True).numpy()
    np.testing.assert_allclose([alpha.mean(), alpha.std()], [0, 1], atol=0.02)
    dropped = L.SpatialDropout1D(0.5)(x, training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, 4.0}
    assert (dropped == dropped[:, :1]).all()


def test_single_tensorflow_ops_as_layers() -> None:
    config = {
        "name": "sum",
        "node_def": {"name": "sum", "op": "Sum", "input": ["a", "axis"],
                     "attr": {"T": {"type": "DT_FLOAT"}, "Tidx": {"type": "DT_INT32"}, "keep_dims": {"b": True}}},
        "constants": {"1": 1},
    }  # fmt: skip
    layer = L.deserialize({"class_name": "TensorFlowOpLayer", "config": config})
    assert layer.name == "tf_op_layer_sum"
    assert layer(np.array([[1.0, 2.0]], "float32")).numpy().tolist() == [[3.0]]
    again = layer.get_config()
    assert {key: again[key] for key in config} == config
    with pytest.raises(keras.LoadError, match=r"'sum'.*unknown op 'PyFunc'"):
        L.deserialize(
            {"class_name": "TensorFlowOpLayer", "config": {**config, "node_def": {"op": "PyFunc", "input": []}}}
        )


def test_known_layers_that_cannot_be_made_say_why() -> None:
    with pytest.raises(keras.LoadError, match=r"DenseFeatures .*feature columns.*'features'"):
        L.deserialize({"class_name": "DenseFeatures", "config": {"name": "features", "feature_columns": []}})


def test_the_product_of_tensors_of_any_rank() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 3, 4, 5)), np.random.default_rng(1).normal(size=(2, 4, 6))
    expected = np.einsum("abcd,ace->abde", x, y)
    np.testing.assert_allclose(L.Dot((2, 1), dtype="float64")([x, y]).numpy(), expected)
    with pytest.raises(ValueError, match="Dimension incompatibility 5 != 4"):
        L.Dot((3, 1))([x, y])


def test_shapes_on_symbolic_inputs() -> None:
    x = keras.Input((4, 6))
    shapes = {
        L.Flatten(): (None, 24),
        L.Reshape((3, -1)): (None, 3, 8),
        L.Permute((2, 1)): (None, 6, 4),
        L.Dense(5): (None, 4, 5),
        L.Softmax(): (None, 4, 6),
    }
    assert {layer.name: layer(x).shape for layer in shapes} == {layer.name: shape for layer, shape in shapes.items()}
    assert L.Flatten()(keras.Input((None, 3))).shape == (None, None)
    assert L.RepeatVector(2)(keras.Input((3,))).shape == (None, 2, 3)
    assert L.Embedding(4, 2)(keras.Input((7,))).shape == (None, 7, 2)
    assert L.Dot(1)([keras.Input((3,)), keras.Input((3,))]).shape == (None, 1)
    assert L.Dot((2, 1))([keras.Input((3, 4)), keras.Input((4, 5))]).shape == (None, 3, 5)
