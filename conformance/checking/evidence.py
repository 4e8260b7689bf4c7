"""What a model's files say of themselves, read by the witness: no implementation testifies about its own loading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from conformance.checking.arrays import Array
from conformance.checking.finding import INDEX, Found, architecture_beside
from conformance.witness import WitnessError, checkpoint, hdf5, keras_zip, savedmodel

# What each format is called in capabilities: `load.keras`, `load-weights.checkpoint`.
WHOLE, WEIGHTS = "load.", "load-weights."


class NoModel(ValueError):
    """A file that can be read and holds nothing that could be loaded: why, and what to do."""


@dataclass(frozen=True, eq=False)
class Named:
    """An array and what the file calls it."""

    name: str
    value: Array


@dataclass(frozen=True, eq=False)
class Evidence:
    """What there is to load, and what of it can be told from outside.

    ``capability`` is what an implementation must claim (``load.hdf5``); ``architecture`` the JSON text of a model whose
    weights alone are in the file. ``weights`` are the model's, or, where ``mixed``, all that is in a checkpoint.
    ``optimizer`` are the arrays of the optimizer's state. ``converts`` says why values may rightly be loaded as others.
    """

    capability: str
    writer: str | None = None
    backend: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    training: Mapping[str, Any] = field(default_factory=dict[str, Any])
    architecture: str | None = None
    weights: tuple[Named, ...] = ()
    mixed: bool = False
    optimizer: tuple[Named, ...] = ()
    problem: str | None = None

    @property
    def format(self) -> str:
        """As people name it."""
        kind, _, name = self.capability.partition(".")
        return f"{name} weights" if kind == "load-weights" else name or _PLAIN[kind]

    @property
    def is_plain(self) -> bool:
        """Variables that belong to no Keras model: a checkpoint without an architecture, or a graph without Keras."""
        return self.capability in _PLAIN

    @property
    def classes(self) -> frozenset[str]:
        """Every class name in the config."""
        return frozenset(str(part["class_name"]) for part in dicts(self.config) if "class_name" in part)

    @property
    def converts(self) -> str | None:
        """Why the values loaded may rightly be others than those stored; None where they may not."""
        if (self.writer or "").startswith(("0.", "1.")):
            return f"Keras {self.writer} laid its weights out otherwise"
        if self.backend not in (None, "tensorflow", "jax", "torch"):
            return f"the file was written on {self.backend}, whose kernels are turned round on loading"
        cudnn = sorted(name for name in self.classes if name.startswith("CuDNN"))
        return f"the weights of {', '.join(cudnn)} are converted" if cudnn else None

    @property
    def dialect(self) -> str:
        """The dialect of the Keras that wrote the file, as far as it says; the reference reads it as that Keras did."""
        version = tuple(int(part) for part in (self.writer or "").split("-")[0].split(".")[:2] if part.isdigit())
        if version[:1] == (3,):
            return "keras-3"
        if version < (2, 12):
            oldest = "keras-2.15" if self.capability in _NEW_FORMATS else "keras-2.4"
            return "keras-2.8" if oldest == "keras-2.4" and version >= (2, 5) else oldest
        return "keras-2.15"


# Capabilities that load what is no Keras model, and what people call it.
_PLAIN = {"checkpoint": "checkpoint", "graph-only": "savedmodel without Keras"}
_NEW_FORMATS = ("load.keras", "load-weights.weights-h5")


def read(found: Found, architecture: Path | None = None) -> Evidence:
    """The evidence about a model; ``architecture`` is the JSON of what has none in its own files.

    A file that the witness cannot read gives evidence with a ``problem``: what an implementation makes of it is its own
    affair. Raises NoModel.
    """
    try:
        return _READERS[found.container](found, architecture)
    except (WitnessError, MemoryError, RecursionError) as error:
        problem = str(error) or type(error).__name__
        return Evidence(_GUESSES[found.container], problem=problem.removeprefix(f"{found.path}: "))


def dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every dict in a JSON value, itself included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found = cast("dict[str, Any]", item)
            yield found
            waiting.extend(found.values())
        elif isinstance(item, list):
            waiting.extend(cast("list[Any]", item))


def _hdf5(found: Found, architecture: Path | None) -> Evidence:
    facts = hdf5.read(found.path)
    root = facts.root
    kind: dict[str, Any] = {"writer": _text(root, "keras_version"), "backend": _text(root, "backend")}
    weights = tuple(Named(weight.path, weight.value) for group in facts.weight_groups for weight in group.weights)
    if facts.model_config:
        optimizer = tuple(Named(weight.path, weight.value) for weight in facts.optimizer_weights)
        training = facts.training_config
        return Evidence(
            "load.hdf5", config=facts.model_config, training=training, weights=weights, optimizer=optimizer, **kind
        )
    variables, optimizer = _variables(facts)
    listed = "layer_names" in root or "layer_names0" in root
    if not listed and not variables:
        raise NoModel("is HDF5, and neither a Keras model (model_config) nor weights (layer_names, vars)")
    text = _architecture(found, architecture, "weights")
    config = _json(text)
    kind["writer"] = kind["writer"] or _text_of(config, "keras_version")
    if listed:
        return Evidence("load-weights.hdf5", config=config, architecture=text, weights=weights, **kind)
    return Evidence(
        "load-weights.weights-h5", config=config, architecture=text, weights=variables, optimizer=optimizer, **kind
    )


def _zip(found: Found, architecture: Path | None) -> Evidence:
    facts = keras_zip.read(found.path)
    weights, optimizer = ((), ()) if facts.weights is None else _variables(facts.weights)
    config = dict(facts.config)
    return Evidence(
        "load.keras",
        writer=_text_of(facts.metadata, "keras_version"),
        config=config,
        training=cast("Mapping[str, Any]", config.get("compile_config") or {}),
        weights=weights,
        optimizer=optimizer,
        problem=None if facts.weights else "the weights are not in one HDF5 file, so what was stored was not compared",
    )


def _variables(facts: hdf5.Hdf5) -> tuple[tuple[Named, ...], tuple[Named, ...]]:
    """The model's and the optimizer's variables of a file in the layout of ``.weights.h5``."""
    found = [Named(path, value) for path, value in facts.datasets.items() if "vars" in path.split("/")[:-1]]
    first = [(each, each.name.split("/")[0]) for each in found]
    # A seed generator's state is no weight, and neither is what a metric has counted.
    ours = (each for each, root in first if root not in ("optimizer", "metrics") and "seed_generator" not in each.name)
    return tuple(ours), tuple(each for each, root in first if root == "optimizer")


def _savedmodel(found: Found, architecture: Path | None) -> Evidence:
    facts = savedmodel.read(found.path)
    metadata = facts.metadata.get(0, {})
    variables = Path(found.path, "variables", "variables")
    if not facts.metadata:
        evidence = Evidence("graph-only")
        return _with_values(evidence, variables) if variables.with_suffix(INDEX).exists() else evidence
    evidence = Evidence(
        "load.savedmodel",
        writer=_text_of(metadata, "keras_version"),
        backend=_text_of(metadata, "backend"),
        config={"config": metadata.get("config"), "class_name": metadata.get("class_name"), "all": _all(facts)},
        training=cast("Mapping[str, Any]", metadata.get("training_config") or {}),
    )
    if not variables.with_suffix(INDEX).exists():
        return evidence
    return _with_values(evidence, variables)


def _checkpoint(found: Found, architecture: Path | None) -> Evidence:
    architecture = architecture or architecture_beside(found.path)
    if architecture is None:
        return _with_values(Evidence("checkpoint"), Path(found.path))
    text = _read_json(architecture)
    config = _json(text)
    writer = _text_of(config, "keras_version")
    evidence = Evidence("load-weights.checkpoint", writer=writer, config=config, architecture=text)
    return _with_values(evidence, Path(found.path))


def _with_values(evidence: Evidence, prefix: Path) -> Evidence:
    """The evidence with the values of a checkpoint: of a plain one all, of a model's the weights and the optimizer's."""
    facts = checkpoint.read(prefix)
    named = [Named(key, value) for key, value in facts.values.items()]
    if evidence.is_plain:
        return replace(evidence, weights=tuple(named), mixed=True)
    # Slots up to Keras 2.10 are variables' own, later the optimizer has a list of all of them.
    slots = [facts.nodes[slot.slot_variable] for node in facts.nodes for slot in node.slots]
    states = {key for node in slots for key in node.attributes.values()}
    states |= {each.name for each in named if each.name.startswith("optimizer/")}
    return replace(
        evidence,
        weights=tuple(each for each in named if each.name not in states and not each.name.startswith("keras_api/")),
        mixed=True,
        optimizer=tuple(each for each in named if each.name in states),
    )


def _all(facts: savedmodel.SavedModel) -> list[dict[str, Any]]:
    return [{key: data.get(key) for key in ("class_name", "config", "name")} for data in facts.metadata.values()]


def _architecture(found: Found, given: Path | None, what: str) -> str:
    path = given or architecture_beside(found.path)
    if path is None:
        raise NoModel(f"holds {what} alone: give the model's JSON with --architecture, or put it beside as model.json")
    return _read_json(path)


def _read_json(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        if not isinstance(json.loads(text), dict):
            raise ValueError("expected an object, as model.to_json() gives")
    except (OSError, ValueError) as error:
        raise NoModel(f"its architecture {path} cannot be read as JSON: {error}") from None
    return text


def _json(text: str) -> Mapping[str, Any]:
    return json.loads(text)


def _text(attributes: Mapping[str, hdf5.Attribute], name: str) -> str | None:
    value = attributes[name].value if name in attributes else None
    return value if isinstance(value, str) else None


def _text_of(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None


_READERS = {"hdf5": _hdf5, "zip": _zip, "savedmodel": _savedmodel, "checkpoint": _checkpoint}


# What a file that cannot be read would be by its container.
_GUESSES = {"hdf5": "load.hdf5", "zip": "load.keras", "savedmodel": "load.savedmodel", "checkpoint": "checkpoint"}


def list_names(named: Sequence[Named], shown: int = 3) -> str:
    """The first names, and how many more there are."""
    names = [each.name for each in named]
    more = f", … ({len(names)} in all)" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
