"""Chapter checkpoint: weights in the TensorFlow checkpoint format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies, witness
from conformance.blueprint import (
    Blueprint,
    Compile,
    Custom,
    Functional,
    Input,
    NestedModel,
    Sequential,
    Subclassed,
    chain,
    layer,
)
from conformance.protocol.session import Handle, Session
from conformance.strategies import distinct_weights
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    Mismatch,
    assert_differs,
    assert_equal,
    assert_same_array,
    assert_same_arrays,
    assert_true,
    assert_warned,
)
from conformance.suite.models import assert_same_weights, fresh_copy, load_status, prepared, set_distinct_weights
from conformance.suite.refusals import assert_refuses

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
CHECKS = ("assert_consumed", "assert_existing_objects_matched", "assert_nontrivial_match", "expect_partial")


def mlp(hidden: int = 4, outputs: int = 3, inputs: int = 5, kind: str = "functional") -> Functional | Sequential:
    """The guide's model of three layers in small; equal hidden sizes let an exchange of layers go unnoticed."""
    return chain(
        layer("Dense", units=hidden, activation="relu", name="dense_1"),
        layer("Dense", units=hidden, activation="relu", name="dense_2"),
        layer("Dense", units=outputs, name="predictions"),
        shape=(inputs,),
        kind=kind,
        input_name="digits",
    )


def headless(hidden: int = 4, inputs: int = 5) -> Functional:
    return chain(*mlp(hidden, inputs=inputs).layers[:2], shape=(inputs,), name="pretrained")  # pyright: ignore


