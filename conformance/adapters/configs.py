"""Operations on configurations: dicts, JSON text, and the serialize functions of each kind of object."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict

from conformance.adapters.workspace import Operation, Params, Result, Workspace


def _get_config(work: Workspace, params: Params) -> Result:
    config = work.get(params["object"]).get_config()
    return {"config": work.value_out(config), "object": work.add("config", config)}


def _mutate(work: Workspace, params: Params) -> Result:
    target = work.get(params["object"])
    *way, last = params["path"]
    for key in way:
        target = target[key]
    target[last] = work.value_in(params["value"])
    return {}


def _from_config(work: Workspace, params: Params) -> Result:
    config = work.get(params["object"]) if "object" in params else work.value_in(params["config"])
    made = _class(work, params["class"]).from_config(config, **custom_objects(work, params))
    return {"object": work.add("object", made), "config_after": work.value_out(config)}


def _to_json(work: Workspace, params: Params) -> Result:
    return {"json": work.get(params["object"]).to_json()}


def _from_json(work: Workspace, params: Params) -> Result:
    model = work.keras.models.model_from_json(params["json"], **custom_objects(work, params))
    return {"object": work.add("model", model)}


def _serialize(work: Workspace, params: Params) -> Result:
    thing = work.get(params["object"]) if "object" in params else work.custom(params["custom"])
    return {"value": work.value_out(_module(work, params.get("kind", "layer")).serialize(thing))}


def _deserialize(work: Workspace, params: Params) -> Result:
    function = _module(work, params["kind"]).deserialize
    arguments = custom_objects(work, params)
    value = work.value_in(params["value"])
    if params.get("thread"):
        with ThreadPoolExecutor(1) as other:
            made = other.submit(function, value, **arguments).result()
    else:
        made = function(value, **arguments)
    return {"object": work.add(params["kind"], made)}


def custom_objects(work: Workspace, params: Params) -> Dict[str, Any]:
    """The argument custom_objects, if the request has it."""
    names = params.get("custom_objects")
    return {} if names is None else {"custom_objects": work.custom_objects(names)}


# The module of each kind of object that has serialize and deserialize.
_MODULES = {
    "layer": "layers",
    "activation": "activations",
    "loss": "losses",
    "metric": "metrics",
    "optimizer": "optimizers",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}


def _module(work: Workspace, kind: str) -> Any:
    return getattr(work.keras, _MODULES[kind])


def _class(work: Workspace, name: Any) -> Any:
    if not isinstance(name, str):
        return work.custom(name["custom"])
    return getattr(work.keras, name) if name in ("Sequential", "Model") else work.library.layer_class(name)


OPERATIONS: Dict[str, Operation] = {
    "get_config": _get_config,
    "mutate": _mutate,
    "from_config": _from_config,
    "to_json": _to_json,
    "from_json": _from_json,
    "serialize": _serialize,
    "deserialize": _deserialize,
}
