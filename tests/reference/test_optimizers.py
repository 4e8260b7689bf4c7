"""Optimizers: their arithmetic in each generation, their state as files list it, their configs.

The expected numbers were computed by TensorFlow 2.4.4, TensorFlow 2.15.1 and Keras 3.15.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import reference_impl as keras
from reference_impl.optimizers.layouts import attributes, layout

L = keras.layers
O = keras.optimizers  # noqa: E741
S = O.schedules
Array = npt.NDArray[Any]


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


_numbers = np.random.RandomState(3)
X, Y = _numbers.rand(6, 3).astype("f4"), _numbers.rand(6, 2).astype("f4")
IDS = [np.array(rows) for rows in ([[0, 1], [1, 4]], [[1, 1], [1, 3]], [[0, 3], [3, 3]])]
Y_IDS = _numbers.rand(2, 1).astype("f4")
WEIGHTS = [_numbers.randn(*shape).astype("f4") for shape in ((3, 4), (4,), (4, 2), (2,))]
ROW_WEIGHTS = [_numbers.randn(*shape).astype("f4") for shape in ((5, 3), (6, 1), (1,))]

MAKERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: O.SGD(0.1),
    "sgd-m": lambda: O.SGD(0.1, momentum=0.9),
    "sgd-n": lambda: O.SGD(0.1, momentum=0.9, nesterov=True),
    "rms": lambda: O.RMSprop(0.01),
    "rms-m": lambda: O.RMSprop(0.01, momentum=0.9),
    "rms-c": lambda: O.RMSprop(0.01, centered=True, epsilon=1e-3),
    "rms-mc": lambda: O.RMSprop(0.01, momentum=0.5, centered=True, epsilon=1e-3),
    "rms-e": lambda: O.RMSprop(0.01, epsilon=0.1),
    "adam-a": lambda: O.Adam(0.1, amsgrad=True),
    "adam-e": lambda: O.Adam(0.1, epsilon=0.1),
    "adamax": lambda: O.Adamax(0.1, epsilon=0.1),
    "adadelta": lambda: O.Adadelta(1.0, epsilon=1e-3),
    "adagrad": lambda: O.Adagrad(0.1, epsilon=0.1),
    "nadam": lambda: O.Nadam(0.02),
    "ftrl": lambda: O.Ftrl(
        0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02, beta=0.1,
        l2_shrinkage_regularization_strength=0.03,
    ),
    "ftrl-p": lambda: O.Ftrl(0.1, learning_rate_power=-0.3, l1_regularization_strength=0.1),
    "clipnorm": lambda: O.SGD(0.1, clipnorm=0.1),
    "clipvalue": lambda: O.SGD(0.1, clipvalue=0.05),
    "gclip": lambda: O.SGD(0.1, global_clipnorm=0.2),
    "decay": lambda: O.SGD(0.1, decay=0.3),
    "exp": lambda: O.SGD(S.ExponentialDecay(0.1, 3, 0.5, staircase=True), momentum=0.5),
    "inv": lambda: O.SGD(S.InverseTimeDecay(0.1, 3, 0.5)),
    "pw": lambda: O.SGD(S.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01])),
    "poly": lambda: O.SGD(S.PolynomialDecay(0.1, 4, 0.01, power=2.0, cycle=True)),
    "cos": lambda: O.SGD(S.CosineDecay(0.1, 5, alpha=0.1)),
    "cosr": lambda: O.SGD(S.CosineDecayRestarts(0.1, 3, alpha=0.1)),
    "cosw": lambda: O.SGD(S.CosineDecay(0.01, 5, alpha=0.1, warmup_target=0.1, warmup_steps=3)),
    "lincos": lambda: O.SGD(S.LinearCosineDecay(0.1, 5)),
    "adamw": lambda: O.AdamW(0.1, weight_decay=0.1),
    "ema": lambda: O.Adam(0.1),
    "wd": lambda: O.SGD(0.1, momentum=0.5),
}  # fmt: skip
SWITCHES: dict[str, dict[str, Any]] = {
    "ema": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
    "wd": {"weight_decay": 0.2},
}
MARKS: dict[str, dict[str, Any]] = {
    "keras-2.4": {},
    "keras-2.11": {"jit_compile": False, "is_legacy_optimizer": False, "use_ema": False, "ema_momentum": 0.99},
    "keras-3": {"loss_scale_factor": None, "gradient_accumulation_steps": None, "use_ema": False},
}
"""Keys that the configs of a generation have."""

# After eight steps: the hidden layer's bias and the output layer's.
EXPECTED: dict[str, dict[str, list[float]]] = {
    "keras-2.4": {
        "sgd": [-1.619951, 0.6055634, -0.2463448, -1.653869, 1.133492, 0.9966179],
        "sgd-n": [-1.613667, 0.5324998, -0.03027985, -1.430273, 1.182517, 0.9284108],
        "rms": [-1.495698, 0.6122113, -0.2510263, -1.592684, 1.117374, 1.004514],
        "rms-m": [-1.195776, 0.6513208, -0.05328657, -1.345793, 1.076963, 0.8168818],
        "rms-c": [-1.517338, 0.6079043, -0.2389617, -1.568096, 1.115705, 0.9901108],
        "rms-mc": [-1.605913, 0.5586596, -0.1684169, -1.502062, 1.133942, 0.953455],
        "rms-e": [-1.618804, 0.6207096, -0.2881153, -1.692457, 1.113592, 1.042614],
        "adam-e": [-1.620072, 0.6246675, -0.2623618, -1.69727, 1.112279, 1.001101],
        "adam-a": [-1.130656, 0.6776064, -0.1318238, -1.484194, 1.056743, 0.8505166],
        "adamax": [-1.594677, 0.5688429, -0.1248707, -1.456003, 1.119939, 0.9108461],
        "adadelta": [-1.599977, 0.5363787, -0.2171969, -1.504429, 1.183376, 0.9795415],
        "adagrad": [-1.616702, 0.58202, -0.1951897, -1.571852, 1.144152, 0.9751782],
        "nadam": [-1.510145, 0.5911849, -0.2525696, -1.608614, 1.117794, 1.014598],
        "ftrl": [0.0002274018, -4.202183e-05, -0.0872517, 0.1058777, 0.2044714, 0.3952379],
        "ftrl-p": [0, 0, -0.05437015, 0.05882441, 0.2142902, 0.3851344],
        "clipnorm": [-1.621216, 0.6307873, -0.286979, -1.71153, 1.111297, 1.040355],
        "clipvalue": [-1.617533, 0.6239592, -0.3162708, -1.703141, 1.098254, 1.079391],
        "gclip": [-1.621806, 0.6374282, -0.3041021, -1.721501, 1.108578, 1.055235],
        "exp": [-1.619296, 0.5926064, -0.2331192, -1.634827, 1.14367, 0.9714383],
        "inv": [-1.620667, 0.6183246, -0.2705424, -1.68522, 1.123083, 1.013482],
        "pw": [-1.620988, 0.6243712, -0.2808985, -1.698416, 1.118181, 1.022789],
        "poly": [-1.621605, 0.6353671, -0.2979909, -1.717796, 1.109621, 1.046614],
        "cos": [-1.621274, 0.6296192, -0.2890568, -1.708127, 1.114037, 1.033159],
        "cosr": [-1.62057, 0.616535, -0.2675192, -1.681459, 1.12451, 1.010517],
        "lincos": [-1.621763, 0.6382083, -0.3022791, -1.722598, 1.107402, 1.052967],
        "decay": [-1.620958, 0.6237004, -0.2795734, -1.696498, 1.118773, 1.022469],
    },
    "keras-2.11": {
        "sgd-n": [-1.613667, 0.5324998, -0.03027985, -1.430273, 1.182517, 0.9284108],
        "rms": [-1.496885, 0.6121141, -0.2510075, -1.592657, 1.117414, 1.004513],
        "rms-e": [-1.621672, 0.6369627, -0.3047804, -1.720188, 1.10821, 1.058109],
        "rms-mc": [-1.605913, 0.5586596, -0.168417, -1.502062, 1.133942, 0.953455],
        "adam-a": [-1.130655, 0.6776059, -0.131824, -1.484193, 1.056743, 0.8505166],
        "adam-e": [-1.620072, 0.6246676, -0.2623619, -1.69727, 1.112279, 1.001101],
        "adamax": [-1.594677, 0.5688429, -0.1248707, -1.456003, 1.119939, 0.910846],
        "adadelta": [-1.599977, 0.5363787, -0.2171969, -1.504429, 1.183376, 0.9795414],
        "adagrad": [-1.617207, 0.582615, -0.1938814, -1.575093, 1.14583, 0.9758302],
        "nadam": [-1.522605, 0.5819435, -0.2620139, -1.625189, 1.113311, 1.026891],
        "ftrl": [0.000227376, -4.202177e-05, -0.0872517, 0.1058778, 0.2044714, 0.3952378],
        "adamw": [-1.040641, 0.627125, -0.1170807, -1.36944, 0.969782, 0.7914843],
        "ema": [-1.175087, 0.6841525, -0.1550767, -1.483563, 1.058734, 0.8495289],
        "wd": [-1.376593, 0.5039611, -0.1735953, -1.353456, 0.9710938, 0.8373932],
        "cosw": [-1.620972, 0.6239506, -0.2800788, -1.697271, 1.118536, 1.022488],
    },
    "keras-3": {
        "rms-e": [-1.621672, 0.6369627, -0.3047804, -1.720188, 1.10821, 1.058109],
        "rms-mc": [-1.605913, 0.5586595, -0.1684169, -1.502062, 1.133942, 0.953455],
        "adam-e": [-1.620072, 0.6246676, -0.2623619, -1.69727, 1.112279, 1.001101],
        "adagrad": [-1.617207, 0.582615, -0.1938814, -1.575093, 1.14583, 0.9758302],
        "nadam": [-1.512478, 0.5917127, -0.2549595, -1.61327, 1.117374, 1.015825],
        "ftrl": [0.000227363, -4.203041e-05, -0.08725168, 0.1058778, 0.2044714, 0.3952378],
        "adamw": [-1.040641, 0.6271251, -0.1170806, -1.369441, 0.9697819, 0.7914843],
        "ema": [-1.166027, 0.6884502, -0.1568531, -1.482724, 1.055458, 0.8504573],
        "wd": [-1.376593, 0.5039611, -0.1735953, -1.353456, 0.9710938, 0.8373932],
    },
}
# After four steps: the first column of a table of rows of which a batch looks up only some.
ROWS: dict[str, list[float]] = {
    "sgd-m": [-0.4580669, 2.878468, 1.048148, 1.539153, -0.3519537],
    "rms": [1.414354, -1.787684, 1.048148, 1.711707, 0.09801239],
    "rms-m": [1.341207, -1.710857, 1.048148, 1.683223, 0.07606028],
    "rms-mc": [1.370896, -1.74259, 1.048148, 1.691721, 0.08145949],
    "adam-e": [1.265309, -1.558716, 1.048148, 1.688062, 0.08585261],
    "adamax": [1.257503, -1.62856, 1.048148, 1.698027, 0.03239061],
    "adadelta": [1.127066, -1.489283, 1.048148, 1.569358, -0.123048],
    "adagrad": [1.279038, -1.645958, 1.048148, 1.623506, 0.01041297],
    "nadam": [1.434131, -1.80909, 1.048148, 1.731236, 0.1138423],
    "ftrl": [1.184169, -1.585899, 1.048148, 0.1313317, -0.0184083],
}


def of_generation(name: str, generation: str) -> Any:
    """The optimizer read from a config as that generation writes it."""
    form = O.serialize(MAKERS[name]())
    config = form["config"]
    if generation != "keras-2.4":
        config.pop("decay")
        prefix = "Custom>" if generation == "keras-2.11" else ""
        form = {
            "class_name": prefix + form["class_name"],
            "config": {**MARKS[generation], **SWITCHES.get(name, {}), **config},
        }
    return O.deserialize(form)


def dense() -> Any:
    built = keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh", name="a"), L.Dense(2, name="b")])
    built.set_weights(WEIGHTS)
    return built


@pytest.mark.parametrize(("generation", "name"), [(g, name) for g, table in EXPECTED.items() for name in table])
def test_steps(generation: str, name: str) -> None:
    trained = dense()
    trained.compile(of_generation(name, generation), "mse")
    assert trained.optimizer.generation == generation
    for _ in range(8):
        trained.train_on_batch(X, Y)
    weights = trained.get_weights()
    found = np.concatenate([weights[1], weights[3]])
    np.testing.assert_allclose(found, EXPECTED[generation][name], rtol=0, atol=5e-6)


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_were_not_looked_up(name: str) -> None:
    trained = keras.Sequential(
        [keras.Input((2,), dtype="int32"), L.Embedding(5, 3, name="e"), L.Flatten(), L.Dense(1, name="d")]
    )
    trained.set_weights(ROW_WEIGHTS)
    trained.compile(MAKERS[name](), "mse")
    for step in range(4):
        trained.train_on_batch(IDS[step % 3], Y_IDS)
    np.testing.assert_allclose(trained.get_weights()[0][:, 0], ROWS[name], rtol=0, atol=1e-5)


def test_a_table_that_is_also_read_whole_is_updated_whole() -> None:
    table = L.Embedding(5, 3, embeddings_regularizer="l2")
    trained = keras.Sequential([keras.Input((2,), dtype="int32"), table, L.Flatten(), L.Dense(1)])
    trained.compile(O.Adamax(0.1), "mse")
    before = table.get_weights()[0]
    trained.train_on_batch(IDS[0], Y_IDS)
    assert np.all(table.get_weights()[0] != before)


def test_the_product_of_nadam_in_each_generation() -> None:
    """Keras 2.11 to 2.15 multiply it once a variable, and not for one of them in each of the steps 4 to 7."""
    slipped = [0.04797149822, 0.002660436323, 0.0001687771291, 2.343068445e-05, 3.549504981e-06, 5.833595651e-07]
    once = np.cumprod([0.9 * (1 - 0.5 * 0.96**step) for step in range(1, 7)])
    for generation, expected in (("keras-2.11", slipped), ("keras-3", once)):
        model = dense()
        model.compile(of_generation("nadam", generation), "mse")
        for step, product in enumerate(expected, start=1):
            model.train_on_batch(X, Y)
            assert float(model.optimizer.scalars()[0]) == pytest.approx(product, rel=1e-5)
            assert float(model.optimizer.product(step)) == pytest.approx(product, rel=1e-5)


def test_weights_become_their_averages_when_training_ends() -> None:
    model = dense()
    model.compile(of_generation("ema", "keras-3"), "mse")
    model.fit(X, Y, batch_size=3, epochs=1, verbose=0)
    for variable in model.trainable_weights:
        np.testing.assert_array_equal(variable.array, model.optimizer.get_slot(variable, "average").array)


# -- how files list the state ------------------------------------------------------------------------------------

LAYOUTS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "sgd": (
        ["SGD/iter:0"],
        ["iteration:0", "SGD/m/a/kernel:0", "SGD/m/a/bias:0"],
        ["sgd/iteration", "sgd/learning_rate"],
    ),
    "sgd-m": (
        ["SGD/iter:0", "SGD/a/kernel/momentum:0", "SGD/a/bias/momentum:0"],
        ["iteration:0", "SGD/m/a/kernel:0", "SGD/m/a/bias:0"],
        ["sgd/iteration", "sgd/learning_rate", "sgd/a_kernel_momentum", "sgd/a_bias_momentum"],
    ),
    "exp": (
        ["SGD/iter:0", "SGD/a/kernel/momentum:0", "SGD/a/bias/momentum:0"],
        ["iteration:0", "SGD/m/a/kernel:0", "SGD/m/a/bias:0"],
        ["sgd/iteration", "sgd/a_kernel_momentum", "sgd/a_bias_momentum"],
    ),
    "rms-mc": (
        [
            "RMSprop/iter:0", "RMSprop/a/kernel/rms:0", "RMSprop/a/bias/rms:0", "RMSprop/a/kernel/momentum:0",
            "RMSprop/a/bias/momentum:0", "RMSprop/a/kernel/mg:0", "RMSprop/a/bias/mg:0",
        ],
        [
            "iteration:0", "RMSprop/velocity/a/kernel:0", "RMSprop/velocity/a/bias:0", "RMSprop/momentum/a/kernel:0",
            "RMSprop/momentum/a/bias:0", "RMSprop/average_gradient/a/kernel:0", "RMSprop/average_gradient/a/bias:0",
        ],
        [
            "rm_sprop/iteration", "rm_sprop/learning_rate", "rm_sprop/a_kernel_velocity", "rm_sprop/a_bias_velocity",
            "rm_sprop/a_kernel_momentum", "rm_sprop/a_bias_momentum", "rm_sprop/a_kernel_average_gradient",
            "rm_sprop/a_bias_average_gradient",
        ],
    ),
    "adam-a": (
        [
            "Adam/iter:0", "Adam/a/kernel/m:0", "Adam/a/bias/m:0", "Adam/a/kernel/v:0", "Adam/a/bias/v:0",
            "Adam/a/kernel/vhat:0", "Adam/a/bias/vhat:0",
        ],
        [
            "iteration:0", "Adam/m/a/kernel:0", "Adam/v/a/kernel:0", "Adam/m/a/bias:0", "Adam/v/a/bias:0",
            "Adam/vhat/a/kernel:0", "Adam/vhat/a/bias:0",
        ],
        [
            "adam/iteration", "adam/learning_rate", "adam/a_kernel_momentum", "adam/a_kernel_velocity",
            "adam/a_bias_momentum", "adam/a_bias_velocity", "adam/a_kernel_velocity_hat", "adam/a_bias_velocity_hat",
        ],
    ),
    "adamax": (
        ["Adamax/iter:0", "Adamax/a/kernel/m:0", "Adamax/a/bias/m:0", "Adamax/a/kernel/v:0", "Adamax/a/bias/v:0"],
        ["iteration:0", "Adamax/m/a/kernel:0", "Adamax/u/a/kernel:0", "Adamax/m/a/bias:0", "Adamax/u/a/bias:0"],
        [
            "adamax/iteration", "adamax/learning_rate", "adamax/a_kernel_momentum", "adamax/a_kernel_norm",
            "adamax/a_bias_momentum", "adamax/a_bias_norm",
        ],
    ),
    "adadelta": (
        [
            "Adadelta/iter:0", "Adadelta/a/kernel/accum_grad:0", "Adadelta/a/bias/accum_grad:0",
            "Adadelta/a/kernel/accum_var:0", "Adadelta/a/bias/accum_var:0",
        ],
        [
            "iteration:0", "Adadelta/accumulated_grad/a/kernel:0", "Adadelta/accumulated_delta_var/a/kernel:0",
            "Adadelta/accumulated_grad/a/bias:0", "Adadelta/accumulated_delta_var/a/bias:0",
        ],
        [
            "adadelta/iteration", "adadelta/learning_rate", "adadelta/a_kernel_accumulated_grad",
            "adadelta/a_kernel_accumulated_delta_var", "adadelta/a_bias_accumulated_grad",
            "adadelta/a_bias_accumulated_delta_var",
        ],
    ),
    "adagrad": (
        ["Adagrad/iter:0", "Adagrad/a/kernel/accumulator:0", "Adagrad/a/bias/accumulator:0"],
        ["iteration:0", "Adagrad/accumulator/a/kernel:0", "Adagrad/accumulator/a/bias:0"],
        ["adagrad/iteration", "adagrad/learning_rate", "adagrad/a_kernel_accumulator", "adagrad/a_bias_accumulator"],
    ),
    "nadam": (
        [
            "Nadam/iter:0", "Nadam/momentum_cache:0", "Nadam/a/kernel/m:0", "Nadam/a/bias/m:0", "Nadam/a/kernel/v:0",
            "Nadam/a/bias/v:0",
        ],
        ["iteration:0", "Nadam/m/a/kernel:0", "Nadam/v/a/kernel:0", "Nadam/m/a/bias:0", "Nadam/v/a/bias:0"],
        [
            "nadam/iteration", "nadam/learning_rate", "nadam/a_kernel_momentum", "nadam/a_kernel_velocity",
            "nadam/a_bias_momentum", "nadam/a_bias_velocity", "nadam/variable",
        ],
    ),
    "ftrl": (
        [
            "Ftrl/iter:0", "Ftrl/a/kernel/accumulator:0", "Ftrl/a/kernel/linear:0", "Ftrl/a/bias/accumulator:0",
            "Ftrl/a/bias/linear:0",
        ],
        [
            "iteration:0", "Ftrl/accumulator/a/kernel:0", "Ftrl/linear/a/kernel:0", "Ftrl/accumulator/a/bias:0",
            "Ftrl/linear/a/bias:0",
        ],
        [
            "ftrl/iteration", "ftrl/learning_rate", "ftrl/a_kernel_accumulator", "ftrl/a_kernel_linear",
            "ftrl/a_bias_accumulator", "ftrl/a_bias_linear",
        ],
    ),
}  # fmt: skip


def trained(optimizer: Any, steps: int = 2) -> Any:
    model = keras.Sequential([keras.Input((3,)), L.Dense(2, name="a")])
    model.set_weights([WEIGHTS[0][:, :2], WEIGHTS[3]])
    model.compile(optimizer, "mse")
    for _ in range(steps):
        model.train_on_batch(X, Y)
    return model


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("place", range(3))
def test_layouts(name: str, place: int) -> None:
    """The entries of each generation are those it writes, and carry the whole state over to another optimizer."""
    generation: Any = ("keras-2.4", "keras-2.11", "keras-3")[place]
    one, other = (trained(of_generation(name, generation)) for _ in range(2))
    entries = layout(one.optimizer, one.trainable_weights, generation)
    assert [entry.name for entry in entries] == LAYOUTS[name][place]
    other = trained(of_generation(name, generation), steps=0)
    targets = layout(other.optimizer, other.trainable_weights, generation)
    for entry, target in zip(entries, targets, strict=True):
        assert entry.shape == target.shape
        target.write(np.array(entry.read()))
    other.set_weights(one.get_weights())
    for model in (one, other):
        for _ in range(3):
            model.train_on_batch(X, Y)
    for found, expected in zip(other.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_attributes_of_checkpoints() -> None:
    names = [entry.name for entry in attributes(trained(MAKERS["nadam"]()).optimizer)]
    assert names == ["_iterations", "_learning_rate", "_u_product"]
    assert [entry.name for entry in attributes(trained(MAKERS["exp"]()).optimizer)][1] == "_current_learning_rate"
    scaled = O.LossScaleOptimizer(O.SGD(0.1))
    names = [entry.name for entry in attributes(trained(scaled).optimizer)]
    assert names[2:] == ["loss_scale/current_loss_scale", "loss_scale/good_steps"]
    assert [entry.name for entry in layout(scaled, [], "keras-3")][2:4] == [
        "loss_scale_optimizer/step_counter",
        "loss_scale_optimizer/dynamic_scale",
    ]


def test_averages_come_first() -> None:
    model = trained(of_generation("ema", "keras-2.11"))
    names = [entry.name for entry in layout(model.optimizer, model.trainable_weights, "keras-2.11")]
    assert names[:3] == ["iteration:0", "Adam/average/a/kernel:0", "Adam/average/a/bias:0"]


# -- configs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in SWITCHES])
def test_config_round_trip(name: str) -> None:
    form = O.serialize(MAKERS[name]())
    assert O.serialize(O.deserialize(form)) == form


def test_configs_of_other_generations() -> None:
    assert O.deserialize({"class_name": "SGD", "config": {"lr": 0.5, "momentum": 0.1}}).learning_rate == 0.5
    assert O.deserialize({"class_name": "adagrad", "config": {"lr": 0.5, "epsilon": None}}).epsilon == 1e-7
    legacy = {"learning_rate": 0.1, "is_legacy_optimizer": True, "decay": 0.0}
    assert O.deserialize({"class_name": "Adagrad", "config": legacy}).generation == "keras-2.4"
    schedule = {"class_name": "PolynomialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 3}}
    made = O.deserialize({"class_name": "Adam", "config": {"learning_rate": schedule}})
    assert isinstance(made.learning_rate, S.PolynomialDecay)


def test_what_cannot_be_loaded_is_refused() -> None:
    with pytest.raises(keras.LoadError, match="gradient_accumulation_steps=4"):
        O.deserialize({"class_name": "Adam", "config": {"gradient_accumulation_steps": 4}})
    with pytest.raises(keras.LoadError, match="Unknown optimizer: Lion"):
        O.deserialize({"class_name": "Custom>Lion", "config": {}})
    with pytest.raises(keras.LoadError, match="nonsense"):
        O.deserialize({"class_name": "Adam", "config": {"nonsense": 1}})
    with pytest.raises(ValueError, match="LearningRateSchedules"):
        O.Nadam(S.ExponentialDecay(0.1, 1, 0.5))


# -- loss scaling ------------------------------------------------------------------------------------------------


def test_a_scale_halves_and_the_step_is_only_counted() -> None:
    model = trained(O.LossScaleOptimizer(O.SGD(0.1), initial_scale=2.0**127), steps=0)
    before = model.get_weights()
    with np.errstate(all="ignore"):
        model.train_on_batch(X * 1e3, Y)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert model.optimizer.loss_scale == 2.0**126
    assert int(model.optimizer.iterations) == 1


def test_a_scale_doubles() -> None:
    model = trained(O.LossScaleOptimizer(O.SGD(0.1), initial_scale=8, dynamic_growth_steps=2), steps=3)
    assert model.optimizer.loss_scale == 16
    assert int(model.optimizer.good_steps) == 1
    plain = trained(O.SGD(0.1), steps=3)
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0], atol=1e-6)


def test_mixed_precision_wraps_the_optimizer() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        wrapped = trained(O.SGD(0.1, momentum=0.9)).optimizer
    finally:
        keras.mixed_precision.set_global_policy(None)
    assert type(wrapped) is O.LossScaleOptimizer
    assert [weight.name for weight in wrapped.weights] == LAYOUTS["sgd-m"][0]


@pytest.mark.parametrize(
    ("name", "scale", "dynamic", "steps", "initial"),
    [
        ("LossScaleOptimizer", "dynamic", True, 2000, 2.0**15),
        ("LossScaleOptimizerV1", 128.0, False, None, 128.0),
        ("LossScaleOptimizer", {"class_name": "FixedLossScale", "config": {"loss_scale_value": 3.0}}, False, None, 3.0),
        (
            "LossScaleOptimizer",
            {"class_name": "DynamicLossScale", "config": {"initial_loss_scale": 4.0, "increment_period": 7}},
            True, 7, 4.0,
        ),
    ],
)  # fmt: skip
def test_configs_of_loss_scales(name: str, scale: Any, dynamic: bool, steps: int | None, initial: float) -> None:
    inner = O.serialize(O.SGD(0.1))
    read = O.deserialize({"class_name": name, "config": {"optimizer": inner, "loss_scale": scale}})
    expected = {
        "inner_optimizer": inner, "dynamic": dynamic, "initial_scale": initial, "dynamic_growth_steps": steps,
    }  # fmt: skip
    assert read.get_config() == expected
    assert O.deserialize(O.serialize(read)).get_config() == expected
