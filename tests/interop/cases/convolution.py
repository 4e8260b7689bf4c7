"""Convolutions. TensorFlow's CPU kernels have channels last only, and no groups in 2.4."""

_NO_GROUPS = {"tf2.4": "its CPU kernels have no groups"}
_LATER = {"tf2.4": "the layer is later than TensorFlow 2.4"}

CASES = {
    "conv1d": dict(layer=lambda L: L.Conv1D(4, 3), inputs=[(8, 3)]),
    "conv1d-causal": dict(layer=lambda L: L.Conv1D(4, 3, padding="causal", dilation_rate=2), inputs=[(8, 3)]),
    "conv1d-same-strides": dict(layer=lambda L: L.Conv1D(2, 4, strides=3, padding="same"), inputs=[(8, 3)]),
    "conv2d": dict(layer=lambda L: L.Conv2D(4, 3, activation="tanh"), inputs=[(6, 7, 3)]),
    "conv2d-same-strides": dict(
        layer=lambda L: L.Conv2D(4, (3, 2), strides=(2, 3), padding="same"), inputs=[(7, 8, 3)]
    ),
    "conv2d-dilated": dict(layer=lambda L: L.Conv2D(4, 3, dilation_rate=(2, 3)), inputs=[(9, 9, 2)]),
    "conv2d-dilated-same": dict(
        layer=lambda L: L.Conv2D(4, 3, dilation_rate=2, padding="same", use_bias=False), inputs=[(5, 6, 2)]
    ),
    "conv2d-groups": dict(layer=lambda L: L.Conv2D(6, 3, groups=2), inputs=[(5, 6, 4)], but=_NO_GROUPS),
    "conv2d-regularized": dict(
        layer=lambda L: L.Conv2D(2, 2, kernel_regularizer="l2", kernel_constraint="non_neg"), inputs=[(4, 4, 2)]
    ),
    "conv3d": dict(layer=lambda L: L.Conv3D(3, (2, 3, 2), strides=(1, 2, 1)), inputs=[(4, 5, 4, 2)]),
    "conv3d-same": dict(layer=lambda L: L.Conv3D(3, 2, padding="same"), inputs=[(3, 4, 3, 2)]),
    "conv1d-transpose": dict(layer=lambda L: L.Conv1DTranspose(3, 4, strides=2), inputs=[(5, 2)]),
    "conv1d-transpose-same": dict(
        layer=lambda L: L.Conv1DTranspose(3, 4, strides=3, padding="same", output_padding=1), inputs=[(5, 2)]
    ),
    "conv2d-transpose": dict(layer=lambda L: L.Conv2DTranspose(3, (3, 2), strides=(2, 3)), inputs=[(4, 5, 2)]),
    "conv2d-transpose-same": dict(
        layer=lambda L: L.Conv2DTranspose(3, 3, strides=2, padding="same"), inputs=[(4, 5, 2)]
    ),
    "conv2d-transpose-output-padding": dict(
        layer=lambda L: L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1), inputs=[(4, 5, 2)]
    ),
    "conv2d-transpose-dilated": dict(layer=lambda L: L.Conv2DTranspose(3, 3, dilation_rate=2), inputs=[(4, 5, 2)]),
    "conv3d-transpose": dict(layer=lambda L: L.Conv3DTranspose(2, 2, strides=(1, 2, 3)), inputs=[(3, 2, 3, 2)]),
    "depthwise-conv1d": dict(
        layer=lambda L: L.DepthwiseConv1D(3, strides=2, depth_multiplier=2), inputs=[(7, 2)], but=_LATER
    ),
    "depthwise-conv2d": dict(layer=lambda L: L.DepthwiseConv2D(3, depth_multiplier=2), inputs=[(6, 5, 3)]),
    "depthwise-conv2d-same": dict(
        layer=lambda L: L.DepthwiseConv2D((3, 2), strides=2, padding="same"), inputs=[(6, 5, 3)]
    ),
    "depthwise-conv2d-dilated": dict(layer=lambda L: L.DepthwiseConv2D(2, dilation_rate=(2, 2)), inputs=[(6, 5, 3)]),
    "separable-conv1d": dict(layer=lambda L: L.SeparableConv1D(4, 3, depth_multiplier=2), inputs=[(8, 3)]),
    "separable-conv1d-causal": dict(
        layer=lambda L: L.SeparableConv1D(4, 3, padding="causal", dilation_rate=2), inputs=[(8, 3)]
    ),
    "separable-conv2d": dict(
        layer=lambda L: L.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu"), inputs=[(6, 5, 3)]
    ),
    "separable-conv2d-same": dict(
        layer=lambda L: L.SeparableConv2D(4, (2, 3), strides=2, padding="same"), inputs=[(6, 5, 3)]
    ),
}

for _case in CASES.values():
    _case.setdefault("tolerance", 1e-5)
