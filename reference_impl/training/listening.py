"""What ``fit`` tells while it trains, and simple listeners."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO, cast

import numpy as np

Logs = dict[str, float]


class Callback:
    """Told of the beginning and end of training, epochs and batches. ``model`` and ``params`` are set before.

    ``logs`` has the numbers so far by name; what a callback writes into it, later ones see, and ``History`` keeps.
    """

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_params(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None: ...
    def on_train_end(self, logs: Logs | None = None) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_test_begin(self, logs: Logs | None = None) -> None: ...
    def on_test_end(self, logs: Logs | None = None) -> None: ...
    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_predict_begin(self, logs: Logs | None = None) -> None: ...
    def on_predict_end(self, logs: Logs | None = None) -> None: ...
    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...


class CallbackList:
    """Calls every callback in turn."""

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: Mapping[str, Any]) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def call(self, event: str, *arguments: Any) -> None:
        """Call the method ``on_<event>`` of each."""
        for callback in self.callbacks:
            getattr(callback, f"on_{event}")(*arguments)


def listed(callbacks: Any) -> list[Callback]:
    """None, one callback or several as a list."""
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return callbacks.callbacks
    return list(cast("list[Callback]", callbacks)) if isinstance(callbacks, list | tuple) else [callbacks]


class History(Callback):
    """What training reported: ``history[name]`` has one number for each epoch, ``epoch`` their numbers."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Calls functions given by the names of the methods: ``LambdaCallback(on_epoch_end=f)``."""

    def __init__(self, **functions: Callable[..., Any] | None) -> None:
        for name, function in functions.items():
            if not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback has no {name!r}; expected the name of a method of Callback")
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training when the loss is no longer a finite number."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


def present_rate(model: Any) -> float:
    """The learning rate of the model's optimizer."""
    return float(model.optimizer.hyper("learning_rate"))


class LearningRateScheduler(Callback):
    """Before each epoch the rate becomes ``schedule(epoch, rate)``, or ``schedule(epoch)``."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        present = present_rate(self.model)
        try:
            rate = self.schedule(epoch, present)
        except TypeError:
            rate = self.schedule(epoch)
        if not isinstance(rate, float | np.floating):
            raise ValueError(f'The output of the "schedule" function should be float, found {rate!r}')
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1:05d}: LearningRateScheduler reducing learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["lr"] = present_rate(self.model)


class CSVLogger(Callback):
    """Writes a line an epoch into a CSV file."""

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        self.filename: str = os.fspath(filename)
        self.separator, self.append = separator, append
        self._file: TextIO | None = None
        self._names: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        going_on = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        # A file that goes on has its header.
        self._names, self._header = None, not going_on

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self._file is not None
        logs = logs or {}
        names = sorted(logs) if self._names is None else self._names
        writer = csv.writer(self._file, delimiter=self.separator)
        if self._names is None and self._header:
            writer.writerow(["epoch", *names])
        self._names = names
        writer.writerow([epoch, *(logs.get(name, "NA") for name in names)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
