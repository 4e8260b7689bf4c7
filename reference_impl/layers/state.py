"""What is remembered of a layer, and of the calls going on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from reference_impl.layers.node import Node
from reference_impl.mixed_precision import Policy
from reference_impl.structure import is_mapping
from reference_impl.variables import Variable


@dataclass(eq=False)
class LayerState:
    """A layer's bookkeeping. ``variables`` are its own, in creation order; ``losses`` are of its last call."""

    name: str | None = None
    trainable: bool = True
    policy: Policy | None = None
    built: bool = False
    batch_input_shape: tuple[int | None, ...] | None = None
    initial_weights: list[Any] | None = None
    build_input_shape: Any = None
    arguments: dict[str, Any] | None = None
    variables: list[Variable] = field(default_factory=list[Variable])
    losses: list[Any] = field(default_factory=list[Any])
    penalties: list[AddedLoss] = field(default_factory=list["AddedLoss"])
    metrics: list[Any] = field(default_factory=list[Any])
    inbound_nodes: list[Node] = field(default_factory=list[Node])
    outbound_nodes: list[Node] = field(default_factory=list[Node])


@dataclass(frozen=True)
class AddedLoss:
    """A loss that is a function of no arguments. ``external``: given to ``add_loss``, so in no config."""

    function: Callable[[], Any]
    external: bool


class Calling(threading.local):
    """The calls going on in this thread: how deep, and in which mode."""

    depth: int = 0
    training: Any = None


calling = Calling()


@contextmanager
def entered(training: Any) -> Generator[None]:
    """Inside, one more call is going on, in the mode ``training``."""
    outer = calling.training
    calling.depth += 1
    calling.training = training
    try:
        yield
    finally:
        calling.depth -= 1
        calling.training = outer


def leaves(value: Any) -> list[Any]:
    """The things in ``value``, looking into lists and tuples in order, into dicts in the order of their sorted keys."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in cast("list[Any]", value) for leaf in leaves(item)]
    if is_mapping(cast("type[Any]", type(value))):
        items = sorted(cast("Mapping[Any, Any]", value).items(), key=lambda item: str(item[0]))
        return [leaf for _, item in items for leaf in leaves(item)]
    return [value]
