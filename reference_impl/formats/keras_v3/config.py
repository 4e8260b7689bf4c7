"""``config.json`` of an archive: the model's configuration in the form of 2.15, or of Keras 3.

2.15 and tf_keras take the layers of a config as 2.4 writes them; Keras 3 takes its calls so, but layers under its own
arguments, which :mod:`reference_impl.serialization.keras_3` knows.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

from reference_impl import dialects
from reference_impl.serialization import jsonable, keras_3, serialize_model
from reference_impl.serialization.registry import get_registered_name


def config_of(model: Any) -> dict[str, Any]:
    """The whole of ``config.json``. ``NotImplementedError`` for a model without a config."""
    form = jsonable.encode(serialize_model(model), f"the config of {model.name!r}")
    own = get_registered_name(type(model))
    builtin = own in ("Functional", "Sequential", "Model")
    whole: dict[str, Any] = {
        "module": "keras" if builtin else None,
        # A model made of inputs and outputs is revived by the public class.
        "class_name": "Model" if own == "Functional" else type(model).__name__,
        "config": form["config"],
        "registered_name": own if not builtin else None,
    }
    shape = model._state.build_input_shape
    if shape is not None:
        whole["build_config"] = jsonable.encode({"input_shape": shape})
    training = _compile_config(model)
    return {**whole, "compile_config": training} if training is not None else whole


def _compile_config(model: Any) -> dict[str, Any] | None:
    if model._compiled is None:
        return None
    from reference_impl.training.config import training_config

    told = jsonable.encode(training_config(model), f"the compile information of {model.name!r}")
    optimizer = told.pop("optimizer_config")
    name, config = optimizer["class_name"], dict(optimizer["config"])
    decay = config.pop("decay", 0.0)
    if name == "Nadam" and model.optimizer.generation == "keras-2.4":
        raise ValueError(
            f"{model.name!r}: Nadam of TensorFlow 2.4 is another algorithm than the Nadam of this format; make the "
            f"optimizer inside `with dialect({dialects.current()!r}):` too, or compile with another one"
        )
    if decay and name != "Nadam":
        raise ValueError(
            f"{model.name!r}: the optimizer {name} has decay={decay}, which optimizers of this format do not have; use a "
            "learning rate schedule (InverseTimeDecay)"
        )
    whole = {"optimizer": {**optimizer, "config": config}, **told}
    return keras_3.form_of(whole) if dialects.current() == "keras-3" else whole
