"""A SavedModel's folder as data.

::

    saved_model.pb      graphs of ops, functions, objects and signatures (messages in ``saved_model.proto``)
    keras_metadata.pb   what Keras says of its objects, since 2.5; before, each object has it in ``saved_model.pb``
    variables/          a checkpoint of the variables' values (see ``formats.checkpoint``)
    assets/             files that the graph reads, such as vocabularies

``saved_model.pb`` may hold several MetaGraphs, each with a set of tags of its own; all share one ``variables/``. A
MetaGraph's objects are numbered, 0 is the root, and joined by named edges. The checkpoint has a graph of its own with
other numbers, and lacks what has no value, so that an object's values are found by walking both from the root along
edges of the same names.

Whatever does not fit together is a ``LoadError`` that names the folder and the place. Functions stay messages here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from reference_impl.errors import LoadError, LoadOSError, missing_path
from reference_impl.formats import messages
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY
from reference_impl.formats.checkpoint.stored import StoredNode, read_graph
from reference_impl.formats.savedmodel import metadata
from reference_impl.tracking import VARIABLE_VALUE, Array

GRAPH_FILE = "saved_model.pb"
METADATA_FILE = "keras_metadata.pb"
SERVE = "serve"
VERSION = 1

_ASSETS = "saved_model_assets"
_TEXT_FILE = "saved_model.pbtxt"


def is_saved_model(path: str | os.PathLike[str]) -> bool:
    """Whether there is a SavedModel's folder at ``path``."""
    return any(Path(path, name).is_file() for name in (GRAPH_FILE, _TEXT_FILE))


@dataclass(frozen=True)
class Asset:
    """A file: its path, and the tensor of the main graph that the path is fed to."""

    path: str
    tensor: str


@dataclass(frozen=True)
class Slot:
    """A slot variable: the nodes of the variable it belongs to and of its own, and its name."""

    original: int
    name: str
    number: int


