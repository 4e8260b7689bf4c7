"""Inputs and targets for a model: the same numbers every time, of the shapes, dtypes and ranges that it takes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import ml_dtypes
import numpy as np

from conformance.checking.arrays import Array
from conformance.checking.evidence import Evidence, dicts
from conformance.protocol.results import TensorInfo

BATCH = 2
# What stands for an unknown size: the first of these with which the model runs at all.
SIZES = (8, 32, 128)
WORDS = (b"a", b"the", b"model", b"", "é".encode(), b"42")


class InputsError(ValueError):
    """A file of inputs that cannot be used: names the file and what is wrong with it."""


def read_inputs(path: Path) -> dict[str, Array]:
    """The arrays of an .npz file by name. Raises InputsError."""
    try:
        loaded: Any = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise InputsError(f"{path}: is one array, expected an .npz file with an array an input")
        with loaded as file:
            arrays: dict[str, Array] = {name: np.asarray(file[name]) for name in file.files}
    except InputsError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputsError(f"{path}: cannot be read as .npz: {error}") from error
    if not arrays:
        raise InputsError(f"{path}: holds no arrays")
    return {name: _as_strings(array) for name, array in arrays.items()}


def _as_strings(array: Array) -> Array:
    if array.dtype.kind not in "US":
        return array
    made = np.empty(array.shape, object)
    made[...] = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
    return made


def given_inputs(given: Mapping[str, Array], tensors: Sequence[TensorInfo]) -> list[Array]:
    """The given arrays in the order of the model's inputs: by name if all names fit, else as they stand in the file."""
    names = [tensor.name for tensor in tensors]
    if names and all(name in given for name in names):
        return [given[str(name)] for name in names]
    return list(given.values())


def candidates(tensors: Sequence[TensorInfo], evidence: Evidence) -> list[list[Array]]:
    """Inputs to try, in order; several where sizes are unknown. None where not even the number of dimensions is known."""
    shapes = [tensor.shape for tensor in tensors]
    known = [shape for shape in shapes if shape is not None]
    if not tensors or len(known) != len(shapes):
        return []
    open_sizes = any(size is None for shape in known for size in shape[1:])
    limits = [_limit(tensor, evidence, len(tensors)) for tensor in tensors]
    return [
        [
            _array(tensor, size, limit, number)
            for number, (tensor, limit) in enumerate(zip(tensors, limits, strict=True))
        ]
        for size in (SIZES if open_sizes else SIZES[:1])
    ]


def _array(tensor: TensorInfo, size: int, limit: int | None, number: int) -> Array:
    assert tensor.shape is not None
    batch = tensor.shape[0] if tensor.shape and tensor.shape[0] else BATCH
    shape = (batch, *(size if part is None else part for part in tensor.shape[1:])) if tensor.shape else ()
    draw = np.random.default_rng([*shape, number])
    dtype = tensor.dtype or "float32"
    if dtype == "string":
        texts = np.empty(shape, object)
        texts[...] = np.array(WORDS, object)[draw.integers(0, len(WORDS), shape)]
        return texts
    if dtype == "bool":
        return draw.integers(0, 2, shape).astype(np.bool_)
    wanted = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    if limit is not None or wanted.kind in "iu":
        return draw.integers(0, limit or 8, shape).astype(wanted)
    return draw.uniform(-1.0, 1.0, shape).astype(wanted)


def _limit(tensor: TensorInfo, evidence: Evidence, count: int) -> int | None:
    """Below what the numbers of an input must stay because they are looked up in an embedding; None if they are not."""
    embeddings = [part for part in dicts(evidence.config) if part.get("class_name") == "Embedding"]
    sizes = {id(part): _size(part) for part in embeddings}
    fed = [sizes[id(part)] for part in embeddings if tensor.name in _names_in(part.get("inbound_nodes"))]
    whole = [size for size in sizes.values() if size]
    if any(fed):
        return min(size for size in fed if size)
    if not whole:
        return None
    is_integer = np.dtype(tensor.dtype).kind in "iu" if tensor.dtype not in (None, "string", "bfloat16") else False
    if is_integer or count == 1:
        return min(whole) if is_integer or _begins_with_embedding(evidence.config) else None
    return None


def _begins_with_embedding(config: Mapping[str, Any]) -> bool:
    """Whether the first layer that does something is an embedding, as in a Sequential model."""
    for part in dicts(config):
        layers = part.get("layers")
        if isinstance(layers, list):
            names = [layer.get("class_name") for layer in cast("list[Any]", layers) if isinstance(layer, dict)]  # pyright: ignore
            working = [name for name in names if name != "InputLayer"]  # pyright: ignore
            if working[:1] == ["Embedding"]:
                return True
    return False


def _size(embedding: Mapping[str, Any]) -> int | None:
    config = embedding.get("config")
    size = cast("Mapping[str, Any]", config).get("input_dim") if isinstance(config, dict) else None
    return size if isinstance(size, int) and size > 0 else None


def _names_in(value: Any) -> set[str]:
    """Every text in a JSON value: the layer names among the inbound nodes of any generation."""
    if isinstance(value, str):
        return {value}
    parts: Sequence[Any] = ()
    if isinstance(value, dict):
        parts = list(cast("dict[str, Any]", value).values())
    elif isinstance(value, list):
        parts = cast("list[Any]", value)
    return set[str]().union(*map(_names_in, parts))


def targets(outputs: Sequence[Array], evidence: Evidence, steps: int) -> list[list[Array]]:
    """Targets for so many training steps, such as the loss in the training config takes for these outputs."""
    loss = evidence.training.get("loss")
    losses = cast("list[Any]", loss) if isinstance(loss, list) else [loss] * len(outputs)
    if len(losses) != len(outputs):
        losses = [losses] * len(outputs)
    return [
        [_target(output, losses[index], step, index) for index, output in enumerate(outputs)] for step in range(steps)
    ]


def _target(output: Array, loss: Any, step: int, index: int) -> Array:
    text = json.dumps(loss).lower().replace("_", "")
    draw = np.random.default_rng([step, index, *output.shape])
    classes = output.shape[-1] if output.ndim else 1
    if "sparse" in text:
        return draw.integers(0, classes, output.shape[:-1]).astype(np.int32)
    if "binarycrossentropy" in text:
        return draw.integers(0, 2, output.shape).astype(np.float32)
    if "crossentropy" in text:
        return np.eye(classes, dtype=np.float32)[draw.integers(0, classes, output.shape[:-1])]
    return draw.uniform(0.0, 1.0, output.shape).astype(np.float32)
