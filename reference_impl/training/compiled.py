"""What ``compile`` makes: losses and metrics for each output, and how their numbers are named.

Users give one for all outputs, a list with one for each, or a dict by output name; metrics may be several for an
output. With several outputs the names are prefixed: ``o1_loss``, ``o1_mae``. The objects keep their own names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from reference_impl import functions, losses, metrics, structure
from reference_impl.losses import FunctionLoss, Loss, Reduction
from reference_impl.metrics import Mean, MeanMetricWrapper, Metric
from reference_impl.serialization.registry import get_registered_name
from reference_impl.tensors import Tensor, convert


@dataclass
class CompiledLoss:
    """The losses of a model. ``given`` and ``given_weights`` are the user's, as configs hold them."""

    given: Any
    given_weights: Any = None
    total: Mean = field(default_factory=lambda: Mean(name="loss"))
    by_output: dict[str, Mean] = field(default_factory=dict[str, Mean])
    _resolved: list[Loss | None] | None = None
    _weights: list[float] = field(default_factory=list[float])

    def resolve(self, output_names: Sequence[str]) -> list[Loss | None]:
        """The loss object of each output."""
        if self._resolved is None:
            chosen = per_output(self.given, output_names, "loss")
            self._resolved = [_as_loss(loss) for loss in chosen]
            weights = per_output(self.given_weights, output_names, "loss_weights")
            self._weights = [1.0 if weight is None else float(weight) for weight in weights]
            if len(output_names) > 1:
                self.by_output = {
                    name: Mean(name=f"{name}_loss")
                    for name, loss in zip(output_names, self._resolved, strict=True)
                    if loss is not None
                }
        return self._resolved

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any,
        added: Sequence[Tensor],
        output_names: Sequence[str],
        batch_size: int,
    ) -> Tensor:
        """The number to minimise: the weighted losses of the outputs and the ``added`` ones. Updates the means."""
        predictions = by_name(y_pred, output_names)
        resolved = self.resolve(output_names)
        targets = by_name(y_true, output_names) if y_true is not None else [None] * len(predictions)
        weights = by_name(sample_weight, output_names) if sample_weight is not None else [None]
        if len(weights) == 1:
            weights = weights * len(predictions)
        terms: list[Any] = []
        for i, loss in enumerate(resolved):
            if loss is None or targets[i] is None:
                continue
            value = loss(fitted(targets[i], predictions[i]), predictions[i], masked(predictions[i], weights[i]))
            # A loss that reduces nothing gives a number for each sample; their mean is what counts.
            value = value if not value.shape else functions.reduce_mean(value)
            if output_names[i] in self.by_output:
                self.by_output[output_names[i]].update_state(value, batch_size)
            terms.append(value * self._weights[i] if self._weights[i] != 1 else value)
        terms += [loss if not loss.shape else functions.reduce_sum(loss) for loss in added]
        if not terms:
            raise ValueError(
                "The model cannot be trained: it has no loss for any of its outputs and none was added; "
                "give `compile` a loss, or add one"
            )
        total = terms[0]
        for term in terms[1:]:
            total = total + functions.cast_to(term, total.dtype)
        self.total.update_state(total, batch_size)
        return total

    @property
    def metrics(self) -> list[Metric]:
        return [self.total, *self.by_output.values()]


@dataclass
class CompiledMetrics:
    """The metrics of a model. ``given`` and ``given_weighted`` are the user's."""

    given: Any = None
    given_weighted: Any = None
    _resolved: list[list[tuple[Metric, str, bool]]] | None = None

    def resolve(self, output_names: Sequence[str], y_true: Any, y_pred: Any) -> list[list[tuple[Metric, str, bool]]]:
        """For each output its metrics, the names they are reported under, and whether samples are weighted."""
        if self._resolved is None:
            targets, predictions = by_name(y_true, output_names), by_name(y_pred, output_names)
            self._resolved = [[] for _ in output_names]
            used: set[str] = set()
            for given, weighted in ((self.given, False), (self.given_weighted, True)):
                for i, chosen in enumerate(metrics_per_output(given, output_names)):
                    prefix = f"{output_names[i]}_" if len(output_names) > 1 else ""
                    for identifier in chosen:
                        metric = _as_metric(identifier, targets[i], predictions[i], weighted)
                        name = _unused(metric.name, prefix, weighted, used)
                        self._resolved[i].append((metric, name, weighted))
        return self._resolved

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any, output_names: Sequence[str]) -> None:
        if y_true is None or (self.given is None and self.given_weighted is None):
            return
        targets, predictions = by_name(y_true, output_names), by_name(y_pred, output_names)
        weights = by_name(sample_weight, output_names) if sample_weight is not None else [None]
        weights = weights * len(predictions) if len(weights) == 1 else weights
        for i, chosen in enumerate(self.resolve(output_names, y_true, y_pred)):
            if targets[i] is None:
                continue
            target = fitted(targets[i], predictions[i])
            for metric, _, weighted in chosen:
                metric.update_state(target, predictions[i], masked(predictions[i], weights[i] if weighted else None))

    @property
    def named(self) -> list[tuple[str, Metric]]:
        """The metrics with the names they are reported under; none before the first batch."""
        return [(name, metric) for chosen in self._resolved or () for metric, name, _ in chosen]


