"""What the arguments of ``check`` stand for, by the content of what is there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from conformance.checking.finding import HDF5_MAGIC, Found, Problem, architecture_beside, find

HDF5 = HDF5_MAGIC + b"..."
NOBODY = 65534


def fill(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def told(*given: Path | str) -> list[tuple[str, str]]:
    """File name and container, or what is wrong."""
    return [
        (Path(each.path).name, each.container if isinstance(each, Found) else each.problem)
        for each in find(map(str, given))
    ]


def test_a_folder_is_walked_in_order_and_models_that_are_folders_are_one(tmp_path: Path) -> None:
    fill(tmp_path, b_dot_h5=HDF5, a_dot_keras=b"PK\x03\x04", deep__c_dot_hdf5=HDF5, readme_dot_txt=b"no model")
    fill(tmp_path, saved__saved_model_dot_pb=b"x", saved__variables__variables_dot_index=b"x")
    (tmp_path / "saved/variables/variables.data-00000-of-00001").write_bytes(b"x")
    (tmp_path / "step.index").write_bytes(b"x")
    (tmp_path / "step.data-00000-of-00001").write_bytes(b"x")
    (tmp_path / "words.index").write_bytes(b"of another program")
    assert told(tmp_path) == [
        ("a.keras", "zip"),
        ("b.h5", "hdf5"),
        ("c.hdf5", "hdf5"),
        ("saved", "savedmodel"),
        ("step", "checkpoint"),
    ]


def test_what_is_named_twice_is_checked_once(tmp_path: Path) -> None:
    fill(tmp_path, a_dot_h5=HDF5)
    (tmp_path / "link.h5").symlink_to("a.h5")
    assert told(tmp_path / "a.h5", tmp_path, tmp_path / "*.h5") == [("a.h5", "hdf5")]


def test_content_decides(tmp_path: Path) -> None:
    fill(tmp_path, zip_dot_h5=b"PK\x03\x04", model=HDF5, late_dot_h5=bytes(512) + HDF5)
    assert told(tmp_path / "zip.h5", tmp_path / "model", tmp_path / "late.h5") == [
        ("zip.h5", "zip"),
        ("model", "hdf5"),
        ("late.h5", "hdf5"),
    ]


def test_a_prefix_names_a_checkpoint_as_its_index_does(tmp_path: Path) -> None:
    fill(tmp_path, ckpt_dot_index=b"x")
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(b"x")
    assert told(tmp_path / "ckpt") == told(tmp_path / "ckpt.index") == [("ckpt", "checkpoint")]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("empty.h5", "is empty (0 bytes)"),
        ("text.keras", "is no model: begins with b'not a mo'"),
        ("dangling.h5", "is a dangling link to gone.h5"),
        ("pipe.h5", "is no regular file"),
        ("nowhere.h5", "there is no such file or folder"),
        ("nothing*.h5", "the pattern matches nothing"),
        ("folder", "no model in this folder"),
        ("lone", "no checkpoint: there is no lone.data-?????-of-????? beside it"),
    ],
)
def test_what_is_no_model_is_said_to_be_none(tmp_path: Path, name: str, problem: str) -> None:
    fill(tmp_path, empty_dot_h5=b"", text_dot_keras=b"not a model", lone_dot_index=b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling.h5").symlink_to("gone.h5")
    os.mkfifo(tmp_path / "pipe.h5")
    (found,) = told(tmp_path / name)
    assert found[1].startswith(problem)


def test_on_a_walk_only_what_should_be_a_model_is_a_problem(tmp_path: Path) -> None:
    fill(tmp_path, empty_dot_h5=b"", empty_dot_txt=b"", notes_dot_md=b"x")
    (tmp_path / "dangling.h5").symlink_to("gone.h5")
    (tmp_path / "dangling.txt").symlink_to("gone.txt")
    (tmp_path / "round").symlink_to(".")
    assert [name for name, _ in told(tmp_path)] == ["dangling.h5", "empty.h5"]


def test_what_may_not_be_read_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    fill(tmp_path, a_dot_h5=HDF5, b_dot_h5=HDF5, closed__c_dot_h5=HDF5)
    modes = [(tmp_path / "a.h5", 0o000), (tmp_path / "closed", 0o000)]
    for path, mode in modes:
        path.chmod(mode)
    try:
        lines = _as_another_user(tmp_path)
    finally:
        for path, _ in modes:
            path.chmod(0o700)
    problem = "cannot be read: Permission denied"
    assert lines == [f"a.h5: {problem}", "b.h5: fine", f"closed: {problem}"]


def _as_another_user(folder: Path) -> list[str]:
    """What is found by somebody who may not read everything, as root may."""
    if os.geteuid() != 0:
        return _lines(folder)
    opened = [parent for parent in folder.parents if not parent.stat().st_mode & 0o001]
    for parent in opened:
        parent.chmod(parent.stat().st_mode | 0o001)
    folder.chmod(0o755)
    # A fork, and not a new process: another user may not even be allowed to run this interpreter.
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writer, "\n".join(_lines(folder)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        lines = pipe.read().splitlines()
    os.waitpid(child, 0)
    for parent in opened:
        parent.chmod(parent.stat().st_mode & ~0o001)
    return lines


def _lines(folder: Path) -> list[str]:
    return [f"{Path(each.path).name}: {getattr(each, 'problem', 'fine')}" for each in find([str(folder)])]


@pytest.mark.parametrize(
    ("weights", "beside", "expected"),
    [
        ("a.weights.h5", ["a.json", "model.json"], "a.json"),
        ("a.h5", ["b.json", "model.json"], "model.json"),
        ("ckpt", ["ckpt_config.json"], "ckpt_config.json"),
        ("a.h5", ["b.json"], None),
    ],
)
def test_the_architecture_of_weights_lies_beside_them(
    tmp_path: Path, weights: str, beside: Iterable[str], expected: str | None
) -> None:
    for name in beside:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    found = architecture_beside(str(tmp_path / weights))
    assert (found.name if found else None) == expected


def test_problems_have_a_path() -> None:
    assert list(find(["no/such"])) == [Problem("no/such", "there is no such file or folder")]
