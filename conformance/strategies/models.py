"""Whole models: chains, graphs and subclassed ones, as blueprints that are valid in every dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from conformance.blueprint import (
    Blueprint,
    Call,
    Custom,
    Functional,
    Input,
    Layer,
    NestedModel,
    Node,
    Sequential,
    Shape,
    Subclassed,
    chain,
    output_shapes,
)
from conformance.blueprint.shapes import node_output
from conformance.strategies.arrays import output_names
from conformance.strategies.compiles import compiles
from conformance.strategies.pieces import FLAGS, MERGES, SIZES, Draw, Names, layers, names

KINDS = ("sequential", "functional", "subclassed")
INPUT_SHAPES = st.sampled_from([(3,), (5,), (2, 4)])


@dataclass(frozen=True)
class Choice:
    """Which layers may be drawn: those without weights (``stateless``), those with random numbers (``random``)."""

    stateless: bool = True
    random: bool = True

    def layer(self, draw: Draw, shape: Shape, layer_id: str, naming: Names) -> Layer:
        """One drawn layer."""
        return draw(layers(shape, layer_id, naming, self.stateless, self.random))


def models(
    kinds: Sequence[str] = KINDS, compiled: bool | None = None, stateless: bool = True, random: bool = True
) -> st.SearchStrategy[Blueprint]:
    """Models of the given kinds.

    ``compiled``: True always, False never, None sometimes. ``stateless=False`` leaves out layers without weights;
    ``random=False`` those that draw random numbers (Dropout): with them training does not resume exactly.
    """
    made: Mapping[str, Callable[..., st.SearchStrategy[Blueprint]]] = {
        "sequential": sequentials,
        "functional": functionals,
        "subclassed": subclassed,
    }
    unknown = [kind for kind in kinds if kind not in made]
    if unknown or not kinds:
        raise ValueError(f"models(kinds=…): choose some of {', '.join(made)}; found {list(kinds)}")
    return st.one_of([made[kind](compiled=compiled, stateless=stateless, random=random) for kind in kinds])


@st.composite
def sequentials(
    draw: Draw, compiled: bool | None = None, stateless: bool = True, random: bool = True, nested: bool = True
) -> Sequential:
    """Sequential models of two to four layers; sometimes one is a nested model, or the first an Embedding."""
    naming: Names = draw(names())
    choice = Choice(stateless, random)
    shape: Shape = draw(INPUT_SHAPES)
    dtype = "float32"
    nodes: list[Node] = []
    if draw(st.sampled_from([False] * 7 + [True])):
        args = {"input_dim": 7, "output_dim": draw(SIZES), **naming.next()}
        nodes.append(Layer("l0", "Embedding", args))
        shape, dtype = shape[:1], "int32"
    inputs = (Input("x", shape, dtype),)
    shape = _output(nodes, shape)
    for number in range(len(nodes), len(nodes) + draw(st.integers(1, 3))):
        if nested and draw(st.sampled_from([False] * 4 + [True])):
            node: Node = _nested(draw, shape, f"l{number}", naming, choice)
        else:
            node = choice.layer(draw, shape, f"l{number}", naming)
        nodes.append(node)
        shape = node_output(node, [shape])
    nodes.append(_head(draw, f"l{len(nodes)}", naming))
    blueprint = Sequential(name=_model_name(draw, naming), inputs=inputs, layers=tuple(nodes))
    return _maybe_compiled(draw, blueprint, compiled)


@st.composite
def functionals(
    draw: Draw, compiled: bool | None = None, stateless: bool = True, random: bool = True, nested: bool = True
) -> Functional:
    """Graphs: one or two inputs, blocks (a layer, branches, a shared layer, a nested model), one or two outputs.

    Where tensors are merged the order mostly matters (Subtract, Concatenate), and the order of the outputs is not
    always that in which they were made.
    """
    naming: Names = draw(names())
    choice = Choice(stateless, random)
    shape: Shape = draw(INPUT_SHAPES)
    graph = _Graph(naming)
    tensor = _inputs(draw, graph, shape)
    blocks = {**_BLOCKS, **(_NESTED_BLOCKS if nested else {})}
    for name in draw(st.lists(st.sampled_from(list(blocks)), min_size=1, max_size=2)):
        tensor = blocks[name](draw, graph, tensor, choice)
    outputs = [graph.add(_head(draw, graph.next_id(), naming), tensor) for _ in range(draw(st.integers(1, 2)))]
    if len(outputs) > 1 and draw(FLAGS):
        outputs.reverse()
    blueprint = graph.blueprint(outputs, _model_name(draw, naming))
    return _maybe_compiled(draw, blueprint, compiled)


@st.composite
def subclassed(draw: Draw, compiled: bool | None = None, stateless: bool = True, random: bool = True) -> Subclassed:
    """Subclassed models of the named set: ``CustomModel`` (no config) and ``SubclassedModel`` (with one)."""
    shape: Shape = draw(st.sampled_from([(3,), (5,)]))
    if draw(FLAGS):
        cls, args = "SubclassedModel", {"output_dim": draw(SIZES)}
    else:
        cls, args = "CustomModel", {"hidden_units": draw(st.lists(SIZES, min_size=1, max_size=3))}
    blueprint = Subclassed(cls=Custom(cls), args=args, inputs=(Input("x", shape),))
    return _maybe_compiled(draw, blueprint, compiled)


# --- graphs --------------------------------------------------------------------------------------------------------


@dataclass
class _Graph:
    """A functional blueprint in the making: every tensor has a name and a shape."""

    naming: Names
    inputs: list[Input] = field(default_factory=list[Input])
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    calls: list[Call] = field(default_factory=list[Call])
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])

    def next_id(self) -> str:
        return f"n{len(self.nodes)}"

    def add_input(self, name: str, shape: Shape) -> str:
        self.inputs.append(Input(name, shape))
        self.shapes[name] = shape
        return name

    def add(self, node: Node, *tensors: str) -> str:
        """Call ``node``, a new one or one called before, and return the new tensor."""
        self.nodes[node.id] = node
        output = f"t{len(self.calls)}"
        self.calls.append(Call(node.id, tensors, output))
        self.shapes[output] = node_output(node, [self.shapes[tensor] for tensor in tensors])
        return output

    def dense(self, draw: Draw, tensor: str, units: int) -> str:
        return self.add(Layer(self.next_id(), "Dense", {"units": units, **self.naming.next()}), tensor)

    def merge(self, draw: Draw, *tensors: str) -> str:
        return self.add(Layer(self.next_id(), draw(st.sampled_from(MERGES)), self.naming.next()), *tensors)

    def blueprint(self, outputs: Sequence[str], name: str | None) -> Functional:
        return Functional(
            name=name,
            inputs=tuple(self.inputs),
            layers=tuple(self.nodes.values()),
            calls=tuple(self.calls),
            outputs=tuple(outputs),
        )


def _inputs(draw: Draw, graph: _Graph, shape: Shape) -> str:
    """One input, or two of unlike sizes that are made alike and merged, in one order or the other."""
    if draw(st.integers(1, 2)) == 1:
        return graph.add_input("x", shape)
    units: int = draw(SIZES)
    first = graph.add_input("x2", shape)
    second = graph.add_input("x1", (*shape[:-1], shape[-1] + 1))
    parts = [graph.dense(draw, tensor, units) for tensor in (first, second)]
    return graph.merge(draw, *(reversed(parts) if draw(FLAGS) else parts))


def _layer_block(draw: Draw, graph: _Graph, tensor: str, choice: Choice) -> str:
    return graph.add(choice.layer(draw, graph.shapes[tensor], graph.next_id(), graph.naming), tensor)


def _branches(draw: Draw, graph: _Graph, tensor: str, choice: Choice) -> str:
    units: int = draw(SIZES)
    left, right = graph.dense(draw, tensor, units), graph.dense(draw, tensor, units)
    return graph.merge(draw, right, left)


def _shared(draw: Draw, graph: _Graph, tensor: str, choice: Choice) -> str:
    """A layer called on the tensor, and again on its own result."""
    width = graph.shapes[tensor][-1]
    node = Layer(graph.next_id(), "Dense", {"units": width, "activation": "tanh", **graph.naming.next()})
    once = graph.add(node, tensor)
    return graph.merge(draw, once, graph.add(node, once))


def _nested_block(draw: Draw, graph: _Graph, tensor: str, choice: Choice) -> str:
    node = _nested(draw, graph.shapes[tensor], graph.next_id(), graph.naming, choice)
    return graph.add(node, tensor)


def _shared_nested(draw: Draw, graph: _Graph, tensor: str, choice: Choice) -> str:
    """A nested model called on the tensor and on another one of its shape."""
    shape = graph.shapes[tensor]
    other = graph.dense(draw, tensor, shape[-1])
    node = _nested(draw, shape, graph.next_id(), graph.naming, choice)
    return graph.merge(draw, graph.add(node, tensor), graph.add(node, other))


_Block = Callable[[Draw, _Graph, str, Choice], str]
_BLOCKS: Mapping[str, _Block] = {"layer": _layer_block, "branches": _branches, "shared": _shared}
_NESTED_BLOCKS: Mapping[str, _Block] = {"nested": _nested_block, "shared nested": _shared_nested}


# --- parts ---------------------------------------------------------------------------------------------------------


def _head(draw: Draw, layer_id: str, naming: Names) -> Layer:
    """The last layer before an output: always a trainable Dense, so that every model can be trained."""
    args: dict[str, Any] = {"units": draw(SIZES), **naming.next()}
    activation = draw(st.sampled_from([None, "sigmoid", "tanh"]))
    return Layer(layer_id, "Dense", args if activation is None else {**args, "activation": activation})


def _nested(draw: Draw, shape: Shape, node_id: str, naming: Names, choice: Choice) -> NestedModel:
    """A Sequential or Functional model as a layer; its inner layers have names of their own."""
    outer = naming.next()
    # None that a layer elsewhere in the model has: HDF5 of real versions cannot tell two slots of one name apart (a test
    # of its own shows it).
    order = draw(st.sampled_from([("inner_b", "inner_a"), ("dense", "dense_1")])) if outer else None
    inner = Names(order, f"{outer['name']}_" if outer else "")
    nodes = [Layer("i0", "Dense", {"units": draw(SIZES), **inner.next()}, draw(st.sampled_from([True, True, False])))]
    if draw(FLAGS):
        nodes.append(choice.layer(draw, _output(nodes, shape), "i1", inner))
    kind: str = draw(st.sampled_from(["functional", "sequential"]))
    model = chain(*nodes, shape=shape, kind=kind, name=outer.get("name"), input_name="inner_x")
    return NestedModel(node_id, model, draw(st.sampled_from([True, True, True, False])))


def _output(nodes: Sequence[Node], shape: Shape) -> Shape:
    for node in nodes:
        shape = node_output(node, [shape])
    return shape


def _model_name(draw: Draw, naming: Names) -> str | None:
    return draw(st.sampled_from([None, "my_model", "3_layer_mlp"]))


def _maybe_compiled(draw: Draw, blueprint: Any, compiled: bool | None) -> Any:
    if compiled is None:
        compiled = draw(FLAGS)
    if not compiled:
        return blueprint
    count = len(output_shapes(blueprint))
    # Real versions put the output's name on a metric twice once a model of several was trained: a test of its own shows it.
    return replace(blueprint, compile=draw(compiles(output_names(blueprint)[:count], with_metrics=count == 1)))
