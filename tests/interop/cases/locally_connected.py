"""Convolutions whose kernel differs from place to place."""

_GONE = {"keras3": "the layer is not in Keras 3"}

CASES = {
    "locally-connected-1d": dict(layer=lambda L: L.LocallyConnected1D(4, 3, strides=2), inputs=[(8, 3)], but=_GONE),
    "locally-connected-1d-2": dict(
        layer=lambda L: L.LocallyConnected1D(4, 3, implementation=2, padding="same"), inputs=[(5, 2)], but=_GONE
    ),
    "locally-connected-1d-3": dict(
        layer=lambda L: L.LocallyConnected1D(4, 3, implementation=3), inputs=[(5, 2)], but=_GONE
    ),
    "locally-connected-2d": dict(
        layer=lambda L: L.LocallyConnected2D(3, (2, 3), activation="tanh"), inputs=[(4, 5, 2)], but=_GONE
    ),
    "locally-connected-2d-2": dict(
        layer=lambda L: L.LocallyConnected2D(3, 2, implementation=2), inputs=[(4, 3, 2)], but=_GONE
    ),
    "locally-connected-2d-3": dict(
        layer=lambda L: L.LocallyConnected2D(3, 2, implementation=3, use_bias=False), inputs=[(4, 3, 2)], but=_GONE
    ),
}
for _case in CASES.values():
    _case.setdefault("tolerance", 1e-5)
