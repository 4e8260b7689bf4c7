"""SavedModels made by hand, read: from configs, from functions, as graphs alone; and damaged ones, refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError, tensors, tf
from reference_impl.dtypes import as_dtype
from reference_impl.formats import messages
from reference_impl.formats.savedmodel import composite, metadata, structured
from reference_impl.formats.savedmodel.arguments import fitting
from reference_impl.formats.savedmodel.structured import NamedTuple, TensorSpec, TypeSpec
from reference_impl.graph.attributes import message_of, number_of, shape_message
from reference_impl.shapes import TensorShape
from reference_impl.training.config import training_config
from tests.reference.formats.saved_model_folders import (
    FLOAT,
    READ,
    Graph,
    empty,
    of_model,
    product,
    spec,
    unknown_model,
    write,
)

X = np.sin(np.arange(12, dtype="float32")).reshape(4, 3)
Y = np.cos(np.arange(8, dtype="float32")).reshape(4, 2)
W = np.arange(6, dtype="float32").reshape(3, 2) / 10
load = keras.models.load_model

pytestmark = pytest.mark.filterwarnings("ignore:No training configuration found")


class Twice(keras.layers.Layer):
    """A layer of the user's own, with a config and a loss."""

    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", (), initializer="ones", regularizer="l2")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale * self.factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


def sequential(optimizer: Any = "adam") -> Any:
    layers = keras.layers
    model = keras.Sequential([layers.Dense(4, "relu", input_shape=(3,)), layers.BatchNormalization(), layers.Dense(2)])
    model.compile(optimizer, "mse", metrics=["mae"])
    for _ in range(3):
        model.train_on_batch(X, Y)
    return model


def functional() -> Any:
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    inner = keras.Sequential([keras.layers.Dense(3)], name="inner")
    joined = keras.layers.Concatenate()([inner(inner(a)), b])
    model = keras.Model([a, b], [keras.layers.Dense(1, name="p")(joined), Twice(3.0)(joined)])
    model.compile("sgd", "mse")
    return model


def state(model: Any) -> list[np.ndarray]:
    return [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.weights)]


def same(left: Any, right: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def goes_on_the_same(original: Any, loaded: Any, tolerance: float = 0.0) -> None:
    wanted = [original.train_on_batch(X, Y)[0] for _ in range(3)]
    found = [loaded.train_on_batch(X, Y)[0] for _ in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=tolerance)
    for left, right in zip(original.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(right, left, rtol=0, atol=tolerance)


# -- from configs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "nadam", "ftrl"])
def test_a_compiled_model_goes_on_where_it_stopped(tmp_path: Path, optimizer: str) -> None:
    model = sequential(optimizer)
    loaded = load(of_model(tmp_path / "m", model, training_config(model)))
    assert type(loaded) is keras.Sequential
    assert same(state(model), state(loaded))
    goes_on_the_same(model, loaded)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "nadam", "ftrl"])
def test_metadata_beside_the_graph_and_optimizer_state_in_a_list(tmp_path: Path, optimizer: str) -> None:
    model = sequential(optimizer)
    with keras.dialect("keras-2.15"):
        path = of_model(tmp_path / "m", model, training_config(model), keras_file=True)
    loaded = load(path)
    assert same(state(model), state(loaded))
    if optimizer in ("sgd", "adam"):  # the others compute something else since 2.11
        goes_on_the_same(model, loaded, 1e-5)


