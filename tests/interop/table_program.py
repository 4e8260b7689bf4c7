"""Writes or reads a checkpoint of vocabularies; the same text runs in TensorFlow 2.4 and in the reference.

``python table_program.py write|read PREFIX OUTPUTS``: the model's outputs go into ``OUTPUTS``, as JSON.
"""

import json
import sys

import numpy as np

TEXTS = np.array([["a b"], ["d d q"]], dtype=object)
WORDS = np.array([["x", "q"], ["zzz", ""]], dtype=object)
NUMBERS = np.array([[5, 9], [7, 1]], dtype="int64")


def build(keras, layers, filled):
    """A model of all layers that have a table; ``filled``: with vocabularies, else with none."""
    words = keras.Input((2,), dtype="string")
    numbers = keras.Input((2,), dtype="int64")
    texts = keras.Input((1,), dtype="string")

    def given(vocabulary):
        return vocabulary if filled else None

    vectorization = layers.TextVectorization(max_tokens=12, output_mode="tf-idf")
    if filled:
        vectorization.adapt(np.array([["a b c"], ["a d"], ["a"]]))
    outputs = [
        layers.StringLookup(vocabulary=given(["x", "yy", "zzz"]))(words),
        layers.StringLookup(vocabulary=given(["x", "yy"]), invert=True)(numbers),
        layers.IntegerLookup(vocabulary=given([5, 6, 7]), num_oov_indices=2)(numbers),
        vectorization(texts),
    ]
    return keras.Model([words, numbers, texts], outputs)


def main():
    action, prefix, path = sys.argv[1:]
    try:
        import tensorflow

        keras, convert = tensorflow.keras, tensorflow.constant
        layers = keras.layers.experimental.preprocessing
    except ImportError:
        import reference_impl as keras

        layers, convert = keras.layers, np.asarray
    model = build(keras, layers, action == "write")
    if action == "write":
        model.save_weights(prefix)
    else:
        model.load_weights(prefix).assert_consumed()
    outputs = [np.asarray(output).tolist() for output in model([convert(x) for x in (WORDS, NUMBERS, TEXTS)])]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(outputs, file, default=bytes.decode)


if __name__ == "__main__":
    main()
