"""``tf.train.Checkpoint``, ``tf.train.load_checkpoint`` and what belongs to them."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import difflib
import os
from collections.abc import Container, Mapping
from typing import Any

from reference_impl.dtypes import DType, as_dtype
from reference_impl.errors import LoadError, missing_path
from reference_impl.formats.checkpoint import object_graph, restore, state
from reference_impl.formats.checkpoint.bundle import Bundle, index_path, write_bundle
from reference_impl.formats.checkpoint.status import LoadStatus, NothingRestored
from reference_impl.tracking import Array, Restorer, SavedValue, Trackable, is_node
from reference_impl.variables import Variable

Path = str | os.PathLike[str]


class Checkpoint(Trackable):
    """Chosen objects saved under chosen names: ``Checkpoint(dense=layer, kernel=variable)``.

    The names are the first edges of the keys. Values may be anything that can be tracked: layers, models,
    variables, optimizers, lists and dicts of them. ``ValueError`` for anything else.

    With a ``root``, ``Checkpoint(model)``, its own edges are the first, and the names are added to them;
    ``ValueError`` for a name that is already an edge of the root to something else.
    """

    save_counter: Variable
    """How often :meth:`save` was called, int64; made by the first ``save`` or ``restore``."""

    def __init__(self, root: Any = None, **objects: Any) -> None:
        if root is not None:
            _check_trackable("root", root, isinstance(root, Trackable))
            objects["root"] = root
        taken = dict(root._checkpoint_children()) if root is not None else {}
        for name, value in sorted(objects.items()):
            _check_trackable(name, value, is_node(value))
            if name in taken and taken[name] is not value:
                raise ValueError(
                    f"Checkpoint(…, {name}=…): found that root.{name} is something else, expected a name that is no "
                    "attribute of the root; choose another"
                )
            setattr(self, name, value)
        self.__dict__["_top"] = self if root is None else _Rooted(root, self)

    _top: Trackable

    def save(self, file_prefix: Path) -> str:
        """Write the checkpoint ``FILE_PREFIX-N``, N the count of saves, record it as the newest, return its prefix."""
        counter = self.counter()
        counter.assign_add(1)
        path = f"{os.fspath(file_prefix)}-{int(counter)}"
        try:
            self.write(path)
            state.write_state(path)
        except BaseException:
            counter.assign_sub(1)
            raise
        return path

    def write(self, file_prefix: Path) -> str:
        """Write the checkpoint ``file_prefix``, without counting or recording, and return the prefix."""
        prefix = os.fspath(file_prefix)
        write_bundle(prefix, object_graph.encode(self._top, weights_only=False))
        return prefix

    def read(self, save_path: Path) -> LoadStatus:
        """Restore a checkpoint made by :meth:`write`; what is not made yet is restored when it is.

        Raises ``LoadError`` (``FileNotFoundError`` for a path that is not there), and then nothing changed.
        """
        return restore.restore(save_path, self._top)

    def restore(self, save_path: Path | None) -> LoadStatus | NothingRestored:
        """Restore a checkpoint made by :meth:`save`, its count of saves too; else like :meth:`read`.

        With None, what :func:`latest_checkpoint` finds where there is none, nothing happens.
        """
        if save_path is None:
            self.counter()
            return NothingRestored()
        name = os.fspath(save_path)
        bundle = Bundle(name, verify=False)
        if f"save_counter{object_graph.VALUE_SUFFIX}" in bundle.entries:
            self.counter()
        return restore.start(bundle, name, self._top)

    def counter(self) -> Variable:
        """``save_counter``, made if it is not there yet."""
        if "save_counter" not in self.__dict__:
            self.save_counter = Variable(0, trainable=False, name="save_counter", dtype="int64")
        return self.save_counter


def _check_trackable(name: str, value: Any, good: bool) -> None:
    if not good:
        raise ValueError(
            f"`Checkpoint` was expecting a trackable object for {name!r}: found a {type(value).__name__}, expected an "
            "object that can be saved (a layer, model, variable, optimizer, or as a named argument a list or dict of "
            "them)"
        )


class _Rooted(Trackable):
    """The node of ``Checkpoint(root, …)``: the root itself, with the checkpoint's edges after its own."""

    def __init__(self, root: Trackable, checkpoint: Checkpoint) -> None:
        self.__dict__.update(_root=root, _checkpoint=checkpoint)

    _root: Trackable
    _checkpoint: Checkpoint

    def _identity(self) -> int:
        return self._root._identity()

    def _checkpoint_children(self) -> list[tuple[str, Trackable]]:
        return self._with_added(self._root._checkpoint_children())

    def _restore_children(self, stored: Container[str]) -> list[tuple[str, Trackable]]:
        return self._with_added(self._root._restore_children(stored))

    def _later_children(self) -> list[tuple[str, Trackable]]:
        return self._with_added(self._root._later_children())

    def _with_added(self, edges: list[tuple[str, Trackable]]) -> list[tuple[str, Trackable]]:
        own = dict(edges)
        added = self._checkpoint._checkpoint_children()
        return [*edges, *((name, child) for name, child in added if name not in own)]

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        return self._root._checkpoint_values()

    def _check_value(self, name: str, value: Array) -> str | None:
        return self._root._check_value(name, value)

    def _restore_value(self, name: str, value: Array) -> None:
        self._root._restore_value(name, value)

    def _slot_names(self) -> list[str]:
        return self._root._slot_names()

    def _slot(self, variable: Trackable, name: str) -> Trackable | None:
        return self._root._slot(variable, name)

    def _create_slot(self, variable: Trackable, name: str) -> Trackable | None:
        return self._root._create_slot(variable, name)

    def _await_restore(self, restorer: Restorer, node_id: int) -> None:
        self._root._await_restore(restorer, node_id)
        self._checkpoint._await_restore(restorer, node_id)


