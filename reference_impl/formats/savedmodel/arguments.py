"""Arguments: which parameters a traced function has, and whether arguments fit what it was traced for.

What it was traced for is a structure of lists, tuples and dicts, in which a :class:`TensorSpec` stands for a tensor; all else
are the very values, ``True`` or ``None``, that a call has to have there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from reference_impl.formats.savedmodel import composite, structured
from reference_impl.formats.savedmodel.structured import NamedTuple, TensorSpec, TypeSpec
from reference_impl.ops.strings import as_bytes, strings
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, convert
from reference_impl.variables import Variable

_NO = object()


@dataclass(frozen=True)
class Parameters:
    """The parameters of a Python function: ``self`` is not among them."""

    names: tuple[str, ...] = ()
    defaults: tuple[Any, ...] = ()
    varargs: bool = False
    keywords: tuple[str, ...] = ()
    keyword_defaults: Mapping[str, Any] | None = None
    varkw: bool = False

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as the function was traced with them: by place where they have one, defaults filled in."""
        bound, rest = list(args), dict(kwargs)
        if len(bound) > len(self.names) and not self.varargs:
            raise TypeError(f"found {len(bound)} arguments, expected at most {len(self.names)}: {list(self.names)}")
        defaults = dict(zip(self.names[len(self.names) - len(self.defaults) :], self.defaults, strict=True))
        for name in self.names[len(bound) :]:
            if name in rest:
                bound.append(rest.pop(name))
            elif name in defaults:
                bound.append(defaults[name])
            else:
                raise TypeError(f"found no argument {name!r}, expected one; the parameters are {list(self.names)}")
        rest = {**(self.keyword_defaults or {}), **rest}
        unknown = [name for name in rest if name not in self.keywords]
        if unknown and not self.varkw:
            raise TypeError(f"found the argument {unknown[0]!r}, expected one of {[*self.names, *self.keywords]}")
        return tuple(bound), rest

    @classmethod
    def of(cls, message: Any) -> Parameters:
        """Those of a stored ``FunctionSpec``; ``ValueError`` if it is none."""
        spec = structured.decode(message.fullargspec)
        if not isinstance(spec, NamedTuple) or "args" not in spec.fields:
            raise ValueError(f"found {spec!r:.80} as the parameters of a function, expected a FullArgSpec")
        fields: Mapping[str, Any] = {key: value for key, value in spec.fields.items() if value is not None}
        every = _listed(fields, "args")
        names = every[1 if message.is_method else 0 :]
        defaults = _listed(fields, "defaults")[-len(names) or len(every) :]
        told = fields.get("kwonlydefaults", {})
        if not isinstance(told, dict):
            raise ValueError(f"found {told!r:.80} as the kwonlydefaults of a function, expected a dict")
        return cls(
            names,
            defaults if len(defaults) <= len(names) else (),
            "varargs" in fields,
            _listed(fields, "kwonlyargs"),
            cast("dict[str, Any]", told),
            "varkw" in fields,
        )


