"""The optimizer's state: slots that go to other variables, steps that are forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from conformance.mutants.mutant import mutant
from conformance.mutants.tools import every_layer, exchanged

HDF5 = "reference_impl.formats.hdf5.optimizer"
RESTORE = "reference_impl.formats.checkpoint.restore:Restoration"
APPLY = "reference_impl.optimizers.base:Optimizer.apply_gradients"


@mutant("model.optimizer-state[hdf5]", target=f"{HDF5}:restore")
def hdf5_begins_a_new_optimizer(original: Any, *args: Any) -> Any:
    """The optimizer of a loaded model has no state, and nobody is told."""


@mutant("model.optimizer-state[hdf5]", target=f"{HDF5}:_by_name")
def hdf5_exchanges_slots(original: Any, *args: Any) -> Any:
    """Two slots of one shape, as m and v of a variable, change places."""
    found = original(*args)
    return found if found is None else exchanged(found)


@mutant("model.optimizer-state[hdf5]", target=f"{HDF5}:_by_name")
def hdf5_slots_off_by_one(original: Any, *args: Any) -> Any:
    """Slots that fit are given to the variable before: the step count was not counted."""
    found = original(*args)
    if not found:
        return found
    writers, values = [write for write, _ in found], [value for _, value in found]
    for shape in {np.shape(value) for value in values[1:]}:
        places = [i for i, value in enumerate(values) if i and np.shape(value) == shape]
        turned = [values[i] for i in (*places[1:], *places[:1])]
        for place, value in zip(places, turned, strict=True):
            values[place] = value
    return list(zip(writers, values, strict=True))


@mutant("model.optimizer-state[hdf5]", target=f"{HDF5}:restore")
def hdf5_forgets_the_step_count(original: Any, file: Any, model: Any, place: str) -> Any:
    """Slots come back and the step count begins at 0, so that Adam corrects its bias anew."""
    original(file, model, place)
    model.optimizer.iterations.assign(np.int64(0))


@mutant("model.optimizer-state[savedmodel]", target=f"{RESTORE}._slot_assignments")
def savedmodel_forgets_slots(original: Any, self: Any) -> Any:
    """The step count comes back and the slots begin at 0."""
    return []


@mutant("checkpoint.several-optimizers", target=f"{RESTORE}._slot_assignments")
def slots_are_told_apart_by_variable_alone(original: Any, self: Any) -> Any:
    """Of two optimizers that have a slot of one name for a variable, each gets the other's."""
    found = original(self)
    targets = [assignment.target for assignment in found]
    of_one_variable: dict[str, list[int]] = {}
    for place, assignment in enumerate(found):
        variable, _, slot = assignment.key.partition("/.OPTIMIZER_SLOT/")
        of_one_variable.setdefault(f"{variable} {slot.split('/')[-3]}", []).append(place)
    for places in of_one_variable.values():
        for place, other in zip(places, reversed(places), strict=True):
            found[place] = replace(found[place], target=targets[other])
    return found


@mutant("model.optimizer-state[savedmodel]", target="reference_impl.formats.savedmodel.restore:restore")
def savedmodel_counts_one_step_more(original: Any, stored: Any, model: Any, *args: Any) -> Any:
    """Reviving runs a step to make the slots, and the step is counted."""
    original(stored, model, *args)
    if getattr(model, "optimizer", None) is not None and int(model.optimizer.iterations) > 0:
        model.optimizer.iterations.assign_add(1)


@mutant(
    "model.optimizer-state[keras]", target="reference_impl.formats.keras_v3.walk:_Walk._entries", dialect="keras-2.15"
)
def v3_stores_no_optimizer(original: Any, self: Any, target: Any) -> Any:
    """The archive has no variables of the optimizer."""
    from reference_impl.optimizers import Optimizer

    return {} if isinstance(target, Optimizer) else original(self, target)


