"""The catalogue of built-in layers: for each class that can be made by name, arguments that are not its defaults.

A class may have several entries. An entry says in which dialects its spelling of the arguments holds; that a library
has the class at all is the library's business (an adapter lists its classes when it says hello). Families are those of
the capabilities ``layers.*``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.blueprint import Layer

KERAS_2 = ("keras-2.4", "keras-2.8", "keras-2.15")
KERAS_3 = ("keras-3",)
ALL = (*KERAS_2, *KERAS_3)
AFTER_2_4 = ALL[1:]

LINE, ROW, IMAGE, VOLUME = (5,), (8, 3), (8, 6, 3), (6, 6, 6, 2)


@dataclass(frozen=True)
class CatalogueEntry:
    """One way to make one class. ``input_shapes`` leaves out the batch; several shapes are several tensors."""

    cls: str
    family: str
    args: Mapping[str, Any]
    input_shapes: tuple[tuple[int, ...], ...]
    dialects: tuple[str, ...] = ALL
    dtype: str = field(default="float32")

    def layer(self, **more: Any) -> Layer:
        """The layer, as part of a blueprint; its id is the class name."""
        return Layer(self.cls, self.cls, {**self.args, **more})


def layer_catalogue(
    family: str | None = None, dialect: str | None = None, classes: Iterable[str] | None = None
) -> tuple[CatalogueEntry, ...]:
    """The entries of a family, of a dialect, of some classes; of all where None. In a fixed order."""
    wanted = None if classes is None else frozenset(classes)
    return tuple(
        entry
        for entry in CATALOGUE
        if family in (None, entry.family)
        and (dialect is None or dialect in entry.dialects)
        and (wanted is None or entry.cls in wanted)
    )


class _Family:
    """Collects the entries of one family."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[CatalogueEntry] = []

    def add(
        self,
        classes: str,
        *shapes: Sequence[int],
        dialects: tuple[str, ...] = ALL,
        input_dtype: str = "float32",
        **args: Any,
    ) -> None:
        """One entry with these arguments for each of the ``classes``, names separated by blanks."""
        for cls in classes.split():
            shape = tuple(tuple(item) for item in shapes)
            self.entries.append(CatalogueEntry(cls, self.name, args, shape, dialects, input_dtype))


def _tuple(*items: Any) -> dict[str, Any]:
    return {"$tuple": list(items)}


def _inner(cls: str, **args: Any) -> dict[str, Any]:
    return {"$layer": Layer("inner", cls, args).to_json()}


L2 = {"class_name": "L2", "config": {"l2": 0.125}}
CONSTANT = {"class_name": "Constant", "config": {"value": 0.25}}
UNIFORM = {"class_name": "RandomUniform", "config": {"minval": -0.5, "maxval": 0.25, "seed": 3}}
MAX_NORM = {"class_name": "MaxNorm", "config": {"max_value": 1.5, "axis": 0}}


def _core() -> _Family:
    family = _Family("core")
    family.add("Dense", LINE, units=4, activation="tanh", use_bias=False, kernel_initializer=UNIFORM)
    family.add("Dense", LINE, units=2, kernel_regularizer=L2, bias_constraint=MAX_NORM, bias_initializer=CONSTANT)
    family.add("EinsumDense", LINE, equation="ab,bc->ac", output_shape=4, bias_axes="c", activation="relu")
    family.add("Flatten", IMAGE, data_format="channels_first")
    family.add("Identity", LINE, trainable=False)
    family.add("InputLayer", LINE, input_shape=_tuple(5), dtype="int32", dialects=KERAS_2)
    family.add("InputLayer", LINE, shape=_tuple(5), dtype="int32", dialects=KERAS_3)
    family.add("Masking", ROW, mask_value=0.5)
    return family


def _merge() -> _Family:
    family = _Family("merge")
    family.add("Add Average Maximum Minimum Multiply Subtract", LINE, LINE, dtype="float64")
    family.add("Concatenate", ROW, ROW, axis=1)
    family.add("Dot", ROW, ROW, axes=2, normalize=True)
    return family


