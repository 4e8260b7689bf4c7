"""Configs of classes that define none: the arguments the constructor was called with, as from Keras 2.12 on."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from reference_impl import dialects

_WITHOUT = ("keras-2.4", "keras-2.8")
_OWN = __name__.partition(".")[0]


def arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments by name; None if one of them is no simple value. Built-in classes need none."""
    if cls.__module__.partition(".")[0] == _OWN:
        return None
    names, _ = _parameters(cls)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return copy.deepcopy(given) if len(args) <= len(names) and _is_simple(given) else None


def config(layer: Any, given: dict[str, Any] | None, base: dict[str, Any]) -> dict[str, Any] | None:
    """The automatic config of ``layer``; None if it was ``given`` more than simple values, or in a dialect without.

    It has those of ``base`` (name, dtype, …) that the constructor takes.
    """
    if given is None or dialects.current() in _WITHOUT:
        return None
    names, takes_more = _parameters(cast("type", layer.__class__))
    # The layer may be called otherwise by now.
    whole = {**copy.deepcopy(given), **base}
    return {key: value for key, value in whole.items() if takes_more or key in names}


@cache
def _parameters(cls: type) -> tuple[tuple[str, ...], bool]:
    """The names of the constructor's parameters, and whether it takes any others."""
    found = inspect.getfullargspec(cls.__init__)
    return (*found.args[1:], *found.kwonlyargs), found.varkw is not None


def _is_simple(value: Any) -> bool:
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return all(isinstance(key, str) and _is_simple(item) for key, item in items)
    if isinstance(value, list | tuple):
        return all(map(_is_simple, cast("list[Any]", value)))
    return value is None or type(value) in (bool, int, float, str)
