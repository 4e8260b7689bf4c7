"""Changes of the fields of messages."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from fuzz.mutations.raw import BYTES, NUMBERS, Change, Random, some_bytes
from fuzz.mutations.texts import json_text
from reference_impl.formats import messages


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
