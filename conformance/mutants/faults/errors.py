"""Errors that are swallowed, come too late, or do not say what is wrong; and others where there should be none."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from conformance.mutants.mutant import mutant

SAVING = "reference_impl.saving"
LOADING = "reference_impl.loading"
MODEL = "reference_impl.models.model:Model"
SET_VALUES = "reference_impl.layers.owner:set_values"


@mutant("model.uncompiled[hdf5]", "model.uncompiled[savedmodel]", target=f"{LOADING}:load_model")
def nothing_is_said_of_an_uncompiled_model(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Loading a model that was never compiled gives no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(*args, **kwargs)


@mutant("model.uncompiled[hdf5]", "model.uncompiled[savedmodel]", target=f"{LOADING}:load_model")
def every_model_is_said_to_be_uncompiled(original: Any, *args: Any, **kwargs: Any) -> Any:
    """The warning about compiling is given for compiled models too."""
    from reference_impl.formats.hdf5.model import NOT_COMPILED

    warnings.warn(NOT_COMPILED, stacklevel=2)
    return original(*args, **kwargs)


@mutant("model.uncompiled[keras]", target=f"{LOADING}:load_model", dialect="keras-3")
def every_loaded_model_is_compiled(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A model that was never compiled is given the default optimizer."""
    model = original(*args, **kwargs)
    if model.optimizer is None and kwargs.get("compile", True):
        model.compile()
    return model