@requirement("checkpoint.roundtrip")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="save")
@example(model=mlp(64, 10, 784, "sequential"), seed=1)
def test_every_value_is_restored(impl: Session, format: str, scratch: Path, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    target = fresh_copy(impl, model, original)
    impl.save_weights(original, scratch / "ckpt")

    status = load_status(impl, target, scratch / "ckpt")

    assert_same_weights(impl, original, target, "weights")
    impl.status(status, "assert_consumed")


@requirement("checkpoint.status-object")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="save")
def test_the_status_is_returned_by_its_own_checks(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    impl.save_weights(original, scratch / "ckpt")

    status = load_status(impl, original, scratch / "ckpt")

    assert_equal(True, impl.status(status, "assert_consumed"), "assert_consumed() returns the status")


@requirement("checkpoint.assert-consumed")
@examples(check=st.sampled_from(CHECKS), seed=strategies.data_seeds(), cost="save")
@example(check="assert_consumed", seed=1)
@example(check="assert_existing_objects_matched", seed=1)
@example(check="assert_nontrivial_match", seed=1)
@example(check="expect_partial", seed=1)
def test_each_check_passes_when_everything_matched(impl: Session, format: str, scratch: Path, check: str, seed: int):
    original = prepared(impl, mlp(), seed)
    target = fresh_copy(impl, mlp(), original)
    impl.save_weights(original, scratch / "ckpt")
    status = load_status(impl, target, scratch / "ckpt")

    impl.status(status, check)

    assert_same_weights(impl, original, target, "weights")


@requirement("checkpoint.assert-consumed")
@examples(seed=strategies.data_seeds(), cost="once")
def test_checks_raise_when_the_model_has_more_than_the_checkpoint(impl: Session, format: str, scratch: Path, seed: int):
    impl.save_weights(prepared(impl, headless(), seed), scratch / "ckpt")

    status = load_status(impl, prepared(impl, mlp(), seed + 1), scratch / "ckpt")

    for check in ("assert_consumed", "assert_existing_objects_matched"):
        assert_refuses(
            lambda check=check: impl.status(status, check),
            f"{check}() with a head that nothing restored",
            kinds=("AssertionError",),
        )
    impl.status(status, "assert_nontrivial_match")
    impl.status(status, "expect_partial")


@requirement("checkpoint.assert-consumed")
@examples(seed=strategies.data_seeds(), cost="once")
def test_only_assert_consumed_raises_when_the_checkpoint_has_more(impl: Session, format: str, scratch: Path, seed: int):
    impl.save_weights(prepared(impl, mlp(), seed), scratch / "ckpt")

    status = load_status(impl, prepared(impl, headless(), seed + 1), scratch / "ckpt")

    assert_refuses(
        lambda: impl.status(status, "assert_consumed"),
        "assert_consumed() with values that nothing took",
        kinds=("AssertionError",),
    )
    impl.status(status, "assert_existing_objects_matched")
    impl.status(status, "assert_nontrivial_match")


@requirement("checkpoint.attribute-keys")
@examples(seed=strategies.data_seeds(), cost="once")
def test_keys_are_the_names_of_the_edges(impl: Session, scratch: Path, seed: int):
    model = prepared(impl, mlp(), seed)
    dense = impl.layer(model, "dense_1")
    kernel, bias = impl.get_weights(dense)

    path = impl.checkpoint_save({"dense": dense, "model": model}, scratch / "ckpt", "write")

    values = witness.checkpoint.read(path).values
    assert_same_array(kernel, values[f"dense/kernel{VALUE}"], "value under dense/kernel")
    assert_same_array(bias, values[f"dense/bias{VALUE}"], "value under dense/bias")
    listed = impl.checkpoint_list(path)
    assert_equal("float32", listed.dtypes[f"dense/kernel{VALUE}"], "dtype of dense/kernel")
    assert_equal((5, 4), listed.shapes[f"dense/kernel{VALUE}"], "shape of dense/kernel")
    # the two further layers hang under the model, by place
    for index in (1, 2):
        expected = impl.get_weights(impl.layer(model, f"dense_{index + 1}" if index == 1 else "predictions"))
        key = f"model/layer_with_weights-{index}/kernel{VALUE}"
        assert_true(key in values, "keys of the model", expected=key, actual=sorted(values))
        assert_same_array(expected[0], values[key], f"value of layer_with_weights-{index}/kernel")


@requirement("checkpoint.attribute-not-variable-name")
@examples(start=st.integers(-99, 99), cost="save")
@example(start=5)
def test_the_guides_custom_layer_gives_the_guides_map_of_keys(impl: Session, scratch: Path, start: int):
    made = impl.build_layer(layer(Custom("CustomLayer:a"), "custom", a=start))

    path = impl.checkpoint_save({"layer": made}, scratch / "custom_layer", "save")

    listed = impl.checkpoint_list(path)
    assert_equal(
        {f"layer/var{VALUE}": "int32", f"save_counter{VALUE}": "int64", "_CHECKPOINTABLE_OBJECT_GRAPH": "string"},
        dict(listed.dtypes),
        "keys and dtypes",
    )
    assert_equal({()}, set(listed.shapes.values()), "shapes: scalars all")
    facts = witness.checkpoint.read(path)
    assert_same_array(np.array(start, np.int32), facts.values[f"layer/var{VALUE}"], "the stored value")
    assert_same_array(np.array(1, np.int64), facts.values[f"save_counter{VALUE}"], "the save counter")


@requirement("checkpoint.shared-architecture")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="save")
def test_models_of_equal_architecture_share_a_checkpoint(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    first = prepared(impl, model, seed)
    second = fresh_copy(impl, model, first)
    second_values = [array.copy() for array in impl.get_weights(second)]
    impl.save_weights(first, scratch / "first")
    impl.save_weights(second, scratch / "second")
    expected = [array.copy() for array in impl.get_weights(first)]

    impl.load_weights(second, scratch / "first")
    impl.load_weights(first, scratch / "second")

    assert_same_arrays(expected, impl.get_weights(second), "weights of the second model")
    assert_same_arrays(second_values, impl.get_weights(first), "weights of the first model")


@requirement("checkpoint.transfer")
@examples(hidden=st.integers(2, 5), seed=strategies.data_seeds(), cost="save")
@example(hidden=64, seed=1)
def test_pretrained_values_arrive_under_a_new_head(impl: Session, format: str, scratch: Path, hidden: int, seed: int):
    whole = prepared(impl, mlp(hidden, outputs=6), seed)
    pretrained = impl.part_model(whole, -1, "input", name="pretrained_model")
    expected = impl.get_weights(pretrained)
    assert_equal(4, len(expected), "weights of the model without its head")
    impl.save_weights(pretrained, scratch / "pretrained_ckpt")
    target = prepared(impl, mlp(hidden, outputs=7).with_name("new_model"), seed + 1)
    head = [array.copy() for array in impl.get_weights(target)[4:]]

    impl.load_weights(target, scratch / "pretrained_ckpt")

    assert_same_arrays(expected, impl.get_weights(target)[:4], "pretrained weights")
    assert_same_arrays(head, impl.get_weights(target)[4:], "weights of the head")


@requirement("checkpoint.nested-silent")
@examples(head=st.integers(2, 5), seed=strategies.data_seeds(), cost="save")
@example(head=5, seed=1)  # the guide's own: a head unlike the hidden layer
@example(head=4, seed=1)  # a head of the shape of the hidden layer: what lands in it does so silently
def test_an_inner_models_checkpoint_does_nothing_through_the_outer_one(
    impl: Session, format: str, scratch: Path, head: int, seed: int
):
    impl.save_weights(prepared(impl, headless(), seed), scratch / "pretrained_ckpt")
    outer = prepared(
        impl,
        Sequential(
            inputs=(Input("digits", (5,)),),
            layers=(NestedModel("inner", headless()), layer("Dense", units=head, name="predictions")),
        ),
        seed + 1,
    )
    before = [array.copy() for array in impl.get_weights(outer)]

    impl.load_weights(outer, scratch / "pretrained_ckpt")

    assert_same_arrays(before, impl.get_weights(outer), "weights of the outer model")


@requirement("checkpoint.nested-silent")
@examples(seed=strategies.data_seeds(), cost="once")
def test_an_inner_models_checkpoint_loads_through_the_inner_model(impl: Session, format: str, scratch: Path, seed: int):
    pretrained = prepared(impl, headless(), seed)
    impl.save_weights(pretrained, scratch / "pretrained_ckpt")
    inner = impl.build(headless())
    outer = impl.sequential_of([inner, layer("Dense", units=5, name="predictions")])
    impl.call(outer, [np.ones((1, 5), np.float32)])
    set_distinct_weights(impl, outer, seed + 1)

    impl.load_weights(inner, scratch / "pretrained_ckpt")

    assert_same_arrays(impl.get_weights(pretrained), impl.get_weights(outer)[:4], "weights of the inner model")


def _contrived(impl: Session, seed: int) -> tuple[Handle, dict[str, Handle]]:
    """The guide's ContrivedModel, and the objects of it that its checkpoint names."""
    model = impl.build(Subclassed(cls=Custom("ContrivedModel"), inputs=(Input("x", (784,)),)))
    set_distinct_weights(impl, model, seed)
    return model, {
        "dense": impl.attribute(model, "first_dense"),
        "kernel": impl.attribute(model, "kernel"),
        "bias": impl.attribute(model, "bias"),
    }


@requirement("checkpoint.explicit")
@examples(seed=strategies.data_seeds(), cost="once")
def test_chosen_layers_and_variables_pass_between_unlike_models(impl: Session, scratch: Path, seed: int):
    functional = prepared(impl, mlp(64, 10, 784), seed)
    first, last = impl.layer(functional, 1), impl.layer(functional, -1)
    path = impl.checkpoint_save(
        {"dense": first, "kernel": impl.attribute(last, "kernel"), "bias": impl.attribute(last, "bias")},
        scratch / "ckpt",
        "save",
    )
    _, parts = _contrived(impl, seed + 1)
    assert_differs(impl.get_weights(first), impl.get_weights(parts["dense"]), "weights before restoring")

    status = impl.checkpoint_restore(parts, path)

    if status is None:
        raise Mismatch("what restore returns", "a load status", None)
    impl.status(status, "assert_consumed")
    assert_same_arrays(impl.get_weights(first), impl.get_weights(parts["dense"]), "weights of the dense layer")
    expected = impl.get_weights(last)
    assert_same_arrays(expected, [impl.value(parts["kernel"]), impl.value(parts["bias"])], "kernel and bias")


def _two_heads(impl: Session, seed: int, steps: int) -> dict[str, Handle]:
    """Two models over one body, each trained for some steps by an Adam of its own."""
    first = prepared(impl, mlp().with_compile(Compile(_adam(0.01), "mse")), seed)
    second = impl.sequential_of([impl.layer(first, 1), layer("Dense", units=2, name="other")])
    x, targets = np.ones((3, 5), np.float32), (np.zeros((3, 3), np.float32), np.ones((3, 2), np.float32))
    impl.call(second, [x])
    impl.compile(second, Compile(_adam(0.1), "mse"))
    for model, target, count in zip((first, second), targets, (steps, steps + 1), strict=True):
        impl.train(model, [([x * (step + 1)], [target]) for step in range(count)])
    return {"first": first, "second": second}


def _adam(rate: float) -> dict[str, Any]:
    return {"class": "Adam", "args": {"learning_rate": rate}}


@requirement("checkpoint.several-optimizers")
@examples(seed=strategies.data_seeds(), cost="once")
def test_optimizers_of_one_variable_keep_each_their_slots(impl: Session, scratch: Path, seed: int):
    saved = _two_heads(impl, seed, steps=2)
    path = impl.checkpoint_save(saved, scratch / "ckpt", "save")
    restored = _two_heads(impl, seed + 1, steps=1)

    impl.checkpoint_restore(restored, path)

    for name in saved:
        expected, found = impl.optimizer(saved[name]), impl.optimizer(restored[name])
        assert_equal(expected.iterations, found.iterations, f"steps of the {name} optimizer")
        assert_same_arrays(expected.values(), found.values(), f"variables of the {name} optimizer")
        assert_same_weights(impl, saved[name], restored[name], f"weights of the {name} model")


@requirement("checkpoint.part-model")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_model_over_inner_tensors_shares_layers_and_variables(impl: Session, seed: int):
    whole = prepared(impl, mlp(), seed)
    part = impl.part_model(whole, -1, "input", name="pretrained_model")
    assert_same_arrays(impl.get_weights(whole)[:4], impl.get_weights(part), "weights of the part")
    assert_equal(
        [entry.name for entry in impl.describe(whole).layers[:3]],
        [entry.name for entry in impl.describe(part).layers],
        "layers of the part",
    )

    new = distinct_weights([(array.shape, array.dtype) for array in impl.get_weights(part)], seed + 1)
    impl.set_weights(part, new)

    assert_same_arrays(new, impl.get_weights(whole)[:4], "weights of the whole model, set through the part")


SUBCLASSED = Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 10}, inputs=(Input("x", (9,)),))
FUNCTIONAL = mlp(64, 10, 9)


