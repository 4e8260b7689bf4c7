"""Layers around a layer."""

CASES = {
    "time-distributed-dense": dict(layer=lambda L: L.TimeDistributed(L.Dense(4)), inputs=[(5, 3)]),
    "time-distributed-masked": dict(layer=lambda L: L.TimeDistributed(L.Dense(4)), inputs=[(5, 3)], mask=True),
    "time-distributed-lstm": dict(layer=lambda L: L.TimeDistributed(L.LSTM(3)), inputs=[(3, 4, 2)]),
    "time-distributed-masking": dict(layer=lambda L: L.TimeDistributed(L.Masking()), inputs=[(3, 4, 2)]),
    "time-distributed-conv": dict(layer=lambda L: L.TimeDistributed(L.Conv2D(2, 2)), inputs=[(3, 4, 4, 2)]),
    "time-distributed-batch-norm": dict(
        layer=lambda L: L.TimeDistributed(L.BatchNormalization()), inputs=[(4, 3)], random=True
    ),
    "bidirectional-lstm": dict(layer=lambda L: L.Bidirectional(L.LSTM(3)), inputs=[(5, 2)]),
    "bidirectional-masked": dict(
        layer=lambda L: L.Bidirectional(L.GRU(3, return_sequences=True)), inputs=[(6, 2)], mask=True
    ),
    "bidirectional-unrolled": dict(
        layer=lambda L: L.Bidirectional(L.LSTM(2, return_sequences=True, unroll=True)), inputs=[(5, 2)], mask=True
    ),
    "bidirectional-initial-state": dict(
        layer=lambda L: lambda parts: L.Bidirectional(L.GRU(3))(parts[0], initial_state=parts[1:]),
        inputs=[(4, 2), (3,), (3,)],
    ),
    "bidirectional-sum": dict(
        layer=lambda L: L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode="sum"), inputs=[(5, 2)]
    ),
    "bidirectional-mul": dict(layer=lambda L: L.Bidirectional(L.LSTM(3), merge_mode="mul"), inputs=[(5, 2)]),
    "bidirectional-ave": dict(layer=lambda L: L.Bidirectional(L.LSTM(3), merge_mode="ave"), inputs=[(5, 2)]),
    "bidirectional-apart": dict(layer=lambda L: L.Bidirectional(L.LSTM(3), merge_mode=None), inputs=[(5, 2)]),
    "bidirectional-states": dict(layer=lambda L: L.Bidirectional(L.LSTM(3, return_state=True)), inputs=[(5, 2)]),
    "bidirectional-backward-layer": dict(
        layer=lambda L: L.Bidirectional(L.LSTM(3), backward_layer=L.GRU(4, go_backwards=True)), inputs=[(5, 2)]
    ),
    "bidirectional-conv": dict(
        layer=lambda L: L.Bidirectional(L.ConvLSTM2D(2, 2, return_sequences=True)),
        inputs=[(3, 4, 4, 2)],
        but={"keras3": "the default recurrent activation is sigmoid there, and hard_sigmoid is another function"},
    ),
    "bidirectional-conv-sigmoid": dict(
        layer=lambda L: L.Bidirectional(L.ConvLSTM2D(2, 2, recurrent_activation="sigmoid")), inputs=[(3, 4, 4, 2)]
    ),
}

for _case in CASES.values():
    _case.setdefault("tolerance", 1e-5)
