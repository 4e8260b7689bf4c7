"""Read one model of a corpus and say how it went."""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np

import reference_impl as keras
from reference_impl import LoadError, structure

VARIABLE = "KERAS_CONFORMANCE_CORPUS"
TOLERANCE = 1e-5
"""Times max(1, |expected|), for sums of outputs; sums of weights are of the same float32 values."""

UNKNOWN_LOSS = {"m061": "<lambda>"}
"""Models that were trained with a loss that only their writer has."""

_BATCH, _UNKNOWN = 2, 16
_GENERATIONS = (("3.", "k3"), ("2.5", "215"), ("2.6", "215"), ("2.7", "215"), ("2.8", "215"), ("2.9", "215"))


@dataclass(frozen=True)
class Entry:
    """A model: its line of the index, and the folder."""

    folder: Path
    line: dict[str, Any]

    @property
    def name(self) -> str:
        return self.line["id"]

    @property
    def kind(self) -> str:
        """``HDF5``, ``v3``, ``checkpoint`` or ``SavedModel``."""
        words = {"hdf5": "HDF5", ".keras": "v3", "tf check": "checkpoint"}
        form = self.line["format"].lower()
        return next((kind for word, kind in words.items() if form.startswith(word)), "SavedModel")

    @property
    def model_file(self) -> Path:
        paths = [path for path in self.line["files"] if not path.endswith("_inputs_and_outputs.h5")]
        graphs = [path for path in paths if path.endswith("/saved_model.pb")]
        return (self.folder / graphs[0]).parent if graphs else self.folder / paths[0]

    @property
    def truth(self) -> dict[str, Any] | None:
        """What the writer's own generation measured, or the nearest one that reads the file."""
        version = self.line.get("keras_version") or ""
        own = next((name for start, name in _GENERATIONS if version.startswith(start)), None)
        own = own or ("215" if re.match(r"2\.1\d\.", version) else "24")
        results: dict[str, Any] = self.line["results"]
        found = (results.get(name) for name in (own, "24", "215", "tfk", "k3"))
        return next((result for result in found if result and result["ok"] == "OK"), None)


@dataclass(frozen=True)
class Outcome:
    """``refused`` is a typed error with its reason; ``failed`` is a difference or any other error."""

    entry: Entry
    status: Literal["read", "refused", "failed"]
    detail: str


def entries() -> Iterator[Entry]:
    """The models of the corpus; none if the environment names no folder."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for line in (Path(folder) / "INDEX.jsonl").read_text().splitlines():
            yield Entry(Path(folder), json.loads(line))


def read(entry: Entry) -> Outcome:
    """Load the model and compare its weights and outputs."""
    changed = _changed_files(entry)
    if changed:
        return Outcome(entry, "failed", f"{changed[0]} is not the file of the index")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = keras.models.load_model(str(entry.model_file), compile=False)
            found = [*_weights(entry, model), *_outputs(entry, model), *_stored_outputs(entry, model)]
            found.append(_compiled(entry))
    except LoadError as error:
        return Outcome(entry, "refused", str(error).replace(f"{entry.folder}/", ""))
    except Exception as error:
        return Outcome(entry, "failed", f"{type(error).__name__}: {error}")
    wrong = [text for text, right in found if not right]
    return Outcome(entry, "failed" if wrong else "read", "; ".join(wrong or [text for text, _ in found]))


def _compiled(entry: Entry) -> tuple[str, bool]:
    """Whether it loads compiled, too, or is refused for the unknown loss that it was trained with."""
    unknown = UNKNOWN_LOSS.get(entry.name)
    try:
        keras.models.load_model(str(entry.model_file))
    except LoadError as error:
        if unknown is None or f"Unknown loss function: {unknown}" not in str(error):
            raise
        return f"compiled it is refused for want of its loss {unknown}", True
    return "compiled", unknown is None


def _open(path: Path) -> Any:
    return h5py.File(path, "r")


def _changed_files(entry: Entry) -> list[str]:
    return [
        path
        for path, digest in entry.line["files"].items()
        if hashlib.sha256((entry.folder / path).read_bytes()).hexdigest() != digest
    ]


def _near(found: float, expected: float) -> bool:
    return abs(found - expected) <= TOLERANCE * max(1.0, abs(expected))


def _weights(entry: Entry, model: Any) -> Iterator[tuple[str, bool]]:
    """(what was compared, whether it is right); of Keras 1 the file itself is what the sum is compared with."""
    weights = [np.asarray(weight, "float64") for weight in model.get_weights()]
    total = float(sum(np.abs(weight).sum() for weight in weights))
    truth = entry.truth
    if truth is None:
        expected = _sum_in_file(entry.model_file)
        yield f"weights sum to {total:.6g}, in the file {expected:.6g}", _near(total, expected)
        return
    yield f"{len(weights)} weights, expected {truth['nw']}", len(weights) == truth["nw"]
    yield f"weights sum to {total:.6g}, expected {truth['wsum']:.6g}", _near(total, truth["wsum"])


def _sum_in_file(path: Path) -> float:
    total = 0.0
    with _open(path) as file:

        def add(_: str, found: Any) -> None:
            nonlocal total
            if isinstance(found, h5py.Dataset):
                total += float(np.abs(np.asarray(found[()], "float64")).sum())

        file["model_weights"].visititems(add)
    return total


def _outputs(entry: Entry, model: Any) -> Iterator[tuple[str, bool]]:
    truth = entry.truth
    if truth is None or "fwd" not in truth:
        return
    random = np.random.RandomState(0)
    given: list[Any] = []
    for tensor in model.inputs:
        _, *sizes = tensor.shape
        x = random.rand(_BATCH, *(_UNKNOWN if size is None else size for size in sizes))
        whole = str(tensor.dtype).startswith(("int", "uint"))
        given.append((x * 3).astype(tensor.dtype) if whole else x.astype("float32"))
    outputs = model(given[0] if len(given) == 1 else given)
    listed = structure.flatten(outputs)
    for index, (output, (shape, total, absolute)) in enumerate(zip(listed, truth["fwd"], strict=True)):
        array = np.asarray(output, "float64")
        sums = float(array.sum()), float(np.abs(array).sum())
        right = list(array.shape) == shape and _near(sums[0], total) and _near(sums[1], absolute)
        yield (
            f"output {index}: {array.shape} {sums[0]:.7g} {sums[1]:.7g}, expected {shape} {total:.7g} {absolute:.7g}",
            right,
        )


def _stored_outputs(entry: Entry, model: Any) -> Iterator[tuple[str, bool]]:
    for path in (path for path in entry.line["files"] if path.endswith("_inputs_and_outputs.h5")):
        with _open(entry.folder / path) as file:
            given, wanted = (
                [np.asarray(file[kind][name]) for name in file[kind]] for kind in ("inputs", "predictions")
            )
        batch = model.inputs[0].shape[0] or len(given[0])
        found = [
            np.asarray(model(given[0][start : start + batch]))
            for start in range(0, len(given[0]) // batch * batch, batch)
        ]
        got = np.concatenate(found)
        difference = float(np.abs(got - wanted[0][: len(got)]).max())
        bound = TOLERANCE * max(1.0, float(np.abs(wanted[0]).max()))
        yield f"outputs beside the model differ by {difference:.2g}", difference <= bound
