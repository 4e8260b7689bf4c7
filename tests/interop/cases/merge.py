"""Layers that join several inputs."""

_PAIR = [(4, 3), (4, 3)]

CASES = {
    "add": dict(layer=lambda L: L.Add(), inputs=_PAIR, mask=True),
    "add-three-broadcast": dict(layer=lambda L: L.Add(), inputs=[(4, 3), (1, 3), (4, 1)]),
    "add-ranks": dict(layer=lambda L: L.Add(), inputs=[(4, 3), (3,)]),
    "subtract": dict(layer=lambda L: L.Subtract(), inputs=_PAIR),
    "multiply": dict(layer=lambda L: L.Multiply(), inputs=_PAIR, mask=True),
    "average": dict(layer=lambda L: L.Average(), inputs=[*_PAIR, (4, 3)]),
    "maximum": dict(layer=lambda L: L.Maximum(), inputs=[*_PAIR, (4, 3)]),
    "minimum": dict(layer=lambda L: L.Minimum(), inputs=_PAIR),
    "concatenate": dict(layer=lambda L: L.Concatenate(), inputs=[(4, 3), (4, 2)], mask=True),
    "concatenate-time": dict(layer=lambda L: L.Concatenate(axis=1), inputs=[(4, 3), (2, 3)], mask=True),
    "dot-vectors": dict(layer=lambda L: L.Dot(axes=1), inputs=[(3,), (3,)]),
    "dot-matrices": dict(layer=lambda L: L.Dot(axes=(2, 1)), inputs=[(4, 3), (3, 5)]),
    "dot-last-normalized": dict(layer=lambda L: L.Dot(axes=-1, normalize=True), inputs=[(4, 3), (5, 3)]),
    "dot-matrix-vector": dict(layer=lambda L: L.Dot(axes=(2, 1)), inputs=[(4, 3), (3,)]),
    "dot-4d": dict(layer=lambda L: L.Dot(axes=(3, 1)), inputs=[(2, 4, 3), (3, 5)]),
}
