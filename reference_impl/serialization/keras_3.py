"""Configurations as Keras 3 takes them: those of 2.4 with modules, and under the arguments that Keras 3 has.

Calls are left as they are, ``[[layer, call, output, arguments], …]``, where Keras 3 reads that form too. It does not where
tensors are among the arguments, and where a recurrent layer is given its states in a list behind its input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from reference_impl.layers.base import Layer
from reference_impl.serialization import calls, generic

Config = dict[str, Any]

_CELL = ("implementation",)
_DROPOUT = ("trainable", "noise_shape")
_SEPARABLE = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
_GONE: dict[str, tuple[str, ...]] = {
    "LSTM": ("time_major", "implementation"),
    "GRU": ("time_major", "implementation"),
    "SimpleRNN": ("time_major",),
    "RNN": ("time_major",),
    "LSTMCell": _CELL,
    "GRUCell": _CELL,
    "ConvLSTM1D": ("time_major",),
    "ConvLSTM2D": ("time_major",),
    "ConvLSTM3D": ("time_major",),
    "DepthwiseConv1D": ("groups",),
    "DepthwiseConv2D": ("groups",),
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "Conv1DTranspose": ("groups",),
    "Conv2DTranspose": ("groups",),
    "Conv3DTranspose": ("groups",),
    "Embedding": ("input_length",),
    "SpatialDropout1D": _DROPOUT,
    "SpatialDropout2D": _DROPOUT,
    "SpatialDropout3D": _DROPOUT,
    "Discretization": ("trainable",),
    "HashedCrossing": ("trainable",),
    "Attention": ("causal",),
    "AdditiveAttention": ("causal",),
}
"""Arguments that Keras 3 has given up, by class."""


def form_of(form: Any) -> Any:
    """A serialised model, layer or other object of 2.4, and all in it, as Keras 3 takes it."""
    return _told(form)


def _told(form: Any, own: bool = False) -> Any:
    """``own``: within the config of a class of the user's own, whose tuples stay tuples."""
    if isinstance(form, list | tuple):
        items: list[Any] = [_told(item, own) for item in cast("list[Any]", form)]
        return tuple(items) if own and isinstance(form, tuple) else items
    if hasattr(form, "get_config") and not isinstance(form, type):
        return _told(generic.serialize(form), own)
    if not isinstance(form, Mapping):
        return form
    given = cast("Mapping[str, Any]", form)
    name = given.get("class_name")
    module = module_of(name) if isinstance(name, str) and generic.is_keras(given.get("module", "keras")) else None
    own = module is None if isinstance(name, str) else own
    told = {key: _told(value, own) for key, value in given.items()}
    config = told.get("config")
    if not isinstance(name, str) or not isinstance(config, dict):
        return told
    if "inbound_nodes" in told:
        told["inbound_nodes"] = [_call(node, name) for node in told["inbound_nodes"]]
    if module is None:
        # A class of the user's own: Keras 3 looks for its registered name.
        return {"module": None, "registered_name": name, **told, "class_name": name.rpartition(">")[2]}
    if "output_layers" in config:
        told["config"] = config = calls.to_keras_3(cast("Config", config))
    _adapt(name, module, cast("Config", config))
    return {"module": module, "registered_name": None, **told, "class_name": _NOW_CALLED.get(name, name)}


def _adapt(name: str, module: str, config: Config) -> None:
    for key in _GONE.get(name, ()):
        config.pop(key, None)
    for before, now in _RENAMED.get(name, {}).items():
        if before in config:
            config[now] = config.pop(before)
    shape = config.pop("batch_input_shape", None)
    if name == "InputLayer":
        config["batch_shape"] = shape
    if module == "keras.losses" and config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    if module == "keras.optimizers.schedules":
        config["name"] = config.get("name") or name
    if "learning_rate" in config and not config.get("decay"):
        config.pop("decay", None)
    for key, value in config.items():
        if key.endswith("activation"):
            config[key] = _activation(f"{name} {config.get('name')!r}", key, value)
    if name in _CHANGED:
        _CHANGED[name](config)


_RENAMED: dict[str, dict[str, str]] = {
    "CategoryEncoding": {"max_tokens": "num_tokens"},
    "IntegerLookup": {"max_values": "max_tokens", "mask_value": "mask_token", "oov_value": "oov_token"},
    "LeakyReLU": {"alpha": "negative_slope"},
}
"""Arguments that have other names in Keras 3, by class."""

_NOW_CALLED = {"SyncBatchNormalization": "BatchNormalization", "Policy": "DTypePolicy"}
_NO_SALT = [0xDECAFCAFFE, 0xDECAFCAFFE]


def _activation(layer: str, argument: str, value: Any) -> Any:
    if value == "hard_sigmoid":
        raise ValueError(
            f"{layer}: found {argument}='hard_sigmoid', which is x / 5 + 1/2 between 0 and 1 here and x / 6 + 1/2 in Keras "
            "3; expected a function that Keras 3 has too; save in another format, or write the function as a layer"
        )
    from reference_impl.activations import BUILTIN

    if isinstance(value, str) and value not in BUILTIN:
        # A function of the user's: Keras 3 takes a bare name for one of its own.
        return {"module": "builtins", "class_name": "function", "config": value, "registered_name": "function"}
    return "hard_sigmoid" if value == "hard_sigmoid_3" else value


