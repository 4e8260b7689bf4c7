"""Compiling, and single steps of training and evaluation.

A step runs the model under recording, computes losses and gradients, and lets the optimizer update the weights.
Floating inputs are float32.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_impl import optimizers, structure
from reference_impl.gradients import gradients
from reference_impl.layers.base import Layer
from reference_impl.optimizers import LossScaleOptimizer, Optimizer
from reference_impl.tensors import Tensor, convert, recording
from reference_impl.training import data
from reference_impl.training.compiled import CompiledLoss, CompiledMetrics
from reference_impl.training.sparse import rows_read

if TYPE_CHECKING:
    from reference_impl.metrics import Metric


@dataclass
class Compiled:
    """The result of ``compile``."""

    loss: CompiledLoss
    metrics: CompiledMetrics


class Steps(Layer):
    """The part of a model that takes steps, each on one batch."""

    _compiled: Compiled | None = None
    optimizer: Any = None
    # As it was given to ``compile``.
    loss: Any = None

    @property
    def output_names(self) -> list[str]:
        raise NotImplementedError

    # -- compiling -----------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Say how to train.

        ``optimizer``: a name, an :class:`Optimizer` or a config form. ``loss``, ``metrics``, ``loss_weights``: one for
        all outputs, a list, or a dict by output name; losses and metrics are names, objects, classes or functions of
        (y_true, y_pred). Unknown names are a :class:`~reference_impl.LoadError`. The state of a previous optimizer
        is gone. ``run_eagerly`` and ``steps_per_execution`` mean nothing here. Under the policy ``mixed_float16`` the
        optimizer is wrapped in a :class:`LossScaleOptimizer`.
        """
        if kwargs:
            raise TypeError(f"Invalid keyword argument in `compile`: {next(iter(kwargs))}")
        chosen: Optimizer = optimizers.get(optimizer)
        if self.dtype_policy.name == "mixed_float16" and not isinstance(chosen, LossScaleOptimizer):
            chosen = LossScaleOptimizer(chosen)
        self.optimizer = chosen
        self.__dict__["loss"] = loss
        self.__dict__["_compiled"] = Compiled(
            CompiledLoss(loss, loss_weights), CompiledMetrics(metrics, weighted_metrics)
        )
        if self.output_names and not isinstance(loss, Mapping):
            self._compiled_state().loss.resolve(self.output_names)

    def _compiled_state(self) -> Compiled:
        if self._compiled is None:
            raise RuntimeError(
                "You must compile your model before training/testing. Use `model.compile(optimizer, loss)`."
            )
        return self._compiled

    @property
    def metrics(self) -> list[Metric]:
        """Loss and metrics of ``compile``, then those that layers add."""
        return [metric for _, metric in self._named_metrics()]

    @property
    def metrics_names(self) -> list[str]:
        """The names under which numbers are reported, ``loss`` first; complete after the first batch."""
        return [name for name, _ in self._named_metrics()]

    def _named_metrics(self) -> list[tuple[str, Metric]]:
        named: list[tuple[str, Metric]] = []
        if self._compiled is not None:
            named += [(metric.name, metric) for metric in self._compiled.loss.metrics]
            named += self._compiled.metrics.named
        known = {id(metric) for _, metric in named}
        return named + [(m.name, m) for m in Layer.metrics.__get__(self) if id(m) not in known]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            metric.reset_states()

    # -- one batch -----------------------------------------------------------------------------------------

    def train_step(self, batch: data.Batch) -> None:
        """One update of the trainable weights from one batch."""
        with recording():
            loss = self._forward(batch, training=True)
            scaled = self.optimizer.get_scaled_loss(loss) if isinstance(self.optimizer, LossScaleOptimizer) else loss
        variables = self.trainable_weights
        found = gradients(scaled, variables)
        if isinstance(self.optimizer, LossScaleOptimizer):
            found = self.optimizer.get_unscaled_gradients(found)
        rows = rows_read(loss, variables) if self.optimizer.wants_rows else {}
        # An optimizer of the user's own need not know of rows.
        told: dict[str, Any] = {"rows": rows} if rows else {}
        self.optimizer.apply_gradients(zip(found, variables, strict=True), **told)

    def test_step(self, batch: data.Batch) -> None:
        """Losses and metrics of one batch."""
        with recording():
            self._forward(batch, training=False)

    def _forward(self, batch: data.Batch, training: bool) -> Tensor:
        compiled = self._compiled_state()
        predictions = self(structure.map_leaves(convert, batch.x), training=training)
        names = self.output_names
        loss = compiled.loss(batch.y, predictions, batch.sample_weight, self.losses, names, batch.size)
        compiled.metrics.update(batch.y, predictions, batch.sample_weight, names)
        return loss

    def predict_step(self, x: Any) -> Any:
        """The outputs for one batch, as arrays."""
        return structure.map_leaves(
            lambda leaf: convert(leaf).value, self(structure.map_leaves(convert, x), training=False)
        )

    def _logs(self) -> dict[str, float]:
        return {name: float(metric.result()) for name, metric in self._named_metrics()}

    def _report(self, return_dict: bool) -> Any:
        logs = self._logs()
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One step on exactly these samples. Returns the loss, or a list or dict of loss and metrics."""
        self._compiled_state()
        if reset_metrics:
            self.reset_metrics()
        self.train_step(data.whole((x, y, sample_weight), class_weight))
        return self._report(return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of exactly these samples."""
        self._compiled_state()
        if reset_metrics:
            self.reset_metrics()
        self.test_step(data.whole((x, y, sample_weight)))
        return self._report(return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for exactly these samples, as arrays."""
        return self.predict_step(data.prepare(x))