def _convolution() -> _Family:
    family = _Family("convolution")
    common: dict[str, Any] = {"filters": 2, "kernel_size": 3, "activation": "relu", "use_bias": False}
    family.add("Conv1D", ROW, padding="causal", dilation_rate=2, **common)
    family.add("Conv2D", IMAGE, padding="same", strides=_tuple(2, 1), kernel_initializer=UNIFORM, **common)
    family.add("Conv3D", VOLUME, padding="same", groups=2, **common)
    family.add("Conv1DTranspose", ROW, strides=2, padding="same", **common)
    family.add("Conv2DTranspose", IMAGE, strides=_tuple(2, 2), padding="same", **common)
    family.add("Conv3DTranspose", VOLUME, strides=_tuple(2, 2, 2), padding="same", **common)
    family.add("DepthwiseConv1D", ROW, kernel_size=3, depth_multiplier=2, depthwise_initializer=UNIFORM)
    family.add("DepthwiseConv2D", IMAGE, kernel_size=3, depth_multiplier=2, depthwise_regularizer=L2)
    family.add("SeparableConv1D", ROW, depth_multiplier=2, depthwise_initializer=UNIFORM, **common)
    family.add("SeparableConv2D", IMAGE, depth_multiplier=2, pointwise_constraint=MAX_NORM, **common)
    return family


def _pooling() -> _Family:
    family = _Family("pooling")
    sizes = {"1D": (ROW, 2), "2D": (IMAGE, _tuple(2, 3)), "3D": (VOLUME, _tuple(2, 1, 3))}
    for suffix, (shape, size) in sizes.items():
        for kind in ("Average", "Max"):
            family.add(f"{kind}Pooling{suffix}", shape, pool_size=size, strides=1, padding="same")
            family.add(f"Global{kind}Pooling{suffix}", shape, data_format="channels_first")
            family.add(f"Adaptive{kind}Pooling{suffix}", shape, output_size=size, dialects=KERAS_3)
    return family


def _recurrent() -> _Family:
    family = _Family("recurrent")
    family.add("SimpleRNN", ROW, units=4, activation="relu", return_sequences=True, go_backwards=True)
    family.add("GRU", ROW, units=4, reset_after=False, recurrent_activation="tanh", dropout=0.25)
    family.add("LSTM", ROW, units=4, unit_forget_bias=False, use_bias=False, kernel_regularizer=L2)
    family.add("RNN", ROW, cell=_inner("GRUCell", units=4), return_sequences=True)
    family.add("RNN", ROW, cell=[_inner("SimpleRNNCell", units=4), _inner("LSTMCell", units=2)])
    family.add("SimpleRNNCell", (3,), units=4, activation="relu", use_bias=False)
    family.add("GRUCell", (3,), units=4, reset_after=False, recurrent_dropout=0.25)
    family.add("LSTMCell", (3,), units=4, unit_forget_bias=False, activation="relu")
    family.add("StackedRNNCells", (3,), cells=[_inner("SimpleRNNCell", units=4), _inner("GRUCell", units=2)])
    common: dict[str, Any] = {"filters": 2, "kernel_size": 3, "padding": "same", "recurrent_activation": "sigmoid"}
    for suffix, shape in (("1D", (4, 8, 3)), ("2D", (4, 8, 6, 3)), ("3D", (4, 6, 6, 6, 2))):
        family.add(f"ConvLSTM{suffix}", shape, unit_forget_bias=False, return_sequences=True, **common)
    return family


def _normalization() -> _Family:
    family = _Family("normalization")
    family.add("BatchNormalization", ROW, axis=1, momentum=0.75, epsilon=0.01, center=False)
    family.add("BatchNormalization", LINE, moving_mean_initializer=CONSTANT, gamma_regularizer=L2, scale=True)
    family.add("SyncBatchNormalization", ROW, axis=1, momentum=0.75, epsilon=0.01, center=False, dialects=KERAS_2)
    family.add("LayerNormalization", ROW, axis=1, epsilon=0.01, scale=False, dialects=KERAS_2)
    family.add("LayerNormalization", ROW, axis=1, epsilon=0.01, center=False, dialects=KERAS_3)
    family.add("GroupNormalization", (8, 4), groups=2, epsilon=0.01, center=False)
    family.add("UnitNormalization", ROW, axis=1)
    family.add("RMSNormalization", ROW, axis=1, epsilon=0.01, dialects=KERAS_3)
    return family


def _attention() -> _Family:
    family = _Family("attention")
    family.add("Attention", ROW, ROW, use_scale=True, dropout=0.25)
    family.add("AdditiveAttention", ROW, ROW, use_scale=False, dropout=0.25)
    family.add("MultiHeadAttention", ROW, ROW, num_heads=2, key_dim=3, value_dim=5, use_bias=False)
    family.add("GroupQueryAttention", ROW, ROW, head_dim=3, num_query_heads=4, num_key_value_heads=2, dialects=KERAS_3)
    return family


def _embedding() -> _Family:
    family = _Family("embedding")
    family.add("Embedding", LINE, input_dim=7, output_dim=3, mask_zero=True, input_dtype="int32")
    family.add("Embedding", LINE, input_dim=5, output_dim=2, embeddings_initializer=UNIFORM, input_dtype="int32")
    family.add(
        "ReversibleEmbedding", LINE, input_dim=7, output_dim=3, tie_weights=False, input_dtype="int32",
        dialects=KERAS_3,
    )  # fmt: skip
    return family


