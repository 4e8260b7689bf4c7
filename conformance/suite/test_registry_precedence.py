"""Chapter registry: which registration counts where several give one name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hypothesis import strategies as st

from conformance.blueprint import chain, layer
from conformance.protocol.session import Session
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_equal
from conformance.suite.configs import found_marker
from conformance.suite.models import save
from conformance.suite.test_registry import FOO, MAKERS, Maker, makers

# The ways to give a name, the first counts most.
WAYS = ("argument", "inner scope", "outer scope", "global")
MARKS = ("A", "B", "C")
DENSE = chain(layer("Dense", units=2, name="dense"))


def ways_and_marks(*ways: str) -> st.SearchStrategy[dict[str, str]]:
    """Two or three of the ways at once, each with a class of its own: as many as there are classes named Foo."""
    chosen = st.lists(st.sampled_from(ways), min_size=2, max_size=3, unique=True)
    return chosen.flatmap(lambda few: st.permutations(MARKS).map(lambda marks: dict(zip(few, marks, strict=False))))


# Those with the argument and those without are tested apart, so that one known failure does not hide another.
WITH_ARGUMENT = ways_and_marks(*WAYS).filter(lambda given: "argument" in given)
WITHOUT_ARGUMENT = ways_and_marks(*WAYS[1:])


def found_among(impl: Session, given: Mapping[str, str], name: str, make: Maker, place: str | None) -> str | None:
    """The marker of the class that ``make`` finds for ``name`` while each way gives the object of that id."""
    if "global" in given:
        impl.set_global({name: given["global"]})
    scopes = [way for way in ("outer scope", "inner scope") if way in given]
    for way in scopes:
        impl.enter_scope({name: given[way]})
    known = {name: given["argument"]} if "argument" in given else None
    found = found_marker(impl, lambda: make(known), place)
    for _ in scopes:
        impl.exit_scope()
    return found


def first(given: Mapping[str, str]) -> str:
    return next(given[way] for way in WAYS if way in given)


def foos(given: Mapping[str, str]) -> dict[str, str]:
    return {way: f"Foo:{mark}" for way, mark in given.items()}


def assert_first_found(impl: Session, way: str, given: dict[str, str]) -> None:
    make, place = makers(impl, impl.build(FOO), "foo")[way]
    found = found_among(impl, foos(given), "Foo", make, place)
    assert_equal(first(given), found, f"the class that {way} found among {given}")


@requirement("registry.precedence")
@examples(way=st.sampled_from(MAKERS), given=WITH_ARGUMENT, cost="config")
@example(way="deserialize", given={"argument": "A", "inner scope": "B"})
def test_the_argument_counts_most(impl: Session, way: str, given: dict[str, str]):
    assert_first_found(impl, way, given)


@requirement("registry.precedence")
@examples(way=st.sampled_from(MAKERS), given=WITHOUT_ARGUMENT, cost="config")
@example(way="from_json", given={"inner scope": "A", "global": "B"})
def test_the_inner_scope_counts_more_than_what_is_around_it(impl: Session, way: str, given: dict[str, str]):
    assert_first_found(impl, way, given)


def assert_first_loaded(impl: Session, path: Path, given: dict[str, str]) -> None:
    found = found_among(impl, foos(given), "Foo", lambda known: impl.load(path, custom_objects=known), "foo")
    assert_equal(first(given), found, f"the class that load_model found among {given}")


@requirement("registry.precedence-load")
@examples(given=WITH_ARGUMENT, cost="save")
@example(given={"argument": "A", "inner scope": "B"})
def test_the_argument_of_load_model_counts_most(impl: Session, format: str, scratch: Path, given: dict[str, str]):
    assert_first_loaded(impl, save(impl, impl.build(FOO), scratch, format), given)


@requirement("registry.precedence-load")
@examples(given=WITHOUT_ARGUMENT, cost="save")
@example(given={"inner scope": "A", "global": "B"})
def test_the_inner_scope_counts_more_in_load_model(impl: Session, format: str, scratch: Path, given: dict[str, str]):
    assert_first_loaded(impl, save(impl, impl.build(FOO), scratch, format), given)


@requirement("registry.precedence-load")
@examples(way=st.sampled_from(["argument", "inner scope", "global"]), cost="save")
@example(way="argument")
@example(way="inner scope")
@example(way="global")
def test_load_model_finds_the_custom_class_of_a_built_in_name(impl: Session, format: str, scratch: Path, way: str):
    path = save(impl, impl.build(DENSE), scratch, format)
    found = found_among(
        impl, {way: "Dense:mine"}, "Dense", lambda known: impl.load(path, custom_objects=known), "dense"
    )
    expected = None if format == "keras" else "mine"
    assert_equal(expected, found, f"the marker of the class that load_model found for Dense, given by {way}")


def builtin_found(impl: Session, maker: str, way: str) -> str | None:
    make, place = makers(impl, impl.build(DENSE), "dense")[maker]
    assert_equal(
        None, found_marker(impl, lambda: make(None), place), f"the class that {maker} found with nothing registered"
    )
    return found_among(impl, {way: "Dense:mine"}, "Dense", make, place)


@requirement("registry.precedence-builtin")
@examples(maker=st.sampled_from(MAKERS), way=st.sampled_from(["argument", "inner scope", "global"]), cost="config")
def test_a_custom_class_of_a_built_in_name_is_found(impl: Session, maker: str, way: str):
    assert_equal("mine", builtin_found(impl, maker, way), f"the marker of the class that {maker} found, given by {way}")


@requirement("registry.precedence-builtin-v3")
@examples(maker=st.sampled_from(MAKERS), way=st.sampled_from(["argument", "inner scope", "global"]), cost="config")
def test_a_built_in_class_stays_the_built_in(impl: Session, maker: str, way: str):
    made, place = makers(impl, impl.build(DENSE), "dense")[maker]
    assert_equal(None, builtin_found(impl, maker, way), f"the marker of the class that {maker} found, given by {way}")
    found = impl.describe(made(None)) if place is None else impl.describe(impl.layer(made(None), place))
    assert_equal("Dense", found.class_name, f"the class that {maker} found")
