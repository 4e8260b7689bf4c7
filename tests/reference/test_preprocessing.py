"""Preprocessing layers. The numbers are TensorFlow 2.4's, where they are not plain arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl.ops.fingerprints import fingerprint64, siphash
from reference_impl.tensors import apply, convert

L = keras.layers

STRINGS = [b"", b"a", b"abcd", b"abcdefgh", b"0123456789abcdef0", b"x" * 33, b"y" * 65, bytes(range(200))]
MODULUS = 2**62 + 12345
FAST = [1936946117179596765, 3694432073954563441, 1897425971756105985, 4533385575889606750, 3308798500642322640,
        3046993373088298437, 4023130470993625578, 525935771297148851]  # fmt: skip
STRONG = [412738600555778447, 4572192982629610292, 2808149373711103478, 2220504751640066888, 2670620417450288685,
          807393190164377722, 979394421421680864, 184497992950046369]  # fmt: skip


def test_both_hash_functions_agree_with_tensorflow() -> None:
    assert [fingerprint64(text) % MODULUS for text in STRINGS] == FAST
    assert [siphash(text, (7, 2**40 + 3)) % MODULUS for text in STRINGS] == STRONG


def test_hashing() -> None:
    words = np.array([["a", "bb"], ["ccc", "d"]])
    assert L.Hashing(1000003)(np.array([[1], [-7]])).numpy().tolist() == [[361198], [985360]]
    others = np.array([["x", "y", "z"], ["u", "v", "w"]])
    assert L.Hashing(1000003)([words, others]).numpy()[0].tolist() == [449619, 249109, 280134, 882996, 992518, 486245]
    crossed = L.CategoryCrossing(depth=2, separator="-")([words[:, :1], others[:, :1]]).numpy()
    assert crossed.tolist() == [[b"a", b"x", b"a-x"], [b"ccc", b"u", b"ccc-u"]]
    assert L.Hashing(2, mask_value="a")(words).numpy().tolist() == [[0, 1], [1, 1]]
    assert L.Hashing(3, output_mode="count")(words).numpy().sum() == 4
    with pytest.raises(ValueError, match="num_bins"):
        L.Hashing(0)


QUESTIONS = np.array([["a", "b", "", "zz", "[UNK]"]])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [2, 3, 0, 1, 1]),
        ({"mask_token": None}, [1, 2, 0, 0, 0]),
        ({"num_oov_indices": 0}, [1, 2, 0, -1, -1]),
        ({"num_oov_indices": 3}, [4, 5, 0, 2, 3]),
        # TensorFlow 2.4 numbers a vocabulary that brings its special tokens from behind them on.
        ({"vocabulary": ["", "[UNK]", "a", "b"]}, [4, 5, 2, 1, 3]),
        ({"output_mode": "int"}, [1, 2, 0, 0, 0]),
        ({"output_mode": "int", "mask_token": ""}, [2, 3, 0, 1, 1]),
        ({"output_mode": "count"}, [[3, 1, 1]]),
        ({"output_mode": "multi_hot", "mask_token": ""}, [[1, 1, 1]]),
        ({"output_mode": "count", "mask_token": ""}, [[2, 1, 1]]),
        ({"output_mode": "count", "max_tokens": 5, "pad_to_max_tokens": True}, [[3, 1, 1, 0, 0]]),
    ],
)
def test_string_lookup(arguments: dict[str, Any], expected: list[Any]) -> None:
    layer = L.StringLookup(**{"vocabulary": ["a", "b"], **arguments})
    result = layer(QUESTIONS).numpy()
    assert result.tolist() == (expected if isinstance(expected[0], list) else [expected])


def test_looking_up_backwards() -> None:
    numbers = np.array([[0, 1, 2, 3, 9]])
    layer = L.StringLookup(vocabulary=["a", "b"], invert=True)
    assert layer(numbers).numpy().tolist() == [[b"", b"a", b"b", b"[UNK]", b"[UNK]"]]
    later = L.StringLookup(vocabulary=["a", "b"], invert=True, output_mode="int")
    assert later(numbers).numpy().tolist() == [[b"[UNK]", b"a", b"b", b"[UNK]", b"[UNK]"]]
    assert L.IntegerLookup(vocabulary=[10, 20], num_oov_indices=2)(np.array([10, 20, 0, 5, 6])).numpy().tolist() == [
        3, 4, 0, 2, 1
    ]  # fmt: skip


def test_a_vocabulary_is_learned_by_frequency() -> None:
    layer = L.StringLookup()
    layer.adapt(np.array([["a", "b", "b"], ["c", "c", "a"], ["d", "b", ""]]))
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "c", "a", "d"]
    numbers = L.IntegerLookup(max_values=4)
    numbers.adapt(np.array([[3, 4, 4], [0, 9, 3]]))
    assert numbers.get_vocabulary() == [0, -1, 4, 3]


def test_what_a_vocabulary_may_not_be() -> None:
    for vocabulary, message in [(["a", "a"], "repeated"), (["a", "[UNK]"], "reserved"), ("words.txt", "not read")]:
        with pytest.raises(ValueError, match=message):
            L.StringLookup(vocabulary=vocabulary)
    with pytest.raises(ValueError, match="maximum vocab size"):
        L.StringLookup(max_tokens=3, vocabulary=["a", "b"])


def test_each_generation_keeps_its_vocabulary_where_it_does() -> None:
    layer = L.StringLookup(vocabulary=["a", "b"])
    assert layer.get_config()["vocabulary"] == ["a", "b"]
    assert "vocabulary" not in L.StringLookup().get_config()
    assert layer.holds_table
    later = L.StringLookup(vocabulary=["a", "b"], output_mode="int")
    assert later.get_config()["vocabulary"] == ["a", "b"]
    assert L.StringLookup.from_config(later.get_config()).get_vocabulary() == ["[UNK]", "a", "b"]
    assert not later.holds_table
    assert later.assets() == {}
    adapted = L.StringLookup(output_mode="int")
    adapted.adapt(np.array(["x", "y", "x"]))
    assert adapted.assets() == {"vocabulary.txt": b"[UNK]\nx\ny"}
    fresh = L.StringLookup.from_config(adapted.get_config())
    fresh.set_assets(adapted.assets())
    assert fresh.get_vocabulary() == ["[UNK]", "x", "y"]


def test_a_table_is_part_of_a_checkpoint(tmp_path: Path) -> None:
    def model(vocabulary: list[str] | None) -> Any:
        text = keras.Input((1,), dtype="string")
        return keras.Model(text, L.TextVectorization(max_tokens=9, output_mode="count", vocabulary=vocabulary)(text))

    written = model(["the", "fox"])
    written.save_weights(str(tmp_path / "weights"))
    read = model(None)
    read.load_weights(str(tmp_path / "weights")).assert_consumed()
    assert read.layers[-1].get_vocabulary() == ["[UNK]", "the", "fox"]
    texts = np.array([["The FOX!"], ["a fox"]])
    np.testing.assert_array_equal(read(texts).numpy(), written(texts).numpy())


TEXTS = np.array([["The quick, brown fox."], ["jumped over! the -- lazy\tdog's x"], [""]])


def test_texts_to_numbers() -> None:
    layer = L.TextVectorization()
    layer.adapt(TEXTS)
    words = ["", "[UNK]", "the", "x", "quick", "over", "lazy", "jumped", "fox", "dogs", "brown"]
    assert layer.get_vocabulary() == words
    assert layer(TEXTS).numpy().tolist() == [[2, 4, 10, 8, 0, 0], [7, 5, 2, 6, 9, 3], [0] * 6]
    short = L.TextVectorization(output_sequence_length=3, vocabulary=words[2:])
    assert short(TEXTS).numpy().tolist() == [[2, 4, 10], [7, 5, 2], [0, 0, 0]]
    pairs = L.TextVectorization(standardize=None, ngrams=(2,))
    pairs.adapt(TEXTS)
    assert pairs.get_vocabulary()[2:5] == ["the --", "quick, brown", "over! the"]


def test_texts_to_counts() -> None:
    layer = L.TextVectorization(output_mode="count", max_tokens=6, pad_to_max_tokens=False)
    layer.adapt(TEXTS)
    assert layer(TEXTS).numpy().tolist() == [[2, 1, 0, 1, 0, 0], [2, 1, 1, 0, 1, 1], [0] * 6]
    weighted = L.TextVectorization(output_mode="tf-idf", max_tokens=12)
    weighted.adapt(TEXTS)
    np.testing.assert_allclose(weighted(TEXTS).numpy()[1, :4], [0, 0.6931472, 0.91629076, 0], atol=1e-6)


def test_functions_of_texts_are_not_read_from_a_config() -> None:
    for argument in ("standardize", "split"):
        config = {**L.TextVectorization().get_config(), argument: "os.system"}
        with pytest.raises(keras.LoadError, match=rf"{argument} 'os.system'"):
            L.deserialize({"class_name": "TextVectorization", "config": config})


def test_categories_to_vectors() -> None:
    rows = np.array([[0, 1, 1], [3, 2, 4]])
    assert L.CategoryEncoding(5, "count")(rows).numpy().tolist() == [[1, 2, 0, 0, 0], [0, 0, 1, 1, 1]]
    assert L.CategoryEncoding(5)(rows).numpy()[0].tolist() == [1, 1, 0, 0, 0]
    assert L.CategoryEncoding(num_tokens=3, output_mode="one_hot")(np.array([2, 0])).numpy().tolist() == [
        [0, 0, 1], [1, 0, 0]
    ]  # fmt: skip
    with pytest.raises(ValueError, match="0 <= values < 3"):
        L.CategoryEncoding(3)(rows)
    with pytest.raises(RuntimeError, match="max_tokens"):
        L.CategoryEncoding()(rows)


def test_numbers_on_a_boundary() -> None:
    x = np.array([[-1, 0, 0.5, 1, 1.5, 2, 7]], "float32")
    assert L.Discretization([0.0, 1.0, 2.0])(x).numpy().tolist() == [[0, 0, 1, 1, 2, 2, 3]]
    # What TensorFlow 2.4 writes into configs.
    assert L.Discretization([0.0, 1.0, 2.0, np.inf]).get_config()["bins"] == [0, 1, 2]
    assert L.Discretization(bin_boundaries=[0.0, 1.0, 2.0])(x).numpy().tolist() == [[0, 1, 1, 2, 2, 3, 3]]
    learned = L.Discretization(num_bins=4)
    learned.adapt(np.arange(1000.0))
    np.testing.assert_allclose(learned.bin_boundaries, [250, 500, 750], atol=15)


def test_normalization_learns_and_is_given() -> None:
    x = np.random.default_rng(0).normal(3, 2, (600, 4)).astype("float32")
    layer = L.Normalization()
    layer.adapt(x)
    result = layer(x).numpy()
    np.testing.assert_allclose(result.mean(0), np.zeros(4), atol=1e-5)
    np.testing.assert_allclose(result.std(0), np.ones(4), atol=1e-4)
    assert int(layer.count) == 600
    given = L.Normalization(mean=[1.0, 2.0], variance=[4.0, 1.0])
    assert given(np.array([[3.0, 1.0]], "float32")).numpy().tolist() == [[1, -1]]
    assert len(given.weights) == 3
    later = L.Normalization(mean=[1.0, 2.0], variance=[4.0, 1.0], invert=True)
    assert later(np.array([[1.0, -1.0]], "float32")).numpy().tolist() == [[3, 1]]
    assert later.weights == []
    with pytest.raises(ValueError, match="must be set"):
        L.Normalization(mean=1.0)


IMAGES = np.random.default_rng(3).random((2, 5, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    "layer",
    [
        L.RandomFlip(seed=1), L.RandomRotation(0.3, seed=1), L.RandomTranslation(0.3, (0.1, 0.2), seed=1),
        L.RandomZoom(0.3, 0.2, seed=1), L.RandomContrast(0.5, seed=1), L.RandomBrightness(0.5, (0, 1), seed=1),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_images_are_disturbed_in_training_only(layer: Any) -> None:
    np.testing.assert_array_equal(layer(IMAGES, training=False).numpy(), IMAGES)
    disturbed = layer(IMAGES, training=True).numpy()
    assert disturbed.shape == IMAGES.shape
    assert np.abs(disturbed - IMAGES).max() > 1e-3
    assert json.loads(json.dumps(type(layer).from_config(layer.get_config()).get_config())) == json.loads(
        json.dumps(layer.get_config())
    )


def test_images_are_cut_and_scaled() -> None:
    np.testing.assert_array_equal(L.CenterCrop(3, 3)(IMAGES).numpy(), IMAGES[:, 1:4, 1:4])
    np.testing.assert_allclose(L.Rescaling(2.0, 1.0)(IMAGES).numpy(), IMAGES * 2 + 1, rtol=1e-6)
    cut = L.RandomCrop(2, 3)(IMAGES, training=True).numpy()
    places = [(i, j) for i in range(4) for j in range(4) if (IMAGES[:, i : i + 2, j : j + 3] == cut).all()]
    assert len(places) == 1
    with pytest.raises(ValueError, match="should not be greater"):
        L.CenterCrop(9, 9)(IMAGES)


def test_what_is_read_outside_of_an_image() -> None:
    row = np.arange(4.0, dtype="float32").reshape(1, 1, 4, 1)
    moved = {"REFLECT": [1, 0, 0, 1], "WRAP": [2, 3, 0, 1], "CONSTANT": [9, 9, 0, 1], "NEAREST": [0, 0, 0, 1]}
    for mode, expected in moved.items():
        result = apply(
            "ImageProjectiveTransformV3",
            convert(row),
            convert(np.array([[1, 0, -2, 0, 1, 0, 0, 0]], "float32")),
            convert(np.array([1, 4], "int32")),
            convert(np.float32(9)),
            interpolation="NEAREST",
            fill_mode=mode,
        )
        assert result.numpy().ravel().tolist() == expected, mode


def test_sparse_outputs_are_refused_by_name() -> None:
    for make in (
        lambda: L.StringLookup(sparse=True, output_mode="count"),
        lambda: L.CategoryEncoding(3, sparse=True),
        lambda: L.Hashing(3, sparse=True),
        lambda: L.TextVectorization(sparse=True),
    ):
        with pytest.raises(ValueError, match="sparse outputs are not supported"):
            make()