def _locally_connected() -> _Family:
    family = _Family("locally-connected")
    common: dict[str, Any] = {"filters": 2, "kernel_size": 3, "activation": "relu", "use_bias": False}
    family.add("LocallyConnected1D", ROW, strides=2, dialects=KERAS_2, **common)
    family.add("LocallyConnected2D", IMAGE, implementation=2, dialects=KERAS_2, **common)
    return family


def _noise() -> _Family:
    family = _Family("noise")
    family.add("ActivityRegularization", LINE, l1=0.125, l2=0.25)
    family.add("AlphaDropout GaussianDropout", LINE, rate=0.25)
    family.add("Dropout", ROW, rate=0.25, noise_shape=[None, 1, 3], seed=7)
    family.add("GaussianNoise", LINE, stddev=0.25)
    family.add("SpatialDropout1D", ROW, rate=0.25)
    family.add("SpatialDropout2D", IMAGE, rate=0.25, data_format="channels_first")
    family.add("SpatialDropout3D", VOLUME, rate=0.25, data_format="channels_first")
    return family


def _activation() -> _Family:
    family = _Family("activation")
    family.add("Activation", LINE, activation="softplus")
    family.add("ELU", LINE, alpha=0.5)
    family.add("LeakyReLU", LINE, alpha=0.25, dialects=KERAS_2)
    family.add("LeakyReLU", LINE, negative_slope=0.25, dialects=KERAS_3)
    family.add("PReLU", ROW, alpha_initializer=CONSTANT, shared_axes=[1])
    family.add("ReLU", LINE, max_value=0.75, negative_slope=0.25, threshold=0.125)
    family.add("Softmax", ROW, axis=1)
    family.add("ThresholdedReLU", LINE, theta=0.25, dialects=KERAS_2)
    return family


def _reshaping() -> _Family:
    family = _Family("reshaping")
    family.add("Cropping1D", ROW, cropping=_tuple(1, 2))
    family.add("Cropping2D", IMAGE, cropping=_tuple(_tuple(1, 2), _tuple(0, 1)))
    family.add("Cropping3D", VOLUME, cropping=_tuple(_tuple(1, 2), _tuple(0, 1), _tuple(2, 0)))
    family.add("UpSampling1D", ROW, size=3)
    family.add("UpSampling2D", IMAGE, size=_tuple(2, 3), interpolation="bilinear")
    family.add("UpSampling3D", VOLUME, size=_tuple(2, 1, 3))
    family.add("ZeroPadding1D", ROW, padding=_tuple(1, 2))
    family.add("ZeroPadding2D", IMAGE, padding=_tuple(_tuple(1, 2), _tuple(0, 1)))
    family.add("ZeroPadding3D", VOLUME, padding=_tuple(_tuple(1, 2), _tuple(0, 1), _tuple(2, 0)))
    family.add("Permute", ROW, dims=_tuple(2, 1))
    family.add("RepeatVector", LINE, n=3)
    family.add("Reshape", ROW, target_shape=_tuple(4, -1))
    return family


def _preprocessing() -> _Family:
    family = _Family("preprocessing")
    old = ("keras-2.4",)
    words = ["b", "a", "c"]
    family.add("CategoryCrossing", (1,), (1,), depth=2, separator="-", dialects=old, input_dtype="string")
    family.add("CategoryEncoding", LINE, max_tokens=4, output_mode="count", dialects=old)
    family.add("CategoryEncoding", LINE, num_tokens=4, output_mode="count", dialects=AFTER_2_4)
    family.add("CenterCrop RandomCrop", IMAGE, height=3, width=2)
    family.add("Discretization", LINE, bins=[0.5, 1.5, 4.0], dialects=old)
    family.add("Discretization", LINE, bin_boundaries=[0.5, 1.5, 4.0], dialects=AFTER_2_4)
    family.add("Hashing", LINE, num_bins=3, salt=[2, 3], input_dtype="int64")
    family.add("HashedCrossing", (1,), (1,), num_bins=3, output_mode="one_hot", input_dtype="int64")
    family.add("IntegerLookup", LINE, max_values=9, vocabulary=[12, 36, 7], dialects=old, input_dtype="int64")
    family.add("IntegerLookup", LINE, vocabulary=[12, 36, 7], oov_token=-3, dialects=AFTER_2_4, input_dtype="int64")
    family.add("StringLookup", LINE, vocabulary=words, oov_token="?", input_dtype="string")
    family.add(
        "TextVectorization", (1,), max_tokens=9, output_sequence_length=4, vocabulary=words, input_dtype="string"
    )
    family.add("Normalization", LINE, axis=-1, mean=[0.5] * 5, variance=[0.25] * 5)
    family.add("Rescaling", LINE, scale=0.5, offset=-1.0)
    family.add("Resizing", IMAGE, height=3, width=2, interpolation="nearest")
    family.add("RandomFourierFeatures", LINE, output_dim=4, kernel_initializer="laplacian", scale=2.0, dialects=KERAS_2)
    _augmentation(family)
    return family


