"""Pooling."""

_LATER = {"tf2.4": "the argument is later than TensorFlow 2.4"}

CASES = {
    "max-pooling-1d": dict(layer=lambda L: L.MaxPooling1D(2), inputs=[(7, 3)]),
    "max-pooling-1d-same": dict(layer=lambda L: L.MaxPooling1D(3, strides=2, padding="same"), inputs=[(8, 3)]),
    "max-pooling-2d": dict(layer=lambda L: L.MaxPooling2D((2, 3)), inputs=[(6, 7, 3)]),
    "max-pooling-2d-same": dict(layer=lambda L: L.MaxPooling2D(3, strides=(2, 1), padding="same"), inputs=[(6, 7, 3)]),
    "max-pooling-3d": dict(layer=lambda L: L.MaxPooling3D((1, 2, 2)), inputs=[(3, 4, 5, 2)]),
    "average-pooling-1d": dict(layer=lambda L: L.AveragePooling1D(2), inputs=[(7, 3)]),
    "average-pooling-2d": dict(layer=lambda L: L.AveragePooling2D((2, 3)), inputs=[(6, 7, 3)]),
    "average-pooling-2d-same": dict(
        layer=lambda L: L.AveragePooling2D(3, strides=2, padding="same"), inputs=[(6, 7, 3)]
    ),
    "average-pooling-3d-same": dict(layer=lambda L: L.AveragePooling3D(2, padding="same"), inputs=[(3, 4, 5, 2)]),
    "global-max-pooling-1d": dict(layer=lambda L: L.GlobalMaxPooling1D(), inputs=[(7, 3)]),
    "global-max-pooling-2d": dict(layer=lambda L: L.GlobalMaxPooling2D(), inputs=[(4, 5, 3)]),
    "global-max-pooling-2d-channels-first": dict(
        layer=lambda L: L.GlobalMaxPooling2D(data_format="channels_first"), inputs=[(4, 5, 3)]
    ),
    "global-max-pooling-3d": dict(layer=lambda L: L.GlobalMaxPooling3D(), inputs=[(3, 4, 2, 3)]),
    "global-average-pooling-1d": dict(layer=lambda L: L.GlobalAveragePooling1D(), inputs=[(7, 3)]),
    "global-average-pooling-1d-masked": dict(layer=lambda L: L.GlobalAveragePooling1D(), inputs=[(7, 3)], mask=True),
    "global-average-pooling-2d": dict(layer=lambda L: L.GlobalAveragePooling2D(), inputs=[(4, 5, 3)]),
    "global-average-pooling-2d-keepdims": dict(
        layer=lambda L: L.GlobalAveragePooling2D(keepdims=True), inputs=[(4, 5, 3)], but=_LATER
    ),
    "global-average-pooling-3d": dict(layer=lambda L: L.GlobalAveragePooling3D(), inputs=[(3, 4, 2, 3)]),
}
