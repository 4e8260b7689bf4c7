"""Values in the wrong order: in memory, in a file, in a config."""

from __future__ import annotations

from typing import Any, cast

from conformance.mutants.mutant import mutant
from conformance.mutants.tools import exchanged

MODEL = "reference_impl.models.model:Model"
OWNER = "reference_impl.layers.owner:Owner"
HDF5 = "reference_impl.formats.hdf5.weights"


@mutant("model.weights[hdf5]", "weights-file.roundtrip[hdf5]", target=f"{HDF5}:pair")
def hdf5_exchanges_weights_of_equal_shape(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Weights of a layer are matched by shape, and two of one shape change places."""
    return exchanged(original(*args, **kwargs))


@mutant(
    "model.weights[savedmodel]",
    "weights-file.roundtrip[checkpoint]",
    target="reference_impl.formats.checkpoint.restore:Restoration._assignments",
)
def checkpoint_exchanges_weights_of_equal_shape(original: Any, self: Any, met: Any) -> Any:
    """Two variables of one shape are given each other's value."""
    found = original(self, met)
    for i, one in enumerate(found):
        for j in range(i + 1, len(found)):
            entry, other = (self._bundle.entries[each.key] for each in (one, found[j]))
            if (entry.dtype, entry.shape) == (other.dtype, other.shape):
                found[i], found[j] = one._replace(target=found[j].target), found[j]._replace(target=one.target)
                return found
    return found


@mutant(
    "model.weights[keras]",
    "weights-file.roundtrip[weights-h5]",
    target="reference_impl.formats.keras_v3.weights:_of_place",
    dialect="keras-2.15",
)
def v3_exchanges_weights_of_equal_shape(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The numbers of a layer's variables are sorted otherwise in reading than in writing."""
    return exchanged(original(*args, **kwargs))


@mutant("hdf5-weights.order", target=f"{HDF5}:ordered_weights")
def hdf5_writes_other_weights_first(original: Any, layer: Any) -> Any:
    """The file lists a layer's non-trainable weights before the trainable ones."""
    return [*layer.non_trainable_weights, *layer.trainable_weights]


@mutant("hdf5-weights.trainable-reorders", target=f"{HDF5}:ordered_weights")
def hdf5_writes_in_order_of_creation(original: Any, layer: Any) -> Any:
    """A layer with a frozen part is written in the order of creation, whatever its flags are."""
    found = original(layer)
    inner = [child for child in layer._flatten_layers() if hasattr(child, "_state")]
    if hasattr(layer, "layers") or all(child.trainable for child in inner):
        return found
    created = [variable for child in inner for variable in child._state.variables]
    return created if len(created) == len(found) else found


@mutant("hdf5-weights.grouped-v3", target="reference_impl.formats.keras_v3.walk:_numbered", dialect="keras-2.15")
def v3_numbers_variables_backwards(original: Any, values: Any) -> Any:
    """The variables of a layer are numbered from the last."""
    return original(list(reversed(values)))


@mutant("weights.order", target=f"{OWNER}.weights")
def layer_lists_other_weights_first(original: Any, self: Any) -> Any:
    """A layer lists its non-trainable weights before the trainable ones."""
    found = original(self)
    return sorted(found, key=lambda variable: bool(variable.trainable))


@mutant("weights.order", target=f"{OWNER}.trainable_weights")
def layer_sorts_weights_by_name(original: Any, self: Any) -> Any:
    """A layer's weights stand in the order of their names."""
    return sorted(original(self), key=lambda variable: variable.name)


@mutant("weights.order", target=f"{OWNER}.weights")
def freezing_leaves_the_order(original: Any, self: Any) -> Any:
    """The order of creation is kept when a part of a layer is frozen, which the guide's generation does not do."""
    found = {id(variable): variable for variable in original(self)}
    inner = [child for child in self._flatten_layers() if hasattr(child, "_state")]
    created = [variable for child in inner for variable in child._state.variables if id(variable) in found]
    return created if len(created) == len(found) else list(found.values())


@mutant("weights.order", target=f"{MODEL}.weights")
def model_lists_layers_by_name(original: Any, self: Any) -> Any:
    """A model gathers the weights of its layers in the order of their names."""
    found = original(self)
    place = {id(w): layer.name for layer in self.layers for w in getattr(layer, "weights", ())}
    return sorted(found, key=lambda variable: place.get(id(variable), ""))


@mutant("weights.model-transfer", target=f"{MODEL}.weights")
def subclassed_models_list_backwards(original: Any, self: Any) -> Any:
    """Subclassed models list their layers' weights in another order than Functional ones do."""
    found = original(self)
    is_graph = self._graph is not None or hasattr(self, "_all_layers")
    return found if is_graph else [*found[2:], *found[:2]]


@mutant("savedmodel.no-config-revives", target="reference_impl.formats.savedmodel.revived:Revived._ordered")
def revived_models_list_backwards(original: Any, self: Any, found: Any) -> Any:
    """A revived model lists its weights in another order than the original did."""
    return list(reversed(original(self, found)))


@mutant("config.functional-roundtrip", target="reference_impl.models.model:graph_config")
def config_sorts_inputs(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The inputs of a model come back in alphabetical order."""
    found: dict[str, Any] = original(*args, **kwargs)
    ends: Any = found["input_layers"]
    return {**found, "input_layers": sorted(cast("Any", ends)) if isinstance(ends, list) else ends}


@mutant("config.functional-roundtrip", target="reference_impl.models.model:graph_config")
def config_reverses_outputs(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The outputs of a model come back in the order in which they were found by a search from behind."""
    found: dict[str, Any] = original(*args, **kwargs)
    ends: Any = found["output_layers"]
    return {**found, "output_layers": list(reversed(cast("Any", ends))) if isinstance(ends, list) else ends}


@mutant("checkpoint.attribute-keys", target="reference_impl.tracking:layer_edges")
def edges_count_layers_backwards(original: Any, layers: Any) -> Any:
    """The layers of a model are numbered from the last in its checkpoint."""
    return original(list(reversed(list(layers))))


@mutant(
    "hdf5-weights.layers-changed[weights-h5]",
    target="reference_impl.formats.keras_v3.weights:_left_over",
    dialect="keras-3",
)
def layers_left_over_are_not_missed(original: Any, file: Any, claimed: Any) -> list[str]:
    """Layers of the file that nobody took are nobody's business: those before them may be other ones'."""
    return []
