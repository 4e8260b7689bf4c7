"""Names, paths, scopes and registrations that hurt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from conformance import strategies
from conformance.strategies import HURTING_NAMES, Place


@given(strategies.name_lists())
def test_the_names_of_a_list_are_different_and_of_one_kind(names: tuple[str, ...]):
    assert 2 <= len(names) == len(set(names))
    assert any(set(names) <= set(pool) for pool in HURTING_NAMES.values())


@pytest.mark.parametrize("kind", HURTING_NAMES)
def test_each_kind_of_name_is_drawn_in_any_order(kind: str):
    first, *_, last = HURTING_NAMES[kind]
    assert find(strategies.name_lists((kind,)), lambda names: names[0] == last)
    assert find(strategies.hurting_names((kind,)), lambda name: name == first)
    model = find(strategies.named_models((kind,)), lambda _: True)
    assert [node.name in HURTING_NAMES[kind] for node in model.nodes] == [True] * len(model.nodes)


def test_an_unknown_kind_of_name_is_refused():
    with pytest.raises(ValueError, match="choose some of unicode"):
        strategies.hurting_names(("klingon",))
    with pytest.raises(ValueError, match="choose some of"):
        strategies.name_lists(())


@given(strategies.places())
def test_a_taken_path_has_its_folders(place: Place):
    assert place.exists or not place.taken


def test_folders_of_a_place_are_made_where_it_says_so(tmp_path: Path):
    assert Place(("a", "b"), exists=True).path(tmp_path, "m.h5").parent.is_dir()
    assert not Place(("c",), exists=False).path(tmp_path, "m.h5").parent.exists()


@given(strategies.places(path_types=("pathlib",), missing=False, taken=False))
def test_options_of_places_are_kept(place: Place):
    assert (place.path_type, place.exists, place.taken) == ("pathlib", True, False)


PLACES: dict[str, Callable[[Place], bool]] = {
    "new folder": lambda place: not place.exists,
    "unicode": lambda place: any(not name.isascii() for name in place.folders),
    "taken": lambda place: place.taken,
    "pathlike": lambda place: place.path_type == "pathlike",
}


@pytest.mark.parametrize("wanted", PLACES)
def test_each_sort_of_place_is_drawn(wanted: str):
    assert PLACES[wanted](find(strategies.places(), PLACES[wanted]))


def test_scopes_nest_shadow_and_end_by_an_error():
    nested = find(
        strategies.scope_steps(),
        lambda steps: [type(step).__name__ for step in steps][:2] == ["dict", "dict"] and "leave by error" in steps,
    )
    assert nested[-1] == "leave by error"
    assert find(strategies.registrations(), lambda pair: pair == ("pkg", None)) == ("pkg", None)


@settings(deadline=None)
@given(st.data())
def test_scopes_name_ids_of_the_named_set(data: st.DataObject):
    for step in data.draw(strategies.scope_steps({"Foo": ("A", "B")})):
        assert step in ("leave", "leave by error") or set(step) <= {"Foo"}
