"""The small pieces of a model: names, sizes, single layers, seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from hypothesis import strategies as st

from conformance.blueprint import Blueprint, Compile, Custom, Layer, Shape, Subclassed

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
Args: TypeAlias = dict[str, Any]

SIZES = st.sampled_from([3, 2, 4, 5, 1])
FLAGS = st.booleans()
ACTIVATIONS = st.sampled_from(["linear", "relu", "tanh", "sigmoid", "softmax", "elu", "softplus"])

# Names whose alphabetical, numerical and given orders all differ, some of them what a library would choose itself.
NAME_POOL = ("b", "a", "layer_10", "layer_9", "dense", "z", "dense_1", "m", "dense_3", "c", "layer_11", "x_1")
NAME_ORDERS = (NAME_POOL, NAME_POOL[::-1], tuple(sorted(NAME_POOL)), NAME_POOL[1::2] + NAME_POOL[::2])


class Names:
    """Hands out the explicit names of one model, or none where the library is to choose."""

    def __init__(self, order: tuple[str, ...] | None, prefix: str = "") -> None:
        self._order, self._prefix, self._used = order, prefix, 0

    def next(self) -> Args:
        """``{"name": …}`` for the next layer, or ``{}``."""
        if self._order is None:
            return {}
        turn, place = divmod(self._used, len(self._order))
        self._used += 1
        return {"name": self._prefix + self._order[place] + (f"_{turn}" if turn else "")}


def names(prefix: str = "") -> st.SearchStrategy[Names]:
    """How the layers of a model are named: by the library, or explicitly in one of a few orders."""
    return st.sampled_from([None, *NAME_ORDERS]).map(lambda order: Names(order, prefix))


def data_seeds() -> st.SearchStrategy[int]:
    """Seeds for :mod:`conformance.strategies.arrays`."""
    return st.integers(0, 99)


def _dense(draw: Draw, shape: Shape) -> Args:
    args: Args = {"units": draw(SIZES)}
    activation = draw(ACTIVATIONS)
    if activation != "linear":
        args["activation"] = activation
    if not draw(st.sampled_from([True, True, False])):
        args["use_bias"] = False
    return args


def _batch_normalization(draw: Draw, shape: Shape) -> Args:
    return draw(st.sampled_from([{}, {"momentum": 0.8}, {"epsilon": 0.01}, {"center": False}, {"scale": False}]))


def _layer_normalization(draw: Draw, shape: Shape) -> Args:
    return draw(st.sampled_from([{}, {"epsilon": 0.01}, {"center": False}, {"scale": False}]))


def _relu(draw: Draw, shape: Shape) -> Args:
    return draw(st.sampled_from([{}, {"max_value": 0.5}, {"negative_slope": 0.25}, {"threshold": 0.125}]))


def _reshape(draw: Draw, shape: Shape) -> Args:
    turned = shape[::-1] if len(shape) > 1 else draw(st.sampled_from([(1, *shape), (*shape, 1)]))
    return {"target_shape": {"$tuple": list(turned)}}


def _activation(draw: Draw, shape: Shape) -> Args:
    return {"activation": draw(ACTIVATIONS)}


def _dropout(draw: Draw, shape: Shape) -> Args:
    return {"rate": draw(st.sampled_from([0.25, 0.5]))}


def _plain(draw: Draw, shape: Shape) -> Args:
    return {}


WEIGHTED: Mapping[str, Callable[[Draw, Shape], Args]] = {
    "Dense": _dense,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
}
STATELESS: Mapping[str, Callable[[Draw, Shape], Args]] = {
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _plain,
    "Flatten": _plain,
    "Reshape": _reshape,
}
RANDOM: Mapping[str, Callable[[Draw, Shape], Args]] = {"Dropout": _dropout}

# Layers that merge several tensors of one shape (Concatenate: equal but in the last dimension) into one.
MERGES = ("Subtract", "Concatenate", "Add", "Multiply")


@st.composite
def layers(
    draw: Draw,
    shape: Shape = (3,),
    layer_id: str = "layer",
    naming: Names | None = None,
    stateless: bool = True,
    random: bool = True,
) -> Layer:
    """One layer on a tensor of ``shape`` (without the batch), with drawn arguments and ``trainable`` flag.

    ``stateless=False`` leaves out layers without weights, ``random=False`` those that draw random numbers.
    """
    table = {**WEIGHTED, **(STATELESS if stateless else {}), **(RANDOM if stateless and random else {})}
    cls: str = draw(st.sampled_from(list(table)))
    args = {**table[cls](draw, shape), **(naming.next() if naming else {})}
    trainable = draw(st.sampled_from([True, True, False])) if cls in WEIGHTED else True
    return Layer(layer_id, cls, args, trainable)


def custom_objects(blueprint: Blueprint) -> dict[str, str]:
    """What a loader must be told of to load this model: name → id in the named set."""
    ids = {node.cls.id for node in blueprint.all_layers() if isinstance(node.cls, Custom)}
    for node in blueprint.all_layers():
        ids |= _custom_ids(node.args)
    if isinstance(blueprint, Subclassed):
        ids |= {blueprint.cls.id, *_custom_ids(blueprint.args)}
    if isinstance(blueprint.compile, Compile):
        ids |= _custom_ids(blueprint.compile.to_json())
    return {custom.partition(":")[0]: custom for custom in sorted(ids)}


def _custom_ids(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        raw = cast("Mapping[str, Any]", value)
        own = {raw[key] for key in ("$custom", "custom") if isinstance(raw.get(key), str)}
        return own.union(*(_custom_ids(item) for item in raw.values()))
    if isinstance(value, list | tuple):
        return set[str]().union(*(_custom_ids(item) for item in cast("list[Any]", value)))
    return set()
