"""Dense, the layers that shape, and what adds losses."""

# Runs inside every library too: Python 3.8, the standard library and NumPy alone.

CASES = {
    "dense": dict(layer=lambda L: L.Dense(4), inputs=[(3,)]),
    "dense-relu-no-bias": dict(layer=lambda L: L.Dense(4, activation="relu", use_bias=False), inputs=[(3,)]),
    "dense-3d": dict(layer=lambda L: L.Dense(4, activation="tanh"), inputs=[(5, 3)], mask=True),
    "dense-regularized": dict(
        layer=lambda L: L.Dense(4, kernel_regularizer="l2", bias_regularizer="l1", kernel_constraint="max_norm"),
        inputs=[(3,)],
    ),
    "activation": dict(layer=lambda L: L.Activation("softplus"), inputs=[(3, 2)], mask=True),
    "activity-regularization": dict(layer=lambda L: L.ActivityRegularization(0.1, 0.2), inputs=[(3,)]),
    "flatten": dict(layer=lambda L: L.Flatten(), inputs=[(3, 2, 4)]),
    "flatten-channels-first": dict(layer=lambda L: L.Flatten(data_format="channels_first"), inputs=[(3, 2, 4)]),
    "reshape": dict(layer=lambda L: L.Reshape((4, -1)), inputs=[(6, 2)]),
    "permute": dict(layer=lambda L: L.Permute((3, 1, 2)), inputs=[(2, 3, 4)]),
    "repeat-vector": dict(layer=lambda L: L.RepeatVector(3), inputs=[(4,)]),
    "identity": dict(
        layer=lambda L: L.Identity(), inputs=[(3,)], but={"tf2.4": "the layer is later than TensorFlow 2.4"}
    ),
    "random-fourier-features": dict(
        layer=lambda L: L.RandomFourierFeatures(5, scale=2.0),
        inputs=[(3,)],
        but={
            "tf2.4": "its loaders do not know the class",
            "tf2.15": "its loaders do not know the class",
            "tf-keras": "its loaders do not know the class",
            "keras3": "the layer is not in Keras 3",
        },
    ),
}