def _listed(fields: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    found = fields.get(name, ())
    if not isinstance(found, list | tuple):
        raise ValueError(f"found {found!r:.80} as the {name} of a function, expected a list")
    return tuple(cast("Sequence[Any]", found))


# -- structures --------------------------------------------------------------------------------------------------


def fitting(expected: Any, given: Any, converting: bool) -> list[Tensor] | None:
    """The tensors of ``given``, in order, if it is as ``expected``; None if it is not.

    ``converting``: numbers, lists and arrays become tensors of the dtype expected; arrays must have it.
    """
    found: list[Tensor] = []
    return found if _fit(expected, given, converting, found) else None


def _fit(expected: Any, given: Any, converting: bool, found: list[Tensor]) -> bool:
    if isinstance(expected, TensorSpec):
        tensor = _tensor(given, expected, converting)
        if tensor is None or tensor.dtype != expected.dtype or not _compatible(expected.shape, tensor.shape):
            return False
        found.append(tensor)
        return True
    if isinstance(expected, TypeSpec):
        parts = composite.parts_of(expected, given)
        specs = composite.specs_of(expected)
        if parts is None or specs is None or len(parts) != len(specs):
            return False
        return all(_fit(spec, part, converting, found) for spec, part in zip(specs, parts, strict=True))
    if isinstance(expected, NamedTuple):
        expected = tuple(expected.fields.values())
    if isinstance(expected, list | tuple) and not isinstance(expected, TensorShape):
        items = cast("Sequence[Any]", expected)
        if not isinstance(given, list | tuple) or len(cast("Sequence[Any]", given)) != len(items):
            return False
        pairs = zip(items, cast("Sequence[Any]", given), strict=True)
        return all(_fit(item, value, converting, found) for item, value in pairs)
    if isinstance(expected, Mapping):
        fields = cast("Mapping[str, Any]", expected)
        if not isinstance(given, Mapping) or set(cast("Mapping[str, Any]", given)) != set(fields):
            return False
        return all(_fit(fields[key], given[key], converting, found) for key in sorted(fields))
    return _same(expected, given)


def _tensor(given: Any, spec: TensorSpec, converting: bool) -> Tensor | None:
    if isinstance(given, Tensor):
        return given if given.dtype != "string" or given.array is None else _encoded(given.array)
    if isinstance(given, Variable):
        return given.as_tensor()
    if not converting or given is None or (isinstance(given, bool) and spec.dtype != "bool"):
        return None
    if isinstance(given, np.ndarray | np.generic):
        tensor = convert(given)
        return tensor if tensor.dtype != "string" else _encoded(tensor.value)
    try:
        return convert(given, hint=spec.dtype)
    except (TypeError, ValueError):
        return None


def _encoded(array: Any) -> Tensor:
    """Strings as graphs have them: bytes, where Python may have text."""
    return Tensor(strings([as_bytes(item) for item in array.ravel().tolist()], array.shape))


def _compatible(expected: TensorShape | None, found: TensorShape) -> bool:
    if expected is None:
        return True
    if len(expected) != len(found):
        return False
    return all(a is None or b is None or a == b for a, b in zip(expected, found, strict=True))


def _same(expected: Any, given: Any) -> bool:
    array: Any = given.array if isinstance(given, Tensor | Variable) else given
    if isinstance(array, np.ndarray | np.generic):
        given = cast("Any", array).item() if cast("Any", array).shape == () else _NO
    elif isinstance(given, Tensor):
        given = _NO
    # A function is traced anew for 1 and True.
    same_kind = isinstance(expected, bool) == isinstance(given, bool)
    return expected is given or (same_kind and bool(expected == given))


def leaves(value: Any) -> list[Any]:
    """The leaves of a structure of specs, in the order of the function's tensors."""
    found: list[Any] = []
    map_specs(found.append, value, every=True)
    return found


def map_specs(function: Callable[[Any], Any], value: Any, every: bool = False) -> Any:
    """``value`` with ``function`` of each spec of a tensor (of ``every`` leaf); named tuples become plain ones."""
    if isinstance(value, NamedTuple):
        return tuple(map_specs(function, item, every) for item in value.fields.values())
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {key: map_specs(function, fields[key], every) for key in sorted(fields)}
    if isinstance(value, list | tuple) and not isinstance(value, TensorShape):
        items = [map_specs(function, item, every) for item in cast("Sequence[Any]", value)]
        return items if isinstance(value, list) else tuple(items)
    return function(value) if every or isinstance(value, TensorSpec) else value


def shown(value: Any) -> str:
    """A structure of specs, tensors and values for messages: ``float32[None, 3]`` for a tensor."""
    if isinstance(value, TensorSpec | Tensor | np.ndarray | Variable):
        tensor = cast("Any", value)
        return f"{tensor.dtype!s}{'[?]' if tensor.shape is None else list(cast('Iterable[Any]', tensor.shape))}"
    if isinstance(value, NamedTuple):
        return f"{value.name}({', '.join(shown(item) for item in value.fields.values())})"
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return f"{{{', '.join(f'{key}: {shown(item)}' for key, item in items)}}}"
    if isinstance(value, list | tuple):
        inner = ", ".join(shown(item) for item in cast("Sequence[Any]", value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return repr(value)[:60]
