"""The readers: what each reads from a folder, and what it gives, as values that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import reference_impl as keras
from fuzz import mutations as m
from fuzz.cases import Files, golden, small_model, written
from reference_impl import LoadError, tf
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.stored import read_graph
from reference_impl.formats.checkpoint.table import read_table
from reference_impl.formats.savedmodel import metadata
from reference_impl.serialization import models

Value = Any  # an array, a text, or bytes


@dataclass(frozen=True)
class Reader:
    """One way to read.

    ``read``: gives the values that are in a folder, in order; ``LoadError`` if they cannot be read. ``seeds``: cases
    that it reads. ``mutations``: what is done to a case. ``guarded``: a checksum covers every value in it. ``fresh``: it makes
    new weights of whatever sizes a text asks for, so that its memory is no matter of the file's size.
    """

    name: str
    summary: str
    read: Callable[[Path], Iterable[Value]]
    seeds: Callable[[], Iterable[Files]]
    mutations: tuple[m.Mutation, ...]
    guarded: bool = False
    fresh: bool = False


# -- reading ---------------------------------------------------------------------------------------------------


def _only(folder: Path, suffix: str = "") -> Path:
    found = sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
    if not found:
        raise LoadError("the case has lost its file")
    return found[0]


def _table(folder: Path) -> Iterator[Value]:
    file = _only(folder)
    for key, value in read_table(file.read_bytes(), file.name):
        yield key
        yield value


def _bundle(folder: Path) -> Iterator[Value]:
    prefix = str(_only(folder, ".index")).removesuffix(".index")
    with Bundle(prefix) as bundle:
        for key in bundle.entries:
            yield key
            yield bundle.tensor(key)
        read_graph(bundle, prefix)


def _model(folder: Path) -> Iterator[Value]:
    return of_model(keras.models.load_model(_only(folder)))


def _saved_model(folder: Path) -> Iterator[Value]:
    return of_model(keras.models.load_model(_saved_model_folder(folder)))


def _graph(folder: Path) -> Iterator[Value]:
    """The objects of a SavedModel without Keras, and every signature run on ones."""
    root = tf.saved_model.load(_saved_model_folder(folder))
    for name in root.signatures:
        signature = root.signatures[name]
        _, specs = signature.structured_input_signature
        given = {key: _example(spec) for key, spec in specs.items()}
        if any(value is None for value in given.values()):
            continue
        results = signature(**given)
        for key in sorted(results):
            yield np.asarray(results[key])


def _example(spec: Any) -> Any:
    """What fits the spec; None where it asks for much, which is for whoever calls to decide, or for what nobody has."""
    sizes = [] if spec.shape is None else [1 if size is None else size for size in spec.shape]
    dtype = str(spec.dtype)
    if max(sizes, default=1) > LARGEST_SIZE or dtype not in _DTYPES:
        return None
    return np.full(sizes, b"x", object) if dtype == "string" else np.ones(sizes, dtype)


LARGEST_SIZE = 100
_DTYPES = {"float16", "float32", "float64", "int32", "int64", "uint8", "bool", "string"}


def _saved_model_folder(folder: Path) -> Path:
    found = [path.parent for path in folder.rglob("saved_model.pb")]
    return found[0] if found else folder


def of_model(model: Any) -> Iterator[Value]:
    """What a loaded model, or a layer saved alone, says of itself: its weights, its optimizer's, and its config if it has one."""
    yield from model.get_weights()
    if getattr(model, "optimizer", None) is not None:
        yield from model.optimizer.get_weights()
    try:
        yield models.serialize_model(model).__repr__()
    except NotImplementedError:
        return


def _weights(folder: Path) -> Iterator[Value]:
    model = _target()
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    names = sorted(path.name for path in folder.iterdir() if path.name != "checkpoint")
    if not names:
        raise LoadError("the case has lost its files")
    model.load_weights(folder / (names[0] if names[0].endswith(".h5") else names[0].split(".")[0]))
    return iter(model.get_weights())


@cache
def _target() -> Any:
    return small_model(99)


def _json(folder: Path) -> Iterator[Value]:
    try:
        text = _only(folder).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise LoadError("no text") from error  # what a caller has is a text
    return iter([models.serialize_model(models.model_from_json(text)).__repr__()])


def _metadata(folder: Path) -> Iterator[Value]:
    text = _only(folder).read_bytes().decode("utf-8", "replace")
    try:
        yield repr(metadata.decode(text))
    except (ValueError, TypeError, KeyError, RecursionError) as error:  # what its caller makes a LoadError of
        raise LoadError(str(error)) from error


# -- seeds -----------------------------------------------------------------------------------------------------


def _of_format(format: str, count: int = 24) -> Callable[[], Iterable[Files]]:
    return lambda: (written(format), *golden(format, count))


def _variables() -> Iterator[Files]:
    yield written("checkpoint")
    for files in golden("savedmodel", 30):
        yield {name.rpartition("/")[2]: content for name, content in files.items() if "variables/" in name}


def _indexes() -> Iterator[Files]:
    for files in _variables():
        yield from ({name: content} for name, content in files.items() if name.endswith(".index"))


def _texts() -> Iterator[Files]:
    for files in (written("keras"), *golden("keras", 20)):
        for content in files.values():
            if content.startswith(b"PK"):  # the .keras of Keras 2.4 is HDF5
                yield {"model.json": m.zip_members(content)["config.json"]}
    for files in (written("hdf5"), *golden("hdf5", 20)):
        for content in files.values():
            yield {"model.json": m.hdf5_config(content)}


def _metadata_texts() -> Iterator[Files]:
    for files in (written("savedmodel"), *golden("savedmodel", 10)):
        for name, content in files.items():
            if name.endswith("keras_metadata.pb"):
                texts = [text.encode() for text in m.metadata_texts(content)]
                yield from ({"object.json": text} for text in islice(texts, 8))


def _one(format: str) -> Callable[[], Iterable[Files]]:
    return lambda: (written(format, 0), written(format, 1))


ALL = (
    Reader("table", "the index of a checkpoint", _table, _indexes, m.TABLE),
    Reader("bundle", "a checkpoint's tensors and objects", _bundle, _variables, m.BUNDLE, guarded=True),
    Reader("checkpoint", "a checkpoint into a model", _weights, _one("checkpoint"), m.BUNDLE, guarded=True),
    Reader("savedmodel", "a SavedModel as a Keras model", _saved_model, _of_format("savedmodel"), m.SAVED_MODEL),
    Reader("graph", "a SavedModel without Keras, its signatures run", _graph, _of_format("savedmodel"), m.GRAPH),
    Reader("metadata", "what Keras says of an object", _metadata, _metadata_texts, m.TEXT, fresh=True),
    Reader("hdf5", "a model in HDF5", _model, _of_format("hdf5"), m.HDF5),
    Reader("hdf5-weights", "weights in HDF5", _weights, _one("hdf5-weights"), m.HDF5),
    Reader("keras", "a model in a .keras archive", _model, _of_format("keras"), m.ARCHIVE, guarded=True),
    Reader("weights-h5", "weights in .weights.h5", _weights, _one("weights-h5"), m.HDF5),
    Reader("json", "a model's config as JSON", _json, _texts, m.TEXT, fresh=True),
)
READERS = {reader.name: reader for reader in ALL}
