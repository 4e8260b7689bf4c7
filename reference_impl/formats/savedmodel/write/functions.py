"""The functions of a SavedModel: what the layers compute, as graphs.

Every layer that was called has, for each form of its calls and, where it matters, for each value of ``training``::

    call_and_return_conditional_losses       outputs, and the losses that hang on the inputs
    call_and_return_all_conditional_losses   the same, and the loss of its activity regularizer, if it has one
    __call__                                 the outputs alone

The model has besides ``_default_save_signature`` and the signature ``serving_default``, which give outputs by name. Losses of
weights are functions of no arguments. Only the first of them holds the computation; the others call it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from reference_impl import naming, structure
from reference_impl.dtypes import as_dtype
from reference_impl.formats.savedmodel import structured
from reference_impl.formats.savedmodel.structured import NamedTuple, TensorSpec
from reference_impl.formats.savedmodel.write import tables
from reference_impl.formats.savedmodel.write.calls import (
    Form,
    argument_spec,
    can_be_told,
    form_of,
    full_argument_spec,
    stored_forms,
    watched,
)
from reference_impl.formats.savedmodel.write.library import Concrete, Library
from reference_impl.formats.savedmodel.write.metadata import expects_training, must_restore_from_config
from reference_impl.formats.savedmodel.write.metadata import shapes as as_shapes
from reference_impl.formats.savedmodel.write.objects import Node
from reference_impl.graph.trace import Spec, Traced, trace
from reference_impl.layers.base import Layer
from reference_impl.layers.input_layer import InputLayer
from reference_impl.layers.state import AddedLoss, entered
from reference_impl.models import Model
from reference_impl.ops.lookup import LookupTable
from reference_impl.shapes import TensorShape
from reference_impl.tensors import symbolic
from reference_impl.variables import reading_as

CONDITIONAL, ALL, PLAIN = (
    "call_and_return_conditional_losses",
    "call_and_return_all_conditional_losses",
    "__call__",
)
DEFAULT = "_default_save_signature"
_SUFFIXES = {CONDITIONAL: CONDITIONAL, ALL: ALL, PLAIN: "call_fn"}


@dataclass
class ModelFunctions:
    """The functions of ``model`` and all layers in it."""

    model: Model
    library: Library = field(default_factory=Library)
    concrete: list[Concrete] = field(default_factory=list[Concrete])
    serving: Concrete | None = None
    _of: dict[int, dict[str, Node]] = field(default_factory=dict[int, dict[str, Node]])
    _losses: dict[int, Node] = field(default_factory=dict[int, Node])
    _signatures: dict[str, Node] = field(default_factory=dict[str, Node])

    def __post_init__(self) -> None:
        own = form_of_model(self.model)
        inside = [layer for layer in self.model._flatten_layers() if isinstance(layer, Layer)]
        with watched(inside) as forms, _quiet(self.model):
            for training in (False, True):
                _traced(self.model, own, training, "model")
        forms = {**forms, id(self.model): [own]}
        for layer in inside:
            if layer.built and not isinstance(layer, InputLayer) and not must_restore_from_config(layer):
                self._add(layer, forms.get(id(layer)) or stored_forms(layer))

    # -- for the object graph --------------------------------------------------------------------------------------

    def of(self, layer: Layer) -> Mapping[str, Node]:
        return self._of.get(id(layer), {})

    def losses(self, layer: Layer) -> Sequence[Node]:
        found = [self._loss(layer, penalty) for penalty in layer._state.penalties]
        return [node for node in found if node is not None]

    def of_table(self, table: LookupTable) -> Mapping[str, Node]:
        made = tables.functions(table, self.library)
        self.concrete += made.values()
        spec = full_argument_spec(kwonlydefaults=None)
        return {name: function([concrete], spec, False, ()) for name, concrete in made.items()}

    def signatures(self) -> Mapping[str, Node]:
        return self._signatures

    # -- layers ----------------------------------------------------------------------------------------------------

    def _add(self, layer: Layer, forms: Sequence[Form]) -> None:
        spec = argument_spec(layer, _adds_training(layer))
        made: dict[str, list[Concrete]] = {CONDITIONAL: [], PLAIN: [], ALL: []}
        wanted = [form for form in forms if can_be_told(form)]
        wanted += [form for form in map(Form.unmasked, wanted) if form not in wanted]
        for form in wanted:
            for training in (False, True) if _uses_training(layer) else (False,):
                self._add_form(layer, form, training, made)
        nodes = {kind: function(concrete, spec, True) for kind, concrete in made.items() if concrete}
        if nodes and not made[ALL]:
            nodes[ALL] = nodes[CONDITIONAL]
        self._of.setdefault(id(layer), {}).update(nodes)

    def _add_form(self, layer: Layer, form: Form, training: bool, made: dict[str, list[Concrete]]) -> None:
        stem = f"{layer.name}_layer"
        traced = _traced(layer, form, training, self.library.name(f"{stem}_{CONDITIONAL}"))
        outputs, losses, penalties = traced.structure
        count = len(_tensors(outputs))
        with_losses = count + len(losses)
        positional, keywords = form.trained(training).signature
        if _adds_training(layer):
            positional = (*positional, training)
        inputs = (tuple(positional), keywords)
        whole = self.library.add(traced)

        def add(kind: str, places: int, result: Any) -> None:
            own = places == len(traced.outputs) and kind != PLAIN
            name = whole if own else self.library.call(whole, f"{stem}_{_SUFFIXES[kind]}", range(places))
            made[kind].append(Concrete(name, traced.captures, inputs, _specs(result)))
            self.concrete.append(made[kind][-1])

        if penalties:
            add(ALL, with_losses + len(penalties), (outputs, [*losses, *penalties]))
        add(CONDITIONAL, with_losses, (outputs, list(losses)))
        add(PLAIN, count, outputs)
        if layer is self.model and not training:
            self._add_signature(form, traced, whole, outputs)

    # -- the model -------------------------------------------------------------------------------------------------

    def _add_signature(self, form: Form, traced: Traced, whole: str, outputs: Any) -> None:
        inputs = form.specs()
        known = zip(self.model.output_names, _tensors(outputs), strict=True)
        # Dicts are taken in the order of their keys.
        places = sorted((name, place) for place, name in enumerate(self.model.output_names))
        tensors = dict(known)
        by_name = {name: TensorSpec(_shape(tensors[name]), tensors[name].dtype, name) for name, _ in places}
        chosen: dict[str, Any] = {"outputs": [place for _, place in places], "names": list(by_name)}
        first = next(iter(form.positional.values()))
        default = Concrete(
            self.library.call(whole, "_wrapped_model", **chosen), traced.captures, ((first,), {}), by_name
        )
        spec = full_argument_spec(varargs="args", kwonlydefaults=None)
        self._of.setdefault(id(self.model), {})[DEFAULT] = function([default], spec, False, (first,))
        order = sorted(range(len(inputs)), key=lambda place: inputs[place].name)
        keywords = {inputs[place].name: inputs[place] for place in order}
        wrapper = self.library.call(whole, "signature_wrapper", order=order, **chosen)
        self.serving = Concrete(wrapper, traced.captures, ((), keywords), by_name)
        self._signatures["serving_default"] = bare_function(self.serving, list(keywords))
        self.concrete += [default, self.serving]

    # -- losses ----------------------------------------------------------------------------------------------------

    def _loss(self, layer: Layer, penalty: AddedLoss) -> Node | None:
        if id(penalty) not in self._losses:
            traced = trace(penalty.function, [], self.library.name("loss_fn"))
            if not traced.outputs:
                return None
            concrete = Concrete(self.library.add(traced), traced.captures, ((), {}), _specs(traced.structure))
            self.concrete.append(concrete)
            self._losses[id(penalty)] = function([concrete], full_argument_spec(kwonlydefaults=None), False, ())
        return self._losses[id(penalty)]


def form_of_model(model: Model) -> Form:
    """How the model itself is called: on its inputs, of any batch size where they had a certain one by chance."""
    graph = model._graph
    if graph is not None:
        free = bool(model.__dict__.get("_inferred"))
        specs = [
            TensorSpec(_freed(tensor.shape) if free else TensorShape(tensor.shape), tensor.dtype, name)
            for tensor, name in zip(graph.inputs, graph.input_names, strict=True)
        ]
        inputs = structure.pack_as(graph.input_structure, specs)
    else:
        inputs = _inputs_of_subclass(model)
    form = form_of(model, [structure.map_leaves(lambda spec: symbolic(spec.shape, spec.dtype), inputs)], {})
    first = next(iter(form.positional))
    return Form({**form.positional, first: inputs}, form.rest, form.keywords).trained(False)


def _inputs_of_subclass(model: Model) -> Any:
    """The inputs that a subclassed model was first called on, named ``input_1`` …, or by their keys."""
    shapes = as_shapes(model._state.build_input_shape)
    if shapes is None:
        raise ValueError(
            f"Model {model.name!r} cannot be saved because the input shapes have not been set; call it on data first"
        )
    dtypes = model.__dict__.get("_input_dtypes")
    leaves = structure.flatten(shapes)
    known = structure.flatten(dtypes) if dtypes is not None else ["float32"] * len(leaves)
    names = sorted(cast("Any", shapes)) if isinstance(shapes, Mapping) else []
    names = names if len(names) == len(leaves) else [f"input_{i + 1}" for i in range(len(leaves))]
    specs = [TensorSpec(_freed(s), as_dtype(d), n) for s, d, n in zip(leaves, known, names, strict=True)]
    return structure.pack_as(shapes, specs)


def _freed(shape: Sequence[int | None]) -> TensorShape:
    return TensorShape([None, *shape[1:]]) if len(shape) else TensorShape([])


def _traced(layer: Layer, form: Form, training: bool, name: str) -> Traced:
    """Outputs, conditional losses, and the loss of the layer's own activity regularizer in a list, traced."""
    specs = [Spec(_known(spec.shape), spec.dtype, spec.name) for spec in form.specs()]
    called = form.trained(training)

    def run(*tensors: Any) -> Any:
        args, kwargs = called.filled(tensors)
        with _quiet(layer), entered(training), naming.name_scope(layer.name), reading_as(as_dtype(layer.compute_dtype)):
            outputs = layer.call(*args, **kwargs)
            inside = layer._flatten_layers()
            losses = [loss for inner in inside for loss in inner._state.losses]
            before = len(layer._state.losses)
            layer._penalise_activity(outputs)
            return outputs, losses, layer._state.losses[before:]

    return trace(run, specs, name)


