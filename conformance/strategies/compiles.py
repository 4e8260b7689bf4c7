"""What ``compile()`` is given: optimizers with arguments; losses and metrics by name, object, list and dict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from conformance.blueprint import Compile
from conformance.strategies.pieces import Draw


def _made(cls: str, **args: Any) -> dict[str, Any]:
    return {"class": cls, "args": args}


OPTIMIZERS: Sequence[Any] = (
    "adam",
    "sgd",
    "rmsprop",
    _made("Adam", learning_rate=0.01, beta_1=0.8, beta_2=0.95),
    _made("SGD", learning_rate=0.05),
    _made("SGD", learning_rate=0.02, momentum=0.9),
    _made("SGD", learning_rate=0.02, momentum=0.5, nesterov=True),
    _made("RMSprop", learning_rate=0.003, rho=0.8),
)
# Every optimizer that all dialects have, its hyper-parameters other than the defaults, its optional slots in use.
EVERY_OPTIMIZER: Sequence[Any] = (
    _made("Adam", learning_rate=0.01, beta_1=0.8, amsgrad=True),
    _made("RMSprop", learning_rate=0.003, rho=0.8, momentum=0.5, centered=True),
    _made("SGD", learning_rate=0.02, momentum=0.5, nesterov=True),
    _made("Adagrad", learning_rate=0.02, initial_accumulator_value=0.25),
    _made("Adadelta", learning_rate=0.5, rho=0.9),
    _made("Adamax", learning_rate=0.01, beta_1=0.8),
    _made("Nadam", learning_rate=0.01, beta_2=0.95),
    _made("Ftrl", learning_rate=0.02, l1_regularization_strength=0.001, learning_rate_power=-0.4),
    _made("Adam", learning_rate=0.01, clipnorm=0.5),
    _made("SGD", learning_rate=0.05, clipvalue=0.01),
)
# Keras 3 loses the arguments of the classes it makes of one function, Huber's delta among them: a test of its own shows it.
LOSSES: Sequence[Any] = (
    "mse",
    "mean_squared_error",
    "mae",
    "binary_crossentropy",
    _made("MeanSquaredError"),
    _made("Huber"),
    _made("CosineSimilarity"),
    _made("BinaryCrossentropy", from_logits=True),
    _made("CategoricalCrossentropy", from_logits=True),
)
METRICS: Sequence[Any] = (
    "mae",
    "mse",
    "accuracy",
    _made("MeanAbsoluteError", name="distance"),
    _made("RootMeanSquaredError", name="spread"),
)


CUSTOM_LOSS, CUSTOM_METRIC = {"custom": "custom_loss"}, {"custom": "custom_metric"}


def optimizers(besides: Sequence[str] = ()) -> st.SearchStrategy[Any]:
    """Every optimizer that all dialects have, with arguments, as ``Compile.optimizer`` wants it.

    ``besides``: classes that are left out.
    """
    return st.sampled_from([optimizer for optimizer in EVERY_OPTIMIZER if optimizer["class"] not in besides])


def custom_compiles() -> st.SearchStrategy[Compile]:
    """Compile information for one output that names the custom loss, the custom metric, or both beside built-in ones."""
    loss = st.sampled_from([CUSTOM_LOSS, "mse", CUSTOM_LOSS])
    metrics = st.sampled_from([[CUSTOM_METRIC], ["mae", CUSTOM_METRIC], [CUSTOM_METRIC, _made("MeanAbsoluteError")]])
    return st.builds(Compile, st.sampled_from(OPTIMIZERS), loss, metrics)


@st.composite
def compiles(draw: Draw, outputs: Sequence[str | None] = (None,), with_metrics: bool = True) -> Compile:
    """Compile information for a model whose outputs have these names (None: unnamed, no dict form then).

    ``with_metrics`` False leaves metrics out. One output has its loss bare and its metrics in one list. Several have one loss for all, one each in a list, or one
    each in a dict by name, and metrics in the same form.
    """
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    loss = st.sampled_from(LOSSES)
    metrics = st.lists(st.sampled_from(METRICS), max_size=2 if with_metrics else 0, unique_by=str)
    if len(outputs) == 1:
        return Compile(optimizer, draw(loss), draw(metrics))
    named = [name for name in outputs if name is not None]
    forms = ["one", "list", "dict"] if len(named) == len(outputs) else ["one", "list"]
    form = draw(st.sampled_from(forms))
    if form == "one":
        return Compile(optimizer, draw(loss))
    losses = [draw(loss) for _ in outputs]
    per_output = [draw(metrics) for _ in outputs]
    if form == "list":
        weights = draw(st.sampled_from([None, [0.5 + i for i in range(len(outputs))]]))
        return Compile(optimizer, losses, per_output, weights)
    return Compile(optimizer, dict(zip(named, losses, strict=True)), dict(zip(named, per_output, strict=True)))
