"""Calls of ops, for TensorFlow to make functions of. Read by every library: Python 3.8, the standard library, NumPy.

By name: the op, its inputs and its attributes by TensorFlow's names, and in ``more``

``gradients``  the inputs that the sum of the outputs, times fixed numbers, is differentiated for
``tolerance``  ε of |a - b| ≤ ε · max(1, max|expected|); 2e-5 if not given
``but``        libraries that have no such op
"""

import numpy as np


def numbers(*shape, **options):
    """Different numbers between -1 and 1, or from ``low`` to ``high``."""
    low, high = options.get("low", -1.0), options.get("high", 1.0)
    found = np.sin(np.arange(int(np.prod(shape)), dtype="float64") * 1.7 + options.get("start", 0.3))
    return ((found + 1) / 2 * (high - low) + low).reshape(shape).astype(options.get("dtype", "float32"))


def ints(*values):
    return np.array(values, "int32")


def int32(value):
    return np.array(value, "int32")


def longs(values):
    return np.array(values, "int64")


def texts(*values):
    return np.array(values, dtype=object)


X = numbers(3, 4)
POSITIVE = numbers(3, 4, low=0.2, high=2.0)
IMAGES = numbers(2, 4, 6, 3)
COLORS = numbers(2, 4, 4, 3, low=0.05, high=0.95)
VOLUME = numbers(2, 3, 4)
INTEGERS = np.array([[7, -7, 5], [-5, 0, 12]], "int32")
DIVISORS = np.array([[2, 2, -3], [3, 5, -5]], "int32")
SEED = longs([3, 5])
KEY, COUNTER = np.array([77], "uint64"), np.array([5, 9], "uint64")
LATER = {"tf2.4": "2.4 has no such op"}

CALLS = {}


def add(name, op, inputs, attrs=None, **more):
    CALLS[name] = (op, inputs, attrs or {}, more)


for _op in ("Tan", "Sinh", "Cosh", "Asin", "Acos", "Atan", "Asinh", "Atanh", "Erfc", "Ceil", "Rint"):
    _more = {} if _op in ("Ceil", "Rint") else {"gradients": ["x"]}
    add(_op.lower(), _op, {"x": X * np.float32(0.9)}, **_more)
for _op in ("Acosh", "Inv", "Lgamma", "Digamma"):
    _name = {"Acosh": "x", "Inv": "x"}.get(_op, "x")
    _low = {"Acosh": 1.0}.get(_op, 0.0)
    add(_op.lower(), _op, {_name: POSITIVE + np.float32(_low)}, gradients=["x"] if _op != "Digamma" else [])
for _op in ("IsNan", "IsInf", "IsFinite"):
    add(_op.lower(), _op, {"x": np.array([1, np.nan, np.inf, -np.inf], "float32")})
for _op in ("Add", "Div", "Atan2", "Xdivy", "Xlogy", "MulNoNan"):
    _names = ("y", "x") if _op == "Atan2" else ("x", "y")
    add(
        _op.lower(), _op, {_names[0]: X, _names[1]: POSITIVE if _op == "Atan2" else POSITIVE[0]}, gradients=list(_names)
    )
add("xlog1py", "Xlog1py", {"x": X, "y": POSITIVE[0]}, gradients=["x", "y"])
for _op in ("Div", "TruncateDiv", "TruncateMod", "Mod", "FloorDiv", "FloorMod"):
    add(_op.lower() + "-integers", _op, {"x": INTEGERS, "y": DIVISORS})
for _op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
    add(_op.lower(), _op, {"x": INTEGERS, "y": DIVISORS})
