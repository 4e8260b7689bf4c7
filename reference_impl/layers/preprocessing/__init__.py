"""Layers that prepare data: vocabularies, hashing, scaling, images.

What of their state is where:

=================== =============================================== ==========================================
layer               TensorFlow 2.4                                  later
=================== =============================================== ==========================================
Normalization       weights mean, variance, count                   the same; none if given as arguments
CategoryEncoding    weight idf (only tf-idf)                        none
StringLookup, …     a table in checkpoints; HDF5 refuses            config if given, else asset vocabulary.txt
TextVectorization   the same, of the layer inside it                the same
Discretization      config                                          config, or boundaries learned by adapt: none
RandomCrop, …       a generator's state in checkpoints              none
others              none                                            none
=================== =============================================== ==========================================
"""

# ruff: noqa: F401
# pyright: reportUnusedImport=false

from reference_impl.layers.preprocessing.base import PreprocessingLayer
from reference_impl.layers.preprocessing.category_encoding import CategoryEncoding
from reference_impl.layers.preprocessing.discretization import Discretization
from reference_impl.layers.preprocessing.hashing import CategoryCrossing, HashedCrossing, Hashing
from reference_impl.layers.preprocessing.images import (
    CenterCrop,
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
)
from reference_impl.layers.preprocessing.index_lookup import IntegerLookup, StringLookup
from reference_impl.layers.preprocessing.normalization import Normalization
from reference_impl.layers.preprocessing.text_vectorization import TextVectorization
