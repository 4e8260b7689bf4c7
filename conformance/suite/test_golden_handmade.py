"""Chapter golden: a file of an earlier version, made by hand, where what matters is one thing that it has not.

The layout is that of a file of TensorFlow 2.4.4, looked at with h5py.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from conformance.protocol.session import Session
from conformance.suite.case import requirement
from conformance.suite.compare import assert_same_arrays
from conformance.suite.handmade import Config, part
from conformance.suite.models import MODEL_FILES

QUERY, VALUE = (3, 4), (5, 6)
HEADS, KEY_WIDTH, VALUE_WIDTH = 2, 3, 5

# In the order in which the file lists them. All shapes differ where two could be exchanged, but for query and key.
WEIGHTS = {
    "query/kernel:0": (QUERY[1], HEADS, KEY_WIDTH),
    "query/bias:0": (HEADS, KEY_WIDTH),
    "key/kernel:0": (VALUE[1], HEADS, KEY_WIDTH),
    "key/bias:0": (HEADS, KEY_WIDTH),
    "value/kernel:0": (VALUE[1], HEADS, VALUE_WIDTH),
    "value/bias:0": (HEADS, VALUE_WIDTH),
    "attention_output/kernel:0": (HEADS, VALUE_WIDTH, QUERY[1]),
    "attention_output/bias:0": (QUERY[1],),
}


@requirement("golden.reads", formats=("hdf5",))
def test_an_attention_layer_without_shapes_in_its_config_is_read(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    """Later versions write ``query_shape`` and its likes beside the arguments; in 2.4 there is none."""
    draw = np.random.default_rng(24)
    weights = {name: draw.uniform(-1, 1, shape).astype(np.float32) for name, shape in WEIGHTS.items()}
    path = scratch / MODEL_FILES[format]
    write(path, weights)

    model = impl.load(path)

    assert_same_arrays(list(weights.values()), impl.get_weights(model), "weights")
    query, value = (draw.uniform(-1, 1, (2, *shape)).astype(np.float32) for shape in (QUERY, VALUE))
    expected = attention(query, value, *weights.values())
    assert_same_arrays([expected], impl.predict(model, [query, value]), "predictions", tolerance("revived"))


def attention(query: Any, value: Any, *weights: Any) -> Any:
    """What each head makes of it: the values, each by how its key (of the same input) fits the query."""
    wq, bq, wk, bk, wv, bv, wo, bo = (weight.astype(np.float64) for weight in weights)
    queries, keys, values = (
        np.einsum("nti,ihd->nthd", x, kernel) + bias
        for x, kernel, bias in ((query, wq, bq), (value, wk, bk), (value, wv, bv))
    )
    scores = np.exp(np.einsum("nthd,nshd->nhts", queries, keys) / np.sqrt(KEY_WIDTH))
    mixed = np.einsum("nhts,nshd->nthd", scores / scores.sum(axis=-1, keepdims=True), values)
    return (np.einsum("nthd,hdo->nto", mixed, wo) + bo).astype(np.float32)


def write(path: Path, weights: dict[str, Any]) -> None:
    """A Functional model of one MultiHeadAttention layer ``attend(query, value=value)``."""
    versions = {"keras_version": b"2.4.0", "backend": b"tensorflow"}
    with h5py.File(path, "w") as file:
        file.attrs.update({**versions, "model_config": json.dumps(config()).encode()})
        root = file.create_group("model_weights")
        root.attrs.update({**versions, "layer_names": np.array([b"query", b"value", b"attend"])})
        for name in ("query", "value"):
            root.create_group(name).attrs["weight_names"] = np.array([], "S1")
        group = root.create_group("attend")
        group.attrs["weight_names"] = np.array([f"attend/{name}".encode() for name in weights])
        for name, values in weights.items():
            group[f"attend/{name}"] = values


def config() -> Config:
    """The arguments that are not None, False or an initializer, as the file has them."""
    inputs: list[Config] = [
        {"name": name, "class_name": "InputLayer", "config": entry, "inbound_nodes": []}
        for name, shape in (("query", QUERY), ("value", VALUE))
        for entry in [{"name": name, "batch_input_shape": [None, *shape], "dtype": "float32", "sparse": False}]
    ]
    arguments = {"num_heads": HEADS, "key_dim": KEY_WIDTH, "value_dim": VALUE_WIDTH, "attention_axes": [1]}
    layer = part("MultiHeadAttention", "attend", **arguments, use_bias=True, output_shape=None, dropout=0.0)
    nodes = [[["query", 0, 0, {"value": ["value", 0, 0]}]]]
    return {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": [*inputs, {"name": "attend", **layer, "inbound_nodes": nodes}],
            "input_layers": [["query", 0, 0], ["value", 0, 0]],
            "output_layers": [["attend", 0, 0]],
        },
    }
