"""Ops of one line each that are not in the table: they say something about a graph, or take another form there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.formats import messages
from reference_impl.graph.attributes import array_of, tensor_message
from reference_impl.graph.modes import Context, Handler, Value
from reference_impl.ops.strings import strings
from reference_impl.shapes import fits
from reference_impl.tensors import Array

SAME = frozenset({"Identity", "IdentityN", "Snapshot", "PreventGradient", "RefIdentity", "GuaranteeConst"})
"""Ops that give what they are given."""


def _nothing(context: Context, *inputs: Value) -> tuple[()]:
    return ()


def _placeholder(context: Context) -> Value:
    raise ValueError("found no value for this placeholder, expected it to be fed")


def _default(context: Context, value: Value) -> Value:
    return value


def _several(context: Context, *values: Value) -> Sequence[Value]:
    return values


def _const(context: Context) -> Value:
    return context.mode.tensor(context.attrs["value"])


def _print(context: Context, value: Value, *data: Value) -> Value:
    return value


def _assert(context: Context, condition: Value, *data: Value) -> tuple[()]:
    if not context.mode.array(condition).all():
        shown = [_text(context.mode.array(item)) for item in data]
        raise ValueError(f"assertion failed: {' '.join(shown)}")
    return ()


def _text(array: Any) -> str:
    items = [
        item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in array.ravel()[:3].tolist()
    ]
    return " ".join(str(item) for item in items)


def _format(context: Context, *inputs: Value) -> Value:
    """The template with the tensors written into it, shortened to ``summarize`` items at each end."""
    attrs = context.attrs
    parts = attrs["template"].split(attrs["placeholder"])
    shown = [_written(context.mode.array(item), attrs["summarize"]) for item in inputs]
    if len(parts) != len(shown) + 1:
        raise ValueError(f"found {len(parts) - 1} places in the template, expected {len(shown)}")
    text = parts[0] + "".join(item + part for item, part in zip(shown, parts[1:], strict=True))
    return context.mode.tensor(strings([text.encode("utf-8", "surrogateescape")], ()))


def _written(array: Array, count: int) -> str:
    if array.ndim == 0:
        item = array.item()
        if isinstance(item, bytes):
            return f'"{item.decode("utf-8", "surrogateescape")}"'
        return f"{item:.9g}" if isinstance(item, float) else str(item)
    items = list(array)
    shortened = 0 <= 2 * count < len(items)
    shown = [_written(np.asarray(item), count) for item in (items[:count] + items[-count:] if shortened else items)]
    if shortened:
        shown.insert(count, "...")
    return f"[{(chr(10) * (array.ndim - 1) or ' ').join(shown)}]"


def _serialized(context: Context, value: Value) -> Value:
    return context.mode.tensor(strings([messages.serialize(tensor_message(context.mode.array(value)))], ()))


def _parsed(context: Context, serialized: Value) -> Value:
    array = array_of(messages.parse(messages.TensorProto, context.mode.array(serialized).item()))
    if as_dtype(array.dtype) != context.attrs["out_type"]:
        raise ValueError(f"found a tensor of dtype {array.dtype}, expected {context.attrs['out_type']}")
    return context.mode.tensor(array)


def _equal(context: Context, x: Value, y: Value) -> Value:
    """Python's ``==`` and ``!=``: shapes that do not go together are not equal."""
    if not context.attrs["incompatible_shape_error"]:
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return context.mode.tensor(np.array(context.node.op == "NotEqual"))
    return context.mode.apply(context.node.op, x, y)


def _check_numerics(context: Context, value: Value) -> Value:
    array = context.mode.array(value)
    if not np.isfinite(array.astype(np.float64)).all():
        raise ValueError(f"{context.attrs['message']}: found NaN or infinity in a tensor")
    return value


def _ensure_shape(context: Context, value: Value) -> Value:
    expected = context.attrs["shape"]
    if expected is not None and not fits(value.shape, expected):
        raise ValueError(f"found a tensor of shape {tuple(value.shape)}, expected {tuple(expected)}")
    return value


def _shape_n(context: Context, *inputs: Value) -> list[Value]:
    dtype = numpy_dtype(context.attrs["out_type"])
    return [context.mode.tensor(np.array(value.shape, dtype)) for value in inputs]


def _buckets(context: Context, *inputs: Value) -> list[Value]:
    """Each feature by its own boundaries."""
    half = len(inputs) // 2
    pairs = zip(inputs[:half], inputs[half:], strict=True)
    return [context.mode.apply("BoostedTreesBucketize", feature, boundaries) for feature, boundaries in pairs]