@requirement("checkpoint.one-api")
@examples(seed=strategies.data_seeds(), cost="once")
def test_another_api_is_never_filled_in_part_unnoticed(impl: Session, format: str, scratch: Path, seed: int):
    original = prepared(impl, FUNCTIONAL, seed)
    impl.save_weights(original, scratch / "ckpt")
    target = prepared(impl, SUBCLASSED, seed + 1)
    before = [array.copy() for array in impl.get_weights(target)]

    def load_and_ask() -> None:
        status = load_status(impl, target, scratch / "ckpt")
        impl.status(status, "assert_consumed")

    assert_refuses(load_and_ask, "a Functional model's checkpoint in a subclassed one", kinds=("AssertionError",))
    assert_same_arrays(before, impl.get_weights(target), "weights of the subclassed model")


@requirement("checkpoint.one-api")
@examples(seed=strategies.data_seeds(), cost="once")
def test_rebuilt_with_the_original_api_the_layers_carry_on(impl: Session, format: str, scratch: Path, seed: int):
    impl.save_weights(prepared(impl, mlp(), seed), scratch / "ckpt")
    expected = impl.get_weights(prepared(impl, mlp(), seed))
    rebuilt = prepared(impl, mlp(), seed + 1)

    impl.load_weights(rebuilt, scratch / "ckpt")
    carried = impl.sequential_of([impl.layer(rebuilt, 1), impl.layer(rebuilt, 2), layer("Dense", units=2, name="head")])
    impl.call(carried, [np.ones((1, 5), np.float32)])

    assert_same_arrays(expected[:4], impl.get_weights(carried)[:4], "weights carried into a Sequential model")


