"""State that is neither a weight nor a slot: states of recurrent layers, the step of a schedule, counts of metrics; and
what lies at a path already, in another format.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.protocol.session import Session
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_differs, assert_equal, assert_same_array, assert_same_arrays, assert_true
from conformance.suite.models import THREE_LAYERS, assert_same_weights, fresh_copy, prepared
from conformance.suite.refusals import refused
from conformance.suite.scripts import shown_with_file

Tolerance = Callable[[str], float]


def arrays(found: Any) -> list[Any]:
    """What ``values`` showed of a list of arrays."""
    return [np.array(array) for array in found]


# Recurrent layers

RECURRENT = ("SimpleRNN", "LSTM", "GRU")

STATEFUL = """
x = rows(2, 3, 2)
inputs = keras.Input((3, 2), batch_size=2)
hidden = getattr(keras.layers, kind)(3, stateful=True, return_sequences=True, name="lower")(inputs)
model = keras.Model(inputs, keras.layers.LSTM(2, stateful=True, name="upper")(hidden))
fill(model)
first, second = values(model.predict(x, verbose=0)), values(model.predict(x, verbose=0))
model.save(path)
loaded = keras.models.load_model(path)
show(
    first=first,
    second=second,
    third=values(model.predict(x, verbose=0)),
    loaded=[values(loaded.predict(x, verbose=0)) for _ in range(2)],
    stateful=[loaded.get_layer(name).stateful for name in ("lower", "upper")],
)
"""


@requirement("model.recurrent-state")
@examples(kind=st.sampled_from(RECURRENT), cost="once")
@example(kind="LSTM")
def test_a_stateful_layer_begins_where_its_format_says(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, kind: str
):
    found = shown_with_file(impl, STATEFUL, scratch, format, kind=kind)
    first, second, third = (np.array(found[name]) for name in ("first", "second", "third"))
    assert_differs([first], [second], "predictions from zeros and from the states after them")
    assert_differs([first], [third], "predictions from zeros and from the states after two batches")

    assert_equal([True, True], found["stateful"], "whether the loaded layers are stateful")
    started = np.array(found["loaded"][0])
    if format == "savedmodel":
        assert_same_array(third, started, "first predictions, from the states that were saved", tolerance("same-path"))
        return
    assert_same_array(first, started, "first predictions, from zeros", tolerance("same-path"))
    assert_same_array(second, np.array(found["loaded"][1]), "second predictions", tolerance("same-path"))


# Schedules

SCHEDULES = {
    "ExponentialDecay": "S.ExponentialDecay(0.25, 2, 0.5, staircase=True)",
    "InverseTimeDecay": "S.InverseTimeDecay(0.25, 2, 0.5)",
    "PiecewiseConstantDecay": "S.PiecewiseConstantDecay([2, 4], [0.25, 0.125, 0.03125])",
    "PolynomialDecay": "S.PolynomialDecay(0.25, 8, 0.01, power=2.0)",
}

SCHEDULED = """
S = keras.optimizers.schedules
x, y = rows(8, 3), rows(8, 2) * 2.0
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(2, name="d")(inputs))
fill(model)
model.compile(keras.optimizers.SGD(eval(schedule)), keras.losses.MeanSquaredError())

def go_on(model):
    for step in range(3):
        model.train_on_batch(x, y)
    return values(model.get_weights())

def rate(model):
    held = model.optimizer.get_config()["learning_rate"]
    arguments = {key: value for key, value in held["config"].items() if key != "name"}  # by default that of the class
    return {"class_name": held["class_name"], "arguments": arguments}