add("invert", "Invert", {"x": INTEGERS})
add("left-shift", "LeftShift", {"x": INTEGERS, "y": np.abs(DIVISORS)})
add("right-shift", "RightShift", {"x": INTEGERS, "y": np.abs(DIVISORS)})
add("approximate-equal", "ApproximateEqual", {"x": X, "y": X + np.float32(0.01)}, {"tolerance": 0.02})
add("select-rows", "Select", {"condition": np.array([True, False, True]), "x": X, "y": -X}, gradients=["x", "y"])
add(
    "clip",
    "ClipByValue",
    {"t": X, "clip_value_min": np.float32(-0.5), "clip_value_max": np.float32(0.4)},
)
add("l2-loss", "L2Loss", {"t": X}, gradients=["t"])
add("sigmoid-grad", "SigmoidGrad", {"y": POSITIVE, "dy": X})
add("tanh-grad", "TanhGrad", {"y": POSITIVE, "dy": X})
add("sqrt-grad", "SqrtGrad", {"y": POSITIVE, "dy": X})
add("rsqrt-grad", "RsqrtGrad", {"y": POSITIVE, "dy": X})
add("reciprocal-grad", "ReciprocalGrad", {"y": POSITIVE, "dy": X})
for _op in ("ReluGrad", "Relu6Grad", "LeakyReluGrad", "SoftplusGrad", "SoftsignGrad"):
    add(_op.lower(), _op, {"gradients": X, "features": X[::-1] * np.float32(7)})
for _op in ("EluGrad", "SeluGrad"):
    add(_op.lower(), _op, {"gradients": X, "outputs": X[::-1]})
add("bitcast-narrower", "Bitcast", {"input": longs([1, -5])}, {"type": "uint32"})
add("bitcast-wider", "Bitcast", {"input": np.array([[1, 2]], "int32")}, {"type": "int64"})
add("bitcast-same", "Bitcast", {"input": X}, {"type": "int32"})
add("complex", "Complex", {"real": X, "imag": X[::-1]})
add("real-of-fft", "FFT", {"input": (X + 1j * X[::-1]).astype("complex64")})
add("rfft", "RFFT", {"input": numbers(2, 6), "fft_length": ints(5)})
add("irfft", "IRFFT", {"input": (X + 1j * X[::-1]).astype("complex64"), "fft_length": ints(6)})
add("fft2d", "FFT2D", {"input": (X + 1j * X[::-1]).astype("complex64")})
add("euclidean-norm", "EuclideanNorm", {"input": X, "axis": ints(1)}, gradients=["input"])
for _exclusive in (False, True):
    for _reverse in (False, True):
        _attrs = {"exclusive": _exclusive, "reverse": _reverse}
        add(f"cumprod-{_exclusive:d}{_reverse:d}", "Cumprod", {"x": X, "axis": int32(1)}, _attrs)

# -- apart and around

add("split", "Split", {"axis": int32(1), "value": X}, {"num_split": 2}, gradients=["value"])
add(
    "split-sizes",
    "SplitV",
    {"value": X, "size_splits": longs([1, -1]), "axis": int32(-1)},
    {"num_split": 2},
    gradients=["value"],
)
add("unpack", "Unpack", {"value": VOLUME}, {"num": 3, "axis": 1}, gradients=["value"])
add("reverse", "ReverseV2", {"tensor": VOLUME, "axis": ints(0, -1)}, gradients=["tensor"])
add(
    "reverse-sequence",
    "ReverseSequence",
    {"input": VOLUME, "seq_lengths": longs([2, 3])},
    {"seq_dim": 1, "batch_dim": 0},
    gradients=["input"],
)
add("roll", "Roll", {"input": X, "shift": ints(1, -1), "axis": ints(0, 1)}, gradients=["input"])
add("range", "Range", {"start": int32(2), "limit": int32(11), "delta": int32(3)})
add("range-down", "Range", {"start": np.float32(2), "limit": np.float32(-1), "delta": np.float32(-0.5)})
add("linspace", "LinSpace", {"start": np.float32(2), "stop": np.float32(5), "num": int32(4)})
add("rank", "Rank", {"input": VOLUME})
add("size", "Size", {"input": VOLUME}, {"out_type": "int64"})
add("invert-permutation", "InvertPermutation", {"x": ints(2, 0, 3, 1)})
add("broadcast-args", "BroadcastArgs", {"s0": ints(3, 1), "s1": ints(2, 1, 4)})
add("broadcast-gradient-args", "BroadcastGradientArgs", {"s0": ints(3, 1), "s1": ints(2, 1, 4)})
add("broadcast-gradient-args-ones", "BroadcastGradientArgs", {"s0": ints(1, 1), "s1": ints(2, 1, 1)})
add("expand-dims-of-a-list", "ExpandDims", {"input": X, "axis": ints(1)})

# -- picking

