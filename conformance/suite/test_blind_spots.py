"""What only a broken implementation showed: tests that stop a mutant which every other test let pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conformance import strategies, witness
from conformance.blueprint import Call, Compile, Custom, Functional, Input, Layer, Subclassed, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_differs,
    assert_equal,
    assert_same_arrays,
    assert_same_numbers,
    assert_true,
)
from conformance.suite.configs import config_of, plain_config_of
from conformance.suite.models import (
    WEIGHT_FILES,
    assert_same_weights,
    fresh_copy,
    prepared,
    round_trip,
    save,
    trained,
)
from conformance.suite.refusals import assert_refuses

Tolerance = Callable[[str], float]

COMPILED = Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mean_squared_error", ["mean_absolute_error"])

# All four vectors of a BatchNormalization have one shape, and half of them are not trainable.
ALIKE = chain(
    layer("Dense", units=3, name="first"),
    layer("BatchNormalization", name="norm"),
    layer("Dense", units=3, name="second"),
    shape=(3,),
)

TWO_OUTPUTS = Functional(
    name="two",
    inputs=(Input("x", (3,)),),
    layers=(layer("Dense", units=2, name="left"), layer("Dense", units=2, name="right")),
    calls=(Call("left", ("x",), "l"), Call("right", ("x",), "r")),
    outputs=("l", "r"),
)


@requirement("model.weights")
@examples(seed=strategies.data_seeds(), cost="once")
def test_weights_of_one_shape_keep_their_places(impl: Session, format: str, scratch: Path, seed: int):
    original = prepared(impl, ALIKE, seed)

    loaded = round_trip(impl, original, scratch, format, ALIKE)

    assert_same_weights(impl, original, loaded, "weights")


@requirement("weights-file.roundtrip")
@examples(seed=strategies.data_seeds(), cost="once")
def test_weights_of_one_shape_keep_their_places_in_a_weights_file(impl: Session, format: str, scratch: Path, seed: int):
    original = prepared(impl, ALIKE, seed)
    target = fresh_copy(impl, ALIKE, original)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    impl.load_weights(target, scratch / WEIGHT_FILES[format])

    assert_same_weights(impl, original, target, "weights")


@requirement("weights-file.suffix-v3")
def test_the_suffix_weights_h5_gives_the_layout_of_v3(impl: Session, format: str, scratch: Path):
    path = scratch / WEIGHT_FILES[format]
    impl.save_weights(prepared(impl, ALIKE, seed=4), path)

    stored = sorted(witness.hdf5.read(path).datasets)

    assert_true(
        bool(stored) and all("vars/" in name for name in stored),
        "datasets of the v3 weights file",
        expected="all in a group vars",
        actual=stored,
    )


@requirement("model.save-pure")
@examples(frozen=st.sampled_from(["first", "second"]), cost="once")
@example(frozen="first")
def test_saving_leaves_the_flags_of_the_live_model(impl: Session, format: str, scratch: Path, frozen: str):
    live = trained(impl, ALIKE.with_compile(COMPILED), seed=1)
    impl.set_trainable(impl.layer(live, frozen), False)
    flags = [entry.trainable for entry in impl.describe(live).layers]
    assert_true(False in flags, "a frozen layer", expected="is there", actual=flags)

    save(impl, live, scratch, format)

    assert_equal(flags, [entry.trainable for entry in impl.describe(live).layers], "trainable flags of the live model")


@requirement("savedmodel.graph-only")
@examples(seed=strategies.data_seeds(), cost="once")
def test_the_graph_gives_every_output(impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int):
    original = prepared(impl, TWO_OUTPUTS, seed)
    inputs = inputs_for(TWO_OUTPUTS, seed)
    expected = impl.predict(original, inputs)
    assert_differs(expected[:1], expected[1:], "the two outputs")

    graph = impl.graph_load(save(impl, original, scratch, format))

    assert_same_arrays(expected, impl.call(graph, inputs), "outputs of the graph", tolerance("revived"))


@requirement("hdf5.subclassed-refused")
def test_a_subclassed_model_with_a_config_is_refused_too(impl: Session, format: str, scratch: Path):
    blueprint = Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 2}, inputs=(Input("x", (3,)),))
    handle = prepared(impl, blueprint, seed=1)

    assert_refuses(lambda: save(impl, handle, scratch, format), "saving a subclassed model as HDF5")

    assert_equal([], sorted(path.name for path in scratch.iterdir()), "files left behind")


@requirement("damage.flipped-model")
def test_a_changed_bit_of_a_weight_is_noticed(impl: Session, format: str, scratch: Path):
    """The bit is one of a weight, which no structure of the file would betray."""
    original = prepared(impl, ALIKE, seed=5)
    path = save(impl, original, scratch, format)
    content = bytearray(path.read_bytes())
    place = content.find(impl.get_weights(original)[0].tobytes())
    if place < 0:
        return  # compressed: a changed bit is one of a structure then
    content[place + 1] ^= 1
    path.write_bytes(content)

    assert_refuses(lambda: impl.load(path), "an archive in which one bit of a weight is another")


@requirement("model.compile-info")
@examples(seed=strategies.data_seeds(), cost="once")
def test_the_weights_of_several_losses_survive(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    blueprint = TWO_OUTPUTS.with_compile(
        Compile("sgd", ["mean_squared_error", "mean_squared_error"], loss_weights=[1.0, 0.25])
    )
    original = trained(impl, blueprint, seed, steps=1)
    x, y = batches(blueprint, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)

    loaded = round_trip(impl, original, scratch, format, blueprint)

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "losses", tolerance("same-path"))


GRU = layer("GRU", units=2)

# Arguments that are not those of the default, and that a config without them would not betray by a number.
FLAGS: dict[str, list[Layer]] = {
    "core": [layer("Dense", units=2, use_bias=False), layer("Dense", units=2, activation="tanh")],
    "recurrent": [
        layer("LSTM", units=2, go_backwards=True, return_sequences=True),
        layer("GRU", units=2, stateful=True, unroll=True),
    ],
    "embedding": [layer("Embedding", input_dim=5, output_dim=2, mask_zero=True)],
    "normalization": [layer("BatchNormalization", center=False), layer("BatchNormalization", scale=False)],
    "wrapper": [layer("Bidirectional", layer={"$layer": GRU.to_json()}, merge_mode="sum")],
    "convolution": [layer("Conv1D", filters=2, kernel_size=2, use_bias=False, padding="same")],
    "pooling": [layer("MaxPooling1D", pool_size=3, strides=2, padding="same")],
}


@requirement("config.layer-roundtrip", families=tuple(FLAGS))
def test_arguments_other_than_the_default_are_in_the_config(impl: Session, family: str):
    for described in FLAGS[family]:
        flags = {key: value for key, value in described.args.items() if isinstance(value, bool | str)}
        config = plain_config_of(impl, impl.build_layer(described))
        assert_equal(flags, {key: config.get(key) for key in flags}, f"arguments in the config of {described.cls}")
        made = impl.from_config(str(described.cls), config).object
        again: dict[str, Any] = config_of(impl, made)
        assert_equal(flags, {key: again.get(key) for key in flags}, f"arguments of a rebuilt {described.cls}")
