"""Advanced activations."""

CASES = {
    "relu": dict(
        layer=lambda L: L.ReLU(max_value=0.8, negative_slope=0.1, threshold=0.2),
        inputs=[(4, 3)],
    ),
    "relu-plain": dict(layer=lambda L: L.ReLU(), inputs=[(3,)]),
    "relu-6": dict(layer=lambda L: L.ReLU(6.0), inputs=[(3,)]),
    "leaky-relu": dict(layer=lambda L: L.LeakyReLU(), inputs=[(4, 3)], mask=True),
    "elu": dict(layer=lambda L: L.ELU(0.7), inputs=[(4, 3)], mask=True),
    "thresholded-relu": dict(
        layer=lambda L: L.ThresholdedReLU(0.3), inputs=[(4, 3)], but={"keras3": "the layer is not in Keras 3"}
    ),
    "prelu": dict(layer=lambda L: L.PReLU(), inputs=[(4, 3)], mask=True),
    "prelu-shared": dict(layer=lambda L: L.PReLU(shared_axes=[1, 2]), inputs=[(2, 4, 3)]),
    "softmax": dict(layer=lambda L: L.Softmax(), inputs=[(4, 3)]),
    "softmax-axis": dict(layer=lambda L: L.Softmax(axis=1), inputs=[(4, 3)]),
    "softmax-axes": dict(layer=lambda L: L.Softmax(axis=[1, 2]), inputs=[(4, 3)]),
}
