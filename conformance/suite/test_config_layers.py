"""Chapter config: the configs of layers, for every built-in class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from hypothesis import strategies as st

from conformance.blueprint import Custom, Layer
from conformance.protocol.session import Handle, Session
from conformance.strategies.layers import CatalogueEntry
from conformance.suite.case import examples, requirement
from conformance.suite.catalogue import each_layer
from conformance.suite.compare import assert_equal
from conformance.suite.configs import assert_same_config, config_of, members, mutable_places


def assert_same_layer(impl: Session, original: Handle, made: Handle, what: str) -> None:
    """Equal class, name, flag and config."""
    first, second = impl.describe(original), impl.describe(made)
    for field in ("class_name", "module", "marker", "name", "trainable"):
        assert_equal(getattr(first, field), getattr(second, field), f"{what}: another {field}")
    assert_same_config(config_of(impl, original), config_of(impl, made), f"{what}: its config")


def leaves(value: Any) -> Iterator[Any]:
    """The simple values among a layer's arguments, without inner layers."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from () if key == "$layer" else leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from leaves(item)
    else:
        yield value


def elements(array: Any) -> set[Any]:
    """The elements of an array, or a NumPy scalar, as Python's own values."""
    values: list[Any] = np.asarray(array).ravel().tolist()
    return set(values)


def held(config: Any) -> set[Any]:
    """The simple values in a config; arrays by their elements."""
    found: set[Any] = set()
    for _, value in members(config):
        if isinstance(value, np.ndarray | np.generic):
            found |= elements(value)
        elif not isinstance(value, dict | list | tuple | set):
            found.add(value)
    return found


@requirement("config.layer-roundtrip")
def test_a_layer_is_rebuilt_from_its_config(impl: Session, dialect: str, family: str):
    def check(entry: CatalogueEntry) -> None:
        original = impl.build_layer(entry.layer(name="own"))
        config = config_of(impl, original)
        lost = sorted(set(leaves(dict(entry.args))) - held(config), key=str)
        assert_equal([], lost, f"arguments of {entry.cls} that its config does not hold")
        made = impl.from_config(entry.cls, config).object
        assert_same_layer(impl, original, made, f"{entry.cls} rebuilt from its config")

    each_layer(impl, dialect, family, check)


@requirement("config.layer-roundtrip", families=("core",))
@examples(
    custom=st.sampled_from(["Foo:A", "CustomLayer:units", "LossyLayer", "FrozenInner", "ValueLayer"]),
    number=st.integers(1, 9),
    cost="config",
)
def test_a_custom_layer_is_rebuilt_from_its_config(impl: Session, custom: str, number: int):
    argument = {"LossyLayer": "factor", "ValueLayer": "value"}.get(custom, "units")
    original = impl.build_layer(Layer("own", Custom(custom), {"name": "own", argument: number}))
    config = config_of(impl, original)
    assert_equal(number, config[argument], f"{argument} in the config")
    made = impl.from_config(Custom(custom), config).object
    assert_same_layer(impl, original, made, f"{custom} rebuilt from its config")


@requirement("config.json-serialisable")
def test_the_config_of_a_layer_is_plain_json(impl: Session, dialect: str, family: str):
    def check(entry: CatalogueEntry) -> None:
        config = config_of(impl, impl.build_layer(entry.layer(name="own")))
        assert_equal("dict", type(config).__name__, f"the type of {entry.cls}'s config")
        strange = sorted({type(value).__name__ for _, value in members(config) if not plain(value)})
        assert_equal([], strange, f"types of values in {entry.cls}'s config that JSON lacks")
        assert_same_config(as_lists(config), json.loads(json.dumps(config)), f"{entry.cls}'s config after JSON")

    each_layer(impl, dialect, family, check)


def plain(value: Any) -> bool:
    """Whether json.dumps takes a value; it writes a tuple as a list, and a NumPy float64 is a float to it."""
    return value is None or (isinstance(value, dict | list | tuple | str | int | float) and np.isfinite(number(value)))


def number(value: Any) -> float:
    return value if isinstance(value, float) else 0.0


def as_lists(value: Any) -> Any:
    """The value with lists for tuples and Python's float for NumPy's."""
    if isinstance(value, dict):
        return {key: as_lists(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [as_lists(item) for item in cast("list[Any]", value)]
    return float(value) if isinstance(value, float) else value


@requirement("config.from-config-pure")
def test_from_config_of_a_layer_leaves_its_argument(impl: Session, dialect: str, family: str):
    def check(entry: CatalogueEntry) -> None:
        live = impl.get_config(impl.build_layer(entry.layer(name="own")))
        after = impl.from_config(entry.cls, live.object).config_after
        assert_same_config(live.config, after, f"the dict given to {entry.cls}.from_config, afterwards")

    each_layer(impl, dialect, family, check)


@requirement("config.from-config-pure")
def test_the_config_of_a_layer_is_a_dict_of_its_own(impl: Session, dialect: str, family: str):
    def check(entry: CatalogueEntry) -> None:
        original = impl.build_layer(entry.layer(name="own"))
        live = impl.get_config(original)
        for place in mutable_places(live.config):
            impl.mutate(live.object, place, "changed by the caller")
        assert_same_config(
            live.config, config_of(impl, original), f"{entry.cls}'s config after an earlier one was changed"
        )

    each_layer(impl, dialect, family, check)
