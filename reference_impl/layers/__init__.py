"""Keras's layers.

``BUILTIN`` is what a class name in a config can stand for; ``serialize`` and ``deserialize`` go between layers and
their config form.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from reference_impl.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from reference_impl.layers.attention import AdditiveAttention, Attention
from reference_impl.layers.base import Layer
from reference_impl.layers.convolution import Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose
from reference_impl.layers.core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Lambda,
    Permute,
    RepeatVector,
    Reshape,
)
from reference_impl.layers.einsum_dense import EinsumDense
from reference_impl.layers.embedding import Embedding
from reference_impl.layers.input_layer import Input, InputLayer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.layers.kernelized import RandomFourierFeatures
from reference_impl.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from reference_impl.layers.masking import Masking
from reference_impl.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from reference_impl.layers.multi_head_attention import MultiHeadAttention
from reference_impl.layers.noise import (
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from reference_impl.layers.normalization import BatchNormalization, SyncBatchNormalization
from reference_impl.layers.op_layer import AddLoss, AddMetric, SlicingOpLambda, TFOpLambda
from reference_impl.layers.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from reference_impl.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from reference_impl.layers.preprocessing import (
    CategoryCrossing,
    CategoryEncoding,
    CenterCrop,
    Discretization,
    HashedCrossing,
    Hashing,
    IntegerLookup,
    Normalization,
    PreprocessingLayer,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
    Rescaling,
    Resizing,
    StringLookup,
    TextVectorization,
)
from reference_impl.layers.recurrent.base import RNN, AbstractRNNCell
from reference_impl.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from reference_impl.layers.recurrent.cudnn import CuDNNGRU, CuDNNLSTM
from reference_impl.layers.recurrent.gru import GRU, GRUCell
from reference_impl.layers.recurrent.lstm import LSTM, LSTMCell
from reference_impl.layers.recurrent.peephole import PeepholeLSTMCell
from reference_impl.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from reference_impl.layers.recurrent.stacked import StackedRNNCells
from reference_impl.layers.refused import REFUSED
from reference_impl.layers.sample_normalization import GroupNormalization, LayerNormalization, UnitNormalization
from reference_impl.layers.separable import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from reference_impl.layers.tf_op_layer import TensorFlowOpLayer
from reference_impl.layers.wrappers import Bidirectional, TimeDistributed, Wrapper
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects

# Other names that Keras has for the same classes, in programs and in configs.
Convolution1D = Conv1D
MaxPool1D = MaxPooling1D
AvgPool1D = AveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalAvgPool1D = GlobalAveragePooling1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
MaxPool3D = MaxPooling3D
AvgPool3D = AveragePooling3D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool3D = GlobalAveragePooling3D
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

BUILTIN: dict[str, Any] = {
    name: found
    for name, found in list(globals().items())
    if isinstance(found, type) and issubclass(found, Layer) and found not in (Layer, AbstractRNNCell)
}
"""All layers of this package by all their names; the base classes are no layers of a model."""


@cache
def _with_models() -> Objects:
    from reference_impl import models

    model_classes = {"Model": models.Model, "Functional": models.Functional, "Sequential": models.Sequential}
    return {
        **REFUSED,
        **BUILTIN,
        **model_classes,
        "BatchNormalizationV2": BatchNormalization,
        "BatchNormalizationV1": BatchNormalization,
    }


KIND = generic.Kind("layer", _with_models)


def serialize(layer: Any) -> Any:
    """``{"class_name", "config"}``; a registered class is named ``package>name``."""
    return generic.serialize(layer)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """The layer or model of a config form; :class:`~reference_impl.LoadError` ("Unknown layer: NAME") if unknown."""
    return generic.deserialize(KIND, config, custom_objects)


__all__ = [
    "BUILTIN",
    "ELU",
    "GRU",
    "KIND",
    "LSTM",
    "RNN",
    "AbstractRNNCell",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AddLoss",
    "AddMetric",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryCrossing",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "PeepholeLSTMCell",
    "Permute",
    "PreprocessingLayer",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomFourierFeatures",
    "RandomHeight",
    "RandomRotation",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "SlicingOpLambda",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "SyncBatchNormalization",
    "TFOpLambda",
    "TensorFlowOpLayer",
    "TextVectorization",
    "ThresholdedReLU",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]  # fmt: skip