def _unused(name: str, prefix: str, weighted: bool, used: set[str]) -> str:
    """The name to report a metric under; ``ValueError`` if another is reported under it."""
    found = f"{prefix}{name}"
    if weighted and found in used:
        found = f"{prefix}weighted_{name}"
    if found in used:
        raise ValueError(f"Found two metrics with the same name: {found}")
    used.add(found)
    return found


# -- what belongs to which output --------------------------------------------------------------------------------


def by_name(values: Any, output_names: Sequence[str]) -> list[Any]:
    """``values`` as a list in the order of the outputs."""
    if isinstance(values, Mapping):
        mapping = cast("Mapping[str, Any]", values)
        if set(mapping) <= set(output_names):
            return [mapping.get(name) for name in output_names]
    return structure.flatten(values)


def per_output(given: Any, output_names: Sequence[str], what: str) -> list[Any]:
    """What was given for each output: one for all, a list, or a dict; a serialised object is one."""
    if isinstance(given, Mapping) and not is_serialised(given):
        mapping = cast("Mapping[str, Any]", given)
        unknown = [name for name in mapping if name not in output_names]
        if unknown:
            raise ValueError(f"{what} names {unknown[0]!r}, which is no output; the outputs are {list(output_names)}")
        return [mapping.get(name) for name in output_names]
    if isinstance(given, list | tuple):
        listed = list(cast("Sequence[Any]", given))
        if len(listed) == 1:
            return listed * len(output_names)
        if len(listed) != len(output_names):
            raise ValueError(f"{what} has {len(listed)} entries for {len(output_names)} outputs {list(output_names)}")
        return listed
    return [given] * len(output_names)


def metrics_per_output(given: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """The same for metrics, of which an output can have several: a flat list is for every output."""
    if given is None:
        return [[] for _ in output_names]
    nested = isinstance(given, list | tuple) and any(
        isinstance(item, list | tuple) for item in cast("list[Any]", given)
    )
    if nested or (isinstance(given, Mapping) and not is_serialised(given)):
        return [_listed(item) for item in per_output(given, output_names, "metrics")]
    if len(output_names) > 1 and isinstance(given, list | tuple) and len(cast("list[Any]", given)) == len(output_names):
        return [_listed(item) for item in cast("list[Any]", given)]
    return [_listed(given) for _ in output_names]


def is_serialised(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value and "config" in value


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return (
        [item for item in cast("list[Any]", value) if item is not None] if isinstance(value, list | tuple) else [value]
    )


def fitted(target: Any, prediction: Tensor) -> Tensor:
    """``target`` as a tensor of the prediction's rank and, among floating types or integers, its dtype."""
    tensor = convert(target)
    if len(tensor.shape) == 1 and len(prediction.shape) == 2:
        tensor = functions.expand_dims(tensor, -1)
    same_kind = tensor.dtype.is_floating == prediction.dtype.is_floating
    return functions.cast_to(tensor, prediction.dtype) if same_kind else tensor


def masked(prediction: Tensor, sample_weight: Any) -> Any:
    """The weights of samples, times the prediction's mask where it has one: steps that do not count weigh nothing."""
    if prediction.mask is None:
        return sample_weight
    mask = functions.cast_to(prediction.mask, prediction.dtype)
    if sample_weight is None:
        return mask
    weight = functions.cast_to(sample_weight, prediction.dtype)
    if len(weight.shape) == len(mask.shape) + 1 and weight.shape[-1] == 1:
        weight = functions.squeeze(weight, -1)
    while 0 < len(weight.shape) < len(mask.shape):
        weight = functions.expand_dims(weight, -1)
    return weight * mask


# -- from identifiers to objects ---------------------------------------------------------------------------------


def _as_loss(identifier: Any) -> Loss | None:
    found = losses.get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    return FunctionLoss(found, Reduction.AUTO, get_registered_name(found))


_ACCURACIES = {"accuracy", "acc"}
_CROSSENTROPIES = {"crossentropy", "ce"}


def _as_metric(identifier: Any, y_true: Any, y_pred: Any, weighted: bool) -> Metric:
    """A metric object. ``accuracy`` and ``crossentropy`` mean binary, categorical or sparse by the shapes."""
    name: str | None = None
    if isinstance(identifier, str):
        name = identifier
        if identifier.lower() in _ACCURACIES | _CROSSENTROPIES:
            identifier = _by_shape(identifier.lower() in _ACCURACIES, fitted(y_true, y_pred), y_pred)
    found = metrics.get(identifier)
    if isinstance(found, Metric):
        if name is not None and not isinstance(found, MeanMetricWrapper):
            found.name = name
        return found
    if isinstance(found, Loss):
        return MeanMetricWrapper(found.call, name=found.name)
    return MeanMetricWrapper(found, name=name or get_registered_name(found))


def _by_shape(accuracy: bool, y_true: Any, y_pred: Any) -> Any:
    true, predicted = (convert(y).shape.as_list() for y in (y_true, y_pred))
    binary = predicted[-1] == 1
    sparse = len(true) < len(predicted) or (true[-1] == 1 != predicted[-1])
    if accuracy:
        choices = (metrics.binary_accuracy, metrics.sparse_categorical_accuracy, metrics.categorical_accuracy)
    else:
        choices = (
            losses.binary_crossentropy,
            losses.sparse_categorical_crossentropy,
            losses.categorical_crossentropy,
        )
    return choices[0] if binary else choices[1] if sparse else choices[2]
