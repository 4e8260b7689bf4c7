"""Operations that change or run an object: set weights, predict, call, train, evaluate, add losses."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from conformance.adapters.encoding import encode_number
from conformance.adapters.workspace import Operation, Params, Result, Workspace, given


def _set_weights(work: Workspace, params: Params) -> Result:
    work.get(params["object"]).set_weights(work.arrays_in(params["arrays"]))
    return {}


def _assign(work: Workspace, params: Params) -> Result:
    work.get(params["object"]).assign(work.array_in(params["value"]))
    return {}


def _set_trainable(work: Workspace, params: Params) -> Result:
    work.get(params["object"]).trainable = params["trainable"]
    return {}


def _predict(work: Workspace, params: Params) -> Result:
    # verbose: the progress bar is not what a message of the library is.
    outputs = work.get(params["object"]).predict(
        work.one_or_list_in(params["inputs"]), verbose=0, **given(params, "batch_size")
    )
    return {"outputs": work.arrays_out(outputs)}


def _call(work: Workspace, params: Params) -> Result:
    tensors = [work.library.tensor(array) for array in work.arrays_in(params["inputs"])]
    outputs = work.get(params["object"])(tensors[0] if len(tensors) == 1 else tensors, **given(params, "training"))
    return {"outputs": work.arrays_out(outputs)}


def _train(work: Workspace, params: Params) -> Result:
    model = work.get(params["object"])
    return {"steps": [_train_step(work, model, batch) for batch in params["batches"]]}


def _evaluate(work: Workspace, params: Params) -> Result:
    values = work.get(params["object"]).evaluate(
        work.one_or_list_in(params["x"]), work.one_or_list_in(params["y"]), verbose=0, return_dict=True
    )
    return {"values": _numbers(values)}


def _add_loss(work: Workspace, params: Params) -> Result:
    thing = work.get(params["object"])
    factor: float = params["factor"]
    square, mean = work.library.square, work.library.mean
    if params["form"] == "callable":
        weight = thing.trainable_weights[0]
        thing.add_loss(lambda: factor * mean(square(weight)))
    else:
        thing.add_loss(factor * mean(thing.outputs[0]))
    return {}


def _add_metric(work: Workspace, params: Params) -> Result:
    model = work.get(params["object"])
    model.add_metric(work.library.mean(model.outputs[0]), name=params["name"])
    return {}


def _train_step(work: Workspace, model: Any, batch: Mapping[str, Any]) -> Dict[str, Any]:
    # By hand: the default of train_on_batch's reset_metrics differs, and Keras 3 has no such argument.
    model.reset_metrics()
    values = model.train_on_batch(work.one_or_list_in(batch["x"]), work.one_or_list_in(batch["y"]), return_dict=True)
    return _numbers(values)


def _numbers(values: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: encode_number(number) for name, number in values.items()}


OPERATIONS: Dict[str, Operation] = {
    "set_weights": _set_weights,
    "assign": _assign,
    "set_trainable": _set_trainable,
    "predict": _predict,
    "call": _call,
    "train": _train,
    "evaluate": _evaluate,
    "add_loss": _add_loss,
    "add_metric": _add_metric,
}
