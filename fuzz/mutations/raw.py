"""Changes of bytes, whatever they mean; and what a mutation is."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Files = Mapping[str, bytes]
Random = random.Random
Change = Callable[[Random, bytes], bytes]

LARGEST = 1_000_000  # bytes of a changed file
NUMBERS = (
    0,
    1,
    -1,
    2,
    7,
    127,
    128,
    255,
    256,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    -(2**31),
    -(2**63),
    10**30,
)
BYTES = (b"", b"\0", b"\xff" * 4, b"\x80" * 11, b"x" * 300, struct.pack("<Q", 2**63 - 1), b"\0" * 4096)


@dataclass(frozen=True)
class Mutation:
    """A change of some of the files of a case; of those whose names end in ``suffix``."""

    name: str
    change: Change
    suffix: str = ""
    raw: bool = False

    def __call__(self, random: Random, files: Files) -> Files:
        """The case with one file changed; the case itself if it has none of that name."""
        names = [name for name in sorted(files) if name.endswith(self.suffix)]
        if not names:
            return files
        name = random.choice(names)
        return {**files, name: self.change(random, files[name])}


def some_bytes(random: Random, content: bytes) -> bytes:
    """One to four small changes: a bit, a byte, a number, a piece cut out, doubled, moved or blanked, an end cut off."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        random.choice(_CHANGES)(random, changed)
    return bytes(changed)


def _bit(random: Random, content: bytearray) -> None:
    if content:
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _number(random: Random, content: bytearray) -> None:
    form = random.choice("BHIQ")
    size = struct.calcsize(form)
    if len(content) >= size:
        at = random.randrange(len(content) - size + 1)
        number = random.choice(NUMBERS) % 2 ** (8 * size)
        content[at : at + size] = struct.pack(random.choice("<>") + form, number)


def _piece(random: Random, content: bytearray) -> slice:
    at = random.randrange(len(content) + 1)
    return slice(at, at + random.choice((1, 2, 4, 8, 64, 1024)))


def _cut_out(random: Random, content: bytearray) -> None:
    del content[_piece(random, content)]


def _put_in(random: Random, content: bytearray) -> None:
    at = random.randrange(len(content) + 1)
    content[at:at] = random.choice((*BYTES, bytes(content[_piece(random, content)])))


def _put_over(random: Random, content: bytearray) -> None:
    piece = bytes(content[_piece(random, content)])
    at = random.randrange(len(content) + 1)
    content[at : at + len(piece)] = piece


def _end(random: Random, content: bytearray) -> None:
    del content[random.randrange(len(content) + 1) :]


IN_PLACE: tuple[Callable[[Random, bytearray], None], ...] = (_bit, _number, _put_over)
_CHANGES = (_bit, _bit, _number, _number, _cut_out, _put_in, _put_over, _end)
