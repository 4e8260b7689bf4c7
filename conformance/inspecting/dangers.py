"""What in a file can harm who loads it: code, names of code, and paths to elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from conformance.inspecting.configs import Config, class_of, is_custom, objects
from conformance.inspecting.model import Danger
from conformance.witness.hdf5 import Outline

# Ops that reach outside the model: code of the process that runs them, or files and addresses.
OPS: Mapping[str, str] = {
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), "calls Python code of the loading process"),
    **dict.fromkeys(("ReadFile", "MatchingFiles", "WholeFileReaderV2", "TextLineDataset", "TFRecordDataset"), "reads files"),
    **dict.fromkeys(("FixedLengthRecordDatasetV2", "TextLineReaderV2", "LMDBDataset", "SqlDataset"), "reads files"),
    **dict.fromkeys(("WriteFile", "SaveDataset", "SaveDatasetV2", "Save", "DebugIdentityV2"), "writes files"),
    **dict.fromkeys(("RpcCall", "RpcClient", "DataServiceDatasetV2", "DataServiceDatasetV4"), "opens connections"),
    **dict.fromkeys(("LoadAndRemapMatrix", "ImmutableConst"), "reads files"),
}  # fmt: skip

_FORBIDDEN_CLASSES = {
    "TorchModuleWrapper": "holds a pickle, which runs code when it is read",
    "TFSMLayer": "loads another SavedModel, from a path in the config",
}
_RATIO, _LARGE = 1000, 1 << 24


def in_config(*configs: Any) -> Iterator[Danger]:
    """Code and names of code in ``configs``."""
    for config in configs:
        for place, item in objects(config):
            yield from _lambda(place, item)
            yield from _named_code(place, item)
            if (why := _FORBIDDEN_CLASSES.get(class_of(item))) is not None:
                yield Danger("foreign-code", place, f"{class_of(item)} {why}")
            inner = item.get("config")
            vocabulary: Any = cast("Config", inner).get("vocabulary") if isinstance(inner, dict) else None
            if isinstance(vocabulary, str):
                yield Danger("path", place, f"a vocabulary is read from the path {vocabulary!r} when it is loaded")


def has_code(item: Config) -> bool:
    """Whether a Lambda layer's config holds compiled Python code."""
    return any(True for _ in _lambda("", item))


def _lambda(place: str, item: Config) -> Iterator[Danger]:
    if item["class_name"] == "__lambda__":
        yield Danger("code", place, "compiled Python code, which a loader without safe mode runs")
        return
    inner = item.get("config")
    if item["class_name"] != "Lambda" or not isinstance(inner, dict):
        return
    config = cast("Config", inner)
    for key in ("function", "output_shape", "mask"):
        value: Any = config.get(key)
        code: Any = value if config.get(f"{key}_type") == "lambda" else None
        if isinstance(value, list):
            # [code, defaults, closure], the code as text: what `marshal` makes of a Python function.
            parts = cast("list[Any]", value)
            code = parts[0] if len(parts) == 3 else None
        if isinstance(code, str):
            name = f"{place}.config.{key}"
            yield Danger("code", name, "compiled Python code of a Lambda layer: a loader without safe mode runs it")


def _named_code(place: str, item: Config) -> Iterator[Danger]:
    """A module outside Keras that a loader is told to import, or a function of Keras that is none for configs."""
    module, name = item.get("module"), item["class_name"]
    if not isinstance(module, str) or not module or ">" in str(item.get("registered_name") or ""):
        return
    if name == "function":
        name = item.get("config")
    if module.split(".")[0] not in ("keras", "tf_keras", "tensorflow", "builtins") or (
        item["class_name"] == "function" and is_custom(item)
    ):
        yield Danger("import", place, f"names code to import: {module}.{name}")


def in_hdf5(outline: Outline) -> Iterator[Danger]:
    """Links out of an HDF5 file, arrays kept elsewhere, and arrays that are larger than the file can hold."""
    for place, target in outline.links.items():
        yield Danger("link", place, f"a link to {target!r}, which a reader follows")
    for place, array in outline.arrays.items():
        if array.external:
            yield Danger("external", place, f"its bytes are in another file: {', '.join(array.external)}")
        if array.virtual:
            yield Danger("external", place, "a virtual dataset, whose parts are in other files")
        declared = _declared(array.shape)
        if declared > _LARGE and declared > _RATIO * max(array.stored, 1):
            yield Danger("size", place, f"declares {declared:,} elements and stores {array.stored:,} bytes")


def in_ops(functions: Iterable[tuple[str, Iterable[str]]]) -> Iterator[Danger]:
    """Ops that reach outside the model, once a function."""
    for function, ops in functions:
        for op in dict.fromkeys(ops):
            if op in OPS:
                yield Danger("op", function or "graph", f"the op {op} {OPS[op]}")


def _declared(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
