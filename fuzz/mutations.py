"""What is done to a case: its bytes, or the parts that its format has.

A change of bytes is *raw*: where a checksum covers it, it must be noticed. The others lay the parts together again, with
checksums that fit, and so get to what is behind them.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import copy
import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from reference_impl.formats import messages
from reference_impl.formats.checkpoint.coding import decode_varint, masked_crc32c
from reference_impl.formats.checkpoint.table import FOOTER_SIZE, read_table, write_table

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
JUNK: tuple[Any, ...] = (
    *(None, True, False, 1.5, float("nan"), 1e308, "", "x", "Dense", "../x", "\0", "é", [], [[]], {}, [["i", 0, 0]]),
    *({"class_name": name} for name in ("Dense", "__tuple__", "TensorShape", "__ellipsis__", "__keras_tensor__")),
    {"class_name": "Dense", "config": {}},
    {"class_name": "__tensor__", "config": {"value": "x", "dtype": "float32"}},
    {"class_name": "__lambda__", "config": {"value": ["4wAA", None, None]}},
    {"class_name": "TypeSpec", "type_spec": "TensorSpec", "serialized": []},
    {"class_name": "TensorShape", "items": [-5, 2**62]},
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


# -- bytes -----------------------------------------------------------------------------------------------------


def some_bytes(random: Random, content: bytes) -> bytes:
    """One to four small changes: a bit, a byte, a number, a piece cut out, doubled, moved or blanked, an end cut off."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        random.choice(_BYTE_CHANGES)(random, changed)
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


_BYTE_CHANGES = (_bit, _bit, _number, _number, _cut_out, _put_in, _put_over, _end)


# -- JSON ------------------------------------------------------------------------------------------------------


def json_text(random: Random, content: bytes) -> bytes:
    """One to three values of a JSON text taken away, exchanged, renamed, nested; bytes, if it is none."""
    try:
        form = json.loads(content)
    except (ValueError, RecursionError):
        return some_bytes(random, content)
    form = {"": form}
    for _ in range(random.choice((1, 1, 2, 3))):
        _change_json(random, form)
    changed = json.dumps(form[""]).encode()
    return changed if len(changed) <= LARGEST else some_bytes(random, content)


def _change_json(random: Random, form: Any) -> None:
    places = list(_places(form))
    holder, key = random.choice(places)
    kind = random.randrange(8)
    if kind == 0 and holder is not form:
        del holder[key]
    elif kind == 1:
        other, name = random.choice(places)
        holder[key] = copy.deepcopy(other[name])
    elif kind == 2 and isinstance(holder, dict):
        other, name = random.choice(places)
        holder[str(name)] = holder[key] if holder is form else holder.pop(key)
    elif kind == 3:
        for _ in range(random.choice((1, 3, 60, 3000))):
            holder[key] = [holder[key]] if random.random() < 0.5 else {"config": holder[key]}
            if random.random() < 0.1:
                break
    elif kind == 4 and isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key])] * random.choice((1, 2, 50))
    elif isinstance(holder[key], int | float) or random.random() < 0.2:
        holder[key] = random.choice(NUMBERS)
    elif isinstance(holder[key], str) and random.random() < 0.5:
        texts = [one[name] for one, name in places if isinstance(one[name], str)]
        holder[key] = random.choice(texts)
    else:
        holder[key] = copy.deepcopy(random.choice(JUNK))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


# -- messages --------------------------------------------------------------------------------------------------


def message(kind: Callable[[], Any], inside: str = "") -> Change:
    """A change of one to three fields of such a message; ``inside``: only in that field of what is in its ``meta_graphs``."""

    def change(random: Random, content: bytes) -> bytes:
        try:
            found = messages.parse(kind(), content)
        except ValueError:
            return some_bytes(random, content)
        for _ in range(random.choice((1, 1, 2, 3))):
            start = found
            if inside and found.meta_graphs:
                start = getattr(random.choice(found.meta_graphs), inside)
            _change_message(random, start)
        return messages.serialize(found)

    return change


def _change_message(random: Random, found: Any) -> None:
    """Walk some way down, then change a field: a value, or what is in a list."""
    for _ in range(30):
        inner = [
            (field, value) for field, value in found.ListFields() if field.message_type is not None and _any(value)
        ]
        if not inner or random.random() < 0.12:
            break
        _, value = random.choice(inner)
        if hasattr(value, "ListFields"):
            found = value
            continue
        if random.random() < 0.06:
            break
        chosen = random.choice(sorted(value)) if hasattr(value, "keys") else random.randrange(len(value))
        if not hasattr(value[chosen], "ListFields"):
            break
        found = value[chosen]
    if not found.DESCRIPTOR.fields:
        return
    field = random.choice(found.DESCRIPTOR.fields)
    with_value = [field for field, _ in found.ListFields()]
    if with_value and random.random() < 0.85:
        field = random.choice(with_value)
    try:
        _change_field(random, found, field)
    except (ValueError, TypeError, OverflowError, RecursionError):
        found.ClearField(field.name)