TIES = np.array([[3, 1, 3, 2, 3], [0, 5, 5, 1, 0]], "float32")
add("top-k", "TopKV2", {"input": TIES, "k": int32(3)}, gradients=["input"])
add("top-k-of-all", "TopKV2", {"input": VOLUME, "k": int32(4)}, gradients=["input"])
add("top-k-later", "TopKV2", {"input": TIES, "k": int32(2)}, {"index_type": "int64"}, but=LATER)
add("in-top-k", "InTopKV2", {"predictions": TIES, "targets": ints(3, 2), "k": int32(2)})
add("nth-element", "NthElement", {"input": VOLUME, "n": int32(1)}, {"reverse": True})
add("unique", "Unique", {"x": ints(5, 1, 5, 2, 1)})
add("unique-strings", "Unique", {"x": texts("b", "a", "b")}, {"out_idx": "int64"})
add("unique-counted", "UniqueWithCounts", {"x": ints(5, 1, 5, 2, 1)})
add("where", "Where", {"condition": INTEGERS > 0})
add("gather-nd", "GatherNd", {"params": X, "indices": ints(0, 1, 2, 3).reshape(2, 2)}, gradients=["params"])
add(
    "gather-batch",
    "GatherV2",
    {"params": VOLUME, "indices": ints(2, 0, 1, 1).reshape(2, 2), "axis": int32(1)},
    {"batch_dims": 1},
    gradients=["params"],
)
add("gather-later-axis", "GatherV2", {"params": VOLUME, "indices": ints(3, 0), "axis": int32(-1)}, gradients=["params"])
add("gather-first", "Gather", {"params": X, "indices": ints(2, 0, 2)}, gradients=["params"])
add(
    "scatter-nd",
    "ScatterNd",
    {"indices": ints(3, 1, 3).reshape(3, 1), "updates": X, "shape": ints(5, 4)},
    gradients=["updates"],
)
for _op in ("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub"):
    add(
        _op.lower(),
        _op,
        {"tensor": X, "indices": ints(2, 0).reshape(2, 1), "updates": -X[:2]},
        gradients=["tensor", "updates"],
    )
add("dynamic-partition", "DynamicPartition", {"data": X, "partitions": ints(1, 0, 1)}, {"num_partitions": 3})
add("dynamic-stitch", "DynamicStitch", {"indices": [ints(2, 0), ints(1, 2)], "data": [X[:2], X[1:]]})
add("unravel-index", "UnravelIndex", {"indices": ints(5, 7), "dims": ints(3, 4)})
add("segment-sum", "SegmentSum", {"data": X, "segment_ids": ints(0, 0, 2)}, gradients=["data"])
add("segment-mean", "SegmentMean", {"data": X, "segment_ids": ints(0, 0, 2)})
for _op in ("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin", "UnsortedSegmentProd"):
    add(_op.lower(), _op, {"data": X, "segment_ids": ints(2, 0, 2), "num_segments": int32(4)})

# -- matrices

K = numbers(2, 3, 5)
add("band", "MatrixBandPart", {"input": K, "num_lower": longs(1), "num_upper": longs(-1)}, gradients=["input"])
add("diag", "Diag", {"diagonal": X[0]}, gradients=["diagonal"])
add("diag-part", "DiagPart", {"input": numbers(3, 3)}, gradients=["input"])
add("matrix-diag", "MatrixDiag", {"diagonal": X}, gradients=["diagonal"])
add("matrix-diag-part", "MatrixDiagPart", {"input": K}, gradients=["input"])
for _align in ("RIGHT_LEFT", "LEFT_LEFT", "LEFT_RIGHT", "RIGHT_RIGHT"):
    for _low, _high in ((0, 0), (-1, 2), (1, 2), (-2, -1)):
        _name = f"{_align.lower()}-{_low}-{_high}"
        _k = ints(_low, _high)
        _inputs = {"input": K, "k": _k, "padding_value": np.float32(9)}
        add("diag-part-v3-" + _name, "MatrixDiagPartV3", _inputs, {"align": _align}, gradients=["input"])
