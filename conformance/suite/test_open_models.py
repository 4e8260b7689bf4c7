"""Chapter open, whole models: what the guide leaves open about saving and loading them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint, Compile, Custom, Input, Sequential, Subclassed, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_differs,
    assert_equal,
    assert_same_arrays,
    assert_same_numbers,
    assert_silent,
    assert_true,
)
from conformance.suite.models import (
    MODEL_FILES,
    assert_same_weights,
    loading_options,
    prepared,
    round_trip,
    save,
    set_distinct_weights,
    trained,
)
from conformance.suite.open_models import COMPILED, COMPILED_MODEL, MODEL, NAMES, UNBUILT, named, weight_count
from conformance.suite.refusals import assert_refuses, refused

Tolerance = Callable[[str], float]

LARGER = chain(*[layer("Dense", units=units, name=f"layer_{units}") for units in (7, 6, 5)], shape=(4,))


def _files(path: Path) -> list[str]:
    return sorted(str(entry.relative_to(path.parent)) for entry in [path, *path.rglob("*")] if entry.is_file())


@requirement("open.overwrite")
@examples(seed=strategies.data_seeds(), cost="once")
def test_nothing_of_the_earlier_model_stays(impl: Session, format: str, scratch: Path, seed: int):
    path = save(impl, prepared(impl, LARGER, seed), scratch, format)
    if path.is_dir():
        (path / "assets" / "vocabulary.txt").write_text("of the earlier model", encoding="utf-8")
        shutil.copy(path / "variables" / "variables.index", path / "variables" / "variables.data-00000-of-00002")
    newer = prepared(impl, MODEL, seed + 1)

    save(impl, newer, scratch, format)

    assert_same_weights(impl, newer, impl.load(path), "weights of the newer model")
    alone = save(impl, newer, scratch / "alone", format)
    assert_equal(_files(alone), _files(path), "files at the path")


@requirement("open.overwrite")
def test_overwrite_false_is_an_error_and_no_question(impl: Session, format: str, scratch: Path):
    older = prepared(impl, LARGER, seed=1)
    path = save(impl, older, scratch, format)
    newer = prepared(impl, MODEL, seed=2)

    assert_refuses(
        lambda: impl.save(newer, path, overwrite=False),
        "save(overwrite=False) on an existing path",
        kinds=("FileExistsError", "ValueError", "OSError"),
        mentions=r"(?i)exist|overwrit",
    )

    assert_same_weights(impl, older, impl.load(path), "weights of the older model")


FAILING = chain(layer("Dense", units=2, name="fine"), layer(Custom("FailingConfig"), "failing"), shape=(4,))


@requirement("open.failing-save")
@examples(before=st.booleans(), cost="train")
@example(before=True)
@example(before=False)
def test_a_failing_save_leaves_what_was_there(impl: Session, format: str, scratch: Path, before: bool):
    path = scratch / MODEL_FILES[format]
    older = prepared(impl, MODEL, seed=1)
    if before:
        impl.save(older, path)
    # A SavedModel stores no config where there is none; what cannot be built cannot be saved in it either.
    failing = (
        impl.build(Sequential(layers=(layer("Dense", units=2, name="fine"),)))
        if format == "savedmodel"
        else impl.build(FAILING)
    )

    assert_refuses(lambda: impl.save(failing, path), "saving a model that cannot be saved")

    if before:
        assert_same_weights(impl, older, impl.load(path), "weights of the model that was there")
    else:
        assert_true(not path.exists(), "what is at the path", expected="nothing", actual=_files(path))


@requirement("open.paths")
@examples(kind=st.sampled_from(["pathlib", "pathlike"]), cost="train")
@example(kind="pathlib")
@example(kind="pathlike")
def test_path_objects_are_paths(impl: Session, format: str, scratch: Path, kind: str):
    model = prepared(impl, MODEL, seed=1)

    impl.save(model, scratch / MODEL_FILES[format], path_type=kind)
    loaded = impl.load(scratch / MODEL_FILES[format], path_type=kind)

    assert_same_weights(impl, model, loaded, "weights")


@requirement("open.paths", formats=("hdf5",))
def test_an_open_hdf5_file_is_a_path(impl: Session, format: str, scratch: Path):
    model = prepared(impl, MODEL, seed=1)

    impl.save(model, scratch / "model.h5", path_type="h5py")
    loaded = impl.load(scratch / "model.h5", path_type="h5py")

    assert_same_weights(impl, model, loaded, "weights")


@requirement("open.paths")
@examples(fault=st.sampled_from(["bytes", "trailing slash", "empty stem"]), cost="train")
@example(fault="bytes")
@example(fault="trailing slash")
@example(fault="empty stem")
def test_what_is_no_path_is_refused(impl: Session, format: str, scratch: Path, fault: str):
    model = prepared(impl, MODEL, seed=1)
    name = MODEL_FILES[format]
    paths = {
        "bytes": f"{scratch}/{name}",
        "trailing slash": f"{scratch}/{name}/",
        "empty stem": f"{scratch}/{Path(name).suffix}",
    }

    assert_refuses(
        lambda: impl.save(model, paths[fault], path_type="bytes" if fault == "bytes" else None), f"a path with {fault}"
    )

    assert_equal([], [str(entry.relative_to(scratch)) for entry in scratch.rglob("*")], "what was written")


@requirement("open.load-by-content")
@examples(name=st.sampled_from(["model", "model.h5", "model.bin", "model.keras"]), cost="train")
@example(name="model")
@example(name="model.bin")
def test_the_content_tells_the_format(impl: Session, format: str, scratch: Path, name: str):
    model = prepared(impl, MODEL, seed=1)
    path = save(impl, model, scratch / "saved", format)

    loaded = impl.load(path.rename(scratch / name))

    assert_same_weights(impl, model, loaded, "weights")


@requirement("open.missing-path")
def test_a_missing_path_is_a_file_not_found_error(impl: Session, format: str, scratch: Path):
    name = f"absent-{MODEL_FILES[format]}"

    assert_refuses(
        lambda: impl.load(scratch / name),
        "loading from a path that does not exist",
        kinds=("FileNotFoundError",),
        mentions=name,
    )


@requirement("open.compile-false")
def test_compile_false_gives_no_optimizer_and_no_warning(impl: Session, format: str, scratch: Path):
    model = trained(impl, COMPILED_MODEL, seed=1)

    loaded = round_trip(impl, model, scratch, format, COMPILED_MODEL, compile=False)

    assert_silent(impl.messages, r"(?i)compile", "messages about compiling")
    assert_true(
        not impl.optimizer(loaded).present, "optimizer", expected="none", actual=impl.optimizer(loaded).class_name
    )
    assert_same_weights(impl, model, loaded, "weights")


@requirement("open.include-optimizer-false")
@examples(seed=strategies.data_seeds(), cost="once")
def test_without_the_optimizer_losses_and_metrics_stay(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    model = trained(impl, COMPILED_MODEL, seed)
    x, y = batches(COMPILED_MODEL, seed + 1, 1)[0]
    scores = impl.evaluate(model, x, y)
    path = scratch / MODEL_FILES[format]

    impl.save(model, path, include_optimizer=False)
    loaded = impl.load(path)

    assert_true(
        (impl.optimizer(loaded).iterations or 0) == 0,
        "steps counted by the optimizer",
        expected="0 or no optimizer",
        actual=impl.optimizer(loaded).iterations,
    )
    assert_same_weights(impl, model, loaded, "weights")
    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


@requirement("open.never-trained")
@examples(
    model=strategies.models(kinds=("sequential", "functional"), compiled=True, random=False),
    seed=strategies.data_seeds(),
    cost="train",
)
@example(model=COMPILED_MODEL, seed=1)
@example(model=MODEL.with_compile(Compile("adam", "mse", ["mae"])), seed=1)
def test_a_compiled_model_that_was_never_trained(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    path = save(impl, original, scratch, format)
    steps = impl.train(original, batches(model, seed, 2))

    loaded = impl.load(path, **loading_options(model))

    assert_true(impl.describe(loaded).compiled is True, "the loaded model", expected="compiled", actual="not compiled")
    assert_equal(0, impl.optimizer(loaded).iterations, "steps counted by the optimizer")
    for number, (expected, actual) in enumerate(
        zip(steps, impl.train(loaded, batches(model, seed, 2)), strict=True), 1
    ):
        assert_same_numbers(expected, actual, f"step {number}", tolerance("same-path"))
    assert_same_arrays(impl.get_weights(original), impl.get_weights(loaded), "weights", tolerance("same-path"))


@requirement("open.unbuilt")
def test_a_model_without_weights_is_saved_unbuilt_or_refused_clearly(impl: Session, format: str, scratch: Path):
    model = impl.build(UNBUILT)
    path = scratch / MODEL_FILES[format]

    if format == "savedmodel":
        assert_refuses(
            lambda: impl.save(model, path), "a SavedModel of an unbuilt model", mentions=r"(?i)buil|input|shape"
        )
        return
    impl.save(model, path)
    loaded = impl.load(path)

    assert_equal(["first", "second"], [entry.name for entry in impl.describe(loaded).layers], "layers")
    assert_equal(0, weight_count(impl, loaded), "weights before the first call")
    assert_equal([(2, 2)], [a.shape for a in impl.call(loaded, inputs_for(MODEL, 1, batch=2))], "outputs once called")


@requirement("open.revived-resave")
@examples(hidden=st.lists(st.integers(1, 5), min_size=1, max_size=3), seed=strategies.data_seeds(), cost="train")
@example(hidden=[16, 16, 10], seed=1)
def test_a_revived_model_can_be_saved_again(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, hidden: list[int], seed: int
):
    blueprint = Subclassed(cls=Custom("CustomModel"), args={"hidden_units": hidden}, inputs=(Input("x", (5,)),))
    original = prepared(impl, blueprint, seed)
    inputs = inputs_for(blueprint, seed)
    expected = impl.predict(original, inputs)
    revived = impl.load(save(impl, original, scratch, format))
    set_distinct_weights(impl, revived, seed + 1)
    changed = impl.predict(revived, inputs)
    assert_differs(expected, changed, "predictions after the weights were changed")

    again = impl.load(save(impl, revived, scratch / "again", format))

    assert_same_arrays(changed, impl.predict(again, inputs), "predictions", tolerance("revived"))
    assert_same_weights(impl, revived, again, "weights")


@requirement("open.whole-as-weights")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_whole_model_serves_as_weights(impl: Session, format: str, scratch: Path, seed: int):
    original = prepared(impl, MODEL, seed)
    path = save(impl, original, scratch, format)
    target = prepared(impl, MODEL, seed + 1)
    assert_differs(impl.get_weights(original), impl.get_weights(target), "weights before loading")

    impl.load_weights(target, path)

    assert_same_weights(impl, original, target, "weights")


@requirement("open.names")
@examples(names=st.sampled_from(NAMES), cost="train")
@example(names=NAMES[0])
@example(names=NAMES[1])
@example(names=NAMES[2])
@example(names=NAMES[3])
@example(names=NAMES[4])
def test_layer_names_survive_or_are_refused_by_name(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, names: tuple[str, str]
):
    if refused(lambda: impl.build(named(names))):
        return  # the library has no layer of such a name, so none can be lost
    original = prepared(impl, named(names), seed=3)
    path = scratch / MODEL_FILES[format]

    if refused(lambda: impl.save(original, path)):
        assert_refuses(lambda: impl.save(original, path), "saving", mentions="|".join(f"({name})" for name in names))
        return
    loaded = impl.load(path)

    assert_equal(list(names), [entry.name for entry in impl.describe(loaded).layers[1:]], "names of the layers")
    assert_same_weights(impl, original, loaded, "weights")


@requirement("open.random-state")
@examples(seed=strategies.data_seeds(), cost="once")
def test_with_random_layers_everything_but_the_random_stream_comes_back(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    blueprint = chain(
        layer("Dense", units=3, name="first"),
        layer("Dropout", rate=0.5, name="drop"),
        layer("Dense", units=2, name="second"),
        shape=(4,),
        compile=COMPILED,
    )
    original = trained(impl, blueprint, seed)
    state, (x, y) = impl.optimizer(original), batches(blueprint, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)

    loaded = round_trip(impl, original, scratch, format, blueprint)

    assert_same_weights(impl, original, loaded, "weights")
    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))
    restored = impl.optimizer(loaded)
    assert_equal(
        (state.class_name, state.iterations), (restored.class_name, restored.iterations), "optimizer and its steps"
    )
    assert_same_arrays(state.values(), restored.values(), "variables of the optimizer")
