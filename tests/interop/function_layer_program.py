"""Writes Functional models that call TensorFlow's functions on their symbolic inputs: each becomes a layer ``TFOpLambda``.

``python function_layer_program.py LIBRARY FOLDER``: ``FOLDER/N.h5`` is the model of the N-th of ``CASES``, its outputs are
in ``FOLDER/N.npz``. What this TensorFlow cannot save, or not load again, is in ``FOLDER/refused.json``, with the reason.
"""

import json
import os
import sys
from typing import Any, Dict, List

import numpy as np

BATCH = 3
# Name -> shape without the batch, dtype.
INPUTS = {
    "x": ((4, 6), "float32"),
    "v": ((4,), "float32"),
    "p": ((4,), "float32"),
    "i": ((5,), "int32"),
    "m": ((8, 8, 2), "float32"),
    "s": ((2,), "string"),
}

# The names used in an expression are the model's inputs.
CASES = [
    # element by element
    *(f"tf.{name}(x)" for name in ["abs", "negative", "sign", "floor", "round", "square", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid"]),
    *(f"tf.math.{name}(x)" for name in ["ceil", "rint", "erf", "erfc", "expm1", "softplus", "atan", "asinh", "is_nan", "is_finite", "is_inf"]),
    *(f"tf.math.{name}(p)" for name in ["log", "log1p", "sqrt", "rsqrt", "reciprocal", "lgamma", "digamma", "acosh", "log_sigmoid"]),
    *(f"tf.nn.{name}(x)" for name in ["relu", "relu6", "elu", "selu", "leaky_relu", "softsign", "softmax", "log_softmax", "silu"]),
    "tf.acos(tf.tanh(v))", "tf.asin(tf.tanh(v))", "tf.atanh(tf.tanh(v))", "tf.atan2(v, p)", "tf.nn.gelu(v)",
    "v + p", "v - 2.0", "1.0 - v", "v * p", "v / p", "2.0 / p", "v // 0.3", "v % 0.3", "p ** 2.0", "-v", "abs(v)",
    "v > p", "v >= 0.0", "v < p", "v <= 0.0", "tf.equal(i, 2)", "tf.not_equal(i, 2)",
    "tf.logical_and(v > 0.0, p > 1.0)", "tf.logical_or(v > 0.0, p > 1.0)", "tf.logical_not(v > 0.0)",
    "tf.math.logical_xor(v > 0.0, p > 1.0)", "(v > 0.0) & (p > 1.0)", "(v > 0.0) | (p > 1.0)", "~(v > 0.0)",
    "tf.maximum(v, p)", "tf.minimum(v, 0.5)", "tf.math.squared_difference(v, p)", "tf.math.divide_no_nan(v, p)",
    "tf.math.xlogy(p, p)", "tf.math.multiply_no_nan(v, p)", "tf.math.pow(p, 3.0)", "tf.math.floormod(i, 3)",
    "tf.clip_by_value(v, -0.5, 0.5)", "tf.clip_by_norm(v, 1.0)", "tf.cast(v, 'int32')", "tf.cast(i, 'float32')",
    "tf.where(v > 0.0, v, p)", "tf.where(v > 0.0, v, tf.zeros_like(v))", "tf.ones_like(x)", "tf.identity(x)",
    "tf.stop_gradient(x)", "tf.math.add_n([v, p, v])", "tf.math.accumulate_n([v, p])", "tf.math.cumsum(x, axis=1)",
    "tf.cumsum(x, axis=-1, exclusive=True, reverse=True)", "tf.math.cumprod(p, axis=1)", "tf.nn.bias_add(v, [1.0, 2.0, 3.0, 4.0])",
    # reductions
    *(f"tf.reduce_{name}(x, axis=1)" for name in ["sum", "mean", "max", "min", "prod", "logsumexp"]),
    *(f"tf.math.reduce_{name}(x, axis=-1, keepdims=True)" for name in ["std", "variance", "euclidean_norm"]),
    "tf.reduce_sum(x)", "tf.reduce_mean(x, axis=[1, 2])", "tf.reduce_any(x > 0.0, axis=1)", "tf.reduce_all(x > -9.0, axis=2)",
    "tf.argmax(x, axis=-1)", "tf.argmin(x, axis=1)", "tf.math.argmax(x, axis=1, output_type=tf.int32)",
    "tf.norm(x, axis=-1)", "tf.norm(x, ord=1, axis=1)", "tf.nn.l2_normalize(x, axis=-1)", "tf.nn.moments(x, axes=[1])",
    "tf.math.count_nonzero(i, axis=1)", "tf.math.zero_fraction(v)", "tf.math.top_k(v, k=2)", "tf.nn.top_k(v, k=2).values",
    "tf.sort(v, axis=-1)", "tf.argsort(v, axis=-1, direction='DESCENDING')", "tf.math.in_top_k(i[:, 0] % 4, v, 2)",
    # products
    "tf.matmul(x, x, transpose_b=True)", "tf.linalg.matmul(x, x, transpose_a=True)", "x @ tf.transpose(x, [0, 2, 1])",
    "tf.einsum('bij,bkj->bik', x, x)", "tf.einsum('bij->bji', x)", "tf.tensordot(x, [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], 1)",
    "tf.linalg.diag(v)", "tf.linalg.diag_part(tf.matmul(x, x, transpose_b=True))", "tf.linalg.trace(tf.matmul(x, x, transpose_b=True))",
    "tf.linalg.band_part(x, 1, 1)", "tf.linalg.set_diag(x, v)", "tf.linalg.l2_normalize(x, -1)", "tf.keras.backend.dot(v, tf.ones([4, 2]))",
    # arrangement
    "tf.reshape(x, [-1, 24])", "tf.reshape(x, [-1, 2, 12])", "tf.transpose(x, [0, 2, 1])", "tf.transpose(x)", "tf.expand_dims(v, 1)",
    "tf.expand_dims(v, -1)", "tf.squeeze(tf.expand_dims(v, 1), axis=1)", "tf.concat([v, p], axis=-1)", "tf.concat([x, x], 1)",
    "tf.stack([v, p], axis=1)", "tf.unstack(x, axis=1)", "tf.split(x, 2, axis=1)", "tf.split(x, [1, 3], axis=1)",
    "tf.tile(v, [1, 3])", "tf.repeat(v, 2, axis=1)", "tf.broadcast_to(p, [3, 4])", "tf.reverse(x, axis=[1])", "tf.roll(x, shift=1, axis=1)",
    "tf.roll(x, shift=[1, -2], axis=[1, 2])", "tf.gather(x, [0, 2], axis=1)", "tf.gather(x, i % 4, axis=1, batch_dims=1)",
    "tf.gather(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), i % 3)", "tf.gather_nd(x, [[0, 1], [2, 3]])",
    "tf.slice(x, [0, 1, 2], [-1, 2, 3])", "tf.strided_slice(x, [0, 1, 0], [3, 4, 6], [1, 2, 3])", "tf.pad(x, [[0, 0], [1, 2], [0, 1]])",
    "tf.pad(x, [[0, 0], [1, 2], [0, 1]], mode='REFLECT')", "tf.pad(x, [[0, 0], [1, 2], [0, 1]], constant_values=7)",
    "x[:, 1]", "x[:, 1:3, ::2]", "x[:, -1]", "x[..., tf.newaxis, 0]", "x[:, ::-1]", "x[1:]", "x[:, i[0, 0] % 4]",
    "tf.shape(x)", "tf.shape(x)[0]", "tf.size(x)", "tf.rank(x)", "tf.one_hot(i, 4)", "tf.one_hot(i, 4, on_value=2.0, off_value=-1.0)",
    "tf.fill(tf.shape(v), 2.0)", "tf.zeros(tf.shape(v))", "tf.ones([tf.shape(v)[0], 2])", "tf.range(tf.shape(v)[0])", "tf.eye(tf.shape(v)[0])",
    "tf.sequence_mask(i, 6)", "tf.meshgrid(v[0], p[0])", "tf.linspace(v[0, 0], p[0, 0], 5)", "tf.searchsorted(tf.sort(v), p)",
    "tf.boolean_mask(v, v > 0.0)", "tf.where(v > 0.0)", "tf.unique(i[0]).y", "tf.scatter_nd([[0], [2]], v[:2], [4, 4])",
    "tf.tensor_scatter_nd_update(v, [[0], [2]], p[:2])", "tf.math.segment_sum(x, [0, 1, 1])",
    *(f"tf.math.segment_{name}(v, [0, 0, 1])" for name in ["sum", "mean", "max", "min"]),
    *(f"tf.math.unsorted_segment_{name}(v, [1, 0, 1], 2)" for name in ["max", "min", "prod"]),
    *(f"tf.tensor_scatter_nd_{name}(v, [[0], [2]], p[:2])" for name in ["add", "sub", "max", "min"]),
    *(f"tf.shape(tf.random.{name}(tf.shape(v)))" for name in ["normal", "uniform", "truncated_normal"]),
    "tf.batch_to_space(tf.tile(m, [4, 1, 1, 1]), [2, 2], [[0, 0], [0, 0]])", "tf.nn.max_pool1d(x, 2, 1, 'SAME')", "tf.nn.avg_pool1d(x, 2, 2, 'VALID')",
    "tf.nn.conv3d(m[..., tf.newaxis], tf.ones([2, 2, 1, 1, 3]), [1, 1, 1, 1, 1], 'SAME')", "tf.nn.max_pool3d(m[..., tf.newaxis], 2, 2, 'SAME')",
    "tf.nn.swish(v)", "tf.math.xdivy(v, p)", "tf.math.xlog1py(v, p)", "tf.strings.to_hash_bucket_strong(s, 7, [1, 2])", "tf.nn.zero_fraction(v)",
    "tf.math.unsorted_segment_sum(v, [1, 0, 1], 2)",
    "tf.math.bincount(tf.abs(i), minlength=4)", "tf.reverse_sequence(x, [1, 2, 3], seq_axis=1)", "tf.debugging.check_numerics(v, 'v')",
    "tf.ensure_shape(v, [None, 4])", "tf.meshgrid(v[0], p[0], indexing='ij')",
    # networks, images
    "tf.nn.max_pool2d(m, 2, 2, 'VALID')", "tf.nn.avg_pool2d(m, 2, 2, 'SAME')", "tf.nn.max_pool(m, 2, 1, 'SAME')", "tf.nn.avg_pool(m, 2, 2, 'VALID')",
    "tf.nn.conv2d(m, tf.ones([3, 3, 2, 4]) / 7.0, 1, 'SAME')", "tf.nn.depthwise_conv2d(m, tf.ones([3, 3, 2, 1]), [1, 1, 1, 1], 'VALID')",
    "tf.nn.conv1d(x, tf.ones([2, 6, 3]), 1, 'VALID')", "tf.nn.space_to_depth(m, 2)", "tf.nn.depth_to_space(tf.concat([m, m], -1), 2)",
    "tf.space_to_batch(m, [2, 2], [[0, 0], [0, 0]])", "tf.nn.local_response_normalization(m)", "tf.nn.embedding_lookup(v, i % 3)",
    "tf.image.resize(m, [5, 11])", "tf.image.resize(m, [5, 11], method='nearest')", "tf.image.flip_left_right(m)", "tf.image.flip_up_down(m)",
    "tf.image.rot90(m)", "tf.image.central_crop(m, 0.5)", "tf.image.adjust_brightness(m, 0.1)", "tf.image.adjust_contrast(m, 2.0)",
    "tf.image.resize_with_crop_or_pad(m, 6, 10)", "tf.image.crop_to_bounding_box(m, 1, 2, 3, 4)", "tf.image.per_image_standardization(m)",
    "tf.image.pad_to_bounding_box(m, 1, 2, 12, 13)", "tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.sigmoid(v), logits=p)",
    "tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(v), logits=p)", "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=i[:, 0] % 4, logits=v)",
    # strings
    "tf.strings.lower(s)", "tf.strings.upper(s)", "tf.strings.strip(s)", "tf.strings.length(s)", "tf.strings.substr(s, 0, 2)", "tf.strings.join([s, s], '-')",
    "tf.strings.regex_replace(s, '[aeiou]', '_')", "tf.strings.to_hash_bucket_fast(s, 7)", "tf.strings.to_number(tf.strings.as_string(i))",
    # Keras's own names for them
    "keras.backend.mean(x, axis=1)", "keras.backend.sum(x, axis=-1, keepdims=True)", "keras.backend.l2_normalize(x, axis=-1)", "keras.backend.square(v)",
    "keras.backend.batch_dot(x, x, axes=2)", "keras.backend.concatenate([v, p])", "keras.backend.expand_dims(v, 1)", "keras.backend.permute_dimensions(x, (0, 2, 1))",
    "keras.activations.relu(v, alpha=0.1)", "keras.activations.gelu(v)", "keras.losses.mean_squared_error(v, p)", "keras.activations.hard_sigmoid(v)",
]  # fmt: skip


def values() -> Dict[str, Any]:
    """Numbers that are all different, and words."""
    drawn = np.random.RandomState(7)
    made = {}
    for name, (shape, dtype) in INPUTS.items():
        size = (BATCH, *shape)
        if dtype == "int32":
            made[name] = drawn.permutation(int(np.prod(size))).reshape(size).astype(dtype)
        elif dtype == "string":
            made[name] = np.array([["One two", " b "], ["", "eel"], ["Übung", "x9"]], dtype=object)
        else:
            made[name] = drawn.normal(size=size).astype(dtype)
    made["p"] = np.abs(made["p"]) + np.float32(1.1)
    return made


def used(expression: str) -> List[str]:
    """The inputs that are named in it."""
    names = set(compile(expression, "case", "eval").co_names)
    return [name for name in INPUTS if name in names]


def inputs_of(expression: str) -> List[Any]:
    """What a model of it is called on."""
    batch = values()
    return [batch[name] for name in used(expression)]


def main():
    library, folder = sys.argv[1:]
    import tensorflow as tf

    if library == "tf-keras":
        import tf_keras as keras
    else:
        keras = tf.keras
    refused = {}
    for number, expression in enumerate(CASES):
        names = used(expression)
        inputs = {name: keras.Input(INPUTS[name][0], dtype=INPUTS[name][1], name=name) for name in names}
        try:
            outputs = eval(expression, {"tf": tf, "keras": keras, **inputs})
            model = keras.Model(list(inputs.values()), outputs)
            given = [tf.constant(array.tolist() if array.dtype == object else array) for array in inputs_of(expression)]
            found = tf.nest.flatten(model(given))
            path = os.path.join(folder, "%d.h5" % number)
            model.save(path)
            keras.models.load_model(path, compile=False)
        except Exception as error:
            refused[expression] = "%s: %s" % (type(error).__name__, str(error).strip().split("\n")[0][:200])
            continue
        np.savez(os.path.join(folder, "%d.npz" % number), *[_kept(each) for each in found])
    with open(os.path.join(folder, "refused.json"), "w") as file:
        json.dump(refused, file)


def _kept(tensor):
    array = np.asarray(tensor)
    return array.astype("S") if array.dtype == object else array


if __name__ == "__main__":
    main()