def _any(value: Any) -> bool:
    return hasattr(value, "ListFields") or len(value) > 0


def _change_field(random: Random, found: Any, field: Any) -> None:
    value = getattr(found, field.name)
    if random.random() < 0.1:
        found.ClearField(field.name)
    elif hasattr(value, "keys"):
        _change_map(random, value, field)
    elif hasattr(value, "append") or hasattr(value, "add"):
        _change_list(random, value, field)
    elif field.message_type is not None:
        value.SetInParent()
        if field.message_type == found.DESCRIPTOR:
            value.CopyFrom(copy.deepcopy(found))
    else:
        setattr(found, field.name, _scalar(random, value, field))


def _change_map(random: Random, value: Any, field: Any) -> None:
    if not len(value):
        return
    names = sorted(value)
    one, other = random.choice(names), random.choice(names)
    if field.message_type.fields_by_name["value"].message_type is None:
        value[one] = value[other]
    elif random.random() < 0.4:
        del value[one]
    else:
        value[one].CopyFrom(copy.deepcopy(value[other]))


def _change_list(random: Random, value: Any, field: Any) -> None:
    if not len(value):
        if field.message_type is not None:
            value.add()
        else:
            value.append(_scalar(random, field.default_value or type(field.default_value)(), field))
        return
    one, other = random.randrange(len(value)), random.randrange(len(value))
    kind = random.randrange(4)
    if kind == 0:
        del value[one]
    elif kind == 1 and len(value) < 1000:
        value.extend([copy.deepcopy(value[one])] * random.choice((1, 1, 20)))
    elif field.message_type is not None:
        value[one].CopyFrom(copy.deepcopy(value[other]))
    else:
        value[one] = value[other] if kind == 2 else _scalar(random, value[one], field)


