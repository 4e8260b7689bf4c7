"""SavedModel folders, and TensorFlow checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.inspecting import dangers
from conformance.inspecting.configs import custom_objects, tree
from conformance.inspecting.facts import arrays, generation, optimizer, optimizer_arrays, training
from conformance.inspecting.loading import Found
from conformance.inspecting.model import Check, Danger, Inspection, LayerFact, WeightFact, Writer
from conformance.witness import WitnessError, checkpoint, savedmodel

_LAYER_KINDS = (
    "_tf_keras_layer",
    "_tf_keras_model",
    "_tf_keras_network",
    "_tf_keras_sequential",
    "_tf_keras_rnn_layer",
)


def saved_model(path: Path) -> Found:
    """What is in the SavedModel folder ``path``. Raises WitnessError."""
    found = savedmodel.read(path)
    prefix = path / "variables" / "variables"
    variables = checkpoint.outline(prefix) if prefix.with_name("variables.index").is_file() else None
    metadata = found.metadata
    root = metadata.get(0, {})
    compiled: dict[str, Any] = root.get("training_config") or {}
    weights = _weights(variables) if variables else ()
    version = str(root.get("keras_version") or found.tensorflow_version or "") or None
    keras = root.get("keras_version")
    return Found(
        Inspection(
            path=str(path),
            format="SavedModel",
            holds="a whole Keras model" if metadata else "a graph without Keras metadata",
            bytes=0,
            writer=Writer(generation(version), keras if isinstance(keras, str) else None, found.tensorflow_version),
            name=str(root.get("name")) if root.get("name") else None,
            layers=_tree(found, root),
            weights=weights,
            optimizer=optimizer(compiled, optimizer_arrays(weights)),
            training=training(compiled),
            custom=custom_objects(*(_as_object(data) for data in metadata.values()), compiled),
            signatures=tuple(name for name in found.signatures if not name.startswith("__saved_model")),
            checks=(_checksums(variables),) if variables else (Check("variables", None, "the folder has none"),),
            dangers=(
                *_in_metadata(metadata),
                *dangers.in_ops([("", [node.op for node in found.graph]), *found.functions.items()]),
                *_links(path),
            ),
        ),
        _as_object(root) if root else {},
        compiled,
        frozenset(
            [
                *(["keras-metadata"] if found.keras_nodes else []),
                *(["metadata-in-graph"] if found.object_metadata else []),
                *(["no-keras-metadata"] if not metadata else []),
            ]
            + [f"op:{op}" for ops in [[node.op for node in found.graph], *found.functions.values()] for op in ops]
        ),
        tuple(metadata.values()),
    )


def checkpoint_folder(path: Path) -> Found:
    """The only checkpoint of the folder, or the one its ``checkpoint`` file calls the latest."""
    prefixes = sorted({file.name.removesuffix(".index") for file in path.glob("*.index")})
    latest = path / "checkpoint"
    if len(prefixes) > 1 and latest.is_file():
        match = re.search(r'^model_checkpoint_path: "([^"]+)"', latest.read_text("utf-8", "replace"), re.MULTILINE)
        prefixes = [name for name in prefixes if match and name == Path(match[1]).name] or prefixes
    if not prefixes:
        raise WitnessError(path, "folder", "holds neither saved_model.pb nor a checkpoint (*.index)")
    if len(prefixes) > 1:
        raise WitnessError(path, "folder", f"holds several checkpoints: name one of {', '.join(prefixes[:6])}")
    return read_checkpoint(path / prefixes[0])


def checkpoint_file(path: Path) -> Found:
    """The checkpoint that the file is a part of."""
    name = re.sub(r"\.(index|data-\d+-of-\d+)$", "", path.name)
    return read_checkpoint(path.with_name(name))


def read_checkpoint(prefix: Path) -> Found:
    """What is in the checkpoint. Raises WitnessError."""
    outline = checkpoint.outline(prefix)
    weights = _weights(outline)
    by_name = not outline.nodes
    kind = "name-based (TensorFlow 1)" if by_name else "object-based"
    return Found(
        Inspection(
            path=str(prefix),
            format="TensorFlow checkpoint",
            holds="weights only",
            bytes=0,
            name=kind,
            weights=weights,
            optimizer=optimizer({}, optimizer_arrays(weights)),
            checks=(_checksums(outline),),
        ),
        {},
        {},
        frozenset(["name-based"] if by_name else []),
    )


def _weights(outline: checkpoint.Outline) -> tuple[WeightFact, ...]:
    tail = "/.ATTRIBUTES/VARIABLE_VALUE"
    entries = [(key, entry) for key, entry in outline.entries.items() if key != checkpoint.OBJECT_GRAPH]
    return arrays((key.removesuffix(tail), entry.shape, entry.dtype) for key, entry in entries)


def _checksums(outline: checkpoint.Outline) -> Check:
    faults = outline.faults
    if faults:
        return Check("checksums", False, f"{faults[0]} ({len(faults)} of {len(outline.entries)} tensors)")
    files = "1 data file" if outline.shards == 1 else f"{outline.shards} data files"
    parts = f", {len(outline.sliced)} of them in parts" if outline.sliced else ""
    return Check("checksums", True, f"CRC-32C right of {len(outline.entries)} tensors in {files}{parts}")


def _tree(found: savedmodel.SavedModel, root: Mapping[str, Any]) -> tuple[LayerFact, ...]:
    """The layers of the root's config, or, where it has none, the layers that the object graph has below the root."""
    layers = tree(_as_object(root), {}).layers if root else ()
    return layers or _below(found, 0, frozenset([0]))


def _below(found: savedmodel.SavedModel, node: int, above: frozenset[int]) -> tuple[LayerFact, ...]:
    metadata = found.metadata
    layers: list[LayerFact] = []
    done: set[int] = set()
    for name, child in found.objects[node].children.items() if node < len(found.objects) else ():
        data = metadata.get(child)
        if data is None or child in above or child in done or "class_name" not in data or name == "keras_api":
            continue
        if not any(found.objects[child].identifier == kind for kind in _LAYER_KINDS):
            continue
        done.add(child)
        fact = tree(_as_object(data), {})
        inner = fact.layers or _below(found, child, above | {child})
        layers.append(LayerFact(fact.name, fact.class_name, fact.custom, fact.trainable, fact.arrays, inner))
    return tuple(layers)


def _as_object(data: Mapping[str, Any]) -> dict[str, Any]:
    """A node's metadata as a config: its class, its name, its own config."""
    return {
        "class_name": str(data.get("class_name", "")),
        "name": data.get("name"),
        "config": data.get("config") or {},
    }


def _in_metadata(metadata: Mapping[int, Mapping[str, Any]]) -> tuple[Danger, ...]:
    found = [danger for data in metadata.values() for danger in dangers.in_config(_as_object(data))]
    return tuple({(danger.kind, danger.what): danger for danger in found}.values())


def _links(path: Path) -> tuple[Danger, ...]:
    found = [file for file in sorted(path.rglob("*")) if file.is_symlink()]
    return tuple(Danger("link", file.relative_to(path).as_posix(), f"a link to {file.readlink()}") for file in found)
