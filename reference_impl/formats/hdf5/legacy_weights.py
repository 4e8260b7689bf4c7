"""Weights of Keras 1, of its Theano backend, and of cuDNN, turned into those of Keras 2.4.

==================  ==============================================================================================
convolution         Keras 1 with channels first kept kernels as (filters, channels, rows, columns), and 1-D kernels
                    as (length, 1, channels, filters), or (filters, channels, length, 1) before 1.2. Theano
                    convolves where others correlate: its kernels are the mirror images
LSTM, GRU           Keras 1 kept each gate's kernel, recurrent kernel and bias apart: i, c, f, o (now i, f, c, o);
                    z, r, h. With ``consume_less="gpu"`` they are together, as now
CuDNNLSTM, -GRU     each gate's kernels transposed, two biases a gate (added for LSTM, stacked for GRU)
==================  ==============================================================================================

Names in these files say little, so weights go by order: of all innermost layers first the trainable weights, then the
others. Source: the sources of Keras 1.2.2 and 2.3.1, checked with files and outputs of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.tracking import Array

Arrays = list[Array]


@dataclass(frozen=True)
class Origin:
    """What wrote the weights."""

    keras_1: bool = False
    theano: bool = False

    def __bool__(self) -> bool:
        return self.keras_1 or self.theano


def innermost(layer: Any) -> Iterator[Any]:
    """The layers that have weights of their own: those in models and wrappers, else the layer itself."""
    kind = _kind(layer)
    if kind == "Bidirectional":
        yield from innermost(layer.forward_layer)
        yield from innermost(layer.backward_layer)
    elif kind == "TimeDistributed":
        yield from innermost(layer.layer)
    elif hasattr(layer, "layers"):
        for inner in layer.layers:
            yield from innermost(inner)
    else:
        yield layer


def converted(layer: Any, stored: Sequence[Array], origin: Origin) -> list[tuple[Any, Array]]:
    """The variables of ``layer`` and their values, from all its ``stored`` arrays in order.

    ``ValueError`` if there are more or fewer than the layer has weights for.
    """
    pending, pairs = list(stored), list[tuple[Any, Array]]()
    leaves = list(innermost(layer))
    parts = [(leaf, leaf.trainable_weights) for leaf in leaves] + [
        (leaf, leaf.non_trainable_weights) for leaf in leaves
    ]
    for leaf, weights in parts:
        if not weights:
            continue
        count = _stored_count(leaf, weights, pending, origin)
        if len(pending) < count:
            raise ValueError(f"{len(stored)} weights, which are too few: {leaf.name!r} takes {count} of the last")
        values = _of_leaf(leaf, pending[:count], origin)
        del pending[:count]
        pairs += zip(weights, values, strict=True)
    if pending:
        raise ValueError(f"{len(stored)} weights, of which {len(pending)} belong to no layer")
    return pairs


def changes(layer: Any, origin: Origin) -> bool:
    """Whether weights of ``layer``, or what an optimizer keeps beside them, were otherwise there."""
    kinds = {_kind(leaf) for leaf in innermost(layer)}
    return bool((origin.keras_1 and kinds & {*_GATES, *_KERNELS}) or (origin.theano and kinds & {*_MIRRORED}))


def _kind(layer: Any) -> str:
    """The class of Keras's that the layer is of, or derived from."""
    for kind in type(layer).__mro__:
        if kind.__module__.startswith("reference_impl."):
            return kind.__name__
    return ""


def _stored_count(leaf: Any, weights: Sequence[Any], pending: Arrays, origin: Origin) -> int:
    gates = _GATES.get(_kind(leaf))
    if not origin.keras_1 or gates is None or not pending or len(weights) != 3:
        return len(weights)
    fused = _kind(leaf) != "ConvLSTM2D" and pending[0].shape[-1] == weights[0].shape[-1]
    return 3 if fused else 3 * len(gates)


