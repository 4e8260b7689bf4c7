"""JSON: what ``to_json`` gives, or the config of a Keras v3 archive by itself."""

from __future__ import annotations

from pathlib import Path

from conformance.inspecting import dangers
from conformance.inspecting.configs import custom_objects, tree
from conformance.inspecting.facts import generation, training
from conformance.inspecting.loading import Found
from conformance.inspecting.model import Check, Inspection, Writer
from conformance.witness import WitnessError
from conformance.witness.error import json_object, read_bytes


def read(path: Path) -> Found:
    """What the JSON file at ``path`` says. Raises WitnessError."""
    config = json_object(read_bytes(path), path, "file")
    if not isinstance(config.get("class_name"), str):
        keys = ", ".join(sorted(config)[:6])
        raise WitnessError(path, "file", f"is JSON, but no model's config: no class_name; found {keys or 'nothing'}")
    version = config.get("keras_version")
    version = version if isinstance(version, str) else None
    backend = config.get("backend")
    top = tree(config, {})
    is_3 = "module" in config and "registered_name" in config
    return Found(
        Inspection(
            path=str(path),
            format="JSON config",
            holds="an architecture without weights",
            bytes=0,
            writer=Writer(
                generation(version) or ("keras-3" if is_3 else None),
                version,
                backend=backend if isinstance(backend, str) else None,
            ),
            name=top.name,
            layers=top.layers,
            training=training(config.get("compile_config")),
            custom=custom_objects(config),
            checks=(Check("checksums", None, "JSON has none"),),
            dangers=tuple(dangers.in_config(config)),
        ),
        config,
        {},
    )
