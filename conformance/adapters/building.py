"""Operations that make models and layers: from a blueprint, or of parts that exist already."""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, List, Mapping, cast

from conformance.adapters.workspace import Operation, Params, Result, Workspace, given


def _build(work: Workspace, params: Params) -> Result:
    return {"object": work.add("model", make_model(work, params["blueprint"]))}


def _build_layer(work: Workspace, params: Params) -> Result:
    layer = make_layer(work, params["layer"])
    if params.get("input_shape") is not None:
        layer.build((None, *params["input_shape"]))
    return {"object": work.add("layer", layer)}


def _sequential_of(work: Workspace, params: Params) -> Result:
    parts = [_part(work, part) for part in params["parts"]]
    return {"object": work.add("model", work.keras.Sequential(parts, **given(params, "name")))}


def _part_model(work: Workspace, params: Params) -> Result:
    model = work.get(params["object"])
    tensor = getattr(find_layer(model, params["layer"]), params["tensor"])
    return {"object": work.add("model", work.keras.Model(model.inputs, tensor, **given(params, "name")))}


def _layer(work: Workspace, params: Params) -> Result:
    return {"object": work.add("layer", find_layer(work.get(params["object"]), params["layer"]))}


def _attribute(work: Workspace, params: Params) -> Result:
    thing = work.get(params["object"])
    for part in params["name"].split("."):
        thing = thing[int(part)] if part.isdigit() else getattr(thing, part)
    return {"object": work.add("attribute", thing)}


def _compile(work: Workspace, params: Params) -> Result:
    work.get(params["object"]).compile(**_compile_arguments(work, params["compile"]))
    return {}


def _clone(work: Workspace, params: Params) -> Result:
    return {"object": work.add("model", work.keras.models.clone_model(work.get(params["object"])))}


# Blueprints


def make_model(work: Workspace, blueprint: Mapping[str, Any]) -> Any:
    """The model of a blueprint, compiled if the blueprint says so."""
    model = _MAKERS[blueprint["kind"]](work, blueprint)
    if blueprint.get("compile") is not None:
        model.compile(**_compile_arguments(work, blueprint["compile"]))
    return model


def make_layer(work: Workspace, spec: Mapping[str, Any]) -> Any:
    """The layer, or nested model, of a blueprint's layer entry."""
    if "model" in spec:
        made = make_model(work, spec["model"])
    else:
        made = _class(work, spec["class"])(**work.value_in(spec.get("args", {}), layer=partial(make_layer, work)))
    if spec.get("trainable") is False:  # assigning True would thaw what is frozen inside
        made.trainable = False
    return made


def find_layer(model: Any, key: Any) -> Any:
    """A layer of a model by index or by name."""
    return model.get_layer(key) if isinstance(key, str) else model.layers[key]


def _class(work: Workspace, name: Any) -> Any:
    return work.library.layer_class(name) if isinstance(name, str) else work.custom(name["custom"])


def _input(work: Workspace, spec: Mapping[str, Any]) -> Any:
    return work.keras.Input(shape=tuple(spec["shape"]), **given(spec, "name", "dtype"))


def _part(work: Workspace, part: Mapping[str, Any]) -> Any:
    if "object" in part:
        return work.get(part["object"])
    if "layer" in part:
        return make_layer(work, part["layer"])
    return _input(work, part["input"])


def _sequential(work: Workspace, blueprint: Mapping[str, Any]) -> Any:
    inputs = [_input(work, spec) for spec in blueprint.get("inputs", [])]
    layers = [make_layer(work, spec) for spec in blueprint["layers"]]
    return work.keras.Sequential([*inputs, *layers], **given(blueprint, "name"))


def _functional(work: Workspace, blueprint: Mapping[str, Any]) -> Any:
    inputs = {spec["name"]: _input(work, spec) for spec in blueprint["inputs"]}
    layers = {spec["id"]: make_layer(work, spec) for spec in blueprint["layers"]}
    tensors: Dict[str, Any] = dict(inputs)
    for call in blueprint["calls"]:
        arguments = [tensors[name] for name in call["inputs"]]
        tensors[call["output"]] = layers[call["layer"]](_one_or_list(arguments))
    outputs = [tensors[name] for name in blueprint["outputs"]]
    return work.keras.Model(
        inputs=_one_or_list(list(inputs.values())), outputs=_one_or_list(outputs), **given(blueprint, "name")
    )


def _subclassed(work: Workspace, blueprint: Mapping[str, Any]) -> Any:
    arguments = {**work.value_in(blueprint.get("args", {})), **given(blueprint, "name")}
    model = work.custom(blueprint["class"]["custom"])(**arguments)
    ones = [
        work.library.ones((1, *spec["shape"]), spec.get("dtype") or "float32") for spec in blueprint.get("inputs", [])
    ]
    if ones:  # a subclassed model has no weights before its first call
        model(_one_or_list(ones))
    return model


def _one_or_list(items: Any) -> Any:
    return items[0] if len(items) == 1 else items


_MAKERS = {"sequential": _sequential, "functional": _functional, "subclassed": _subclassed}


# Compile information


def _compile_arguments(work: Workspace, spec: Mapping[str, Any]) -> Dict[str, Any]:
    arguments = given(spec, "loss_weights")
    for name, module in (
        ("optimizer", work.keras.optimizers),
        ("loss", work.keras.losses),
        ("metrics", work.keras.metrics),
    ):
        if spec.get(name) is not None:
            arguments[name] = _compile_objects(work, spec[name], module)
    return arguments


def _compile_objects(work: Workspace, spec: Any, module: Any) -> Any:
    """One object (a name, {class, args} or {custom}), a list of them, or a dict of them by output name."""
    if isinstance(spec, list):
        objects = cast("List[Any]", spec)
        return [_compile_objects(work, one, module) for one in objects]
    if not isinstance(spec, dict):
        return spec
    members = cast("Dict[str, Any]", spec)
    if "custom" in members:
        return work.custom(members["custom"])
    if "class" in members:
        made = module
        for part in members["class"].split("."):  # "legacy.Adam" of Keras 2.11 and later
            made = getattr(made, part)
        return made(**work.value_in(members.get("args", {})))
    return {name: _compile_objects(work, one, module) for name, one in members.items()}


OPERATIONS: Dict[str, Operation] = {
    "build": _build,
    "build_layer": _build_layer,
    "sequential_of": _sequential_of,
    "part_model": _part_model,
    "layer": _layer,
    "attribute": _attribute,
    "compile": _compile,
    "clone": _clone,
}
