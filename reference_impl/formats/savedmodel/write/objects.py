"""The objects of a SavedModel: those of the model, and what TensorFlow puts beside them.

A layer has the edges that it has in a checkpoint, and more::

    variables, trainable_variables, regularization_losses    lists
    keras_api                                                what of the layer is Keras's own: the same lists,
      layers, metrics, layer_metrics, …                        others, and the functions
    __call__, call_and_return_all_conditional_losses         functions

and the model ``signatures``. The checkpoint beside the SavedModel is of the same objects with the same numbers, which are
those of a walk in breadth.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from reference_impl import dialects
from reference_impl.dtypes import as_dtype
from reference_impl.formats.checkpoint.entry import NUMBERS
from reference_impl.formats.checkpoint.optimizers import Group
from reference_impl.formats.optimizers import stored_generation
from reference_impl.formats.savedmodel.write.metadata import identifier, metadata, must_restore_from_config
from reference_impl.layers.base import Layer
from reference_impl.layers.input_layer import InputLayer
from reference_impl.metrics import Metric
from reference_impl.models import Model
from reference_impl.ops.lookup import LookupTable
from reference_impl.optimizers import Optimizer
from reference_impl.tracking import VARIABLE_VALUE, ContainerNode, SavedValue, Trackable

Describe = Callable[[Any, Callable[["Node"], int]], None]
"""Says what a node is: fills a ``SavedObject``; the other argument gives the number of a node."""


class Node(Trackable):
    """An object of the SavedModel. It stands for ``target`` of the model, or for what only the folder has (None)."""

    def __init__(self, describe: Describe, target: Any = None) -> None:
        self.__dict__.update(describe=describe, target=target, edges={}, slots={})

    describe: Describe
    target: Any
    edges: dict[str, Node]
    slots: dict[tuple[Node, str], Node]

    def _checkpoint_children(self) -> list[tuple[str, Trackable]]:
        return list(self.edges.items())

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        return {} if self.target is None else self.target._checkpoint_values()

    def _slot_names(self) -> list[str]:
        return list(dict.fromkeys(name for _, name in self.slots))

    def _slot(self, variable: Trackable, name: str) -> Trackable | None:
        return self.slots.get((cast("Node", variable), name))


class Functions(Protocol):
    """What the layers compute, as nodes."""

    def of(self, layer: Layer) -> Mapping[str, Node]:
        """The functions of ``layer`` by the names of their edges."""
        ...

    def losses(self, layer: Layer) -> Sequence[Node]:
        """Functions of no arguments: the losses of ``layer`` itself that hang on its weights alone."""
        ...

    def of_table(self, table: LookupTable) -> Mapping[str, Node]:
        """What makes, fills and destroys ``table``, by the names of their edges."""
        ...

    def signatures(self) -> Mapping[str, Node]: ...


@dataclass
class Objects:
    """The objects of one SavedModel; ``root`` is that of ``model``."""

    model: Model
    functions: Functions | None = None
    with_optimizer: bool = True
    later: bool = field(init=False)
    _known: dict[int, Node] = field(default_factory=dict[int, Node])
    _kept: list[Any] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        self.later = stored_generation(getattr(self.model, "optimizer", None)) == "keras-2.11"

    def root(self) -> Node:
        root = self.node(self.model)
        if self.functions is not None:
            root.edges["signatures"] = user_node("signature_map", self.functions.signatures())
        return root

    def node(self, target: Any) -> Node:
        """The node for ``target``, the same for the same."""
        if isinstance(target, Node):
            return target
        identity = target._identity() if isinstance(target, Trackable) else id(target)
        if identity not in self._known:
            self._kept.append(target)  # for identities of what lives no more are given again
            node = self._known[identity] = Node(self._describe(target), _as_trackable(target))
            node.edges.update(self._edges(target))
            self._add_slots(node, target)
        return self._known[identity]

    def _describe(self, target: Any) -> Describe:
        kind = identifier(target)
        if kind is not None:
            text = metadata(target, compiled=target is self.model)
            return user(kind, text, 1 if dialects.current() == "keras-2.4" else 2)
        if isinstance(target, Optimizer):
            return user("experimentalOptimizer", "", 2) if self.later else user("optimizer")
        if isinstance(target, LookupTable):
            return _resource
        if isinstance(target, Trackable) and VARIABLE_VALUE in target._checkpoint_values():
            return _variable(target)
        return user(_container(target))

    def _edges(self, target: Any) -> dict[str, Node]:
        edges = {name: self.node(child) for name, child in self._children(target)}
        if isinstance(target, InputLayer):
            return {}
        if isinstance(target, Layer):
            edges.update(self._of_layer(target))
        elif isinstance(target, LookupTable) and self.functions is not None:
            edges.update(self.functions.of_table(target))
        elif isinstance(target, Metric):
            variables = self._list(target.variables)
            edges["variables"] = variables
            edges["keras_api"] = user_node("_generic_user_object", {"variables": variables})
        return edges

    def _children(self, target: Any) -> list[tuple[str, Any]]:
        node = _as_trackable(target)
        if node is None:
            return []
        children = node._later_children() if self.later else node._checkpoint_children()
        kept = self.with_optimizer or target is not self.model
        return [(name, _unwrapped(child)) for name, child in children if kept or name != "optimizer"]

    def _of_layer(self, layer: Layer) -> dict[str, Node]:
        """What a layer's node has besides what its checkpoint has."""
        if must_restore_from_config(layer):
            return {"keras_api": user_node("_generic_user_object")}
        if not layer.built:
            return {}
        inside = [child for child in layer._flatten_layers() if isinstance(child, Layer)]
        own = {} if self.functions is None else dict(self.functions.of(layer))
        losses: list[list[Node]] = [[], []]
        if self.functions is not None:
            losses[0] = [loss for child in inside for loss in self.functions.losses(child)]
            losses[1] = list(self.functions.losses(layer))
        public = {
            "regularization_losses": self._list(losses[0]),
            "trainable_variables": self._list(layer.trainable_variables),
            "variables": self._list(layer.variables),
        }
        metrics = {metric.name: self.node(metric) for metric in layer._state.metrics}
        api = {
            "non_trainable_variables": self._list(layer.non_trainable_variables),
            "layer_metrics": user_node("trackable_dict_wrapper", metrics),
            "layers": self._list(child for child in layer._children() if isinstance(child, Layer)),
            "metrics": self._list(layer.metrics),
            "layer_regularization_losses": self._list(losses[1]),
            **public,
            **own,
        }
        states: Any = getattr(layer, "states", None)
        if states is not None and layer.stateful:
            api["states"] = self.node(states)
        public_functions = {name: node for name, node in own.items() if name in _PUBLIC}
        return {**public, "keras_api": user_node("_generic_user_object", api), **public_functions}

    def _list(self, targets: Iterable[Any]) -> Node:
        return user_node("trackable_list_wrapper", {str(i): self.node(target) for i, target in enumerate(targets)})

    def _add_slots(self, node: Node, target: Any) -> None:
        if self.later or not isinstance(target, Optimizer):
            return
        for name in target._slot_names():
            for variable in target.built_for:
                slot = target._slot(variable, name)
                if slot is not None:
                    node.slots[self.node(variable), name] = self.node(slot)


