"""Configurations of Keras 1.x and of Keras 2.0 to 2.3, told in the terms of 2.4.

Keras 1 wrote a Sequential model as a plain list of layers, and had other names for classes, arguments, initializers,
regularizers and constraints; the tables below say which. Two things it had are put together anew:

* ``Merge``, one layer with a ``mode``, becomes the layer of that mode.
* A Sequential model that begins with a ``Merge`` of branches becomes a Functional one.

Early 2.x has only a few class names that are gone. What has no counterpart is refused by the layer's name.

Source: the sources of Keras 1.2.2 and of Keras 2.3.1's own converters, and files of both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NoReturn, cast

from reference_impl.errors import LoadError

Config = dict[str, Any]

# -- the tables --------------------------------------------------------------------------------------------------

_CLASSES = {
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

_GONE = {
    "MaxoutDense": "a maximum over several Dense layers",
    "Highway": "a highway connection",
    "ParametricSoftplus": "a softplus with weights",
    "SReLU": "an S-shaped activation with weights",
}
"""Layers of Keras 1 that were removed, and what they were."""

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
_ORDERINGS = {"th": "channels_first", "tf": "channels_last", "default": None}
_SPATIAL = (
    *(f"{kind}{n}D" for kind in ("ZeroPadding", "Cropping", "UpSampling") for n in (2, 3)),
    *("SpatialDropout2D", "SpatialDropout3D"),
)
"""Layers that depend on the ordering of dimensions, of which Keras 1 did not write it."""

_INITIALIZERS = {"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros", "one": "ones"}
_PENALTIES = ("WeightRegularizer", "ActivityRegularizer", "L1L2Regularizer")
_CONSTRAINTS = {"m": "max_value", "low": "min_value", "high": "max_value"}

_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate", "dot": "Dot"}

_DROPPED = ("consume_less", "create_input_layer")


# -- models and layers -------------------------------------------------------------------------------------------


def model_config(form: Any, custom: Collection[str] = ()) -> Any:
    """The form (``class_name``, ``config``) of a model or layer, nested ones too, in terms of 2.4; a new one.

    Names in ``custom`` are the user's own classes and left alone. ``LoadError`` for what has no counterpart.
    """
    return _Reading(custom, _usual_ordering(form)).layer(form) if isinstance(form, dict) else form


def training_config(config: Mapping[str, Any]) -> Config:
    """Compile information of Keras 1 and early 2.x; nothing is left to change but what is null."""
    known = dict(config)
    optimizer = known.get("optimizer_config")
    inner = cast("Config", optimizer).get("config") if isinstance(optimizer, dict) else None
    if isinstance(inner, dict):
        kept = {key: value for key, value in cast("Config", inner).items() if (key, value) != ("epsilon", None)}
        known["optimizer_config"] = {**cast("Config", optimizer), "config": kept}
    return known


class _Reading:
    """One config being read. ``ordering``: what layers mean that do not say how their dimensions are ordered."""

    def __init__(self, custom: Collection[str], ordering: str | None) -> None:
        self._custom = custom
        self._ordering = ordering

    def layer(self, form: Any) -> Any:
        if not isinstance(form, dict):
            return form
        known = _with_class_name(cast("Config", form))
        kind, inner = known.get("class_name"), known.get("config")
        if not isinstance(kind, str) or kind in self._custom:
            return known
        if kind == "Sequential" and inner is not None:
            return self._sequential(known)
        if not isinstance(inner, dict):
            return known
        config = cast("Config", inner)
        if isinstance(config.get("layers"), list) and kind != "Merge":
            known["class_name"] = _CLASSES.get(kind, kind)
            known["config"] = {**config, "layers": [self.layer(layer) for layer in config["layers"]]}
            return known
        if isinstance(config.get("layer"), dict):
            config = {**config, "layer": self.layer(config["layer"])}
        name = str(known.get("name") or config.get("name"))
        if kind in _GONE:
            _refuse(name, kind, f"{_GONE[kind]}, which Keras 2 has no layer for")
        if kind == "Merge":
            return {**known, **_merge(name, config)}
        now = _CLASSES.get(kind, kind)
        return {**known, "class_name": now, "config": self._arguments(name, kind, now, config)}

    def _sequential(self, form: Config) -> Config:
        inner: Any = form["config"]
        layers: Any = cast("Config", inner).get("layers") if isinstance(inner, dict) else inner
        if not isinstance(layers, list):
            return form
        forms = [_with_class_name(layer) for layer in cast("list[Any]", layers)]
        config = cast("Config", inner) if isinstance(inner, dict) else {"name": form["name"]} if "name" in form else {}
        if forms and forms[0].get("class_name") == "Merge" and "Merge" not in self._custom:
            return {**form, "class_name": "Model", "config": _Joining(self).model(config.get("name"), forms)}
        return {**form, "config": {**config, "layers": [self.layer(layer) for layer in forms]}}

    def _arguments(self, name: str, kind: str, now: str, config: Config) -> Config:
        old = any(key in config for key in (*_ARGUMENTS.get(now, ()), *_DROPPED, "nb_row", "kernel_dim1", "mode"))
        renamed = {_ARGUMENTS.get(now, {}).get(key, key): value for key, value in config.items()}
        known = {key: value for key, value in renamed.items() if (key, value) != ("trainable", None)}
        known = {**known, **_WRITTEN.get(kind, {})}
        for key in _DROPPED:
            known.pop(key, None)
        for sizes in _KERNEL_SIZES:
            if now in _ARGUMENTS and all(size in known for size in sizes):
                known["kernel_size"] = [known.pop(size) for size in sizes]
        if known.get("data_format") in _ORDERINGS and "dim_ordering" in config:
            known["data_format"] = _ORDERINGS[known["data_format"]]
        if now in _SPATIAL and known.get("data_format") is None and self._ordering is not None:
            known["data_format"] = self._ordering
        special = _SPECIAL.get(now)
        if special is not None:
            special(name, known, old)
        if old or "input_dtype" in known:
            _shape_of_input(known, keep=now == "Embedding")
        return {key: _argument(name, key, value) for key, value in known.items()}


def _with_class_name(form: Any) -> Config:
    """Before Keras 1 a layer's config had its class under ``name`` and its name under ``custom_name``."""
    if not isinstance(form, dict):
        raise LoadError(f"a layer's config is a dict with 'class_name' and 'config', found {form!r:.80}")
    known = dict(cast("Config", form))
    if "class_name" in known or "custom_name" not in known:
        return known
    kind, name = known.pop("name"), known.pop("custom_name")
    return {"class_name": kind, "config": {**known, "name": name}}


