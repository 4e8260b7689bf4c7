"""Chapter safety: files that nobody should trust, made here by hand, each beside a harmless twin that must load.

The payloads touch a file in the test's own folder and do nothing else, so that "was it run?" can be seen.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from conformance.protocol.session import Handle, Session
from conformance.suite import handmade_graphs as graphs
from conformance.suite import payloads
from conformance.suite.case import requirement
from conformance.suite.compare import Mismatch, assert_true
from conformance.suite.handmade import FORMS, WRITERS, Config, identity, in_form, part, sequential, write_keras
from conformance.suite.models import MODEL_FILES
from conformance.suite.payloads import Marker
from conformance.suite.refusals import assert_refuses, attempted

Load = Callable[[Config], Handle]


INPUTS = (2, 3)  # of a rank that TimeDistributed takes too


def accepted_forms(load: Load, *layers: Config) -> list[str]:
    """The forms in which a harmless model is loaded; there must be one."""
    forms = [
        form for form in FORMS if attempted(partial(load, sequential(*layers, form=form, inputs=INPUTS))) is not None
    ]
    assert_true(bool(forms), "a hand-made model without anything bad in it", expected="is loaded", actual="refused")
    return forms


def assert_harmless(impl: Session, load: Load, twin: Config, bad: Config, marker: Marker) -> None:
    """In no form that ``load`` takes with ``twin`` in it does it run what is in ``bad``, loading or predicting."""
    for form in accepted_forms(load, twin):
        model = attempted(partial(load, sequential(bad, form=form, inputs=INPUTS)))
        marker.assert_untouched(f"a model {form} was loaded")
        if model is not None:
            attempted(partial(impl.predict, model, np.ones((1, *INPUTS), np.float32)))
            marker.assert_untouched(f"a model {form} was loaded and called")


def file_loader(impl: Session, scratch: Path, format: str) -> Load:
    """Writes a model by hand and loads it."""
    path = scratch / MODEL_FILES[format]

    def load(model: Config) -> Handle:
        WRITERS[format](path, model)
        return impl.load(path)

    return load


def json_loader(impl: Session) -> Load:
    """Loads a model from its JSON text."""
    return lambda model: impl.from_json(json.dumps(model))


def nested(layer: Config) -> list[Config]:
    """A layer inside a wrapper, and inside a model inside the model."""
    inner = {
        "class_name": "InputLayer",
        "config": {"batch_input_shape": [None, *INPUTS], "dtype": "float32", "name": "y"},
    }
    return [
        part("TimeDistributed", "t", layer=layer),
        {"class_name": "Sequential", "config": {"name": "n", "layers": [inner, layer]}},
    ]


@requirement("safety.code-nested", formats=("hdf5", "keras"))
def test_bytecode_inside_another_layer_is_not_run(impl: Session, format: str, scratch: Path):
    marker = Marker(scratch)
    load = file_loader(impl, scratch, format)
    code = payloads.bytecode(impl, scratch, marker)
    for spelling in payloads.CODE_FORMS.values():
        bad = nested(payloads.lambda_layer(spelling(code)))
        for twin, wrapped in zip(nested(identity()), bad, strict=True):
            assert_harmless(impl, load, twin, wrapped, marker)


@requirement("safety.code-deserialize")
def test_bytecode_given_to_deserialize_is_not_run(impl: Session, scratch: Path):
    marker = Marker(scratch)
    forms = [form for form in FORMS if attempted(partial(impl.deserialize, "layer", in_form(identity(), form)))]
    assert_true(bool(forms), "a hand-made layer without code", expected="is deserialized", actual="refused")
    code = payloads.bytecode(impl, scratch, marker)
    for spelling in payloads.CODE_FORMS.values():
        layer = payloads.lambda_layer(spelling(code))
        for form in forms:
            made = attempted(partial(impl.deserialize, "layer", in_form(layer, form)))
            if made is not None:
                attempted(partial(impl.call, made, [np.ones((1, *INPUTS), np.float32)]))
            marker.assert_untouched("a layer was deserialized and called")


def assert_no_import(impl: Session, load: Load, scratch: Path) -> None:
    marker = Marker(scratch)
    with payloads.planted_module(impl, scratch, marker) as module:
        for form in accepted_forms(load, identity()):
            for model in payloads.models_named_by_module(module, sequential(identity(), form=form, inputs=INPUTS)):
                attempted(partial(load, model))
                marker.assert_untouched(f"a model {form} was loaded")
        for bad in payloads.named_by_module(module):
            assert_harmless(impl, load, identity(), bad, marker)


@requirement("safety.no-import", formats=("hdf5", "keras"))
def test_a_module_named_by_a_file_is_not_imported(impl: Session, format: str, scratch: Path):
    assert_no_import(impl, file_loader(impl, scratch, format), scratch)


@requirement("safety.no-import-json")
def test_a_module_named_by_json_is_not_imported(impl: Session, scratch: Path):
    assert_no_import(impl, json_loader(impl), scratch)


@requirement("safety.no-call", formats=("hdf5", "keras"))
def test_a_function_named_by_a_file_is_not_called(impl: Session, format: str, scratch: Path):
    marker = Marker(scratch)
    load = file_loader(impl, scratch, format)
    for bad in payloads.calls_of_mkdir(marker):
        assert_harmless(impl, load, identity(), bad, marker)


@requirement("safety.switch", formats=("keras",))
def test_a_file_cannot_switch_safeguards_off(impl: Session, format: str, scratch: Path):
    marker = Marker(scratch)
    path = scratch / MODEL_FILES[format]
    code = payloads.bytecode(impl, scratch, marker)
    for spelling in payloads.CODE_FORMS.values():
        for switch in payloads.switches():
            for form in FORMS:
                model = sequential(switch, payloads.lambda_layer(spelling(code)), form=form, inputs=INPUTS)
                write_keras(path, model)
                loaded = attempted(partial(impl.load, path))
                if loaded is not None:
                    attempted(partial(impl.predict, loaded, np.ones((1, *INPUTS), np.float32)))
                marker.assert_untouched("a file that switches safeguards off was loaded")


SECRET = ("word-of-another-file", "and-another-one")


def lookup(vocabulary: Any, form: str) -> Config:
    """A StringLookup; its arguments are those of every version that has one."""
    layer = part(
        "StringLookup",
        "l",
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token="[UNK]",
        invert=False,
        vocabulary=vocabulary,
    )
    layer["config"]["dtype"] = "string" if form == "plain" else "int64"
    return layer


@requirement("safety.outside-vocabulary", formats=("hdf5", "keras"))
def test_a_path_in_a_config_is_not_read(impl: Session, format: str, scratch: Path):
    outside = scratch / "outside.txt"
    outside.write_text("\n".join(SECRET) + "\n", encoding="utf-8")
    path = scratch / MODEL_FILES[format]

    def loaded(vocabulary: Any, form: str) -> Handle | None:
        WRITERS[format](path, sequential(lookup(vocabulary, form), form=form, inputs=(1,), dtype="string"))
        return attempted(lambda: impl.load(path))

    words = np.array([[SECRET[1]], ["of-nobody"]], np.str_)
    known = 0
    for form in FORMS:
        if loaded(list(SECRET), form) is not None:
            known += 1
        model = loaded(str(outside), form)
        if model is None:
            continue
        found = attempted(lambda model=model: impl.predict(model, [words]))
        if found is not None and found[0].reshape(-1)[0] != found[0].reshape(-1)[1]:
            raise Mismatch(
                "a vocabulary that is a path", "refused, or the file is not read", "the words of another file"
            )
    assert_true(known > 0, "a hand-made StringLookup with its words in the config", expected="loads", actual="refused")


@requirement("safety.other-model", formats=("hdf5", "keras"))
def test_a_model_named_by_a_config_is_not_loaded(impl: Session, format: str, scratch: Path):
    """The layer is Keras 3's; in other dialects it is one that nobody knows."""
    load = file_loader(impl, scratch, format)
    other = scratch / "other"
    graphs.write(other, graphs.node("y", "Identity", "x", T=graphs.a_type(graphs.FLOAT)), output="y:0")
    layer = part("TFSMLayer", "l", filepath=str(other), call_endpoint="serving_default", call_training_endpoint=None)
    for form in accepted_forms(load, identity()):
        model = sequential(layer, form=form, inputs=INPUTS)
        assert_refuses(partial(load, model), f"a config {form} that names the folder of another model")


