"""Recurrent layers: the cells' arithmetic, and what the loop does with states, masks and directions."""

_LATER = {"tf2.4": "the layer is later than TensorFlow 2.4"}
_SIGMOID = {"keras3": "the default recurrent activation is sigmoid there, and hard_sigmoid is another function"}

CASES = {
    "simple-rnn": dict(layer=lambda L: L.SimpleRNN(4), inputs=[(5, 3)]),
    "simple-rnn-sequences": dict(layer=lambda L: L.SimpleRNN(4, return_sequences=True), inputs=[(5, 3)], mask=True),
    "simple-rnn-states": dict(layer=lambda L: L.SimpleRNN(4, return_state=True), inputs=[(5, 3)], mask=True),
    "lstm": dict(layer=lambda L: L.LSTM(4), inputs=[(5, 3)]),
    "lstm-masked": dict(layer=lambda L: L.LSTM(4), inputs=[(6, 3)], mask=True),
    "lstm-sequences": dict(layer=lambda L: L.LSTM(4, return_sequences=True), inputs=[(6, 3)], mask=True),
    "lstm-states": dict(
        layer=lambda L: L.LSTM(4, return_state=True, return_sequences=True, go_backwards=True), inputs=[(5, 3)]
    ),
    "lstm-activations": dict(
        layer=lambda L: L.LSTM(
            3, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False, implementation=1
        ),
        inputs=[(5, 2)],
        but={"keras3": "hard_sigmoid is another function there"},
    ),
    "lstm-unrolled": dict(layer=lambda L: L.LSTM(3, unroll=True, unit_forget_bias=False), inputs=[(4, 2)]),
    "lstm-dropout": dict(layer=lambda L: L.LSTM(3, dropout=0.3, recurrent_dropout=0.2), inputs=[(4, 2)], random=True),
    "lstm-initial-state": dict(
        layer=lambda L: lambda parts: L.LSTM(3, return_sequences=True)(parts[0], initial_state=parts[1:]),
        inputs=[(4, 2), (3,), (3,)],
    ),
    "gru": dict(layer=lambda L: L.GRU(4), inputs=[(5, 3)]),
    "gru-masked": dict(layer=lambda L: L.GRU(4, return_sequences=True), inputs=[(6, 3)], mask=True),
    "gru-reset-before": dict(layer=lambda L: L.GRU(4, reset_after=False), inputs=[(5, 3)]),
    "gru-reset-before-each-gate": dict(
        layer=lambda L: L.GRU(3, reset_after=False, implementation=1), inputs=[(5, 3)], mask=True
    ),
    "gru-no-bias": dict(
        layer=lambda L: L.GRU(4, use_bias=False, go_backwards=True, return_sequences=True), inputs=[(5, 3)]
    ),
    "rnn-of-a-cell": dict(layer=lambda L: L.RNN(L.LSTMCell(4)), inputs=[(5, 3)], mask=True),
    "rnn-of-cells": dict(
        layer=lambda L: L.RNN([L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2)], return_state=True), inputs=[(5, 3)]
    ),
    "rnn-of-stacked-cells": dict(
        layer=lambda L: L.RNN(L.StackedRNNCells([L.GRUCell(3), L.SimpleRNNCell(2)]), return_sequences=True),
        inputs=[(5, 3)],
        mask=True,
    ),
    "rnn-zeros-where-masked": dict(
        layer=lambda L: L.RNN(L.SimpleRNNCell(3), return_sequences=True, zero_output_for_mask=True),
        inputs=[(6, 2)],
        mask=True,
    ),
    "conv-lstm-1d": dict(
        layer=lambda L: L.ConvLSTM1D(2, 3, padding="same"), inputs=[(3, 5, 2)], but={**_LATER, **_SIGMOID}
    ),
    "conv-lstm-1d-sigmoid": dict(
        layer=lambda L: L.ConvLSTM1D(2, 3, recurrent_activation="sigmoid"), inputs=[(3, 5, 2)], but=_LATER
    ),
    "conv-lstm-2d": dict(layer=lambda L: L.ConvLSTM2D(2, (2, 3)), inputs=[(3, 4, 5, 2)], but=_SIGMOID),
    "conv-lstm-2d-sequences": dict(
        layer=lambda L: L.ConvLSTM2D(
            2, 3, padding="same", return_sequences=True, recurrent_activation="sigmoid", go_backwards=True
        ),
        inputs=[(3, 4, 5, 2)],
    ),
    "conv-lstm-3d": dict(
        layer=lambda L: L.ConvLSTM3D(2, 2, padding="same"), inputs=[(2, 3, 3, 2, 2)], but={**_LATER, **_SIGMOID}
    ),
    "conv-lstm-3d-sigmoid": dict(
        layer=lambda L: L.ConvLSTM3D(2, 2, recurrent_activation="sigmoid"), inputs=[(2, 3, 3, 2, 2)], but=_LATER
    ),
}

for _case in CASES.values():
    _case.setdefault("tolerance", 1e-5)
