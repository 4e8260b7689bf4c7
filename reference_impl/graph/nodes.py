"""What a node says: its op, and the attributes that follow from its inputs.

A call of the table is a node of TensorFlow's op of that name. Few ops are called otherwise here than there; ``_FORMS`` has
these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, numpy_dtype
from reference_impl.graph.function import Function
from reference_impl.graph.signatures import Argument, Signature
from reference_impl.tensors import Call, Tensor
from reference_impl.variables import Variable


def attributes_of(form: Signature, dtypes: Sequence[DType], given: Mapping[str, Any]) -> dict[str, Any]:
    """All attributes of a node but those at their defaults: as given, and as the inputs have them."""
    unknown = set(given) - set(form.attributes)
    if unknown:
        raise LookupError(f"{form.name} has no attributes {sorted(unknown)} in TensorFlow")
    attrs = {key: value for key, value in given.items() if value is not None}
    defaults = {name: attribute.default for name, attribute in form.attributes.items()}
    rest = list(dtypes)
    for argument in form.inputs:
        count = _count(argument, form, attrs, len(dtypes))
        own, rest = rest[:count], rest[count:]
        if argument.mixed:
            attrs[str(argument.attribute)] = own
            continue
        if argument.number is not None:
            attrs[argument.number] = count
        if argument.attribute is not None and own:
            attrs.setdefault(argument.attribute, own[0])
        expected = argument.dtypes({**defaults, **attrs})
        if own != expected:
            raise TypeError(f"{form.name}: found {own} for the input {argument.name}, expected {expected}")
    if rest:
        raise TypeError(f"{form.name} takes {len(dtypes) - len(rest)} inputs, found {len(dtypes)}")
    missing = [name for name, attribute in form.attributes.items() if attribute.required and name not in attrs]
    if missing:
        raise LookupError(f"{form.name} needs the attributes {missing}")
    return attrs


def _count(argument: Argument, form: Signature, attrs: Mapping[str, Any], total: int) -> int:
    """How many tensors ``argument`` stands for: as an attribute says, else all that the others leave."""
    known = _known_count(argument, attrs)
    if known is not None:
        return known
    rest = total - sum(_known_count(other, attrs) or 0 for other in form.inputs)
    # Arguments that one attribute counts are as many each.
    return rest // sum(other.number == argument.number and _known_count(other, attrs) is None for other in form.inputs)


def _known_count(argument: Argument, attrs: Mapping[str, Any]) -> int | None:
    if argument.mixed:
        dtypes = attrs.get(str(argument.attribute))
        return None if dtypes is None else len(dtypes)
    return 1 if argument.number is None else attrs.get(argument.number)


# -- ops that are called otherwise here --------------------------------------------------------------------------

Form = tuple[str, Sequence[Tensor], dict[str, Any]]


def _plain(call: Call, attrs: dict[str, Any]) -> Form:
    return call.op.name, call.inputs, attrs


def _read(call: Call, attrs: dict[str, Any]) -> Form:
    variable: Variable = call.attrs["variable"]
    return "ReadVariableOp", (), {"dtype": variable.dtype}


def _find(call: Call, attrs: dict[str, Any]) -> Form:
    table = call.attrs["table"]
    default = np.array(table.default, dtype=numpy_dtype(table.value_dtype))
    return "LookupTableFindV2", (*call.inputs, Tensor(default)), {}


def _random(call: Call, attrs: dict[str, Any]) -> Form:
    seed = attrs.pop("seed", None)
    # TensorFlow's functions put this number before a seed of an op's own; two zeros are no seed.
    seeds = {"seed": 0, "seed2": 0} if seed is None else {"seed": 87654321, "seed2": int(seed) % (1 << 31)}
    return call.op.name, call.inputs, {**attrs, "dtype": DType(attrs["dtype"]), **seeds}


def _function(call: Call, attrs: dict[str, Any]) -> Form:
    """A call of a function of a file; one that has state must be made as often as it is written."""
    function: Function = attrs["f"]
    stateful = call.op.name.startswith("Stateful") or call.attrs["library"].message(function.name).signature.is_stateful
    op = "StatefulPartitionedCall" if stateful else "PartitionedCall"
    return op, call.inputs, {**attrs, "Tout": [dtype for _, dtype in function.outputs]}


_FORMS: dict[str, Callable[[Call, dict[str, Any]], Form]] = {
    "PartitionedCall": _function,
    "ReadVariableOp": _read,
    "StatefulPartitionedCall": _function,
    "LookupTableFindV2": _find,
    "RandomUniform": _random,
    "RandomStandardNormal": _random,
    "TruncatedNormal": _random,
}


def form_of(call: Call, attrs: dict[str, Any]) -> Form:
    """The op that ``call`` is a node of, the inputs beside what it captures, and the attributes, of which it has ``attrs``."""
    return _FORMS.get(call.op.name, _plain)(call, attrs)
