"""The entrance of a model."""

from __future__ import annotations

from typing import Any

from reference_impl import backend, naming
from reference_impl.dtypes import as_dtype
from reference_impl.layers.base import Layer
from reference_impl.layers.node import History, KerasTensor, Node
from reference_impl.shapes import as_shape


class InputLayer(Layer):
    """A layer without inputs, whose output is what the model is given.

    ``input_shape`` is without the batch size, ``batch_input_shape`` with it. Its automatic name counts from one.
    """

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
        ragged: bool = False,
        **kwargs: Any,
    ) -> None:
        if input_tensor is not None or sparse or ragged:
            raise ValueError("InputLayer: tensors given as input, sparse and ragged inputs are not supported")
        # Keras 3's names for the same.
        input_shape = kwargs.pop("shape", input_shape)
        batch_input_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {list(kwargs)}")
        if batch_input_shape is None:
            if input_shape is None:
                raise ValueError("Please provide to Input a `shape`; note that it does not include the batch dimension")
            sizes = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
            batch_input_shape = (batch_size, *sizes)
        super().__init__(
            name=naming.unique_name("input", zero_based=False) if name is None else name,
            dtype=str(as_dtype(dtype or backend.floatx())),
            batch_input_shape=tuple(batch_input_shape),
        )
        self.built = True
        tensor = KerasTensor(as_shape(batch_input_shape), as_dtype(self.dtype), History(self, 0, 0), self.name)
        self._state.inbound_nodes.append(Node(self, outputs=tensor))

    @property
    def input_shape(self) -> Any:
        return [self._state.batch_input_shape]

    @property
    def output_shape(self) -> Any:
        return [self._state.batch_input_shape]

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_input_shape": self._state.batch_input_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
        }


def Input(  # noqa: N802 (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Any = None,
    ragged: bool = False,
    **kwargs: Any,
) -> Any:
    """A symbolic tensor to start a Functional model from. ``shape`` is without the batch size."""
    layer = InputLayer(shape, batch_size, dtype, tensor, sparse, name, ragged, **kwargs)
    return layer.output