def test_shared_and_nested_layers_are_revived_once(tmp_path: Path) -> None:
    model = functional()
    loaded = load(of_model(tmp_path / "m", model), {"Twice": Twice}, compile=False)
    assert len(loaded.weights) == len(model.weights)
    inputs = [X, X[:, :2]]
    for wanted, found in zip(model.predict(inputs), loaded.predict(inputs), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert isinstance(loaded.layers[-1], Twice)
    assert len(loaded.losses) == 1


def test_a_frozen_layer_stays_frozen(tmp_path: Path) -> None:
    model = functional()
    model.get_layer("inner").trainable = False
    loaded = load(of_model(tmp_path / "m", model), {"Twice": Twice}, compile=False)
    assert [w.name for w in loaded.trainable_weights] == [w.name for w in model.trainable_weights]


def test_an_unknown_class_without_functions_is_named(tmp_path: Path) -> None:
    path = of_model(tmp_path / "m", functional())
    with pytest.raises(LoadError, match=r"m: object .*: Unknown layer: Twice"):
        load(path)


def test_a_model_that_was_not_compiled_says_so(tmp_path: Path) -> None:
    path = of_model(tmp_path / "m", sequential())
    with pytest.warns(UserWarning, match="No training configuration found in save file"):
        assert load(path).optimizer is None


def test_compile_false_takes_the_weights_alone(tmp_path: Path) -> None:
    model = sequential()
    loaded = load(of_model(tmp_path / "m", model, training_config(model)), compile=False)
    assert loaded.optimizer is None
    assert same(model.get_weights(), loaded.get_weights())


def test_weights_of_a_folder(tmp_path: Path) -> None:
    model, other = sequential(), sequential()
    path = of_model(tmp_path / "m", model)
    other.load_weights(path).assert_consumed()
    assert same(state(model), state(other))


# -- from functions ----------------------------------------------------------------------------------------------


def test_an_unknown_class_does_what_its_functions_do(tmp_path: Path) -> None:
    loaded = load(unknown_model(W).save(tmp_path / "m"), compile=False)
    assert type(loaded).__name__ == "Doubling"
    assert isinstance(loaded, keras.Model)
    np.testing.assert_allclose(loaded.predict(X), X @ W, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(loaded(X, training=True)), 2 * X @ W, rtol=1e-6)
    assert [float(loss) for loss in loaded.losses] == [2.0]
    assert [weight.name for weight in loaded.trainable_weights] == ["w:0"]
    with pytest.raises(NotImplementedError, match="saved without a config"):
        loaded.get_config()


def test_an_unknown_class_is_trained_through_its_functions(tmp_path: Path) -> None:
    loaded = load(unknown_model(W).save(tmp_path / "m"), compile=False)
    loaded.compile("sgd", "mse")
    loss = loaded.train_on_batch(X, Y)
    error = 2 * X @ W - Y
    np.testing.assert_allclose(loss, (error**2).mean() + 2, rtol=1e-5)
    np.testing.assert_allclose(loaded.get_weights()[0], W - 0.01 * X.T @ (4 * error / error.size), rtol=1e-5)


def test_a_loss_of_no_arguments_is_asked_at_each_step(tmp_path: Path) -> None:
    graph = unknown_model(W)
    graph.function(
        "penalty",
        {"w": "resource"},
        [
            ("read", "ReadVariableOp", ["w"], READ),
            (
                "axes",
                "Const",
                [],
                {"dtype": ("type", as_dtype("int32")), "value": ("tensor", np.arange(2, dtype="int32"))},
            ),
            ("sum", "Sum", ["read:value:0", "axes:output:0"], {**FLOAT, "Tidx": ("type", as_dtype("int32"))}),
        ],
        {"a": ("float32", "sum:output:0")},
    )
    graph.concrete("penalty", ((), {}), spec(), [1])
    api = graph.edge("keras_api", graph.thing())
    listed = graph.edge("layer_regularization_losses", graph.thing("trackable_list_wrapper"), api)
    graph.python("0", [], [], "penalty", parent=listed)
    loaded = load(graph.save(tmp_path / "m"), compile=False)
    np.testing.assert_allclose(float(loaded.losses[0]), W.sum(), rtol=1e-6)
    loaded.weights[0].assign(W * 2)
    np.testing.assert_allclose(float(loaded.losses[0]), 2 * W.sum(), rtol=1e-6)


def test_a_metric_of_an_unknown_class_is_left_out_with_a_warning(tmp_path: Path) -> None:
    class Count(keras.metrics.Mean):
        pass

    class Counted(keras.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.count = Count(name="count")

        def call(self, inputs: Any) -> Any:
            return inputs * 2.0

    keras.Sequential([keras.Input((3,)), Counted()]).save(tmp_path / "m")
    with pytest.warns(UserWarning, match=r"m: object \d+ \(layer\S*/count\): a metric of the unknown class 'Count'"):
        loaded = load(tmp_path / "m", compile=False)
    assert getattr(loaded.layers[0], "count", None) is None
    np.testing.assert_array_equal(np.asarray(loaded(X)), X * 2)
    assert isinstance(load(tmp_path / "m", {"Count": Count}, compile=False).layers[0].count, Count)


def test_a_class_that_is_at_hand_is_preferred(tmp_path: Path) -> None:
    class Doubling(keras.Model):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight("w", (3, 2))

        def call(self, x: Any) -> Any:
            return tf.matmul(x, self.w) + 1.0

        def get_config(self) -> dict[str, Any]:
            return {}

    path = unknown_model(W, config={}, build_input_shape=[None, 3]).save(tmp_path / "m")
    loaded = load(path, {"Doubling": Doubling}, compile=False)
    assert type(loaded) is Doubling
    np.testing.assert_allclose(loaded.predict(X), X @ W + 1, rtol=1e-6)


def test_a_known_class_that_refuses_its_config_is_no_unknown_class(tmp_path: Path) -> None:
    class Doubling(keras.Model):
        def __init__(self, other: int) -> None:
            super().__init__()

    path = unknown_model(W, config={}).save(tmp_path / "m")
    with pytest.raises(LoadError, match=r"m: object 0 .*Doubling"):
        load(path, {"Doubling": Doubling}, compile=False)


def test_a_class_without_config_is_revived_though_it_is_at_hand(tmp_path: Path) -> None:
    class Doubling(keras.Model):
        pass

    no_config = {"layer was saved without config": True}
    path = unknown_model(W, config=no_config).save(tmp_path / "m")
    loaded = load(path, {"Doubling": Doubling}, compile=False)
    assert not isinstance(loaded, Doubling)
    np.testing.assert_allclose(loaded.predict(X), X @ W, rtol=1e-6)


def test_the_function_of_a_lambda_runs_and_its_code_does_not(tmp_path: Path) -> None:
    code = ["4wEAAAABAAAAAAAAAAAAAAAA", None, None]
    graph = unknown_model(W, class_name="Lambda", config={"name": "doubling", "function": code})
    loaded = load(graph.save(tmp_path / "m"), compile=False)
    np.testing.assert_allclose(loaded.predict(X), X @ W, rtol=1e-6)


def test_a_text_is_bytes_to_a_graph() -> None:
    expected = ((TensorSpec(TensorShape([None]), as_dtype("string")),), {})
    for given in (
        ["a", "é"],
        np.array(["a", "é"]),
        np.array(["a", "é"], object),
        np.array([b"a", "é".encode()], object),
    ):
        tensors = fitting(expected, ((given,), {}), converting=True)
        assert tensors is not None
        assert tensors[0].value.tolist() == [b"a", "é".encode()]


# -- graphs alone ------------------------------------------------------------------------------------------------


def module() -> Graph:
    """``x @ w`` as a function of tensors, with a signature."""
    graph = Graph()
    number = graph.variable("w", W)
    product(graph, "call", number, 1.0, ((spec(None, 3, name="x"),), {}), losses=False)
    graph.python("__call__", ["x"], [], "call")
    product(graph, "signature", number, 3.0, ((), {"x": spec(None, 3, name="x")}), losses=False)
    graph.objects.concrete_functions["signature"].output_signature.CopyFrom(structured.encode({"y": spec(None, 2)}))
    signatures = graph.edge("signatures", graph.thing("signature_map"))
    node = graph.objects.nodes.add()
    node.bare_concrete_function.concrete_function_name = "signature"
    node.bare_concrete_function.argument_keywords.append("x")
    node.bare_concrete_function.allowed_positional_arguments = 1
    graph.edge("serving_default", len(graph.objects.nodes) - 1, signatures)
    return graph


def test_what_the_graph_gives_is_called_and_is_no_model(tmp_path: Path) -> None:
    graph = tf.saved_model.load(module().save(tmp_path / "m"))
    np.testing.assert_allclose(np.asarray(graph(X)), X @ W, rtol=1e-6)
    assert not hasattr(graph, "predict")
    assert not hasattr(graph, "fit")
    assert [variable.name for variable in graph.variables] == ["w:0"]
    assert graph.trainable_variables[0] is graph.w


@pytest.mark.parametrize("dtype", ["float64", "int32", "float16"])
def test_the_graph_takes_the_saved_dtype_alone(tmp_path: Path, dtype: str) -> None:
    graph = tf.saved_model.load(module().save(tmp_path / "m"))
    with pytest.raises(ValueError, match=rf"found the arguments .*{dtype}.*expected one of .*float32\[None, 3\]"):
        graph(X.astype(dtype))


def test_signatures_are_called_by_keyword(tmp_path: Path) -> None:
    signature = tf.saved_model.load(module().save(tmp_path / "m")).signatures["serving_default"]
    np.testing.assert_allclose(np.asarray(signature(x=X)["y"]), 3 * X @ W, rtol=1e-6)
    assert signature.structured_outputs == {"y": spec(None, 2)}
    with pytest.raises(TypeError, match=r"found the arguments \['z'\], expected \['x'\]"):
        signature(z=X)


def test_a_folder_without_keras_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"Keras did not write .*tf\.saved_model\.load"):
        load(module().save(tmp_path / "m"))


def test_a_graph_of_tensorflow_1(tmp_path: Path) -> None:
    """Its saver restores the variable ``w`` from the key ``other``, of which it is the first three rows."""
    graph = Graph()
    graph.variables.other = keras.tf.Variable(np.concatenate([W, W]), name="other")
    path = graph.save(tmp_path / "m")
    bundle = path / "variables" / "variables"
    from reference_impl.formats.checkpoint import write_bundle

    write_bundle(bundle, [("other", np.concatenate([W, W]))])
    saved = empty()
    main = saved.meta_graphs[0]

    def node(name: str, op: str, inputs: list[str], **attrs: Any) -> None:
        message = main.graph_def.node.add(name=name, op=op, input=inputs)
        for attribute, (kind, value) in attrs.items():
            message.attr[attribute].CopyFrom(message_of(value, kind))

    def texts(*values: bytes) -> dict[str, Any]:
        return {"dtype": ("type", as_dtype("string")), "value": ("tensor", np.array(values, object))}

    node("x", "Placeholder", [], dtype=READ["dtype"])
    node("w", "VarHandleOp", [], dtype=READ["dtype"], shape=("shape", TensorShape([3, 2])), shared_name=("string", "w"))
    node("read", "ReadVariableOp", ["w"], dtype=READ["dtype"])
    node("y", "MatMul", ["x", "read"], **FLOAT)
    node("keys", "Const", [], **texts(b"other"))
    node("pieces", "Const", [], **texts(b"6 2 0,3:-"))
    node("prefix", "Const", [], **texts(b"p"))
    node("restore", "RestoreV2", ["prefix", "keys", "pieces"], dtypes=("list(type)", [as_dtype("float32")]))
    node("assign", "AssignVariableOp", ["w", "restore"], dtype=READ["dtype"])
    node("all", "NoOp", ["^assign"])
    main.saver_def.restore_op_name = "all"
    signature = main.signature_def["f"]
    for infos, key, tensor in ((signature.inputs, "a", "x:0"), (signature.outputs, "b", "y:0")):
        infos[key].name, infos[key].dtype = tensor, number_of("float32")
        infos[key].tensor_shape.CopyFrom(shape_message(None))
    write(path, saved)
    loaded = tf.saved_model.load(path)
    np.testing.assert_allclose(np.asarray(loaded.signatures["f"](a=X)["b"]), X @ W, rtol=1e-6)
    assert [variable.name for variable in loaded.variables] == ["w:0"]


def test_one_metagraph_of_several_by_its_tags(tmp_path: Path) -> None:
    saved = module().saved
    saved.meta_graphs.add().meta_info_def.tags.extend(["train", "gpu"])
    path = write(module().save(tmp_path / "m"), saved)
    with pytest.raises(LoadError, match=r"2 MetaGraphs, with the tags \['serve'\], \['gpu', 'train'\]; say by `tags`"):
        tf.saved_model.load(path)
    with pytest.raises(
        LoadError, match=r"no MetaGraph with the tags \['tpu'\]; there are .*\['serve'\], \['gpu', 'train'\]"
    ):
        tf.saved_model.load(path, "tpu")
    np.testing.assert_allclose(np.asarray(tf.saved_model.load(path, tags=["serve"])(X)), X @ W, rtol=1e-6)


def test_serve_is_asked_for_and_not_there(tmp_path: Path) -> None:
    saved = empty(["train"])
    with pytest.raises(LoadError, match=r"tags \['serve'\]; there are MetaGraphs with the tags \['train'\]"):
        tf.saved_model.load(write(tmp_path / "m", saved), "serve")


def composite_module(spec: TypeSpec, parts: list[str], taken: Any = None) -> Graph:
    """A function that gives the parts of what it is given, as they are."""
    graph = Graph()
    function = graph.meta_graph.graph_def.library.function.add()
    function.signature.name = "call"
    for place, dtype in enumerate(parts):
        function.signature.input_arg.add(name=f"i{place}", type=number_of(dtype))
        function.signature.output_arg.add(name=f"o{place}", type=number_of(dtype))
        function.ret[f"o{place}"] = f"i{place}"
    graph.concrete("call", ((spec,), {}) if taken is None else taken, spec)
    graph.python("__call__", ["x"] if taken is None else [], [], "call")
    return graph


def test_sparse_and_ragged_tensors_are_taken_and_given_by_their_parts(tmp_path: Path) -> None:
    shape, dtype = TensorShape([None, None]), as_dtype("float32")
    sparse = TypeSpec(1, "SparseTensorSpec", (shape, dtype))
    given = composite.SparseTensor(
        *(tensors.convert(part) for part in (np.array([[0, 1]]), np.array([5], np.float32), np.array([2, 2])))
    )
    found = tf.saved_model.load(composite_module(sparse, ["int64", "float32", "int64"]).save(tmp_path / "s"))(given)
    assert [found.indices.value.tolist(), found.values.value.tolist(), found.dense_shape.value.tolist()] == [
        [[0, 1]],
        [5],
        [2, 2],
    ]
    ragged = TypeSpec(3, "RaggedTensorSpec", (TensorShape([None, None, None]), dtype, 2, as_dtype("int64")))
    outer, inner = tensors.convert(np.array([0, 2])), tensors.convert(np.array([0, 1, 3]))
    rows = composite.RaggedTensor(tensors.convert(np.array([1, 2, 3], np.float32)), (outer, inner))
    found = tf.saved_model.load(composite_module(ragged, ["float32", "int64", "int64"]).save(tmp_path / "r"))(rows)
    assert found.flat_values.value.tolist() == [1, 2, 3]
    assert [splits.value.tolist() for splits in found.nested_row_splits] == [[0, 2], [0, 1, 3]]


def test_results_of_other_kinds_are_refused(tmp_path: Path) -> None:
    spec = TypeSpec(4, "DatasetSpec", None)
    graph = composite_module(spec, [], ((), {}))
    with pytest.raises(LoadError, match=r"function call: found a result of the kind DatasetSpec, expected a tensor"):
        tf.saved_model.load(graph.save(tmp_path / "m"))()


# -- damaged -----------------------------------------------------------------------------------------------------


def _bad_edge(saved: Any) -> None:
    saved.meta_graphs[0].object_graph_def.nodes[0].children.add(local_name="x", node_id=999)


def _no_json(saved: Any) -> None:
    saved.meta_graphs[0].object_graph_def.nodes[1].user_object.metadata = "{"


def _a_list(saved: Any) -> None:
    saved.meta_graphs[0].object_graph_def.nodes[0].user_object.metadata = "[]"


def _inside_itself(saved: Any) -> None:
    nodes = saved.meta_graphs[0].object_graph_def.nodes
    text = json.loads(nodes[0].user_object.metadata)
    inner = nodes[1]
    inner.user_object.metadata = json.dumps({**text, "name": text["name"]})
    inner.ClearField("children")
    for place in range(3):
        inner.children.add(local_name=f"layer-{place}", node_id=0)


def _version(saved: Any) -> None:
    saved.saved_model_schema_version = 2


def _no_graph(saved: Any) -> None:
    saved.ClearField("meta_graphs")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_bad_edge, "object 0: found edges to .*999.*, expected ends among"),
        (_no_json, r"object 1 \(layer_with_weights-0\): the metadata of Keras: found what cannot be read"),
        (_a_list, "object 0 .*found what cannot be read .*list"),
        (_inside_itself, "a layer inside itself"),
        (_version, "saved_model_schema_version: found 2, expected 1"),
        (_no_graph, "found no MetaGraph"),
    ],
)
def test_a_folder_that_does_not_fit_together(tmp_path: Path, change: Any, message: str) -> None:
    path = of_model(tmp_path / "m", sequential(), change=change)
    with pytest.raises(LoadError, match=message) as refusal:
        load(path)
    assert str(path) in str(refusal.value)


