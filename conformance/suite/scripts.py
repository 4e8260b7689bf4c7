"""Tests written as plain Keras: the program a user would have written, and what it showed.

For what no operation of the protocol does (classes of one's own, arguments of ``compile``, ``adapt``). The program
prints what it saw with ``show``; what that should have been is decided here, in the driver.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from conformance.protocol.session import Session
from conformance.suite.models import MODEL_FILES

_MARK = "SHOWN: "

# What every program may use beside np, tf and keras. Weights are filled with values that are all different and positive,
# so that no order of them, and no variance below zero, goes unnoticed.
PRELUDE = """
import json

def show(**found):
    print("SHOWN: " + json.dumps(found))

def values(thing):
    if isinstance(thing, (list, tuple)):
        return [values(item) for item in thing]
    return np.asarray(thing).astype("float64").tolist()

def fill(thing, start=1):
    filled = []
    for array in thing.get_weights():
        counted = np.arange(start, start + array.size)
        start += array.size
        filled.append((0.125 + counted * 0.6180339887 % 1.0).reshape(array.shape).astype(array.dtype))
    thing.set_weights(filled)

def rows(*shape):
    return np.linspace(-1.0, 1.0, int(np.prod(shape))).reshape(shape).astype("float32")
"""

# A layer that belongs to a model and to a model inside it.
ACROSS_THE_BORDER = """
inputs = keras.Input((3,))
shared = keras.layers.Dense(3, name="shared")
outer = shared(inputs)
inner_inputs = keras.Input((3,))
inner = keras.Model(inner_inputs, shared(inner_inputs), name="inner")
model = keras.Model(inputs, inner(outer))
show(before=len(model.get_weights()))
"""


def shown(impl: Session, source: str, directory: Path, **given: Any) -> dict[str, Any]:
    """Run ``source`` in ``directory`` and return what it gave to ``show``; ``given`` are names it may use.

    An error in the program is the implementation's refusal, as with every operation.
    """
    impl.run_source(PRELUDE, "prelude", directory)
    constants = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    name = f"script_{zlib.crc32(source.encode()):08x}"  # AutoGraph looks functions up by file and line
    printed = impl.run_source(constants + source, name, directory)
    found: dict[str, Any] = {}
    for line in printed.splitlines():
        if line.startswith(_MARK):
            found.update(json.loads(line.removeprefix(_MARK)))
    return found


def shown_with_file(impl: Session, source: str, directory: Path, format: str, **given: Any) -> dict[str, Any]:
    """The same for a program that saves a whole model at ``path``, whose suffix chooses the format."""
    return shown(impl, source, directory, path=MODEL_FILES[format], **given)
