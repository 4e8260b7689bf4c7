"""Every operation at least once, with what any implementation must answer.

Where implementations may differ, the walk asks what the adapter claims (`claims`) and checks that the answer agrees
with it: what is claimed works, what is not is "refused" by the library or "unsupported".
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.adapters.conversation import Conversation, array, numbers

X = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)
Y = np.linspace(0, 1, 12, dtype="float32").reshape(4, 3)
DENSE = {"class": "Dense", "args": {"units": 3, "activation": "tanh", "name": "d"}}
SEQUENTIAL: dict[str, Any] = {
    "kind": "sequential",
    "name": "seq",
    "inputs": [{"name": "x", "shape": [6]}],
    "layers": [{"class": "Dense", "args": {"units": 5, "name": "c"}}, DENSE],
    "compile": {"optimizer": {"class": "Adam", "args": {"learning_rate": 0.01}}, "loss": "mse", "metrics": ["mae"]},
}
FUNCTIONAL: dict[str, Any] = {
    "kind": "functional",
    "name": "fun",
    "inputs": [{"name": "x", "shape": [6], "dtype": "float32"}],
    "layers": [
        {"id": "a", "class": "Dense", "args": {"units": 3, "name": "a"}},
        {"id": "b", "class": "Dense", "args": {"units": 3, "name": "b"}, "trainable": False},
        {"id": "n", "model": {"kind": "sequential", "name": "n", "inputs": [{"shape": [3]}], "layers": [DENSE]}},
    ],
    "calls": [
        {"layer": "a", "inputs": ["x"], "output": "h"},
        {"layer": "b", "inputs": ["h"], "output": "y1"},
        {"layer": "n", "inputs": ["h"], "output": "y2"},
    ],
    "outputs": ["y1", "y2"],
}
ONE_OUTPUT = {**FUNCTIONAL, "calls": FUNCTIONAL["calls"][:1], "outputs": ["h"], "layers": FUNCTIONAL["layers"][:1]}


class Walk:
    """One conversation, one directory, and the capabilities the adapter claims."""

    def __init__(self, talk: Conversation, directory: Path) -> None:
        self.talk = talk
        self.directory = directory
        self.claims: set[str] = set(talk.ask("hello", protocol="1.0")["capabilities"])

    def model(self, blueprint: dict[str, Any] = SEQUENTIAL) -> str:
        return self.talk.ask("build", blueprint=blueprint)["object"]

    def weights(self, model: str) -> list[Any]:
        return [numbers(a).tolist() for a in self.talk.ask("get_weights", object=model)["arrays"]]

    def train(self, model: str, steps: int = 1) -> list[dict[str, float]]:
        batch = {"x": [array(X)], "y": [array(Y)]}
        return self.talk.ask("train", object=model, batches=[batch] * steps)["steps"]

    def path(self, name: str) -> str:
        return str(self.directory / name)


def building(walk: Walk) -> None:
    talk = walk.talk
    sequential, functional = walk.model(), walk.model(FUNCTIONAL)
    described = talk.ask("describe", object=sequential)
    assert described["kind"] == "sequential"
    assert described["built"]
    assert described["compiled"]
    assert [layer["name"] for layer in described["layers"]] == ["c", "d"]
    assert described["inputs"][0]["name"] == "x"
    assert described["inputs"][0]["shape"] == [None, 6]
    described = talk.ask("describe", object=functional)
    assert described["kind"] == "functional"
    assert not described["compiled"]
    assert len(described["outputs"]) == 2
    assert [layer["trainable"] for layer in described["layers"]] == [True, True, False, True]

    subclassed = {"kind": "subclassed", "class": {"custom": "SubclassedModel"}, "args": {"output_dim": 2}}
    unbuilt = walk.model(subclassed)
    assert talk.ask("describe", object=unbuilt)["kind"] == "subclassed"
    built = walk.model({**subclassed, "inputs": [{"name": "x", "shape": [6]}]})
    assert len(walk.weights(built)) == 6
    kernel = talk.ask("attribute", object=built, name="dense_1.kernel")["object"]
    assert talk.ask("describe", object=kernel)["kind"] == "variable"
    talk.ask("assign", object=kernel, value=array(np.full((6, 64), 0.5)))
    assert set(numbers(talk.ask("value", object=kernel)["value"]).flat) == {0.5}

    layer = talk.ask("build_layer", layer=DENSE, input_shape=[6])["object"]
    assert talk.ask("describe", object=layer)["kind"] == "layer"
    if "layers.wrapper" in walk.claims:
        wrapper = {"class": "TimeDistributed", "args": {"layer": {"$layer": DENSE}}}
        wrapped = talk.ask("build_layer", layer=wrapper, input_shape=[2, 6])["object"]
        assert len(walk.weights(wrapped)) == 2
    parts = [{"input": {"shape": [6]}}, {"object": layer}, {"layer": {"class": "Flatten"}}]
    stacked = talk.ask("sequential_of", parts=parts, name="stacked")["object"]
    assert talk.ask("describe", object=stacked)["name"] == "stacked"
    assert talk.ask("describe", object=talk.ask("layer", object=stacked, layer=0)["object"])["name"] == "d"
    part = talk.ask("part_model", object=functional, layer="b", tensor="input", name="part")["object"]
    assert talk.ask("describe", object=part)["name"] == "part"
    assert talk.ask("describe", object=talk.ask("clone", object=functional)["object"])["kind"] == "functional"


def running(walk: Walk) -> None:
    talk = walk.talk
    model = walk.model()
    before = walk.weights(model)
    predicted = numbers(talk.ask("predict", object=model, inputs=[array(X)], batch_size=2)["outputs"][0])
    called = numbers(talk.ask("call", object=model, inputs=[array(X)], training=False)["outputs"][0])
    assert np.abs(predicted - called).max() < 1e-6
    assert talk.ask("optimizer", object=model)["iterations"] == 0
    steps = walk.train(model, 2)
    assert set(steps[0]) == {"loss", "mae"}
    assert steps[1]["loss"] < steps[0]["loss"]
    optimizer = talk.ask("optimizer", object=model)
    assert optimizer["present"]
    assert optimizer["class_name"] == "Adam"
    assert optimizer["iterations"] == 2
    assert sum(list(numbers(v["value"]).shape) == [6, 5] for v in optimizer["variables"]) == 2
    assert set(talk.ask("evaluate", object=model, x=[array(X)], y=[array(Y)])["values"]) == {"loss", "mae"}
    assert walk.weights(model) != before
    talk.ask("set_weights", object=model, arrays=[array(w) for w in before])
    assert walk.weights(model) == before
    named = talk.ask("weights", object=model)["weights"]
    assert [numbers(weight["value"]).tolist() for weight in named] == before
    assert len(talk.ask("weights", object=model, which="trainable")["weights"]) == 4
    layer = talk.ask("layer", object=model, layer="d")["object"]
    talk.ask("set_trainable", object=layer, trainable=False)
    assert len(talk.ask("weights", object=model, which="non_trainable")["weights"]) == 2
    text = talk.ask("summary", object=model)["text"]
    assert "seq" in text
    assert "Dense" in text

    fresh = walk.model(FUNCTIONAL)
    outputs = talk.ask("predict", object=fresh, inputs=[array(X)])["outputs"]
    assert [output["shape"] for output in outputs] == [[4, 3], [4, 3]]
    assert talk.ask("optimizer", object=fresh)["present"] is False
    talk.ask("compile", object=fresh, compile={"optimizer": "sgd", "loss": ["mse", {"custom": "custom_loss"}]})
    assert talk.ask("describe", object=fresh)["compiled"]


def losses(walk: Walk) -> None:
    talk = walk.talk
    layers = [{"class": {"custom": "LossyLayer"}, "args": {"factor": 0.5, "name": "lossy"}}, DENSE]
    model = walk.model({**SEQUENTIAL, "layers": layers, "compile": {"optimizer": "sgd", "loss": "mse"}})
    talk.ask("call", object=model, inputs=[array(X)])
    (value,) = talk.ask("losses", object=model)["values"]
    assert abs(float(numbers(value)) - 0.5 * float(np.mean(X**2))) < 1e-6
    assert "lossy_mean" in walk.train(model)[0]

    model = walk.model(ONE_OUTPUT)
    added = [
        talk.outcome("add_loss", object=model, form="callable", factor=0.5),
        talk.outcome("add_loss", object=model, form="symbolic", factor=0.5),
        talk.outcome("add_metric", object=model, name="m"),
    ]
    if "add-loss" in walk.claims:
        assert added == [{}, {}, {}]
        talk.ask("compile", object=model, compile=SEQUENTIAL["compile"])
        assert "m" in walk.train(model)[0]
    else:
        assert added == ["refused", "refused", "refused"]


def whole_models(walk: Walk) -> None:
    talk = walk.talk
    model = walk.model()
    walk.train(model)
    weights = walk.weights(model)
    for form, name in (("savedmodel", "folder"), ("hdf5", "m.h5"), ("keras", "m.keras")):
        if f"save.{form}" not in walk.claims:
            continue
        talk.ask("save", object=model, path=walk.path(name), overwrite=True)
        said = " ".join(message["text"] for message in talk.messages)
        assert ("Assets written to" in said) == (form == "savedmodel")
        loaded = talk.ask("load", path=walk.path(name), path_type="pathlib", compile=False)["object"]
        assert walk.weights(loaded) == weights
        assert not talk.ask("describe", object=loaded)["compiled"]
    opened = {"path": walk.path("open.h5"), "path_type": "h5py"}
    if talk.outcome("save", object=model, **opened, include_optimizer=False) != "refused":  # Keras 3 refuses
        assert walk.weights(talk.ask("load", **opened)["object"]) == weights
    assert talk.fail("load", path=walk.path("nowhere.h5"))["kind"] == "refused"


def weights_files(walk: Walk) -> None:
    talk = walk.talk
    model, other = walk.model(), walk.model()
    weights = walk.weights(model)
    for form, name in (("checkpoint", "ckpt"), ("hdf5", "w.h5"), ("weights-h5", "w.weights.h5")):
        if f"save-weights.{form}" not in walk.claims:
            continue
        talk.ask("save_weights", object=model, path=walk.path(name), overwrite=True)
        talk.ask("set_weights", object=other, arrays=[array(np.zeros_like(w)) for w in weights])
        status = talk.ask("load_weights", object=other, path=walk.path(name))["status"]
        assert walk.weights(other) == weights
        assert (status is not None) == (form == "checkpoint")
        if status is not None:
            for check in ("assert_existing_objects_matched", "assert_nontrivial_match", "expect_partial"):
                assert talk.ask("status", object=status, check=check)["returns_itself"]
            assert talk.outcome("status", object=status, check="assert_consumed") in (
                {"returns_itself": True},
                "refused",
            )


def configurations(walk: Walk) -> None:
    talk = walk.talk
    model = walk.model(FUNCTIONAL)
    got = talk.ask("get_config", object=model)
    again = talk.ask("from_config", **{"class": "Model"}, config=got["config"])["object"]
    assert talk.ask("describe", object=again)["kind"] == "functional"
    talk.ask("mutate", object=got["object"], path=["name"], value="renamed")
    renamed = talk.ask("from_config", **{"class": "Model"}, object=got["object"])["object"]
    assert talk.ask("describe", object=renamed)["name"] == "renamed"

    text = talk.ask("to_json", object=model)["json"]
    assert talk.ask("describe", object=talk.ask("from_json", json=text)["object"])["name"] == "fun"
    layer = talk.ask("build_layer", layer={"class": {"custom": "Foo:A"}, "args": {"units": 7}})["object"]
    assert talk.fail("to_json", object=layer)["kind"] == "refused"
    serialized = talk.ask("serialize", object=layer)["value"]
    assert serialized["config"]["units"] == 7
    for thread in (False, True):
        made = talk.ask("deserialize", kind="layer", value=serialized, custom_objects={"Foo": "Foo:B"}, thread=thread)
        assert talk.ask("describe", object=made["object"])["marker"] == "B"
    made = talk.ask("from_config", **{"class": {"custom": "Foo:C"}}, config=serialized["config"])
    assert talk.ask("describe", object=made["object"])["marker"] == "C"
    assert made["config_after"]["units"] == 7
    value = talk.ask("build_layer", layer={"class": {"custom": "ValueLayer"}, "args": {"value": {"$tuple": [1, 2.5]}}})
    assert talk.ask("get_config", object=value["object"])["config"]["value"] == {"$tuple": [1, 2.5]}
    assert talk.ask("serialize", custom="custom_activation", kind="activation")["value"]


def registered(walk: Walk) -> None:
    talk = walk.talk
    layer = talk.ask("build_layer", layer={"class": {"custom": "Foo:A"}})["object"]
    serialized = talk.ask("serialize", object=layer)["value"]

    def marker() -> str | None:
        made = talk.ask("deserialize", kind="layer", value=serialized)["object"]
        return talk.ask("describe", object=made)["marker"]

    talk.ask("enter_scope", objects={"Foo": "Foo:B"})
    talk.ask("enter_scope", objects={"Foo": "Foo:C"})
    assert marker() == "C"
    talk.ask("exit_scope", error=True)
    assert marker() == "B"
    talk.ask("exit_scope", error=False)
    assert talk.outcome("deserialize", kind="layer", value=serialized) == "refused"
    talk.ask("set_global", objects={"Foo": "Foo:A"})
    assert marker() == "A"
    assert talk.ask("register", custom="Foo:B", package="pack", name="Bar")["registered_name"] == "pack>Bar"
    talk.ask("reset", seed=1)
    assert talk.outcome("deserialize", kind="layer", value=serialized) == "refused"
    assert talk.ask("register", custom="Foo:B")["registered_name"] == "Custom>Foo"


def checkpoints(walk: Walk) -> None:
    talk = walk.talk
    verbatim = walk.talk.ask("build_layer", layer={"class": {"custom": "CustomLayer:a-verbatim"}, "args": {"a": 5}})[
        "object"
    ]
    if "checkpoint" not in walk.claims:
        failure = talk.outcome("checkpoint_save", objects={"layer": verbatim}, path=walk.path("c"), method="save")
        assert failure == "unsupported"
        assert talk.outcome("checkpoint_list", path=walk.path("c")) == "unsupported"
        assert talk.outcome("checkpoint_read", path=walk.path("c")) == "unsupported"
        assert talk.outcome("checkpoint_restore", objects={"layer": verbatim}, path=walk.path("c")) == "unsupported"
        assert talk.outcome("status", object=verbatim, check="assert_consumed") == "refused"
        return
    saved = talk.ask("checkpoint_save", objects={"layer": verbatim}, path=walk.path("c"), method="save")["path"]
    assert saved.endswith("c-1")
    listed = talk.ask("checkpoint_list", path=saved)
    assert listed["dtypes"]["layer/var/.ATTRIBUTES/VARIABLE_VALUE"] == "int32"
    assert listed["shapes"]["layer/var/.ATTRIBUTES/VARIABLE_VALUE"] == []
    values = talk.ask("checkpoint_read", path=saved)["values"]
    assert int(numbers(values["layer/var/.ATTRIBUTES/VARIABLE_VALUE"])) == 5
    assert sorted(values) == sorted(key for key in listed["dtypes"] if not key.startswith("_CHECKPOINTABLE"))
    variable = talk.ask("attribute", object=verbatim, name="var")["object"]
    talk.ask("assign", object=variable, value=array(2, "int32"))
    status = talk.ask("checkpoint_restore", objects={"layer": verbatim}, path=saved)["status"]
    talk.ask("status", object=status, check="assert_nontrivial_match")
    assert int(numbers(talk.ask("value", object=variable)["value"])) == 5
    written = talk.ask("checkpoint_save", objects={"layer": verbatim}, path=walk.path("w"), method="write")["path"]
    assert written == walk.path("w")


def graphs(walk: Walk) -> None:
    talk = walk.talk
    if "graph-only" not in walk.claims:
        assert talk.outcome("graph_load", path=walk.path("nothing")) in ("unsupported", "refused")
        return
    model = walk.model()
    expected = numbers(talk.ask("predict", object=model, inputs=[array(X)])["outputs"][0])
    talk.ask("save", object=model, path=walk.path("graph"))
    graph = talk.ask("graph_load", path=walk.path("graph"))["object"]
    described = talk.ask("describe", object=graph)
    assert described["kind"] == "graph"
    assert not described["has"]["predict"]
    outputs = talk.ask("call", object=graph, inputs=[array(X)])["outputs"]
    assert np.abs(numbers(outputs[0]) - expected).max() < 1e-6


def sources(walk: Walk) -> None:
    talk = walk.talk
    first = {"source": "k = 3\nprint(keras.layers.Dense(k).units, np.ones(1)[0])\nopen('here', 'w').close()\n"}
    second = {"source": "print(k + 1)\n"}
    where = {"name": "example.py", "directory": str(walk.directory)}
    if "source" not in walk.claims:
        assert talk.outcome("run_source", **first, **where) == "unsupported"
        return
    assert talk.ask("run_source", **first, **where)["stdout"] == "3 1.0\n"
    assert (walk.directory / "here").exists()
    assert talk.ask("run_source", **second, **where)["stdout"] == "4\n"
    assert talk.fail("run_source", source="missing", **where)["exception"] == "NameError"
    talk.ask("reset", seed=2)
    assert talk.fail("run_source", **second, **where)["kind"] == "refused"


OWN = """
from math import pi
class Halved(keras.layers.Layer):
    def call(self, inputs):
        return inputs / 2