add(
    "diag-v3",
    "MatrixDiagV3",
    {"diagonal": X, "k": int32(1), "num_rows": int32(-1), "num_cols": int32(-1), "padding_value": np.float32(0)},
    gradients=["diagonal"],
)
add(
    "diag-v3-below",
    "MatrixDiagV3",
    {"diagonal": X, "k": int32(-2), "num_rows": int32(6), "num_cols": int32(5), "padding_value": np.float32(3)},
)
add(
    "diag-v3-band",
    "MatrixDiagV3",
    {
        "diagonal": numbers(2, 3, 4),
        "k": ints(-1, 1),
        "num_rows": int32(-1),
        "num_cols": int32(-1),
        "padding_value": np.float32(0),
    },
)
add(
    "set-diag-v3",
    "MatrixSetDiagV3",
    {"input": K, "diagonal": numbers(2, 3), "k": int32(1)},
    gradients=["input", "diagonal"],
)
SQUARE = numbers(2, 3, 3) + 2 * np.eye(3, dtype="float32")
add("inverse", "MatrixInverse", {"input": SQUARE}, gradients=["input"], tolerance=1e-4)
add("inverse-adjoint", "MatrixInverse", {"input": SQUARE}, {"adjoint": True}, tolerance=1e-4)
add("cholesky", "Cholesky", {"input": np.matmul(SQUARE, SQUARE.transpose(0, 2, 1))})
add("solve", "MatrixSolve", {"matrix": SQUARE, "rhs": numbers(2, 3, 2)}, {"adjoint": True})
for _op in ("BatchMatMul", "BatchMatMulV3"):
    _more = {"but": LATER} if _op.endswith("3") else {}
    _attrs = {"Tout": "float32"} if _op.endswith("3") else {}
    add(_op.lower(), _op, {"x": K, "y": numbers(2, 5, 2)}, _attrs, gradients=["x", "y"], **_more)
add("conjugate-transpose", "ConjugateTranspose", {"x": (X + 1j * X[::-1]).astype("complex64"), "perm": ints(1, 0)})

# -- images

for _training in (True, False):
    for _format in ("NHWC",):
        _inputs = {"x": IMAGES, "scale": numbers(3, low=0.5, high=2.0), "offset": numbers(3)}
        _inputs["mean"] = np.zeros(0, "float32") if _training else numbers(3)
        _inputs["variance"] = np.zeros(0, "float32") if _training else numbers(3, low=0.5, high=2.0)
        for _op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
            add(
                f"{_op.lower()}-{_training:d}",
                _op,
                _inputs,
                {"is_training": _training, "data_format": _format},
                gradients=["x", "scale", "offset"],
                outputs=3,
            )