@contextmanager
def _quiet(layer: Layer) -> Generator[None]:
    """Inside, ``layer`` and those in it have no losses yet; those of the last call are there again afterwards."""
    inside = layer._flatten_layers()
    kept = [list(inner._state.losses) for inner in inside]
    for inner in inside:
        inner._state.losses.clear()
    try:
        yield
    finally:
        for inner, losses in zip(inside, kept, strict=True):
            inner._state.losses[:] = losses


def _uses_training(layer: Layer) -> bool:
    return any(expects_training(inner) for inner in layer._flatten_layers() if not isinstance(inner, InputLayer))


def _adds_training(layer: Layer) -> bool:
    """Whether ``training`` is no argument of the layer's call, but of one inside."""
    return not expects_training(layer) and _uses_training(layer)


def _tensors(value: Any) -> list[Any]:
    return [leaf for leaf in structure.flatten(value) if leaf is not None]


def _known(shape: TensorShape | None) -> TensorShape:
    assert shape is not None
    return shape


def _shape(tensor: Any) -> TensorShape:
    return TensorShape(tensor.shape)


def _specs(value: Any) -> Any:
    return structure.map_leaves(lambda leaf: None if leaf is None else TensorSpec(_shape(leaf), leaf.dtype), value)


# -- nodes -----------------------------------------------------------------------------------------------------------


