"""Loads that leave something fresh without a word."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.mutants.mutant import mutant

HDF5 = "reference_impl.formats.hdf5.weights"
LOADING = "reference_impl.loading"
RESTORE = "reference_impl.formats.checkpoint.restore"
STATUS = "reference_impl.formats.checkpoint.status:LoadStatus"


@mutant("model.weights[hdf5]", "weights-file.roundtrip[hdf5]", target=f"{HDF5}:load_weights")
def hdf5_keeps_fresh_weights(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The load finishes without a word and leaves the weights as they were initialised."""


@mutant("model.weights[hdf5]", "weights-file.roundtrip[hdf5]", target=f"{HDF5}:_plan_by_order")
def hdf5_leaves_the_last_weight(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The loop over the weights ends one too early."""
    return original(*args, **kwargs)[:-1]


@mutant("model.weights[savedmodel]", target="reference_impl.formats.savedmodel.restore:restore")
def savedmodel_keeps_fresh_weights(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Layers made from their configs keep the weights they were made with."""


@mutant("model.weights[keras]", target="reference_impl.formats.keras_v3.archive:_read_weights", dialect="keras-2.15")
def v3_keeps_fresh_weights(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The archive's weights are not looked at."""


@mutant(
    "model.weights[keras]",
    "weights-file.roundtrip[weights-h5]",
    target="reference_impl.formats.keras_v3.walk:_Walk._entries",
    dialect="keras-3",
)
def v3_holds_trainable_weights_only(original: Any, self: Any, target: Any) -> Any:
    """What is not trainable, as the statistics of a BatchNormalization, is not written."""
    found = original(self, target)
    own = getattr(getattr(target, "_state", None), "variables", ())
    frozen = {variable.name for variable in own if not variable.trainable}
    return {key: value for key, value in found.items() if value.name not in frozen}


@mutant("weights-file.roundtrip[checkpoint]", target="reference_impl.formats.checkpoint.matching:_match_weighted")
def checkpoint_fills_the_first_layer_only(original: Any, edges: Any, present: Any, *args: Any) -> Any:
    """The restore stops after the first layer with weights."""
    original(edges, {k: v for k, v in present.items() if k == "layer_with_weights-0"}, *args)


@mutant("checkpoint.roundtrip", target="reference_impl.tracking:ContainerNode._checkpoint_dependencies")
def checkpoint_loses_layers_in_lists(original: Any, self: Any) -> Any:
    """Layers that a model holds in a list are not in its checkpoint, and nobody misses them."""
    return {}


@mutant("checkpoint.shared-architecture", target=f"{LOADING}:_load_checkpoint")
def checkpoint_loads_the_newest(original: Any, model: Any, prefix: str, by_name: bool) -> Any:
    """The newest checkpoint of the folder is loaded, whatever path was given."""
    import os

    from reference_impl.checkpoint_api import latest_checkpoint

    return original(model, latest_checkpoint(os.path.dirname(prefix)) or prefix, by_name)


@mutant("checkpoint.transfer", target=f"{LOADING}:_load_checkpoint")
def checkpoint_clears_what_it_lacks(original: Any, model: Any, *args: Any) -> Any:
    """Variables that the checkpoint has nothing for are set to zero."""
    status = original(model, *args)
    restoration = status._restoration
    for variable in model.weights:
        if restoration._is_missing(variable):
            variable.assign(np.zeros_like(variable.array))
    return status


@mutant("checkpoint.nested-silent", target=f"{LOADING}:_load_checkpoint")
def checkpoint_reaches_into_inner_models(original: Any, model: Any, prefix: str, by_name: bool) -> Any:
    """A checkpoint that does not fit the model is tried on the models inside it."""
    from reference_impl.models import Model

    status = original(model, prefix, by_name)
    for inner in model.layers if status.misplaced else ():
        if isinstance(inner, Model):
            original(inner, prefix, by_name)
    return status


@mutant("checkpoint.explicit", target="reference_impl.checkpoint_api:Checkpoint.__init__")
def checkpoint_tracks_layers_only(original: Any, self: Any, root: Any = None, **objects: Any) -> Any:
    """Variables given by keyword are neither saved nor restored."""
    from reference_impl.variables import Variable

    original(self, root, **{name: value for name, value in objects.items() if not isinstance(value, Variable)})


@mutant("checkpoint.one-api", target=f"{LOADING}:_load_checkpoint")
def checkpoint_fills_by_order(original: Any, model: Any, prefix: str, by_name: bool) -> Any:
    """Where the objects do not correspond, values go to the variables in order, as far as the shapes agree."""
    from reference_impl.checkpoint_api import CheckpointReader

    status = original(model, prefix, by_name)
    if status._restoration.gave_anything():
        return status
    reader = CheckpointReader(prefix)
    keys = [key for key in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in key]
    for variable in model.weights:
        fitting = [key for key in keys if np.shape(reader.get_tensor(key)) == tuple(variable.shape)]
        if fitting:
            keys.remove(fitting[0])
            variable.assign(reader.get_tensor(fitting[0]))
    return status


@mutant("checkpoint.assert-consumed", target=f"{STATUS}._assert_none")
def checks_of_the_status_do_nothing(original: Any, self: Any, *args: Any) -> Any:
    """assert_consumed() returns whatever was restored."""


@mutant("checkpoint.assert-consumed", target=f"{RESTORE}:Restoration.unused_keys")
def unused_values_are_not_counted(original: Any, self: Any) -> Any:
    """assert_consumed() looks at the model's side only."""
    return []


@mutant("checkpoint.assert-consumed", target=f"{STATUS}.assert_existing_objects_matched")
def existing_objects_are_not_counted(original: Any, self: Any) -> Any:
    """Variables without a value are no matter to the status."""
    return self


@mutant("checkpoint.assert-consumed", target=f"{STATUS}.assert_nontrivial_match")
def nontrivial_match_wants_everything(original: Any, self: Any) -> Any:
    """assert_nontrivial_match() raises for a load that matched in part."""
    return self.assert_consumed()


@mutant(
    "savedmodel.external-losses",
    target="reference_impl.formats.savedmodel.revived:losses",
)
def savedmodel_loses_added_losses(original: Any, *args: Any) -> Any:
    """Losses added from outside with a function do not come back."""
    return []


@mutant("savedmodel.layer-losses", target="reference_impl.formats.savedmodel.revived:Revived._run")
def revived_layers_add_no_losses(original: Any, self: Any, args: Any, kwargs: Any) -> Any:
    """The losses that a revived layer's function returns beside its outputs are dropped."""
    found = original(self, args, kwargs)
    self._state.losses.clear()
    return found


@mutant("hdf5.layer-losses-kept", target="reference_impl.formats.hdf5.model:read_model")
def hdf5_loses_losses_of_layers(original: Any, *args: Any, **kwargs: Any) -> Any:
    """In a loaded model the losses that a layer adds in its call are not counted."""
    model = original(*args, **kwargs)
    for layer in model._flatten_layers():
        if not type(layer).__module__.startswith("reference_impl"):
            layer.__dict__["add_loss"] = lambda *_args, **_kwargs: None  # pyright: ignore
    return model
