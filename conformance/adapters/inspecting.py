"""Operations that look: what an object is, its weights, its optimizer, its losses, its summary."""

from __future__ import annotations

import contextlib
import io
from typing import Any, Dict, List

from conformance.adapters.workspace import Operation, Params, Result, Workspace


def _describe(work: Workspace, params: Params) -> Result:
    thing = work.get(params["object"])
    kind = _kind(work, thing)
    is_model = isinstance(thing, work.keras.Model)
    is_keras = is_model or isinstance(thing, work.keras.layers.Layer)
    return {
        "class_name": type(thing).__name__,
        "module": type(thing).__module__,
        "mro": [ancestor.__name__ for ancestor in type(thing).__mro__],
        "kind": kind,
        "name": _text(getattr(thing, "name", None)),
        "built": _flag(thing, "built") if is_keras else None,
        "compiled": work.library.compiled(thing) if is_model else None,
        "trainable": _flag(thing, "trainable") if is_keras or kind == "variable" else None,
        "has": {name: callable(getattr(thing, name, None)) for name in _METHODS},
        "layers": [_layer(work, layer) for layer in thing.layers] if is_model else [],
        "inputs": _inputs(work, thing) if is_model else [],
        "outputs": _outputs(work, thing) if is_model else [],
        "marker": _text(getattr(thing, "marker", None)),
    }


def _weights(work: Workspace, params: Params) -> Result:
    thing = work.get(params["object"])
    return {
        "weights": [
            {"name": weight.name, "trainable": bool(weight.trainable), "value": work.array_out(weight)}
            for weight in _variables(thing, _WEIGHTS[params.get("which", "all")])
        ]
    }


def _variables(thing: Any, which: str) -> List[Any]:
    # TensorFlow 2.4 has lookup tables among the weights, which are no variables and have no name.
    return [weight for weight in getattr(thing, which) if hasattr(weight, "name")]


def _get_weights(work: Workspace, params: Params) -> Result:
    # A list of arrays: flattening it would take an object array of strings for a structure.
    return {"arrays": [work.array_out(array) for array in work.get(params["object"]).get_weights()]}


def _value(work: Workspace, params: Params) -> Result:
    return {"value": work.array_out(work.get(params["object"]))}


def _optimizer(work: Workspace, params: Params) -> Result:
    found = getattr(work.get(params["object"]), "optimizer", None)
    if found is None:
        return {"present": False, "class_name": None, "iterations": None, "config": None, "variables": []}
    return {
        "present": True,
        "class_name": type(found).__name__,
        "iterations": int(work.library.array(found.iterations)),
        "config": work.value_out(found.get_config()),
        "variables": [
            {"name": variable.name, "value": work.array_out(variable)}
            for variable in work.library.optimizer_variables(found)
        ],
    }


def _losses(work: Workspace, params: Params) -> Result:
    return {"values": [work.array_out(loss) for loss in work.get(params["object"]).losses]}


def _summary(work: Workspace, params: Params) -> Result:
    # What a user sees: print_fn is called by the line in Keras 2 and once in Keras 3.
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        work.get(params["object"]).summary()
    return {"text": text.getvalue()}


_METHODS = ("predict", "fit", "evaluate", "get_config")
_WEIGHTS = {"all": "weights", "trainable": "trainable_weights", "non_trainable": "non_trainable_weights"}


def _kind(work: Workspace, thing: Any) -> str:
    keras = work.keras
    if isinstance(thing, keras.Sequential):
        return "sequential"
    if isinstance(thing, keras.Model):
        # Keras 2 has no public name for the class a Functional model gets.
        functional = any(ancestor.__name__ == "Functional" for ancestor in type(thing).__mro__)
        return "functional" if functional else "subclassed"
    if isinstance(thing, keras.layers.Layer):
        return "layer"
    if isinstance(thing, work.library.variable_types()):
        return "variable"
    if hasattr(thing, "signatures"):
        return "graph"
    return "other"


def _layer(work: Workspace, layer: Any) -> Dict[str, Any]:
    # A nested model without weights yet raises when it is asked for them.
    waiting = isinstance(layer, work.keras.Model) and not layer.built
    return {
        "name": layer.name,
        "class_name": type(layer).__name__,
        "trainable": bool(layer.trainable),
        "weights": 0 if waiting else len(_variables(layer, "weights")),
    }


def _inputs(work: Workspace, model: Any) -> List[Dict[str, Any]]:
    """The model's symbolic inputs; none where it has none, as before its first call."""
    tensors = work.library.flatten(getattr(model, "inputs", None) or [])
    # Keras 3 has no input_names: there the tensor has the name its Input was given.
    names = getattr(model, "input_names", None) or [tensor.name for tensor in tensors]
    return list(map(_tensor, names, tensors))


def _outputs(work: Workspace, model: Any) -> List[Dict[str, Any]]:
    """The model's symbolic outputs, with names where the library has names for them."""
    tensors = work.library.flatten(getattr(model, "outputs", None) or [])
    names = getattr(model, "output_names", None) or [None] * len(tensors)
    return list(map(_tensor, names, tensors))


def _tensor(name: Any, tensor: Any) -> Dict[str, Any]:
    dtype = getattr(tensor.dtype, "name", tensor.dtype)
    return {"name": _text(name), "shape": _shape(tensor.shape), "dtype": str(dtype)}


def _shape(shape: Any) -> Any:
    if getattr(shape, "rank", 0) is None:  # a TensorFlow shape of which nothing is known
        return None
    return [None if size is None else int(size) for size in shape]


def _flag(thing: Any, name: str) -> Any:
    """A flag; None where the object lacks it, as a layer does whose __init__ did not call that of Layer."""
    flag = getattr(thing, name, None)
    return None if flag is None else bool(flag)


def _text(text: Any) -> Any:
    return text if isinstance(text, str) else None


OPERATIONS: Dict[str, Operation] = {
    "describe": _describe,
    "weights": _weights,
    "get_weights": _get_weights,
    "value": _value,
    "optimizer": _optimizer,
    "losses": _losses,
    "summary": _summary,
}
