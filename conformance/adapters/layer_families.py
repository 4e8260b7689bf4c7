"""The layer classes of all Keras generations, by the families of the capabilities.

Only names a user can construct by themselves: no base classes, no second names for one class
(`Convolution2D`), and nothing that wraps a function or a file.
"""

from __future__ import annotations

from typing import Dict, List


def _dimensions(*names: str) -> List[str]:
    return [name + size for name in names for size in ("1D", "2D", "3D")]


LAYER_FAMILIES: Dict[str, List[str]] = {
    "core": ["Dense", "EinsumDense", "Flatten", "Identity", "InputLayer", "Masking"],
    "merge": ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"],
    "convolution": [
        *_dimensions("Conv"),
        "Conv1DTranspose",
        "Conv2DTranspose",
        "Conv3DTranspose",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "SeparableConv1D",
        "SeparableConv2D",
    ],
    "pooling": [
        *_dimensions("AveragePooling", "MaxPooling", "GlobalAveragePooling", "GlobalMaxPooling"),
        *_dimensions("AdaptiveAveragePooling", "AdaptiveMaxPooling"),
    ],
    "recurrent": [
        "SimpleRNN",
        "GRU",
        "LSTM",
        "RNN",
        "SimpleRNNCell",
        "GRUCell",
        "LSTMCell",
        "StackedRNNCells",
        *_dimensions("ConvLSTM"),
    ],
    "normalization": [
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "RMSNormalization",
        "SyncBatchNormalization",
        "UnitNormalization",
    ],
    "attention": ["Attention", "AdditiveAttention", "GroupQueryAttention", "MultiHeadAttention"],
    "embedding": ["Embedding", "ReversibleEmbedding"],
    "locally-connected": ["LocallyConnected1D", "LocallyConnected2D"],
    "noise": [
        "ActivityRegularization",
        "AlphaDropout",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        *_dimensions("SpatialDropout"),
    ],
    "activation": ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"],
    "reshaping": [
        *_dimensions("Cropping", "UpSampling", "ZeroPadding"),
        "Permute",
        "RepeatVector",
        "Reshape",
    ],
    "preprocessing": [
        "AugMix",
        "AutoContrast",
        "CategoryCrossing",
        "CategoryEncoding",
        "CenterCrop",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "CutMix",
        "Discretization",
        "Equalization",
        "HashedCrossing",
        "Hashing",
        "IntegerLookup",
        "MaxNumBoundingBoxes",
        "MelSpectrogram",
        "MixUp",
        "Normalization",
        "RandAugment",
        "RandomBrightness",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomContrast",
        "RandomCrop",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomFlip",
        "RandomFourierFeatures",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomHeight",
        "RandomHue",
        "RandomInvert",
        "RandomPerspective",
        "RandomPosterization",
        "RandomRotation",
        "RandomSaturation",
        "RandomSharpness",
        "RandomShear",
        "RandomTranslation",
        "RandomWidth",
        "RandomZoom",
        "Rescaling",
        "Resizing",
        "STFTSpectrogram",
        "Solarization",
        "StringLookup",
        "TextVectorization",
    ],
    "wrapper": ["Bidirectional", "SpectralNormalization", "TimeDistributed"],
}
