"""The folder of a SavedModel.

::

    saved_model.pb                      graphs, functions, objects and signatures
    keras_metadata.pb                   what Keras wants to know of its objects; TensorFlow 2.4 finds it in saved_model.pb
    variables/variables.index, .data-…  the values, a checkpoint
    assets/                             files that the graphs read

Both messages begin with a field that holds a checksum of the rest (see ``formats.messages``), which TensorFlow skips.

It is written beside the place where it is to be, and takes that place when it is whole.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

from reference_impl import dialects
from reference_impl.formats import messages
from reference_impl.formats.checkpoint import object_graph
from reference_impl.formats.checkpoint.writing import write_bundle
from reference_impl.formats.files import replacing_folder
from reference_impl.formats.savedmodel import structured
from reference_impl.formats.savedmodel.write.functions import ModelFunctions
from reference_impl.formats.savedmodel.write.main_graph import MainGraph, stored_variables
from reference_impl.formats.savedmodel.write.objects import Node, Objects
from reference_impl.ops.lookup import LookupTable

SAVED_MODEL, KERAS_METADATA = "saved_model.pb", "keras_metadata.pb"

TENSORFLOW_VERSIONS = {"keras-2.4": "2.4.4", "keras-2.8": "2.8.4"}
_LATEST = "2.15.1"

OWN = {SAVED_MODEL, KERAS_METADATA, "variables", "assets", "fingerprint.pb"}
"""What a SavedModel's folder has; whatever else is there is somebody's, and stays."""

PRODUCER, MIN_CONSUMER = 561, 12
"""Versions of the graphs: those of TensorFlow 2.4, which all later ones read."""


def write_model(path: Path, model: Any, include_optimizer: bool = True) -> None:
    """Write ``model`` into the folder ``path``; see :mod:`reference_impl.formats.savedmodel.write`.

    ``ValueError`` for a model that never saw its inputs, or that uses what is no attribute of it. An error leaves what was
    there.
    """
    functions = ModelFunctions(model)
    objects = Objects(model, functions, include_optimizer)
    root = objects.root()
    with nullcontext() if objects.later else dialects.dialect("keras-2.4"):
        tensors = object_graph.encode(root, weights_only=False)
    saved_model, metadata = _messages(root, objects, functions, dict(tensors)[object_graph.GRAPH_KEY])
    with replacing_folder(path) as folder:
        (folder / "assets").mkdir()
        (folder / "variables").mkdir()
        write_bundle(folder / "variables" / "variables", tensors)
        graphs = messages.serialize_guarded(saved_model)
        (folder / KERAS_METADATA).write_bytes(messages.serialize_guarded(metadata, beside=graphs))
        (folder / SAVED_MODEL).write_bytes(graphs)
        _keep_other_files(path, folder)
    logging.getLogger(__name__).info("Assets written to: %s", path / "assets")


def _messages(root: Node, objects: Objects, functions: ModelFunctions, checkpoint_graph: Any) -> tuple[Any, Any]:
    """The contents of ``saved_model.pb`` and ``keras_metadata.pb``."""
    saved_model, metadata = messages.SavedModel(saved_model_schema_version=1), messages.KerasMetadata()
    graph = saved_model.meta_graphs.add()
    graph.meta_info_def.tags.append("serve")
    graph.meta_info_def.tensorflow_version = TENSORFLOW_VERSIONS.get(dialects.current(), _LATEST)
    graph.meta_info_def.stripped_default_attrs = True
    graph.graph_def.versions.producer = PRODUCER
    graph.graph_def.versions.min_consumer = MIN_CONSUMER
    walked = object_graph.walk(root)
    numbers = {id(node.trackable): number for number, node in enumerate(walked)}
    for number, node in enumerate(walked):
        message = graph.object_graph_def.nodes.add()
        _describe_node(message, node, numbers)
        if message.user_object.metadata:
            place = ".".join(["root", *node.path.split("/")] if number else ["root"])
            entry = metadata.nodes.add(node_id=number, node_path=place)
            entry.identifier, entry.metadata = message.user_object.identifier, message.user_object.metadata
            entry.version.CopyFrom(message.user_object.version)
    for concrete in functions.concrete:
        message = graph.object_graph_def.concrete_functions[concrete.name]
        message.bound_inputs.extend(_number(objects.node(thing), thing, numbers) for thing in concrete.captures)
        message.canonicalized_input_signature.CopyFrom(structured.encode(concrete.inputs))
        message.output_signature.CopyFrom(structured.encode(concrete.outputs))
    graph.graph_def.library.function.extend(functions.library.functions.values())
    assert functions.serving is not None
    known: list[tuple[str, Any]] = [(node.path, cast("Node", node.trackable).target) for node in walked]
    tables = [(path, target) for path, target in known if isinstance(target, LookupTable)]
    MainGraph(graph).fill(stored_variables(walked), tables, functions.serving, checkpoint_graph)
    return saved_model, metadata


def _describe_node(message: Any, node: object_graph.Node, numbers: Mapping[int, int]) -> None:
    for name, child in node.children:
        message.children.add(node_id=child, local_name=name)
    for original, slot, variable in node.slots:
        message.slot_variables.add(original_variable_node_id=original, slot_name=slot, slot_variable_node_id=variable)
    cast("Node", node.trackable).describe(message, lambda other: numbers[id(other)])


def _number(node: Node, captured: Any, numbers: Mapping[int, int]) -> int:
    """The number of ``node``; ``ValueError`` if nothing of the model leads to it."""
    if id(node) not in numbers:
        raise ValueError(
            f"{getattr(captured, 'name', captured)!r} is used by the model and is no attribute of it or of one of its "
            "layers, so it cannot be saved; assign it to an attribute"
        )
    return numbers[id(node)]


def _keep_other_files(old: Path, new: Path) -> None:
    """Give ``new`` what is in ``old`` and belongs to no SavedModel."""
    if not old.exists():
        return
    for entry in old.iterdir():
        if entry.name in OWN:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / entry.name, symlinks=True, copy_function=os.link)
        else:
            os.link(entry, new / entry.name, follow_symlinks=False)
