"""Damaged files and configs: loading gives what was saved, or refuses with ``LoadError``; it does nothing else."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reference_impl as keras
from reference_impl import LoadError

L = keras.layers
X = np.random.RandomState(0).rand(2, 4, 3).astype("float32")
FILES = {
    "keras-2.4": ("m.h5", "w.h5", "w"),
    "keras-2.15": ("m.h5", "m.keras", "w.weights.h5"),
    "keras-3": ("m.keras", "w.weights.h5"),
}
JUNK: tuple[Any, ...] = (
    *(None, True, -1, 0, 3, 10**30, 1.5, float("nan"), "", "x", "Dense", [], [1], [[]], {}, [["i", 0, 0]]),
    {"class_name": "Dense"},
    {"class_name": "Dense", "config": {}},
    {"class_name": "__tuple__"},
    {"class_name": "__keras_tensor__", "config": {}},
    {"class_name": "__tensor__", "config": {"value": "x"}},
)

pytestmark = pytest.mark.filterwarnings("ignore")


def model() -> Any:
    source = keras.Input((4, 3), name="source")
    h = L.LSTM(2, return_sequences=True, name="lstm", kernel_regularizer="l2")(source)
    h = L.Bidirectional(L.GRU(2), name="both")(L.BatchNormalization(name="norm")(h))
    entrance = keras.Input((4,), name="entrance")
    inner = keras.Model(entrance, L.Dense(2, activation="relu", name="dense")(entrance), name="inner")
    made = keras.Model(source, L.Add(name="add")([inner(h), L.Dropout(0.5, name="drop")(inner(h))]), name="model")
    made.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)), "mse")
    made.train_on_batch(X, np.zeros((2, 2), "float32"))
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of a small model by dialect and name."""
    found: dict[str, dict[str, bytes]] = {}
    for dialect, names in FILES.items():
        folder = tmp_path_factory.mktemp(dialect)
        with keras.dialect(dialect):
            saved = model()
            for name in names:
                (saved.save if name.startswith("m") else saved.save_weights)(folder / name)
        found[dialect] = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "checkpoint"}
    return found


@pytest.fixture(scope="module")
def target() -> Any:
    return model()


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """Cut short, or with a few bits turned over."""
    if data.draw(st.booleans()):
        return content[: data.draw(st.integers(0, len(content) - 1))]
    turned = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(content) * 8 - 1), min_size=1, max_size=20)):
        turned[place // 8] ^= 1 << place % 8
    return bytes(turned)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files(whole: dict[str, dict[str, bytes]], target: Any, tmp_path: Path, data: st.DataObject) -> None:
    files = whole[data.draw(st.sampled_from(sorted(whole)))]
    name = data.draw(st.sampled_from(sorted(files)))
    for part, content in files.items():
        (tmp_path / part).write_bytes(damaged(content, data) if part == name else content)
    before = target.get_weights()
    try:
        if name.startswith("m"):
            keras.models.load_model(tmp_path / name)
        else:
            target.load_weights(tmp_path / ("w" if name.startswith("w.index") or ".data-" in name else name))
    except LoadError:
        assert all(map(np.array_equal, before, target.get_weights()))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


KERAS_1: Any = {
    "class_name": "Sequential",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {"name": "c", "nb_filter": 2, "nb_row": 2, "nb_col": 2, "border_mode": "same",
                       "dim_ordering": "tf", "batch_input_shape": [None, 5, 5, 1],
                       "W_regularizer": {"name": "WeightRegularizer", "l1": 0, "l2": 0.1}},
        },
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "output_dim": 2, "init": "uniform"}},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def forms() -> list[Any]:
    """What a JSON text of each generation holds."""
    texts: list[str] = []
    for dialect in FILES:
        with keras.dialect(dialect):
            texts.append(model().to_json())
    return [KERAS_1, *map(json.loads, texts)]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_configs(forms: list[Any], data: st.DataObject) -> None:
    """A value somewhere in a config taken away, or another in its place."""
    form = copy.deepcopy(data.draw(st.sampled_from(forms)))
    *path, last = data.draw(st.sampled_from(list(places(form))))
    holder = form
    for key in path:
        holder = holder[key]
    if data.draw(st.booleans()):
        del holder[last]
    else:
        holder[last] = data.draw(st.sampled_from(JUNK))
    for load in (lambda: keras.models.model_from_json(json.dumps(form)), lambda: L.deserialize(form)):
        with contextlib.suppress(LoadError):
            load()


@pytest.mark.parametrize("size", [0, 1 << 40, (1 << 64) - 16])
def test_a_heap_that_leads_nowhere(whole: dict[str, dict[str, bytes]], tmp_path: Path, size: int) -> None:
    """The HDF5 library would go round in it for ever, or out of its memory."""
    name = "w.weights.h5"
    content = bytearray(whole["keras-3"][name])
    start = content.index(b"GCOL")
    content[start + 16 : start + 18] = bytes(2)
    content[start + 24 : start + 32] = size.to_bytes(8, "little")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LoadError, match=f"{name}: byte {start + 16}: found an object of {size} bytes in a heap"):
        model().load_weights(tmp_path / name)