def _normalization(config: Config) -> None:
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]


def _sync_normalization(config: Config) -> None:
    _normalization(config)
    config["synchronized"] = True


def _discretization(config: Config) -> None:
    """A number on one of the ``bins`` of 2.4 belongs below it, and above the next boundary that float32 has."""
    if "bins" in config:
        above = np.nextafter(np.asarray(config.pop("bins"), np.float32), np.float32(np.inf))
        config.update(bin_boundaries=[float(x) for x in above], output_mode="int", dtype="int32")


def _category_encoding(config: Config) -> None:
    if config["output_mode"] == "binary":
        config["output_mode"] = "multi_hot"
    if config["output_mode"] == "tf-idf":
        raise ValueError(
            f"CategoryEncoding {config.get('name')!r}: found the output_mode 'tf-idf', which it does not have in Keras 3; use "
            "a StringLookup or IntegerLookup"
        )


def _hashing(config: Config) -> None:
    """Before ``output_mode`` there were numbers alone, and 2.4 writes a salt where there is none."""
    if "output_mode" not in config:
        config.update(output_mode="int", dtype="int64")
    if config.get("salt") == _NO_SALT:
        config["salt"] = None


def _identity(config: Config) -> None:
    gain = config.pop("gain", 1.0)
    if gain != 1.0:
        raise ValueError(f"the initializer Identity has gain={gain}, expected 1.0: Keras 3 knows no other")


_CHANGED: dict[str, Callable[[Config], None]] = {
    "BatchNormalization": _normalization,
    "SyncBatchNormalization": _sync_normalization,
    "CategoryEncoding": _category_encoding,
    "Discretization": _discretization,
    "Hashing": _hashing,
    "Identity": _identity,
}
"""What else an argument means otherwise, by class."""


# -- calls -------------------------------------------------------------------------------------------------------

_RECURRENT = (
    "LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional",
)  # fmt: skip


def _call(node: Any, layer: str) -> Any:
    """``[[layer, call, output, arguments], …]``, or as ``{"args", "kwargs"}`` where Keras 3 needs that."""
    sources: list[list[Any]] = cast("Any", node) if isinstance(node, list) else []
    if not sources or not all(map(_is_source, sources)):
        return cast("Any", node)
    kwargs: dict[str, Any] = dict(sources[0][3]) if len(sources[0]) > 3 else {}
    if layer in _RECURRENT:
        kwargs = {key: value for key, value in kwargs.items() if key != "constants" or value is not None}
        if len(sources) > 1 and not kwargs.get("initial_state"):
            kwargs["initial_state"] = [source[:3] for source in sources[1:]]
            sources = sources[:1]
    if not _has_tensor(kwargs):
        return [[*source[:3], kwargs] for source in sources]
    tensors = [_tensors(source[:3]) for source in sources]
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": _tensors(kwargs)}


def _is_source(value: Any) -> bool:
    """Whether ``value`` is a tensor of a layer: ``[layer, call, output]``, at times with arguments."""
    if not isinstance(value, list) or len(cast("list[Any]", value)) not in (3, 4):
        return False
    layer, call, output = cast("list[Any]", value)[:3]
    return isinstance(layer, str) and isinstance(call, int) and isinstance(output, int) and layer != "_CONSTANT_VALUE"


def _has_tensor(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_tensor, cast("Mapping[str, Any]", value).values()))
    return isinstance(value, list) and (_is_source(value) or any(map(_has_tensor, cast("list[Any]", value))))


def _tensors(value: Any) -> Any:
    """``value`` with tensors as Keras 3 writes them. Their shapes are known from their layers, not from here."""
    if isinstance(value, Mapping):
        return {key: _tensors(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if not isinstance(value, list):
        return value
    if _is_source(value):
        config: dict[str, Any] = {"shape": [], "dtype": "float32", "keras_history": value}
        return {"class_name": "__keras_tensor__", "config": config}
    return [_tensors(item) for item in cast("list[Any]", value)]


# -- modules -----------------------------------------------------------------------------------------------------


def module_of(name: str) -> str | None:
    """The module that Keras 3 has a built-in class in; None for others."""
    from reference_impl import constraints, initializers, layers, losses, metrics, optimizers, regularizers

    if name in ("Functional", "Model"):
        return "keras.src.models.functional" if name == "Functional" else "keras"
    if name in ("Sequential", "Policy"):
        return "keras"
    kinds: dict[str, Any] = {
        "layers": layers, "initializers": initializers, "regularizers": regularizers, "constraints": constraints,
        "losses": losses, "metrics": metrics, "optimizers": optimizers, "optimizers.schedules": optimizers.schedules,
    }  # fmt: skip
    for module, kind in kinds.items():
        found = kind.KIND.builtin().get(name)
        if isinstance(found, type) and (module != "layers" or issubclass(found, Layer)):
            return f"keras.{module}"
    return None
