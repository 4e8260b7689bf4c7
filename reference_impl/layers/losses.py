"""The losses and metrics that layers add."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

from reference_impl import functions, structure
from reference_impl.layers.owner import Owner
from reference_impl.layers.state import AddedLoss, calling
from reference_impl.tensors import Tensor, convert, present_trace


class LossOwner(Owner):
    """The part of a layer that adds losses and metrics."""

    activity_regularizer: Any = None

    def add_loss(self, losses: Any, **kwargs: Any) -> None:
        """Add losses to what training minimises.

        Within ``call``: tensors, for this call. From outside: functions of no arguments, asked at each step.
        """
        for loss in structure.flatten(losses):
            if callable(loss):
                self._state.penalties.append(AddedLoss(loss, external=True))
            elif loss is not None and calling.depth:
                self._state.losses.append(convert(loss))
            elif loss is not None:
                raise ValueError(
                    f"Expected a symbolic Tensors or a callable for the loss value, found {loss!r:.80}. "
                    "Please wrap your loss computation in a zero argument `lambda`."
                )

    @property
    def losses(self) -> list[Tensor]:
        """The losses of the last call and the present value of all others, inner layers included."""
        found: list[Any] = []
        for layer in self._flatten_layers():
            found += layer._state.losses
            for penalty in layer._state.penalties:
                value = penalty.function()
                if value is not None:
                    found.append(convert(value))
        return found

    def _penalise_activity(self, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        for output in structure.flatten(outputs):
            batch = functions.cast_to(functions.shape(output)[0], output.dtype)
            self.add_loss(self.activity_regularizer(output) / batch)

    def add_metric(self, value: Any, name: str | None = None, **kwargs: Any) -> None:
        """Report the mean of ``value`` over batches under ``name``.

        With ``aggregation=None`` (the default without a name) ``value`` must be the result of a metric object.
        """
        from reference_impl.metrics import Mean

        given = getattr(value, "metric", None)
        if given is not None:
            if all(given is not metric for metric in self._state.metrics):
                self._state.metrics.append(given)
            return
        if name is None:
            raise ValueError("Please provide a name for your metric like `self.add_metric(tensor, name='mean_x')`")
        metric = next((metric for metric in self._state.metrics if metric.name == name), None)
        if metric is None:
            metric = Mean(name=name)
            self._state.metrics.append(metric)
        tensor = convert(value)
        if not tensor.symbolic or present_trace() is not None:
            metric.update_state(tensor)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of this layer and the layers inside."""
        from reference_impl.metrics import Metric

        found: list[Any] = []
        for layer in self._flatten_layers():
            held = [child for child in layer._children() if isinstance(child, Metric)]
            found += [m for m in (*layer._state.metrics, *held) if all(m is not other for other in found)]
        return found