def _of_leaf(leaf: Any, values: Arrays, origin: Origin) -> Arrays:
    kind = _kind(leaf)
    if origin.keras_1 and kind in _GATES and len(values) == 3 * len(_GATES[kind]):
        values = [_together(leaf, values[part::3], kind) for part in range(3)]
    if origin.keras_1 and kind in _KERNELS and values:
        first = len(values) if kind == "SeparableConv2D" else 1
        values = [
            _KERNELS[kind](leaf, value) if value.ndim > 2 and i < first else value for i, value in enumerate(values)
        ]
    if origin.theano and kind in _MIRRORED:
        values = [_mirrored(value) if value.ndim > 2 else value for value in values]
    if kind in ("LSTM", "GRU") and len(values) == 3:
        values = _from_cudnn(leaf, values)
    return values


# -- recurrent layers --------------------------------------------------------------------------------------------

_GATES = {"LSTM": (0, 2, 1, 3), "ConvLSTM2D": (0, 2, 1, 3), "GRU": (0, 1, 2)}
"""Where the gates of today stood in Keras 1."""


def _together(leaf: Any, gates: Arrays, kind: str) -> Array:
    ordered = [gates[place] for place in _GATES[kind]]
    if kind == "ConvLSTM2D" and ordered[0].ndim == 4 and leaf.data_format == "channels_first":
        ordered = [gate.transpose(2, 3, 1, 0) for gate in ordered]
    return np.concatenate(ordered, axis=-1)


def cudnn_biases(layer: Any) -> list[int]:
    """The sizes that the biases of the recurrent layers in ``layer`` have in cuDNN, and have only there."""
    return [
        2 * len(_GATES[_kind(leaf)]) * leaf.units
        for leaf in innermost(layer)
        if _kind(leaf) in ("LSTM", "GRU") and len(leaf.weights) == 3
    ]


def _from_cudnn(leaf: Any, values: Arrays) -> Arrays:
    kernel, recurrent, bias = values
    gates = len(_GATES[_kind(leaf)])
    if bias.shape != (2 * gates * leaf.units,):
        return values
    kernels = [gate.T.reshape(gate.shape, order="F") for gate in np.split(kernel, gates, axis=1)]
    recurrents = [gate.T for gate in np.split(recurrent, gates, axis=1)]
    biases = bias.reshape(2, -1)
    return [
        np.concatenate(kernels, axis=1),
        np.concatenate(recurrents, axis=1),
        biases if _kind(leaf) == "GRU" else biases.sum(axis=0, dtype=bias.dtype),
    ]


# -- convolution -------------------------------------------------------------------------------------------------


def _channels_last(axes: tuple[int, ...]) -> Callable[[Any, Array], Array]:
    def transposed(leaf: Any, kernel: Array) -> Array:
        return kernel.transpose(axes) if leaf.data_format == "channels_first" else kernel

    return transposed


def _conv1d(leaf: Any, kernel: Array) -> Array:
    """(length, 1, channels, filters), or before 1.2 (filters, channels, length, 1)."""
    if kernel.ndim != 4:
        return kernel
    length, filters = leaf.kernel_size[0], leaf.filters
    if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
        kernel = kernel.transpose(2, 3, 1, 0)
    return kernel[:, 0]


def _transposed_conv(leaf: Any, kernel: Array) -> Array:
    return kernel.transpose((2, 3, 0, 1) if leaf.data_format == "channels_first" else (0, 1, 3, 2))


_KERNELS: dict[str, Callable[[Any, Array], Array]] = {
    "Conv1D": _conv1d,
    "Conv2D": _channels_last((2, 3, 1, 0)),
    "Conv3D": _channels_last((2, 3, 4, 1, 0)),
    "Conv2DTranspose": _transposed_conv,
    "SeparableConv2D": _channels_last((2, 3, 1, 0)),
}
"""Keras 1's kernels as they are now."""

_MIRRORED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


def _mirrored(kernel: Array) -> Array:
    return kernel[tuple(slice(None, None, -1) for _ in kernel.shape[:-2])]
