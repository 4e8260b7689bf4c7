"""Normalisation layers."""

_LATER = {"tf2.4": "the layer is later than TensorFlow 2.4"}
_ONE_AXIS = {"keras3": "Keras 3 normalises along one axis only"}

CASES = {
    "batch-normalization": dict(layer=lambda L: L.BatchNormalization(), inputs=[(3,)]),
    "batch-normalization-3d": dict(
        layer=lambda L: L.BatchNormalization(momentum=0.8, epsilon=1e-2, scale=False), inputs=[(4, 3)]
    ),
    "batch-normalization-images": dict(layer=lambda L: L.BatchNormalization(momentum=0.9), inputs=[(3, 2, 4)]),
    "batch-normalization-images-first": dict(
        layer=lambda L: L.BatchNormalization(axis=2, center=False), inputs=[(3, 2, 4)]
    ),
    "batch-normalization-volumes": dict(
        layer=lambda L: L.BatchNormalization(),
        inputs=[(2, 3, 2, 4)],
        but={
            "tf2.15": "it moves towards the unbiased variance for rank 5 too",
            "tf-keras": "it moves towards the unbiased variance for rank 5 too",
        },
    ),
    "batch-normalization-axes": dict(
        layer=lambda L: L.BatchNormalization(axis=[1, 3]), inputs=[(3, 2, 4)], but=_ONE_AXIS
    ),
    "batch-normalization-frozen": dict(layer=lambda L: L.BatchNormalization(trainable=False), inputs=[(3,)]),
    "batch-normalization-renorm": dict(
        layer=lambda L: L.BatchNormalization(
            renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.5, "dmax": 0.5}, renorm_momentum=0.9
        ),
        inputs=[(3,)],
    ),
    "sync-batch-normalization": dict(
        layer=lambda L: L.SyncBatchNormalization(), inputs=[(4, 3)], but={"keras3": "an argument there"}
    ),
    "layer-normalization": dict(layer=lambda L: L.LayerNormalization(), inputs=[(4, 3)]),
    "layer-normalization-axes": dict(layer=lambda L: L.LayerNormalization(axis=[1, 2]), inputs=[(4, 3, 2)]),
    "layer-normalization-last-two": dict(
        layer=lambda L: L.LayerNormalization(axis=[-2, -1], center=False), inputs=[(4, 3, 2)]
    ),
    "layer-normalization-exact": dict(layer=lambda L: L.LayerNormalization(epsilon=1e-6), inputs=[(4, 3)]),
    "layer-normalization-axis-1": dict(layer=lambda L: L.LayerNormalization(axis=1, scale=False), inputs=[(4, 3)]),
    "group-normalization": dict(layer=lambda L: L.GroupNormalization(2), inputs=[(3, 4)], but=_LATER),
    "group-normalization-images": dict(
        layer=lambda L: L.GroupNormalization(-1, axis=1), inputs=[(4, 3, 2)], but=_LATER
    ),
    "unit-normalization": dict(layer=lambda L: L.UnitNormalization(), inputs=[(3, 4)], but=_LATER),
    "unit-normalization-axes": dict(layer=lambda L: L.UnitNormalization(axis=[1, 2]), inputs=[(3, 4)], but=_LATER),
}