add(
    "fused-moving",
    "FusedBatchNormV3",
    {
        "x": IMAGES,
        "scale": numbers(3),
        "offset": numbers(3),
        "mean": numbers(3),
        "variance": numbers(3, low=0.5, high=2.0),
    },
    {"is_training": True, "exponential_avg_factor": 0.25},
    outputs=3,
)
add("contrast", "AdjustContrastv2", {"images": COLORS, "contrast_factor": np.float32(1.7)})
add("to-hsv", "RGBToHSV", {"images": COLORS})
add("to-rgb", "HSVToRGB", {"images": COLORS})
add("hue", "AdjustHue", {"images": COLORS, "delta": np.float32(0.3)})
add("saturation", "AdjustSaturation", {"images": COLORS, "scale": np.float32(0.6)})
add("space-to-depth", "SpaceToDepth", {"input": IMAGES}, {"block_size": 2}, gradients=["input"])
add("depth-to-space", "DepthToSpace", {"input": numbers(2, 3, 3, 8)}, {"block_size": 2}, gradients=["input"])
add(
    "space-to-batch",
    "SpaceToBatch",
    {"input": IMAGES, "paddings": ints(1, 1, 0, 0).reshape(2, 2)},
    {"block_size": 2},
    gradients=["input"],
)
add(
    "batch-to-space",
    "BatchToSpace",
    {"input": numbers(4, 2, 3, 1), "crops": ints(0, 1, 1, 0).reshape(2, 2)},
    {"block_size": 2},
    gradients=["input"],
)
for _padding in ("SAME", "VALID"):
    add(
        "patches-" + _padding,
        "ExtractImagePatches",
        {"images": IMAGES},
        {"ksizes": [1, 2, 3, 1], "strides": [1, 2, 2, 1], "rates": [1, 1, 2, 1], "padding": _padding},
    )
    add(
        "dilation-" + _padding,
        "Dilation2D",
        {"input": IMAGES, "filter": numbers(2, 2, 3)},
        {"strides": [1, 1, 2, 1], "rates": [1, 1, 1, 1], "padding": _padding},
    )
    add(
        "max-places-" + _padding,
        "MaxPoolWithArgmax",
        {"input": IMAGES},
        {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": _padding},
        gradients=["input"],
    )
add(
    "lrn",
    "LRN",
    {"input": numbers(1, 2, 2, 9)},
    {"depth_radius": 2, "bias": 1.5, "alpha": 0.7, "beta": 0.6},
    gradients=["input"],
)
add("bias-grad", "BiasAddGrad", {"out_backprop": IMAGES})
add(
    "mirror-grad",
    "MirrorPadGrad",
    {"input": numbers(5, 6), "paddings": ints(1, 1, 2, 0).reshape(2, 2)},
    {"mode": "REFLECT"},
)
add(
    "mirror-grad-symmetric",
    "MirrorPadGrad",
    {"input": numbers(5, 6), "paddings": ints(1, 1, 2, 0).reshape(2, 2)},
    {"mode": "SYMMETRIC"},
)
add(
    "crop-and-resize",
    "CropAndResize",
    {
        "image": IMAGES,
        "boxes": np.array([[0.1, 0.2, 0.8, 0.9], [-0.2, 0, 0.5, 1.3]], "float32"),
        "box_ind": ints(1, 0),
        "crop_size": ints(3, 4),
    },
    {"extrapolation_value": 0.25},
)
BOXES = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3], [0, 2.05, 1, 3.1], [5, 5, 6, 6]], "float32")
SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.1], "float32")
add(
    "suppression",
    "NonMaxSuppressionV3",
    {
        "boxes": BOXES,
        "scores": SCORES,
        "max_output_size": int32(3),
        "iou_threshold": np.float32(0.5),
        "score_threshold": np.float32(0.2),
    },
)
add(
    "suppression-of-classes",
    "CombinedNonMaxSuppression",
    {
        "boxes": BOXES.reshape(1, 5, 1, 4) / np.float32(7),
        "scores": np.stack([SCORES, SCORES[::-1]], axis=1).reshape(1, 5, 2),
        "max_output_size_per_class": int32(2),
        "max_total_size": int32(3),
        "iou_threshold": np.float32(0.5),
        "score_threshold": np.float32(0.2),
    },
)
RANGE = {"min": np.float32(-0.7), "max": np.float32(0.6)}
add(
    "fake-quantized",
    "FakeQuantWithMinMaxVars",
    dict(RANGE, inputs=X),
    {"num_bits": 4},
    gradients=["inputs", "min", "max"],
)
add("fake-quantized-narrow", "FakeQuantWithMinMaxVars", dict(RANGE, inputs=X), {"narrow_range": True})
add("fake-quantized-fixed", "FakeQuantWithMinMaxArgs", {"inputs": X}, {"min": -0.5, "max": 0.8}, gradients=["inputs"])
add(
    "fake-quantized-channels",
    "FakeQuantWithMinMaxVarsPerChannel",
    {"inputs": X, "min": -numbers(4, low=0.2, high=0.7), "max": numbers(4, low=0.2, high=0.9)},
    gradients=["inputs", "min", "max"],
)

# -- counting, rows, sparse tensors