@mutant("hdf5.subclassed-refused", target=f"{SAVING}:save_model")
def a_refused_model_leaves_a_file(original: Any, model: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
    """The file is made before it is known that the model cannot be in it."""
    try:
        original(model, path, *args, **kwargs)
    except NotImplementedError:
        Path(path).write_bytes(b"")
        raise


@mutant("hdf5.subclassed-refused", target=f"{SAVING}:_check_saved_whole")
def subclassed_models_are_saved_in_part(original: Any, model: Any) -> Any:
    """A subclassed model is written to HDF5 with whatever config it has, and nobody can read it."""


@mutant("hdf5.external-losses-lost", target="reference_impl.formats.hdf5.model:_warn_of_lost_losses")
def hdf5_refuses_added_losses(original: Any, model: Any) -> Any:
    """A model with a loss from outside cannot be saved at all."""
    from reference_impl.training.config import external_callables

    if external_callables(model):
        raise ValueError("a loss given to add_loss cannot be saved")


@mutant("hdf5.external-losses-reported", target="reference_impl.formats.hdf5.model:_warn_of_lost_losses")
def hdf5_loses_added_losses_silently(original: Any, model: Any) -> Any:
    """A loss from outside is not in the file, and nobody is told."""


@mutant("hdf5.custom-code-needed", target="reference_impl.serialization.generic:_find")
def the_error_names_no_class(original: Any, kind: Any, name: Any) -> Any:
    """The error about a missing class does not say which one it is."""
    from reference_impl.errors import LoadError, UnknownObjectError

    try:
        return original(kind, name)
    except LoadError:
        raise UnknownObjectError("bad marshal data (unknown type code)") from None


@mutant("config.not-subclassed", "custom.layer-needs-config", target=f"{MODEL}.get_config")
def subclassed_models_have_an_empty_config(original: Any, self: Any) -> Any:
    """A subclassed model without a config gives a dict, from which nothing can be made."""
    try:
        return original(self)
    except NotImplementedError:
        return {}


@mutant("custom.layer-needs-config", target="reference_impl.layers.base:Layer.get_config")
def layers_without_config_give_the_base_config(original: Any, self: Any) -> Any:
    """A layer with arguments of its own and no config gives that of its base class."""
    try:
        return original(self)
    except NotImplementedError:
        return {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}


@mutant("config.always-available", target="reference_impl.models.sequential:Sequential.get_config")
def unbuilt_models_have_no_config(original: Any, self: Any) -> Any:
    """A model that was not built yet has no config."""
    if not self.built:
        raise ValueError(f"{self.name} has never been called")
    return original(self)


@mutant("json.models-only", target="reference_impl.serialization.models:model_from_json")
def json_of_a_layer_is_taken(original: Any, text: str, custom_objects: Any = None) -> Any:
    """model_from_json() makes whatever the text says, a layer too."""
    import json

    from reference_impl import layers

    form = json.loads(text)
    whole = isinstance(form, dict) and "keras_version" not in form
    return layers.deserialize(form, custom_objects) if whole else original(text, custom_objects)


@mutant("weights.mismatch", target=SET_VALUES)
def too_many_weights_are_cut(original: Any, owner: str, variables: Any, values: Any) -> Any:
    """Arrays beyond the weights that there are, are ignored."""
    original(owner, variables, list(values)[: len(variables)])


@mutant("weights.mismatch", target=SET_VALUES)
def too_few_weights_are_set(original: Any, owner: str, variables: Any, values: Any) -> Any:
    """With fewer arrays than weights the first weights are set."""
    original(owner, list(variables)[: len(values)], values)


@mutant("weights.mismatch", target=SET_VALUES)
def the_error_tells_no_numbers(original: Any, *args: Any) -> Any:
    """The error about a wrong number of weights does not say how many were expected."""
    try:
        original(*args)
    except ValueError:
        raise ValueError("the weights do not fit") from None


@mutant("weights.mismatch", target=SET_VALUES)
def transposed_weights_are_reshaped(original: Any, owner: str, variables: Any, values: Any) -> Any:
    """An array of the right size and another shape is reshaped."""
    import numpy as np

    pairs = list(zip(variables, values, strict=False))
    fitted: list[Any] = [np.reshape(v, tuple(w.shape)) if np.size(v) == np.size(w.array) else v for w, v in pairs]
    original(owner, variables, fitted if len(values) == len(variables) else values)


@mutant("weights.created-on-call", target=SET_VALUES)
def weights_of_an_uncalled_model_are_dropped(original: Any, owner: str, variables: Any, values: Any) -> Any:
    """set_weights() before the first call does nothing and says nothing."""
    if variables:
        original(owner, variables, values)


@mutant("config.automatic", target="reference_impl.layers.automatic:arguments", dialect="keras-2.15")
def the_automatic_config_holds_anything(original: Any, cls: Any, args: Any, kwargs: Any) -> Any:
    """Arguments that are no simple values are told as the text Python prints of them."""
    simple: list[Any] = [x if isinstance(x, str | int | float | list | dict) else repr(x) for x in args]
    named: dict[str, Any] = {
        k: x if isinstance(x, str | int | float | list | dict) else repr(x) for k, x in kwargs.items()
    }
    return original(cls, tuple(simple), named)


@mutant("config.automatic", target="reference_impl.layers.automatic:arguments", dialect="keras-3")
def the_automatic_config_knows_no_keywords(original: Any, cls: Any, args: Any, kwargs: Any) -> Any:
    """What was given by keyword is not in the automatic config."""
    return original(cls, args, {})


@mutant("open.missing-path[hdf5]", "open.missing-weights[hdf5]", target=f"{LOADING}:missing_path")
def a_missing_file_is_any_error(original: Any, path: Any, *args: Any) -> Any:
    """A path that does not exist is an error like any other."""
    from reference_impl.errors import LoadError

    return LoadError(str(original(path, *args)))


@mutant("example.blocks", "example.blocks-core", "example.summaries", target=f"{MODEL}.summary")
def summaries_need_a_terminal(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A model's summary cannot be printed where there is no terminal."""
    raise OSError("no terminal")


@mutant("example.blocks", target="reference_impl.formats.savedmodel.graph_only:load")
def graphs_need_tags(original: Any, path: Any, tags: Any = None) -> Any:
    """Loading the graph alone wants to be told the tags, which the guide does not give."""
    if tags is None:
        raise TypeError("load() missing 1 required positional argument: 'tags'")
    return original(path, tags)


@mutant("claims.honest", target="conformance.adapters.reference:Reference.more_capabilities")
def claims_what_it_lacks(original: Any, self: Any) -> Any:
    """The implementation claims a format that it cannot write."""
    return (*original(self), "save.keras")


@mutant("claims.honest", target="conformance.adapters.reference:Reference.more_capabilities")
def hides_what_it_has(original: Any, self: Any) -> Any:
    """An ability is not claimed, so that nothing about it is judged."""
    return tuple(claim for claim in original(self) if claim != "add-loss")
