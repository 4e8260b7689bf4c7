"""Values that lose precision or kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.mutants.mutant import mutant
from conformance.mutants.tools import coarse

JSONABLE = "reference_impl.serialization.jsonable"


@mutant("model.weights[hdf5]", "weights-file.roundtrip[hdf5]", target="reference_impl.formats.hdf5.weights:read_value")
def hdf5_reads_in_half_precision(original: Any, *args: Any) -> Any:
    """Values pass through float16 on their way in."""
    return coarse(original(*args))


@mutant("model.weights[hdf5]", "weights-file.roundtrip[hdf5]", target="reference_impl.formats.hdf5.weights:read_value")
def hdf5_reads_nearly_the_same(original: Any, *args: Any) -> Any:
    """Values go through text with seven digits, and some differ in their last bit."""
    found = original(*args)
    if found.dtype.kind != "f" or found.dtype.itemsize < 4:
        return found
    return np.asarray([float(f"{x:.6g}") for x in found.ravel()], found.dtype).reshape(found.shape)


@mutant("savedmodel.weights-in-variables", target="reference_impl.formats.savedmodel.write.folder:write_bundle")
def savedmodel_stores_in_half_precision(original: Any, prefix: Any, tensors: Any, **kwargs: Any) -> Any:
    """The folder's checkpoint holds values that went through float16."""
    original(prefix, [(key, coarse(value)) for key, value in tensors], **kwargs)


@mutant(
    "model.weights[keras]",
    "weights-file.roundtrip[weights-h5]",
    target="reference_impl.formats.keras_v3.weights:_value",
    dialect="keras-3",
)
def v3_reads_in_half_precision(original: Any, *args: Any) -> Any:
    """Values pass through float16 on their way in."""
    return coarse(original(*args))


@mutant("weights-file.roundtrip[checkpoint]", target="reference_impl.variables:Variable._restore_value")
def checkpoint_restores_in_half_precision(original: Any, self: Any, name: str, value: Any) -> Any:
    """A restored value went through float16."""
    original(self, name, coarse(value))


@mutant("weights.layer-transfer", target="reference_impl.layers.owner:set_values")
def set_weights_in_half_precision(original: Any, owner: str, variables: Any, values: Any) -> Any:
    """set_weights() converts to the dtype that is computed in, and that is a smaller one."""
    original(owner, variables, [coarse(value) for value in values])


@mutant("weights-file.numpy", target="reference_impl.variables:Variable.__array__")
def variables_show_a_coarse_copy(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The array of a variable is not what get_weights() gives."""
    return coarse(original(self, *args, **kwargs))


@mutant("checkpoint.attribute-not-variable-name", target="reference_impl.variables:Variable._checkpoint_values")
def checkpoint_widens_integers(original: Any, self: Any) -> Any:
    """Small integers are stored as int64."""
    from reference_impl.tracking import SavedValue

    return {
        name: SavedValue(
            value.value.astype(np.int64) if value.value.dtype == np.int32 else value.value, value.full_name
        )
        for name, value in original(self).items()
    }


@mutant("savedmodel.graph-only-typed", target="reference_impl.formats.savedmodel.functions:RestoredFunction.choose")
def graph_casts_its_inputs(original: Any, self: Any, args: Any, kwargs: Any) -> Any:
    """A stored function takes any number and casts it, as Python code would."""
    from reference_impl.tensors import convert

    def cast_down(value: Any) -> Any:
        array = getattr(value, "value", value)
        is_number = hasattr(array, "dtype") and np.asarray(array).dtype.kind in "if"
        return convert(np.asarray(array, np.float32)) if is_number else value

    return original(self, [cast_down(value) for value in args], kwargs)


@mutant("config.json-serialisable[noise]", target="reference_impl.layers.noise:GaussianNoise.get_config")
def config_holds_numpy_scalars(original: Any, self: Any) -> Any:
    """A config holds the deviation as the NumPy scalar that it was kept as."""
    found = original(self)
    return {**found, "stddev": np.float32(found["stddev"])}


@mutant("config.json-serialisable[core]", target="reference_impl.layers.core:Dense.get_config")
def config_holds_a_function(original: Any, self: Any) -> Any:
    """A config holds the activation itself and not its name."""
    return {**original(self), "activation": self.activation}


@mutant("open.config-values", target=f"{JSONABLE}:_of_kind")
def json_forgets_numpy_dtypes(original: Any, value: Any, kind: str) -> Any:
    """NumPy values come back from JSON as Python's numbers and lists."""
    return original(value, kind) if kind == "tuple" else value


@mutant("open.config-values", target=f"{JSONABLE}:_of_kind")
def json_forgets_tuples(original: Any, value: Any, kind: str) -> Any:
    """Tuples come back from JSON as lists."""
    return value if kind == "tuple" else original(value, kind)


@mutant("open.config-values", target=f"{JSONABLE}:_Encoder._refusal")
def json_error_without_the_key(original: Any, *args: Any) -> Any:
    """The error about a value that JSON has no form for does not say where it is."""
    return TypeError("Object is not JSON serializable")


@mutant("json.roundtrip", target="reference_impl.serialization.models:model_from_json")
def json_forgets_flags(original: Any, text: str, custom_objects: Any = None) -> Any:
    """What is false in the JSON text is taken for not being there."""
    import json

    from conformance.mutants.tools import changed

    def plain(found: dict[str, Any]) -> Mapping[str, Any]:
        return {key: value for key, value in found.items() if key != "trainable" or value is not False}

    form = json.loads(text)
    return original(json.dumps(changed(form, plain)), custom_objects)