def _scalar(random: Random, value: Any, field: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        number = random.choice((*NUMBERS[:-1], value + 1, value - 1, value * 2))
        return number if field.type in (3, 5, 17, 18) else abs(number) % 2**32
    if isinstance(value, float):
        return random.choice((0.0, -1.0, 1e30, float("inf"), float("nan")))
    if isinstance(value, bytes):
        return random.choice((some_bytes(random, value), *BYTES))
    if value[:1] in ("{", "["):
        return json_text(random, value.encode()).decode("utf-8", "replace")
    return random.choice((*TEXTS, value + "x", value[:-1], value * 2))


TEXTS = ("", "x", "..", "a/b", "/etc/passwd", ":0", "^x", "x:1", "loc:@x", "PartitionedCall", "While", "If", "Const", "ReadFile",
         "PyFunc", "Reshape", "ConcatV2", "Fill", "T", "dtype", "VARIABLE_VALUE", "_tf_keras_layer", "é")  # fmt: skip


def metadata_texts(content: bytes) -> list[str]:
    """The JSON texts of a ``keras_metadata.pb``."""
    return [node.metadata for node in messages.parse(messages.KerasMetadata, content).nodes]


# -- tables ----------------------------------------------------------------------------------------------------


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
        random.choice((_bit, _number, _put_over))(random, changed)
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


# -- archives --------------------------------------------------------------------------------------------------


def zip_members(content: bytes) -> dict[str, bytes]:
    """The members of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_archive(random: Random, content: bytes) -> bytes:
    """An archive with a member changed, renamed, doubled or taken away, perhaps compressed."""
    try:
        members = list(zip_members(content).items())
    except Exception:  # whatever the package raises for what an earlier mutation made
        return some_bytes(random, content)
    if not members:
        return some_bytes(random, content)
    at = random.randrange(len(members))
    name, member = members[at]
    kind = random.randrange(8)
    if kind == 0:
        del members[at]
    elif kind == 1:
        members.append((random.choice([other for other, _ in members]), member))
    elif kind == 2:
        members[at] = random.choice(("../x", "/x", "a/../../x", "model.weights.h5/x", name + "\0", "")), member
    else:
        change = json_text if name.endswith(".json") else hdf5_file if name.endswith(".h5") else some_bytes
        members[at] = name, change(random, member)
    stream = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, member in members:
            archive.writestr(zipfile.ZipInfo(name), member, method)
    return stream.getvalue()


# -- HDF5 ------------------------------------------------------------------------------------------------------


def hdf5_config(content: bytes) -> bytes:
    """The text of the model's config in an HDF5 file."""
    with h5py.File(io.BytesIO(content), "r") as file:
        text = file.attrs["model_config"]
        return text if isinstance(text, bytes) else str(text).encode()


def hdf5_file(random: Random, content: bytes) -> bytes:
    """An HDF5 file with some of its attributes, datasets, groups or links changed; bytes, if it is none."""
    if random.random() < 0.3:
        return some_bytes(random, content)
    stream = io.BytesIO(content)
    try:
        with h5py.File(stream, "r+") as file:
            for _ in range(random.choice((1, 1, 2, 3))):
                _change_hdf5(random, file)
    except Exception:  # whatever h5py raises for what an earlier mutation made
        return some_bytes(random, content)
    changed = stream.getvalue()
    return changed if len(changed) <= LARGEST else some_bytes(random, content)


def _change_hdf5(random: Random, file: Any) -> None:
    names: list[str] = []
    file.visit(names.append)
    holder = file[random.choice(["/", *sorted(names)])]
    attributes = sorted(holder.attrs)
    if attributes and random.random() < 0.5:
        _change_attribute(random, holder.attrs, random.choice(attributes))
        return
    if not names:
        return
    name, other = random.choice(sorted(names)), random.choice(sorted(names))
    kind = random.randrange(8)
    if kind == 0:
        del file[name]
    elif kind == 1:
        del file[name]
        file[name] = random.choice((h5py.SoftLink(f"/{other}"), h5py.ExternalLink("other.h5", "/x")))
    elif kind == 2:
        del file[name]
        file[name] = file[other]  # another name of the same; of a group above, a circle
    elif kind == 3:
        del file[name]
        file.create_group(name)
    elif kind == 4:
        del file[name]
        file.create_dataset(name, (random.choice((0, 3, 2**20, 2**40)), 4), "f4", chunks=(1, 4), fillvalue=1)
    elif isinstance(file[name], h5py.Dataset):
        value = np.asarray(file[name][()])
        del file[name]
        file[name] = random.choice(_VALUES)(value)
    elif not f"{name}/".startswith(f"{other}/"):  # a group copied into itself grows without end
        file.copy(file[other], f"{name}/copy{random.randrange(9)}")


def _change_attribute(random: Random, attributes: Any, name: str) -> None:
    value = attributes[name]
    kind = random.randrange(6)
    if kind == 0:
        del attributes[name]
    elif kind == 1:
        attributes[name] = random.choice((0, -1, 1.5, "x", b"\xff", [], [[1, 2]], np.bool_(True), h5py.Empty("f4")))
    elif isinstance(value, str | bytes):
        text = value.encode() if isinstance(value, str) else value
        attributes[name] = np.bytes_(json_text(random, text))
    else:
        items = list(np.ravel(value))
        random.choice((items.reverse, lambda: items.extend(items[:1]), items.clear, lambda: items.append(b"x")))()
        attributes[name] = np.array(items)


_VALUES: tuple[Callable[[Any], Any], ...] = (
    lambda value: value.astype("f8") if value.dtype.kind == "f" else value,
    lambda value: value.astype("S4"),
    lambda value: value.astype("i8") if value.dtype.kind in "fiu" else value,
    lambda value: value.T,
    lambda value: value[..., None],
    lambda value: value.ravel()[:1],
    lambda value: h5py.Empty("f4"),
    lambda value: np.full(value.shape, b"text"),
    lambda value: value.astype("c8") if value.dtype.kind == "f" else value,
    lambda value: np.zeros(value.shape, [("a", "f4"), ("b", "i4")]),
)


# -- by format -------------------------------------------------------------------------------------------------

_SAVED_MODEL, _METADATA, _INDEX = "saved_model.pb", "keras_metadata.pb", ".index"

RAW = Mutation("bytes", some_bytes, raw=True)
TABLE = (RAW, Mutation("entries", table_entries, _INDEX), Mutation("blocks", table_blocks, _INDEX))
BUNDLE = (*TABLE, Mutation("data", some_bytes, "-of-00001", raw=True))
GRAPH = (
    RAW,
    Mutation("message", message(lambda: messages.SavedModel), _SAVED_MODEL),
    Mutation("functions", message(lambda: messages.SavedModel, "graph_def"), _SAVED_MODEL),
    Mutation("functions", message(lambda: messages.SavedModel, "graph_def"), _SAVED_MODEL),
    Mutation("objects", message(lambda: messages.SavedModel, "object_graph_def"), _SAVED_MODEL),
    Mutation("entries", table_entries, _INDEX),
)
SAVED_MODEL = (
    *GRAPH,
    Mutation("metadata", message(lambda: messages.KerasMetadata), _METADATA),
    Mutation("metadata", message(lambda: messages.KerasMetadata), _METADATA),
)
TEXT = (RAW, Mutation("json", json_text), Mutation("json", json_text), Mutation("json", json_text))
HDF5 = (RAW, Mutation("objects", hdf5_file), Mutation("objects", hdf5_file))
ARCHIVE = (RAW, Mutation("members", zip_archive), Mutation("members", zip_archive))
