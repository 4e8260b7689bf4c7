"""SavedModel folders made by hand: the messages that the tests need, and no more.

Nothing here is used to write SavedModels; so a fault of the writer does not hide one of the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.formats import messages
from reference_impl.formats.checkpoint import object_graph, write_bundle
from reference_impl.formats.savedmodel.structured import NamedTuple, TensorSpec, encode
from reference_impl.graph.attributes import message_of, number_of, shape_message
from reference_impl.layers.base import Layer
from reference_impl.shapes import TensorShape
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

IDENTIFIERS = {"Sequential": "_tf_keras_sequential", "Functional": "_tf_keras_network"}


def spec(*shape: int | None, dtype: str = "float32", name: str = "") -> TensorSpec:
    """A tensor among the arguments or results of a function."""
    return TensorSpec(TensorShape(shape), np_dtype(dtype), name)


def np_dtype(name: str) -> Any:
    from reference_impl.dtypes import as_dtype

    return as_dtype(name)


def empty(tags: Sequence[str] = ("serve",)) -> Any:
    """A SavedModel of one MetaGraph and nothing in it."""
    model = messages.SavedModel(saved_model_schema_version=1)
    model.meta_graphs.add().meta_info_def.tags.extend(tags)
    return model


def write(path: Path, model: Any) -> Path:
    """Write ``saved_model.pb``."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "saved_model.pb").write_bytes(messages.serialize(model))
    return path


def metadata_of(thing: Trackable, training: Mapping[str, Any] | None) -> dict[str, Any]:
    """What Keras would say of a layer."""
    assert isinstance(thing, Layer)
    known: dict[str, Any] = {"class_name": type(thing).__name__, "name": thing.name, "trainable": thing.trainable}
    known |= {"dtype": "float32", "config": thing.get_config()}
    return known | ({"training_config": dict(training)} if training else {})


def of_model(
    path: Path,
    model: Any,
    training: Mapping[str, Any] | None = None,
    keras_file: bool = False,
    change: Callable[[Any], None] | None = None,
) -> Path:
    """A folder with the objects, metadata and values of ``model``, without functions.

    ``keras_file``: the metadata are beside the graph, as since 2.5. ``change`` is given the message.
    """
    later = keras_file
    nodes = object_graph.walk(model, later)
    saved = empty()
    graph = saved.meta_graphs[0].object_graph_def
    told = messages.KerasMetadata()
    for number, node in enumerate(nodes):
        message = graph.nodes.add()
        for name, child in node.children:
            message.children.add(local_name=name, node_id=child)
        for original, name, slot in node.slots:
            message.slot_variables.add(original_variable_node_id=original, slot_name=name, slot_variable_node_id=slot)
        values = node.trackable._checkpoint_values()  # pyright: ignore[reportPrivateUsage]
        if values:
            (value,) = values.values()
            message.variable.dtype = number_of(str(value.value.dtype))
            message.variable.shape.CopyFrom(shape_message(value.value.shape))
            message.variable.name = value.full_name
            message.variable.trainable = getattr(node.trackable, "trainable", False)
        elif isinstance(node.trackable, Layer):
            kind = IDENTIFIERS.get(type(node.trackable).__name__, "_tf_keras_layer")
            text = json.dumps(metadata_of(node.trackable, training if number == 0 else None))
            message.user_object.identifier = kind
            if keras_file:
                told.nodes.add(node_id=number, identifier=kind, metadata=text)
            else:
                message.user_object.metadata = text
        else:
            message.user_object.identifier = "_generic_user_object"
    if change is not None:
        change(saved)
    write(path, saved)
    if keras_file:
        (path / "keras_metadata.pb").write_bytes(messages.serialize(told))
    (path / "variables").mkdir(exist_ok=True)
    write_bundle(path / "variables" / "variables", object_graph.encode(model))
    return path


