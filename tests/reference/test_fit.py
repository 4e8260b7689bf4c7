"""What ``fit`` is told: masks, weights, generators, callbacks. Expected numbers were computed by TensorFlow 2.4.4."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras

L = keras.layers
opt = keras.optimizers


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


_drawn = np.random.RandomState(11)
MASKED = _drawn.rand(4, 5, 3).astype("f4")
MASKED[0, 3:] = 0
MASKED[2, 1:] = 0
STEP_TARGETS = _drawn.rand(4, 5, 2).astype("f4")
STEP_LABELS = _drawn.randint(0, 2, (4, 5)).astype("f4")
STEP_KERNEL = [_drawn.randn(3, 2).astype("f4"), _drawn.randn(2).astype("f4")]
WEIGHT, STEP_WEIGHT = _drawn.rand(4).astype("f4"), _drawn.rand(4, 5).astype("f4")
ROWS, TARGETS = _drawn.rand(10, 3).astype("f4"), _drawn.rand(10, 2).astype("f4")
LABELS = _drawn.randint(0, 2, 10).astype("f4")
KERNELS = {
    2: [_drawn.randn(3, 2).astype("f4"), _drawn.randn(2).astype("f4")],
    1: [_drawn.randn(3, 1).astype("f4"), _drawn.randn(1).astype("f4")],
}

# After three steps: the loss, the metrics, the weighted metrics.
WEIGHED: dict[str, list[float]] = {
    "mask": [0.5179636, 0.7328037, 0.739948, 0.7328037],
    "mask-w": [0.3840815, 0.8025703, 0.8540998],
    "mask-wt": [0.3270231, 0.8117477, 0.7282301],
    "mask-sp": [0.9130533, 0.4285714, 0.4285714],
    "cw": [1.385243, 0.3, 0.36, 0.06818182],
    "cwb": [3.565861, 0.4, 0.5],
}
WEIGHINGS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "mask": (None, STEP_TARGETS, {}),
    "mask-w": (None, STEP_TARGETS, {"sample_weight": WEIGHT}),
    "mask-wt": (None, STEP_TARGETS, {"sample_weight": STEP_WEIGHT}),
    "mask-sp": ("softmax", STEP_LABELS, {}),
    "cw": ("softmax", np.eye(2, dtype="f4")[LABELS.astype(int)], {"class_weight": {0: 0.3, 1: 2.0}}),
    "cwb": ("sigmoid", LABELS, {"class_weight": {0: 0.3, 1: 2.0}, "sample_weight": np.arange(10.0)}),
}
COMPILED: dict[str, tuple[str, Any, Any]] = {
    "mask": ("mse", lambda: ["mae", "mse"], ["mae"]),
    "mask-w": ("mse", lambda: ["mae"], ["mae"]),
    "mask-wt": ("mse", lambda: ["mae"], ["mae"]),
    "mask-sp": ("sparse_categorical_crossentropy", lambda: ["accuracy"], ["accuracy"]),
    "cw": ("categorical_crossentropy", lambda: ["accuracy", keras.metrics.AUC(num_thresholds=9)], ["accuracy"]),
    "cwb": ("binary_crossentropy", lambda: ["accuracy", keras.metrics.Precision(name="p")], None),
}


def rows_model(units: int = 2, activation: str | None = None) -> Any:
    built = keras.Sequential([keras.Input((3,)), L.Dense(units, activation=activation, name="d")])
    built.set_weights(KERNELS[units])
    return built


@pytest.mark.parametrize("name", WEIGHED)
def test_masks_and_weights(name: str) -> None:
    activation, targets, arguments = WEIGHINGS[name]
    if name.startswith("mask"):
        trained = keras.Sequential([keras.Input((5, 3)), L.Masking(), L.Dense(2, activation=activation)])
        trained.set_weights(STEP_KERNEL)
    else:
        trained = rows_model(1 if name == "cwb" else 2, activation)
    loss, made, weighted = COMPILED[name]
    trained.compile(opt.SGD(0.1), loss, metrics=made(), weighted_metrics=weighted)
    for _ in range(3):
        found = trained.train_on_batch(MASKED if name.startswith("mask") else ROWS, targets, **arguments)
    np.testing.assert_allclose(found, WEIGHED[name], rtol=1e-5, atol=1e-6)


def test_weighted_metrics_are_called_so_when_the_name_is_taken() -> None:
    trained = rows_model()
    trained.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mape"])
    found = trained.train_on_batch(ROWS, TARGETS, return_dict=True)
    assert list(found) == ["loss", "mae", "weighted_mae", "mape"]
    trained.compile("sgd", "mse", metrics=["mae", "mae"])
    with pytest.raises(ValueError, match="Found two metrics with the same name: mae"):
        trained.train_on_batch(ROWS, TARGETS)


class Batches(keras.utils.Sequence):
    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        picked = slice(index * 3, index * 3 + 3)
        return ROWS[picked], TARGETS[picked], np.full(3, index, "f4")


def endless() -> Iterator[Any]:
    for i in itertools.count():
        yield ROWS[i % 8 : i % 8 + 2], TARGETS[i % 8 : i % 8 + 2]


def one_hot() -> Any:
    return np.eye(2, dtype="f4")[LABELS.astype(int)]


C = keras.callbacks
FITS: dict[str, tuple[Any, Any]] = {
    "vs": (
        lambda: (opt.SGD(0.1, momentum=0.9), "mse", ["mae"]),
        lambda m: m.fit(ROWS, TARGETS, epochs=4, batch_size=3, validation_split=0.3, shuffle=False, verbose=0),
    ),
    "vd": (
        lambda: (opt.SGD(0.1), "mse", None),
        lambda m: m.fit(
            ROWS, TARGETS, epochs=4, batch_size=4, validation_data=(ROWS[:3], TARGETS[:3], np.arange(3.0)),
            validation_freq=2, shuffle=False, verbose=0, sample_weight=np.arange(10.0),
        ),
    ),
    "cwfit": (
        lambda: (opt.SGD(0.1), "categorical_crossentropy", ["acc"]),
        lambda m: m.fit(ROWS, one_hot(), epochs=3, batch_size=4, class_weight={0: 0.3, 1: 2.0}, shuffle=False, verbose=0),
    ),
    "gen": (
        lambda: (opt.SGD(0.1), "mse", None),
        lambda m: m.fit(endless(), epochs=3, steps_per_epoch=4, verbose=0, validation_data=(ROWS, TARGETS)),
    ),
    "seq": (lambda: (opt.SGD(0.1), "mse", None), lambda m: m.fit(Batches(), epochs=3, shuffle=False, verbose=0)),
    "es": (
        lambda: (opt.SGD(1.2), "mse", None),
        lambda m: whole(m, 20, C.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)),
    ),
    "lr": (
        lambda: (opt.SGD(0.5), "mse", None),
        lambda m: whole(m, 6, C.LearningRateScheduler(lambda epoch, rate: rate * 0.7)),
    ),
    "rl": (
        lambda: (opt.SGD(1.0), "mse", None),
        lambda m: whole(
            m, 9, C.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.5, cooldown=1, min_lr=0.1)
        ),
    ),
}  # fmt: skip


def whole(model: Any, epochs: int, *callbacks: Any) -> Any:
    return model.fit(ROWS, TARGETS, epochs=epochs, batch_size=10, shuffle=False, verbose=0, callbacks=list(callbacks))


# The history's lists one after the other, by name.
HISTORIES: dict[str, tuple[list[str], list[float]]] = {
    "vs": (
        ["loss", "mae", "val_loss", "val_mae"],
        [
            2.800412,
            0.8201321,
            2.393077,
            0.509742,
            1.342875,
            0.799328,
            1.414133,
            0.6049398,
            0.2695793,
            2.696371,
            0.7667224,
            0.4932016,
            0.4724382,
            1.542578,
            0.8026,
            0.6167739,
        ],
    ),
    "vd": (["loss", "val_loss"], [9.74172, 2.616864, 0.7173578, 0.4816904, 0.6936485, 0.3060182]),
    "cwfit": (["acc", "loss"], [0.3, 0.3, 0.6, 1.702476, 1.124234, 0.8157016]),
    "gen": (["loss", "val_loss"], [2.368696, 0.8622823, 0.6848224, 1.043017, 0.4836968, 0.3858339]),
    "seq": (["loss"], [2.957323, 1.010108, 0.5041035]),
    "es": (["loss"], [3.130833, 3.719, 4.667569]),
    "lr": (
        ["loss", "lr"],
        [
            3.130833,
            0.8938638,
            0.6105736,
            0.5255896,
            0.4871653,
            0.4659846,
            0.35,
            0.245,
            0.1715,
            0.12005,
            0.084035,
            0.0588245,
        ],
    ),
    "rl": (
        ["loss", "lr"],
        [
            3.130833,
            2.0018,
            1.2944,
            0.8507263,
            0.5720596,
            0.1717293,
            0.1544828,
            0.1489687,
            0.1464444,
            1.0,
            1.0,
            1.0,
            1.0,
            0.5,
            0.5,
            0.25,
            0.125,
            0.1,
        ],
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_histories(name: str) -> None:
    optimizer, loss, metrics = FITS[name][0]()
    trained = rows_model(2, "softmax" if name == "cwfit" else None)
    trained.compile(optimizer, loss, metrics=metrics)
    found = FITS[name][1](trained).history
    names, numbers = HISTORIES[name]
    assert sorted(found) == names
    np.testing.assert_allclose(np.concatenate([found[key] for key in names]), numbers, rtol=1e-5, atol=1e-6)


def test_best_weights_are_restored() -> None:
    trained, best = rows_model(), rows_model()
    for each in (trained, best):
        each.compile(opt.SGD(1.2), "mse")
    found = whole(trained, 20, C.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)).history["loss"]
    whole(best, int(np.argmin(found)) + 1)
    np.testing.assert_array_equal(trained.get_weights()[0], best.get_weights()[0])


def test_saved_on_the_way(tmp_path: Path) -> None:
    trained = rows_model()
    trained.compile(opt.SGD(1.2), "mse")
    checkpoint = C.ModelCheckpoint(tmp_path / "{epoch}.h5", monitor="loss", save_best_only=True)
    losses = whole(trained, 4, checkpoint, C.CSVLogger(tmp_path / "log.csv")).history["loss"]
    best = [i + 1 for i in range(4) if losses[i] < min([np.inf, *losses[:i]])]
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == [f"{epoch}.h5" for epoch in best]
    with open(tmp_path / "log.csv", newline="") as file:
        assert file.read() == "epoch,loss\r\n" + "".join(f"{i},{loss}\r\n" for i, loss in enumerate(losses))


def test_callbacks_are_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    class Listener(C.Callback):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_") and "_batch_" not in name:
                told.append(name)
            return super().__getattribute__(name)

    trained = rows_model()
    trained.compile(opt.SGD(1e30), "mse")
    batches: list[int] = []
    listener = C.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    with np.errstate(all="ignore"):
        trained.fit(
            ROWS, TARGETS, batch_size=5, epochs=3, verbose=0, validation_data=(ROWS, TARGETS),
            callbacks=[Listener(), listener, C.TerminateOnNaN()],
        )  # fmt: skip
    assert told == [
        "on_train_begin", "on_epoch_begin", "on_test_begin", "on_test_end", "on_epoch_end", "on_train_end",
    ]  # fmt: skip
    assert batches == [0, 1]
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"


def test_data_that_does_not_fit_is_refused() -> None:
    trained = rows_model()
    trained.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"validation_split=0\.99 of 10 samples leaves 0"):
        trained.fit(ROWS, TARGETS, validation_split=0.99, verbose=0)
    with pytest.raises(ValueError, match="generator is exhausted"):
        trained.fit(iter([(ROWS, TARGETS)]), epochs=2, verbose=0)
    with pytest.raises(ValueError, match="keys from 0"):
        trained.fit(ROWS, LABELS, class_weight={1: 2.0}, verbose=0)
    with pytest.raises(TypeError, match="nonsense"):
        trained.fit(ROWS, TARGETS, nonsense=1)
