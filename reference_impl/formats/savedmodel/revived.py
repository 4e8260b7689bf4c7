"""Layers and models revived from their stored functions: of a class that nobody has, and that do what it did.

Such an object has a class of its own, which bears the original's name and is made for it alone. Its ``call`` picks the
stored function for its arguments (``training=True`` and ``training=False`` are two functions) and adds the losses that
the function returns beside its outputs. Its attributes are those that were saved: layers, revived in turn, variables,
lists and dicts of them.

=============================================  =====================================================================
``call_and_return_all_conditional_losses``     gives ``(outputs, [losses])``
``__call__``                                   gives the outputs alone; taken if the other is missing
``keras_api/layer_regularization_losses``      functions of no arguments, one a loss that is there whatever the inputs
``keras_api/layer_metrics``                    the metrics that the call updates, by name
``variables``, ``trainable_variables``         the weights, in the order that Keras listed them
=============================================  =====================================================================
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from reference_impl import structure
from reference_impl.errors import UnknownObjectError
from reference_impl.formats.savedmodel.arguments import Parameters, shown
from reference_impl.formats.savedmodel.functions import RestoredFunction
from reference_impl.formats.savedmodel.inputs import specs_of
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.layers.base import Layer
from reference_impl.layers.state import AddedLoss
from reference_impl.models import Model
from reference_impl.models.model import _names_of_outputs as names_of_outputs
from reference_impl.variables import Variable

if TYPE_CHECKING:
    from reference_impl.formats.savedmodel.revive import Form, Revival

WITH_LOSSES = ("call_and_return_all_conditional_losses", "call_and_return_conditional_losses")
CALL = "__call__"
API = "keras_api"

OF_KERAS = frozenset(
    {"variables", "trainable_variables", "regularization_losses", API, "signatures", "optimizer", "root", CALL}
    | {"_default_save_signature", "activity_regularizer_fn", "loss"}
    | set(WITH_LOSSES)
)
"""Edges that Keras adds to its objects when it saves them: no attributes of theirs."""


def has_functions(stored: Stored, number: int) -> bool:
    """Whether there is a function to call for the layer ``number``."""
    edges = _functions(stored, number)
    return any(stored.node(child).function.concrete_functions for child in edges.values())


def _functions(stored: Stored, number: int) -> dict[str, int]:
    """The functions that a layer's call can be revived from, the best first; Keras has some of them at ``keras_api``."""
    edges = stored.children(number)
    more = _api(stored, number)
    found = {name: edges.get(name, more.get(name)) for name in (*WITH_LOSSES, CALL)}
    return {name: child for name, child in found.items() if child is not None and stored.kind(child) == "function"}