@requirement("safety.pickle", formats=("keras",))
def test_pickled_arrays_are_not_run(impl: Session, format: str, scratch: Path):
    marker = Marker(scratch)
    path = scratch / MODEL_FILES[format]
    for form in FORMS:
        write_keras(path, sequential(identity(), form=form), payloads.pickled_weights(marker))
        attempted(lambda: impl.load(path))
        marker.assert_untouched("an archive with pickled weights was loaded")


@requirement("safety.archive-paths", formats=("keras",))
def test_no_member_is_written_outside(impl: Session, format: str, scratch: Path):
    folder = scratch / "a" / "b" / "c"
    folder.mkdir(parents=True)
    path = folder / MODEL_FILES[format]
    marker = Marker(scratch)
    above = [f"{'../' * depth}{marker.path.name}" for depth in range(1, 9)]
    names = [*above, *(f"assets/{name}" for name in above), str(marker.path), f"assets/{marker.path}"]

    def load(model: Config, extra: dict[str, bytes]) -> Handle:
        write_keras(path, model, extra)
        return impl.load(path)

    for form in accepted_forms(partial(load, extra={}), identity()):
        attempted(partial(load, sequential(identity(), form=form), dict.fromkeys(names, b"written outside")))
        # Loaders unpack below the system's folder of temporary files, where `above` ends too.
        for place in (scratch, scratch / "a", scratch / "a" / "b", folder, scratch.parent, Path("/")):
            marker.at(place).assert_untouched("an archive was unpacked")


