"""Names: automatic ones for layers and models, and the prefixes of variable names.

A layer without a name is called after its class in snake case and counted: ``dense``, ``dense_1``. The counters are
the process's; :func:`reset` starts them anew. Explicit names are not looked at, as in TensorFlow 2.4.

A variable's name begins with the names of the layers being called when it is made: ``nested/dense_1/kernel:0``.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import contextmanager

_counters: Counter[str] = Counter()


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()


_scopes = _Scopes()


def snake_case(name: str) -> str:
    """``BatchNormalization`` → ``batch_normalization``, ``ReLU`` → ``re_lu``."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()
    # A class that is private by name would give a name that no scope may begin with.
    return f"private{snake}" if snake.startswith("_") else snake


def unique_name(stem: str, zero_based: bool = True) -> str:
    """The next automatic name: ``stem``, ``stem_1`` … or, counting from one, ``stem_1``, ``stem_2`` …"""
    count = _counters[stem]
    _counters[stem] += 1
    if zero_based:
        return f"{stem}_{count}" if count else stem
    return f"{stem}_{count + 1}"


def reset() -> None:
    """Start all counters anew."""
    _counters.clear()


def distinct(name: str, taken: Collection[str]) -> str:
    """``name``, or ``name_1``, ``name_2`` … : the first that is not taken."""
    candidate, count = name, 0
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


@contextmanager
def name_scope(name: str, absolute: bool = False) -> Generator[None]:
    """Inside, variable names begin with ``name/`` (after the outer scopes' names unless ``absolute``).

    An empty absolute scope is no scope at all.
    """
    outer = _scopes.names
    own = (name,) if name else ()
    _scopes.names = own if absolute else outer + own
    try:
        yield
    finally:
        _scopes.names = outer


def scoped(name: str) -> str:
    """``name`` with the prefixes of the scopes it is made in."""
    return "/".join((*_scopes.names, name))
