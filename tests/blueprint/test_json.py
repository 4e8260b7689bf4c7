"""A blueprint's JSON form: there and back, and the place of every fault."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from conformance.blueprint import (
    Blueprint,
    BlueprintError,
    Call,
    Compile,
    Custom,
    Functional,
    Input,
    NestedModel,
    Sequential,
    Subclassed,
    chain,
    from_json,
    layer,
)
from conformance.strategies import models

Data = dict[str, Any]

GRAPH = Functional(
    name="m",
    inputs=(Input("x", (3,)), Input("y", (3,))),
    layers=(
        layer("Dense", units=2, name="d"),
        NestedModel("n", chain(layer("Dense", units=2), name="inner", shape=(2,))),
        layer("Subtract", "sub"),
    ),
    calls=(Call("d", ("x",), "t0"), Call("d", ("y",), "t1"), Call("sub", ("t1", "t0"), "t2"), Call("n", ("t2",), "t3")),
    outputs=("t3", "t0"),
    compile=Compile("adam", {"sub": "mse"}, ["mae"]),
)


@settings(deadline=None)
@given(models())
def test_json_there_and_back(model: Blueprint):
    again = from_json(json.loads(json.dumps(model.to_json())))
    assert again == model
    assert again.digest() == model.digest()


def test_the_digest_tells_wirings_apart():
    swapped = from_json({**GRAPH.to_json(), "outputs": ["t0", "t3"]})
    assert swapped.digest() != GRAPH.digest()


def faults() -> dict[str, tuple[Callable[[Data], Any], str, str]]:
    """Name → (what is done to the JSON of GRAPH, the place the error must name, a word of its text)."""

    def at(*path: Any) -> Callable[[Data], Any]:
        def inside(data: Data) -> Any:
            value: Any = data
            for key in path:
                value = value[key]
            return value

        return inside

    return {
        "kind": (lambda d: d.update(kind="graph"), "kind", "graph"),
        "unknown field": (lambda d: d.update(extra=1), "", "extra"),
        "missing field": (lambda d: d.pop("calls"), "", "calls"),
        "unknown field of a layer": (lambda d: at("layers", 0)(d).update(units=3), "layers[0]", "units"),
        "unknown field inside": (lambda d: at("layers", 1, "model")(d).update(extra=1), "layers[1].model", "extra"),
        "fault inside": (
            lambda d: at("layers", 1, "model", "calls", 0)(d).update(inputs=["nowhere"]),
            "layers[1].model.calls[0].inputs",
            "nowhere",
        ),
        "size": (lambda d: d["inputs"][0].update(shape=[3, -1]), "inputs[0].shape[1]", "-1"),
        "trainable": (lambda d: at("layers", 0)(d).update(trainable="no"), "layers[0].trainable", "no"),
        "class": (lambda d: at("layers", 0)(d).update({"class": {"costum": "Foo:A"}}), "layers[0].class", "costum"),
        "duplicate id": (lambda d: at("layers", 2)(d).update(id="d"), "layers[2].id", "d"),
        "names clash": (lambda d: at("layers", 1, "model")(d).update(name="d"), "layers[1]", "layers[0]"),
        "name of an input": (lambda d: at("layers", 0, "args")(d).update(name="y"), "layers[0]", "inputs[1]"),
        "two inputs of a name": (lambda d: d["inputs"][1].update(name="x"), "inputs", "x"),
        "dangling input": (lambda d: d["calls"][2].update(inputs=["t1", "t9"]), "calls[2].inputs", "t9"),
        "used before made": (lambda d: d["calls"].reverse(), "calls[0].inputs", "t2"),
        "dangling layer": (lambda d: d["calls"][0].update(layer="q"), "calls[0].layer", "q"),
        "two tensors of a name": (lambda d: d["calls"][1].update(output="t0"), "calls[1].output", "t0"),
        "dangling output": (lambda d: d.update(outputs=["t8"]), "outputs", "t8"),
        "no output": (lambda d: d.update(outputs=[]), "outputs", "at least one"),
        "layer never called": (lambda d: d["calls"].pop(), "outputs", "t3"),
        "compiled inside": (
            lambda d: at("layers", 1, "model")(d).update(compile={"optimizer": "sgd"}),
            "layers[1].model.compile",
            "null",
        ),
        "compile": (lambda d: d.update(compile={"optimiser": "adam"}), "compile", "optimiser"),
        "not an object": (lambda d: d.update(layers=["Dense"]), "layers[0]", "str"),
    }


@pytest.mark.parametrize("fault", faults())
def test_a_fault_is_named_with_its_place(fault: str):
    damage, place, text = faults()[fault]
    data = copy.deepcopy(GRAPH.to_json())
    damage(data)
    with pytest.raises(BlueprintError) as caught:
        from_json(data)
    assert caught.value.place == place
    assert text in caught.value.problem


def test_a_constructor_checks_too():
    with pytest.raises(BlueprintError, match=r"layers\[1\]\.id: 'a' is taken"):
        chain(layer("Dense", "a", units=1), layer("Dense", "a", units=1))
    with pytest.raises(BlueprintError, match="inputs: a sequential model has one at most"):
        Sequential(inputs=(Input("x", (1,)), Input("y", (1,))))
    with pytest.raises(BlueprintError, match="inputs: a subclassed model is called on one, found 2"):
        Subclassed(cls=Custom("CustomModel"), inputs=(Input("x", (1,)), Input("y", (1,))))
    with pytest.raises(BlueprintError, match="name: a subclassed model takes its name"):
        Subclassed(cls=Custom("CustomModel"), name="m")


def test_a_never_called_layer_is_refused():
    data = GRAPH.to_json()
    data["layers"].append(layer("Dense", "spare", units=1).to_json())
    with pytest.raises(BlueprintError, match=r"layers: never called: \['spare'\]"):
        from_json(data)


def test_changes_make_new_blueprints():
    frozen = GRAPH.map_layers(lambda one: layer("Dense", one.id, False, **one.args) if one.cls == "Dense" else one)
    assert [one.trainable for one in frozen.all_layers()] == [False, False, True]
    assert [one.trainable for one in GRAPH.all_layers()] == [True, True, True]
    assert GRAPH.with_compile(None).compile is None
    assert GRAPH.with_name("other").name == "other"
    assert GRAPH.layer_names == ("d", "inner", None)
