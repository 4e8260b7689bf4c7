"""The arguments of later generations, told in those of 2.4, class by class.

An argument that 2.4 does not have is left away where its value changes nothing. Any other value stays: the class then
refuses the argument by its name, or, where it knows the later form too, takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Config = dict[str, Any]


def arguments(name: str, config: Config, of_keras: bool, keras_3: bool) -> Config:
    """The arguments of the class ``name`` under their names of 2.4, in a new dict.

    ``of_keras``: the class may be one of Keras's own, ``keras_3``: Keras 3 wrote the config.
    """
    told = dict(config)
    if keras_3:
        for key, value in config.items():
            if key.endswith("activation") and value == "hard_sigmoid":
                told[key] = "hard_sigmoid_3"
    if not of_keras:
        return told
    for key, harmless in _HARMLESS.get(name, {}).items():
        if key in told and _is_in(told[key], harmless):
            del told[key]
    for before, now in _RENAMED.get(name, {}).items():
        if before in told:
            told[now] = told.pop(before)
    for change in (_CHANGED.get(name), _CHANGED_BY_KERAS_3.get(name) if keras_3 else None):
        if change is not None:
            change(told)
    return told


def _is_in(value: Any, values: tuple[Any, ...] | None) -> bool:
    # 0 is not False here.
    return values is None or any(type(value) is type(harmless) and value == harmless for harmless in values)


_CLASSES_OF_LOSSES = (
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity",
    "Hinge", "Huber", "KLDivergence", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SquaredHinge",
)  # fmt: skip
_IMAGES = (
    "CenterCrop", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation",
    "RandomZoom", "Resizing",
)  # fmt: skip
_SEEDED = ("LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_SCALED = ("VarianceScaling", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform")

Harmless = dict[str, dict[str, tuple[Any, ...] | None]]


def _merged(*tables: Harmless) -> Harmless:
    found: Harmless = {}
    for table in tables:
        for name, entry in table.items():
            found[name] = {**found.get(name, {}), **entry}
    return found


_HARMLESS = _merged(
    {
        "InputLayer": {"optional": (False,)},
        # One device's batch is the whole batch.
        "BatchNormalization": {"synchronized": None, "renorm": (False,)},
        "LayerNormalization": {"rms_scaling": (False,)},
        "MultiHeadAttention": {
            "softmax_robust_masking": (False,), "use_gate": (False,), "sliding_window": (None,), "flash_attention": (None, False),
        },
        # How pictures are filled up counts only where they are.
        "Resizing": {"pad_to_aspect_ratio": (False,), "fill_mode": None, "fill_value": None, "antialias": (False,)},
        "MeanIoU": {"ignore_class": (None,), "sparse_y_true": (True,), "sparse_y_pred": (True,), "axis": (-1,)},
    },
    # A loss is of a class that says its function.
    {name: {"fn": None} for name in _CLASSES_OF_LOSSES},
    {name: {"axis": (-1,)} for name in ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")},
    {"SparseCategoricalCrossentropy": {"ignore_class": (None,)}},
    {name: {"data_format": ("channels_last",)} for name in _IMAGES},
    {name: {"quantization_config": (None,)} for name in ("Dense", "EinsumDense", "Embedding")},
    {name: {"use_cudnn": ("auto", True, False)} for name in ("LSTM", "GRU")},
    {name: {"input_axes": (None,), "output_axes": (None,)} for name in _SCALED},
)  # fmt: skip
"""By class the arguments that 2.4 does not have, and the values that change nothing; None: any."""

_RENAMED: dict[str, dict[str, str]] = {
    "InputLayer": {"batch_shape": "batch_input_shape"},
    "LeakyReLU": {"negative_slope": "alpha"},
}


def _discretization(config: Config) -> None:
    """Keras 3 writes the boundaries it found beside the number it was to find."""
    if config.get("bin_boundaries") is not None:
        config.pop("num_bins", None)


def _seeded(config: Config) -> None:
    config.pop("seed", None)


def _text_vectorization(config: Config) -> None:
    """The layer inside has in Keras 3 an argument that says so."""
    config["oov_method"] = "floormod"


_CHANGED: dict[str, Callable[[Config], None]] = {"Discretization": _discretization}
_CHANGED_BY_KERAS_3: dict[str, Callable[[Config], None]] = {
    **dict.fromkeys(_SEEDED, _seeded),
    "TextVectorization": _text_vectorization,
}