def _augmentation(family: _Family) -> None:
    scale = _tuple(0.0, 1.0)
    family.add("RandomContrast", IMAGE, factor=0.25, seed=7)
    family.add("RandomFlip", IMAGE, mode="vertical", seed=7)
    family.add("RandomHeight RandomWidth", IMAGE, factor=0.25, interpolation="nearest", dialects=KERAS_2)
    family.add("RandomRotation", IMAGE, factor=_tuple(-0.25, 0.5), fill_mode="wrap", seed=7)
    family.add("RandomTranslation", IMAGE, height_factor=0.25, width_factor=0.5, fill_mode="constant")
    family.add("RandomZoom", IMAGE, height_factor=0.25, width_factor=0.5, interpolation="nearest")
    family.add("RandomBrightness", IMAGE, factor=0.25, value_range=scale, seed=7)
    family.add("AutoContrast", IMAGE, value_range=scale, dialects=KERAS_3)
    family.add(
        "RandomColorDegeneration RandomErasing RandomGaussianBlur RandomHue RandomInvert RandomSaturation "
        "RandomSharpness", IMAGE, factor=0.25, value_range=scale, seed=7, dialects=KERAS_3,
    )  # fmt: skip
    family.add("RandomPosterization", IMAGE, factor=5, value_range=scale, dialects=KERAS_3)
    family.add("RandomColorJitter", IMAGE, brightness_factor=0.25, hue_factor=0.125, dialects=KERAS_3)
    family.add("RandomElasticTransform RandomPerspective", IMAGE, factor=0.25, scale=0.5, dialects=KERAS_3)
    family.add("RandomGrayscale CutMix", IMAGE, factor=0.25, seed=7, dialects=KERAS_3)
    family.add("RandomShear", IMAGE, x_factor=0.25, y_factor=0.5, fill_mode="constant", dialects=KERAS_3)
    family.add("AugMix", IMAGE, num_chains=2, chain_depth=1, factor=0.25, dialects=KERAS_3)
    family.add("RandAugment", IMAGE, num_ops=1, factor=0.25, dialects=KERAS_3)
    family.add("MixUp", IMAGE, alpha=0.5, seed=7, dialects=KERAS_3)
    family.add("Equalization", IMAGE, bins=16, dialects=KERAS_3)
    family.add(
        "ContrastLimitedAdaptiveHistogramEqualization", IMAGE, clip_limit=2.0, tile_grid_size=_tuple(2, 2),
        dialects=KERAS_3,
    )  # fmt: skip
    family.add("Solarization", IMAGE, addition_factor=0.25, threshold_factor=0.5, dialects=KERAS_3)
    family.add("MaxNumBoundingBoxes", (3, 4), max_number=2, fill_value=-2, dialects=KERAS_3)
    family.add("MelSpectrogram", (400,), fft_length=64, sequence_stride=32, num_mel_bins=8, dialects=KERAS_3)
    family.add("STFTSpectrogram", (400, 1), mode="real", frame_length=64, window=None, dialects=KERAS_3)


def _wrapper() -> _Family:
    family = _Family("wrapper")
    family.add("TimeDistributed", ROW, layer=_inner("Dense", units=4, activation="tanh"))
    family.add("Bidirectional", ROW, layer=_inner("GRU", units=4, return_sequences=True), merge_mode="sum")
    family.add(
        "Bidirectional", ROW, layer=_inner("LSTM", units=4),
        backward_layer=_inner("LSTM", units=4, activation="relu", go_backwards=True),
    )  # fmt: skip
    family.add("SpectralNormalization", IMAGE, layer=_inner("Conv2D", filters=2, kernel_size=3), power_iterations=2)
    return family


_FAMILIES = (
    _core, _merge, _convolution, _pooling, _recurrent, _normalization, _attention, _embedding, _locally_connected,
    _noise, _activation, _reshaping, _preprocessing, _wrapper,
)  # fmt: skip

CATALOGUE: tuple[CatalogueEntry, ...] = tuple(entry for family in _FAMILIES for entry in family().entries)
