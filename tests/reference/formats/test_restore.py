"""The object graph: what is saved under which key, and who gets it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl.checkpoint_api import Checkpoint, load_checkpoint
from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.checkpoint import bundle, object_graph, restore
from reference_impl.tracking import NoDependency, Trackable
from reference_impl.variables import Variable

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
DATA = Path(__file__).with_name("data")
X = np.sin(np.arange(32, dtype="float32")).reshape(8, 4)
Y = np.cos(np.arange(24, dtype="float32")).reshape(8, 3)


class Holder(Trackable):
    """Never calls anyone's ``__init__``."""

    def __init__(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)


def keys(prefix: str) -> list[str]:
    return [key.removesuffix(VALUE) for key in load_checkpoint(prefix).get_variable_to_shape_map() if VALUE in key]


# -- tracking ----------------------------------------------------------------------------------------------


def test_edges_are_attributes_in_order_and_containers_are_looked_into(tmp_path: Path) -> None:
    root = Holder(b=Variable(1.0), a=[Variable(2.0), 3, {"k": Variable(4.0)}], t=(1, 2), u=(0, Variable(5.0)))
    root.hidden = NoDependency(Variable(6.0))
    root.a.append(Variable(7.0))
    assert [key for key, _ in object_graph.encode(root)] == [
        f"{name}{VALUE}" for name in ("b", "a/0", "a/3", "u/1", "a/2/k")
    ] + [object_graph.GRAPH_KEY]


def test_edges_end_with_the_attribute() -> None:
    root = Holder(a=Variable(1.0), b=Variable(2.0), c=Variable(3.0))
    del root.a
    root.b = 7
    assert [name for name, _ in root._checkpoint_children()] == ["c"]


def test_a_dict_with_other_keys_is_refused() -> None:
    with pytest.raises(TypeError, match="key 3"):
        object_graph.encode(Holder(a={3: Variable(1.0)}))


def test_names_are_escaped(tmp_path: Path) -> None:
    prefix = Checkpoint(x={"a.b/c": Variable(1.0)}).write(tmp_path / "c")
    assert keys(prefix) == ["x/a..b.Sc"]


def test_the_guide_s_key_map(tmp_path: Path) -> None:
    class CustomLayer(keras.layers.Layer):
        def __init__(self, a: int) -> None:
            self.var = keras.tf.Variable(a, name="var_a")

    prefix = Checkpoint(layer=CustomLayer(5)).save(tmp_path / "guide")
    assert prefix == str(tmp_path / "guide-1")
    reader = load_checkpoint(prefix)
    assert reader.get_variable_to_dtype_map() == {
        f"layer/var{VALUE}": "int32",
        f"save_counter{VALUE}": "int64",
        "_CHECKPOINTABLE_OBJECT_GRAPH": "string",
    }
    assert reader.get_tensor(f"layer/var{VALUE}") == 5
    for suffix in (".index", ".data-00000-of-00001"):
        assert Path(prefix + suffix).read_bytes() == (DATA / f"guide-1{suffix}").read_bytes()


# -- restoring ---------------------------------------------------------------------------------------------


def test_restore_gives_back_and_counts_on(tmp_path: Path) -> None:
    saved = Checkpoint(v=Variable([1.0, 2.0]))
    saved.save(tmp_path / "c")
    prefix = saved.save(tmp_path / "c")
    assert load_checkpoint(tmp_path).get_tensor(f"save_counter{VALUE}") == 2
    other = Checkpoint(v=Variable([0.0, 0.0]))
    assert other.restore(prefix).assert_consumed().assert_existing_objects_matched() is not None
    assert other.v.numpy().tolist() == [1.0, 2.0]
    assert other.save(tmp_path / "d").endswith("d-3")


