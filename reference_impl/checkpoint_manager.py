"""``tf.train.CheckpointManager``: a folder that keeps the newest checkpoints and deletes the others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_impl.checkpoint_api import Checkpoint
from reference_impl.formats.checkpoint import state
from reference_impl.formats.checkpoint.writing import data_files, index_path


class CheckpointManager:
    """Saves ``checkpoint`` as ``DIRECTORY/CHECKPOINT_NAME-N`` and keeps the ``max_to_keep`` newest (None: all).

    With ``keep_checkpoint_every_n_hours`` one of those to be deleted stays whenever so much time has passed since the
    last that stayed. With ``checkpoint_interval`` :meth:`save` does nothing until ``step_counter`` has grown by so much.
    ``init_fn`` is called by :meth:`restore_or_initialize` where there is no checkpoint yet. What the folder's record
    already has is kept and deleted like what is saved.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: str | os.PathLike[str],
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], object] | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"max_to_keep: found {max_to_keep}, expected a positive number or None")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("checkpoint_interval: found no step_counter, expected the variable that it is counted in")
        self.checkpoint = checkpoint
        self.directory = os.fspath(directory)
        self.checkpoint_interval = checkpoint_interval
        self._max_to_keep = max_to_keep
        self._every = None if keep_checkpoint_every_n_hours is None else keep_checkpoint_every_n_hours * 3600
        self._name = checkpoint_name
        self._step_counter = step_counter
        self._last_step: int | None = None
        self._init_fn = init_fn
        found = state.read_state(self.directory)
        recorded = found.all if found else ()
        # What is deleted lies in the folder, whatever the record says.
        present = [p for p in recorded if os.path.dirname(p) == self.directory and index_path(p).is_file()]
        # Times by prefix, oldest first. Those that another program recorded may be later than now.
        times = dict(zip(found.all, found.timestamps, strict=False)) if found else {}
        self._kept = {prefix: min(times.get(prefix, time.time()), time.time()) for prefix in present}
        self._last_preserved = (found.last_preserved if found else None) or time.time()
        self._latest = found.newest if found and found.newest in self._kept else None

    @property
    def latest_checkpoint(self) -> str | None:
        """The prefix of the newest checkpoint, None where there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """Prefixes of the checkpoints there are, oldest first; those kept by hours are not among them."""
        return list(self._kept)

    def save(self, checkpoint_number: Any = None, check_interval: bool = True) -> str | None:
        """Save under ``checkpoint_number`` (default: the count of saves), delete what is too much, return the prefix.

        None if ``checkpoint_interval`` has not passed; ``check_interval=False`` saves all the same.
        """
        if self.checkpoint_interval is not None:
            step = int(self._step_counter)
            if check_interval and self._last_step is not None and step - self._last_step < self.checkpoint_interval:
                return None
            self._last_step = step
        counter = self.checkpoint.counter()
        counter.assign_add(1)
        number = int(counter if checkpoint_number is None else checkpoint_number)
        try:
            prefix = self.checkpoint.write(os.path.join(self.directory, f"{self._name}-{number}"))
        except BaseException:
            counter.assign_sub(1)
            raise
        self._kept.pop(prefix, None)
        self._kept[prefix] = time.time()
        self._latest = prefix
        self._record()  # before anything is deleted, so that nobody is sent to what is not there
        if self._sweep():
            self._record()
        return prefix

    def restore_or_initialize(self) -> str | None:
        """Restore the newest checkpoint and return its prefix; else call ``init_fn``, if there is one."""
        if self._latest is not None:
            self.checkpoint.restore(self._latest)
            if self._step_counter is not None:
                self._last_step = int(self._step_counter)
        elif self._init_fn is not None:
            self._init_fn()
        return self._latest

    def _record(self) -> None:
        assert self._latest is not None
        state.write_state(self._latest, list(self._kept), list(self._kept.values()), self._last_preserved)

    def _sweep(self) -> bool:
        """Delete the oldest; whether there were any."""
        many = len(self._kept) - (self._max_to_keep or len(self._kept))
        for prefix in list(self._kept)[: max(many, 0)]:
            saved = self._kept.pop(prefix)
            if self._every is not None and saved - self._last_preserved >= self._every:
                self._last_preserved = saved
                continue
            for path in [index_path(prefix), *data_files(prefix)]:
                Path(path).unlink(missing_ok=True)
        return many > 0
