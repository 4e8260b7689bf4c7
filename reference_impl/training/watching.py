"""Callbacks that do something when a number is, or is not, the best so far."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from reference_impl.training.listening import Callback, Logs, present_rate


class _Watching(Callback):
    """Compares a number of the logs with the best so far."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode {mode} is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        rising = mode == "max" or (mode == "auto" and ("acc" in monitor or monitor.startswith("fmeasure")))
        self.sign = 1.0 if rising else -1.0
        self.min_delta = abs(min_delta)
        self.best = -np.inf * self.sign

    def improves(self, value: float) -> bool:
        """Whether ``value`` is better than the best by more than ``min_delta``."""
        return self.sign * (value - self.best) > self.min_delta

    def watched(self, logs: Logs | None) -> float | None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} conditioned on metric `{self.monitor}` which is not available. Available "
                f"metrics are: {','.join(logs or {})}",
                stacklevel=3,
            )
        return value


class EarlyStopping(_Watching):
    """Stops training after ``patience`` epochs without a better ``monitor``."""

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.best_weights: Any = None
        self.wait = self.stopped_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait = self.stopped_epoch = 0
        self.best = -np.inf * self.sign if self.baseline is None else self.baseline
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        current = self.watched(logs)
        if current is None:
            return
        if self.improves(current):
            self.best, self.wait = current, 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait < self.patience:
            return
        self.stopped_epoch = epoch
        self.model.stop_training = True
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print("Restoring model weights from the end of the best epoch.")
            self.model.set_weights(self.best_weights)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1:05d}: early stopping")


class ModelCheckpoint(_Watching):
    """Saves the model, or its weights, after each epoch, or only when ``monitor`` is better.

    ``filepath`` is formatted with ``epoch`` (from 1) and the logs; ``save_freq``: "epoch", or a number of batches.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"Unrecognized save_freq: {save_freq}; expected 'epoch' or a number of batches")
        self.filepath: str = os.fspath(filepath)
        self.verbose = verbose
        self.every: int | None = None if save_freq == "epoch" else save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self._epoch = self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self.every is not None and self._batches % self.every == 0:
            self._save(self._epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.every is None:
            self._save(epoch, logs)

    def _save(self, epoch: int, logs: Logs | None) -> None:
        path = self.filepath.format(epoch=epoch + 1, **(logs or {}))
        if self.save_best_only:
            current = self.watched(logs)
            if current is None or not self.improves(current):
                return
            self.best = current
        if self.verbose:
            print(f"\nEpoch {epoch + 1:05d}: saving model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)


class ReduceLROnPlateau(_Watching):
    """Multiplies the rate by ``factor`` after ``patience`` epochs without a better ``monitor``."""

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError("ReduceLROnPlateau does not support a factor >= 1.0.")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = -np.inf * self.sign
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["lr"] = present_rate(self.model)
        current = self.watched(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current):
            self.best, self.wait = current, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            rate = present_rate(self.model)
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                lowered = max(rate * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = lowered
                if self.verbose:
                    print(f"\nEpoch {epoch + 1:05d}: ReduceLROnPlateau reducing learning rate to {lowered}.")
                self.cooldown_counter, self.wait = self.cooldown, 0