def test_what_is_made_later_is_restored_then(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Holder(b=[Variable(1.0)], c=Variable(2.0))).write(tmp_path / "c")
    root = Checkpoint()
    status = root.read(prefix)
    with pytest.raises(AssertionError, match=r"2 stored values that no object took: a/c/.*, a/b/0"):
        status.assert_consumed()
    root.a = Holder()
    root.a.c = Variable(0.0)
    assert root.a.c.numpy() == 2.0
    root.a.b = []
    root.a.b.append(Variable(0.0))
    root.a._settle()
    assert root.a.b[0].numpy() == 1.0
    status.assert_consumed()


def test_the_status_methods(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Variable(1.0), b=Variable(2.0)).write(tmp_path / "c")
    fewer = Checkpoint(a=Variable(0.0)).read(prefix)
    assert fewer.assert_existing_objects_matched() is fewer.assert_nontrivial_match()
    assert fewer.expect_partial() is fewer.initialize_or_restore() is fewer
    with pytest.raises(AssertionError, match="b/"):
        fewer.assert_consumed()
    more = Checkpoint(a=Variable(0.0), b=Variable(0.0), c=Variable(0.0)).read(prefix)
    with pytest.raises(AssertionError, match="1 objects that got no value: c"):
        more.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="c"):
        more.assert_consumed()
    with pytest.raises(AssertionError, match="nothing except the root"):
        Checkpoint(z=Variable(0.0)).read(prefix).assert_nontrivial_match()


def test_a_value_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Variable(1.0), b=Variable([1.0, 2.0])).write(tmp_path / "c")
    root = Checkpoint(a=Variable(0.0), b=Variable([0.0]))
    with pytest.raises(LoadError, match=r"b/\.ATTRIBUTES.*shape"):
        root.read(prefix)
    assert (root.a.numpy(), root.b.numpy().tolist()) == (0.0, [0.0])
    with pytest.raises(LoadError, match="dtype"):
        Checkpoint(a=Variable(0, dtype="int32")).read(prefix)


def test_a_missing_checkpoint_and_a_missing_tensor(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.index"):
        Checkpoint().restore(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path)
    prefix = Checkpoint(a=Variable(1.0)).write(tmp_path / "c")
    with pytest.raises(LoadError, match="found no tensor 'a'"):
        load_checkpoint(prefix).get_tensor("a")


# -- models ------------------------------------------------------------------------------------------------


def mlp(*units: int, head: int = 3, **compiled: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(n) for n in units), keras.layers.Dense(head)])
    if compiled:
        model.compile(**compiled)
    return model


def test_optimizer_state_has_tensorflow_s_keys(tmp_path: Path) -> None:
    model = mlp(optimizer="adam", loss="mse")
    model.save_weights(tmp_path / "untrained")
    assert keys(str(tmp_path / "untrained")) == ["layer_with_weights-0/bias", "layer_with_weights-0/kernel"]
    model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "trained")
    slot = "layer_with_weights-0/{}/.OPTIMIZER_SLOT/optimizer/{}"
    assert keys(str(tmp_path / "trained")) == sorted(
        [slot.format(weight, name) for weight in ("kernel", "bias") for name in "mv"]
        + ["layer_with_weights-0/kernel", "layer_with_weights-0/bias"]
        + [f"optimizer/{name}" for name in ("iter", "beta_1", "beta_2", "decay", "learning_rate")]
    )


def test_optimizer_state_waits_for_the_optimizer(tmp_path: Path) -> None:
    model = mlp(5, optimizer=keras.optimizers.Adam(0.03), loss="mse")
    for _ in range(3):
        model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "c")
    other = mlp(5)
    status = other.load_weights(tmp_path / "c")
    other.compile("adam", "mse")
    assert model.train_on_batch(X, Y) == other.train_on_batch(X, Y)
    assert model.train_on_batch(X, Y) == other.train_on_batch(X, Y)
    status.assert_consumed()