_PUBLIC = ("__call__", "call_and_return_all_conditional_losses", "_default_save_signature")
"""The functions that a node has itself, and not only its ``keras_api``."""


def user_node(name: str, edges: Mapping[str, Node] | None = None) -> Node:
    """A node of the kind ``name`` that nothing in the model stands for."""
    node = Node(user(name))
    node.edges.update(edges or {})
    return node


def user(name: str, text: str = "", producer: int = 1) -> Describe:
    """An object of Python's of the kind ``name``."""

    def describe(message: Any, number: Callable[[Node], int]) -> None:
        kind = message.user_object
        kind.identifier = name
        kind.metadata = text
        kind.version.producer = producer
        kind.version.min_consumer = 1

    return describe


def _variable(target: Any) -> Describe:
    def describe(message: Any, number: Callable[[Node], int]) -> None:
        saved = target._checkpoint_values()[VARIABLE_VALUE]
        kind = message.variable
        kind.dtype = NUMBERS[as_dtype(saved.value.dtype)]
        for size in saved.value.shape:
            kind.shape.dim.add(size=size)
        kind.trainable = bool(getattr(target, "trainable", False))
        kind.name = saved.full_name

    return describe


def _resource(message: Any, number: Callable[[Node], int]) -> None:
    message.resource.device = ""


def _container(target: Any) -> str:
    if isinstance(target, Group) and all(name.isdecimal() for name, _ in target._checkpoint_children()):
        return "trackable_list_wrapper"
    kinds = {list: "trackable_list_wrapper", tuple: "trackable_tuple_wrapper", dict: "trackable_dict_wrapper"}
    return next((name for kind, name in kinds.items() if isinstance(target, kind)), "_generic_user_object")


def _unwrapped(child: Trackable) -> Any:
    return child.__dict__["content"] if isinstance(child, ContainerNode) else child


def _as_trackable(target: Any) -> Trackable | None:
    return target if isinstance(target, Trackable) else ContainerNode(target)
