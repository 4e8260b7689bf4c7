"""Changes of JSON texts."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from fuzz.mutations.raw import LARGEST, NUMBERS, Random, some_bytes

JUNK: tuple[Any, ...] = (
    *(None, True, False, 1.5, float("nan"), 1e308, "", "x", "Dense", "../x", "\0", "é", [], [[]], {}, [["i", 0, 0]]),
    *({"class_name": name} for name in ("Dense", "__tuple__", "TensorShape", "__ellipsis__", "__keras_tensor__")),
    {"class_name": "Dense", "config": {}},
    {"class_name": "__tensor__", "config": {"value": "x", "dtype": "float32"}},
    {"class_name": "__lambda__", "config": {"value": ["4wAA", None, None]}},
    {"class_name": "TypeSpec", "type_spec": "TensorSpec", "serialized": []},
    {"class_name": "TensorShape", "items": [-5, 2**62]},
)


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
