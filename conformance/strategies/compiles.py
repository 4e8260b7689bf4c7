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
LOSSES: Sequence[Any] = (
    "mse",
    "mean_squared_error",
    "mae",
    "binary_crossentropy",
    _made("MeanSquaredError"),
    _made("Huber", delta=0.37),
    _made("CosineSimilarity", axis=1),
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


@st.composite
def compiles(draw: Draw, outputs: Sequence[str | None] = (None,)) -> Compile:
    """Compile information for a model whose outputs have these names (None: unnamed, no dict form then).

    One output has its loss bare and its metrics in one list. Several have one loss for all, one each in a list, or one
    each in a dict by name, and metrics in the same form.
    """
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    loss = st.sampled_from(LOSSES)
    metrics = st.lists(st.sampled_from(METRICS), max_size=2, unique_by=str)
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
