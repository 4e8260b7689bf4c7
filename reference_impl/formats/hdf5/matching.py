"""Which stored weight is which present one.

A layer's weights are stored trainable first, then the others. So their *order* depends on flags that the
file does not record: a nested layer with a frozen part has its weights in another order than the same layer
without. Weights of equal shape would change places unnoticed. What the file does record is each weight's
*name*, and names do not depend on flags. They may differ, though, for an unnamed layer is counted through
the process: what was ``dense_1/kernel:0`` there is ``dense_4/kernel:0`` here.

:func:`match` finds the pairs by names, and knows its limits:

1. Equal names are pairs.
2. Otherwise names are split at the last ``/`` into an owner and a weight. What all owners have in front is left away,
   and owners that differ only in their counters are paired in the order of these counters, which is the order in which
   the layers were made; if that fails, again without what other generations name otherwise, and then by the innermost
   owner alone, for Keras 3 names the models around it as well. A lone owner's weights are
   paired by name or, being all one layer's, in order.
3. Otherwise weights that no other resembles in last name and shape are pairs.
4. Otherwise nothing is known, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

Owner = tuple[str, ...]
Ranking = Callable[[Owner], tuple[Owner, tuple[int, ...]]]

_CELL = re.compile(r"(lstm|gru|simple_rnn|conv_lst_m\w*|conv_lstm\w*)_cell(_\d+)*")
_TWICE = re.compile(r"^(forward_|backward_)\1+")
_SPACED = re.compile(r"conv_lst_m(?=\dd)")


@dataclass(frozen=True)
class Weight:
    """Name and shape of a weight, stored or present."""

    name: str
    shape: tuple[int, ...]


def match(stored: Sequence[Weight], present: Sequence[Weight]) -> list[int] | None:
    """For each present weight the index of the stored one; None if that cannot be known.

    Both have the same length. Shapes are not compared but in rule 3: what is paired may still not fit.
    """
    return (
        _by_key([weight.name for weight in stored], [weight.name for weight in present])
        or _by_owner(stored, present, _one_counter)
        or _by_owner(stored, present, _plain_name)
        or _by_owner(stored, present, _innermost)
        or _by_key([_look(weight) for weight in stored], [_look(weight) for weight in present])
    )


def _by_key(stored: Sequence[Hashable], present: Sequence[Hashable]) -> list[int] | None:
    places = {key: index for index, key in enumerate(stored)}
    if len(places) < len(stored) or set(places) != set(present):
        return None
    return [places[key] for key in present]


def _by_owner(stored: Sequence[Weight], present: Sequence[Weight], ranking: Ranking) -> list[int] | None:
    ours, theirs = _owners(present, ranking), _owners(stored, ranking)
    if ours is None or theirs is None or [stem for stem, _ in ours] != [stem for stem, _ in theirs]:
        return None
    pairs: dict[int, int] = {}
    for (_, here), (_, there) in zip(ours, theirs, strict=True):
        if len(here) != len(there):
            return None
        order = _by_key(
            [_split(stored[index].name)[1] for index in there],
            [_split(present[index].name)[1] for index in here],
        )
        if order is None and len(ours) == 1:
            order = list(range(len(here)))
        if order is None:
            return None
        pairs.update({index: there[place] for index, place in zip(here, order, strict=True)})
    return [pairs[index] for index in range(len(present))]


def _owners(weights: Sequence[Weight], ranking: Ranking) -> list[tuple[Owner, list[int]]] | None:
    """(owner without counters, indices of its weights), in the order of owners, then of counters.

    None if two of them cannot be told apart.
    """
    groups: dict[Owner, list[int]] = {}
    for index, weight in enumerate(weights):
        groups.setdefault(_split(weight.name)[0], []).append(index)
    shared = _shared_front(list(groups))
    ranked = sorted((ranking(owner[shared:]), indices) for owner, indices in groups.items())
    if len({rank for rank, _ in ranked}) < len(ranked):
        return None
    return [(stems, indices) for (stems, _), indices in ranked]


def _split(name: str) -> tuple[Owner, str]:
    """Owner and weight, without the ``:0`` that only TensorFlow's names have."""
    *owner, weight = name.split("/")
    return tuple(owner), re.sub(r":\d+$", "", weight)


def _shared_front(owners: list[Owner]) -> int:
    shared = 0
    while owners and all(len(owner) > shared and owner[shared] == owners[0][shared] for owner in owners):
        shared += 1
    return shared


def _one_counter(owner: Owner) -> tuple[Owner, tuple[int, ...]]:
    """``("lstm", "cell_2")`` → ``(("lstm", "cell"), (0, 2))``."""
    parts = [re.fullmatch(r"(.*?)(?:_(\d+))?", part, re.DOTALL) for part in owner]
    return (
        tuple(part[1] for part in parts if part),
        tuple(int(part[2] or 0) for part in parts if part),
    )


def _plain_name(owner: Owner) -> tuple[Owner, tuple[int, ...]]:
    """Without what other generations do otherwise.

    Keras before 2.4 counted a name again on loading (``dense_1_1``), and named the weights of a recurrent layer's cell
    after the layer. Keras 3 writes the layers of a Bidirectional with their prefix, to which another one comes here, and a
    backward layer that was given without. From 2.5 on ConvLSTM2D is ``conv_lstm2d`` and no longer ``conv_lst_m2d``.
    """
    kept = owner[:-1] if owner and _CELL.fullmatch(owner[-1]) else owner
    plain = [_SPACED.sub("conv_lstm", _TWICE.sub(r"\1", part)).removeprefix("backward_") for part in kept]
    parts = [re.fullmatch(r"(.*?)((?:_\d+)*)", part, re.DOTALL) for part in plain]
    return (
        tuple(part[1] for part in parts if part),
        tuple(int(number) for part in parts if part for number in (part[2].split("_")[1:] or "0")),
    )


def _innermost(owner: Owner) -> tuple[Owner, tuple[int, ...]]:
    """``("middle", "deep", "d_1")`` → ``(("d",), (1,))``."""
    return _one_counter(owner[-1:])


def _look(weight: Weight) -> tuple[str, tuple[int, ...]]:
    return _split(weight.name)[1], weight.shape


def stem(name: str) -> str:
    """A layer's name without its counter."""
    return _one_counter((name,))[0][0]