def test_a_new_head_stays_as_it_is(tmp_path: Path) -> None:
    old, new = mlp(5, 6), mlp(5, 6, head=2)
    trunk = keras.Model(old.inputs, old.layers[-2].output)
    trunk.save_weights(tmp_path / "c")
    head = new.layers[-1].get_weights()
    whole = keras.Model(new.inputs, new.outputs)
    status = whole.load_weights(tmp_path / "c")
    for mine, theirs in zip(new.get_weights()[:4], old.get_weights()[:4], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(new.layers[-1].get_weights()[0], head[0])
    status.assert_nontrivial_match()
    with pytest.raises(AssertionError, match="layer_with_weights-2"):
        status.assert_existing_objects_matched()


@pytest.mark.parametrize("head", [3, 6])  # 6: the head has the shape of the layer it must not get
def test_an_inner_model_s_checkpoint_is_not_for_the_outer(tmp_path: Path, head: int) -> None:
    inner = mlp(6, head=6)
    inner.save_weights(tmp_path / "c")
    outer = keras.Sequential([inner, keras.layers.Dense(head)])
    before = [np.zeros_like(value) for value in outer.get_weights()]
    outer.set_weights(before)
    with pytest.warns(UserWarning, match="nothing was loaded"):
        status = outer.load_weights(tmp_path / "c")
    for value in outer.get_weights():
        assert not value.any()
    with pytest.raises(AssertionError, match="nothing except the root"):
        status.assert_nontrivial_match()
    inner.load_weights(tmp_path / "c").assert_consumed()


def test_sequential_and_functional_share(tmp_path: Path) -> None:
    sequential = mlp(5)
    inputs = keras.Input((4,))
    functional = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Dense(5)(inputs)))
    functional.save_weights(tmp_path / "c")
    sequential.load_weights(tmp_path / "c").assert_consumed()
    np.testing.assert_array_equal(sequential(X).numpy(), functional(X).numpy())
    unbuilt = keras.Sequential([keras.layers.Dense(5), keras.layers.Dense(3)])
    status = unbuilt.load_weights(tmp_path / "c")
    np.testing.assert_array_equal(unbuilt(X).numpy(), functional(X).numpy())
    status.assert_consumed()


# -- damaged graphs ----------------------------------------------------------------------------------------


def _dangling_child(graph: Any) -> None:
    graph.nodes[0].children.add(node_id=99, local_name="x")


def _negative_slot(graph: Any) -> None:
    graph.nodes[0].slot_variables.add(original_variable_node_id=-1, slot_name="m", slot_variable_node_id=0)


def _missing_variable(graph: Any) -> None:
    graph.nodes[1].attributes[0].checkpoint_key = "elsewhere"


def _no_nodes(graph: Any) -> None:
    del graph.nodes[:]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (_dangling_child, "edge to node 99"),
        (_negative_slot, "edge to node -1"),
        (_missing_variable, "no tensor under the key elsewhere"),
        (_no_nodes, "no nodes"),
    ],
)
def test_damaged_graphs_are_refused(tmp_path: Path, damage: Callable[[Any], None], found: str) -> None:
    tensors = dict(object_graph.encode(Holder(a=Variable(1.0))))
    graph = messages.parse(messages.ObjectGraph, tensors[object_graph.GRAPH_KEY].item())
    damage(graph)
    tensors[object_graph.GRAPH_KEY][()] = messages.serialize(graph)
    bundle.write_bundle(tmp_path / "c", tensors.items())
    with pytest.raises(LoadError, match=found):
        restore.restore(tmp_path / "c", Holder(a=Variable(0.0)))


def test_a_graph_with_a_cycle_is_walked_once(tmp_path: Path) -> None:
    root = Holder(v=Variable(1.0))
    root.me = root
    bundle.write_bundle(tmp_path / "c", object_graph.encode(root))
    other = Holder(v=Variable(0.0))
    other.me = other
    restore.restore(tmp_path / "c", other).assert_consumed()
    assert other.v.numpy() == 1.0


def test_a_file_without_a_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="_CHECKPOINTABLE_OBJECT_GRAPH"):
        restore.restore(DATA / "part", Holder())
