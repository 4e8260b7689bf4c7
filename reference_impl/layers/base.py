"""The layer: weights, a computation, losses, a config.

A layer is called in two ways. On values it computes (``call``). On the symbolic tensors of a Functional model it runs
the same ``call`` on tensors without values, which gives the shapes, and is wired into the model by a node. In both
cases the first call builds it: ``build`` sees the shapes of the inputs and adds the weights.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Self, cast

import numpy as np

from reference_impl import functions, mixed_precision, naming, regularizers, structure
from reference_impl.dtypes import as_dtype
from reference_impl.layers import automatic
from reference_impl.layers.input_spec import check_all
from reference_impl.layers.losses import LossOwner
from reference_impl.layers.node import History, KerasTensor, Node
from reference_impl.layers.state import calling, entered
from reference_impl.tensors import Tensor, convert, symbolic, tracing
from reference_impl.variables import Variable, reading_as

# Constructor arguments any layer takes besides name, trainable and dtype.
_COMMON_ARGUMENTS = {
    "input_dim", "input_shape", "batch_input_shape", "batch_size", "weights", "activity_regularizer", "autocast",
    "dynamic", "implementation",
}  # fmt: skip


class Layer(LossOwner):
    """The base of all layers and models.

    ``trainable``: whether its weights are updated by training. ``name``: default the class's name in snake case,
    counted. ``dtype``: of its weights and computation, or a policy (see :mod:`reference_impl.mixed_precision`). Keyword arguments: ``input_shape`` (without
    the batch size), ``batch_input_shape``, ``input_dim``, ``batch_size``, ``weights`` (initial values),
    ``activity_regularizer``; any other is a ``TypeError`` that names it.
    """

    input_spec: Any = None
    stateful: bool = False
    supports_masking: bool = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        layer._state.arguments = automatic.arguments(cls, args, kwargs)
        return layer

    def __init__(
        self, trainable: bool = True, name: str | None = None, dtype: Any = None, dynamic: bool = False, **kwargs: Any
    ) -> None:
        for key in kwargs:
            if key not in _COMMON_ARGUMENTS:
                raise TypeError("Keyword argument not understood:", key)
        state = self._state
        state.trainable = trainable
        state.name = naming.unique_name(naming.snake_case(type(self).__name__)) if name is None else name
        state.policy = mixed_precision.policy_of(dtype)
        state.batch_input_shape = _batch_input_shape(kwargs)
        state.initial_weights = kwargs.get("weights")
        if "activity_regularizer" in kwargs:
            self.__dict__["activity_regularizer"] = regularizers.get(kwargs["activity_regularizer"])

    # -- calling -------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Add the weights for inputs of ``input_shape`` (a :class:`TensorShape`, or a structure of them)."""
        self._state.build_input_shape = input_shape
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The computation. Written in tensor functions it serves values and symbolic tensors alike."""
        return inputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if functions.holds_keras_symbol(structure.flatten([list(args), kwargs])):
            return self._wire(args, kwargs)
        return self._compute(args, kwargs)

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args = tuple(
            structure.map_leaves(_array_as_tensor if place else _as_tensor, argument)
            for place, argument in enumerate(args)
        )
        kwargs = {key: structure.map_leaves(_array_as_tensor, value) for key, value in kwargs.items()}
        first = args[0] if args else next(iter(kwargs.values()), None)
        if calling.depth == 0:
            for layer in self._flatten_layers():
                layer._state.losses.clear()
        training = self._resolve_training(args, kwargs)
        with entered(training), naming.name_scope(self.name):
            shapes = [leaf.shape for leaf in structure.flatten(first) if isinstance(leaf, Tensor)]
            if self.input_spec is not None:
                check_all(self.input_spec, shapes, self.name)
            self._ensure_built(first)
            masks = self._resolve_mask(first, args, kwargs)
            if args:
                args = (structure.map_leaves(self._cast, args[0]), *args[1:])
            computing = as_dtype(self.compute_dtype)
            # A layer of strings reads its weights as they are.
            with reading_as(computing if computing.is_floating else None):
                outputs = self.call(*args, **kwargs)
            outputs = self._masked(outputs, first, masks)
            self._penalise_activity(outputs)
        return outputs

    def _wire(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run on symbolic tensors, and remember the call as a node."""
        node = Node(self, args, kwargs)
        stand_in = partial(structure.map_leaves, _without_value)
        with entered(None):
            results = self._compute(stand_in(args), stand_in(kwargs))
        node_index = len(self._state.inbound_nodes)
        leaves = structure.flatten(results)
        tensors = [
            KerasTensor(leaf.shape, leaf.dtype, History(self, node_index, i), f"{self.name}/output_{i}:0")
            for i, leaf in enumerate(convert(leaf) for leaf in leaves)
        ]
        for tensor, leaf in zip(tensors, leaves, strict=True):
            tensor.mask = leaf.mask if isinstance(leaf, Tensor) else None
        node.outputs = structure.pack_as(results, list(tensors))
        self._state.inbound_nodes.append(node)
        for parent in node.parents:
            parent.layer._state.outbound_nodes.append(node)
        return node.outputs

    def _resolve_training(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Which mode this call is in: as said, else as the outer call, else as ``call`` has it by default."""
        position, default = _parameter(type(self).call, "training")
        given = kwargs.get("training")
        if given is None and position is not None and len(args) > position:
            given = args[position]
        if given is None:
            given = calling.training
        if given is None:
            given = default
        training = False if given is None else given
        if position is None:
            kwargs.pop("training", None)
        elif len(args) <= position:
            kwargs["training"] = training
        return training

    # -- masks ---------------------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs for the masks of the inputs; a layer that says ``supports_masking`` keeps them."""
        return mask if self.supports_masking else None

    def _resolve_mask(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The mask(s) of the inputs: those given to the call, else those the inputs bring, which it is then given."""
        given = kwargs.get("mask")
        position, _ = _parameter(type(self).call, "mask")
        if given is None and position is not None and len(args) > position:
            given = args[position]
        if given is not None:
            return given
        masks = structure.map_leaves(lambda leaf: leaf.mask if isinstance(leaf, Tensor) else None, inputs)
        if all(mask is None for mask in structure.flatten(masks)):
            return None
        if position is not None and len(args) <= position:
            kwargs["mask"] = masks
        return masks

    def _masked(self, outputs: Any, inputs: Any, masks: Any) -> Any:
        """``outputs`` with their masks, unless the computation gave them all some."""
        leaves = [leaf for leaf in structure.flatten(outputs) if isinstance(leaf, Tensor)]
        if not self.supports_masking and type(self).compute_mask is Layer.compute_mask:
            return outputs
        if all(leaf.mask is not None for leaf in leaves):
            return outputs
        found = self.compute_mask(inputs, masks)
        if found is None:
            return outputs
        flat = structure.flatten(found)
        # An input that is passed on is used elsewhere too, without this mask.
        given = {id(leaf) for leaf in structure.flatten(inputs)}
        results = structure.flatten(outputs)
        for place, (leaf, mask) in enumerate(zip(results, flat, strict=False)):
            results[place] = with_mask(functions.identity(leaf) if id(leaf) in given else leaf, mask)
        return structure.pack_as(outputs, results)

    def _ensure_built(self, inputs: Any) -> None:
        """Build for ``inputs`` (tensors) if not built."""
        if self._state.built:
            return
        shapes = structure.map_leaves(lambda leaf: leaf.shape if isinstance(leaf, Tensor) else None, inputs)
        self._state.build_input_shape = shapes
        with tracing(None):
            self.build(shapes)
        self._state.built = True
        self._settle()
        if self._state.initial_weights is not None:
            self.set_weights(self._state.initial_weights)
            self._state.initial_weights = None

    def _cast(self, leaf: Any) -> Any:
        wanted = as_dtype(self.compute_dtype)
        if isinstance(leaf, Tensor) and leaf.dtype.is_floating and wanted.is_floating and leaf.dtype != wanted:
            return with_mask(functions.cast_to(leaf, wanted), leaf.mask)
        return leaf

    def reset_states(self) -> None:
        """Forget what a stateful layer keeps from batch to batch."""

    # -- wiring --------------------------------------------------------------------------------------------

    @property
    def inbound_nodes(self) -> list[Node]:
        """The calls of this layer on symbolic tensors."""
        return self._state.inbound_nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        return self._state.outbound_nodes

    def _only_node(self, what: str) -> Node:
        nodes = self._state.inbound_nodes
        if len(nodes) > 1:
            raise AttributeError(
                f"Layer {self.name} has multiple inbound nodes, hence the notion of {what!r} is ill-defined."
            )
        if not nodes:
            raise AttributeError(f"Layer {self.name} has never been called and thus has no defined {what}.")
        return nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic input of its only call."""
        return self._only_node("layer input").input_structure

    @property
    def output(self) -> Any:
        """The symbolic output of its only call."""
        return self._only_node("layer output").outputs

    @property
    def input_shape(self) -> Any:
        return structure.map_leaves(lambda tensor: tuple(tensor.shape), self._only_node("input shape").input_structure)

    @property
    def output_shape(self) -> Any:
        """The shape of its outputs; ``AttributeError`` if calls gave different ones."""
        shapes = [structure.map_leaves(lambda tensor: tuple(tensor.shape), n.outputs) for n in self.inbound_nodes]
        if not shapes:
            raise AttributeError("The layer has never been called and thus has no defined output shape.")
        if any(shape != shapes[0] for shape in shapes):
            raise AttributeError(f'The layer "{self.name}" has multiple inbound nodes with different output shapes.')
        return shapes[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs for inputs of ``input_shape``, found by running on symbolic tensors."""
        if isinstance(input_shape, Mapping):
            inputs: Any = {key: symbolic(shape) for key, shape in cast("dict[str, Any]", input_shape).items()}
        elif input_shape and isinstance(input_shape[0], list | tuple):
            inputs = [symbolic(shape) for shape in input_shape]
        else:
            inputs = symbolic(input_shape)
        return structure.map_leaves(lambda leaf: leaf.shape, self._compute((inputs,), {}))

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """A new dict of constructor arguments.

        ``NotImplementedError`` if the class has constructor arguments of its own and no ``get_config`` of its own;
        from Keras 2.12 on only where they are more than simple values.
        """
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self._state.batch_input_shape is not None:
            config["batch_input_shape"] = self._state.batch_input_shape
        config["dtype"] = mixed_precision.serialize(self.dtype_policy)
        if type(self).get_config is Layer.get_config:
            parameters = inspect.getfullargspec(type(self).__init__).args[1:]
            if any(parameter not in config for parameter in parameters) and type(self).__init__ is not Layer.__init__:
                found = automatic.config(self, self._state.arguments, config)
                if found is not None:
                    return found
                raise NotImplementedError(
                    f"Layer {type(self).__name__} has arguments in `__init__` and therefore must override `get_config`."
                )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """``cls(**config)``: a new layer, built when first called."""
        return cls(**config)


def _array_as_tensor(leaf: Any) -> Any:
    return convert(leaf) if isinstance(leaf, (np.ndarray, Variable)) else leaf


def _as_tensor(leaf: Any) -> Any:
    return (
        convert(leaf)
        if isinstance(leaf, (np.ndarray, np.generic, Variable, float, int)) and not isinstance(leaf, bool)
        else leaf
    )


def _without_value(leaf: Any) -> Any:
    if not isinstance(leaf, KerasTensor):
        return leaf
    return with_mask(symbolic(leaf.shape, leaf.dtype, leaf.name), leaf.mask)


def with_mask(tensor: Any, mask: Tensor | None) -> Any:
    """``tensor`` with ``mask``; a new one if it has another already, for it may be used elsewhere."""
    if not isinstance(tensor, Tensor) or tensor.mask is mask:
        return tensor
    if tensor.mask is not None:
        tensor = functions.identity(tensor)
    tensor.mask = mask
    return tensor


@cache
def _parameter(call: Any, name: str) -> tuple[int | None, Any]:
    """The place of the parameter ``name`` in ``call`` (self not counted) and its default; None if it has none."""
    for place, parameter in enumerate(list(inspect.signature(call).parameters.values())[1:]):
        if parameter.name == name:
            return place, None if parameter.default is inspect.Parameter.empty else parameter.default
    return None, None


def _batch_input_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    shape = kwargs.get("batch_input_shape")
    if shape is not None:
        return tuple(shape)
    inner = kwargs.get("input_shape")
    if inner is None and kwargs.get("input_dim") is not None:
        inner = (kwargs["input_dim"],)
    return None if inner is None else (kwargs.get("batch_size"), *inner)
