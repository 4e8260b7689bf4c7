"""Cells one above the other, as one cell."""

from __future__ import annotations

import inspect
from typing import Any, Self, cast

from reference_impl import structure
from reference_impl.layers.base import Layer
from reference_impl.layers.recurrent import states
from reference_impl.layers.recurrent.base import build_inside
from reference_impl.shapes import as_shape


class StackedRNNCells(Layer):
    """The output of each cell is the next one's input; the states are one structure for each cell, in order."""

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cells: list[Any] = list(cells)
        for cell in self.cells:
            states.check_cell(cell, self.name)

    @property
    def state_size(self) -> Any:
        return tuple(cell.state_size for cell in self.cells)

    @property
    def output_size(self) -> Any:
        return _output_size(self.cells[-1])

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """The initial states of the cells."""
        made: list[Any] = []
        for cell in self.cells:
            make = getattr(cell, "get_initial_state", None)
            made.append(
                states.zeros(cell.state_size, batch_size, dtype)
                if make is None
                else make(inputs=inputs, batch_size=batch_size, dtype=dtype)
            )
        return tuple(made)

    def build(self, input_shape: Any) -> None:
        shape: Any = cast("Any", input_shape)[0] if isinstance(input_shape, list) else input_shape
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                build_inside(cell, as_shape(shape), cell.name)
            shape = [shape[0], *as_shape(_output_size(cell))]
        self.built = True

    def call(self, inputs: Any, states: Any, constants: Any = None, training: Any = None) -> Any:
        before = structure.pack_as(self.state_size, structure.flatten(states))
        after: list[Any] = []
        for cell, own in zip(self.cells, before, strict=True):
            known = inspect.signature(cell.call).parameters
            given = {"training": training, "constants": constants}
            kwargs = {key: value for key, value in given.items() if key in known}
            function: Any = cell if callable(cell) else cell.call
            inputs, new = function(inputs, own if isinstance(own, list | tuple) else [own], **kwargs)
            after.append(new)
        return inputs, structure.pack_as(self.state_size, structure.flatten(after))

    def get_config(self) -> dict[str, Any]:
        from reference_impl.layers import serialize

        return {**super().get_config(), "cells": [serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from reference_impl.layers import deserialize

        config = dict(config)
        return cls([deserialize(form, custom_objects) for form in config.pop("cells")], **config)


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    return states.sizes_of(cell)[0] if size is None else size
