"""Training, evaluation and prediction: the methods of a model that ``compile`` makes usable.

Numbers are reported as the means over the batches of an epoch.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from reference_impl import structure
from reference_impl.optimizers import later
from reference_impl.training import data
from reference_impl.training.callbacks import CallbackList, History, listed
from reference_impl.training.progress import Progress
from reference_impl.training.steps import Steps


class Trainer(Steps):
    """The part of a model that trains."""

    history: History | None = None
    stop_training = False
    """Set by callbacks: training ends after this epoch."""
    _untracked = frozenset({"history", "stop_training"})

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> History:
        """Train for ``epochs`` passes over the data; the ``History`` has loss and metrics of each.

        ``x``: arrays, lists or dicts of arrays, with ``y`` and ``sample_weight``; or a ``keras.utils.Sequence`` or
        generator of batches (x, y) or (x, y, sample_weight). ``batch_size``: default 32. ``shuffle``: draw the order
        anew each epoch. ``steps_per_epoch``: batches an epoch, for generators without end. ``class_weight``: the weight
        of samples by class. ``validation_data``: as ``x``, or (x, y) or (x, y, sample_weight), evaluated after each
        epoch (each ``validation_freq`` th, or those listed) and reported as ``val_…``; or else the last
        ``validation_split`` of the arrays. ``callbacks``: see :mod:`reference_impl.training.callbacks`. The last three
        arguments mean nothing here.
        """
        self._compiled_state()
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = data.split(x, y, sample_weight, validation_split)
        batches = data.source(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        validation = {"steps": validation_steps, "batch_size": validation_batch_size or batch_size}
        history = History()
        told = CallbackList(
            [*listed(callbacks), history], self, {"verbose": verbose, "epochs": epochs, "steps": batches.steps}
        )
        self.stop_training = False
        told.call("train_begin", {})
        for epoch in range(initial_epoch, epochs):
            logs = self._train_epoch(epoch, epochs, batches, verbose, told)
            if validation_data is not None and _is_due(epoch, validation_freq):
                held = self._validate(validation_data, told, **validation)
                logs |= {f"val_{name}": value for name, value in held.items()}
            self._progress.finish(logs)
            told.call("epoch_end", epoch, logs)
            if self.stop_training:
                break
        later.finish(self.optimizer, self.trainable_weights)
        told.call("train_end", {})
        self.history = history
        return history

    def _train_epoch(
        self, epoch: int, epochs: int, batches: data.Source, verbose: int, told: CallbackList
    ) -> dict[str, float]:
        self.reset_metrics()
        told.call("epoch_begin", epoch, {})
        progress = self.__dict__["_progress"] = Progress(batches.steps, verbose)
        if epochs > 1:
            progress.epoch(epoch, epochs)
        done = 0
        for done, batch in enumerate(batches.epoch(), start=1):
            told.call("train_batch_begin", done - 1, {})
            self.train_step(batch)
            logs = self._logs()
            told.call("train_batch_end", done - 1, logs)
            progress.step(done, logs)
            if self.stop_training:
                break
        if not done:
            raise ValueError(f"epoch {epoch + 1} has no batches: the generator is exhausted; expected at least one")
        return self._logs()

    _progress: Progress

    def _validate(self, given: Any, told: CallbackList, steps: int | None, batch_size: int | None) -> dict[str, float]:
        parts = cast("tuple[Any, ...]", given) if isinstance(given, tuple | list) else (given,)
        return self._evaluate(data.source(*parts, batch_size=batch_size, steps=steps), told)

    def _evaluate(self, batches: data.Source, told: CallbackList, progress: Progress | None = None) -> dict[str, float]:
        self.reset_metrics()
        told.call("test_begin", {})
        for done, batch in enumerate(batches.epoch(), start=1):
            told.call("test_batch_begin", done - 1, {})
            self.test_step(batch)
            logs = self._logs()
            told.call("test_batch_end", done - 1, logs)
            if progress is not None:
                progress.step(done, logs)
        logs = self._logs()
        told.call("test_end", logs)
        return logs

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over all samples: the loss alone, a list, or with ``return_dict`` a dict by name.

        Arguments as for :meth:`fit`; ``steps``: how many batches of a generator.
        """
        self._compiled_state()
        batches = data.source(x, y, sample_weight, batch_size, steps=steps)
        progress = Progress(batches.steps, verbose)
        told = CallbackList(listed(callbacks), self, {"verbose": verbose, "epochs": 1, "steps": batches.steps})
        progress.finish(self._evaluate(batches, told, progress))
        return self._report(return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for all samples, as arrays in the structure of the model's outputs."""
        batches = data.source(x, batch_size=batch_size, steps=steps)
        told = CallbackList(listed(callbacks), self, {"verbose": verbose, "epochs": 1, "steps": batches.steps})
        told.call("predict_begin", {})
        parts: list[Any] = []
        for number, batch in enumerate(batches.epoch()):
            told.call("predict_batch_begin", number, {})
            parts.append(self.predict_step(batch.x))
            told.call("predict_batch_end", number, {"outputs": parts[-1]})
        told.call("predict_end", {})
        if not parts:
            raise ValueError("Expect x to be a non-empty array or dataset.")
        leaves = [structure.flatten(part) for part in parts]
        joined = [np.concatenate(columns) for columns in zip(*leaves, strict=True)]
        return structure.pack_as(parts[0], joined)


def _is_due(epoch: int, frequency: Any) -> bool:
    """Whether to validate after this epoch, counted from 0."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