before = values(model.get_weights())
go_on(model)
model.save(path)
loaded = keras.models.load_model(path)
show(
    saved=rate(model),
    loaded=rate(loaded),
    steps=[int(np.asarray(each.optimizer.iterations)) for each in (model, loaded)],
    expected=[values(model.get_weights()), go_on(model)],
    found=[values(loaded.get_weights()), go_on(loaded)],
)
"""


@requirement("model.learning-rate-schedule")
@examples(schedule=st.sampled_from(sorted(SCHEDULES)), cost="once")
@example(schedule="PiecewiseConstantDecay")
def test_a_schedule_goes_on_at_its_step(impl: Session, format: str, scratch: Path, tolerance: Tolerance, schedule: str):
    found = shown_with_file(impl, SCHEDULED, scratch, format, schedule=SCHEDULES[schedule])

    assert_equal(found["saved"], found["loaded"], "class and arguments of the schedule")
    assert_equal([3, 3], found["steps"], "steps counted by the saved and by the loaded optimizer")
    assert_same_arrays(arrays(found["expected"][0]), arrays(found["found"][0]), "weights", tolerance("same-path"))
    assert_same_arrays(
        arrays(found["expected"][1]), arrays(found["found"][1]), "weights after going on", tolerance("same-path")
    )


# Metrics

COUNTED = """
x, y = rows(8, 3), rows(8, 2) * 2.0
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(2, name="d")(inputs))
fill(model)
model.compile("sgd", keras.losses.MeanSquaredError(), metrics=[keras.metrics.MeanAbsoluteError(name="distance")])

def counted(model):
    return float(sum(np.abs(np.asarray(each)).sum() for metric in model.metrics for each in metric.variables))

model.evaluate(x, y, verbose=0)
before = counted(model)
model.save(path)
loaded = keras.models.load_model(path)
show(saved=before, loaded=counted(loaded), kept=counted(model))
"""


@requirement("model.fresh-metrics")
def test_metrics_begin_to_count_anew(impl: Session, format: str, scratch: Path):
    found = shown_with_file(impl, COUNTED, scratch, format)
    assert_true(found["saved"] > 0, "what the saved model's metrics counted", expected="something", actual=found)

    assert_equal(0.0, found["loaded"], "what the loaded model's metrics have counted")
    assert_equal(found["saved"], found["kept"], "what the saved model's metrics have counted after saving")


# Another format at the path

FORMATS = st.sampled_from([("h5", "tf"), ("tf", "h5")])


@requirement("model.other-format-there")
@examples(formats=FORMATS, cost="once")
@example(formats=("h5", "tf"))
@example(formats=("tf", "h5"))
def test_a_model_of_another_format_is_replaced_or_left(impl: Session, scratch: Path, formats: tuple[str, str]):
    older, newer = prepared(impl, THREE_LAYERS, seed=1), prepared(impl, THREE_LAYERS, seed=2)
    impl.save(older, scratch / "model", format=formats[0])

    kept = refused(lambda: impl.save(newer, scratch / "model", format=formats[1]))

    loaded = impl.load(scratch / "model")
    assert_same_weights(impl, older if kept else newer, loaded, f"weights, saving was {'refused' if kept else 'done'}")


@requirement("weights-file.other-format-there")
@examples(formats=FORMATS, cost="once")
@example(formats=("h5", "tf"))
@example(formats=("tf", "h5"))
def test_weights_of_another_format_do_not_come_back(impl: Session, scratch: Path, formats: tuple[str, str]):
    older, newer = prepared(impl, THREE_LAYERS, seed=1), prepared(impl, THREE_LAYERS, seed=2)
    target = fresh_copy(impl, THREE_LAYERS, newer)
    untouched = impl.get_weights(target)
    impl.save_weights(older, scratch / "weights", format=formats[0])

    kept = refused(lambda: impl.save_weights(newer, scratch / "weights", format=formats[1]))
    if refused(lambda: impl.load_weights(target, scratch / "weights")):
        assert_same_arrays(untouched, impl.get_weights(target), "weights, loading was refused")
        return

    assert_same_weights(impl, older if kept else newer, target, f"weights, saving was {'refused' if kept else 'done'}")