def test_a_weight_that_the_checkpoint_lacks_is_named(tmp_path: Path) -> None:
    model = sequential()
    path = of_model(tmp_path / "m", model)
    other = keras.Sequential([keras.layers.Dense(4, "relu", input_shape=(3,)), keras.layers.BatchNormalization()])
    from reference_impl.formats.checkpoint import object_graph, write_bundle

    write_bundle(path / "variables" / "variables", object_graph.encode(other))
    with pytest.raises(LoadError, match=r"m: variables/: found no value for 2 weights: dense_\d+/kernel:0"):
        load(path, compile=False)


@pytest.mark.parametrize(
    "missing", ["variables/variables.index", "variables/variables.data-00000-of-00001", "saved_model.pb"]
)
def test_a_file_that_is_not_there(tmp_path: Path, missing: str) -> None:
    path = of_model(tmp_path / "m", sequential())
    (path / missing).unlink()
    with pytest.raises(LoadError, match=str(path)):
        load(path)


@pytest.mark.parametrize("file", ["saved_model.pb", "keras_metadata.pb"])
def test_bytes_that_are_no_message(tmp_path: Path, file: str) -> None:
    with keras.dialect("keras-2.15"):
        path = of_model(tmp_path / "m", sequential(), keras_file=True)
    (path / file).write_bytes(b"\xff" * 40)
    with pytest.raises(LoadError, match=file):
        load(path)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", ""])
