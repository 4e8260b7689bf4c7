"""Layers that disturb in training."""

CASES = {
    "dropout": dict(layer=lambda L: L.Dropout(0.5), inputs=[(4, 3)], random=True, mask=True),
    "dropout-noise-shape": dict(
        layer=lambda L: L.Dropout(0.3, noise_shape=(None, 1, 3), seed=2), inputs=[(4, 3)], random=True
    ),
    "dropout-none": dict(layer=lambda L: L.Dropout(0.0), inputs=[(3,)]),
    "spatial-dropout-1d": dict(layer=lambda L: L.SpatialDropout1D(0.4), inputs=[(4, 3)], random=True, mask=True),
    "spatial-dropout-2d": dict(layer=lambda L: L.SpatialDropout2D(0.4), inputs=[(4, 2, 3)], random=True),
    "spatial-dropout-3d": dict(layer=lambda L: L.SpatialDropout3D(0.4), inputs=[(2, 4, 2, 3)], random=True),
    "gaussian-noise": dict(layer=lambda L: L.GaussianNoise(0.3), inputs=[(4, 3)], random=True, mask=True),
    "gaussian-dropout": dict(layer=lambda L: L.GaussianDropout(0.3), inputs=[(4, 3)], random=True, mask=True),
    "alpha-dropout": dict(layer=lambda L: L.AlphaDropout(0.3), inputs=[(4, 3)], random=True, mask=True),
}
