"""Which object a name stands for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
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


# -- forms that say where a class is from ------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["keras-2.15", "keras-3"])
def test_forms_name_module_and_registered_name(dialect: str) -> None:
    @U.register_keras_serializable("pkg", f"Named {dialect}")
    class Named(L.Layer):
        pass

    with keras.dialect(dialect):
        dense = L.serialize(L.Dense(3, kernel_regularizer="l2"))
        named = L.serialize(Named())
        schedule = keras.optimizers.schedules.serialize(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))
    assert (dense["module"], dense["class_name"], dense["registered_name"]) == ("keras.layers", "Dense", None)
    assert dense["config"]["kernel_regularizer"]["module"] == "keras.regularizers"
    assert schedule["module"] == "keras.optimizers.schedules"
    assert (named["module"], named["class_name"]) == (__name__, "Named")
    assert named["registered_name"] == f"pkg>Named {dialect}"
    assert type(L.deserialize(named)) is Named
    assert set(L.serialize(L.Dense(3))) == {"class_name", "config"}


def test_a_module_of_keras_decides_for_the_built_in_class() -> None:
    form = {"class_name": "Dense", "config": {"units": 3}}
    own = {"Dense": lambda **config: config}
    assert L.deserialize(form, own) == own["Dense"]
    assert type(L.deserialize({**form, "module": "keras.layers", "registered_name": None}, own)) is L.Dense
    assert L.deserialize({**form, "module": "mine", "registered_name": "Dense"}, own) == own["Dense"]


@pytest.mark.parametrize("dialect", ["keras-2.15", "keras-3"])
def test_the_layers_in_hdf5_have_no_modules(dialect: str, tmp_path: Path) -> None:
    with keras.dialect(dialect):
        inner = keras.Sequential([L.Dense(2, input_shape=(3,))])
        source = keras.Input((3,))
        model = keras.Model(source, keras.Model(inner.input, inner.output)(source))
        model.save(tmp_path / "m.hdf5", save_format="h5")
        assert "keras.layers" in model.to_json()
    with h5py.File(tmp_path / "m.hdf5") as file:
        form = json.loads(file.attrs["model_config"])
    (entrance, outer), (_, dense) = form["config"]["layers"], form["config"]["layers"][1]["config"]["layers"]
    for found in (form, entrance, outer, dense):
        assert not found.keys() & {"module", "registered_name"}
    assert [found["class_name"] for found in (form, entrance, outer)] == ["Functional", "InputLayer", "Functional"]
    assert dense["config"]["kernel_initializer"]["module"] == "keras.initializers"


# -- automatic configs -------------------------------------------------------------------------------------------


class Automatic(L.Layer):
    def __init__(self, units: int, factors: Any = (1, 2), *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.units = units


class AutomaticModel(keras.Model):
    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units


def test_an_automatic_config_holds_the_arguments() -> None:
    factors = [3, {"a": None}]
    layer = Automatic(5, factors, name="own")
    factors.clear()
    model = AutomaticModel(units=4, name="m")
    with keras.dialect("keras-2.15"):
        assert layer.get_config() == {"units": 5, "factors": [3, {"a": None}], "name": "own"}
        assert Automatic.from_config(layer.get_config()).units == 5
        assert AutomaticModel.from_config(model.get_config()).units == 4
        assert model.get_config()["name"] == "m"
        for refused in (Automatic(units={1}), AutomaticModel(object())):
            with pytest.raises(NotImplementedError):
                refused.get_config()
    for dialect in ("keras-2.4", "keras-2.8"):
        for made in (layer, model):
            with keras.dialect(dialect), pytest.raises(NotImplementedError):
                made.get_config()


def test_a_model_s_own_config_begins_with_nothing() -> None:
    class Own(keras.Model):
        def __init__(self, part: Any) -> None:
            super().__init__()
            self.part = part

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "part": str(self.part)}

    with keras.dialect("keras-2.15"):
        assert Own(object).get_config() == {"part": "<class 'object'>"}
