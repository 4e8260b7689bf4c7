"""What is put into hand-made files to see whether a loader runs it: harmless, and visible when it is run."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.protocol.session import Session
from conformance.suite.compare import Mismatch
from conformance.suite.handmade import Config, part

# What a bomb unpacks to, and how much more memory than before a loader may take while it looks at one.
BOMB_MIB = 1 << 10
ALLOWED = 256 << 20


@dataclass(frozen=True)
class Marker:
    """A folder that is there once a payload was run, and is not there before."""

    folder: Path
    name: str = "touched-by-a-file"

    @property
    def path(self) -> Path:
        """Where it would be."""
        return self.folder / self.name

    def at(self, folder: Path) -> Marker:
        """The same in another folder."""
        return Marker(folder, self.name)

    def assert_untouched(self, after: str) -> None:
        """Raise Mismatch if it is there, and take it away."""
        if self.path.exists():
            self.path.rmdir() if self.path.is_dir() else self.path.unlink()
            raise Mismatch(f"what was run when {after}", "nothing of the file", "its payload: the marker is there")


# The two spellings of code in a Lambda's config: up to Keras 2.12, and since.
CODE_FORMS: Mapping[str, Callable[[str], Any]] = {
    "list": lambda code: [code, None, None],
    "dict": lambda code: {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}},
}

_COMPILER = """
import base64
import marshal

def touch(x):
    import os
    os.path.isdir({path!r}) or os.mkdir({path!r})
    return x

print(base64.b64encode(marshal.dumps(touch.__code__)).decode(), end="")
"""


def bytecode(impl: Session, scratch: Path, marker: Marker) -> str:
    """A function that touches the marker, marshalled by the implementation's own interpreter, as base64."""
    return impl.run_source(_COMPILER.format(path=str(marker.path)), "compiler.py", scratch)


def lambda_layer(function: Any) -> Config:
    """A Lambda of that function."""
    return part(
        "Lambda",
        "l",
        function=function,
        function_type="lambda",
        module="m",
        output_shape=None,
        output_shape_type="raw",
        output_shape_module=None,
        arguments={},
    )


_PLANT = "import sys\nsys.path.insert(0, {folder!r})\n"
_UPROOT = "import sys\nsys.path.remove({folder!r})\nsys.modules.pop({module!r}, None)\n"


@contextmanager
def planted_module(impl: Session, scratch: Path, marker: Marker) -> Generator[str]:
    """The name of a module that the implementation could import, and that touches the marker when it is imported."""
    folder, module = scratch / "planted", "planted_by_the_suite"
    folder.mkdir()
    (folder / f"{module}.py").write_text(
        f"import os\nos.mkdir({str(marker.path)!r})\n\nclass Touching:\n    pass\n\ndef touch(*_, **__):\n    pass\n",
        encoding="utf-8",
    )
    impl.run_source(_PLANT.format(folder=str(folder)), "plant.py", scratch)
    try:
        yield module
    finally:
        impl.run_source(_UPROOT.format(folder=str(folder), module=module), "uproot.py", scratch)


def _named_function(module: str, name: str) -> Config:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def named_by_module(module: str) -> list[Config]:
    """Layers whose class or function is said to be in that module."""
    return [
        {**part("Touching", "l"), "module": module, "registered_name": "Touching"},
        {**part("Touching", "l"), "module": module, "registered_name": None},
        part("Activation", "l", activation=_named_function(module, "touch")),
        lambda_layer(_named_function(module, "touch")),
        {
            **part("Lambda", "l"),
            "config": {**lambda_layer("touch")["config"], "function_type": "function", "module": module},
        },
    ]


def models_named_by_module(module: str, model: Config) -> list[Config]:
    """``model`` as one whose own class, or whose loss, is said to be in that module."""
    function = _named_function(module, "touch")
    return [
        {**model, "module": module, "class_name": "Touching", "registered_name": "Touching"},
        {**model, "module": module, "class_name": "Touching", "registered_name": None},
        {**model, "module": module, "class_name": "function", "config": "touch", "registered_name": "touch"},
        {**model, "compile_config": {"optimizer": "sgd", "loss": function, "metrics": None, "loss_weights": None}},
    ]


def calls_of_mkdir(marker: Marker) -> list[Config]:
    """Layers that would call ``os.mkdir`` with the marker's path."""
    path = str(marker.path)
    made = {"module": "os", "class_name": "mkdir", "config": {"path": path}, "registered_name": "mkdir"}
    function = _named_function("os", "mkdir")
    return [
        made,
        part("Activation", "l", activation=made),
        {**part("Lambda", "l"), "config": {**lambda_layer(function)["config"], "arguments": {"path": path}}},
        {**lambda_layer(function), "inbound_nodes": [{"args": [path], "kwargs": {}}]},
    ]


def switches() -> list[Config]:
    """Parts of a config that would switch a loader's safe mode off, if loading called what they name."""
    places = ("keras.config", "keras.src.config", "keras.src.saving.serialization_lib")
    name = "enable_unsafe_deserialization"
    return [
        *(part("Activation", "switch", activation=_named_function(place, name)) for place in places),
        *({"module": place, "class_name": name, "config": {}, "registered_name": None} for place in places),
    ]


class _Touches:
    """Pickled, it makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._path,)


def pickled_weights(marker: Marker) -> dict[str, bytes]:
    """Members of a v3 archive: weights as ``.npz`` whose arrays are pickled objects."""
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "|O", "fortran_order": False, "shape": ()})
    array.write(pickle.dumps(_Touches(str(marker.path))))
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w") as archive:
        for name in (
            "__root__.npy",
            "layers.activation.npy",
            "layers/activation.npy",
            "_layer_checkpoint_dependencies.npy",
        ):
            archive.writestr(name, array.getvalue())
    return {"model.weights.npz": store.getvalue()}


# Linux forgets the peak when it is asked to; where there is no /proc, the peak is that of the whole life.
_FORGET = """
try:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
except OSError:
    pass
"""
_PEAK = """
import resource
try:
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak, end="")
"""


@contextmanager
def bounded_memory(impl: Session, scratch: Path, what: str) -> Generator[None]:
    """Raise Mismatch when the implementation's process took more than :data:`ALLOWED` more memory than it had."""
    before = int(impl.run_source(_FORGET + _PEAK, "peak.py", scratch))
    yield
    taken = (int(impl.run_source(_PEAK, "peak.py", scratch)) - before) << 10
    if taken > ALLOWED:
        raise Mismatch(f"memory taken by {what}", f"at most {ALLOWED >> 20} MiB", f"{taken >> 20} MiB")