class Revived(Layer):
    """What revived layers and models have in common.

    ``revived_functions``: the stored functions by name. ``revived_metadata``: what Keras said of the object.
    """

    _untracked = frozenset({"revived_functions", "revived_metadata"})
    revived_functions: dict[str, RestoredFunction]
    revived_metadata: Mapping[str, Any]

    def _run(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if not self.revived_functions:
            raise NotImplementedError(
                f"{type(self).__name__} {self.name!r} cannot be called: its class is not at hand, and none of its functions "
                "was saved; give the class as a custom object"
            )
        name, function = next(iter(self.revived_functions.items()))
        results = function(*args, **kwargs)
        if name == CALL:
            return results
        outputs, losses = results
        self.add_loss(losses)
        return outputs

    def get_config(self) -> dict[str, Any]:
        """The config as it was saved; ``NotImplementedError`` if the original had none."""
        from reference_impl.formats.savedmodel.revive import config_of

        config = config_of(self.revived_metadata)
        if config is None:
            raise NotImplementedError(
                f"{type(self).__name__} {self.name!r} was revived from its stored functions, and saved without a config"
            )
        return copy.deepcopy(dict(config))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        raise NotImplementedError(f"{cls.__name__} is known from stored functions alone, which no config makes anew")

    # -- weights in the order that they were saved in ------------------------------------------------------

    def _ordered(self, found: list[Variable]) -> list[Variable]:
        places: dict[int, int] = self.__dict__.get("_places", {})
        return sorted(found, key=lambda variable: places.get(id(variable), len(places)))

    @property
    def weights(self) -> list[Variable]:
        return self._ordered(super().weights)

    @property
    def trainable_weights(self) -> list[Variable]:
        return self._ordered(super().trainable_weights)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return self._ordered(super().non_trainable_weights)


class RevivedLayer(Revived):
    """A layer of a class that is not at hand."""


class RevivedModel(Revived, Model):
    """A model of a class that is not at hand."""

    def _cast(self, leaf: Any) -> Any:
        return Layer._cast(self, leaf)  # stored functions take tensors of one dtype


def make(revival: Revival, number: int, known: Form, is_model: bool) -> Layer:
    """The layer or model ``number``, revived from its functions. Its variables have their values already.

    One without functions cannot be called; its weights and attributes may still be of use.
    """
    stored = revival.stored
    functions = {name: revival.get(child) for name, child in _functions(stored, number).items()}
    usable = {name: function for name, function in functions.items() if function.concrete_functions}
    for name, function in usable.items():
        _check_results(stored, name, function)
    parameters = next((function.parameters for function in usable.values()), Parameters(varargs=True, varkw=True))
    cls = _class(str(known.get("class_name")), parameters, RevivedModel if is_model else RevivedLayer)
    layer = cls.__new__(cls)
    Layer.__init__(layer, bool(known.get("trainable", True)), name=_name(known), dtype=known.get("dtype"))
    revival.made(number, layer)
    layer.__dict__["revived_functions"] = usable
    layer.__dict__["revived_metadata"] = known
    _remember(layer, specs_of(stored, number, known))
    _attach(revival, number, layer)
    _own(revival, number, layer)
    layer._state.penalties += [AddedLoss(loss, external=True) for loss in losses(revival, number)]
    layer._state.metrics += [metric for metric in metrics(revival, number) if metric is not None]
    layer.built = True
    return layer


def _check_results(stored: Stored, name: str, function: RestoredFunction) -> None:
    for concrete in function.concrete_functions if name != CALL else ():
        results = concrete.outputs
        if not isinstance(results, tuple) or len(cast("tuple[Any, ...]", results)) != 2:
            stored.fail(f"function {concrete.name}: output signature", shown(results), "outputs and losses")


def _remember(layer: Layer, specs: Any) -> None:
    """What a model knows of itself once it was called."""
    if specs is not None:
        layer._state.build_input_shape = structure.map_leaves(lambda spec: spec.shape, specs)
        layer.__dict__["_input_dtypes"] = structure.map_leaves(lambda spec: spec.dtype, specs)
    functions: Any = list(layer.__dict__["revived_functions"].items())
    if functions:
        name, function = functions[0]
        results = function.concrete_functions[0].outputs
        layer.__dict__["_output_names"] = names_of_outputs(results if name == CALL else results[0])


def _class(name: str, parameters: Parameters, base: type[Revived]) -> type[Revived]:
    def call(self: Revived, *args: Any, **kwargs: Any) -> Any:
        return self._run(args, kwargs)

    # Which arguments a call is given, layers find out from its parameters.
    vars(call)["__signature__"] = _signature(parameters)
    name = name.rpartition(">")[2]
    return type(name, (base,), {"call": call, "__doc__": f"{name}, revived from its stored functions."})


def _signature(parameters: Parameters) -> inspect.Signature:
    kind = inspect.Parameter
    without = len(parameters.names) - len(parameters.defaults)
    defaults = [kind.empty] * without + list(parameters.defaults)
    listed = [kind("self", kind.POSITIONAL_OR_KEYWORD)]
    listed += [
        kind(name, kind.POSITIONAL_OR_KEYWORD, default=default)
        for name, default in zip(parameters.names, defaults, strict=True)
    ]
    if parameters.varargs:
        listed.append(kind("args", kind.VAR_POSITIONAL))
    told = parameters.keyword_defaults or {}
    listed += [kind(name, kind.KEYWORD_ONLY, default=told.get(name, kind.empty)) for name in parameters.keywords]
    if parameters.varkw:
        listed.append(kind("kwargs", kind.VAR_KEYWORD))
    return inspect.Signature(listed)


def _name(known: Form) -> str | None:
    name = known.get("name")
    return name if isinstance(name, str) else None


def _attach(revival: Revival, number: int, layer: Layer) -> None:
    """The saved attributes. Layers come first: a variable may be theirs, and a config makes theirs anew."""
    stored = revival.stored
    edges = {name: child for name, child in stored.children(number).items() if name not in OF_KERAS}
    for child in sorted(edges.values(), key=lambda child: stored.kind(child) != "user_object"):
        revival.get(child)
    for name, child in edges.items():
        found = revival.get(child)
        if not hasattr(type(layer), name):
            setattr(layer, name, found)
        elif isinstance(found, Variable):
            layer._own(found)
            layer._track(name, found)


def _own(revival: Revival, number: int, layer: Layer) -> None:
    """All variables that Keras listed are weights, also those that no attribute of a layer holds."""
    stored = revival.stored
    edge = stored.children(number).get("variables")
    listed = [revival.get(child) for child in stored.children(edge).values()] if edge is not None else []
    variables = [variable for variable in listed if isinstance(variable, Variable)]
    layer.__dict__["_places"] = {id(variable): place for place, variable in enumerate(variables)}
    known = {id(variable) for variable in layer.weights}
    for variable in variables:
        if id(variable) not in known:
            layer._own(variable)


def _api(stored: Stored, number: int) -> Mapping[str, int]:
    """The edges of what Keras adds to a layer under one name."""
    edges = stored.children(number)
    none: dict[str, int] = {}
    return stored.children(edges[API]) if API in edges else none


def _of_api(revival: Revival, number: int, name: str) -> list[Any]:
    """The things in the list or dict ``name`` that Keras has for a layer."""
    stored, edges = revival.stored, _api(revival.stored, number)
    if name not in edges:
        return []
    found = revival.get(edges[name])
    if not isinstance(found, list | tuple | Mapping):
        stored.fail(stored.place(edges[name]), f"a {type(found).__name__}", "a list or a dict")
    if isinstance(found, Mapping):
        return list(cast("Mapping[str, Any]", found).values())
    return list(cast("list[Any]", found))


def losses(revival: Revival, number: int) -> list[RestoredFunction]:
    """The functions of the losses that a layer itself has whatever its inputs, in the order that they were added."""
    found = _of_api(revival, number, "layer_regularization_losses")
    return [loss for loss in found if isinstance(loss, RestoredFunction)]


def keep_states(stored: Stored, number: int, layer: Any) -> None:
    """Give a recurrent layer the states that it had after its last batch."""
    edges = _api(stored, number)
    ends = list(stored.children(edges["states"]).values()) if "states" in edges else []
    kept = [state for state in structure.flatten(getattr(layer, "states", None)) if isinstance(state, Variable)]
    if len(ends) != len(kept):
        return
    for state, end in zip(kept, ends, strict=True):
        if end in stored.keys:
            value = stored.value(end)
            if value.shape != tuple(state.shape):
                stored.fail(stored.place(end), f"a state of shape {value.shape}", f"{tuple(state.shape)}")
            state.assign(value)


def metrics(revival: Revival, number: int) -> list[Any]:
    """The metrics that a layer's call updates."""
    from reference_impl.metrics import Metric

    return [metric for metric in _of_api(revival, number, "layer_metrics") if isinstance(metric, Metric)]


def metric(revival: Revival, number: int, known: Form) -> Any:
    """The metric ``number``, its numbers as they were saved; None, and a warning, if its class is unknown."""
    from reference_impl.metrics import deserialize

    try:
        made = deserialize({"class_name": known.get("class_name"), "config": known.get("config") or {}})
    except UnknownObjectError:
        warnings.warn(
            f"{revival.stored.path}: {revival.stored.place(number)}: a metric of the unknown class {known.get('class_name')!r} is left out; "
            "pass the class in custom_objects to keep it",
            stacklevel=2,
        )
        return None
    edges = revival.stored.children(number)
    for name, child in made._checkpoint_children():
        if isinstance(child, Variable) and name in edges and edges[name] in revival.stored.keys:
            value = revival.stored.value(edges[name])
            if value.shape == tuple(child.shape):
                child.assign(value)
                revival.made(edges[name], child)
    return made
