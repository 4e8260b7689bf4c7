"""Damage as files meet it: an end lost, bits turned over, blocks blanked, files missing or of another save."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

from fuzz.cases import Files

Damage = Callable[[random.Random, dict[str, bytes], Files, str], None]

GUARDED = ("savedmodel", "checkpoint", "keras")
"""Formats in which a checksum covers all that a value depends on. HDF5 as Keras writes it has none."""


def damaged(chance: random.Random, files: Files, other: Files) -> tuple[Files, str, Collection[str]]:
    """The files with one damage, what it is, and the names of the files it is in. ``other``: another model's save."""
    name = chance.choice([name for name in sorted(files) if files[name] and not name.endswith("checkpoint")])
    while True:
        damage = chance.choice(DAMAGES)
        changed = dict(files)
        damage(chance, changed, other, name)
        # A format of one file cannot tell that it is the file of another save, whole.
        if changed not in (files, other):
            return changed, f"{damage.__name__} {name}", [name]


def guarded(format: str, places: Collection[str]) -> bool:
    """Whether a checksum covers these files."""
    return format in GUARDED


def cut(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """The end of the file is lost."""
    files[name] = files[name][: chance.randrange(len(files[name]))]


def bit(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """One bit is turned over."""
    changed = bytearray(files[name])
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    files[name] = bytes(changed)


def bits(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """Some bits are turned over."""
    for _ in range(chance.randrange(2, 20)):
        bit(chance, files, other, name)


def blank(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """A block of a disk reads as zeros."""
    changed = bytearray(files[name])
    size = chance.choice((16, 512, 4096))
    at = chance.randrange(len(changed)) // size * size
    changed[at : at + size] = bytes(len(changed[at : at + size]))
    files[name] = bytes(changed)


def longer(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """Something follows the end."""
    files[name] += chance.choice((b"\0" * 512, b"\r\n", files[name][:100]))


def newline(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """A transfer as text made other line ends."""
    files[name] = files[name].replace(b"\n", b"\r\n")


def missing(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """The file is not there."""
    del files[name]


def swapped(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """The file is that of another save."""
    files[name] = other.get(name, b"")


def mixed(chance: random.Random, files: dict[str, bytes], other: Files, name: str) -> None:
    """The file begins as it did, and goes on as that of another save."""
    at = chance.randrange(len(files[name]))
    files[name] = files[name][:at] + other.get(name, b"")[at:]


DAMAGES: tuple[Damage, ...] = (cut, cut, cut, bit, bit, bit, bits, blank, longer, newline, missing, swapped, mixed)