def _gather(context: Context, params: Value, indices: Value, axis: Value) -> Value:
    """With ``batch_dims`` the leading axes of both belong together: they are laid out as one, and indices counted on."""
    apply, count = context.mode.apply, context.attrs["batch_dims"] % max(params.ndim, 1)
    if count == 0:
        return apply("GatherV2", params, indices, axis)
    place = int(context.mode.array(axis)) % params.ndim

    def ints(*values: int) -> Value:
        return context.mode.tensor(np.array(values, np.int32))

    if place < count:
        raise ValueError(f"found axis {place} with {count} batch dimensions, expected one after them")
    if place > count:
        # The axis next to those of the batch, and afterwards what was between them back in front of the indices' axes.
        between, rest = range(count, place), range(place + 1, params.ndim)
        moved = apply("Transpose", params, ints(*range(count), place, *between, *rest))
        found = _gather(context, moved, indices, context.mode.tensor(np.array(count, np.int32)))
        first, chosen = indices.ndim, range(count, indices.ndim)
        middle = range(first, first + len(between))
        return apply(
            "Transpose", found, ints(*range(count), *middle, *chosen, *range(first + len(between), found.ndim))
        )
    lowest, highest = context.mode.array(indices).min(initial=0), context.mode.array(indices).max(initial=0)
    if lowest < 0 or highest >= max(params.shape[place], 1):
        raise IndexError(f"found indices from {lowest} to {highest}, expected 0 to {params.shape[place] - 1}")
    batch, height, rest = math.prod(params.shape[:count]), params.shape[count], params.shape[count + 1 :]
    rows = apply("Reshape", params, ints(batch * height, *rest))
    laid_out = [*params.shape[:count], *[1] * (indices.ndim - count)]
    offsets = np.reshape(np.arange(0, batch * height, height, dtype=np.int64), laid_out)
    places = context.mode.tensor(context.mode.array(indices) + offsets)
    return apply("GatherV2", rows, places, context.mode.tensor(np.array(0, np.int32)))


def _option(context: Context, *components: Value) -> tuple[Value, ...]:
    return components


def _no_option(context: Context) -> None:
    return None


def _of_option(context: Context, optional: tuple[Value, ...] | None) -> tuple[Value, ...]:
    if optional is None:
        raise ValueError("found an optional value that is not there")
    return optional


def _has_value(context: Context, optional: tuple[Value, ...] | None) -> Value:
    return context.mode.tensor(np.array(optional is not None))


def _softmax_crossentropy(context: Context, features: Value, labels: Value) -> tuple[Value, Value]:
    """The loss, and its gradient with respect to ``features``."""
    apply = context.mode.apply
    return (
        apply("SoftmaxCrossEntropyWithLogits", features, labels),
        apply("Sub", apply("Softmax", features), labels),
    )


def _sparse_crossentropy(context: Context, features: Value, labels: Value) -> tuple[Value, Value]:
    apply, array = context.mode.apply, context.mode.array
    if ((array(labels) < 0) | (array(labels) >= features.shape[-1])).any():
        raise ValueError(f"found a label outside of 0 to {features.shape[-1] - 1}")
    hot = np.eye(features.shape[-1], dtype=array(features).dtype)[array(labels)]
    return (
        apply("SparseSoftmaxCrossEntropyWithLogits", features, labels),
        apply("Sub", apply("Softmax", features), context.mode.tensor(hot)),
    )


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("NoOp", "ControlTrigger", "PrintV2"), _nothing),
    **dict.fromkeys(SAME, _default),
    "IdentityN": _several,
    "Const": _const,
    "Placeholder": _placeholder,
    "PlaceholderWithDefault": _default,
    "Assert": _assert,
    "CheckNumerics": _check_numerics,
    "EnsureShape": _ensure_shape,
    "ShapeN": _shape_n,
    "Print": _print,
    "StringFormat": _format,
    "SerializeTensor": _serialized,
    "ParseTensor": _parsed,
    "OptionalFromValue": _option,
    "OptionalNone": _no_option,
    "OptionalGetValue": _of_option,
    "OptionalHasValue": _has_value,
    "GatherV2": _gather,
    "Equal": _equal,
    "NotEqual": _equal,
    "BoostedTreesBucketize": _buckets,
    "SoftmaxCrossEntropyWithLogits": _softmax_crossentropy,
    "SparseSoftmaxCrossEntropyWithLogits": _sparse_crossentropy,
}


def _seed(attrs: dict[str, Any]) -> dict[str, Any]:
    """TensorFlow's two seeds as one; none where both are 0, which asks for numbers that differ each time."""
    seeds = [attrs.pop(name, 0) for name in ("seed", "seed2")]
    if any(seeds):
        attrs["seed"] = (seeds[0] % (1 << 32)) << 32 | seeds[1] % (1 << 32)
    return attrs


ATTRIBUTES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    **dict.fromkeys(("RandomUniform", "RandomStandardNormal", "TruncatedNormal"), _seed),
    **dict.fromkeys(("RandomUniformInt", "RandomShuffle", "RandomGamma", "Multinomial"), _seed),
}
"""How the attributes of an op of the table are made of the stored ones, where they are not the same."""