class Stored:
    """One MetaGraph of a SavedModel: its objects, functions and signatures, and the values beside them.

    ``tags``: exactly those that it has (a string is one tag); None for the only MetaGraph, or where there are several
    the one with the tag ``preferred``. ``path`` is the folder, ``meta_graph`` the message, ``nodes`` the messages of
    the objects (none in a folder of TensorFlow 1).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        tags: str | Iterable[str] | None = None,
        preferred: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        message, self._beside = _read_message(self.path)
        if tags is None and len(message.meta_graphs) > 1:
            tags = preferred
        self.meta_graph = _chosen(message, tags, self.path)
        self.nodes: Sequence[Any] = self.meta_graph.object_graph_def.nodes
        for number, node in enumerate(self.nodes):
            ends = [child.node_id for child in node.children]
            if ends and not (min(ends) >= 0 and max(ends) < len(self.nodes)):
                self.fail(f"object {number}", f"edges to {ends}", f"ends among {len(self.nodes)} objects")

    def fail(self, place: str, found: str, expected: str) -> NoReturn:
        """Raise the ``LoadError`` of what was ``found`` at ``place``."""
        raise LoadError(f"{self.path}: {place}: found {found}, expected {expected}")

    # -- objects -------------------------------------------------------------------------------------------

    def node(self, number: int) -> Any:
        """The object ``number``; an error if there is none."""
        if not 0 <= number < len(self.nodes):
            self.fail("the object graph", f"an edge to object {number}", f"one of {len(self.nodes)} objects")
        return self.nodes[number]

    def children(self, number: int) -> Mapping[str, int]:
        """The ends of the edges of the object ``number``, in order."""
        found = self._children.get(number)
        if found is None:
            found = self._children[number] = {c.local_name: c.node_id for c in self.node(number).children}
        return found

    @cached_property
    def _children(self) -> dict[int, dict[str, int]]:
        return {}

    def slots(self, number: int) -> list[Slot]:
        """The slot variables of an optimizer."""
        stored = self.node(number).slot_variables
        return [Slot(s.original_variable_node_id, s.slot_name, s.slot_variable_node_id) for s in stored]

    def kind(self, number: int) -> str:
        """Which kind of object: ``user_object``, ``variable``, ``function`` …; empty for an unknown one."""
        return self.node(number).WhichOneof("kind") or ""

    def identifier(self, number: int) -> str:
        """What a user object is (``_tf_keras_layer``, ``optimizer`` …); empty for any other object."""
        return self.node(number).user_object.identifier if self.kind(number) == "user_object" else ""

    def place(self, number: int) -> str:
        """The object ``number``, for messages."""
        return f"object {number} ({self._paths.get(number) or 'not reachable'})"

    @cached_property
    def _paths(self) -> dict[int, str]:
        paths = {0: "root"}
        waiting = deque([0])
        while waiting:
            number = waiting.popleft()
            for name, child in self.children(number).items():
                if child not in paths:
                    paths[child] = name if number == 0 else f"{paths[number]}/{name}"
                    waiting.append(child)
        return paths

    # -- what Keras says of objects ------------------------------------------------------------------------

    def metadata(self, number: int) -> dict[str, Any] | None:
        """What Keras says of the object ``number``, decoded; None if it says nothing."""
        text = self._metadata.get(number) if self._metadata else None
        if text is None:
            text = self.node(number).user_object.metadata if self.kind(number) == "user_object" else ""
        if not text:
            return None
        if number not in self._decoded:
            try:
                self._decoded[number] = metadata.decode(text)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                self.fail(f"{self.place(number)}: the metadata of Keras", f"what cannot be read ({error})", "JSON")
        return self._decoded[number]

    @cached_property
    def _decoded(self) -> dict[int, dict[str, Any]]:
        return {}

    @cached_property
    def _metadata(self) -> dict[int, str]:
        path = Path(self.path, METADATA_FILE)
        try:
            stored = messages.parse_guarded(messages.KerasMetadata, path.read_bytes(), self._beside)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LoadOSError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise LoadError(f"{path}: found {error}, expected the metadata of Keras") from error
        texts = {node.node_id: node.metadata for node in stored.nodes}
        for number in texts:
            if not 0 <= number < len(self.nodes):
                raise LoadError(f"{path}: found object {number}, expected one of {len(self.nodes)} objects")
        return texts

    @property
    def has_metadata(self) -> bool:
        """Whether Keras says anything of the root, so that it wrote the folder."""
        return bool(self.nodes) and self.metadata(0) is not None

    # -- values --------------------------------------------------------------------------------------------

    @property
    def prefix(self) -> str:
        """The checkpoint's prefix."""
        return os.path.join(self.path, "variables", "variables")

    @property
    def has_checkpoint(self) -> bool:
        """Whether there are values at all: a model without variables may have none."""
        return os.path.exists(f"{self.prefix}.index")

    @cached_property
    def bundle(self) -> Bundle:
        """The tensors of ``variables/``. Every read is verified."""
        return Bundle(self.prefix)

    @cached_property
    def checkpoint_nodes(self) -> tuple[StoredNode, ...]:
        """The objects of the checkpoint; none if there is no checkpoint, or one without objects."""
        if not self.has_checkpoint or GRAPH_KEY not in self.bundle.entries:
            return ()
        return read_graph(self.bundle, self.prefix).nodes

    @cached_property
    def keys(self) -> Mapping[int, Mapping[str, str]]:
        """The keys of an object's values in ``bundle``, by attribute, for each object that has some."""
        stored = self.checkpoint_nodes
        return {number: stored[other].keys for number, other in self._pairs.items() if stored[other].keys}

    @cached_property
    def _pairs(self) -> dict[int, int]:
        """The checkpoint's number of each object."""
        stored = self.checkpoint_nodes
        pairs: dict[int, int] = {0: 0} if stored and self.nodes else {}
        waiting = deque(pairs)
        while waiting:
            number = waiting.popleft()
            ends = stored[pairs[number]].children
            for name, child in self.children(number).items():
                if name in ends and child not in pairs:
                    pairs[child] = ends[name]
                    waiting.append(child)
        for number, other in list(pairs.items()):
            slots = {(original, name): slot for original, name, slot in stored[other].slots}
            for slot in self.slots(number):
                end = slots.get((pairs.get(slot.original, -1), slot.name))
                if end is not None:
                    pairs.setdefault(slot.number, end)
        return pairs

    def value(self, number: int, attribute: str = VARIABLE_VALUE) -> Array:
        """A new array of the value of the variable ``number``; ``LoadError`` if the checkpoint has none."""
        key = self.keys.get(number, {}).get(attribute)
        if key is None:
            self.fail(self.place(number), f"no value of it under {self.prefix}", "one, for it is a variable")
        return self.bundle.tensor(key)

    # -- assets --------------------------------------------------------------------------------------------

    @cached_property
    def assets(self) -> list[Asset]:
        """The files that the graph reads. ``LoadError`` for one outside the folder's ``assets/``."""
        stored: list[Any] = list(self.meta_graph.asset_file_def)
        collections = self.meta_graph.collection_def
        if not stored and _ASSETS in collections:
            try:
                stored = [messages.parse(messages.AssetFileDef, a.value) for a in collections[_ASSETS].any_list.value]
            except ValueError as error:
                raise LoadError(f"{self.path}: collection {_ASSETS}: {error}") from error
        return [Asset(self._asset_path(asset.filename), asset.tensor_info.name) for asset in stored]

    def _asset_path(self, name: str) -> str:
        if not name or os.path.isabs(name) or ".." in Path(name).parts:
            self.fail("assets", f"the file name {name!r}", "the name of a file in assets/")
        return os.path.join(self.path, "assets", name)


