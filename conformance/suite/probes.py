"""The smallest use of each capability: does the implementation have it, whatever it claims?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from conformance import witness
from conformance.blueprint import Compile, Custom, Input, Sequential, Subclassed, chain, layer
from conformance.protocol.errors import Refused, Unsupported
from conformance.protocol.session import Session
from conformance.strategies import batches
from conformance.suite.models import MODEL_FILES, WEIGHT_FILES, is_format, save

MODEL = chain(layer("Dense", units=2, name="dense"), shape=(3,))
COMPILED = MODEL.with_compile(Compile("sgd", "mse"))
SUBCLASSED = Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 2}, inputs=(Input("x", (3,)),))

Probe = Callable[[Session, Path], object]


def _save(format: str) -> Probe:
    def probe(impl: Session, scratch: Path) -> bool:
        return is_format(save(impl, impl.build(MODEL), scratch, format), format)

    return probe


def _save_weights(format: str) -> Probe:
    def probe(impl: Session, scratch: Path) -> bool:
        path = scratch / WEIGHT_FILES[format]
        impl.save_weights(impl.build(MODEL), path)
        # Both are HDF5 files; where there is no v3 weights file, its suffix is just another ".h5".
        is_v3 = format != "checkpoint" and any("/vars/" in name for name in witness.hdf5.read(path).datasets)
        return is_format(path, format) and is_v3 == (format == "weights-h5")

    return probe


def _load(format: str) -> Probe:
    """Loading is probed on a file of the implementation's own; one that cannot write it is taken at its word."""
    return lambda impl, scratch: impl.load(save(impl, impl.build(MODEL), scratch, format))


def _load_weights(format: str) -> Probe:
    def probe(impl: Session, scratch: Path) -> None:
        model = impl.build(MODEL)
        impl.save_weights(model, scratch / WEIGHT_FILES[format])
        impl.load_weights(model, scratch / WEIGHT_FILES[format])

    return probe


def _scope(impl: Session, scratch: Path) -> None:
    with impl.scope({"Foo": "Foo:A"}):
        pass


def _checkpoint(impl: Session, scratch: Path) -> object:
    return impl.checkpoint_list(impl.checkpoint_save({"model": impl.build(MODEL)}, scratch / "ckpt"))


PROBES: Mapping[str, Probe] = {
    "build.sequential": lambda impl, scratch: impl.build(Sequential(inputs=MODEL.inputs, layers=MODEL.nodes)),
    "build.functional": lambda impl, scratch: impl.build(MODEL),
    "build.subclassed": lambda impl, scratch: impl.build(SUBCLASSED),
    "train": lambda impl, scratch: impl.train(impl.build(COMPILED), batches(COMPILED, 1, 1)),
    "config": lambda impl, scratch: impl.from_config("Model", impl.get_config(impl.build(MODEL)).object),
    "json": lambda impl, scratch: impl.from_json(impl.to_json(impl.build(MODEL))),
    "serialize": lambda impl, scratch: impl.serialize(impl.build_layer(layer("Dense", "dense", units=2))),
    "registry": _scope,
    "clone": lambda impl, scratch: impl.clone(impl.build(MODEL)),
    "summary": lambda impl, scratch: impl.summary(impl.build(MODEL)),
    "source": lambda impl, scratch: impl.run_source("print(keras.layers.Dense)", "probe", scratch),
    "add-loss": lambda impl, scratch: impl.add_loss(impl.build(MODEL), "callable", 0.5),
    "part-model": lambda impl, scratch: impl.part_model(impl.build(MODEL), -1, "input"),
    "checkpoint": _checkpoint,
    "graph-only": lambda impl, scratch: impl.graph_load(save(impl, impl.build(MODEL), scratch, "savedmodel")),
    **{f"save.{format}": _save(format) for format in MODEL_FILES},
    **{f"load.{format}": _load(format) for format in MODEL_FILES},
    **{f"save-weights.{format}": _save_weights(format) for format in WEIGHT_FILES},
    **{f"load-weights.{format}": _load_weights(format) for format in WEIGHT_FILES},
}

# A probe that goes through another capability says nothing about its own where that one is missing.
NEEDS: Mapping[str, str] = {
    "graph-only": "save.savedmodel",
    **{f"load.{format}": f"save.{format}" for format in MODEL_FILES},
    **{f"load-weights.{format}": f"save-weights.{format}" for format in WEIGHT_FILES},
}


def has(impl: Session, capability: str, scratch: Path) -> bool | None:
    """Whether the smallest use of the capability works; None where that cannot be told."""
    needed = NEEDS.get(capability)
    if needed is not None and needed not in impl.hello.capabilities:
        return None
    folder = scratch / capability
    folder.mkdir()
    try:
        return PROBES[capability](impl, folder) is not False
    except (Refused, Unsupported):
        return False