class Graph:
    """A SavedModel with functions, put together piece by piece; object 0 is the root."""

    def __init__(self, identifier: str = "_generic_user_object", **metadata: Any) -> None:
        self.saved = empty()
        self.meta_graph = self.saved.meta_graphs[0]
        self.objects = self.meta_graph.object_graph_def
        self.variables = Trackable()
        root = self.objects.nodes.add()
        root.user_object.identifier = identifier
        if metadata:
            root.user_object.metadata = json.dumps(metadata)

    def edge(self, name: str, child: int, parent: int = 0) -> int:
        """An edge of the object graph."""
        self.objects.nodes[parent].children.add(local_name=name, node_id=child)
        return child

    def thing(self, identifier: str = "_generic_user_object") -> int:
        """One more object without a kind of its own."""
        self.objects.nodes.add().user_object.identifier = identifier
        return len(self.objects.nodes) - 1

    def variable(self, name: str, value: Any, trainable: bool = True) -> int:
        """A variable below the root, with its value in the checkpoint."""
        made = Variable(np.asarray(value), trainable, name)
        setattr(self.variables, name, made)
        node = self.objects.nodes.add()
        node.variable.dtype = number_of(made.dtype)
        node.variable.shape.CopyFrom(shape_message(made.shape))
        node.variable.name, node.variable.trainable = name, trainable
        return self.edge(name, len(self.objects.nodes) - 1)

    def function(
        self,
        name: str,
        inputs: Mapping[str, str],
        nodes: Sequence[tuple[Any, ...]],
        outputs: Mapping[str, tuple[str, str]],
    ) -> None:
        """A function of the library. ``nodes``: (name, op, inputs, {attribute: (kind, value)})."""
        made = self.meta_graph.graph_def.library.function.add()
        made.signature.name = name
        for argument, dtype in inputs.items():
            made.signature.input_arg.add(name=argument, type=number_of(dtype))
        for output, (dtype, tensor) in outputs.items():
            made.signature.output_arg.add(name=output, type=number_of(dtype))
            made.ret[output] = tensor
        for node, op, ends, attrs in nodes:
            message = made.node_def.add(name=node, op=op, input=ends)
            for attribute, (kind, value) in attrs.items():
                message.attr[attribute].CopyFrom(message_of(value, kind))

    def concrete(self, name: str, inputs: Any, outputs: Any, captures: Sequence[int] = ()) -> None:
        """What the object graph says of a function of the library."""
        message = self.objects.concrete_functions[name]
        message.bound_inputs.extend(captures)
        message.canonicalized_input_signature.CopyFrom(encode(inputs))
        message.output_signature.CopyFrom(encode(outputs))

    def python(self, edge: str, args: Sequence[str], defaults: Sequence[Any], *functions: str, parent: int = 0) -> int:
        """A traced Python function below an object."""
        node = self.objects.nodes.add()
        node.function.concrete_functions.extend(functions)
        fields = {"args": list(args), "varargs": None, "varkw": None, "defaults": list(defaults) or None}
        fields |= {"kwonlyargs": [], "kwonlydefaults": None, "annotations": {}}
        node.function.function_spec.fullargspec.CopyFrom(encode(NamedTuple("FullArgSpec", fields)))
        return self.edge(edge, len(self.objects.nodes) - 1, parent)

    def save(self, path: Path) -> Path:
        """Write it, with its checkpoint."""
        write(path, self.saved)
        (path / "variables").mkdir(exist_ok=True)
        write_bundle(path / "variables" / "variables", object_graph.encode(self.variables))
        return path


READ = {"dtype": ("type", np_dtype("float32"))}
FLOAT = {"T": ("type", np_dtype("float32"))}


def product(graph: Graph, name: str, weight: int, factor: float, inputs: Any, losses: bool = True) -> None:
    """``(x @ weight) * factor`` and as a loss the factor; or without ``losses`` the product alone."""
    graph.function(
        name,
        {"x": "float32", "w": "resource"},
        [
            ("read", "ReadVariableOp", ["w"], READ),
            ("dot", "MatMul", ["x", "read:value:0"], FLOAT),
            ("factor", "Const", [], {**READ, "value": ("tensor", np.array(factor, "float32"))}),
            ("out", "Mul", ["dot:product:0", "factor:output:0"], FLOAT),
        ],
        {"a": ("float32", "out:z:0"), **({"b": ("float32", "factor:output:0")} if losses else {})},
    )
    outputs: Any = spec(None, 2)
    graph.concrete(name, inputs, (outputs, [spec()]) if losses else outputs, [weight])


def unknown_model(weight: Any, **metadata: Any) -> Graph:
    """A model of a class that nobody has: ``x @ weight``, doubled in training; the factor is a loss too."""
    known = {"class_name": "Doubling", "name": "doubling", "trainable": True, "dtype": "float32", **metadata}
    graph = Graph("_tf_keras_model", **known)
    number = graph.variable("w", weight)
    for name, factor, training in (("once", 1.0, False), ("twice", 2.0, True)):
        product(graph, name, number, factor, ((spec(None, 3, name="x"), training), {}))
    graph.python("call_and_return_all_conditional_losses", ["x", "training"], [False], "once", "twice")
    listed = graph.edge("variables", graph.thing("trackable_list_wrapper"))
    graph.edge("0", number, listed)
    return graph