def tags_of(message: Any) -> list[str]:
    """The tags of a MetaGraph, sorted, each once."""
    return sorted(set(message.meta_info_def.tags))


def _read_message(path: str) -> tuple[Any, bytes]:
    """The message, and the beginning of its file, with the checksum."""
    file = Path(path, GRAPH_FILE)
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        if Path(path, _TEXT_FILE).is_file():
            raise LoadError(
                f"{path}: found {_TEXT_FILE}, the text form, expected {GRAPH_FILE}; convert it with TensorFlow"
            ) from error
        raise missing_path(file, "a SavedModel") from error
    except OSError as error:
        raise LoadOSError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        message = messages.parse_guarded(messages.SavedModel, data)
    except ValueError as error:
        raise LoadError(f"{file}: {error}; found a damaged or foreign file, expected a SavedModel") from error
    if message.saved_model_schema_version != VERSION:
        raise LoadError(
            f"{file}: saved_model_schema_version: found {message.saved_model_schema_version}, expected {VERSION}"
        )
    if not message.meta_graphs:
        raise LoadError(f"{file}: found no MetaGraph, expected at least one")
    return message, data[: messages.GUARD_SIZE]


def _chosen(message: Any, tags: str | Iterable[str] | None, path: str) -> Any:
    graphs: list[Any] = list(message.meta_graphs)
    there = ", ".join(str(tags_of(graph)) for graph in graphs)
    if tags is None:
        if len(graphs) == 1:
            return graphs[0]
        raise LoadError(f"{path}: found {len(graphs)} MetaGraphs, with the tags {there}; say by `tags` which one")
    wanted = sorted({tags} if isinstance(tags, str) else set(tags))
    found = next((graph for graph in graphs if tags_of(graph) == wanted), None)
    if found is None:
        raise LoadError(
            f"{path}: found no MetaGraph with the tags {wanted}; there are MetaGraphs with the tags {there}"
        )
    return found
