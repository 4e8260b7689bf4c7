"""The object graph: which objects a model is made of, and under which names.

A checkpoint stores no model. It stores a graph of *objects* joined by named *edges*: ``model.head =
Dense(3)`` is an edge ``head`` from the model to the layer, the layer has edges ``kernel`` and ``bias``, and
the values at the ends are stored under the edge names joined by ``/``. A name that a variable was given
plays no part.

Two rules hold for everything in this module:

* **An edge is an attribute.** Assigning an object (or a list, tuple or dict) to an attribute makes the edge,
  deleting the attribute or assigning something else ends it. Edges keep the order of the first assignment.
* **Nothing needs preparing.** The edges live in ``__dict__`` and are made when first needed, so that a subclass
  that never calls ``super().__init__()`` is tracked like any other.

Containers are nodes of their own: a list's edges are ``0``, ``1``, …, a dict's its keys. They stay what the
user assigned (no wrapper classes) and are looked into whenever the graph is walked, so that later changes
count.

Restoring may come before an object exists. What a checkpoint holds for it then waits at its parent, and is
handed over when the edge appears (:meth:`Trackable._settle`).
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import numpy.typing as npt

from reference_impl import dialects

Array = npt.NDArray[Any]

VARIABLE_VALUE = "VARIABLE_VALUE"
"""The attribute name under which every variable keeps its value."""


class Restorer(Protocol):
    """A restore that may still have something for an object. Implemented by ``formats.checkpoint.restore``."""

    def match(self, trackable: Trackable, node_id: int) -> bool:
        """Hand out what fits ``trackable``'s present edges; True when nothing is left to wait for."""
        ...


@dataclass(frozen=True)
class NoDependency:
    """``layer.x = NoDependency(value)`` assigns ``value`` and makes no edge."""

    value: Any


class Trackable:
    """Base of everything that can stand in a checkpoint: layers, models, variables, optimizers, metrics.

    What a subclass may override, and when:

    ``_untracked``
        Names of attributes that make no edge: a class's own bookkeeping (``_nodes``, ``_losses`` …). Only the
        additions are named, those of the base classes stay. ``self.__dict__["_x"] = …`` makes no edge either.
    ``_checkpoint_dependencies()``
        The edges, in order, as ``{name: object or container}``. Sequential and Functional models put
        ``layer_edges(self.layers)`` before ``super()._checkpoint_dependencies()``. ``optimizer`` needs
        nothing special: assigning ``self.optimizer`` in ``compile`` makes the edge at the place TensorFlow
        has it.
    ``_checkpoint_values()``, ``_value_names()``, ``_check_value()``, ``_restore_value()``
        A variable says what its value is and takes a new one.
    ``_slot_names()``, ``_slot()``, ``_create_slot()``
        An optimizer says which slot variables belong to which variable. Slots have no edges.

    What a subclass must call:

    ``_track(name, child)``
        for an edge that no attribute makes: ``add_weight(name=…)`` tracks the new variable under that name
        (an attribute assigned afterwards is a second edge to it, as in TensorFlow). An optimizer tracks
        ``iter`` and its hyper-parameters (``beta_1``, ``beta_2``, ``decay``, ``learning_rate``: sorted)
        when it first makes them, not before: an optimizer that never trained is an empty node.
    ``_settle()``
        after edges appeared in another way: at the end of ``Sequential.add`` and of every ``build``, before
        the new weights are first used. It costs nothing while no restore waits.
    """

    _untracked: ClassVar[frozenset[str]] = frozenset({"_tracked_edges", "_pending_restore"})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = (base.__dict__.get("_untracked", frozenset[str]()) for base in cls.__mro__)
        cls._untracked = frozenset[str]().union(*inherited)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, NoDependency):
            super().__setattr__(name, value.value)
            _edges(self).pop(name, None)
            return
        super().__setattr__(name, value)
        if name in self._untracked:
            return
        if is_node(value):
            self._track(name, value)
        elif "_tracked_edges" in self.__dict__:
            _edges(self).pop(name, None)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _edges(self).pop(name, None)

    def _track(self, name: str, child: Any) -> None:
        """Make the edge ``name`` to ``child``; one of the same name keeps its place and changes its end."""
        _edges(self)[name] = child
        self._settle()

    def _untrack(self, name: str) -> None:
        """End the edge ``name``, if there is one; an attribute of that name stays."""
        _edges(self).pop(name, None)

    def _checkpoint_dependencies(self) -> dict[str, Any]:
        """The edges in order, ends as they were assigned (containers not yet nodes)."""
        return dict(_edges(self))

    def _checkpoint_children(self) -> list[tuple[str, Trackable]]:
        """The edges in order, every end a node."""
        return [(name, as_node(child)) for name, child in self._checkpoint_dependencies().items()]

    def _restore_children(self, stored: Container[str]) -> list[tuple[str, Trackable]]:
        """The edges that a restore follows, given the names of the stored ones; mostly those that are saved.

        An object whose edges were others in another version answers to those too.
        """
        return self._checkpoint_children()

    def _later_children(self) -> list[tuple[str, Trackable]]:
        """The edges as Keras 2.11 and later save them: the same, but for optimizers."""
        return self._checkpoint_children()

    def _identity(self) -> int:
        """What makes two nodes one."""
        return id(self)

    # -- values: variables override these ------------------------------------------------------------------

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        """The values stored at this node itself; a variable has one, ``VARIABLE_VALUE``."""
        return {}

    def _value_names(self) -> Collection[str]:
        """The names of these values alone."""
        return self._checkpoint_values().keys()

    def _check_value(self, name: str, value: Array) -> str | None:
        """Why ``value`` cannot be restored as ``name`` (a shape or dtype that does not fit), or None.

        Asked for every value before any is given, so that a restore changes all or nothing. Only the shape and dtype
        of ``value`` count: its elements are not the stored ones.
        """
        return None

    def _restore_value(self, name: str, value: Array) -> None:
        """Take a copy of ``value``, which ``_check_value`` had nothing against and which may be a view of a file."""
        raise NotImplementedError(f"{type(self).__name__} holds no value {name!r}")

    # -- slots: optimizers override these ------------------------------------------------------------------

    def _slot_names(self) -> list[str]:
        """Names of the slots made so far, in the order they were made (Adam: ``m``, ``v``)."""
        return []

    def _slot(self, variable: Trackable, name: str) -> Trackable | None:
        """The slot ``name`` of ``variable``; None while there is none."""
        return None

    def _create_slot(self, variable: Trackable, name: str) -> Trackable | None:
        """Make the slot ``name`` of ``variable`` to restore into; None if this optimizer has no such slot."""
        return None

    # -- restores that wait --------------------------------------------------------------------------------

    def _await_restore(self, restorer: Restorer, node_id: int) -> None:
        """Keep ``restorer`` for edges that do not exist yet. The newest restore wins, so it alone is kept."""
        self.__dict__["_pending_restore"] = (restorer, node_id)

    def _settle(self) -> None:
        """Let a waiting restore look at the edges there are now."""
        pending = self.__dict__.get("_pending_restore")
        if pending is None:
            return
        restorer, node_id = cast("tuple[Restorer, int]", pending)
        if restorer.match(self, node_id) and self.__dict__.get("_pending_restore") is pending:
            del self.__dict__["_pending_restore"]