COUNTED = ints(1, 4, 1, 0, 2, 9)
add("bincount", "Bincount", {"arr": COUNTED, "size": int32(5), "weights": np.zeros(0, "float32")})
add("bincount-weights", "DenseBincount", {"input": COUNTED.reshape(2, 3), "size": int32(5), "weights": numbers(2, 3)})
add(
    "bincount-binary",
    "DenseBincount",
    {"input": COUNTED.reshape(2, 3), "size": int32(5), "weights": np.zeros(0, "float32")},
    {"binary_output": True},
)
add(
    "bincount-ragged",
    "RaggedBincount",
    {"splits": longs([0, 2, 2, 6]), "values": COUNTED, "size": int32(5), "weights": np.zeros(0, "float32")},
)
add(
    "histogram",
    "HistogramFixedWidth",
    {"values": X, "value_range": np.array([-0.5, 0.5], "float32"), "nbins": int32(4)},
)
add(
    "ragged-splits",
    "RaggedTensorToTensor",
    {
        "shape": longs([-1, -1]),
        "values": COUNTED,
        "default_value": int32(-1),
        "row_partition_tensors": [longs([0, 2, 2, 6])],
    },
    {"row_partition_types": ["ROW_SPLITS"]},
)
add(
    "ragged-cut",
    "RaggedTensorToTensor",
    {
        "shape": longs([4, 3]),
        "values": COUNTED,
        "default_value": int32(-1),
        "row_partition_tensors": [longs([0, 2, 2, 6])],
    },
    {"row_partition_types": ["ROW_SPLITS"]},
)
add(
    "ragged-ids",
    "RaggedTensorToTensor",
    {"values": COUNTED, "default_value": int32(-1), "row_partition_tensors": [longs(4), longs([0, 0, 1, 3, 3, 3])]},
    {"shape": np.int64(-1), "row_partition_types": ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]},
)
add(
    "ragged-twice",
    "RaggedTensorToTensor",
    {
        "values": numbers(6, 2),
        "default_value": np.float32(7),
        "row_partition_tensors": [longs([0, 1, 3]), longs([0, 2, 3, 6])],
    },
    {"shape": np.int64(-1), "row_partition_types": ["ROW_SPLITS", "ROW_SPLITS"]},
)
add("ragged-range", "RaggedRange", {"starts": ints(0, 5), "limits": ints(3, 1), "deltas": ints(1, -2)})
add("lower-bound", "LowerBound", {"sorted_inputs": np.sort(X, axis=1), "values": X})
add("upper-bound", "UpperBound", {"sorted_inputs": np.sort(X, axis=1), "values": np.sort(X, axis=1)})
PLACES = longs([[0, 1], [1, 0], [1, 3]])
VALUES = numbers(3)
add(
    "to-dense",
    "SparseToDense",
    {"sparse_indices": PLACES, "output_shape": longs([3, 4]), "sparse_values": VALUES, "default_value": np.float32(2)},
)
add(
    "sparse-times-dense",
    "SparseTensorDenseMatMul",
    {"a_indices": PLACES, "a_values": VALUES, "a_shape": longs([3, 4]), "b": numbers(4, 2)},
    gradients=["a_values", "b"],
)
add(
    "sparse-turned-times-dense",
    "SparseTensorDenseMatMul",
    {"a_indices": PLACES, "a_values": VALUES, "a_shape": longs([3, 4]), "b": numbers(2, 3)},
    {"adjoint_a": True, "adjoint_b": True},
    gradients=["a_values", "b"],
)
add(
    "mostly-zeros",
    "SparseMatMul",
    {"a": X, "b": numbers(2, 4)},
    {"transpose_b": True, "a_is_sparse": True},
    gradients=["a", "b"],
)
add(
    "sparse-reorder",
    "SparseReorder",
    {"input_indices": PLACES[::-1].copy(), "input_values": VALUES, "input_shape": longs([3, 4])},
)
add(
    "sparse-reshape",
    "SparseReshape",
    {"input_indices": PLACES, "input_shape": longs([3, 4]), "new_shape": longs([2, -1])},
)
add(
    "sparse-fill",
    "SparseFillEmptyRows",
    {"indices": PLACES, "values": VALUES, "dense_shape": longs([3, 4]), "default_value": np.float32(5)},
)
for _op in ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"):
    add(_op.lower(), _op, {"data": X, "indices": ints(2, 0, 1), "segment_ids": ints(0, 0, 1)})

# -- strings

WORDS = texts("Hello World", "", " a  b ", "\u00e4\u20acx")
add("split-words", "StringSplitV2", {"input": WORDS, "sep": texts("").reshape(())})
add("split-at", "StringSplitV2", {"input": WORDS, "sep": texts(" ").reshape(())}, {"maxsplit": 1})
add("split-bytes", "StringSplit", {"input": WORDS, "delimiter": texts(" o").reshape(())})
add("decode", "UnicodeDecode", {"input": WORDS}, {"input_encoding": "UTF-8"})
add(
    "encode",
    "UnicodeEncode",
    {"input_values": ints(72, 0x20AC, 228), "input_splits": longs([0, 2, 2, 3])},
    {"output_encoding": "UTF-8"},
)
add("transcode", "UnicodeTranscode", {"input": WORDS}, {"input_encoding": "UTF-8", "output_encoding": "UTF-16-BE"})
for _pad in (0, -1, 1):
    for _short in (False, True):
        add(
            f"ngrams{_pad}-{_short:d}",
            "StringNGrams",
            {"data": texts("a", "b", "c", "d", "e"), "data_splits": longs([0, 3, 3, 4, 5])},
            {
                "separator": "|",
                "ngram_widths": [3, 2],
                "left_pad": "<",
                "right_pad": ">",
                "pad_width": _pad,
                "preserve_short_sequences": _short,
            },
        )
