"""Training, evaluation and prediction: the methods of a model that ``compile`` makes usable.

A step runs the model under recording, computes losses and gradients, and lets the optimizer update the weights.
Floating inputs are float32. Numbers are reported as the means over the batches of an epoch.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from reference_impl import optimizers, structure
from reference_impl.gradients import gradients
from reference_impl.layers.base import Layer
from reference_impl.optimizers import Optimizer
from reference_impl.tensors import Tensor, convert, recording
from reference_impl.training import data
from reference_impl.training.compiled import CompiledLoss, CompiledMetrics
from reference_impl.training.progress import Progress

if TYPE_CHECKING:
    from reference_impl.metrics import Metric


@dataclass
class History:
    """What training reported: ``history[name]`` has one number for each epoch."""

    model: Any
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    epoch: list[int] = field(default_factory=list[int])
    history: dict[str, list[float]] = field(default_factory=dict[str, list[float]])


@dataclass
class Compiled:
    """The result of ``compile``."""

    loss: CompiledLoss
    metrics: CompiledMetrics


class Trainer(Layer):
    """The part of a model that trains."""

    _compiled: Compiled | None = None
    optimizer: Any = None
    # As it was given to ``compile``.
    loss: Any = None
    history: History | None = None
    _untracked = frozenset({"history"})

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
        is gone. ``run_eagerly`` and ``steps_per_execution`` mean nothing here.
        """
        if kwargs:
            raise TypeError(f"Invalid keyword argument in `compile`: {next(iter(kwargs))}")
        chosen: Optimizer = optimizers.get(optimizer)
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
        variables = self.trainable_weights
        self.optimizer.apply_gradients(zip(gradients(loss, variables), variables, strict=True))

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
        reset_metrics: bool = True,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """One step on exactly these samples. Returns the loss, or a list or dict of loss and metrics."""
        self._compiled_state()
        if reset_metrics:
            self.reset_metrics()
        self.train_step(_whole(x, y, sample_weight))
        return self._report(return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of exactly these samples."""
        self._compiled_state()
        if reset_metrics:
            self.reset_metrics()
        self.test_step(_whole(x, y, sample_weight))
        return self._report(return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for exactly these samples, as arrays."""
        return self.predict_step(data.prepare(x))

    # -- all data ------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        validation_data: Any = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        **kwargs: Any,
    ) -> History:
        """Train for ``epochs`` passes over arrays, lists or dicts of arrays.

        ``batch_size``: default 32. ``shuffle``: draw the order of the samples anew each epoch.
        ``validation_data``: (x, y) evaluated after each epoch and reported as ``val_…``.
        """
        _refuse(kwargs, "fit")
        self._compiled_state()
        steps = data.batch_count(x, batch_size)
        history = History(self, {"verbose": verbose, "epochs": epochs, "steps": steps})
        progress = Progress(steps, verbose)
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            if epochs > 1:
                progress.epoch(epoch, epochs)
            for done, batch in enumerate(data.batches(x, y, sample_weight, batch_size, shuffle), start=1):
                self.train_step(batch)
                if verbose == 1:
                    progress.step(done, self._logs())
            logs = self._logs()
            if validation_data is not None:
                held = self.evaluate(*validation_data[:2], batch_size=batch_size, verbose=0, return_dict=True)
                logs |= {f"val_{name}": value for name, value in cast("dict[str, float]", held).items()}
            progress.finish(logs)
            history.epoch.append(epoch)
            for name, value in logs.items():
                history.history.setdefault(name, []).append(value)
        self.history = history
        return history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics over all samples: the loss alone, a list, or with ``return_dict`` a dict by name."""
        _refuse(kwargs, "evaluate")
        self._compiled_state()
        self.reset_metrics()
        progress = Progress(data.batch_count(x, batch_size), verbose)
        for batch in data.batches(x, y, sample_weight, batch_size):
            self.test_step(batch)
        progress.finish(self._logs())
        return self._report(return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int = 0, **kwargs: Any) -> Any:
        """The outputs for all samples, as arrays in the structure of the model's outputs."""
        _refuse(kwargs, "predict")
        parts = [self.predict_step(batch.x) for batch in data.batches(x, batch_size=batch_size)]
        leaves = [structure.flatten(part) for part in parts]
        joined = [np.concatenate(columns) for columns in zip(*leaves, strict=True)]
        return structure.pack_as(parts[0], joined)


def _whole(x: Any, y: Any, sample_weight: Any) -> data.Batch:
    prepared = data.prepare(x)
    return data.Batch(prepared, data.prepare(y), sample_weight, data.count(prepared))


def _refuse(arguments: dict[str, Any], method: str) -> None:
    unused = {name: value for name, value in arguments.items() if value not in (None, False, 0, 1, 10, 0.0)}
    if unused:
        raise TypeError(
            f"{method}() does not support {next(iter(unused))!r}; only arrays are trained on, without callbacks"
        )