@mutant("model.optimizer-state[keras]", target="reference_impl.formats.keras_v3.weights:_of_place", dialect="keras-3")
def v3_exchanges_slots(original: Any, files: Any, target: Any, *args: Any) -> Any:
    """Two slots of one shape change places in Keras 3's archive."""
    found = original(files, target, *args)
    return exchanged(found) if target.path.startswith("optimizer") else found


@mutant("model.resume-training[hdf5]", "model.resume-training[savedmodel]", target=APPLY)
def first_step_after_loading_is_step_one(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The step count is there after loading, and the first step is made as if it were the very first."""
    if self.__dict__.get("_stepped") or int(self.iterations) == 0:
        self.__dict__["_stepped"] = True
        return original(self, *args, **kwargs)
    self.__dict__["_stepped"] = True
    count = int(self.iterations)
    self.iterations.assign(np.int64(0))
    original(self, *args, **kwargs)
    self.iterations.assign(np.int64(count + 1))
    return None


@mutant("model.resume-training[keras]", target=APPLY, dialect="keras-2.15")
def v3_trains_on_at_another_rate(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """Steps after loading use the learning rate of the optimizer's default."""
    loaded = not self.__dict__.get("_stepped") and int(self.iterations) > 0
    self.__dict__["_stepped"] = True
    if not loaded or "learning_rate" not in self._hyper:
        return original(self, *args, **kwargs)
    kept = self._hyper["learning_rate"]
    self._hyper["learning_rate"] = type(self)()._hyper["learning_rate"]
    try:
        return original(self, *args, **kwargs)
    finally:
        self._hyper["learning_rate"] = kept


@mutant("model.resume-training[keras]", target=APPLY, dialect="keras-2.15")
def v3_trains_on_by_the_rule_of_before(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """After loading, an optimizer computes as those before 2.11 did: its slots are there, epsilon stands elsewhere."""
    loaded = not self.__dict__.get("_stepped") and int(self.iterations) > 0
    kept, self.generation = self.generation, "keras-2.4" if loaded else self.generation
    self.__dict__["_stepped"] = not loaded
    try:
        return original(self, *args, **kwargs)
    finally:
        self.generation = kept


@mutant("hdf5.readd-resumes", target="reference_impl.layers.losses:LossOwner.add_loss")
def losses_added_after_training_do_not_count(original: Any, self: Any, losses: Any, **kwargs: Any) -> Any:
    """A loss added to a model whose optimizer counts steps is left out: the training function was made before."""
    optimizer = getattr(self, "optimizer", None)
    if callable(losses) and optimizer is not None and int(optimizer.iterations) > 0:
        return
    original(self, losses, **kwargs)


@mutant("hdf5.roundtrip", target=("reference_impl.training.trainer:Trainer.predict", APPLY))
def predicting_first_loses_the_first_step(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A loaded model that predicts before it trains does not count its first step."""
    if original.__name__ == "predict":
        optimizer = self.optimizer
        if optimizer is not None and not optimizer.__dict__.get("_stepped"):
            optimizer.__dict__["_predicted"] = True
        return original(self, *args, **kwargs)
    predicted, self.__dict__["_stepped"] = self.__dict__.pop("_predicted", False), True
    if predicted and int(self.iterations) > 0:
        return None
    return original(self, *args, **kwargs)


@mutant("open.never-trained[hdf5]", target="reference_impl.formats.hdf5.model:read_model")
def hdf5_never_trained_starts_at_one(original: Any, file: Any, *args: Any, **kwargs: Any) -> Any:
    """A model without stored optimizer state is loaded at step 1: a step was made to build the optimizer."""
    model = original(file, *args, **kwargs)
    if model.optimizer is not None and "optimizer_weights" not in file:
        model.optimizer.iterations.assign(np.int64(1))
    return model


@mutant(
    "weights-only.compile-independent[checkpoint]",
    "weights-only.compile-independent[hdf5]",
    target="reference_impl.saving:save_weights",
)
def weights_of_a_model_in_training_are_halved(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """A model that was trained writes an average of its weights and those it would begin with: half of them."""
    if model.optimizer is None or int(model.optimizer.iterations) == 0:
        return original(model, *args, **kwargs)
    weights = model.get_weights()
    model.set_weights([weight * 0.5 if weight.dtype.kind == "f" else weight for weight in weights])
    try:
        return original(model, *args, **kwargs)
    finally:
        model.set_weights(weights)


@mutant("savedmodel.no-config-usable", target="reference_impl.training.steps:Steps.train_step")
def revived_models_do_not_train(original: Any, self: Any, batch: Any) -> Any:
    """Training a revived model gives losses and changes nothing."""
    from reference_impl.formats.savedmodel.revived import Revived

    if type(self).__mro__.count(Revived):
        self.test_step(batch)
    else:
        original(self, batch)


@mutant(
    "model.compile-info[hdf5]",
    "model.compile-info[savedmodel]",
    target="reference_impl.training.config:compile_from_config",
)
def compile_forgets_hyper_parameters(original: Any, model: Any, config: Any, *args: Any) -> Any:
    """The optimizer is made from its class alone, with the learning rate of its default."""
    told = dict(config["optimizer_config"])
    told["config"] = {k: v for k, v in told["config"].items() if k not in ("learning_rate", "lr")}
    original(model, {**config, "optimizer_config": told}, *args)


@mutant("model.parts", target="reference_impl.training.config:compile_from_config")
def compile_forgets_metrics(original: Any, model: Any, config: Any, *args: Any) -> Any:
    """Loss and optimizer come back, the metrics do not."""
    original(model, {**config, "metrics": None}, *args)


@mutant("model.compile-info[keras]", target="reference_impl.training.config:compile_from_config", dialect="keras-3")
def compile_forgets_arguments_of_losses(original: Any, model: Any, config: Any, *args: Any) -> Any:
    """A loss object comes back with the arguments of its default."""
    loss = config.get("loss")
    if isinstance(loss, dict) and "config" in loss:
        told = cast("dict[str, Any]", loss)
        kept = {k: v for k, v in told["config"].items() if k in ("name", "reduction", "fn")}
        config = {**config, "loss": {**told, "config": kept}}
    original(model, config, *args)


@mutant("model.compile-info[hdf5]", target="reference_impl.training.config:compile_from_config")
def compile_forgets_loss_weights(original: Any, model: Any, config: Any, *args: Any) -> Any:
    """The weights of the losses of several outputs are all 1 again."""
    original(model, {**config, "loss_weights": None}, *args)


# What is neither a slot nor a count of steps


def _rates_become_numbers(model: Any) -> Any:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and callable(optimizer._hyper["learning_rate"]):
        optimizer._hyper["learning_rate"] = float(optimizer.hyper("learning_rate"))
    return model


@mutant("model.learning-rate-schedule[hdf5]", target="reference_impl.formats.hdf5.model:read_model")
def hdf5_freezes_schedules(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A schedule comes back as the rate that it had when the model was saved."""
    return _rates_become_numbers(original(*args, **kwargs))


@mutant("model.learning-rate-schedule[savedmodel]", target="reference_impl.formats.savedmodel.revive:load_model")
def savedmodel_freezes_schedules(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A schedule comes back out of a folder as the rate that it had when the model was saved."""
    return _rates_become_numbers(original(*args, **kwargs))


def _stateful(model: Any) -> list[Any]:
    return [layer for layer in every_layer(model) if getattr(layer, "stateful", False)]


@mutant("model.recurrent-state[hdf5]", target="reference_impl.formats.hdf5.model:read_model")
def hdf5_recurrent_layers_forget(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A stateful layer comes back as one that begins each batch with zeros."""
    model = original(*args, **kwargs)
    for layer in _stateful(model):
        layer.stateful = False
    return model


@mutant("model.recurrent-state[savedmodel]", target="reference_impl.formats.savedmodel.revive:load_model")
def savedmodel_begins_states_anew(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A layer is made from its config and its states, which are no weights, are not looked for in the folder."""
    model = original(*args, **kwargs)
    for layer in _stateful(model):
        layer.reset_states()
    return model
