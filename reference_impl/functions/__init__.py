"""TensorFlow's functions, as far as layers, losses and the guide need them.

Each takes tensors, variables, arrays or numbers and is a call or two of the table of ops. A module a family; this
page gathers them, so that a layer writes ``functions.matmul``.
"""

# ruff: noqa: F401
# pyright: reportUnusedImport=false

from __future__ import annotations

from reference_impl.functions import blocks, compat, diagonals, indexing, sorting
from reference_impl.functions.api import FUNCTIONS, KerasSymbol, api, holds_keras_symbol
from reference_impl.functions.arrays import (
    broadcast_to,
    concat,
    expand_dims,
    gather,
    getitem,
    one_hot,
    reshape,
    shape,
    squeeze,
    stack,
    tile,
    transpose,
)
from reference_impl.functions.buckets import bucketize
from reference_impl.functions.convolution import conv_transpose, convolution, depthwise_conv2d
from reference_impl.functions.derived import (
    add_n,
    norm,
    rank,
    reciprocal,
    reduce_logsumexp,
    reduce_std,
    reduce_variance,
    repeat,
    reverse,
    silu,
    split,
    tensordot,
    unstack,
)
from reference_impl.functions.einsum import einsum
from reference_impl.functions.elementwise import (
    abs,
    add,
    cast_to,
    clip_by_value,
    cos,
    divide,
    divide_no_nan,
    elu,
    equal,
    erf,
    exp,
    expm1,
    floor,
    floordiv,
    greater,
    greater_equal,
    identity,
    leaky_relu,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    ones_like,
    operator_add,
    pow,
    relu,
    relu6,
    round,
    rsqrt,
    selu,
    sigmoid,
    sign,
    sin,
    softplus,
    softsign,
    sqrt,
    square,
    squared_difference,
    stop_gradient,
    subtract,
    tanh,
    where,
    zeros_like,
)
from reference_impl.functions.images import pad, repeat_elements, resize, slice_of
from reference_impl.functions.making import (
    constant,
    convert_to_tensor,
    fill,
    ones,
    random_normal,
    random_uniform,
    set_seed,
    truncated_normal,
    zeros,
)
from reference_impl.functions.nn import (
    bias_add,
    dropout,
    log_softmax,
    sigmoid_cross_entropy_with_logits,
    softmax,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)
from reference_impl.functions.pooling import avg_pool, max_pool
from reference_impl.functions.products import matmul
from reference_impl.functions.reductions import (
    argmax,
    l2_normalize,
    reduce_all,
    reduce_any,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from reference_impl.functions.scans import cumsum
from reference_impl.functions.strings import (
    as_string,
    cross,
    cross_hashed,
    lookup,
    ngrams,
    regex_replace,
    split_characters,
    split_words,
    string_lower,
    to_hash_bucket_fast,
    to_hash_bucket_strong,
)
from reference_impl.functions.transforms import transform
