"""Changes of the tables that a checkpoint's index is."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import struct

from fuzz.mutations.protobuf import message
from fuzz.mutations.raw import IN_PLACE, Random, some_bytes
from reference_impl.formats import messages
from reference_impl.formats.checkpoint.coding import decode_varint, masked_crc32c
from reference_impl.formats.checkpoint.table import FOOTER_SIZE, read_table, write_table


def table_entries(random: Random, content: bytes) -> bytes:
    """A table with its entries changed and checksums that fit."""
    try:
        entries = dict(read_table(content, ""))
    except ValueError:
        return some_bytes(random, content)
    for _ in range(random.choice((1, 1, 2, 3))):
        if not entries:
            break
        key = random.choice(sorted(entries))
        kind = random.randrange(6)
        if kind == 0:
            del entries[key]
        elif kind == 1:
            entries[some_bytes(random, key)[:2000]] = entries[key]
        elif kind == 2:
            entries[key] = random.choice(sorted(entries.values()))
        elif kind == 3:
            entries[key] = some_bytes(random, entries[key])
        else:
            form = messages.BundleEntry if key else messages.BundleHeader
            entries[key] = message(lambda form=form: form)(random, entries[key])
    return write_table(sorted(entries.items()))


def table_blocks(random: Random, content: bytes) -> bytes:
    """Bytes inside the blocks of a table changed, and then their checksums."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        random.choice(IN_PLACE)(random, changed)
    del changed[len(content) :]
    start = 0
    try:
        footer = content[-FOOTER_SIZE:]
        ends: list[int] = []
        position = 0
        for _ in range(2):  # the metaindex block and the index follow the data blocks
            offset, position = decode_varint(footer, position)
            size, position = decode_varint(footer, position)
            ends += [offset, offset + size + 5]
    except ValueError:
        return bytes(changed)
    for end in sorted(ends):
        if end - start >= 5 and end <= len(changed):
            changed[end - 4 : end] = struct.pack("<I", masked_crc32c(bytes(changed[start : end - 4])))
            start = end
    return bytes(changed)
