"""Weights and state that are reached in unusual ways: in containers, beside a graph, learned from data, by operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from conformance.mutants.mutant import mutant

WALK = "reference_impl.formats.keras_v3.walk:_Walk"


@mutant("weights-file.every-weight[hdf5]", target="reference_impl.formats.hdf5.weights:top_level_weights")
def weights_of_the_model_itself_are_lost(original: Any, model: Any) -> Any:
    """Weights that a model owns beside its layers are neither written nor read."""
    return []


@mutant(
    "model.every-weight[keras]",
    "weights-file.every-weight[weights-h5]",
    target=f"{WALK}.of_container",
    dialect="keras-2.15",
)
def layers_in_dicts_are_lost(original: Any, self: Any, container: Any, path: str) -> Any:
    """Layers that a layer holds in a dict are neither written nor read."""
    return iter(()) if isinstance(container, Mapping) else original(self, container, path)


@mutant("model.operators[hdf5]", target="reference_impl.models.config:_node_config")
def constants_are_always_behind(original: Any, node: Any, place: Any) -> Any:
    """A constant in front of an operator comes back behind it: 1 - x becomes x - 1."""
    found = original(node, place)
    if not (isinstance(found, list) and found and cast("Any", found)[0] == "_CONSTANT_VALUE"):
        return cast("Any", found)
    _, _, constant, kwargs = cast("list[Any]", found)
    tensor = kwargs.get("y")
    return [*tensor, {**kwargs, "y": constant}] if isinstance(tensor, list) else cast("Any", found)


@mutant(
    "model.adapted-state[keras]", target="reference_impl.formats.keras_v3.archive:_read_assets", dialect="keras-2.15"
)
def vocabularies_in_archives_are_not_read(original: Any, *args: Any) -> Any:
    """A vocabulary that was learned is in the archive, and nobody reads it."""


@mutant("registry.decorator-models[hdf5]", target="reference_impl.models.sequential:Sequential.from_config")
def registered_models_become_plain_ones(original: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
    """A registered subclass of Sequential comes back as a plain one."""
    from reference_impl.models import Sequential

    return original(Sequential, config, custom_objects)