add("join", "StringJoin", {"inputs": [WORDS, texts("x").reshape(())]}, {"separator": "-"})
add("reduce-join", "ReduceJoin", {"inputs": WORDS.reshape(2, 2), "reduction_indices": ints(0)}, {"separator": ","})
add(
    "reduce-join-all",
    "ReduceJoin",
    {"inputs": WORDS.reshape(2, 2), "reduction_indices": ints(1, 0)},
    {"keep_dims": True},
)
add("upper", "StringUpper", {"input": WORDS}, {"encoding": "utf-8"})
add("upper-bytes", "StringUpper", {"input": WORDS})
add("strip", "StringStrip", {"input": WORDS})
add("length", "StringLength", {"input": WORDS})
add("length-characters", "StringLength", {"input": WORDS}, {"unit": "UTF8_CHAR"})
add("substr", "Substr", {"input": texts("hello", "world"), "pos": int32(-3), "len": int32(2)})
add(
    "replace",
    "RegexReplace",
    {"input": WORDS, "pattern": texts("([a-z])o").reshape(()), "rewrite": texts("<\\1\\0>").reshape(())},
)
add(
    "replace-once",
    "RegexReplace",
    {"input": WORDS, "pattern": texts("o").reshape(()), "rewrite": texts("0").reshape(())},
    {"replace_global": False},
)
add("replace-static", "StaticRegexReplace", {"input": WORDS}, {"pattern": "([a-z])o", "rewrite": "<\\1>"})
add("matches", "RegexFullMatch", {"input": WORDS, "pattern": texts("[a-zA-Z ]*").reshape(())})
add("matches-static", "StaticRegexFullMatch", {"input": WORDS}, {"pattern": ".*World"})
add("to-number", "StringToNumber", {"string_tensor": texts("1.5", "-3e2")})
add("to-integer", "StringToNumber", {"string_tensor": texts("15", "-3")}, {"out_type": "int64"})
add("decode-raw", "DecodeRaw", {"bytes": texts("abcd", "efgh")}, {"out_type": "uint16", "little_endian": False})

# -- ops that only graphs of others have

for _op, _forms in (
    ("ResizeBicubic", ({}, {"align_corners": True}, {"half_pixel_centers": True})),
    ("ResizeArea", ({}, {"align_corners": True})),
):
    for _size in ((9, 5), (2, 3), (1, 13)):
        for _place, _form in enumerate(_forms):
            _name = f"{_op.lower()}-{_place}-{_size[0]}-{_size[1]}"
            add(_name, _op, {"images": IMAGES, "size": ints(*_size)}, _form)
for _kernel in ("lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"):
    for _antialias in (False, True):
        _inputs = {"images": IMAGES, "size": ints(3, 9), "scale": np.array([0.7, 1.6], "float32")}
        _inputs["translation"] = np.array([0.2, -0.5], "float32")
        _name = f"scaled-{_kernel}{'-antialias' if _antialias else ''}"
        add(_name, "ScaleAndTranslate", _inputs, {"kernel_type": _kernel, "antialias": _antialias})
for _sigma, _threshold in ((0.0, 0.6), (0.4, 1.0)):  # TensorFlow 2.4 applies a threshold beside a sigma, too
    _inputs = {"boxes": BOXES, "scores": SCORES, "max_output_size": int32(4), "iou_threshold": np.float32(_threshold)}
    _inputs.update(score_threshold=np.float32(0.05), soft_nms_sigma=np.float32(_sigma))
    add(f"soft-suppression-{_sigma}", "NonMaxSuppressionV5", _inputs)
    add(f"soft-suppression-{_sigma}-padded", "NonMaxSuppressionV5", _inputs, {"pad_to_max_output_size": True})
