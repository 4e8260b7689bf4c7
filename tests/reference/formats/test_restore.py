"""The object graph: what is saved under which key, and who gets it back."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import reference_impl as keras
from reference_impl.checkpoint_api import (
    Checkpoint,
    latest_checkpoint,
    list_variables,
    load_checkpoint,
    load_variable,
)
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


class Pair(NamedTuple):
    b: Variable
    a: Variable


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
    with pytest.raises(ValueError, match="key 3"):
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
    assert fewer.expect_partial() is fewer
    assert fewer.initialize_or_restore() is fewer.run_restore_ops() is None
    with pytest.raises(AssertionError, match="b/"):
        fewer.assert_consumed()
    more = Checkpoint(a=Variable(0.0), b=Variable(0.0), c=Variable(0.0)).read(prefix)
    with pytest.raises(AssertionError, match="1 objects that got no value: c"):
        more.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="c"):
        more.assert_consumed()
    with pytest.raises(AssertionError, match="nothing except the root"):
        Checkpoint(z=Variable(0.0)).read(prefix).assert_nontrivial_match()


def test_a_root_s_own_edges_come_first(tmp_path: Path) -> None:
    saved = Checkpoint(Holder(a=Variable(1.0)), b=Variable(2.0))
    prefix = saved.save(tmp_path / "c")
    assert keys(prefix) == ["a", "b", "save_counter"]
    root = Holder()
    other = Checkpoint(root, b=Variable(0.0))
    status = other.restore(prefix)
    root.a = Variable(0.0)
    assert (root.a.numpy(), other.b.numpy(), other.save_counter.numpy()) == (1.0, 2.0, 1)
    status.assert_consumed()
    alone = Holder(a=Variable(0.0))
    Checkpoint(alone).read(prefix).assert_existing_objects_matched()
    assert alone.a.numpy() == 1.0


def test_what_checkpoint_does_not_take() -> None:
    root = Holder(a=Variable(1.0))
    with pytest.raises(ValueError, match=r"root\.a is something else"):
        Checkpoint(root, a=Variable(2.0))
    Checkpoint(root, a=root.a)
    with pytest.raises(ValueError, match="found a int"):
        Checkpoint(a=3)
    with pytest.raises(ValueError, match="found a list"):
        Checkpoint([root])  # type: ignore[arg-type]


def test_nothing_to_restore_yet(tmp_path: Path) -> None:
    root = Checkpoint(a=Variable(1.0))
    status = root.restore(latest_checkpoint(tmp_path))
    assert status.expect_partial() is status
    assert status.initialize_or_restore() is None
    for assertion in (
        status.assert_consumed,
        status.assert_existing_objects_matched,
        status.assert_nontrivial_match,
        status.run_restore_ops,
    ):
        with pytest.raises(AssertionError, match="No checkpoint specified"):
            assertion()


def test_the_newest_checkpoint(tmp_path: Path) -> None:
    saved = Checkpoint(a=Variable([1.0, 2.0]))
    saved.save(tmp_path / "c")
    prefix = saved.save(tmp_path / "c")
    assert latest_checkpoint(tmp_path) == prefix
    assert list_variables(tmp_path) == [
        ("_CHECKPOINTABLE_OBJECT_GRAPH", []),
        (f"a{VALUE}", [2]),
        (f"save_counter{VALUE}", []),
    ]
    assert load_variable(tmp_path, f"a{VALUE}").tolist() == [1.0, 2.0]
    Path(f"{prefix}.index").unlink()
    assert latest_checkpoint(tmp_path) is None


def test_named_tuples_have_names_and_places(tmp_path: Path) -> None:
    graph = object_graph.walk(Holder(p=Pair(Variable(1.0), Variable(2.0))))
    assert graph[1].children == [("b", 2), ("a", 3), ("0", 2), ("1", 3)]


def test_restoring_takes_no_second_array(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Variable(np.ones(1_000_000, "f4"))).write(tmp_path / "c")
    tracemalloc.start()
    try:
        root = Checkpoint(a=Variable(np.zeros(1_000_000, "f4")))
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        root.read(prefix).assert_consumed()
        assert tracemalloc.get_traced_memory()[1] - before < 1_000_000
    finally:
        tracemalloc.stop()
    assert root.a.numpy().all()


def test_what_waits_outlives_its_file(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Variable(1.0)).write(tmp_path / "c")
    root = Checkpoint()
    root.read(prefix)
    Path(f"{prefix}.data-00000-of-00001").unlink()
    root.a = Variable(0.0)
    assert root.a.numpy() == 1.0


def test_what_waits_is_verified_again(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Variable(1.0)).write(tmp_path / "c")
    root = Checkpoint()
    root.read(prefix)
    data = Path(f"{prefix}.data-00000-of-00001")
    content = data.read_bytes()
    data.write_bytes(bytes([content[0] ^ 1]) + content[1:])  # in place, as no checkpoint writer does
    with pytest.raises(LoadError, match="checksum"):
        root.a = Variable(0.0)


def test_a_file_that_is_cut_while_values_wait_is_noticed(tmp_path: Path) -> None:
    prefix = Checkpoint(a=Variable(np.ones(10000, "f4"))).write(tmp_path / "c")
    root = Checkpoint()
    root.read(prefix)
    os.truncate(f"{prefix}.data-00000-of-00001", 100)
    with pytest.raises(LoadError, match="the file is cut"):
        root.a = Variable(np.zeros(10000, "f4"))


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


def test_a_loss_scale_of_tensorflow_2_2(tmp_path: Path) -> None:
    inner = Holder(iter=Variable(5, dtype="int64"), learning_rate=Variable(0.5), momentum=Variable(0.25))
    scale = Holder(current_loss_scale=Variable(8.0), good_steps=Variable(3, dtype="int64"))
    old = Holder(v=Variable([1.0, 2.0]), optimizer=Holder(base_optimizer=inner, loss_scale=scale))
    prefix = Checkpoint(old).write(tmp_path / "c")
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, momentum=0.9))
    new = Holder(v=Variable([0.0, 0.0]), optimizer=optimizer)
    status = Checkpoint(new).read(prefix)
    optimizer.create_slots([new.v])
    assert (optimizer.loss_scale, int(optimizer.good_steps), int(optimizer.iterations)) == (8.0, 3, 5)
    assert (float(optimizer.learning_rate), float(optimizer.inner_optimizer.momentum)) == (0.5, 0.25)
    status.assert_nontrivial_match()


# -- optimizers of Keras 2.11 and later --------------------------------------------------------------------


@pytest.mark.parametrize("built", [True, False])
def test_state_crosses_the_generations(tmp_path: Path, built: bool) -> None:
    saved = mlp(5, optimizer=keras.optimizers.Adam(0.03), loss="mse")
    saved.optimizer.generation = "keras-2.11"
    saved.train_on_batch(X, Y)
    with keras.dialect("keras-2.15"):
        saved.save_weights(tmp_path / "later")
    assert "optimizer/_variables/1" in keys(str(tmp_path / "later"))
    other = mlp(5, optimizer="adam", loss="mse")
    if built:
        other.train_on_batch(X, Y)
    status = other.load_weights(tmp_path / "later")
    assert saved.train_on_batch(X, Y) == other.train_on_batch(X, Y)
    status.assert_consumed()
    assert other.optimizer.generation == "keras-2.11"
    saved.save_weights(tmp_path / "one")
    other.save_weights(tmp_path / "two")
    one, two = (load_checkpoint(tmp_path / name) for name in ("one", "two"))
    for key in (key for key in one.get_variable_to_shape_map() if key.endswith(VALUE)):
        assert np.array_equal(one.get_tensor(key), two.get_tensor(key)), key


def test_later_graphs_say_where_values_are() -> None:
    root = Holder(a=Holder(b=Variable(1.0)), empty={}, above=Holder())
    root.above.back = root.a
    with keras.dialect("keras-2.15"):
        tensors = dict(object_graph.encode(root))
    graph = messages.parse(messages.ObjectGraph, tensors[object_graph.GRAPH_KEY].item())
    assert [(child.local_name, child.node_id) for child in graph.nodes[0].children][-1] == ("root", 0)
    assert [node.has_checkpoint_values.value for node in graph.nodes] == [True, True, False, True, True]
    assert all(node.HasField("has_checkpoint_values") for node in graph.nodes)


def test_state_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    saved = mlp(5, optimizer="adam", loss="mse")
    saved.train_on_batch(X, Y)
    with keras.dialect("keras-2.15"):
        saved.save_weights(tmp_path / "later")
    other = mlp(5, optimizer="adagrad", loss="mse")
    other.train_on_batch(X, Y)
    before = other.get_weights()
    with pytest.raises(LoadError, match=r"_variables/2.*shape"):
        other.load_weights(tmp_path / "later")
    for value, old in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)


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


# -- without a graph ---------------------------------------------------------------------------------------


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A checkpoint as TensorFlow 1 wrote it."""
    values = {"dense/kernel": np.arange(8, dtype="f4").reshape(4, 2), "dense/bias": np.ones(2, "f4")}
    bundle.write_bundle(tmp_path / "tf1", {**values, "global_step": np.array(7, "i8")}.items())
    return tmp_path / "tf1"


