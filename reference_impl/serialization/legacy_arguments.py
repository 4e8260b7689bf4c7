"""Layers of Keras 1.x and of Keras 2.0 to 2.3: their classes and arguments in the terms of 2.4.

The tables say what has another name now. A ``Merge``, one layer with a ``mode``, becomes the layer of that mode.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn, cast

from reference_impl.errors import LoadError

Config = dict[str, Any]

CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "AtrousConv1D": "Conv1D",
    "AtrousConv2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconv2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
    "UnifiedLSTM": "LSTM",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
    "UnifiedGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "Container": "Model",
    "Network": "Model",
    "Graph": "Model",
}
"""Classes that have another name, or whose arithmetic another class has."""

_WRITTEN: dict[str, Config] = {
    "CuDNNLSTM": {"activation": "tanh", "recurrent_activation": "sigmoid"},
    "CuDNNGRU": {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True},
}
"""What a class that is gone always meant and its config does not say."""

_WEIGHTS = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_CONVOLUTION = {
    **_WEIGHTS,
    "nb_filter": "filters",
    "subsample": "strides",
    "subsample_length": "strides",
    "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate",
    "border_mode": "padding",
    "dim_ordering": "data_format",
}
_RECURRENT = {
    **_WEIGHTS,
    "output_dim": "units",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "U_regularizer": "recurrent_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
}
_POOLING = {
    "pool_length": "pool_size",
    "stride": "strides",
    "border_mode": "padding",
    "dim_ordering": "data_format",
}
_RATE = {"p": "rate", "dim_ordering": "data_format"}
_PLACE = {"dim_ordering": "data_format"}

_ARGUMENTS: dict[str, dict[str, str]] = {
    "InputLayer": {"input_dtype": "dtype"},
    "Dense": {**_WEIGHTS, "output_dim": "units"},
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    },
    "PReLU": {"init": "alpha_initializer"},
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "GaussianNoise": {"sigma": "stddev"},
    "UpSampling1D": {"length": "size"},
    "SeparableConv2D": {**_CONVOLUTION, "init": "depthwise_initializer"},
    "ConvLSTM2D": {**_RECURRENT, **_CONVOLUTION},
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose"), _CONVOLUTION),
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), _CONVOLUTION),
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), _RECURRENT),
    **dict.fromkeys(("Dropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _RATE),
    **dict.fromkeys((f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)), _POOLING),
    **dict.fromkeys((f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)), _PLACE),
    **dict.fromkeys((f"{kind}{n}D" for kind in ("ZeroPadding", "Cropping", "UpSampling") for n in (2, 3)), _PLACE),
}
"""Per class (as it is called now) the arguments that have another name."""

_KERNEL_SIZES = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
ORDERINGS = {"th": "channels_first", "tf": "channels_last", "default": None}
_SPATIAL = (
    *(f"{kind}{n}D" for kind in ("ZeroPadding", "Cropping", "UpSampling") for n in (2, 3)),
    *("SpatialDropout2D", "SpatialDropout3D"),
)
"""Layers that depend on the ordering of dimensions, of which Keras 1 did not write it."""

_INITIALIZERS = {"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros", "one": "ones"}
_PENALTIES = ("WeightRegularizer", "ActivityRegularizer", "L1L2Regularizer")
_CONSTRAINTS = {"m": "max_value", "low": "min_value", "high": "max_value"}

_DROPPED = ("consume_less", "create_input_layer")

_GONE = {
    "MaxoutDense": "a maximum over several Dense layers",
    "Highway": "a highway connection",
    "ParametricSoftplus": "a softplus with weights",
    "SReLU": "an S-shaped activation with weights",
}
"""Layers of Keras 1 that were removed, and what they were."""

_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate", "dot": "Dot"}


def layer_form(name: str, kind: str, config: Config, ordering: str | None) -> Config:
    """Class and config of the layer that one of the class ``kind`` is now.

    ``ordering``: what a layer means that does not say how its dimensions are ordered. ``LoadError`` for what has no
    counterpart.
    """
    if kind in _GONE:
        refuse(name, kind, f"{_GONE[kind]}, which Keras 2 has no layer for")
    if kind == "Merge":
        return _merge(name, config)
    now = CLASSES.get(kind, kind)
    old = any(key in config for key in (*_ARGUMENTS.get(now, ()), *_DROPPED, "nb_row", "kernel_dim1", "mode"))
    renamed = {_ARGUMENTS.get(now, {}).get(key, key): value for key, value in config.items()}
    known = {key: value for key, value in renamed.items() if (key, value) != ("trainable", None)}
    known = {**known, **_WRITTEN.get(kind, {})}
    for key in _DROPPED:
        known.pop(key, None)
    for sizes in _KERNEL_SIZES:
        if now in _ARGUMENTS and all(size in known for size in sizes):
            known["kernel_size"] = [known.pop(size) for size in sizes]
    if known.get("data_format") in ORDERINGS and "dim_ordering" in config:
        known["data_format"] = ORDERINGS[known["data_format"]]
    if now in _SPATIAL and known.get("data_format") is None and ordering is not None:
        known["data_format"] = ordering
    special = _SPECIAL.get(now)
    if special is not None:
        special(name, known, old)
    if old or "input_dtype" in known:
        shape_of_input(known, keep=now == "Embedding")
    return {"class_name": now, "config": {key: _argument(name, key, value) for key, value in known.items()}}


def shape_of_input(config: Config, *, keep: bool) -> None:
    """``input_dim`` and ``input_length`` become an input shape. An Embedding has both for itself."""
    config.pop("input_dtype", None)
    if keep:
        return
    length, size = config.pop("input_length", None), config.pop("input_dim", None)
    if size is not None and "batch_input_shape" not in config:
        config["batch_input_shape"] = [None, length, size] if length is not None else [None, size]


def _argument(name: str, key: str, value: Any) -> Any:
    if key.endswith("_initializer") and isinstance(value, str):
        return _INITIALIZERS.get(value, value)
    if key.endswith(("_regularizer", "_constraint")) and isinstance(value, dict) and "name" in value:
        form = dict(cast("Config", value))
        if "class_name" in form:
            return form
        kind = form.pop("name")
        if kind == "EigenvalueRegularizer":
            refuse(name, kind, f"the {key} {kind}, which Keras 2 does not have")
        if kind in _PENALTIES:
            return {"class_name": "L1L2", "config": form}
        return {"class_name": kind, "config": {_CONSTRAINTS.get(k, k): v for k, v in form.items()}}
    return cast("Any", value)


def _batch_normalization(name: str, config: Config, old: bool) -> None:
    mode = config.pop("mode", 0) if old else 0
    if mode != 0:
        refuse(name, "BatchNormalization", f"mode={mode}, which Keras 2 does not have; only mode=0 has a counterpart")


def _convolution(name: str, config: Config, old: bool) -> None:
    if config.get("padding") == "full":
        refuse(name, "convolution", "border_mode='full', which Keras 2 does not have")


def _transposed(name: str, config: Config, old: bool) -> None:
    if old:
        config.pop("output_shape", None)
    _convolution(name, config, old)


def _separable(name: str, config: Config, old: bool) -> None:
    if old and "depthwise_initializer" in config:
        config.setdefault("pointwise_initializer", config["depthwise_initializer"])
    _convolution(name, config, old)


def _recurrent(name: str, config: Config, old: bool) -> None:
    if "forget_bias_init" in config:
        config["unit_forget_bias"] = config.pop("forget_bias_init") == "one"


def _embedding(name: str, config: Config, old: bool) -> None:
    if config.pop("dropout", 0):
        warnings.warn(f"layer {name!r}: Embedding has no dropout since Keras 2; it is left out", stacklevel=2)


def _zero_padding(name: str, config: Config, old: bool) -> None:
    padding = config.get("padding")
    if isinstance(padding, dict):
        sides = ("top_pad", "bottom_pad", "left_pad", "right_pad")
        if not set(cast("Config", padding)) <= set(sides):
            refuse(name, "ZeroPadding", f"padding={padding}, expected the keys {', '.join(sides)}")
        padding = [cast("Config", padding).get(side, 0) for side in sides]
        config["padding"] = [padding[:2], padding[2:]]
    elif isinstance(padding, list) and len(cast("list[Any]", padding)) == 4:
        config["padding"] = [padding[:2], padding[2:]]


def _zero_padding_1d(name: str, config: Config, old: bool) -> None:
    padding = config.get("padding")
    if isinstance(padding, dict):
        config["padding"] = [cast("Config", padding).get(side, 0) for side in ("left_pad", "right_pad")]


_SPECIAL: dict[str, Callable[[str, Config, bool], None]] = {
    "BatchNormalization": _batch_normalization,
    "SeparableConv2D": _separable,
    "Conv2DTranspose": _transposed,
    "Embedding": _embedding,
    "ZeroPadding1D": _zero_padding_1d,
    "ZeroPadding2D": _zero_padding,
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "ConvLSTM2D"), _recurrent),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "LocallyConnected1D", "LocallyConnected2D"), _convolution),
}


def _merge(name: str, config: Config) -> Config:
    """Class and config of the layer that a ``Merge`` of this mode is now."""
    mode = config.get("mode", "sum")
    if config.get("mode_type", "raw") != "raw":
        refuse(name, "Merge", f"a {config['mode_type']} in Python as its mode, which is never run")
    if mode not in _MERGES:
        refuse(name, "Merge", f"mode={mode!r}, expected one of {', '.join(_MERGES)}")
    arguments: Config = {"concat": {"axis": config.get("concat_axis", -1)}, "dot": {"axes": config.get("dot_axes", -1)}}
    return {"class_name": _MERGES[mode], "config": {"name": name, **arguments.get(mode, {})}}


def refuse(name: str, kind: str, found: str) -> NoReturn:
    raise LoadError(
        f"layer {name!r} ({kind}) of Keras 1: found {found}; pass a layer of that name in `custom_objects`, or build the "
        "model anew and load its weights"
    )
