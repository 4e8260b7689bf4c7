"""Models that have one thing each which is easily lost: a dtype, a mask, a penalty, several outputs of one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from conformance.blueprint import Blueprint, Call, Functional, Input, Layer, NestedModel, chain, layer
from conformance.strategies.layers import CatalogueEntry, layer_catalogue
from conformance.strategies.pieces import FLAGS, SIZES, Draw

DTYPES = ("float32", "float16", "float64", "mixed_float16")

REGULARIZERS: Sequence[Mapping[str, Any]] = (
    {"class_name": "L2", "config": {"l2": 0.125}},
    {"class_name": "L1", "config": {"l1": 0.0625}},
    {"class_name": "L1L2", "config": {"l1": 0.03125, "l2": 0.25}},
)
CONSTRAINTS: Sequence[Mapping[str, Any]] = (
    {"class_name": "MaxNorm", "config": {"max_value": 0.5, "axis": 0}},
    {"class_name": "NonNeg", "config": {}},
    {"class_name": "UnitNorm", "config": {"axis": 0}},
)

# Families whose layers take one batch of floats or integers and need nothing told them first.
PLAIN_FAMILIES = (
    "core", "merge", "convolution", "pooling", "recurrent", "normalization", "attention", "embedding",
    "locally-connected", "activation", "reshaping", "wrapper",
)  # fmt: skip


# No layer to be called; two that are called with several arguments, not with a list; one that TensorFlow 2.4 does not
# compute in groups on a CPU; and three of Keras 3.15 that refuse their own valid arguments when they are called.
_NOT_PLAIN = (
    "InputLayer",
    "MultiHeadAttention",
    "GroupQueryAttention",
    "Conv3D",
    "RMSNormalization",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling3D",
)


@st.composite
def typed_models(draw: Draw, dtypes: Sequence[str] = DTYPES) -> Functional:
    """Dense layers each of a dtype or mixed policy of its own; the last one computes in float32.

    A policy is spelled as the later dialects do; :func:`spelled_for` gives the spelling of another one.
    """
    drawn = [draw(st.sampled_from(dtypes)) for _ in range(draw(st.integers(1, 3)))]
    parts = [layer("Dense", f"l{i}", units=draw(SIZES), dtype=dtype, name=f"d{i}") for i, dtype in enumerate(drawn)]
    made = chain(*parts, layer("Dense", "head", units=2, dtype="float32", name="head"), shape=(3,))
    assert isinstance(made, Functional)
    return made


def spelled_for(dialect: str, model: Blueprint) -> Blueprint:
    """The model with its mixed policies as ``dialect`` wants them given: before 2.12 as a dict, not by name."""
    if dialect not in ("keras-2.4", "keras-2.8"):
        return model

    def respell(one: Layer) -> Layer:
        dtype = one.args.get("dtype")
        if not isinstance(dtype, str) or not dtype.startswith("mixed"):
            return one
        policy = {"class_name": "Policy", "config": {"name": dtype}}
        return Layer(one.id, one.cls, {**one.args, "dtype": policy}, one.trainable)

    return model.map_layers(respell)


@st.composite
def penalized_models(draw: Draw) -> Functional:
    """Dense layers with regularizers and constraints on kernel, bias or output, each with arguments of its own."""
    parts: list[Layer] = []
    for number in range(draw(st.integers(1, 2))):
        args: dict[str, Any] = {"units": draw(SIZES), "name": f"d{number}"}
        for place in sorted(draw(st.sets(st.sampled_from(["kernel", "bias", "activity"]), min_size=1))):
            args[f"{place}_regularizer"] = dict(draw(st.sampled_from(REGULARIZERS)))
        if draw(FLAGS):
            args["kernel_constraint"] = dict(draw(st.sampled_from(CONSTRAINTS)))
        parts.append(layer("Dense", f"l{number}", **dict(sorted(args.items()))))
    made = chain(*parts, layer("Dense", "head", units=2, name="head"), shape=(3,))
    assert isinstance(made, Functional)
    return made


@st.composite
def masked_models(draw: Draw) -> Functional:
    """A mask made by an Embedding or a Masking layer, passed on, and used by a recurrent layer: lost, it shows."""
    cell = layer(draw(st.sampled_from(["LSTM", "GRU", "SimpleRNN"])), "rnn", units=2, name="rnn")
    between = [layer("Activation", "act", activation="tanh", name="act")] if draw(FLAGS) else []
    if draw(FLAGS):
        first, shape, dtype = (
            layer("Embedding", "e", input_dim=3, output_dim=2, mask_zero=True, name="e"),
            (5,),
            "int32",
        )
    else:
        first, shape, dtype = layer("Masking", "m", mask_value=0.5, name="m"), (4, 1), "float32"
    made = chain(first, *between, cell, layer("Dense", "head", units=2, name="head"), shape=shape, dtype=dtype)
    assert isinstance(made, Functional)
    return made


@st.composite
def multi_output_layers(draw: Draw) -> Functional:
    """A recurrent layer that returns its states as well: what it gives is a list of tensors, merged by the next layer.

    The tensor named ``states`` is that list.
    """
    cls, merge = draw(st.sampled_from([("LSTM", "Add"), ("GRU", "Subtract"), ("SimpleRNN", "Concatenate")]))
    return Functional(
        inputs=(Input("x", (4, 3)),),
        layers=(
            layer(cls, "rnn", units=draw(SIZES), return_state=True, name="rnn"),
            layer(merge, "merge", name="merge"),
            layer("Dense", "head", units=2, name="head"),
        ),
        calls=(Call("rnn", ("x",), "states"), Call("merge", ("states",), "t"), Call("head", ("t",), "out")),
        outputs=("out",),
    )


def wide_model(layers: int = 150, name_length: int = 240) -> Functional:
    """A nested model of so many layers with such long names that its list of weight names exceeds 64 KiB.

    That is the most one attribute of an HDF5 file holds: writers must divide the list, and readers join it.
    """
    parts = [layer("Dense", f"l{i}", units=1, name=f"{i:03}".rjust(name_length, "n")) for i in range(layers)]
    inner = chain(*parts, shape=(1,), kind="sequential", name="wide")
    made = chain(NestedModel("wide", inner), layer("Dense", "head", units=2, name="head"), shape=(1,))
    assert isinstance(made, Functional)
    return made


def plain_entries(dialect: str, classes: Mapping[str, Sequence[str]]) -> tuple[CatalogueEntry, ...]:
    """The catalogue entries, of a dialect and of the ``classes`` by family, that alone make a model with one input or more."""
    found = [entry for family in PLAIN_FAMILIES for entry in layer_catalogue(family, dialect, classes.get(family, ()))]
    return tuple(entry for entry in found if not entry.cls.endswith(("Cell", "Cells")) and entry.cls not in _NOT_PLAIN)


def entry_model(entry: CatalogueEntry) -> Functional:
    """A model of this one layer."""
    inputs = tuple(Input(f"x{i}", shape, entry.dtype) for i, shape in enumerate(entry.input_shapes))
    call = Call(entry.cls, tuple(item.name for item in inputs), "out")
    return Functional(inputs=inputs, layers=(entry.layer(name="one"),), calls=(call,), outputs=("out",))