def _usual_ordering(form: Any) -> str | None:
    """The data format of the layers that say it, if all say the same in the way of Keras 1."""
    found = {_ORDERINGS.get(value) for value in _values(form, "dim_ordering") if isinstance(value, str)}
    return found.pop() if len(found) == 1 else None


def _values(form: Any, wanted: str) -> Iterator[Any]:
    pending = [form]
    while pending:
        item: Any = pending.pop()
        if isinstance(item, dict):
            found = cast("Config", item)
            pending += found.values()
            if wanted in found:
                yield found[wanted]
        elif isinstance(item, list):
            pending += cast("list[Any]", item)


# -- arguments ---------------------------------------------------------------------------------------------------


def _shape_of_input(config: Config, *, keep: bool) -> None:
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
            _refuse(name, kind, f"the {key} {kind}, which Keras 2 does not have")
        if kind in _PENALTIES:
            return {"class_name": "L1L2", "config": form}
        return {"class_name": kind, "config": {_CONSTRAINTS.get(k, k): v for k, v in form.items()}}
    return cast("Any", value)


def _batch_normalization(name: str, config: Config, old: bool) -> None:
    mode = config.pop("mode", 0) if old else 0
    if mode != 0:
        _refuse(name, "BatchNormalization", f"mode={mode}, which Keras 2 does not have; only mode=0 has a counterpart")


def _convolution(name: str, config: Config, old: bool) -> None:
    if config.get("padding") == "full":
        _refuse(name, "convolution", "border_mode='full', which Keras 2 does not have")


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
            _refuse(name, "ZeroPadding", f"padding={padding}, expected the keys {', '.join(sides)}")
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


# -- merging -----------------------------------------------------------------------------------------------------


