"""HDF5 files: a whole model, weights of a model, or a Keras v3 weights file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.inspecting import dangers
from conformance.inspecting.configs import custom_objects, tree
from conformance.inspecting.facts import arrays, generation, natural, optimizer, optimizer_arrays, training
from conformance.inspecting.loading import Found
from conformance.inspecting.model import Check, Inspection, LayerFact, WeightFact, Writer
from conformance.witness import WitnessError, hdf5
from conformance.witness.error import json_object


def read(path: Path) -> Found:
    """What is in the HDF5 file at ``path``. Raises WitnessError."""
    outline = hdf5.outline(path)
    model, compiled = _config(outline, "model_config"), _config(outline, "training_config")
    legacy = bool(outline.weight_groups) or "layer_names" in outline.root or "model_weights" in outline.attributes
    if not model and not legacy and not _is_v3(outline):
        raise WitnessError(path, "file", f"is HDF5, but no Keras file; its root has {_some(outline)}")
    form = "HDF5 model" if model else "HDF5 weights" if legacy else "Keras v3 weights"
    counts = {name: len(paths) for name, paths in outline.weight_groups.items()}
    weights = weights_of(outline)
    top = tree(model, counts) if model else None
    return Found(
        Inspection(
            path=str(path),
            format=form,
            holds="a whole model" if weights else "an architecture without weights",
            bytes=0,
            writer=_writer(outline),
            name=top.name if top else None,
            layers=_with_counts(top.layers, counts) if top else (),
            weights=weights,
            optimizer=optimizer(compiled, optimizer_arrays(weights)),
            training=training(compiled),
            custom=custom_objects(model, compiled),
            checks=(*missing(outline), Check("checksums", None, "HDF5 files of Keras have none")),
            dangers=(*dangers.in_config(model, compiled), *dangers.in_hdf5(outline)),
        ),
        model,
        compiled,
    )


def weights_of(outline: hdf5.Outline) -> tuple[WeightFact, ...]:
    """The arrays: those that the lists name in the lists' order, then the others in the file's."""
    listed = [place for places in outline.weight_groups.values() for place in places]
    order = dict.fromkeys([*listed, *sorted(outline.arrays, key=natural)])
    known = [(place, outline.arrays[place]) for place in order if place in outline.arrays]
    return arrays((place, array.shape, array.dtype) for place, array in known)


def missing(outline: hdf5.Outline) -> tuple[Check, ...]:
    """Whether what the lists name is there."""
    listed = [place for places in outline.weight_groups.values() for place in places] + list(outline.optimizer_weights)
    lost = [place for place in listed if place not in outline.arrays]
    if not listed:
        return ()
    detail = f"{lost[0]}: is listed and is not there ({len(lost)} such)" if lost else f"{len(listed)} are there"
    return (Check("listed weights", not lost, detail),)


def _with_counts(layers: tuple[LayerFact, ...], counts: Mapping[str, int]) -> tuple[LayerFact, ...]:
    return tuple(replace(layer, arrays=counts.get(layer.name)) for layer in layers)


def _writer(outline: hdf5.Outline) -> Writer:
    places = [outline.root, outline.attributes.get("model_weights", {})]
    said = {
        key: str(place[key].value) for key in ("keras_version", "backend") for place in reversed(places) if key in place
    }
    version = said.get("keras_version")
    return Writer(generation(version), version, backend=said.get("backend"))


def _config(outline: hdf5.Outline, name: str) -> dict[str, Any]:
    found = outline.root.get(name)
    return {} if found is None else json_object(str(found.value), outline.path, f"attribute {name}")


def _is_v3(outline: hdf5.Outline) -> bool:
    return any(place == "vars" or place.endswith("/vars") for place in outline.attributes)


def _some(outline: hdf5.Outline) -> str:
    names = sorted({place.split("/")[0] for place in outline.attributes if place})
    return ", ".join(names[:6]) or "nothing"
