"""The loop over time as a layer."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
from typing import Any, Self, cast

import numpy as np

from reference_impl import functions, naming, structure
from reference_impl.functions.recurrent import rnn
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.layers.recurrent import states
from reference_impl.layers.recurrent.cell import Cell
from reference_impl.shapes import TensorShape, as_shape
from reference_impl.tensors import Tensor, present_trace
from reference_impl.variables import Variable


class AbstractRNNCell(Layer):
    """A cell of one's own: ``call(inputs, states) -> (output, new states)``, ``state_size`` and ``output_size``."""

    @property
    def state_size(self) -> Any:
        raise NotImplementedError("Abstract property")

    @property
    def output_size(self) -> Any:
        raise NotImplementedError("Abstract property")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        return states.zeros(self.state_size, batch_size, dtype)


class RNN(Layer):
    """A cell, or a list of cells one above the other, over (batch, time, …).

    ``return_sequences``: the outputs of all times, else of the last. ``return_state``: also the last states.
    ``stateful``: a batch begins with the states the one before ended with, until :meth:`reset_states`; all batches have
    one size. ``time_major``: inputs and outputs are (time, batch, …). ``unroll`` changes no result, and needs a known
    number of times. Where the mask is False the states are held and the output is the one before
    (``zero_output_for_mask``: zeros).

    Called with ``initial_state`` (a list) and ``constants`` (a list, given to the cell in every step), or with a list of
    inputs, states and constants in one.
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        **kwargs: Any,
    ) -> None:
        self.__dict__["zero_output_for_mask"] = kwargs.pop("zero_output_for_mask", False)
        if "input_length" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_length"), kwargs.pop("input_dim", None))
        elif "input_dim" in kwargs:
            kwargs["input_shape"] = (None, kwargs.pop("input_dim"))
        super().__init__(**kwargs)
        if isinstance(cell, list | tuple):
            from reference_impl.layers.recurrent.stacked import StackedRNNCells

            cell = StackedRNNCells(cell)
        states.check_cell(cell, self.name)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.time_major = time_major
        self.__dict__["_constant_count"] = 0
        self.__dict__["_variables_of_states"] = None

    # -- building ------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        shape = input_shape[0] if _is_list_of_shapes(input_shape) else input_shape
        if all(size is None or isinstance(size, int) for size in shape):
            shape = as_shape(shape)
        steps = structure.map_leaves(self._without_time, shape)
        if isinstance(self.cell, Layer) and not self.cell.built:
            build_inside(self.cell, steps, self.cell_scope)
        # What TensorFlow remembers of the states' shapes is an (empty) node of its checkpoints.
        self.state_spec = [InputSpec() for _ in states.sizes_of(self.cell)]
        self.__dict__["_step_shape"] = structure.flatten(steps)[0]
        self.built = True
        if self.stateful:
            self.reset_states()

    @property
    def cell_scope(self) -> str:
        """What stands before the names of the cell's weights."""
        return self.cell.name

    def _without_time(self, shape: Any) -> TensorShape:
        return as_shape([*shape[:1], *shape[2:]] if not self.time_major else shape[1:])

    # -- states --------------------------------------------------------------------------------------------

    @property
    def states(self) -> list[Any]:
        """The states kept from batch to batch, as variables; None for each before there are any."""
        kept: list[Any] | None = self.__dict__["_variables_of_states"]
        return structure.map_leaves(lambda _: None, states.sizes_of(self.cell)) if kept is None else kept

    def _state_shapes(self, batch_size: int) -> list[tuple[int, ...]]:
        return [(batch_size, *as_shape(size)) for size in structure.flatten(states.sizes_of(self.cell))]  # pyright: ignore[reportReturnType]

    def reset_states(self, states: Any = None) -> None:
        """Begin with zeros again, or with ``states``, arrays (batch, size). Layers that are not stateful keep nothing.

        ``ValueError`` if the batch size is not known, or a state has another shape; ``AttributeError`` if there are
        states to keep and the layer is not stateful.
        """
        if not self.stateful:
            if states is not None:
                raise AttributeError(f"Layer {self.name!r} must be stateful to be given states")
            return
        batch_size = self.__dict__["_step_shape"][0] if self.built else None
        if batch_size is None:
            raise ValueError(
                f"{self.name!r}: if a RNN is stateful, it needs to know its batch size. Specify the batch size of your "
                "input tensors: `batch_input_shape` of the first layer, or `batch_shape` of the Input"
            )
        shapes = self._state_shapes(batch_size)
        values = [np.zeros(shape, self.compute_dtype) for shape in shapes]
        if states is not None:
            values = [np.asarray(value) for value in structure.flatten(states)]
            if [value.shape for value in values] != shapes:
                raise ValueError(
                    f"Layer {self.name} expects {len(shapes)} states of the shapes {shapes}, but it received "
                    f"{[value.shape for value in values]}"
                )
        kept = self.__dict__["_variables_of_states"]
        if kept is None:
            with naming.name_scope("", absolute=True):
                made = [Variable(value, trainable=False, dtype=self.compute_dtype) for value in values]
            self.__dict__["_variables_of_states"] = structure.pack_as(_sizes(self.cell), made)
            return
        for variable, value in zip(structure.flatten(kept), values, strict=True):
            variable.assign(value)

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """What the loop begins with when no states are given or kept."""
        first = structure.flatten(inputs)[0]
        batch_size = first.shape[1 if self.time_major else 0]
        if batch_size is None:
            batch_size = functions.shape(first)[1 if self.time_major else 0]
        return states.initial_state(self.cell, batch_size, first.dtype)

    def _first_states(self, inputs: Any, given: list[Any] | None) -> list[Any]:
        if self.stateful:
            kept = structure.flatten(self.states)
            # States that were given count for the first batch only.
            if given is not None and present_trace() is not None:
                return structure.pack_as(given, _unless_kept(kept, structure.flatten(given)))
            if given is None or any(np.any(variable.array) for variable in kept):
                return structure.map_leaves(lambda variable: variable.as_tensor(), self.states)
            return given
        found = self.get_initial_state(inputs) if given is None else given
        if len(found) != len(states.sizes_of(self.cell)):
            raise ValueError(
                f"Layer {self.name!r} has {len(states.sizes_of(self.cell))} states but was passed {len(found)} initial states"
            )
        return found

    # -- calling -------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        count = self.__dict__["_constant_count"]
        inputs, given, constants = states.split_inputs(inputs, initial_state, constants, count)
        extra: list[Any] = [*(given or []), *(constants or [])]
        if constants is not None:
            self.__dict__["_constant_count"] = len(constants)
        if extra and states.are_symbolic(extra, self.name):
            return super().__call__([inputs, *extra], **kwargs)
        if given is not None:
            kwargs["initial_state"] = given
        if constants is not None:
            kwargs["constants"] = constants
        return super().__call__(inputs, **kwargs)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        count = self.__dict__["_constant_count"]
        inputs, given, constants = states.split_inputs(inputs, initial_state, constants, count)
        first = structure.flatten(inputs)[0]
        if self.unroll and first.shape[0 if self.time_major else 1] is None:
            raise ValueError(
                f"{self.name!r}: cannot unroll a RNN if the time dimension is undefined; give the inputs one"
            )
        self._check(first.shape)
        begin = self._first_states(inputs, given)
        for cell in [self.cell, *getattr(self.cell, "cells", ())]:
            if isinstance(cell, Cell):
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()
        inputs, step = self._step(inputs, training, constants)
        last, outputs, end = rnn(
            step,
            inputs,
            begin,
            None if mask is None else structure.flatten(mask)[0],
            go_backwards=self.go_backwards,
            unroll=self.unroll,
            time_major=self.time_major,
            zero_output_for_mask=self.zero_output_for_mask,
        )
        if self.stateful:
            for variable, state in zip(structure.flatten(self.states), structure.flatten(end), strict=True):
                variable.assign(state)
        output = outputs if self.return_sequences else last
        if not self.return_state:
            return output
        return [*(output if isinstance(output, list) else [output]), *end]

    zero_output_for_mask: bool

    def _step(self, inputs: Any, training: Any, constants: Any) -> tuple[Any, Any]:
        """What the loop goes over, and its step."""
        cell = self.cell
        if isinstance(cell, Cell) and type(cell).call is Cell.call and constants is None and isinstance(inputs, Tensor):
            # What does not depend on the states is done for all times at once.
            projected = cell.project(inputs, training, 0 if self.time_major else 1)

            def advance(x: Any, now: list[Any]) -> tuple[Any, list[Any]]:
                return cell.advance(x, now, training)

            return projected, advance
        known = inspect.signature(cell.call).parameters
        kwargs: dict[str, Any] = {"training": training} if "training" in known else {}
        if constants:
            if "constants" not in known:
                raise ValueError(f"{self.name!r}: the cell {type(cell).__name__} does not take constants")
            kwargs["constants"] = constants
        function: Any = cell if callable(cell) else cell.call

        def step(x: Any, now: list[Any]) -> tuple[Any, list[Any]]:
            output, new = function(x, now, **kwargs)
            return output, list(cast("Any", new)) if isinstance(new, list | tuple) else [new]

        return inputs, step

    def _check(self, found: TensorShape) -> None:
        """States and constants may be among the inputs, so the inputs' spec is none of the whole call."""
        if isinstance(self.cell, Cell):
            step: TensorShape = self.__dict__["_step_shape"]
            axis = self.cell.feature_axis
            InputSpec(ndim=len(step) + 1, axes={axis if axis < 0 else axis + 1: step[axis]}).check(found, 0, self.name)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        found = structure.flatten(mask)[0] if self.return_sequences else None
        return [found, *(None for _ in structure.flatten(self.states))] if self.return_state else found

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        from reference_impl.layers import serialize

        config = {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "time_major": self.time_major,
        }
        if self.__dict__["_constant_count"]:
            config["num_constants"] = self.__dict__["_constant_count"]
        if self.zero_output_for_mask:
            config["zero_output_for_mask"] = self.zero_output_for_mask
        return {**config, "cell": serialize(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from reference_impl.layers import deserialize

        config = dict(config)
        count = config.pop("num_constants", 0) or 0
        layer = cls(deserialize(config.pop("cell"), custom_objects), **config)
        layer.__dict__["_constant_count"] = count
        return layer


def _unless_kept(kept: list[Variable], given: list[Any]) -> list[Tensor]:
    """``given`` if all that is kept is zero, else what is kept."""
    values = [variable.as_tensor() for variable in kept]
    begun = [functions.reduce_any(functions.not_equal(value, functions.zeros_like(value))) for value in values]
    goes_on = functions.reduce_any(functions.stack(begun))
    return [functions.where(goes_on, value, state) for value, state in zip(values, given, strict=True)]


def build_inside(layer: Layer, shape: Any, scope: str) -> None:
    """Build ``layer``, which another one owns, for inputs of ``shape``; ``scope`` goes before its weights' names."""
    with naming.name_scope(scope):
        layer._state.build_input_shape = shape
        layer.build(shape)
    layer.built = True
    layer._settle()


def _is_list_of_shapes(shape: Any) -> bool:
    return isinstance(shape, list) and not all(
        size is None or isinstance(size, int) for size in cast("list[Any]", shape)
    )


def _sizes(cell: Any) -> list[Any]:
    return states.sizes_of(cell)
