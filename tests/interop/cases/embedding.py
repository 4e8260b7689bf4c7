"""Embedding."""

CASES = {
    "embedding": dict(layer=lambda L: L.Embedding(7, 3), inputs=[(5,)], integers=7),
    "embedding-mask-zero": dict(layer=lambda L: L.Embedding(7, 3, mask_zero=True), inputs=[(5,)], integers=7),
    "embedding-length": dict(
        layer=lambda L: L.Embedding(7, 3, input_length=5, embeddings_regularizer="l2"),
        inputs=[(5,)],
        integers=7,
    ),
}
