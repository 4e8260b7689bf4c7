"""Recurrent layers, wrappers and masks: the loop, against the same sums written out in NumPy."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import reference_impl as keras
from reference_impl import functions, layers, naming
from reference_impl.functions.recurrent import rnn, unstack
from reference_impl.gradients import gradients
from reference_impl.tensors import convert, recording, symbolic

Array = npt.NDArray[Any]


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    naming.reset()


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def mean(x: Array, y: Array) -> Array:
    return (x + y) / 2


def weighted(layer: Any, x: Array) -> Any:
    """``layer``, built for ``x``, with weights that are all different."""
    layer(x)
    layer.set_weights([drawn(*w.shape, seed=i + 1) * 0.5 for i, w in enumerate(layer.weights)])
    return layer


def running_sum(mask: Any = None, **arguments: Any) -> tuple[Array, Array, list[Array]]:
    """The loop over 1, 10, 100 for two examples, each step adding its input to the state."""
    inputs = convert(np.array([[[1.0], [10.0], [100.0]]] * 2, np.float32))

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        total = states[0] + x
        return total, [total]

    mask = None if mask is None else convert(np.array(mask))
    last, outputs, states = rnn(step, inputs, [functions.zeros([2, 1])], mask, **arguments)
    return last.numpy(), outputs.numpy()[..., 0], [state.numpy() for state in states]


class TestTheLoop:
    def test_goes_over_the_times_in_order(self) -> None:
        last, outputs, states = running_sum()
        assert outputs.tolist() == [[1, 11, 111]] * 2
        assert last.tolist() == states[0].tolist() == [[111], [111]]

    def test_backwards_the_outputs_are_in_the_order_they_were_made(self) -> None:
        _, outputs, _ = running_sum(go_backwards=True)
        assert outputs.tolist() == [[100, 110, 111]] * 2

    def test_a_masked_time_holds_the_states_and_repeats_the_output(self) -> None:
        mask = [[False, True, False], [True, False, True]]
        last, outputs, states = running_sum(mask)
        assert outputs.tolist() == [[0, 10, 10], [1, 1, 101]]
        assert last.tolist() == [[10], [101]]
        assert states[0].tolist() == [[10], [101]]

    @pytest.mark.parametrize("unroll", [False, True])
    def test_with_zero_output_the_states_are_held_all_the_same(self, unroll: bool) -> None:
        mask = [[False, True, False], [True, False, True]]
        last, outputs, states = running_sum(mask, zero_output_for_mask=True, unroll=unroll)
        assert outputs.tolist() == [[0, 10, 0], [1, 0, 101]]
        assert last.tolist() == [[0], [101]]
        assert states[0].tolist() == [[10], [101]]

    def test_unrolled_and_backwards_the_zeros_are_where_tensorflow_puts_them(self) -> None:
        mask = [[False, True, True]] * 2
        _, looped, _ = running_sum(mask, zero_output_for_mask=True, go_backwards=True)
        _, unrolled, _ = running_sum(mask, zero_output_for_mask=True, go_backwards=True, unroll=True)
        assert looped[0].tolist() == [100, 110, 0]
        assert unrolled[0].tolist() == [0, 110, 110]

    def test_a_sequence_without_steps_is_refused(self) -> None:
        with pytest.raises(ValueError, match="without steps"):
            rnn(lambda x, states: (x, states), convert(np.zeros((2, 0, 1), np.float32)), [])

    def test_without_values_it_tells_the_shapes(self) -> None:
        last, outputs, states = rnn(
            lambda x, states: (x + states[0], [states[0]]), symbolic((None, None, 3)), [symbolic((None, 3))]
        )
        assert (last.shape, outputs.shape, states[0].shape) == ((None, 3), (None, None, 3), (None, 3))

    def test_cuts_have_the_gradients_of_the_whole(self) -> None:
        x = convert(drawn(2, 5, 3))
        with recording():
            pieces = unstack(x, 1)
            loss = functions.reduce_sum(pieces[1] * 2.0) + functions.reduce_sum(pieces[4] * 3.0)
        (gradient,) = gradients(loss, [x])
        assert gradient is not None
        assert gradient.numpy()[0, :, 0].tolist() == [0, 2, 0, 0, 3]


class TestArithmetic:
    """One layer each against the formulas."""

    x = drawn(2, 4, 3, seed=9)

    def test_simple_rnn(self) -> None:
        layer = weighted(layers.SimpleRNN(2, return_sequences=True), self.x)
        w, u, b = layer.get_weights()
        h = np.zeros((2, 2), np.float32)
        expected: list[Array] = []
        for t in range(4):
            h = np.tanh(self.x[:, t] @ w + h @ u + b)
            expected.append(h)
        np.testing.assert_allclose(layer(self.x).numpy(), np.stack(expected, 1), atol=1e-6)

    def test_lstm(self) -> None:
        layer = weighted(layers.LSTM(2, return_state=True), self.x)
        w, u, b = layer.get_weights()
        h = c = np.zeros((2, 2), np.float32)
        for t in range(4):
            i, f, g, o = np.split(self.x[:, t] @ w + h @ u + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        for found, expected in zip(layer(self.x), (h, h, c), strict=True):
            np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)

    @pytest.mark.parametrize("reset_after", [True, False])
    @pytest.mark.parametrize("use_bias", [True, False])
    def test_gru(self, reset_after: bool, use_bias: bool) -> None:
        layer = weighted(layers.GRU(2, reset_after=reset_after, use_bias=use_bias), self.x)
        w, u = layer.get_weights()[:2]
        bias = layer.get_weights()[2] if use_bias else np.zeros((2, 6) if reset_after else 6, np.float32)
        assert bias.shape == ((2, 6) if reset_after else (6,))
        b, inner = bias if reset_after else (bias, np.zeros(6, np.float32))
        h = np.zeros((2, 2), np.float32)
        for t in range(4):
            x_z, x_r, x_h = np.split(self.x[:, t] @ w + b, 3, axis=1)
            h_z, h_r, h_h = np.split(h @ u + inner, 3, axis=1)
            z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
            candidate = r * h_h if reset_after else (r * h) @ u[:, 4:]
            h = z * h + (1 - z) * np.tanh(x_h + candidate)
        np.testing.assert_allclose(layer(self.x).numpy(), h, atol=1e-6)

    @pytest.mark.parametrize("make", [layers.SimpleRNN, layers.LSTM, layers.GRU])
    def test_a_layer_is_an_rnn_of_its_cell(self, make: Any) -> None:
        layer = weighted(make(2), self.x)
        loop = layers.RNN(make.cell_class.from_config(layer.cell.get_config()))
        loop(self.x)
        loop.set_weights(layer.get_weights())
        np.testing.assert_array_equal(loop(self.x).numpy(), layer(self.x).numpy())

    def test_the_layer_of_cudnn_adds_its_two_biases(self) -> None:
        layer = weighted(layers.CuDNNLSTM(2), self.x)
        w, u, b = layer.get_weights()
        assert b.shape == (16,)
        other = layers.LSTM(2)
        other(self.x)
        other.set_weights([w, u, b[:8] + b[8:]])
        np.testing.assert_allclose(layer(self.x).numpy(), other(self.x).numpy(), atol=1e-6)

    def test_a_convolution_of_one_pixel_is_a_product(self) -> None:
        layer = weighted(layers.ConvLSTM2D(2, 1, recurrent_activation="sigmoid"), self.x.reshape(2, 4, 1, 1, 3))
        w, u, b = layer.get_weights()
        other = layers.LSTM(2)
        other(self.x)
        other.set_weights([w[0, 0], u[0, 0], b])
        np.testing.assert_allclose(
            layer(self.x.reshape(2, 4, 1, 1, 3)).numpy()[:, 0, 0], other(self.x).numpy(), atol=1e-6
        )

    def test_the_order_of_axes_is_only_an_order(self) -> None:
        layer = weighted(layers.GRU(2, return_sequences=True, time_major=True), self.x)
        other = layers.GRU(2, return_sequences=True)
        other(self.x)
        other.set_weights(layer.get_weights())
        turned = other(np.swapaxes(self.x, 0, 1)).numpy()
        np.testing.assert_allclose(layer(self.x).numpy(), np.swapaxes(turned, 0, 1), atol=1e-6)


class TestDropout:
    def test_is_drawn_in_training_only_and_once_for_all_times(self) -> None:
        layer = layers.SimpleRNN(
            3, activation="linear", recurrent_initializer="zeros", return_sequences=True, dropout=0.5
        )
        x = np.ones((1, 6, 4), np.float32)
        still = layer(x).numpy()
        np.testing.assert_array_equal(still, layer(x, training=False).numpy())
        rows = [layer(x, training=True).numpy()[0] for _ in range(20)]
        assert all((row == row[0]).all() for row in rows)
        assert any((row[0] != rows[0][0]).any() for row in rows)

    @pytest.mark.parametrize("make", [layers.LSTM, layers.GRU])
    def test_of_the_state_makes_the_implementation_1(self, make: Any) -> None:
        assert make(2, recurrent_dropout=0.1).get_config()["implementation"] == 1
        assert make(2).get_config()["implementation"] == 2


class Counter(layers.Layer):
    """A cell whose states are nested: a number, and a pair of it and its double."""

    state_size = (1, (1, 1))
    output_size = 1

    def call(self, inputs: Any, states: Any) -> Any:
        count, (once, twice) = states
        return inputs + twice, (count + 1.0, (once + 1.0, twice + 2.0))

    def get_config(self) -> dict[str, Any]:
        return {}


class Shifted(layers.Layer):
    """A cell that adds a constant."""

    state_size = 1

    def call(self, inputs: Any, states: Any, constants: Any) -> Any:
        total = states[0] + inputs + constants[0]
        return total, [total]

    def get_config(self) -> dict[str, Any]:
        return {}


class TestStates:
    def test_of_a_cell_of_ones_own_may_be_nested(self) -> None:
        output, count, (once, twice) = layers.RNN(Counter(), return_state=True)(np.zeros((2, 3, 1), np.float32))
        assert [float(part.numpy()[0, 0]) for part in (output, count, once, twice)] == [4, 3, 3, 6]

    def test_are_kept_by_a_stateful_layer_until_they_are_reset(self) -> None:
        x = drawn(2, 6, 3)
        whole = weighted(layers.LSTM(2), x)
        parts = layers.LSTM(2, stateful=True)
        parts(x[:, :2])
        parts.set_weights(whole.get_weights())
        parts.reset_states()
        parts(x[:, :2])
        np.testing.assert_allclose(parts(x[:, 2:]).numpy(), whole(x).numpy(), atol=1e-6)
        parts.reset_states()
        np.testing.assert_allclose(parts(x).numpy(), whole(x).numpy(), atol=1e-6)
        assert len(parts.weights) == 3

    def test_are_given_by_the_user(self) -> None:
        x = drawn(2, 6, 3)
        whole = weighted(layers.LSTM(2, return_state=True), x)
        _, h, c = whole(x[:, :3])
        np.testing.assert_allclose(whole(x[:, 3:], initial_state=[h, c])[0].numpy(), whole(x)[0].numpy(), atol=1e-6)

    def test_given_to_a_stateful_layer_have_the_right_shape(self) -> None:
        layer = layers.GRU(2, stateful=True)
        layer(drawn(2, 3, 1))
        with pytest.raises(ValueError, match=r"expects 1 states of the shapes \[\(2, 2\)\].*\[\(3, 2\)\]"):
            layer.reset_states([np.zeros((3, 2))])
        layer.reset_states([np.ones((2, 2), np.float32)])
        assert layer.states[0].numpy().tolist() == [[1, 1], [1, 1]]

    def test_need_a_batch_size_to_be_kept(self) -> None:
        with pytest.raises(ValueError, match="needs to know its batch size"):
            layers.LSTM(2, stateful=True)(keras.Input((3, 2)))

    def test_are_as_many_as_the_cell_has(self) -> None:
        with pytest.raises(ValueError, match="has 2 states but was passed 1"):
            layers.LSTM(2)(drawn(2, 3, 1), initial_state=[np.zeros((2, 2), np.float32)])

    def test_are_inputs_of_a_functional_model_and_in_its_config(self) -> None:
        x, h, c = keras.Input((5, 3)), keras.Input((2,)), keras.Input((2,))
        model = keras.Model([x, h, c], layers.LSTM(2)(x, initial_state=[h, c]))
        entry = model.get_config()["layers"][-1]
        assert entry["inbound_nodes"] == [[["input_1", 0, 0, {}], ["input_2", 0, 0, {}], ["input_3", 0, 0, {}]]]
        again = keras.models.model_from_json(model.to_json())
        again.set_weights(model.get_weights())
        data = [drawn(2, 5, 3), drawn(2, 2), drawn(2, 2, seed=1)]
        np.testing.assert_array_equal(again.predict(data), model.predict(data))
        assert not np.allclose(model.predict(data), model.predict([data[0], data[1] * 0, data[2]]))

    def test_and_constants_are_told_apart_after_a_round_trip(self) -> None:
        x, k = keras.Input((3, 1)), keras.Input((1,))
        model = keras.Model([x, k], layers.RNN(Shifted())(x, constants=k))
        config = model.get_config()
        assert config["layers"][-1]["config"]["num_constants"] == 1
        again = keras.Model.from_config(config, custom_objects={"Shifted": Shifted})
        data = [np.ones((2, 3, 1), np.float32), np.full((2, 1), 10, np.float32)]
        assert again.predict(data).tolist() == model.predict(data).tolist() == [[33], [33]]


class TestConfigs:
    def test_without_reset_after_say_that_it_is_not(self) -> None:
        config = layers.GRU(2).get_config()
        assert config.pop("reset_after") is True
        assert layers.GRU.from_config(config).reset_after is False

    def test_of_the_implementation_0_are_1(self) -> None:
        config = {**layers.LSTM(2).get_config(), "implementation": 0}
        assert layers.LSTM.from_config(config).implementation == 1

    @pytest.mark.parametrize(
        "layer",
        [
            layers.SimpleRNN(2, "relu", dropout=0.1),
            layers.LSTM(2, unit_forget_bias=False, return_sequences=True, activity_regularizer="l2"),
            layers.GRU(2, recurrent_regularizer="l1", kernel_constraint="non_neg"),
            layers.ConvLSTM2D(2, (1, 2), padding="same", data_format="channels_last"),
            layers.RNN([layers.LSTMCell(2), layers.GRUCell(3, reset_after=False)], zero_output_for_mask=True),
            layers.Bidirectional(layers.LSTM(2), backward_layer=layers.GRU(2, go_backwards=True), merge_mode="sum"),
            layers.TimeDistributed(layers.Dense(2)),
            layers.Masking(2.0),
        ],
        ids=lambda layer: type(layer).__name__,
    )
    def test_make_the_same_layer(self, layer: Any) -> None:
        form = layers.serialize(layer)
        assert layers.serialize(layers.deserialize(form)) == form

    def test_of_a_layer_name_the_arguments_of_its_cell_and_not_the_cell(self) -> None:
        config = layers.LSTM(2).get_config()
        assert "cell" not in config
        assert config["unit_forget_bias"] is True

    def test_an_unknown_argument_is_refused(self) -> None:
        with pytest.raises(TypeError, match="not understood"):
            layers.LSTM(2, activaton="relu")


class TestNames:
    @pytest.mark.parametrize(
        ("layer", "name"),
        [
            (lambda: layers.LSTM(2), "lstm/lstm_cell/kernel:0"),
            (lambda: layers.GRU(2), "gru/gru_cell/kernel:0"),
            (lambda: layers.SimpleRNN(2), "simple_rnn/simple_rnn_cell/kernel:0"),
            (lambda: layers.RNN([layers.GRUCell(2)]), "rnn/stacked_rnn_cells/gru_cell/kernel:0"),
            (lambda: layers.Bidirectional(layers.LSTM(2)), "bidirectional/forward_lstm/lstm_cell_1/kernel:0"),
            (lambda: layers.TimeDistributed(layers.Dense(2)), "time_distributed/kernel:0"),
        ],
    )
    def test_are_tensorflow_s(self, layer: Any, name: str) -> None:
        made = layer()
        made(keras.Input((4, 3)))
        assert made.weights[0].name == name

    def test_edges_of_checkpoints_are_tensorflow_s(self) -> None:
        layer = layers.Bidirectional(layers.LSTM(2))
        layer(keras.Input((4, 3)))
        assert [name for name, _ in layer._checkpoint_children()] == ["forward_layer", "backward_layer"]
        assert [name for name, _ in layer.forward_layer._checkpoint_children()] == ["cell", "state_spec"]
        assert [name for name, _ in layer.forward_layer.cell._checkpoint_children()] == [
            "kernel", "recurrent_kernel", "bias",
        ]  # fmt: skip


class TestBidirectional:
    x = drawn(2, 4, 3)

    def parts(self, **arguments: Any) -> tuple[Any, Array, Array]:
        layer = weighted(layers.Bidirectional(layers.GRU(2, return_sequences=True), **arguments), self.x)
        forward, backward = layer.forward_layer(self.x).numpy(), layer.backward_layer(self.x).numpy()[:, ::-1]
        return layer, forward, backward

    def test_concatenates(self) -> None:
        layer, forward, backward = self.parts()
        np.testing.assert_array_equal(layer(self.x).numpy(), np.concatenate([forward, backward], -1))

    @pytest.mark.parametrize(
        ("mode", "combine"),
        [("sum", np.add), ("mul", np.multiply), ("ave", mean)],
    )
    def test_combines(self, mode: str, combine: Any) -> None:
        layer, forward, backward = self.parts(merge_mode=mode)
        np.testing.assert_allclose(layer(self.x).numpy(), combine(forward, backward), atol=1e-7)

    def test_gives_both(self) -> None:
        layer, forward, backward = self.parts(merge_mode=None)
        for found, expected in zip(layer(self.x), (forward, backward), strict=True):
            np.testing.assert_array_equal(found.numpy(), expected)

    def test_gives_zeros_where_sequences_are_masked(self) -> None:
        layer, _, _ = self.parts()
        masked = layer(self.x, mask=np.array([[True, True, False, False]] * 2)).numpy()
        assert (masked[:, 2:] == 0).all()
        assert (masked[:, :2] != 0).all()

    def test_wants_two_directions(self) -> None:
        with pytest.raises(ValueError, match="must differ in `go_backwards`"):
            layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))
        with pytest.raises(ValueError, match="Invalid merge mode"):
            layers.Bidirectional(layers.LSTM(2), merge_mode="max")


class TestTimeDistributed:
    def test_applies_the_layer_to_each_time(self) -> None:
        x = drawn(2, 3, 4, 4, 1)
        layer = layers.TimeDistributed(layers.Conv2D(2, 3))
        whole = layer(x).numpy()
        for time in range(3):
            np.testing.assert_allclose(whole[:, time], layer.layer(x[:, time]).numpy(), atol=1e-6)

    def test_takes_no_less_than_three_axes(self) -> None:
        with pytest.raises(ValueError, match="at least 3 dimensions"):
            layers.TimeDistributed(layers.Dense(2))(drawn(2, 3))


class TestMasks:
    x = np.array([[[1, 1], [0, 0], [0, 2]]], np.float32)

    def test_of_masking_are_true_where_a_feature_differs(self) -> None:
        output = layers.Masking()(self.x)
        assert output.mask.numpy().tolist() == [[True, False, True]]
        assert layers.Masking(1.0)(self.x).numpy().tolist() == [[[0, 0], [0, 0], [0, 2]]]

    @pytest.mark.parametrize("sequences", [True, False])
    def test_go_through_a_recurrent_layer_that_returns_sequences(self, sequences: bool) -> None:
        output = layers.GRU(2, return_sequences=sequences, return_state=True)(layers.Masking()(self.x))
        assert [leaf.mask is not None for leaf in output] == [sequences, False]

    def test_reach_the_loop(self) -> None:
        layer = weighted(layers.GRU(2), self.x)
        skipped = layer(layers.Masking()(self.x)).numpy()
        np.testing.assert_allclose(skipped, layer(self.x[:, [0, 2]]).numpy(), atol=1e-6)
        assert not np.allclose(skipped, layer(self.x).numpy())

    def test_are_joined_by_concatenate_and_add(self) -> None:
        first = layers.Masking()(self.x)
        second = layers.Masking()(self.x[:, ::-1].copy() * np.array([[[1], [1], [0]]], np.float32))
        assert layers.Add()([first, second]).mask.numpy().tolist() == [[True, False, False]]
        assert layers.Concatenate()([first, second]).mask.numpy().tolist() == [[True, False, False]]
        assert layers.Concatenate(axis=1)([first, second]).mask.numpy().shape == (1, 6)

    def test_of_an_embedding_are_false_for_row_0(self) -> None:
        rows = np.array([[0, 2, 1]])
        assert layers.Embedding(3, 2, mask_zero=True)(rows).mask.numpy().tolist() == [[False, True, True]]
        assert layers.Embedding(3, 2)(rows).mask is None


@pytest.mark.parametrize("implementation", [1, 2])
def test_a_cell_with_peepholes(implementation: int) -> None:
    x = drawn(2, 3, 4)
    layer = weighted(layers.RNN(layers.PeepholeLSTMCell(5, implementation=implementation)), x)
    kernel, recurrent, bias, into, forget, out = layer.get_weights()
    h = c = np.zeros((2, 5), np.float32)
    for time in range(3):
        gates = np.split(x[:, time] @ kernel + h @ recurrent + bias, 4, axis=1)
        hard = [np.clip(0.2 * gate + 0.5, 0, 1) for gate in (gates[0] + into * c, gates[1] + forget * c)]
        c = hard[1] * c + hard[0] * np.tanh(gates[2])
        h = np.clip(0.2 * (gates[3] + out * c) + 0.5, 0, 1) * np.tanh(c)
    np.testing.assert_allclose(layer(x).numpy(), h, rtol=1e-5, atol=1e-6)
    again = layers.deserialize(layers.serialize(layer))
    assert type(again.cell) is layers.PeepholeLSTMCell