def ramp(x):
    return x
_private = None
"""


def own_objects(walk: Walk) -> None:
    talk = walk.talk
    file = walk.directory / "own.py"
    file.write_text(OWN, encoding="utf-8")
    found = talk.ask("load_objects", path=str(file))["objects"]
    assert found == {"Halved": "user:Halved", "ramp": "user:ramp"}
    config = {"name": "h", "trainable": True, "dtype": "float32"}
    layer = talk.ask("from_config", **{"class": {"custom": found["Halved"]}}, config=config)["object"]
    assert np.allclose(numbers(talk.ask("call", object=layer, inputs=[array(X)])["outputs"][0]), X / 2)
    file.write_text("def f(x):\n    return x\nCUSTOM_OBJECTS = {'g': f}\n", encoding="utf-8")
    assert talk.ask("load_objects", path=str(file))["objects"] == {"g": "user:g"}
    file.write_text("import no_such_module\n", encoding="utf-8")
    assert talk.fail("load_objects", path=str(file))["exception"] == "ModuleNotFoundError"
    talk.ask("reset", seed=4)
    assert talk.fail("serialize", custom=found["ramp"], kind="activation")["kind"] == "invalid-params"


def failures(walk: Walk) -> None:
    talk = walk.talk
    assert talk.fail("describe", object="model:99")["kind"] == "unknown-handle"
    assert talk.fail("dance")["kind"] == "unsupported"
    talk.asked.discard("dance")
    assert talk.fail("describe", thing="model:1")["kind"] == "invalid-params"
    assert talk.fail("build", blueprint={**SEQUENTIAL, "layers": [{"class": "NoSuchLayer"}]})["kind"] == "unsupported"
    wrong = talk.fail(
        "build", blueprint={**SEQUENTIAL, "layers": [{"class": "Dense", "args": {"units": 2, "bogus": 1}}]}
    )
    assert wrong["kind"] == "refused"
    assert wrong["mro"][0] == wrong["exception"]
    assert "bogus" in wrong["text"]
    model = walk.model()
    talk.ask("reset", seed=3)
    assert talk.fail("describe", object=model)["kind"] == "unknown-handle"


def repeatable(walk: Walk) -> None:
    talk = walk.talk
    seen: list[Any] = []
    for _ in range(2):
        talk.ask("reset", seed=7)
        unnamed = {
            "kind": "sequential",
            "inputs": [{"shape": [6]}],
            "layers": [{"class": "Dense", "args": {"units": 2}}],
        }
        model = walk.model(unnamed)
        seen.append((talk.ask("describe", object=model)["name"], walk.weights(model)))
    assert seen[0] == seen[1]


STEPS: tuple[Callable[[Walk], None], ...] = (
    building,
    running,
    losses,
    whole_models,
    weights_files,
    configurations,
    registered,
    checkpoints,
    graphs,
    sources,
    own_objects,
    failures,
    repeatable,
)
