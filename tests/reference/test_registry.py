"""Which object a name stands for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import reference_impl as keras

L = keras.layers
U = keras.utils


class A(L.Layer):
    pass


class B(L.Layer):
    pass


class C(L.Layer):
    pass


FOO: Any = {"class_name": "Foo", "config": {}}


@pytest.fixture(autouse=True)
def global_names() -> Iterator[None]:
    kept = dict(U.get_custom_objects())
    yield
    U.get_custom_objects().clear()
    U.get_custom_objects().update(kept)


def found(custom_objects: Any = None) -> type:
    return type(L.deserialize(FOO, custom_objects))


def test_precedence() -> None:
    U.get_custom_objects()["Foo"] = C
    assert found() is C
    with U.custom_object_scope({"Foo": B}):
        assert found() is B
        with U.CustomObjectScope({"Foo": A}):
            assert found() is A
            assert found({"Foo": B}) is B
        with U.CustomObjectScope({"Other": A}):
            assert found() is B
        assert found({"Foo": A}) is A
    assert found({"Foo": A}) is A
    assert found() is C


def test_any_of_them_beats_a_builtin() -> None:
    dense = {"class_name": "Dense", "config": {}}
    assert type(L.deserialize(dense, {"Dense": A})) is A
    with U.custom_object_scope({"Dense": B}):
        assert type(L.deserialize(dense)) is B
    U.get_custom_objects()["Dense"] = C
    assert type(L.deserialize(dense)) is C


def test_scopes_end_also_on_error() -> None:
    def load_in_a_broken_scope() -> None:
        with U.custom_object_scope({"Foo": A}):
            U.get_custom_objects()["Bar"] = B
            raise RuntimeError

    with pytest.raises(RuntimeError):
        load_in_a_broken_scope()
    assert "Bar" not in U.get_custom_objects()
    with pytest.raises(keras.LoadError, match=r"^Unknown layer: Foo"):
        found()


def test_scopes_belong_to_a_thread() -> None:
    seen: list[Any] = []
    with U.custom_object_scope({"Foo": A}):
        thread = threading.Thread(target=lambda: seen.append(U.get_registered_object("Foo")))
        thread.start()
        thread.join()
        assert U.get_registered_object("Foo") is A
    assert seen == [None]


def test_the_argument_reaches_inner_objects_and_stays_unchanged() -> None:
    def double(x: Any) -> Any:
        return x * 2.0

    objects = {"double": double}
    model = keras.Sequential([keras.Input((2,)), L.Dense(2, activation=double)])
    again = keras.models.model_from_json(model.to_json(), objects)
    assert again.layers[0].activation is double
    assert objects == {"double": double}
    with pytest.raises(keras.LoadError, match=r"^Unknown activation function: double"):
        keras.models.model_from_json(model.to_json())


def test_registered_by_full_name_alone() -> None:
    @U.register_keras_serializable("pack", "Name")
    class Registered(L.Layer):
        pass

    form = L.serialize(Registered(name="r"))
    assert form["class_name"] == "pack>Name"
    assert type(L.deserialize(form)) is Registered
    assert U.get_registered_name(Registered) == "pack>Name"
    for plain in ("Registered", "Name"):
        with pytest.raises(keras.LoadError, match=f"Unknown layer: {plain}"):
            L.deserialize({"class_name": plain, "config": {}})


def test_registering_twice() -> None:
    @U.register_keras_serializable()
    class Once(L.Layer):
        pass

    assert U.register_keras_serializable()(Once) is Once
    assert U.get_registered_name(Once) == "Custom>Once"
    with pytest.raises(ValueError, match=r"Custom>Once has already been registered"):
        U.register_keras_serializable(name="Once")(A)
    with pytest.raises(ValueError, match="it cannot be other>Once as well"):
        U.register_keras_serializable("other")(Once)
    with pytest.raises(ValueError, match="get_config"):
        U.register_keras_serializable()(dict)


@pytest.mark.parametrize(
    ("module", "word"),
    [
        (keras.layers, "layer"), (keras.activations, "activation function"), (keras.losses, "loss function"),
        (keras.metrics, "metric function"), (keras.optimizers, "optimizer"), (keras.initializers, "initializer"),
        (keras.regularizers, "regularizer"), (keras.constraints, "constraint"),
    ],
)  # fmt: skip
def test_unknown_names_are_refused(module: Any, word: str) -> None:
    for identifier in ("Zork", {"class_name": "Zork", "config": {}}):
        with pytest.raises(keras.LoadError, match=f"^Unknown {word}: Zork"):
            module.deserialize(identifier)
    with pytest.raises(keras.LoadError):
        module.deserialize({"config": {}})


def test_deserialising_changes_no_config() -> None:
    class Greedy(L.Layer):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            config.clear()
            return cls()

    form = {"class_name": "Greedy", "config": {"name": "g"}}
    L.deserialize(form, {"Greedy": Greedy})
    assert form == {"class_name": "Greedy", "config": {"name": "g"}}