def _merge(name: str, config: Config) -> Config:
    """Class and config of the layer that a ``Merge`` of this mode is now."""
    mode = config.get("mode", "sum")
    if config.get("mode_type", "raw") != "raw":
        _refuse(name, "Merge", f"a {config['mode_type']} in Python as its mode, which is never run")
    if mode not in _MERGES:
        _refuse(name, "Merge", f"mode={mode!r}, expected one of {', '.join(_MERGES)}")
    arguments: Config = {"concat": {"axis": config.get("concat_axis", -1)}, "dot": {"axes": config.get("dot_axes", -1)}}
    return {"class_name": _MERGES[mode], "config": {"name": name, **arguments.get(mode, {})}}


class _Joining:
    """A Sequential model that begins with a Merge, as the graph it is: branches, the merge, the rest."""

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._layers: dict[str, Config] = {}
        self._inputs: list[list[Any]] = []

    def model(self, name: Any, forms: list[Config]) -> Config:
        last = self._chain(forms, "")
        config: Config = {"name": name} if name else {}
        return {**config, "layers": [*self._layers.values()], "input_layers": self._inputs, "output_layers": [last]}

    def _chain(self, forms: list[Config], branch: str) -> list[Any]:
        """Add these layers one after the other; gives the place of what comes out."""
        if not forms:
            raise LoadError(f"Merge{branch}: found a branch without layers, expected one at least")
        if forms[0].get("class_name") == "Merge":
            config = cast("Config", forms[0]["config"])
            branches = [_with_class_name(item) for item in cast("list[Any]", config.get("layers") or [])]
            places = [self._branch(form) for form in branches]
            plain = {key: value for key, value in config.items() if key != "layers"}
            place = self._add({"class_name": "Merge", "config": plain}, places)
        else:
            place = self._entrance(forms[0])
            place = self._add(forms[0], [place])
        for form in forms[1:]:
            place = self._add(form, [place])
        return place

    def _branch(self, form: Config) -> list[Any]:
        inner: Any = form.get("config")
        layers: Any = cast("Config", inner).get("layers") if isinstance(inner, dict) else inner
        if form.get("class_name") == "Sequential" and isinstance(layers, list):
            return self._chain([_with_class_name(item) for item in cast("list[Any]", layers)], " of branches")
        if isinstance(layers, list):
            for layer in self._reading.layer(form)["config"]["layers"]:
                self._layers[layer["name"]] = layer
            self._inputs += cast("Config", inner)["input_layers"]
            return list(cast("Config", inner)["output_layers"][0])
        return self._chain([form], "")

    def _entrance(self, form: Config) -> list[Any]:
        config = dict(cast("Config", form["config"]))
        _shape_of_input(config, keep=False)
        shape = config.get("batch_input_shape")
        if form["class_name"] == "Embedding" and shape is None:
            shape = [None, cast("Config", form["config"]).get("input_length")]
        if shape is None:
            raise LoadError(
                f"layer {config.get('name')!r}: found no batch_input_shape, expected one: it begins a branch"
            )
        name = f"{config.get('name')}_input"
        if name not in self._layers:
            self._inputs.append([name, 0, 0])
            entrance = {"batch_input_shape": shape, "name": name, "dtype": "float32", "sparse": False}
            self._layers[name] = {"class_name": "InputLayer", "name": name, "config": entrance, "inbound_nodes": []}
        return [name, 0, 0]

    def _add(self, form: Config, places: list[list[Any]]) -> list[Any]:
        """A call of the layer; one that is there already is shared."""
        known = self._reading.layer(form)
        name = str(
            known["config"].get("name") or known.get("name") or f"{known['class_name'].lower()}_{len(self._layers)}"
        )
        known = {**known, "config": {**known["config"], "name": name}}
        nested = "layers" in known["config"]
        entry = self._layers.setdefault(name, {**known, "name": name, "inbound_nodes": []})
        entry["inbound_nodes"].append([[*place, {}] for place in places])
        return [name, len(entry["inbound_nodes"]) - (0 if nested else 1), 0]


def _refuse(name: str, kind: str, found: str) -> NoReturn:
    raise LoadError(
        f"layer {name!r} ({kind}) of Keras 1: found {found}; pass a layer of that name in `custom_objects`, or build the "
        "model anew and load its weights"
    )
