"""What is left half done: a save or a load that fails, an old file under a new one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.mutants.mutant import mutant

SAVING = "reference_impl.saving"
FOLDER = "reference_impl.formats.savedmodel.write.folder"
RESTORATION = "reference_impl.formats.checkpoint.restore:Restoration"


@mutant("open.failing-save[hdf5]", target="reference_impl.formats.files:replacing")
@contextmanager
def hdf5_is_written_in_place(original: Any, path: Path) -> Generator[Path]:
    """The old file is gone before it is known that the new one can be written."""
    path = Path(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path


@mutant("open.failing-save[savedmodel]", target=f"{SAVING}:_write_saved_model")
def savedmodel_is_removed_first(original: Any, model: Any, path: Path, *args: Any) -> Any:
    """The old folder is removed before it is known that the new one can be written."""
    shutil.rmtree(path, ignore_errors=True)
    original(model, path, *args)


@mutant("open.failing-save[keras]", target="reference_impl.formats.keras_v3.archive:write_model", dialect="keras-2.15")
def archive_is_opened_first(original: Any, path: Path, *args: Any) -> Any:
    """The archive is opened for writing before its contents are made."""
    Path(path).write_bytes(b"")
    original(path, *args)


@mutant("open.overwrite[savedmodel]", target=f"{FOLDER}:_keep_other_files")
def savedmodel_keeps_old_shards(original: Any, old: Path, new: Path) -> Any:
    """Files of the model that was there stay beside the new ones."""
    original(old, new)
    for path in Path(old).rglob("*") if Path(old).exists() else ():
        target = new / path.relative_to(old)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


@mutant("model.overwrite[hdf5]", "model.overwrite[savedmodel]", target=f"{SAVING}:save_model")
def existing_models_are_not_replaced(original: Any, model: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
    """Saving to a path where something is does nothing."""
    if not (isinstance(path, str) and os.path.exists(path)):
        original(model, path, *args, **kwargs)


@mutant("model.overwrite[keras]", target="reference_impl.formats.keras_v3.archive:write_model", dialect="keras-3")
def archive_keeps_the_first_members(original: Any, path: Path, *args: Any) -> Any:
    """Saving over an archive adds members to it, and the first of a name is read."""
    if not Path(path).exists():
        original(path, *args)


@mutant("open.late-mismatch[hdf5]", target="reference_impl.formats.hdf5.weights:pair")
def hdf5_assigns_as_it_reads(original: Any, *args: Any) -> Any:
    """Each layer is assigned before the next one is looked at."""
    plan = original(*args)
    for variable, value in plan:
        variable.assign(value)
    return plan


@mutant("open.late-mismatch[checkpoint]", target=(f"{RESTORATION}._check", f"{RESTORATION}._assign"))
def checkpoint_assigns_as_it_checks(original: Any, self: Any, assignment: Any) -> Any:
    """Each value is assigned before the next one is checked."""
    if original.__name__ == "_check":
        return
    target = assignment.slot[1] if assignment.slot else assignment.target
    entry = self._bundle.entries[assignment.key]
    if tuple(entry.shape) != tuple(getattr(target, "shape", entry.shape)):
        raise ValueError(f"{assignment.key}: shape {entry.shape}")
    original(self, assignment)


@mutant(
    "open.late-mismatch[weights-h5]", target="reference_impl.formats.keras_v3.weights:_of_place", dialect="keras-2.15"
)
def v3_assigns_as_it_reads(original: Any, *args: Any) -> Any:
    """Each layer of a v3 file is assigned before the next one is looked at."""
    plan = original(*args)
    for assign, value in plan:
        assign(value)
    return plan
