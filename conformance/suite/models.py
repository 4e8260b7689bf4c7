"""What the tests of every chapter do with a model: make it with weights that are all different, save it, load it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from conformance.blueprint import Blueprint, Subclassed, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies import batches, custom_objects, distinct_weights
from conformance.suite.compare import Mismatch, assert_differs, assert_same_arrays

Arrays = list[npt.NDArray[Any]]

# Where a format's file goes. The name, not an argument, chooses the format: the one spelling that every dialect shares.
MODEL_FILES: Mapping[str, str] = {"savedmodel": "model", "hdf5": "model.h5", "keras": "model.keras"}
WEIGHT_FILES: Mapping[str, str] = {"checkpoint": "weights", "hdf5": "weights.h5", "weights-h5": "model.weights.h5"}

# HDF5 holds no graph of a subclassed model (hdf5.subclassed-refused); a .keras file holds any model that has a config.
KINDS_WHOLE: Mapping[str, tuple[str, ...]] = {
    "savedmodel": ("sequential", "functional", "subclassed"),
    "hdf5": ("sequential", "functional"),
    "keras": ("sequential", "functional"),
}

# Weights of several kinds, no two layers alike in shape.
THREE_LAYERS = chain(
    layer("Dense", units=3, name="first"),
    layer("BatchNormalization", name="norm"),
    layer("Dense", units=2, name="second"),
    shape=(4,),
)


def _is_savedmodel(path: Path) -> bool:
    return path.is_dir() and (path / "saved_model.pb").is_file()


def _is_hdf5(path: Path) -> bool:
    return path.is_file() and path.read_bytes()[:8] == b"\x89HDF\r\n\x1a\n"


def _is_zip(path: Path) -> bool:
    return path.is_file() and path.read_bytes()[:4] == b"PK\x03\x04"


def _is_checkpoint(path: Path) -> bool:
    return not path.exists() and Path(f"{path}.index").is_file() and any(path.parent.glob(f"{path.name}.data-*"))


# The container on disk: a v3 weights file is HDF5 too.
_CONTAINERS: Mapping[str, Callable[[Path], bool]] = {
    "savedmodel": _is_savedmodel,
    "hdf5": _is_hdf5,
    "weights-h5": _is_hdf5,
    "keras": _is_zip,
    "checkpoint": _is_checkpoint,
}


def is_format(path: Path, format: str) -> bool:
    """Whether what lies at the path (for a checkpoint: the prefix) is of that format, by its first bytes."""
    return _CONTAINERS[format](path)


def formats_at(path: Path, formats: Iterable[str]) -> list[str]:
    """Those of ``formats`` of which something lies at the path."""
    return [format for format in formats if is_format(path, format)]


def prepared(impl: Session, blueprint: Blueprint, seed: int) -> Handle:
    """The model that the blueprint describes, every weight element of it different from every other."""
    model = impl.build(blueprint)
    set_distinct_weights(impl, model, seed)
    return model


def trained(impl: Session, blueprint: Blueprint, seed: int, steps: int = 3) -> Handle:
    """The model after a few training steps: its optimizer has a state that no fresh one has."""
    model = prepared(impl, blueprint, seed)
    impl.train(model, batches(blueprint, seed, steps))
    return model


def set_distinct_weights(impl: Session, model: Handle, seed: int) -> Arrays:
    """Give the model weights that are all different, and return them in the order of ``get_weights``."""
    weights = distinct_weights([(array.shape, array.dtype) for array in impl.get_weights(model)], seed)
    impl.set_weights(model, weights)
    return weights


def save(impl: Session, model: Handle, scratch: Path, format: str, **options: Any) -> Path:
    """Save the whole model in ``format`` under ``scratch`` and return the path."""
    scratch.mkdir(exist_ok=True)  # that saving makes folders is a requirement of its own
    path = scratch / MODEL_FILES[format]
    impl.save(model, path, **options)
    return path


def loading_options(blueprint: Blueprint) -> dict[str, Any]:
    """The custom objects that a loader needs for this model.

    A subclassed model is loaded without its class, and so revived from its functions: what becomes of it when the
    class is given is decided by savedmodel.config-preferred alone.
    """
    objects = {} if isinstance(blueprint, Subclassed) else custom_objects(blueprint)
    return {"custom_objects": objects} if objects else {}


def round_trip(
    impl: Session, model: Handle, scratch: Path, format: str, blueprint: Blueprint, **options: Any
) -> Handle:
    """Save the whole model in ``format`` and load it again, with the custom objects it needs."""
    return impl.load(save(impl, model, scratch, format), **loading_options(blueprint), **options)


def same_path(blueprint: Blueprint) -> str:
    """The tolerance for outputs after a round trip: a revived subclassed model takes another way to them."""
    return "revived" if isinstance(blueprint, Subclassed) else "same-path"


def fresh_copy(impl: Session, blueprint: Blueprint, original: Handle) -> Handle:
    """Another model from the same blueprint whose weights are not those of ``original``: what weights are loaded into."""
    copy = impl.build(blueprint)
    set_distinct_weights(impl, copy, seed=987_654_321)
    if impl.get_weights(original):
        assert_differs(impl.get_weights(original), impl.get_weights(copy), "two models started from the same weights")
    return copy


def weights_round_trip(impl: Session, original: Handle, scratch: Path, format: str, blueprint: Blueprint) -> Handle:
    """Save the weights of ``original`` and load them into another model of the same blueprint, which is returned."""
    target = fresh_copy(impl, blueprint, original)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])
    impl.load_weights(target, scratch / WEIGHT_FILES[format])
    return target


def assert_same_weights(impl: Session, expected: Handle, actual: Handle, what: str) -> None:
    """Equal weights, bit for bit, in the same order."""
    assert_same_arrays(impl.get_weights(expected), impl.get_weights(actual), what)


def load_status(impl: Session, model: Handle, path: Path) -> Handle:
    """Load a checkpoint into the model and return the load status, which there must be."""
    status = impl.load_weights(model, path)
    if status is None:
        raise Mismatch("what load_weights returns for a checkpoint", "a load status", None)
    return status