class CheckpointReader:
    """The tensors of a checkpoint by key, whatever objects they belonged to.

    For views of the mapped files instead of copies see :class:`reference_impl.formats.checkpoint.Bundle`.
    """

    def __init__(self, prefix: Path) -> None:
        self._name = os.fspath(prefix)
        self._bundle = Bundle(prefix)

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
        """The value of ``key``, a new array, or a NumPy scalar or ``bytes``. ``LoadError`` if it is not there."""
        if not self.has_tensor(key):
            nearest = difflib.get_close_matches(key, self._bundle.entries, 3, 0.0)
            raise LoadError(f"{self._name}: found no tensor {key!r}, expected one of {', '.join(nearest)}, …")
        return self._bundle.tensor(key)[()]

    def debug_string(self) -> bytes:
        """A line a tensor: key, element type, shape."""
        lines = (f"{key} ({entry.dtype}) {list(entry.shape)}\n" for key, entry in self._bundle.entries.items())
        return "".join(lines).encode()


def load_checkpoint(ckpt_dir_or_file: Path) -> CheckpointReader:
    """A reader of the checkpoint with this prefix, or of the newest in this folder."""
    if not os.path.isdir(ckpt_dir_or_file) or index_path(ckpt_dir_or_file).is_file():
        return CheckpointReader(ckpt_dir_or_file)
    prefix = latest_checkpoint(ckpt_dir_or_file)
    if prefix is None:
        raise missing_path(os.path.join(ckpt_dir_or_file, state.FILE_NAME), "a folder with checkpoints")
    return CheckpointReader(prefix)


def list_variables(ckpt_dir_or_file: Path) -> list[tuple[str, list[int]]]:
    """Key and shape of every tensor, in the order of the keys."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: Path, name: str) -> Any:
    """The value of the tensor ``name`` (a key; a variable's name with ``:0`` means the key without)."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def latest_checkpoint(checkpoint_dir: Path, latest_filename: str | None = None) -> str | None:
    """The prefix of the newest checkpoint in a folder; None where none is recorded, or it is not there any more.

    ``latest_filename`` is that of the record, by default ``checkpoint``. ``LoadError`` for a record that is damaged.
    """
    prefix = state.latest_checkpoint(checkpoint_dir, latest_filename or state.FILE_NAME)
    return prefix if prefix is not None and index_path(prefix).is_file() else None
