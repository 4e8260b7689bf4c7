"""Preprocessing layers. Arguments that both generations of a layer know are given by position or by their old names."""

_OLD = dict.fromkeys(("tf2.15", "tf-keras", "keras3"), "the argument or its meaning is TensorFlow 2.4's own")
_LATER = {"tf2.4": "the layer or the argument is later than TensorFlow 2.4"}
_WORDS = [b"a", b"bb", b"", b"zz", b"[UNK]", b"ccc", b"d"]
_TEXTS = [b"The quick, brown FOX!", b"jumped over the lazy dog's back", b"", b"a  b\tthe c", b"fox fox -- fox"]
_VOCABULARY = ["a", "bb", "ccc"]
_STALE = dict.fromkeys(
    ("keras3",), "its outputs are those of the values at the time of building, whatever is loaded or set later"
)
_TABLE = {"tf2.4": "its lists of weights have the two tensors of the table; test_tables.py exchanges it"}
_IMAGES = [(5, 6, 3)]
_TEXT_VOCABULARY = ["the", "fox", "quick", "the quick", "b"]

CASES = {
    "normalization": dict(layer=lambda L: L.Normalization(), inputs=[(3,)], but=_STALE),
    "normalization-axes": dict(layer=lambda L: L.Normalization(axis=(1, 3)), inputs=[(2, 4, 3)], but=_STALE),
    "normalization-scalar": dict(layer=lambda L: L.Normalization(axis=None), inputs=[(3,)], but=_STALE),
    "normalization-given": dict(
        layer=lambda L: L.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.5]), inputs=[(2,)], but=_OLD
    ),
    "normalization-invert": dict(
        layer=lambda L: L.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.5], invert=True), inputs=[(2,)], but=_LATER
    ),
    "rescaling": dict(layer=lambda L: L.Rescaling(0.5, offset=-1.0), inputs=[(4, 3)]),
    "discretization-bins": dict(
        layer=lambda L: L.Discretization(bins=[-0.5, 0.0, 1.0]),
        inputs=[(4,)],
        gradients=False,
        but={"keras3": _OLD["keras3"]},
    ),
    "discretization": dict(
        layer=lambda L: L.Discretization(bin_boundaries=[-0.5, 0.0, 1.0]), inputs=[(4,)], gradients=False, but=_LATER
    ),
    "discretization-one-hot": dict(
        layer=lambda L: L.Discretization(bin_boundaries=[-0.5, 0.0, 1.0], output_mode="multi_hot"),
        inputs=[(4,)],
        gradients=False,
        but=_LATER,
    ),
    "category-encoding-binary": dict(
        layer=lambda L: L.CategoryEncoding(6, "binary"),
        inputs=[(4,)],
        integers=6,
        gradients=False,
    ),
    "category-encoding-count": dict(
        layer=lambda L: L.CategoryEncoding(6, "count"), inputs=[(4,)], integers=6, gradients=False
    ),
    "category-encoding-tf-idf": dict(
        layer=lambda L: L.CategoryEncoding(6, "tf-idf"), inputs=[(4,)], integers=6, gradients=False, but=_OLD
    ),
    "category-encoding-one-hot": dict(
        layer=lambda L: L.CategoryEncoding(num_tokens=6, output_mode="one_hot"),
        inputs=[()],
        integers=6,
        gradients=False,
        but=_LATER,
    ),
    "hashing": dict(
        layer=lambda L: L.Hashing(7, output_mode="int"), inputs=[(2,)], strings=_WORDS, gradients=False, but=_LATER
    ),
    "hashing-salt": dict(layer=lambda L: L.Hashing(7, salt=[3, 5]), inputs=[(2,)], strings=_WORDS, gradients=False),
    "hashing-integers": dict(
        layer=lambda L: L.Hashing(7, output_mode="int"), inputs=[(2,)], integers=100, gradients=False, but=_LATER
    ),
    "hashing-masked": dict(
        layer=lambda L: L.Hashing(7, mask_value="a"), inputs=[(2,)], strings=_WORDS, gradients=False, but=_LATER
    ),
    "hashing-counts": dict(
        layer=lambda L: L.Hashing(7, output_mode="count"), inputs=[(3,)], strings=_WORDS, gradients=False, but=_LATER
    ),
    "hashed-crossing": dict(
        layer=lambda L: L.HashedCrossing(9), inputs=[(1,), (1,)], strings=_WORDS, gradients=False, but=_LATER
    ),
    "hashed-crossing-three": dict(
        layer=lambda L: L.HashedCrossing(9),
        inputs=[(1,), (1,), (1,)],
        strings=_WORDS,
        gradients=False,
        but={**_LATER, "keras3": "of symbolic tensors it takes two and no more"},
    ),
    "category-crossing": dict(
        layer=lambda L: L.CategoryCrossing(depth=2, separator="*"),
        inputs=[(2,), (3,)],
        strings=_WORDS,
        gradients=False,
        but=_OLD,
    ),
    "string-lookup": dict(
        layer=lambda L: L.StringLookup(vocabulary=_VOCABULARY, mask_token="", output_mode="int"),
        inputs=[(4,)],
        strings=_WORDS,
        gradients=False,
        but=_TABLE,
    ),
    "string-lookup-oov": dict(
        layer=lambda L: L.StringLookup(vocabulary=_VOCABULARY, mask_token="", num_oov_indices=3),
        inputs=[(4,)],
        strings=_WORDS,
        gradients=False,
        but={
            **_TABLE,
            "tf2.15": "it knows no word [UNK]",
            "tf-keras": "it knows no word [UNK]",
            "keras3": "it knows no word [UNK]",
        },
    ),
    "string-lookup-inverse": dict(
        layer=lambda L: L.StringLookup(vocabulary=_VOCABULARY, mask_token=None, invert=True, output_mode="int"),
        inputs=[(4,)],
        integers=5,
        gradients=False,
        but={**_TABLE, "tf2.4": "there the vocabulary begins at 0"},
    ),
    "string-lookup-multi-hot": dict(
        layer=lambda L: L.StringLookup(vocabulary=_VOCABULARY, mask_token="", output_mode="multi_hot"),
        inputs=[(4,)],
        strings=_WORDS,
        gradients=False,
        but=_LATER,
    ),
    "string-lookup-tf-idf": dict(
        layer=lambda L: L.StringLookup(vocabulary=_VOCABULARY, output_mode="tf_idf", idf_weights=[0.5, 1.0, 2.0]),
        inputs=[(4,)],
        strings=_WORDS,
        gradients=False,
        but=_LATER,
    ),
    "string-lookup-padded": dict(
        layer=lambda L: L.StringLookup(
            max_tokens=7, vocabulary=_VOCABULARY, num_oov_indices=2, output_mode="count", pad_to_max_tokens=True
        ),
        inputs=[(4,)],
        strings=_WORDS,
        gradients=False,
        but=_LATER,
    ),
    "integer-lookup": dict(
        layer=lambda L: L.IntegerLookup(vocabulary=[3, 1, 4], output_mode="int"),
        inputs=[(4,)],
        integers=7,
        gradients=False,
        but=_TABLE,
    ),
    "integer-lookup-oov": dict(
        layer=lambda L: L.IntegerLookup(vocabulary=[3, 1, 4], num_oov_indices=2, output_mode="int"),
        inputs=[(4,)],
        integers=7,
        gradients=False,
        but=_TABLE,
    ),
    "integer-lookup-one-hot": dict(
        layer=lambda L: L.IntegerLookup(vocabulary=[3, 1, 4], output_mode="one_hot"),
        inputs=[(1,)],
        integers=7,
        gradients=False,
        but=_LATER,
    ),
    "text-vectorization": dict(
        layer=lambda L: L.TextVectorization(vocabulary=_TEXT_VOCABULARY, encoding="utf-8"),
        inputs=[(1,)],
        strings=_TEXTS,
        gradients=False,
        but=_TABLE,
    ),
    "text-vectorization-ngrams": dict(
        layer=lambda L: L.TextVectorization(
            vocabulary=_TEXT_VOCABULARY, ngrams=2, output_sequence_length=5, encoding="utf-8"
        ),
        inputs=[(1,)],
        strings=_TEXTS,
        gradients=False,
        but=_TABLE,
    ),
    "text-vectorization-counts": dict(
        layer=lambda L: L.TextVectorization(
            max_tokens=8, vocabulary=_TEXT_VOCABULARY, output_mode="count", pad_to_max_tokens=True, encoding="utf-8"
        ),
        inputs=[(1,)],
        strings=_TEXTS,
        gradients=False,
        but=_TABLE,
    ),
    "text-vectorization-binary": dict(
        layer=lambda L: L.TextVectorization(
            max_tokens=8, vocabulary=_TEXT_VOCABULARY, output_mode="binary", pad_to_max_tokens=True, encoding="utf-8"
        ),
        inputs=[(1,)],
        strings=_TEXTS,
        gradients=False,
        but=_TABLE,
    ),
    "text-vectorization-characters": dict(
        layer=lambda L: L.TextVectorization(
            vocabulary=["a", "b", "é"], standardize="lower", split="character", output_sequence_length=6
        ),
        inputs=[(1,)],
        strings=_TEXTS,
        gradients=False,
        but=_LATER,
    ),
    "text-vectorization-tf-idf": dict(
        layer=lambda L: L.TextVectorization(
            vocabulary=_TEXT_VOCABULARY, idf_weights=[1.0, 2.0, 3.0, 4.0, 5.0], output_mode="tf_idf"
        ),
        inputs=[(1,)],
        strings=_TEXTS,
        gradients=False,
        but=_LATER,
    ),
    "resizing": dict(layer=lambda L: L.Resizing(3, 4), inputs=_IMAGES),
    "resizing-up-nearest": dict(layer=lambda L: L.Resizing(7, 9, interpolation="nearest"), inputs=_IMAGES),
    "resizing-cropped": dict(layer=lambda L: L.Resizing(4, 2, crop_to_aspect_ratio=True), inputs=_IMAGES, but=_LATER),
    "center-crop": dict(layer=lambda L: L.CenterCrop(3, 3), inputs=_IMAGES),
    "random-crop": dict(
        layer=lambda L: L.RandomCrop(3, 4),
        inputs=_IMAGES,
        random=True,
        but=dict.fromkeys(("tf2.15", "tf-keras", "keras3"), "out of training it cuts first and resizes then"),
    ),
    "random-flip": dict(layer=lambda L: L.RandomFlip("horizontal"), inputs=_IMAGES, random=True),
    "random-translation": dict(layer=lambda L: L.RandomTranslation(0.1, (-0.2, 0.3)), inputs=_IMAGES, random=True),
    "random-rotation": dict(layer=lambda L: L.RandomRotation(0.2, fill_mode="wrap"), inputs=_IMAGES, random=True),
    "random-zoom": dict(layer=lambda L: L.RandomZoom((-0.2, 0.3)), inputs=_IMAGES, random=True),
    "random-contrast": dict(layer=lambda L: L.RandomContrast(0.2), inputs=_IMAGES, random=True),
    "random-height": dict(
        layer=lambda L: L.RandomHeight(0.2), inputs=_IMAGES, random=True, but={"keras3": "the layer is gone"}
    ),
    "random-width": dict(
        layer=lambda L: L.RandomWidth(0.2), inputs=_IMAGES, random=True, but={"keras3": "the layer is gone"}
    ),
    "random-brightness": dict(
        layer=lambda L: L.RandomBrightness(0.2, value_range=(-3.0, 3.0)), inputs=_IMAGES, random=True, but=_LATER
    ),
}
