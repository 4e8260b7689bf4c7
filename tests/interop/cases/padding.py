"""Zeros around the space, cutting it, and repeating its elements."""

CASES = {
    "zero-padding-1d": dict(layer=lambda L: L.ZeroPadding1D((1, 2)), inputs=[(4, 3)]),
    "zero-padding-2d": dict(layer=lambda L: L.ZeroPadding2D(((1, 2), (0, 3))), inputs=[(4, 3, 2)]),
    "zero-padding-2d-channels-first": dict(
        layer=lambda L: L.ZeroPadding2D((1, 2), data_format="channels_first"), inputs=[(2, 4, 3)]
    ),
    "zero-padding-3d": dict(layer=lambda L: L.ZeroPadding3D((1, 2, 1)), inputs=[(2, 3, 2, 2)]),
    "cropping-1d": dict(layer=lambda L: L.Cropping1D((1, 2)), inputs=[(6, 3)]),
    "cropping-2d": dict(layer=lambda L: L.Cropping2D(((1, 0), (2, 1))), inputs=[(4, 5, 2)]),
    "cropping-3d": dict(layer=lambda L: L.Cropping3D(((1, 0), (0, 1), (1, 1))), inputs=[(3, 4, 5, 2)]),
    "up-sampling-1d": dict(layer=lambda L: L.UpSampling1D(3), inputs=[(4, 3)]),
    "up-sampling-2d": dict(layer=lambda L: L.UpSampling2D((2, 3)), inputs=[(3, 4, 2)]),
    "up-sampling-2d-bilinear": dict(
        layer=lambda L: L.UpSampling2D((2, 3), interpolation="bilinear"), inputs=[(3, 4, 2)]
    ),
    "up-sampling-3d": dict(layer=lambda L: L.UpSampling3D((2, 1, 3)), inputs=[(2, 3, 2, 2)]),
}