@dataclass(frozen=True)
class SavedValue:
    """A value as a checkpoint stores it.

    ``value`` is the array (any shape and dtype; dtype object holds bytes), ``full_name`` the variable's name
    without ``:0``, which the object graph records for name-based readers.
    """

    value: Array
    full_name: str


class ContainerNode(Trackable):
    """The node that a list, tuple or dict is. Made anew for each walk; equal when the container is the same."""

    def __init__(self, content: Any) -> None:
        self.__dict__["content"] = content

    def _checkpoint_dependencies(self) -> dict[str, Any]:
        content: Any = self.__dict__["content"]
        if isinstance(content, Mapping):
            return _dict_edges(cast("Mapping[Any, Any]", content))
        items = list(cast("Iterable[Any]", content))
        names: tuple[str, ...] = getattr(cast("object", content), "_fields", ())  # of a named tuple: names first
        named = zip(names, items, strict=False)
        edges = [*named, *((str(index), item) for index, item in enumerate(items))]
        return {name: item for name, item in edges if is_node(item)}

    def _identity(self) -> int:
        return id(self.__dict__["content"])


def layer_edges(layers: Iterable[Any]) -> dict[str, Any]:
    """The edges of a Sequential or Functional model to its ``layers``, in TensorFlow's order.

    Every layer is ``layer-I`` by its place; before that, one that has weights is ``layer_with_weights-K``,
    counted apart, so that a layer without weights can be put in or taken out without breaking checkpoints.
    """
    edges: dict[str, Any] = {}
    weighted = 0
    for index, layer in enumerate(layers):
        if layer.weights or any(_keeps_table(inner) for inner in (*layer.submodules, layer)):
            edges[f"layer_with_weights-{weighted}"] = layer
            weighted += 1
        edges[f"layer-{index}"] = layer
    return edges


def _keeps_table(layer: Any) -> bool:
    """Whether a table of the layer counts as a weight: after 2.4 it does not where the vocabulary was an argument."""
    if not getattr(layer, "holds_table", False):
        return False
    return dialects.current() == "keras-2.4" or not layer.given_config()


def is_node(value: Any) -> bool:
    """Whether assigning ``value`` makes an edge.

    Every list and dict does, for it may be filled later; a tuple only if it holds something that does.
    """
    if isinstance(value, tuple):
        return any(is_node(item) for item in cast("tuple[Any, ...]", value))
    return isinstance(value, (Trackable, list, dict))


def as_node(value: Any) -> Trackable:
    """``value`` itself, or the node that stands for the container it is."""
    return value if isinstance(value, Trackable) else ContainerNode(value)


def _edges(trackable: Trackable) -> dict[str, Any]:
    return trackable.__dict__.setdefault("_tracked_edges", {})


def _dict_edges(content: Mapping[Any, Any]) -> dict[str, Any]:
    edges: dict[str, Any] = {}
    for key, item in content.items():
        if not is_node(item):
            continue
        if not isinstance(key, str):
            raise ValueError(
                f"a dict that holds {type(item).__name__} under the key {key!r} cannot be saved in a checkpoint: "
                "edge names are strings, and expected is a str key; use one"
            )
        edges[key] = item
    return edges
