"""SavedModels of TensorFlow 1: no objects, one graph, and signatures that name tensors in it.

What a session would do is done once: the variables get the values that the graph's own restoring nodes would give them
(the nodes are followed, not run), then the node that initializes tables is run, with the paths of the assets fed. A
signature feeds its inputs and fetches its outputs.

===========================  =====================================================================================
``saver_def``                names the restoring node: AssignVariableOp or Assign of an output of a RestoreV2, whose
                             inputs are constants: the keys in the checkpoint, and of a partitioned variable the
                             slice
``saved_model_main_op``      a collection that names the node that initializes; so does ``legacy_init_op``
``__saved_model_init_op``    a signature that does, later
``asset_file_def``           files (or the collection ``saved_model_assets``), and the tensors that their paths are
                             fed to
===========================  =====================================================================================
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reference_impl import naming
from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.savedmodel.functions import ConcreteFunction
from reference_impl.formats.savedmodel.objects import GraphObject, Signatures, assets, text_tensor
from reference_impl.formats.savedmodel.places import Naming
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.formats.savedmodel.structured import TensorSpec
from reference_impl.graph.attributes import array_of, dtype_of, shape_of
from reference_impl.graph.interpreter import Graph
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Array, Tensor
from reference_impl.variables import Variable

_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
_ASSIGNMENTS = ("AssignVariableOp", "Assign")
_PASSING = ("Identity", "Cast", "Reshape")
_MAIN_OPS = ("saved_model_main_op", "legacy_init_op")
_INIT_SIGNATURE = "__saved_model_init_op"
_TRAINABLE = "trainable_variables"


def load(stored: Stored) -> GraphObject:
    """The variables and signatures of ``stored``; raises ``LoadError``."""
    nodes = {node.name: node for node in stored.meta_graph.graph_def.node}
    with Naming(stored, "main graph", "nodes of variables that cannot be followed"):
        variables = dict(_variables(stored, nodes))
    graph = Graph(stored.meta_graph.graph_def, variables, stored.path, assets(stored))
    _initialize(stored, graph)
    root = GraphObject()
    root.variables = list(variables.values())
    root.trainable_variables = [v for v in root.variables if v.trainable]
    root.signatures = Signatures(
        {
            name: _Signature(stored, graph, name, signature)
            for name, signature in sorted(stored.meta_graph.signature_def.items())
            if name != _INIT_SIGNATURE
        }
    )
    return root


# -- variables ---------------------------------------------------------------------------------------------------


def _variables(stored: Stored, nodes: Mapping[str, Any]) -> Iterator[tuple[str, Variable]]:
    """The variables that the checkpoint has values of, by the names that the graph finds them by."""
    restored = dict(_restored(stored, nodes))
    trainable = set(_trainable(stored))
    for node in nodes.values():
        if node.op not in _VARIABLES:
            continue
        shared = node.attr["shared_name"].s.decode() if "shared_name" in node.attr else ""
        key, piece = restored.get(node.name, (shared or node.name, ""))
        if not stored.has_checkpoint or key not in stored.bundle.entries:
            continue  # it may be one that the graph itself initializes, or that no signature needs
        value = _cut(stored, node.name, stored.bundle.tensor(key), piece)
        with naming.name_scope("", absolute=True):
            yield shared or node.name, Variable(value, f"{node.name}:0" in trainable, node.name)


def _restored(stored: Stored, nodes: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """For each variable's node that the saver restores: its key in the checkpoint, and its slice of that value."""
    restore = stored.meta_graph.saver_def.restore_op_name
    waiting, seen = [restore], {restore}
    while waiting:
        node = nodes.get(waiting.pop())
        if node is None:
            continue
        if node.op in _ASSIGNMENTS and len(node.input) >= 2:
            found = _source(stored, nodes, node.input[1])
            if found is not None:
                yield node.input[0].partition(":")[0], found
            continue
        ends = [name.removeprefix("^").partition(":")[0] for name in node.input]
        waiting += [end for end in ends if end not in seen]
        seen.update(ends)


