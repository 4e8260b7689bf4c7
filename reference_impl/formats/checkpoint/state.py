"""The file ``checkpoint`` beside the checkpoints of a folder: which is the newest, which are there.

A text-format protobuf message of two strings::

    model_checkpoint_path: "ckpt-2"
    all_model_checkpoint_paths: "ckpt-2"

Paths are relative to the folder. Bytes outside printable ASCII are written as ``\\ooo`` (octal).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from reference_impl.errors import LoadError
from reference_impl.formats.files import replacing

FILE_NAME = "checkpoint"
_NAMED = {"n": 10, "r": 13, "t": 9, "\\": 92, '"': 34, "'": 39}
_WRITTEN = {code: f"\\{name}" for name, code in _NAMED.items()}
_NEWEST = re.compile(r'^\s*model_checkpoint_path\s*:\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)


def write_state(prefix: str | os.PathLike[str]) -> None:
    """Record ``prefix`` as the newest and only checkpoint of its folder."""
    path = Path(prefix)
    name = _quote(path.name)
    text = f"model_checkpoint_path: {name}\nall_model_checkpoint_paths: {name}\n"
    with replacing(path.parent / FILE_NAME) as new:
        new.write_text(text, "ascii")


def latest_checkpoint(folder: str | os.PathLike[str]) -> str | None:
    """The prefix of the newest checkpoint in ``folder``; None where none is recorded."""
    path = Path(folder) / FILE_NAME
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path}: found {error}, expected the text that names the newest checkpoint") from error
    found = _NEWEST.search(text)
    if found is None:
        raise LoadError(f"{path}: found no model_checkpoint_path, expected the name of the newest checkpoint")
    return os.path.join(os.fspath(folder), _unquote(found[1]))


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