add(
    "ragged-gather",
    "RaggedGather",
    {
        "params_nested_splits": [longs([0, 2, 2, 3]), longs([0, 1, 4, 6])],
        "params_dense_values": X[[0, 1, 2, 0, 1, 2]],
        "indices": ints(2, 0, 0),
    },
    {"OUTPUT_RAGGED_RANK": 2},
)
add(
    "ragged-gather-matrix",
    "RaggedGather",
    {
        "params_nested_splits": [longs([0, 2, 2, 3])],
        "params_dense_values": X,
        "indices": ints(2, 0, 0, 1).reshape(2, 2),
    },
    {"OUTPUT_RAGGED_RANK": 2},
)
for _op in ("TensorScatterMax", "TensorScatterMin"):
    add(_op.lower(), _op, {"tensor": X, "indices": ints(2, 0, 2).reshape(3, 1), "updates": -X})
for _op in ("SegmentMax", "SegmentMin"):
    add(_op.lower(), _op, {"data": X, "segment_ids": ints(0, 0, 2)})
for _place, _form in enumerate(
    ({}, {"precision": 3}, {"scientific": True}, {"shortest": True}, {"width": 12, "fill": "0"}, {"width": 12})
):
    add(f"as-string-{_place}", "AsString", {"input": X}, _form)
add("as-string-integers", "AsString", {"input": INTEGERS}, {"width": 4, "fill": "0"})
add("as-string-truth", "AsString", {"input": X > 0})
_MATRIX = numbers(2, 3, 3) + 2 * np.eye(3, dtype="float32")
_SYMMETRIC = _MATRIX + np.swapaxes(_MATRIX, -1, -2)
add("determinant", "MatrixDeterminant", {"input": _MATRIX})
add("log-determinant", "LogMatrixDeterminant", {"input": _MATRIX})
for _lower in (False, True):
    for _adjoint in (False, True):
        _form = {"lower": _lower, "adjoint": _adjoint}
        add(
            f"triangular-{_lower}-{_adjoint}",
            "MatrixTriangularSolve",
            {"matrix": _MATRIX, "rhs": numbers(2, 3, 2)},
            _form,
        )
add("cross", "Cross", {"a": _MATRIX, "b": -_SYMMETRIC})
# (TensorFlow 2.4 has no right gradient of this one.)
add(
    "gather-batch-later",
    "GatherV2",
    {"params": numbers(2, 3, 4, 5), "indices": ints(1, 0, 3, 3, 2, 0).reshape(2, 3), "axis": int32(2)},
    {"batch_dims": 1},
)
add("equal-of-other-shapes", "Equal", {"x": X, "y": X[:2]}, {"incompatible_shape_error": False})
add("not-equal-of-other-shapes", "NotEqual", {"x": X, "y": X[:2]}, {"incompatible_shape_error": False})
add("equal-of-like-shapes", "Equal", {"x": X, "y": X[:1]}, {"incompatible_shape_error": False})
add("guaranteed", "GuaranteeConst", {"input": X})

# -- random numbers of a seed are the same everywhere

for _dtype in ("float32", "float64"):
    _attrs = {"dtype": _dtype}
    _shape = ints(3, 3)
    add("seeded-uniform-" + _dtype, "StatelessRandomUniform", {"shape": _shape, "seed": SEED}, _attrs, tolerance=0)
    add("seeded-normal-" + _dtype, "StatelessRandomNormal", {"shape": _shape, "seed": SEED}, _attrs, tolerance=1e-6)
    _inputs = {"shape": _shape, "key": KEY, "counter": COUNTER, "alg": int32(1)}
    add("keyed-uniform-" + _dtype, "StatelessRandomUniformV2", _inputs, _attrs, tolerance=0)
    add("keyed-normal-" + _dtype, "StatelessRandomNormalV2", _inputs, _attrs, tolerance=1e-6)
for _dtype in ("int32", "int64"):
    _bounds = {"minval": np.array(-5, _dtype), "maxval": np.array(1000, _dtype)}
    add("seeded-integers-" + _dtype, "StatelessRandomUniformInt", dict(_bounds, shape=ints(7), seed=SEED), tolerance=0)
for _dtype in ("int32", "uint32", "int64", "uint64"):
    _inputs = {"shape": ints(7), "key": KEY, "counter": COUNTER, "alg": int32(1)}
    add("keyed-bits-" + _dtype, "StatelessRandomUniformFullIntV2", _inputs, {"dtype": _dtype}, tolerance=0)
add("key-and-counter", "StatelessRandomGetKeyCounter", {"seed": SEED}, but=LATER, tolerance=0)
