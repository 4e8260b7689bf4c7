"""The catalogue of layers against the libraries and against the adapters' list of classes."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.adapters.layer_families import LAYER_FAMILIES
from conformance.blueprint import layer_source
from conformance.strategies import layer_catalogue
from tests.environments import Library, libraries

# What no arguments of ours can make: base classes, and what wraps a function, a file or another framework.
NOT_BY_NAME = {
    "AbstractRNNCell", "DenseFeatures", "DynamicEmbedding", "DynamicLookup", "FlaxLayer", "JaxLayer", "Lambda", "Layer",
    "Pipeline", "PreprocessingLayer", "TFSMLayer", "TorchModuleWrapper", "Wrapper",
}  # fmt: skip

MAKE = """
import importlib, json, sys
keras = importlib.import_module(sys.argv[2])
spaces = [keras.layers, getattr(keras.layers, "experimental", None)]
spaces.append(getattr(spaces[1], "preprocessing", None))

class Everywhere:
    def __getattr__(self, name):
        for space in spaces:
            if hasattr(space, name):
                return getattr(space, name)
        raise AttributeError(name)

class Keras:
    layers = Everywhere()

found = {}
for cls, source in json.load(open(sys.argv[1])):
    if not any(hasattr(space, cls) for space in spaces):
        continue
    try:
        found.setdefault(cls, []).append(type(eval(source, {"keras": Keras})).__name__)
    except Exception as error:
        found.setdefault(cls, []).append(repr(error)[:300])
built_in = [
    name for space in spaces if space for name in dir(space)
    if isinstance(getattr(space, name), type) and issubclass(getattr(space, name), keras.layers.Layer)
    and getattr(space, name).__name__ == name
]
print("FOUND" + json.dumps([found, built_in]))
"""


@libraries
def test_every_entry_makes_its_class_and_every_class_has_an_entry(library: Library, tmp_path: Path):
    library.python()
    entries = layer_catalogue(dialect=library.dialect)
    sources = [[entry.cls, layer_source(entry.layer())] for entry in entries]
    (tmp_path / "sources.json").write_text(json.dumps(sources), encoding="utf-8")

    answer = library.run(MAKE, tmp_path / "sources.json", library.keras, cwd=tmp_path).partition("FOUND")[2]

    made, built_in = json.loads(answer)
    renamed = {"BatchNormalizationV1": "BatchNormalization", "GroupedQueryAttention": "GroupQueryAttention"}
    wrong = {
        cls: results
        for cls, results in made.items()
        if any(renamed.get(result, result) != cls for result in results)
        and not (library.name == "keras3-jax" and "requires TensorFlow" in results[0])
    }
    assert wrong == {}
    assert set(built_in) - NOT_BY_NAME - set(made) == set()


def test_families_are_those_of_the_adapters():
    ours = {(entry.family, entry.cls) for entry in layer_catalogue()}
    assert ours == {(family, cls) for family, classes in LAYER_FAMILIES.items() for cls in classes}


def test_entries_are_chosen_by_family_dialect_and_class():
    assert {entry.cls for entry in layer_catalogue("attention", "keras-2.4")} == {
        "AdditiveAttention",
        "Attention",
        "MultiHeadAttention",
    }
    assert [dict(entry.args) for entry in layer_catalogue(dialect="keras-3", classes=["LeakyReLU"])] == [
        {"negative_slope": 0.25}
    ]


def test_every_entry_says_something_that_is_no_default():
    assert [entry.cls for entry in layer_catalogue() if not entry.args] == []
