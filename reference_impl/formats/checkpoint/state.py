"""The file ``checkpoint`` beside the checkpoints of a folder: which is the newest, which are there.

A text-format protobuf message of strings and numbers::

    model_checkpoint_path: "ckpt-2"
    all_model_checkpoint_paths: "ckpt-1"
    all_model_checkpoint_paths: "ckpt-2"
    all_model_checkpoint_timestamps: 1600000000.0
    all_model_checkpoint_timestamps: 1600000060.5
    last_preserved_timestamp: 1599999999.25

Paths are relative to the folder. Bytes outside printable ASCII are written as ``\\ooo`` (octal). Timestamps are seconds
since 1970; only a ``CheckpointManager`` writes them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_impl.errors import LoadError
from reference_impl.formats.files import replacing

FILE_NAME = "checkpoint"
_NAMED = {"n": 10, "r": 13, "t": 9, "\\": 92, '"': 34, "'": 39}
_WRITTEN = {code: f"\\{name}" for name, code in _NAMED.items()}
_FIELD = re.compile(r'^\s*(\w+)\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))\s*$', re.MULTILINE)


@dataclass(frozen=True)
class State:
    """What the file says: prefixes (absolute, or relative to the working directory), oldest first."""

    newest: str
    all: tuple[str, ...]
    timestamps: tuple[float, ...] = ()
    last_preserved: float | None = None


def write_state(
    prefix: str | os.PathLike[str],
    all_prefixes: Sequence[str] | None = None,
    timestamps: Sequence[float] = (),
    last_preserved: float | None = None,
) -> None:
    """Record ``prefix`` as the newest checkpoint of its folder, and if nothing else is said the only one."""
    path = Path(prefix)
    name = _quote(path.name)
    names = [name] if all_prefixes is None else [_quote(Path(other).name) for other in all_prefixes]
    lines = [
        f"model_checkpoint_path: {name}",
        *(f"all_model_checkpoint_paths: {other}" for other in names),
        *(f"all_model_checkpoint_timestamps: {time!r}" for time in timestamps),
        *([] if last_preserved is None else [f"last_preserved_timestamp: {last_preserved!r}"]),
    ]
    with replacing(path.parent / FILE_NAME) as new:
        new.write_text("\n".join(lines) + "\n", "ascii")


def read_state(folder: str | os.PathLike[str], file_name: str = FILE_NAME) -> State | None:
    """What is recorded in ``folder``; None where nothing is. ``LoadError`` for a file that is no such record."""
    path = Path(folder) / file_name
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path}: found {error}, expected the text that names the newest checkpoint") from error
    fields: dict[str, list[str]] = {}
    for name, quoted, plain in _FIELD.findall(text):
        fields.setdefault(name, []).append(plain or _unquote(quoted))
    if "model_checkpoint_path" not in fields:
        raise LoadError(f"{path}: found no model_checkpoint_path, expected the name of the newest checkpoint")
    prefixes = {key: [os.path.join(os.fspath(folder), name) for name in names] for key, names in fields.items()}
    try:
        times = tuple(float(time) for time in fields.get("all_model_checkpoint_timestamps", ()))
        preserved = [float(time) for time in fields.get("last_preserved_timestamp", ())]
    except ValueError as error:
        raise LoadError(f"{path}: found a timestamp that is none ({error}), expected seconds since 1970") from error
    return State(
        prefixes["model_checkpoint_path"][-1],
        tuple(prefixes.get("all_model_checkpoint_paths", ())),
        times,
        preserved[-1] if preserved else None,
    )


def latest_checkpoint(folder: str | os.PathLike[str], file_name: str = FILE_NAME) -> str | None:
    """The prefix of the newest checkpoint in ``folder``; None where none is recorded."""
    found = read_state(folder, file_name)
    return None if found is None else found.newest


def _quote(name: str) -> str:
    printable = (
        _WRITTEN.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in name.encode("utf-8", "surrogateescape")
    )
    return f'"{"".join(printable)}"'


def _unquote(text: str) -> str:
    def replace(found: re.Match[bytes]) -> bytes:
        escape = found[1].decode()
        return bytes([_NAMED[escape] if escape in _NAMED else int(escape, 8) & 0xFF])

    raw = re.sub(rb"\\([0-7]{1,3}|[nrt\\\"'])", replace, text.encode())
    return raw.decode("utf-8", "surrogateescape")
