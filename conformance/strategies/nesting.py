"""Models inside models, to any depth, with ``trainable`` flags on every level and several inputs on the way."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from conformance.blueprint import Blueprint, Call, Functional, Input, Layer, NestedModel, Node, Sequential
from conformance.strategies.pieces import FLAGS, Draw

WIDTH = 3
TRAINABLE = st.sampled_from([True, True, False])


@st.composite
def deep_models(draw: Draw, depth: int = 3, kinds: Sequence[str] = ("sequential", "functional")) -> Blueprint:
    """Models in models: ``depth`` levels at most, two at least; every weighted layer has one of two shapes.

    Each level has a layer before and one after the inner model, either of which may be a BatchNormalization or have no
    weights; a Functional level may call the inner model twice or on two inputs. Any layer and any inner model may be
    frozen. Names are explicit on some levels and left to the library on others.
    """
    return _level(draw, draw(st.integers(2, depth)), draw(st.sampled_from(kinds)), "outer", explicit=draw(FLAGS))


def _level(draw: Draw, depth: int, kind: str, name: str, explicit: bool) -> Blueprint:
    before, after = _layer(draw, "a", f"{name}_z", explicit), _layer(draw, "c", f"{name}_b", explicit)
    if depth == 1:
        nodes: list[Node] = [before, after]
        return _functional(draw, nodes, name) if kind == "functional" else _sequential(nodes, name)
    inner_kind: str = draw(st.sampled_from(["functional", "sequential"]))
    # Two inputs of the inner model are merged inside it; a Sequential model has one.
    if kind == inner_kind == "functional" and draw(FLAGS):
        inner: Blueprint = _of_two_inputs(draw, f"{name}_inner", explicit)
        arity = 2
    else:
        inner, arity = _level(draw, depth - 1, inner_kind, f"{name}_inner", draw(FLAGS)), 1
    nested = NestedModel("b", inner, draw(TRAINABLE))
    if kind == "sequential":
        return _sequential([before, nested, after], name)
    return _functional(draw, [before, nested, after], name, arity)


def _layer(draw: Draw, layer_id: str, name: str, explicit: bool) -> Layer:
    named = {"name": name} if explicit else {}
    cls = draw(st.sampled_from(["Dense", "Dense", "Dense", "BatchNormalization", "Activation"]))
    if cls == "Dense":
        return Layer(layer_id, "Dense", {"units": WIDTH, "use_bias": draw(FLAGS), **named}, draw(TRAINABLE))
    if cls == "BatchNormalization":
        return Layer(layer_id, cls, named, draw(TRAINABLE))
    return Layer(layer_id, cls, {"activation": "tanh", **named})


def _sequential(nodes: Sequence[Node], name: str) -> Sequential:
    nodes = [*nodes, Layer("head", "Dense", {"units": 2, "name": "head"})] if name == "outer" else nodes
    return Sequential(name=name, inputs=(Input(f"{name}_x", (WIDTH,)),), layers=tuple(nodes))


def _functional(draw: Draw, nodes: Sequence[Node], name: str, arity: int = 1) -> Functional:
    """The nodes one after another; the one in the middle on ``arity`` tensors, and perhaps called twice."""
    inputs = (Input(f"{name}_x", (WIDTH,)),)
    layers, calls, tensor = list(nodes), list[Call](), inputs[0].name
    for place, node in enumerate(nodes):
        given = (tensor, inputs[0].name) if arity == 2 and isinstance(node, NestedModel) else (tensor,)
        calls.append(Call(node.id, given, f"t{place}"))
        if isinstance(node, NestedModel) and draw(FLAGS):
            calls.append(Call(node.id, (f"t{place}",) * len(given), f"again{place}"))
            layers.append(Layer("minus", "Subtract", {"name": f"{name}_minus"}))
            calls.append(Call("minus", (f"again{place}", f"t{place}"), f"merged{place}"))
        tensor = calls[-1].output
    if name == "outer":
        layers.append(Layer("head", "Dense", {"units": 2, "name": "head"}))
        calls.append(Call("head", (tensor,), "out"))
    return Functional(name=name, inputs=inputs, layers=tuple(layers), calls=tuple(calls), outputs=(calls[-1].output,))


def _of_two_inputs(draw: Draw, name: str, explicit: bool) -> Functional:
    left, right = _layer(draw, "a", f"{name}_z", explicit), _layer(draw, "c", f"{name}_b", explicit)
    return Functional(
        name=name,
        inputs=(Input(f"{name}_x2", (WIDTH,)), Input(f"{name}_x1", (WIDTH,))),
        layers=(left, right, Layer("minus", "Subtract", {"name": f"{name}_minus"})),
        calls=(
            Call("a", (f"{name}_x1",), "l"),
            Call("c", (f"{name}_x2",), "r"),
            Call("minus", ("r", "l"), "out"),
        ),
        outputs=("out",),
    )
