"""Loss functions and metrics: their numbers, states and configs. Expected numbers were computed by TensorFlow 2.4.4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import reference_impl as keras
from reference_impl import metrics as M  # noqa: N812
from reference_impl.losses import FUNCTIONS

Lo = keras.losses
Array = npt.NDArray[Any]


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


_numbers = np.random.RandomState(5)


def _drawn(*shape: int) -> Array:
    return _numbers.rand(*shape).astype("f4")


SHARES = _drawn(6, 4)
SHARES /= SHARES.sum(-1, keepdims=True)
RAW = _numbers.randn(6, 4).astype("f4")
ONE_HOT = np.eye(4, dtype="f4")[_numbers.randint(0, 4, 6)]
CLASSES = _numbers.randint(0, 4, (6, 1)).astype("f4")
BITS = _numbers.randint(0, 2, (6, 4)).astype("f4")
SIGNS = np.where(BITS, 1, -1).astype("f4")
POSITIVE = (_numbers.rand(6, 4) * 3).astype("f4")
STEPS = _drawn(2, 3, 4)
STEP_ONE_HOT = np.eye(4, dtype="f4")[_numbers.randint(0, 4, (2, 3))]
STEP_CLASSES = _numbers.randint(0, 4, (2, 3)).astype("f4")
WEIGHT, STEP_WEIGHT, PAIR_WEIGHT = _drawn(6), _drawn(2, 3), _drawn(2)
EACH_WEIGHT, SHARE = _drawn(6, 4), _drawn(6, 4)
CHANNELS_FIRST = np.random.RandomState(1).rand(2, 2, 3).astype("f4")

# -- loss functions ----------------------------------------------------------------------------------------------

ARGUMENTS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "mse": (BITS, RAW, {}), "mae": (BITS, RAW, {}), "mape": (BITS, RAW, {}), "msle": (POSITIVE, SHARE, {}),
    "hinge": (SIGNS, RAW, {}), "squared_hinge": (BITS, RAW, {}), "categorical_hinge": (ONE_HOT, RAW, {}),
    "huber": (BITS, RAW, {}), "log_cosh": (BITS, RAW, {}), "kld": (SHARES, SHARE, {}),
    "poisson": (POSITIVE, SHARE, {}), "cosine_similarity": (BITS, RAW, {}), "binary_crossentropy": (BITS, SHARE, {}),
    "categorical_crossentropy": (ONE_HOT, SHARE, {}), "sparse_categorical_crossentropy": (CLASSES, SHARE, {}),
    "sce1": (CLASSES[:, 0], SHARE, {}), "sce3": (STEP_CLASSES, STEPS, {}),
    "scel": (CLASSES[:, 0], RAW, {"from_logits": True}),
    "scea": (np.array([[0, 1, 1], [1, 0, 1]], "f4"), CHANNELS_FIRST, {"axis": 1}),
    "ccl": (ONE_HOT, RAW, {"from_logits": True, "label_smoothing": 0.1}),
    "ccs": (ONE_HOT, SHARE, {"label_smoothing": 0.1}),
    "bcl": (BITS, RAW, {"from_logits": True, "label_smoothing": 0.1}),
}  # fmt: skip
NAMES = {
    **dict.fromkeys(("sce1", "sce3", "scel", "scea"), "sparse_categorical_crossentropy"),
    **dict.fromkeys(("ccl", "ccs"), "categorical_crossentropy"),
    "bcl": "binary_crossentropy",
}
FUNCTION_RESULTS: dict[str, Any] = {
    "mse": [1.18951, 0.5600743, 1.125837, 0.4813337, 1.180792, 0.6570607],
    "mae": [0.8946013, 0.6033465, 0.8829719, 0.6096785, 0.8579981, 0.6919127],
    "mape": [354737000.0, 91649980.0, 199812100.0, 62304460.0, 488565200.0, 348175400.0],
    "msle": [0.4849889, 0.2892628, 0.4856677, 0.5220108, 0.2580521, 0.4270842],
    "hinge": [1.183347, 0.9216911, 1.379874, 0.7759664, 1.411634, 1.191913],
    "squared_hinge": [1.976475, 0.8800633, 2.019266, 0.8279116, 2.515193, 1.853412],
    "categorical_hinge": [2.868319, 0.9441446, 1.799248, 2.387157, 2.867385, 1.936525],
    "huber": [0.4997331, 0.2786345, 0.5117813, 0.2403248, 0.5224526, 0.3178751],
    "log_cosh": [0.4401768, 0.2426959, 0.4437356, 0.2130674, 0.4491563, 0.2793333],
    "kld": [-0.6576051, -0.4171621, 0.02299911, -0.322109, -0.926315, -0.8846608],
    "poisson": [1.873337, 1.524755, 2.072307, 2.276368, 1.24912, 1.614423],
    "cosine_similarity": [0.07219616, 0.08636759, 0.5084661, -0.6223282, 0.28716, -0.3224874],
    "binary_crossentropy": [1.604288, 0.608743, 0.8625588, 0.8173299, 1.98715, 0.8103452],
    "categorical_crossentropy": [1.152652, 1.319447, 2.225191, 2.542413, 1.611471, 1.415441],
    "sparse_categorical_crossentropy": [2.393737, 1.199338, 1.545144, 1.697484, 1.611471, 1.249749],
    "sce1": [2.393737, 1.199338, 1.545144, 1.697484, 1.611471, 1.249749],
    "sce3": [[1.99455, 2.045265, 0.6488368], [1.226918, 1.421046, 3.276011]],
    "scel": [0.7650511, 1.403142, 2.166197, 1.731787, 2.257403, 1.911785],
    "scea": [[0.5452154, 1.776361, 0.001237937], [0.2969023, 0.7943875, 0.4568151]],
    "ccl": [2.53582, 1.254152, 1.538845, 1.984847, 2.209541, 1.642185],
    "ccs": [1.191202, 1.327291, 2.15308, 2.444098, 1.592049, 1.412876],
    "bcl": [0.8495896, 0.6624706, 0.895834, 0.6098829, 0.9581169, 0.8349094],
}


@pytest.mark.parametrize("name", FUNCTION_RESULTS)
def test_functions(name: str) -> None:
    true, predicted, arguments = ARGUMENTS[name]
    found = Lo.get(NAMES.get(name, name))(true, predicted, **arguments)
    np.testing.assert_allclose(found.value, FUNCTION_RESULTS[name], rtol=2e-6, atol=2e-6)


OBJECTS: dict[str, Callable[[str], Any]] = {
    "mse": lambda reduction: Lo.MeanSquaredError(reduction=reduction),
    "cc": lambda reduction: Lo.CategoricalCrossentropy(reduction=reduction),
    "bc": lambda reduction: Lo.BinaryCrossentropy(reduction=reduction),
    "huber": lambda reduction: Lo.Huber(0.3, reduction=reduction),
    "cos": lambda reduction: Lo.CosineSimilarity(axis=-1, reduction=reduction),
    "ch": lambda reduction: Lo.CategoricalHinge(reduction=reduction),
    "lc": lambda reduction: Lo.LogCosh(reduction=reduction),
    "poi": lambda reduction: Lo.Poisson(reduction=reduction),
    "kld": lambda reduction: Lo.KLDivergence(reduction=reduction),
    "sh": lambda reduction: Lo.SquaredHinge(reduction=reduction),
}
OBJECT_RESULTS: dict[str, Any] = {
    "mse:auto:n": 0.3441101,
    "mse:auto:w": 0.1255471,
    "mse:none:n": [0.3188903, 0.1988452, 0.3011676, 0.4173751, 0.4813362, 0.3470461],
    "mse:none:w": [0.2593122, 0.05254254, 0.01909432, 0.1010497, 0.04094749, 0.2803361],
    "mse:sum:n": 2.064661,
    "mse:sum:w": 0.7532823,
    "cc:auto:n": 1.711103,
    "cc:auto:w": 0.5538364,
    "cc:none:n": [1.152652, 1.319447, 2.225191, 2.542413, 1.611471, 1.415441],
    "cc:none:w": [0.9373027, 0.3486485, 0.1410793, 0.6155378, 0.1370886, 1.143362],
    "cc:sum:n": 10.26662,
    "cc:sum:w": 3.323019,
    "bc:auto:n": 1.178675,
    "bc:auto:w": 0.4376273,
    "bc:none:n": [1.529369, 0.5866699, 0.8639646, 1.107599, 2.084663, 0.8997873],
    "bc:none:w": [1.243638, 0.1550207, 0.0547762, 0.2681581, 0.1773432, 0.7268279],
    "bc:sum:n": 7.072052,
    "bc:sum:w": 2.625764,
    "huber:auto:n": 0.1178871,
    "huber:auto:w": 0.04307098,
    "huber:none:n": [0.09735357, 0.08535533, 0.1032643, 0.1396308, 0.1538823, 0.127836],
    "huber:none:w": [0.07916506, 0.02255416, 0.006547061, 0.03380569, 0.01309083, 0.1032631],
    "huber:sum:n": 0.7073224,
    "huber:sum:w": 0.2584259,
    "cos:auto:n": -0.3832452,
    "cos:auto:w": -0.1782509,
    "cos:none:n": [-0.5653875, -0.5285417, -0.195285, -0.1405846, -0.3858154, -0.4838569],
    "cos:none:w": [-0.4597565, -0.139661, -0.01238126, -0.0340366, -0.03282149, -0.3908487],
    "cos:sum:n": -2.299471,
    "cos:sum:w": -1.069505,
    "ch:auto:n": 1.300273,
    "ch:auto:w": 0.4613902,
    "ch:none:n": [1.23764, 1.054092, 1.407727, 1.542703, 1.448499, 1.110976],
    "ch:none:w": [1.006413, 0.2785315, 0.08925126, 0.3735002, 0.1232245, 0.8974212],
    "ch:sum:n": 7.801636,
    "ch:sum:w": 2.768341,
    "lc:auto:n": 0.1584856,
    "lc:auto:w": 0.05781685,
    "lc:none:n": [0.1425022, 0.09571905, 0.1388553, 0.1923383, 0.2183543, 0.1631442],
    "lc:none:w": [0.1158786, 0.02529265, 0.008803565, 0.04656657, 0.0185755, 0.1317842],
    "lc:sum:n": 0.9509134,
    "lc:sum:w": 0.3469011,
    "poi:auto:n": 0.7693703,
    "poi:auto:w": 0.2772162,
    "poi:none:n": [0.6683491, 0.6110367, 0.8126936, 0.9315699, 0.8373428, 0.7552295],
    "poi:none:w": [0.5434818, 0.1614593, 0.05152557, 0.2255402, 0.07123314, 0.6100574],
    "poi:sum:n": 4.616221,
    "poi:sum:w": 1.663297,
    "kld:auto:n": 1.036999,
    "kld:auto:w": 0.2510861,
    "kld:none:n": [0.2798894, 0.858372, 2.0072, 1.991572, 0.6001509, 0.4848063],
    "kld:none:w": [0.2275978, 0.2268148, 0.1272585, 0.4821748, 0.05105512, 0.3916156],
    "kld:sum:n": 6.221991,
    "kld:sum:w": 1.506517,
    "sh:auto:n": 1.896425,
    "sh:auto:w": 0.7295458,
    "sh:none:n": [1.88771, 1.529806, 1.605771, 1.966487, 2.331581, 2.057193],
    "sh:none:w": [1.53503, 0.4042334, 0.1018075, 0.4761016, 0.1983487, 1.661754],
    "sh:sum:n": 11.37855,
    "sh:sum:w": 4.377275,
}


@pytest.mark.parametrize("name", OBJECT_RESULTS)
def test_reductions(name: str) -> None:
    kind, reduction, weighted = name.split(":")
    found = OBJECTS[kind](reduction)(ONE_HOT, SHARE, sample_weight=WEIGHT if weighted == "w" else None)
    np.testing.assert_allclose(found.value, OBJECT_RESULTS[name], rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", OBJECTS)
def test_loss_configs(name: str) -> None:
    form = Lo.serialize(OBJECTS[name]("sum"))
    assert Lo.serialize(Lo.deserialize(form)) == form
    assert form["config"]["reduction"] == "sum"


def test_every_loss_function_is_a_metric_too() -> None:
    assert FUNCTIONS.items() <= {**M.BUILTIN, "cosine_similarity": FUNCTIONS["cosine_similarity"]}.items()


# -- metrics -----------------------------------------------------------------------------------------------------

Updates = list[tuple[Any, Any, Any]]
BOTH: Updates = [(ONE_HOT, SHARE, None), (ONE_HOT[::-1], SHARE, WEIGHT)]
YES_NO: Updates = [(BITS, SHARE, None), (BITS[::-1], SHARE, EACH_WEIGHT)]
COLUMN: Updates = [(BITS[:, 0], SHARE[:, 0], None), (BITS[:, 1], SHARE[:, 1], WEIGHT)]
FIRST = YES_NO[:1]
METRICS: dict[str, tuple[Callable[[], Any], Updates, list[Any]]] = {
    "MeanSquaredError": (M.MeanSquaredError, BOTH, [0.3441101, 0.312543]),
    "RootMeanSquaredError": (M.RootMeanSquaredError, BOTH, [0.586609, 0.5590554]),
    "MeanAbsoluteError": (M.MeanAbsoluteError, BOTH, [0.5421948, 0.510068]),
    "MeanAbsolutePercentageError": (M.MeanAbsolutePercentageError, BOTH, [401157200.0, 392691500.0]),
    "MeanSquaredLogarithmicError": (M.MeanSquaredLogarithmicError, BOTH, [0.1828977, 0.169813]),
    "CategoricalAccuracy": (M.CategoricalAccuracy, BOTH, [0.0, 0.2430624]),
    "BinaryCrossentropy": (M.BinaryCrossentropy, BOTH, [1.178675, 1.02814]),
    "CategoricalCrossentropy": (M.CategoricalCrossentropy, BOTH, [1.711103, 1.540036]),
    "CosineSimilarity": (M.CosineSimilarity, BOTH, [0.3832452, 0.4548723]),
    "Hinge": (M.Hinge, BOTH, [1.292195, 1.260068]),
    "SquaredHinge": (M.SquaredHinge, BOTH, [1.896425, 1.847926]),
    "CategoricalHinge": (M.CategoricalHinge, BOTH, [1.300273, 1.179348]),
    "KLDivergence": (M.KLDivergence, BOTH, [1.036999, 0.8318085]),
    "Poisson": (M.Poisson, BOTH, [0.7693703, 0.7332681]),
    "LogCoshError": (M.LogCoshError, BOTH, [0.1584856, 0.1447124]),
    "Accuracy": (
        M.Accuracy,
        [(CLASSES[:, 0], np.roll(CLASSES[:, 0], 1), None), (CLASSES[:, 0], CLASSES[:, 0], WEIGHT)],
        [0.1666667, 0.3958263],
    ),
    "BinaryAccuracy": (M.BinaryAccuracy, [*FIRST, (BITS, SHARE, WEIGHT)], [0.4583333, 0.47262]),
    "SparseCategoricalAccuracy": (
        M.SparseCategoricalAccuracy,
        [(CLASSES, SHARE, None), (CLASSES, SHARE, WEIGHT)],
        [0.3333333, 0.3712063],
    ),
    "SparseCategoricalCrossentropy": (
        M.SparseCategoricalCrossentropy,
        [(CLASSES[:, 0], SHARE, None), (CLASSES, SHARE, WEIGHT)],
        [1.616154, 1.645273],
    ),
    "TruePositives": (M.TruePositives, YES_NO, [6.0, 10.04063]),
    "FalsePositives": (M.FalsePositives, YES_NO, [7.0, 10.33384]),
    "TrueNegatives": (M.TrueNegatives, YES_NO, [5.0, 7.940896]),
    "Precision": (M.Precision, YES_NO, [0.4615385, 0.4928046]),
    "AUC": (M.AUC, YES_NO, [0.5069445, 0.521589]),
    "FalseNegatives": (M.FalseNegatives, COLUMN, [2.0, 2.063401]),
    "Recall": (M.Recall, COLUMN, [0.3333333, 0.4669838]),
    "BinAccThr": (lambda: M.BinaryAccuracy(threshold=0.7), BOTH, [0.6666667, 0.7165544]),
    "TopK": (lambda: M.TopKCategoricalAccuracy(k=2), BOTH, [0.5, 0.6055666]),
    "STopK": (
        lambda: M.SparseTopKCategoricalAccuracy(k=2),
        [(CLASSES[:, 0], SHARE, None), (CLASSES, SHARE, None)],
        [0.3333333, 0.3333333],
    ),
    "STopK3": (lambda: M.SparseTopKCategoricalAccuracy(k=2), [(STEP_CLASSES, STEPS, None)], [0.3333333]),
    "PrecThr": (lambda: M.Precision(thresholds=[0.2, 0.6]), YES_NO, [[0.5, 0.5555556], [0.5124793, 0.6154416]]),
    "PrecTop": (lambda: M.Precision(top_k=2), [*FIRST, (BITS, SHARE, WEIGHT)], [0.6666667, 0.6514268]),
    "PrecTopC": (lambda: M.Precision(top_k=2, class_id=1), FIRST, [0.5]),
    "RecC": (lambda: M.Recall(class_id=2), FIRST, [1.0]),
    "TPt": (
        lambda: M.TruePositives(thresholds=[0.1, 0.5, 0.9]),
        YES_NO,
        [[12.0, 6.0, 0.0], [18.80686, 10.04063, 0.9354236]],
    ),
    "SensitivityAtSpecificity": (lambda: M.SensitivityAtSpecificity(0.5), YES_NO, [0.5, 0.4991986]),
    "SensitivityAtSpecificity3": (lambda: M.SensitivityAtSpecificity(0.5, num_thresholds=3), YES_NO, [0.0, 0.0]),
    "SensitivityAtSpecificity1": (lambda: M.SensitivityAtSpecificity(0.99, num_thresholds=1), YES_NO, [0.0, 0.0]),
    "SpecificityAtSensitivity": (lambda: M.SpecificityAtSensitivity(0.5), YES_NO, [0.6666667, 0.4345288]),
    "SpecificityAtSensitivity3": (
        lambda: M.SpecificityAtSensitivity(0.5, num_thresholds=3),
        YES_NO,
        [0.4166667, 0.4345288],
    ),
    "SpecificityAtSensitivity1": (lambda: M.SpecificityAtSensitivity(0.99, num_thresholds=1), YES_NO, [0.0, 0.0]),
    "PrecisionAtRecall": (lambda: M.PrecisionAtRecall(0.5), YES_NO, [0.6, 0.5300806]),
    "PrecisionAtRecall3": (lambda: M.PrecisionAtRecall(0.5, num_thresholds=3), YES_NO, [0.5, 0.5071751]),
    "PrecisionAtRecall1": (lambda: M.PrecisionAtRecall(0.99, num_thresholds=1), YES_NO, [0.0, 0.0]),
    "RecallAtPrecision": (lambda: M.RecallAtPrecision(0.6), YES_NO, [0.5, 0.4991986]),
    "RecallAtPrecision3": (lambda: M.RecallAtPrecision(0.6, num_thresholds=3), YES_NO, [0.0, 0.0]),
    "RecallAtPrecision1": (lambda: M.RecallAtPrecision(0.99, num_thresholds=1), YES_NO, [0.0, 0.0]),
    "AUCROCinterpolation": (lambda: M.AUC(7, "ROC", "interpolation"), YES_NO, [0.4583333, 0.4748348]),
    "AUCmROCinterpolation": (
        lambda: M.AUC(7, "ROC", "interpolation", multi_label=True),
        YES_NO,
        [0.4354167, 0.4760928],
    ),
    "AUCROCminoring": (lambda: M.AUC(7, "ROC", "minoring"), YES_NO, [0.3611111, 0.3650178]),
    "AUCmROCminoring": (lambda: M.AUC(7, "ROC", "minoring", multi_label=True), YES_NO, [0.3090278, 0.321229]),
    "AUCROCmajoring": (lambda: M.AUC(7, "ROC", "majoring"), YES_NO, [0.5555556, 0.5846518]),
    "AUCmROCmajoring": (lambda: M.AUC(7, "ROC", "majoring", multi_label=True), YES_NO, [0.5618055, 0.6309565]),
    "AUCPRinterpolation": (lambda: M.AUC(7, "PR", "interpolation"), YES_NO, [0.4418643, 0.4739693]),
    "AUCmPRinterpolation": (lambda: M.AUC(7, "PR", "interpolation", multi_label=True), YES_NO, [0.5577552, 0.5184047]),
    "AUCPRminoring": (lambda: M.AUC(7, "PR", "minoring"), YES_NO, [0.3737179, 0.4358412]),
    "AUCmPRminoring": (lambda: M.AUC(7, "PR", "minoring", multi_label=True), YES_NO, [0.2858334, 0.3154155]),
    "AUCPRmajoring": (lambda: M.AUC(7, "PR", "majoring"), YES_NO, [0.4827677, 0.4864829]),
    "AUCmPRmajoring": (lambda: M.AUC(7, "PR", "majoring", multi_label=True), YES_NO, [0.6244445, 0.5470827]),
    "AUCthr": (lambda: M.AUC(thresholds=[0.3, 0.1, 0.8]), YES_NO, [0.4305556, 0.4702782]),
    "AUClw": (lambda: M.AUC(9, label_weights=[1.0, 2.0, 0.5, 1.0]), FIRST, [0.4429945]),
    "AUCmlw": (lambda: M.AUC(9, multi_label=True, label_weights=[1.0, 2.0, 0.5, 1.0]), FIRST, [0.4146605]),
    "MeanIoU": (
        lambda: M.MeanIoU(5),
        [(STEP_CLASSES, np.roll(STEP_CLASSES, 1), None), (STEP_CLASSES, STEP_CLASSES, STEP_WEIGHT)],
        [0.08333334, 0.2864518],
    ),
    "MRE": (
        lambda: M.MeanRelativeError(normalizer=[1.0, 2.0, 0.0, 4.0]),
        [(BITS, RAW, None), (BITS, RAW, EACH_WEIGHT)],
        [0.3617434, 0.3627873],
    ),
}
"""By name how to make it, the updates, and the result after each."""


@pytest.mark.parametrize("name", METRICS)
def test_metrics(name: str) -> None:
    make, updates, results = METRICS[name]
    metric = make()
    for (true, predicted, weight), expected in zip(updates, results, strict=True):
        metric.update_state(true, predicted, sample_weight=weight)
        np.testing.assert_allclose(metric.result().value, expected, rtol=2e-6, atol=1e-6)
    again = make()
    again.update_state(*updates[0])
    metric.reset_states()
    metric.update_state(*updates[0])
    np.testing.assert_array_equal(metric.result().value, again.result().value)


@pytest.mark.parametrize("name", METRICS)
def test_metric_configs_and_state(name: str) -> None:
    """A metric read from its config and given the other's weights has the other's result."""
    make, updates, _ = METRICS[name]
    metric = make()
    metric.update_state(*updates[0])
    read = M.deserialize(M.serialize(metric))
    np.testing.assert_equal(read.get_config(), metric.get_config())
    read.update_state(*updates[-1])
    assert [weight.name for weight in read.weights] == [weight.name for weight in metric.weights]
    for mine, theirs in zip(read.weights, metric.weights, strict=True):
        mine.assign(theirs.array)
    np.testing.assert_array_equal(read.result().value, metric.result().value)


def test_names_of_states() -> None:
    stem = ["true_positives:0", "true_negatives:0", "false_positives:0", "false_negatives:0"]
    assert [weight.name for weight in M.AUC().weights] == stem
    assert [weight.name for weight in M.Precision().weights] == ["true_positives:0", "false_positives:0"]
    assert [weight.name for weight in M.TrueNegatives().weights] == ["accumulator:0"]
    assert [weight.name for weight in M.MeanIoU(2).weights] == ["total_confusion_matrix:0"]
    assert [weight.name for weight in M.Mean().weights] == ["total:0", "count:0"]
    assert M.AUC().name == "auc_1"


def test_means_of_values() -> None:
    mean, total, each = M.Mean(), M.Sum(), M.MeanTensor()
    cube = np.arange(24, dtype="f4").reshape(2, 3, 4)
    for metric in (mean, total):
        metric.update_state(cube, sample_weight=[1.0, 3.0])
    # Axes that weights do not have are averaged, or summed, away.
    np.testing.assert_allclose([weight.array for weight in mean.weights], [5.5 + 3 * 17.5, 4])
    assert float(total.result()) == cube[0].sum() + 3 * cube[1].sum()
    each.update_state([1.0, 2.0])
    each.update_state([3.0, 6.0], sample_weight=[1.0, 3.0])
    np.testing.assert_allclose(each.result().value, [2.0, 5.0])


def test_what_is_wrong_is_refused() -> None:
    with pytest.raises(ValueError, match="predictions must be >= 0 and <= 1; found"):
        M.AUC().update_state([0, 1], [0.5, 1.5])
    with pytest.raises(ValueError, match=r"Threshold values must be in \[0, 1\]"):
        M.Precision(thresholds=[0.5, 2])
    with pytest.raises(ValueError, match="y_pred holds classes from 0 to 3; expected 0 to 2"):
        M.MeanIoU(3).update_state([0, 1], [0, 3])
    each = M.MeanTensor()
    each.update_state([1.0])
    with pytest.raises(ValueError, match="always have the same shape"):
        each.update_state([1.0, 2.0])
    with pytest.raises(ValueError, match="specificity"):
        M.SensitivityAtSpecificity(2)
    with pytest.raises(ValueError, match="Invalid Reduction Key"):
        Lo.MeanSquaredError(reduction="mean")
    with pytest.raises(keras.LoadError, match="Unknown metric function: nothing"):
        M.deserialize("nothing")