def test_without_a_graph_names_of_variables_count(named: Path) -> None:
    root = Checkpoint(a=[Variable(np.zeros(2, "f4"), name="dense/bias")], b=Variable(0.0, name="elsewhere"))
    status = root.restore(named)
    assert root.a[0].numpy().tolist() == [1.0, 1.0]
    for assertion in (status.assert_consumed, status.assert_existing_objects_matched, status.assert_nontrivial_match):
        with pytest.raises(AssertionError, match="1 objects that got no value: elsewhere"):
            assertion()
    assert status.expect_partial() is status


def test_names_are_waited_for(named: Path) -> None:
    model = keras.Sequential([keras.layers.Dense(2, name="dense")])
    status = model.load_weights(named)
    model.build((None, 4))
    assert model.get_weights()[0].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    status.assert_consumed()


def test_no_name_in_common_is_refused(named: Path) -> None:
    with pytest.raises(LoadError, match="none of the names other"):
        restore.restore(named, Holder(a=Variable(0.0, name="other")))


def test_a_name_that_does_not_fit_changes_nothing(named: Path) -> None:
    root = Checkpoint(
        a=Variable(0, name="global_step", dtype="int64"), b=Variable(np.zeros(3, "f4"), name="dense/bias")
    )
    with pytest.raises(LoadError, match=r"dense/bias.*shape"):
        root.restore(named)
    assert root.a.numpy() == 0
