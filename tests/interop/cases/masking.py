"""Masks from values."""

CASES = {
    "masking": dict(layer=lambda L: L.Masking(0.0), inputs=[(4, 3)]),
    "masking-twice": dict(layer=lambda L: L.Masking(0.5), inputs=[(4, 3)], mask=True),
}
