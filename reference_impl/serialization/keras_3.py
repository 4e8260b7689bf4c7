"""Configurations as Keras 3 takes them: those of 2.4 with modules, and under the arguments that Keras 3 has.

Its calls are left as they are, ``[[layer, call, output, arguments], …]``: Keras 3 reads that form too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reference_impl.layers.base import Layer
from reference_impl.serialization import jsonable

_CELL = ("implementation",)
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
    "Attention": ("causal",),
    "AdditiveAttention": ("causal",),
}
"""Arguments that Keras 3 has given up, by class."""


def form_of(form: Any) -> Any:
    """A serialised model, layer or other object of 2.4, and all in it, as Keras 3 takes it."""
    return _told(jsonable.encode(form))


def _told(form: Any) -> Any:
    if isinstance(form, list):
        return [_told(item) for item in cast("list[Any]", form)]
    if not isinstance(form, Mapping):
        return form
    told = {key: _told(value) for key, value in cast("Mapping[str, Any]", form).items()}
    name, config = told.get("class_name"), told.get("config")
    if not isinstance(name, str) or not isinstance(config, dict):
        return told
    module = _module(name)
    if module is None:
        # A class of the user's own: Keras 3 looks for its registered name.
        return {"module": None, "registered_name": name, **told, "class_name": name.rpartition(">")[2]}
    _adapt(name, cast("dict[str, Any]", config))
    return {"module": module, "registered_name": None, **told}


def _adapt(name: str, config: dict[str, Any]) -> None:
    for key in _GONE.get(name, ()):
        config.pop(key, None)
    shape = config.pop("batch_input_shape", None)
    if name == "InputLayer":
        config["batch_shape"] = shape
    if name == "BatchNormalization" and isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    if "learning_rate" in config and not config.get("decay"):
        config.pop("decay", None)


def _module(name: str) -> str | None:
    """The module that Keras 3 has a built-in class in; None for others."""
    from reference_impl import constraints, initializers, layers, losses, metrics, optimizers, regularizers

    if name in ("Functional", "Model"):
        return "keras.src.models.functional" if name == "Functional" else "keras"
    if name == "Sequential":
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