def test_an_asset_outside_the_folder(tmp_path: Path, name: str) -> None:
    graph = module()
    graph.meta_graph.asset_file_def.add(filename=name)
    with pytest.raises(LoadError, match="expected the name of a file in assets/"):
        tf.saved_model.load(graph.save(tmp_path / "m"))


def test_what_a_function_captures_must_be_a_value(tmp_path: Path) -> None:
    graph = module()
    graph.objects.concrete_functions["call"].bound_inputs[0] = 0
    loaded = tf.saved_model.load(graph.save(tmp_path / "m"))
    with pytest.raises(LoadError, match=r"function call: captured object 0 \(root\): found the kind user_object"):
        loaded(X)


@pytest.mark.parametrize("count", [0, 2])
def test_a_wrong_number_of_captures(tmp_path: Path, count: int) -> None:
    graph = module()
    bound = graph.objects.concrete_functions["call"].bound_inputs
    del bound[:]
    bound.extend([1] * count)
    loaded = tf.saved_model.load(graph.save(tmp_path / "m"))
    with pytest.raises(LoadError, match=r"function call: found .* arguments, expected 2"):
        loaded(X)


def test_a_function_that_is_not_in_the_library(tmp_path: Path) -> None:
    graph = module()
    graph.objects.nodes[2].function.concrete_functions.append("gone")
    with pytest.raises(LoadError, match="function gone: found no entry in concrete_functions"):
        tf.saved_model.load(graph.save(tmp_path / "m"))
    graph.concrete("gone", ((spec(None, 3),), {}), spec(None, 2))
    graph.objects.nodes[2].function.concrete_functions[:] = ["gone"]
    with pytest.raises(LoadError, match="function gone: found no such function in the library"):
        tf.saved_model.load(graph.save(tmp_path / "m"))(X)