@requirement("safety.archive-bomb", formats=("keras",))
def test_an_archive_bomb_takes_no_memory(impl: Session, format: str, scratch: Path):
    path = scratch / MODEL_FILES[format]
    load = file_loader(impl, scratch, format)
    for form in accepted_forms(load, identity()):
        write_keras(path, sequential(identity(), form=form), padding=payloads.BOMB_MIB)
        with payloads.bounded_memory(impl, scratch, "an archive with a member of 1 GiB"):
            attempted(lambda: impl.load(path))


@requirement("safety.nesting")
def test_deep_nesting_is_refused(impl: Session):
    (form, *_) = accepted_forms(json_loader(impl), identity())
    depth = 50_000
    start = '{"class_name": "Sequential", "config": {"name": "s", "layers": ['
    assert_refuses(lambda: impl.from_json(start * depth + "]}}" * depth), "JSON of a model nested 50,000 times")
    assert_refuses(lambda: impl.from_json("[" * depth + "]" * depth), "JSON of lists nested 50,000 times")
    impl.from_json(json.dumps(sequential(identity(), form=form)))


@requirement("safety.names-agree")
def test_names_of_different_classes_are_refused(impl: Session):
    name = impl.register("Foo:A", package="Mine")
    text = json.dumps(sequential(identity(), form="with modules"))
    impl.from_json(text)
    layer = {**identity(), "module": "keras.layers", "registered_name": name}
    model = sequential(form="with modules")
    model["config"]["layers"].append(layer)
    assert_refuses(
        lambda: impl.from_json(json.dumps(model)), f"a layer that is keras.layers.Activation and {name} at once"
    )
