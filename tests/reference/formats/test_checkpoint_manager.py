"""``tf.train.CheckpointManager`` and the file that records a folder's checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reference_impl import tf
from reference_impl.errors import LoadError
from reference_impl.formats.checkpoint import state


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def files(*numbers: int) -> set[str]:
    suffixes = ("data-00000-of-00001", "index")
    return {"checkpoint", *(f"ckpt-{number}.{suffix}" for number in numbers for suffix in suffixes)}


def checkpoint() -> Any:
    return tf.train.Checkpoint(v=tf.Variable(1.0))


def test_the_newest_stay(tmp_path: Path) -> None:
    manager = tf.train.CheckpointManager(checkpoint(), tmp_path, max_to_keep=2)
    saved = [manager.save() for _ in range(4)]
    assert manager.latest_checkpoint == tf.train.latest_checkpoint(tmp_path) == saved[-1]
    assert manager.checkpoints == saved[2:]
    assert names(tmp_path) == files(3, 4)


def test_another_goes_on(tmp_path: Path) -> None:
    first = checkpoint()
    manager = tf.train.CheckpointManager(first, tmp_path, max_to_keep=2)
    first.v.assign(7.0)
    manager.save()
    manager.save()
    later = checkpoint()
    again = tf.train.CheckpointManager(later, tmp_path, max_to_keep=2)
    assert again.checkpoints == manager.checkpoints
    assert again.restore_or_initialize() == manager.latest_checkpoint
    assert later.v.numpy() == 7.0
    again.save()
    assert names(tmp_path) == files(2, 3)


def test_a_record_reaches_no_other_folder(tmp_path: Path) -> None:
    elsewhere = checkpoint().write(tmp_path / "elsewhere" / "ckpt-1")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "checkpoint").write_text(
        'model_checkpoint_path: "../elsewhere/ckpt-1"\nall_model_checkpoint_paths: "../elsewhere/ckpt-1"\n'
    )
    manager = tf.train.CheckpointManager(checkpoint(), folder, max_to_keep=1)
    assert manager.checkpoints == []
    manager.save()
    manager.save()
    assert Path(f"{elsewhere}.index").exists()


def test_numbers_may_be_given(tmp_path: Path) -> None:
    manager = tf.train.CheckpointManager(checkpoint(), tmp_path, max_to_keep=None)
    assert manager.save(checkpoint_number=70) == str(tmp_path / "ckpt-70")
    assert manager.save(checkpoint_number=5) == manager.latest_checkpoint
    manager.save(checkpoint_number=70)
    assert manager.checkpoints == [str(tmp_path / "ckpt-5"), str(tmp_path / "ckpt-70")]


def test_one_an_hour_is_kept(tmp_path: Path) -> None:
    manager = tf.train.CheckpointManager(checkpoint(), tmp_path, 1, keep_checkpoint_every_n_hours=0.0)
    for _ in range(3):
        manager.save()
    assert names(tmp_path) == files(1, 2, 3)
    assert manager.checkpoints == [str(tmp_path / "ckpt-3")]


def test_an_interval_of_steps(tmp_path: Path) -> None:
    step = tf.Variable(0, dtype="int64")
    manager = tf.train.CheckpointManager(checkpoint(), tmp_path, 5, step_counter=step, checkpoint_interval=3)
    saved: list[int] = []
    for number in range(8):
        step.assign(number)
        if manager.save() is not None:
            saved.append(number)
    assert saved == [0, 3, 6]
    assert manager.save(check_interval=False) is not None
    with pytest.raises(ValueError, match="no step_counter"):
        tf.train.CheckpointManager(checkpoint(), tmp_path, 5, checkpoint_interval=3)
    with pytest.raises(ValueError, match="max_to_keep: found 0"):
        tf.train.CheckpointManager(checkpoint(), tmp_path, 0)


def test_where_there_is_none_it_is_initialized(tmp_path: Path) -> None:
    called: list[bool] = []
    manager = tf.train.CheckpointManager(checkpoint(), tmp_path, 1, init_fn=lambda: called.append(True))
    assert manager.restore_or_initialize() is None
    assert called == [True]


def test_names_of_any_characters(tmp_path: Path) -> None:
    prefix = tmp_path / 'a "b" \\ ü\n'
    state.write_state(prefix, [str(tmp_path / "x"), str(prefix)], [1.5, 2e9], 3.25)
    assert state.read_state(tmp_path) == state.State(str(prefix), (str(tmp_path / "x"), str(prefix)), (1.5, 2e9), 3.25)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", "no model_checkpoint_path"),
        (b"\xff\xfe", "expected the text"),
        (b'model_checkpoint_path: "a"\nlast_preserved_timestamp: x\n', "timestamp that is none"),
    ],
)
def test_a_record_that_is_none(tmp_path: Path, text: bytes, found: str) -> None:
    (tmp_path / "checkpoint").write_bytes(text)
    with pytest.raises(LoadError, match=found):
        tf.train.latest_checkpoint(tmp_path)