def test_a_variable_of_another_shape_than_its_value(tmp_path: Path) -> None:
    graph = module()
    graph.objects.nodes[1].variable.shape.CopyFrom(shape_message([3, 3]))
    with pytest.raises(
        LoadError, match=r"object 1 \(w\): the value in variables/: found float32\[3, 2\], expected float32"
    ):
        tf.saved_model.load(graph.save(tmp_path / "m"))


# -- values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, -(1 << 40), 0.5, "text", [1, (2, None)], {"a": [], "b": {}}, TensorShape([None, 3]), as_dtype("int8"),
        spec(2, None, name="x"), TensorSpec(None, as_dtype("float32")), NamedTuple("T", {"b": 1, "a": (spec(),)}),
        structured.TypeSpec(3, "RaggedTensorSpec", (TensorShape([None]), 1), 2),
    ],
)  # fmt: skip
def test_structured_values_both_ways(value: Any) -> None:
    message = messages.parse(messages.StructuredValue, messages.serialize(structured.encode(value)))
    found = structured.decode(message)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        {
            "a": (1, [None, "x"]),
            "b": TensorShape([None, 2]),
            "c": ...,
            "d": {"class_name": "Dense", "config": {"u": (1,)}},
        },
        {"spec": metadata.TypeSpec("tf.TensorSpec", (TensorShape([None]), "float32", "x"))},
    ],
)
def test_metadata_both_ways(value: Any) -> None:
    found = metadata.decode(metadata.encode(value))
    assert found == value
    assert repr(found) == repr(value)


def test_specs_as_later_versions_write_them() -> None:
    text = '{"class_name": "TypeSpec", "type_spec": "tf.TensorSpec", "serialized": {"class_name": "__tuple__", "items": [1]}}'
    assert metadata.decode(f'{{"s": {text}}}')["s"].parts == (1,)