def function(concrete: Sequence[Concrete], spec: NamedTuple, is_method: bool, signature: Any = None) -> Node:
    """The node of a function of several forms. ``signature``: the only arguments it takes, where there is one form."""

    def describe(message: Any, number: Callable[[Node], int]) -> None:
        kind = message.function
        kind.concrete_functions.extend(one.name for one in concrete)
        _describe_arguments(kind.function_spec, spec, is_method, signature)

    return Node(describe)


def bare_function(concrete: Concrete, keywords: Sequence[str]) -> Node:
    """The node of a function that is called by the names of its inputs."""

    def describe(message: Any, number: Callable[[Node], int]) -> None:
        kind = message.bare_concrete_function
        kind.concrete_function_name = concrete.name
        kind.argument_keywords.extend(keywords)
        kind.allowed_positional_arguments = 1 if len(keywords) == 1 else 0
        spec = full_argument_spec(varkw="kwargs", kwonlydefaults=None)
        _describe_arguments(kind.function_spec, spec, False, ())

    return Node(describe)


def _describe_arguments(message: Any, spec: NamedTuple, is_method: bool, signature: Any) -> None:
    message.fullargspec.CopyFrom(structured.encode(spec))
    message.is_method = is_method
    message.input_signature.CopyFrom(structured.encode(signature))
