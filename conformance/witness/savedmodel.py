"""Facts about a SavedModel folder: its files, ``saved_model.pb``, ``keras_metadata.pb``.

``saved_model.pb`` is a SavedModel message: schema version (1), meta graphs (2) with tags, a graph, signatures and the
object graph, a list of nodes with named children. Up to TensorFlow 2.4 a Keras object's JSON metadata is in its own
node; from 2.5 on in ``keras_metadata.pb``, which names the node. TensorFlow 2 writes one meta graph, TensorFlow 1 any
number, told apart by their tags; the facts are those of the one for serving.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.witness.error import WitnessError, json_object, read_bytes
from conformance.witness.wire import Message, WireError

SERVING = "serve"
"""The tag of the meta graph that loaders take unless they are told otherwise."""

KINDS: Mapping[int, str] = {
    4: "user_object",
    5: "asset",
    6: "function",
    7: "variable",
    8: "bare_concrete_function",
    9: "constant",
    10: "resource",
    12: "captured_tensor",
}


@dataclass(frozen=True)
class GraphNode:
    """A node of the top-level graph."""

    name: str
    op: str


@dataclass(frozen=True)
class SavedObject:
    """A node of the object graph; ``metadata`` is what the node itself says ({} if nothing)."""

    kind: str
    identifier: str
    metadata: Mapping[str, Any]
    children: Mapping[str, int]


@dataclass(frozen=True)
class KerasNode:
    """An entry of ``keras_metadata.pb``."""

    node: int
    path: str
    identifier: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class SavedModel:
    """The facts. ``files`` are relative paths; ``functions`` maps each function's name to its nodes' ops.

    ``meta_graphs`` holds the tags of every meta graph. Everything behind ``tags`` is of one of them: of the one tagged
    ``serve``, of the first where none is.
    """

    path: Path
    files: tuple[str, ...]
    schema_version: int
    meta_graphs: tuple[tuple[str, ...], ...]
    tags: tuple[str, ...]
    tensorflow_version: str
    graph: tuple[GraphNode, ...]
    functions: Mapping[str, tuple[str, ...]]
    signatures: tuple[str, ...]
    objects: tuple[SavedObject, ...]
    keras_nodes: tuple[KerasNode, ...]

    @property
    def object_metadata(self) -> list[dict[str, Any]]:
        """The metadata in ``saved_model.pb``, in node order (TensorFlow up to 2.4)."""
        return [dict(node.metadata) for node in self.objects if node.metadata]

    @property
    def keras_metadata(self) -> list[dict[str, Any]]:
        """The metadata in ``keras_metadata.pb``, in its order (TensorFlow from 2.5)."""
        return [dict(node.metadata) for node in self.keras_nodes]

    @property
    def metadata(self) -> dict[int, dict[str, Any]]:
        """Object node → metadata, wherever it is kept."""
        own = {i: dict(node.metadata) for i, node in enumerate(self.objects) if node.metadata}
        return own | {node.node: dict(node.metadata) for node in self.keras_nodes}

    def children_of_layer(self, class_name: str) -> frozenset[str]:
        """Edge names under all objects whose metadata bears this class name."""
        found = [node for node, data in self.metadata.items() if data.get("class_name") == class_name]
        return frozenset(name for node in found for name in self.objects[node].children)


def read(path: str | Path) -> SavedModel:
    """The facts of the folder ``path``. Raises WitnessError when it is no SavedModel or is damaged."""
    path = Path(path)
    file = path / "saved_model.pb"
    try:
        message = Message(read_bytes(file))
        graphs = message.messages(2)
        if not graphs:
            raise WitnessError(file, "meta graphs", "found 0, expected 1 or more")
        chosen = next((one for one in graphs if SERVING in one.message(1).texts(4)), graphs[0])
        info, graph, objects = chosen.message(1), chosen.message(2), chosen.message(7)
        return SavedModel(
            path=path,
            files=tuple(sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())),
            schema_version=message.integer(1),
            meta_graphs=tuple(tuple(one.message(1).texts(4)) for one in graphs),
            tags=tuple(info.texts(4)),
            tensorflow_version=info.text(5),
            graph=tuple(GraphNode(node.text(1), node.text(2)) for node in graph.messages(1)),
            functions={
                function.message(1).text(1): tuple(node.text(2) for node in function.messages(3))
                for function in graph.message(2).messages(1)
            },
            signatures=tuple(chosen.mapping(5)),
            objects=tuple(_object(node, file, i) for i, node in enumerate(objects.messages(1))),
            keras_nodes=_keras_nodes(path / "keras_metadata.pb"),
        )
    except WireError as error:
        raise WitnessError(file, "message", str(error)) from None


def _object(node: Message, file: Path, number: int) -> SavedObject:
    kind = next((field for field in KINDS if field in node), 0)
    user = node.message(4)
    text = user.text(3)
    # Objects of TensorFlow's own (a tuple, a dict) have metadata that is no JSON object.
    is_keras = user.text(1).startswith("_tf_keras")
    return SavedObject(
        kind=KINDS.get(kind, "none"),
        identifier=user.text(1),
        metadata=json_object(text, file, f"object {number}") if is_keras and text.strip() else {},
        children={child.text(2): child.integer(1) for child in node.messages(1)},
    )


def _keras_nodes(file: Path) -> tuple[KerasNode, ...]:
    if not file.exists():
        return ()
    try:
        nodes = Message(read_bytes(file)).messages(1)
        return tuple(
            KerasNode(
                node=node.integer(2),
                path=node.text(3),
                identifier=node.text(4),
                metadata=json_object(node.data(5), file, f"node {node.text(3)}"),
            )
            for node in nodes
        )
    except WireError as error:
        raise WitnessError(file, "message", str(error)) from None