@requirement("checkpoint.side-by-side")
@examples(seed=strategies.data_seeds(), cost="once")
def test_checkpoints_live_side_by_side(impl: Session, scratch: Path, seed: int):
    first, second = prepared(impl, mlp(), seed), prepared(impl, mlp(), seed + 1)

    paths = [
        impl.checkpoint_save({"model": first}, scratch / "ckpt", "save"),
        impl.checkpoint_save({"model": second}, scratch / "other", "save"),
        impl.checkpoint_save({"model": second}, scratch / "plain", "write"),
    ]

    assert_equal([str(scratch / "ckpt-1"), str(scratch / "other-1"), str(scratch / "plain")], paths, "returned paths")
    assert_equal([], sorted(path.name for path in scratch.glob("ckpt.*")), "files at the prefix itself")
    for path, model in zip(paths, (first, second, second), strict=True):
        target = prepared(impl, mlp(), seed + 2)
        impl.checkpoint_restore({"model": target}, path)
        assert_same_weights(impl, model, target, f"weights restored from {Path(path).name}")


ADD_VARIABLE = """
class Owner(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_variable("kernel", shape=(2, 3))

layer = Owner()
layer.build((None, 2))
print(layer.kernel.name.split("/")[-1].split(":")[0], tuple(layer.kernel.shape), len(layer.weights))
"""


@requirement("checkpoint.add-variable")
def test_add_variable_makes_a_weight_and_points_to_add_weight(impl: Session, scratch: Path):
    printed = impl.run_source(ADD_VARIABLE, "add_variable", scratch)

    assert_equal("kernel (2, 3) 1", printed.strip(), "the variable that add_variable made")
    assert_warned(impl.messages, "add_weight", "message that points to add_weight")
