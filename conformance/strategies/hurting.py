"""Names that hurt: what a format, a path, a scope or a language cannot hold, or takes for another name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from conformance.blueprint import Functional, Sequential, chain, layer

HURTING_NAMES: Mapping[str, Sequence[str]] = {
    "unicode": ("größe", "слой", "層", "e\u0301te\u0301", "\u00e9t\u00e9", "🙂"),
    "slash": ("a/b", "a/b/c", "a"),
    "keyword": ("in", "class", "is", "None", "lambda"),
    "long": ("x" * 200, "x" * 199 + "y", "y" + "x" * 199),
    "case": ("Layer", "layer", "LAYER"),
    "counting": ("dense", "dense_1", "dense_2", "dense_10", "dense_9"),
    "separators": ("a.b", "a-b", "a_b", "a>b", "a b"),
    "reserved": ("kernel", "bias", "weights", "layers", "loss", "top_level_model_weights", "_layer_checkpoint", "0"),
}
"""Names by what is hurting about them; within a kind each is easily taken for another one."""


def hurting_names(kinds: Sequence[str] = tuple(HURTING_NAMES)) -> st.SearchStrategy[str]:
    """One name of the given kinds (keys of :data:`HURTING_NAMES`). Raises ValueError for another kind."""
    return st.sampled_from([name for kind in _checked(kinds) for name in HURTING_NAMES[kind]])


def name_lists(
    kinds: Sequence[str] = tuple(HURTING_NAMES), min_size: int = 2, max_size: int = 4
) -> st.SearchStrategy[tuple[str, ...]]:
    """Several different names of one kind, in any order: together they hurt most."""
    wanted = [HURTING_NAMES[kind] for kind in _checked(kinds)]
    return st.sampled_from(wanted).flatmap(
        lambda pool: st.permutations(pool).flatmap(
            lambda order: st.integers(min(min_size, len(order)), min(max_size, len(order))).map(
                lambda size: tuple(order[:size])
            )
        )
    )


def named_models(
    kinds: Sequence[str] = tuple(HURTING_NAMES), kind: str = "functional"
) -> st.SearchStrategy[Functional | Sequential]:
    """Dense layers of equal shape one after another under :func:`name_lists`: values that are exchanged show."""
    return name_lists(kinds).map(lambda names: named_model(names, kind))


def named_model(names: Sequence[str], kind: str = "functional") -> Functional | Sequential:
    """Dense layers of equal shape under these names."""
    return chain(*(layer("Dense", f"l{i}", units=3, name=name) for i, name in enumerate(names)), shape=(3,), kind=kind)


def _checked(kinds: Sequence[str]) -> Sequence[str]:
    unknown = [kind for kind in kinds if kind not in HURTING_NAMES]
    if unknown or not kinds:
        raise ValueError(f"hurting names: choose some of {', '.join(HURTING_NAMES)}; found {list(kinds)}")
    return kinds