def _source(stored: Stored, nodes: Mapping[str, Any], tensor: str) -> tuple[str, str] | None:
    """The key and slice of what a tensor is restored from."""
    for _ in range(len(nodes)):
        name, _, index = tensor.partition(":")
        node = nodes.get(name)
        if node is None or node.op not in (*_PASSING, "RestoreV2"):
            return None
        if node.op == "RestoreV2":
            keys, pieces = (_texts(stored, nodes, node.input[place]) for place in (1, 2))
            place = int(index or 0)
            return (keys[place], pieces[place]) if place < min(len(keys), len(pieces)) else None
        tensor = node.input[0]
    return None


def _texts(stored: Stored, nodes: Mapping[str, Any], tensor: str) -> list[str]:
    node = nodes.get(tensor.partition(":")[0])
    if node is None or node.op != "Const":
        stored.fail(f"main graph: node {tensor}", "no constant", "the names of tensors to restore")
    return [text.decode() for text in array_of(node.attr["value"].tensor).ravel().tolist()]


def _cut(stored: Stored, name: str, value: Array, piece: str) -> Array:
    """The part of ``value`` that ``piece`` says (``10 4 0,5:-``: the whole shape, then start and length), all if empty."""
    if not piece:
        return value
    extents = piece.rpartition(" ")[2].split(":")
    try:
        bounds = [None if extent == "-" else tuple(int(number) for number in extent.split(",")) for extent in extents]
        return value[tuple(slice(None) if b is None else slice(b[0], b[0] + b[1]) for b in bounds)]
    except (ValueError, IndexError) as error:
        raise LoadError(f"{stored.path}: variable {name}: found the slice {piece!r}, expected one of it") from error


def _trainable(stored: Stored) -> list[str]:
    """The names in the collection of trainable variables, whose items are messages that begin with the name."""
    found = stored.meta_graph.collection_def
    items = found[_TRAINABLE].bytes_list.value if _TRAINABLE in found else ()
    try:
        return [messages.parse(messages.VariableDef, item).variable_name for item in items]
    except ValueError as error:
        raise LoadError(f"{stored.path}: collection {_TRAINABLE}: {error}") from error


# -- running -----------------------------------------------------------------------------------------------------


def _initialize(stored: Stored, graph: Graph) -> None:
    collections = stored.meta_graph.collection_def
    names = [name for key in _MAIN_OPS if key in collections for name in collections[key].node_list.value]
    signatures = stored.meta_graph.signature_def
    if not names and _INIT_SIGNATURE in signatures:
        names = [info.name for info in signatures[_INIT_SIGNATURE].outputs.values()]
    if not names:
        return
    feeds = {_indexed(asset.tensor): text_tensor(asset.path) for asset in stored.assets}
    graph.run(feeds, [f"^{name.partition(':')[0]}" for name in names])


def _indexed(name: str) -> str:
    return name if ":" in name else f"{name}:0"


class _Signature(ConcreteFunction):
    """A signature of a main graph: tensors fed and fetched."""

    def __init__(self, stored: Stored, graph: Graph, name: str, signature: Any) -> None:
        inputs, outputs = (
            {key: _spec(stored, name, infos[key]) for key in sorted(infos)}
            for infos in (signature.inputs, signature.outputs)
        )
        super().__init__(name, graph.library, ((), inputs), outputs, list, sorted(inputs))
        self._graph = graph
        self._feeds = [_indexed(signature.inputs[key].name) for key in sorted(inputs)]
        self._fetches = [_indexed(signature.outputs[key].name) for key in sorted(outputs)]

    def run(self, tensors: Sequence[Tensor]) -> Any:
        results = self._graph.run(dict(zip(self._feeds, tensors, strict=True)), self._fetches)
        return dict(zip(self.outputs, results, strict=True))


def _spec(stored: Stored, name: str, info: Any) -> TensorSpec:
    if not info.name:
        stored.fail(f"signature {name}", "a tensor without a name (sparse or composite)", "a dense tensor")
    try:
        shape: TensorShape | None = shape_of(info.tensor_shape)
        return TensorSpec(shape, dtype_of(info.dtype), info.name)
    except ValueError as error:
        raise LoadError(f"{stored.path}: signature {name}: {error}") from error
