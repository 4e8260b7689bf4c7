"""A conversation with one implementation: a typed method for each operation of operations.json.

Every method sends one request and returns the answer as a value. It raises `Refused` when the implementation raised,
and a `ProtocolError` for everything that says nothing about the implementation (see conformance.protocol.errors).
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from conformance.blueprint import Blueprint, Compile, Custom, Input, Layer, NestedModel
from conformance.protocol.conversation import Conversation
from conformance.protocol.encoding import (
    EncodingError,
    decode_array,
    decode_number,
    decode_value,
    encode_array,
    encode_value,
)
from conformance.protocol.errors import InvalidRequest
from conformance.protocol.results import (
    CheckpointListing,
    Config,
    Description,
    FromConfig,
    Handle,
    Hello,
    LayerInfo,
    Message,
    OptimizerInfo,
    TensorInfo,
    VariableInfo,
    WeightInfo,
)

__all__ = [
    "CheckpointListing",
    "Config",
    "Description",
    "FromConfig",
    "Handle",
    "Hello",
    "LayerInfo",
    "Message",
    "OptimizerInfo",
    "Session",
    "TensorInfo",
    "VariableInfo",
    "WeightInfo",
]

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = Sequence[Any] | Array
"""Arrays, or anything NumPy makes one of; a single array stands for the list of it."""
Batch: TypeAlias = tuple[Arrays, Arrays]
CustomObjects: TypeAlias = Mapping[str, str | Custom]
"""Name -> member of the named set of custom objects, by its id."""
AnyPath: TypeAlias = str | os.PathLike[str]
AnyLayer: TypeAlias = Layer | NestedModel | Mapping[str, Any]
AnyInput: TypeAlias = Input | Mapping[str, Any]


class Session(Conversation):
    """Talks to the implementation `name` over a transport; `start` it first, `close` it at the end.

    `hello` is what the adapter said of itself. `messages` is what the library said during the last operation, whether
    that succeeded or not. `requests` counts requests, `starts` how often an adapter was started. `trace` holds the
    operations since the last reset with their params.
    """

    # Making models and layers

    def build(self, blueprint: Blueprint | Mapping[str, Any]) -> Handle:
        """Build the model of a blueprint, compiled if the blueprint says so."""
        return self._object("build", {"blueprint": _json(blueprint)})

    def build_layer(self, layer: AnyLayer, input_shape: Sequence[int | None] | None = None) -> Handle:
        """Construct a layer, and build it if the shape of its input is given, without the batch dimension."""
        shape = None if input_shape is None else list(input_shape)
        return self._object("build_layer", {"layer": _json(layer), **_given(input_shape=shape)})

    def sequential_of(self, parts: Sequence[Handle | AnyLayer | Input], name: str | None = None) -> Handle:
        """A Sequential of existing layers or models (handles), new layers and inputs, in order."""
        return self._object("sequential_of", {"parts": [_part(part) for part in parts], **_given(name=name)})

    def part_model(self, model: Handle, layer: int | str, tensor: str, name: str | None = None) -> Handle:
        """Model(model.inputs, the layer's `tensor`), which is "input" or "output"."""
        return self._object("part_model", {"object": model, "layer": layer, "tensor": tensor, **_given(name=name)})

    def layer(self, obj: Handle, layer: int | str) -> Handle:
        """The layer at that index, or of that name."""
        return self._object("layer", {"object": obj, "layer": layer})

    def attribute(self, obj: Handle, name: str) -> Handle:
        """What a dotted name leads to; digits index a list ("dense_layers.0.kernel")."""
        return self._object("attribute", {"object": obj, "name": name})

    def clone(self, model: Handle) -> Handle:
        """clone_model."""
        return self._object("clone", {"object": model})

    # Looking at them

    def describe(self, obj: Handle) -> Description:
        """What the object is."""
        found = self.ask("describe", {"object": obj})
        parts: dict[str, Any] = {
            "mro": tuple(found["mro"]),
            "layers": tuple(LayerInfo(**layer) for layer in found["layers"]),
            "inputs": tuple(map(_tensor, found["inputs"])),
            "outputs": tuple(map(_tensor, found["outputs"])),
        }
        return Description(**{**found, **parts})

    def weights(self, obj: Handle, which: str = "all") -> list[WeightInfo]:
        """The object's weights with their names; `which` is all, trainable or non_trainable."""
        found = self.ask("weights", {"object": obj, "which": which})["weights"]
        return [WeightInfo(w["name"], w["trainable"], self._decode(w["value"])) for w in found]

    def get_weights(self, obj: Handle) -> list[Array]:
        """object.get_weights()."""
        return self._decode_all(self.ask("get_weights", {"object": obj})["arrays"])

    def set_weights(self, obj: Handle, arrays: Arrays) -> None:
        """object.set_weights(arrays)."""
        self.ask("set_weights", {"object": obj, "arrays": self._encode_all(arrays)})

    def value(self, variable: Handle) -> Array:
        """The value of a variable."""
        return self._decode(self.ask("value", {"object": variable})["value"])

    def assign(self, variable: Handle, value: Any) -> None:
        """variable.assign(value)."""
        self.ask("assign", {"object": variable, "value": self._encode(value)})

    def set_trainable(self, obj: Handle, trainable: bool) -> None:
        """object.trainable = trainable."""
        self.ask("set_trainable", {"object": obj, "trainable": trainable})

    def optimizer(self, model: Handle) -> OptimizerInfo:
        """The model's optimizer and all its variables."""
        found = self.ask("optimizer", {"object": model})
        parts: dict[str, Any] = {
            "config": self._value(found["config"]),
            "variables": tuple(VariableInfo(v["name"], self._decode(v["value"])) for v in found["variables"]),
        }
        return OptimizerInfo(**{**found, **parts})

    def losses(self, obj: Handle) -> list[Array]:
        """object.losses after its last call."""
        return self._decode_all(self.ask("losses", {"object": obj})["values"])

    def summary(self, model: Handle) -> str:
        """The text of model.summary()."""
        return self.ask("summary", {"object": model})["text"]

    # Running them

    def compile(self, model: Handle, compiled: Compile | Mapping[str, Any]) -> None:
        """model.compile(...)."""
        self.ask("compile", {"object": model, "compile": _json(compiled)})

    def predict(self, model: Handle, inputs: Arrays, batch_size: int | None = None) -> list[Array]:
        """model.predict(inputs): the list of its outputs."""
        encoded = self._encode_all(inputs)
        return self._decode_all(
            self.ask("predict", {"object": model, "inputs": encoded, **_given(batch_size=batch_size)})["outputs"]
        )

    def call(self, obj: Handle, inputs: Arrays, training: bool | None = None) -> list[Array]:
        """object(inputs), with training= if it is given: the list of its outputs."""
        encoded = self._encode_all(inputs)
        return self._decode_all(
            self.ask("call", {"object": obj, "inputs": encoded, **_given(training=training)})["outputs"]
        )

    def train(self, model: Handle, batches: Sequence[Batch]) -> list[dict[str, float]]:
        """One train_on_batch for each batch (x, y): the loss and metrics of each by name."""
        encoded = [{"x": self._encode_all(x), "y": self._encode_all(y)} for x, y in batches]
        return [_numbers(step) for step in self.ask("train", {"object": model, "batches": encoded})["steps"]]

    def evaluate(self, model: Handle, x: Arrays, y: Arrays) -> dict[str, float]:
        """model.evaluate(x, y): loss and metrics by name."""
        encoded = {"x": self._encode_all(x), "y": self._encode_all(y)}
        return _numbers(self.ask("evaluate", {"object": model, **encoded})["values"])

    def add_loss(self, model: Handle, form: str, factor: float = 1.0) -> None:
        """model.add_loss; form "callable": factor * mean(square(first trainable weight)), "symbolic": factor *
        mean(outputs[0])."""
        self.ask("add_loss", {"object": model, "form": form, "factor": factor})

    def add_metric(self, model: Handle, name: str) -> None:
        """model.add_metric(mean(outputs[0]), name)."""
        self.ask("add_metric", {"object": model, "name": name})

    # Saving and loading. An argument left out is left out of the implementation's call too.

    def save(
        self,
        model: Handle,
        path: AnyPath,
        *,
        format: str | None = None,
        include_optimizer: bool | None = None,
        overwrite: bool | None = None,
        path_type: str | None = None,
    ) -> None:
        """model.save(path); `format` is passed on verbatim. path_type: str, pathlib, pathlike, bytes or h5py."""
        options = {"format": format, "include_optimizer": include_optimizer, "overwrite": overwrite}
        self.ask("save", {"object": model, "path": os.fspath(path), **_given(path_type=path_type, **options)})

    def load(
        self,
        path: AnyPath,
        *,
        custom_objects: CustomObjects | None = None,
        compile: bool | None = None,
        path_type: str | None = None,
    ) -> Handle:
        """load_model(path)."""
        options = {"custom_objects": _ids(custom_objects), "compile": compile, "path_type": path_type}
        return self._object("load", {"path": os.fspath(path), **_given(**options)})

    def save_weights(
        self,
        obj: Handle,
        path: AnyPath,
        *,
        format: str | None = None,
        overwrite: bool | None = None,
        path_type: str | None = None,
        max_shard_size: int | None = None,
    ) -> None:
        """object.save_weights(path); a checkpoint in files of at most ``max_shard_size`` bytes, if that is given."""
        options = {
            "format": format,
            "overwrite": overwrite,
            "path_type": path_type,
            "max_shard_size": max_shard_size,
        }
        self.ask("save_weights", {"object": obj, "path": os.fspath(path), **_given(**options)})

    def load_weights(
        self,
        obj: Handle,
        path: AnyPath,
        *,
        by_name: bool | None = None,
        skip_mismatch: bool | None = None,
        path_type: str | None = None,
    ) -> Handle | None:
        """object.load_weights(path): the status it returned, for `status`; None if it returned None."""
        options = {"by_name": by_name, "skip_mismatch": skip_mismatch, "path_type": path_type}
        return _handle(
            self.ask("load_weights", {"object": obj, "path": os.fspath(path), **_given(**options)})["status"]
        )

    def status(self, status: Handle, check: str) -> bool:
        """Call the check (assert_consumed, …) on a load status. Whether it returned the status itself."""
        return self.ask("status", {"object": status, "check": check})["returns_itself"]

    def checkpoint_save(self, objects: Mapping[str, Handle], path: AnyPath, method: str = "save") -> str:
        """train.Checkpoint(**objects).save(path), or .write: the path it returned."""
        answer = self.ask("checkpoint_save", {"objects": dict(objects), "path": os.fspath(path), "method": method})
        return answer["path"]

    def checkpoint_restore(self, objects: Mapping[str, Handle], path: AnyPath) -> Handle | None:
        """train.Checkpoint(**objects).restore(path): the status it returned."""
        answer = self.ask("checkpoint_restore", {"objects": dict(objects), "path": os.fspath(path)})
        return _handle(answer["status"])

    def checkpoint_list(self, path: AnyPath) -> CheckpointListing:
        """The keys of a checkpoint, as the library's own reader gives them."""
        found = self.ask("checkpoint_list", {"path": os.fspath(path)})
        return CheckpointListing(found["dtypes"], {key: tuple(shape) for key, shape in found["shapes"].items()})

    def checkpoint_read(self, path: AnyPath) -> dict[str, Array]:
        """The value under each key of a checkpoint but the object graph, as the library's own reader gives it."""
        found = self.ask("checkpoint_read", {"path": os.fspath(path)})["values"]
        return {key: self._decode(value) for key, value in found.items()}

    def graph_load(self, path: AnyPath) -> Handle:
        """Load a SavedModel for its functions alone; `call` and `describe` work on it."""
        return self._object("graph_load", {"path": os.fspath(path)})

    # Configs

    def get_config(self, obj: Handle) -> Config:
        """object.get_config(): its value, and a handle of the live dict."""
        found = self.ask("get_config", {"object": obj})
        return Config(self._value(found["config"]), Handle(found["object"]))

    def mutate(self, live: Handle, path: Sequence[str | int], value: Any) -> None:
        """In a live dict, set what the path of keys and indexes leads to."""
        self.ask("mutate", {"object": live, "path": list(path), "value": self._encode_value(value)})

    def from_config(self, cls: str | Custom, config: Any, custom_objects: CustomObjects | None = None) -> FromConfig:
        """CLASS.from_config(config); config is a value, or the Handle of a live dict."""
        given = {"object": config} if isinstance(config, Handle) else {"config": self._encode_value(config)}
        options = {"class": _json(cls), "custom_objects": _ids(custom_objects)}
        found = self.ask("from_config", {**given, **_given(**options)})
        return FromConfig(Handle(found["object"]), self._value(found["config_after"]))

    def to_json(self, model: Handle) -> str:
        """model.to_json()."""
        return self.ask("to_json", {"object": model})["json"]

    def from_json(self, text: str, custom_objects: CustomObjects | None = None) -> Handle:
        """model_from_json(text)."""
        return self._object("from_json", {"json": text, **_given(custom_objects=_ids(custom_objects))})

    def serialize(self, obj: Handle | Custom, kind: str = "layer") -> Any:
        """The library's serialize function of that kind, on an object or a member of the named set."""
        given = {"custom": obj.id} if isinstance(obj, Custom) else {"object": obj}
        return self._value(self.ask("serialize", {"kind": kind, **given})["value"])

    def deserialize(
        self, kind: str, value: Any, custom_objects: CustomObjects | None = None, *, thread: bool = False
    ) -> Handle:
        """The library's deserialize function of that kind; with `thread`, called in another thread."""
        options = {"custom_objects": _ids(custom_objects), "thread": thread or None}
        return self._object("deserialize", {"kind": kind, "value": self._encode_value(value), **_given(**options)})

    # The registry

    def enter_scope(self, objects: CustomObjects) -> None:
        """Enter custom_object_scope(objects)."""
        self.ask("enter_scope", {"objects": _ids(objects)})

    def exit_scope(self, *, error: bool = False) -> None:
        """Leave the innermost scope; with `error`, through an exception."""
        self.ask("exit_scope", {"error": error})

    @contextmanager
    def scope(self, objects: CustomObjects) -> Generator[None]:
        """A custom_object_scope around the operations of a with block. A refusal inside leaves it as usual."""
        self.enter_scope(objects)
        try:
            yield
        finally:
            if self.running:
                said = self.messages
                self.exit_scope()
                self.messages = said

    def set_global(self, objects: CustomObjects) -> None:
        """get_custom_objects().update(objects)."""
        self.ask("set_global", {"objects": _ids(objects)})

    def register(self, custom: str | Custom, package: str | None = None, name: str | None = None) -> str:
        """register_keras_serializable(package, name) on a member of the named set: the registered name."""
        custom_id = custom.id if isinstance(custom, Custom) else custom
        return self.ask("register", {"custom": custom_id, **_given(package=package, name=name)})["registered_name"]

    def load_objects(self, path: AnyPath) -> dict[str, str]:
        """Run a Python file of the user's own: the custom objects it defines, as `load` takes them, until reset."""
        return dict(self.ask("load_objects", {"path": os.path.abspath(path)})["objects"])

    # Source

    def run_source(self, source: str, name: str, directory: AnyPath) -> str:
        """Run Python text in `directory`, in a namespace kept until reset: what it printed."""
        return self.ask("run_source", {"source": source, "name": name, "directory": os.fspath(directory)})["stdout"]

    # Values

    def _object(self, operation: str, params: Mapping[str, Any]) -> Handle:
        return Handle(self.ask(operation, params)["object"])

    @property
    def _arrays(self) -> str | None:
        return None if self.arrays is None else str(self.arrays)

    def _encode(self, array: Any) -> Any:
        try:
            return encode_array(array, self._arrays)
        except EncodingError as error:
            raise InvalidRequest(str(error)) from None

    def _encode_all(self, arrays: Arrays) -> list[Any]:
        return [self._encode(array) for array in ([arrays] if isinstance(arrays, np.ndarray) else arrays)]

    def _encode_value(self, value: Any) -> Any:
        try:
            return encode_value(value, self._arrays)
        except EncodingError as error:
            raise InvalidRequest(str(error)) from None

    def _decode(self, encoded: Any) -> Array:
        try:
            return decode_array(encoded, self._arrays)
        except EncodingError as error:
            self.fault(f"an array must be encoded as operations.json says; {error}")

    def _decode_all(self, encoded: Sequence[Any]) -> list[Array]:
        return [self._decode(array) for array in encoded]

    def _value(self, encoded: Any) -> Any:
        try:
            return decode_value(encoded, self._arrays)
        except EncodingError as error:
            self.fault(f"a value must be encoded as operations.json says; {error}")


def _given(**options: Any) -> dict[str, Any]:
    """Those of the options that are not None: the others are left out."""
    return {name: value for name, value in options.items() if value is not None}


def _json(part: Any) -> Any:
    return part.to_json() if hasattr(part, "to_json") else part


def _part(part: Handle | AnyLayer | Input) -> dict[str, Any]:
    if isinstance(part, Handle):
        return {"object": part}
    return {"input" if isinstance(part, Input) else "layer": _json(part)}


def _ids(objects: CustomObjects | None) -> dict[str, str] | None:
    if objects is None:
        return None
    return {name: custom.id if isinstance(custom, Custom) else custom for name, custom in objects.items()}


def _handle(name: str | None) -> Handle | None:
    return None if name is None else Handle(name)


def _tensor(found: Mapping[str, Any]) -> TensorInfo:
    shape = found["shape"]
    return TensorInfo(found["name"], None if shape is None else tuple(shape), found["dtype"])


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: decode_number(number) for name, number in found.items()}
