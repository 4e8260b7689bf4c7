"""``tf.train.Checkpoint`` and ``tf.train.load_checkpoint``."""

from __future__ import annotations

import difflib
import os
from typing import Any

from reference_impl.dtypes import DType, as_dtype
from reference_impl.errors import LoadError, missing_path
from reference_impl.formats.checkpoint import bundle, object_graph, restore, state
from reference_impl.formats.checkpoint.restore import LoadStatus
from reference_impl.tracking import Trackable, is_node
from reference_impl.variables import Variable

latest_checkpoint = state.latest_checkpoint


class Checkpoint(Trackable):
    """Chosen objects saved under chosen names: ``Checkpoint(dense=layer, kernel=variable)``.

    The names are the first edges of the keys. Values may be anything that can be tracked: layers, models,
    variables, optimizers, lists and dicts of them. ``ValueError`` for anything else.
    """

    save_counter: Variable
    """How often :meth:`save` was called, int64; made by the first ``save`` or ``restore``."""

    def __init__(self, **objects: Any) -> None:
        for name, value in sorted(objects.items()):
            if not is_node(value):
                raise ValueError(
                    f"Checkpoint({name}=…): found a {type(value).__name__}, expected an object that can be saved "
                    "(a layer, model, variable, optimizer, or a list or dict of them)"
                )
            setattr(self, name, value)

    def save(self, file_prefix: str | os.PathLike[str]) -> str:
        """Write the checkpoint ``FILE_PREFIX-N``, N the count of saves, record it as the newest, return its prefix."""
        counter = self._counter()
        counter.assign_add(1)
        path = f"{os.fspath(file_prefix)}-{int(counter)}"
        try:
            self.write(path)
            state.write_state(path)
        except BaseException:
            counter.assign_sub(1)
            raise
        return path

    def write(self, file_prefix: str | os.PathLike[str]) -> str:
        """Write the checkpoint ``file_prefix``, without counting or recording, and return the prefix."""
        prefix = os.fspath(file_prefix)
        bundle.write_bundle(prefix, object_graph.encode(self))
        return prefix

    def read(self, save_path: str | os.PathLike[str]) -> LoadStatus:
        """Restore a checkpoint made by :meth:`write`; what is not made yet is restored when it is.

        Raises ``LoadError`` (``FileNotFoundError`` for a path that is not there), and then nothing changed.
        """
        return restore.restore(save_path, self)

    def restore(self, save_path: str | os.PathLike[str]) -> LoadStatus:
        """Restore a checkpoint made by :meth:`save`, its count of saves too; else like :meth:`read`."""
        stored = restore.read_graph(save_path)
        if "save_counter" in stored.nodes[0].children:
            self._counter()
        return restore.Restoration(stored, self).start()

    def _counter(self) -> Variable:
        if "save_counter" not in self.__dict__:
            self.save_counter = Variable(0, trainable=False, name="save_counter", dtype="int64")
        return self.save_counter


class CheckpointReader:
    """The tensors of a checkpoint by key, whatever objects they belonged to."""

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        self._name = os.fspath(prefix)
        self._bundle = bundle.Bundle(prefix)

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """Element type by key."""
        return {key: as_dtype(entry.dtype) for key, entry in self._bundle.entries.items()}

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Shape by key."""
        return {key: list(entry.shape) for key, entry in self._bundle.entries.items()}

    def has_tensor(self, key: str) -> bool:
        """Whether there is a tensor ``key``."""
        return key in self._bundle.entries

    def get_tensor(self, key: str) -> Any:
        """The value of ``key``, an array, or a NumPy scalar or ``bytes``. ``LoadError`` if it is not there."""
        if not self.has_tensor(key):
            nearest = difflib.get_close_matches(key, self._bundle.entries, 3, 0.0)
            raise LoadError(f"{self._name}: found no tensor {key!r}, expected one of {', '.join(nearest)}, …")
        return self._bundle.tensor(key)[()]


def load_checkpoint(ckpt_dir_or_file: str | os.PathLike[str]) -> CheckpointReader:
    """A reader of the checkpoint with this prefix, or of the newest in this folder."""
    if os.path.isdir(ckpt_dir_or_file):
        prefix = latest_checkpoint(ckpt_dir_or_file)
        if prefix is None:
            raise missing_path(os.path.join(ckpt_dir_or_file, state.FILE_NAME), "a folder with checkpoints")
        return CheckpointReader(prefix)
    return CheckpointReader(ckpt_dir_or_file)
