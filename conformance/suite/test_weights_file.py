"""Chapter weights-file: which file ``save_weights`` writes, and that it holds every value."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint
from conformance.protocol.session import Session
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_equal, assert_same_arrays
from conformance.suite.models import (
    THREE_LAYERS,
    assert_same_weights,
    formats_at,
    fresh_copy,
    prepared,
    set_distinct_weights,
    weights_round_trip,
)
from conformance.suite.refusals import assert_refuses


def graphs() -> st.SearchStrategy[Blueprint]:
    """Models that every weights format can hold."""
    return strategies.models(kinds=("sequential", "functional"))


def _format_of(path: Path) -> str:
    return " and ".join(formats_at(path, ("hdf5", "checkpoint"))) or "neither"


@requirement("weights-file.roundtrip")
@examples(model=graphs(), seed=strategies.data_seeds(), cost="save")
def test_every_value_comes_back(impl: Session, format: str, scratch: Path, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)

    target = weights_round_trip(impl, original, scratch, format, model)

    assert_same_weights(impl, original, target, "weights")


@requirement("weights-file.default")
@examples(name=st.sampled_from(["ckpt", "weights.ckpt", "model.v1", "h5"]), cost="save")
@example(name="ckpt")
def test_the_default_is_a_checkpoint(impl: Session, format: str, scratch: Path, name: str):
    model = prepared(impl, THREE_LAYERS, seed=1)

    impl.save_weights(model, scratch / name)

    assert_equal("checkpoint", _format_of(scratch / name), f"what save_weights('{name}') wrote")


@requirement("weights-file.format-argument")
@examples(name=st.sampled_from(["weights", "weights.bin"]), cost="save")
@example(name="weights")
def test_the_argument_selects_the_format(impl: Session, format: str, scratch: Path, name: str):
    argument = {"checkpoint": "tf", "hdf5": "h5"}[format]
    original = prepared(impl, THREE_LAYERS, seed=2)
    target = fresh_copy(impl, THREE_LAYERS, original)

    impl.save_weights(original, scratch / name, format=argument)

    assert_equal(format, _format_of(scratch / name), f"what save_weights('{name}', save_format='{argument}') wrote")
    impl.load_weights(target, scratch / name)
    assert_same_weights(impl, original, target, "weights")


@requirement("weights-file.suffix")
@examples(stem=st.sampled_from(["weights", "my.model"]), number=st.integers(0, 1), cost="save")
@example(stem="weights", number=0)
@example(stem="weights", number=1)
def test_the_suffix_selects_the_format(impl: Session, format: str, scratch: Path, stem: str, number: int):
    suffix = {"hdf5": (".h5", ".hdf5"), "checkpoint": (".ckpt", ".tf")}[format][number]
    model = prepared(impl, THREE_LAYERS, seed=3)

    impl.save_weights(model, scratch / f"{stem}{suffix}")

    assert_equal(format, _format_of(scratch / f"{stem}{suffix}"), f"what save_weights('{stem}{suffix}') wrote")


@requirement("weights-file.suffix-v3")
def test_the_suffix_weights_h5_selects_the_v3_file(impl: Session, format: str, scratch: Path):
    model = prepared(impl, THREE_LAYERS, seed=4)

    impl.save_weights(model, scratch / "model.weights.h5")

    assert_equal("hdf5", _format_of(scratch / "model.weights.h5"), "container of the v3 weights file")
    target = impl.build(THREE_LAYERS)
    set_distinct_weights(impl, target, seed=5)
    impl.load_weights(target, scratch / "model.weights.h5")
    assert_same_weights(impl, model, target, "weights")


@requirement("weights-file.suffix-required")
@examples(name=st.sampled_from(["weights", "weights.h5", "weights.hdf5", "weights.ckpt"]), cost="save")
@example(name="weights.h5")
@example(name="weights")
def test_another_suffix_is_refused(impl: Session, format: str, scratch: Path, name: str):
    model = prepared(impl, THREE_LAYERS, seed=6)

    assert_refuses(
        lambda: impl.save_weights(model, scratch / name),
        f"save_weights('{name}')",
        kinds=("ValueError",),
        mentions=r"\.weights\.h5",
    )

    assert_equal([], sorted(path.name for path in scratch.iterdir()), "files left behind")


@requirement("weights-file.numpy")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="config")
def test_weights_are_arrays_in_memory(impl: Session, model: Blueprint, seed: int):
    original = impl.build(model)
    expected = set_distinct_weights(impl, original, seed)

    arrays = impl.get_weights(original)

    assert_same_arrays(expected, arrays, "get_weights()")
    assert_same_arrays(expected, [weight.value for weight in impl.weights(original)], "values of the variables")
    target = fresh_copy(impl, model, original)
    impl.set_weights(target, arrays)
    assert_same_arrays(expected, impl.get_weights(target), "weights given back")
