"""The operations of the protocol as plain Keras code: a statement or two each, and what they show as expressions.

What the adapters do (conformance/adapters) is what a user would have written; this is that, written down. An operation
whose params have no Python form raises :class:`NotPrintable`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from conformance.adapters.encoding import EncodingError, decode_array
from conformance.blueprint import Compile
from conformance.blueprint.reading import from_json, read_layer
from conformance.blueprint.source import Printer
from conformance.suite.repro_recorder import Conversation, Turn

# Arrays of more elements are printed as their bytes.
PRINTED = 64


class NotPrintable(Exception):
    """What has no form as plain Keras code: says which operation, and why."""


@dataclass(frozen=True)
class Speech:
    """How a library's names are spelled in a script. ``module`` is what Keras is imported as."""

    module: str
    imports: tuple[str, ...]
    ops: str
    tensor: str
    flatten: str
    mean: str
    square: str


_REFERENCE = (
    "import reference_impl as keras",
    "from reference_impl import tf",
    "from reference_impl.structure import flatten",
)
_TF = ("tf.constant", "tf.nest.flatten", "tf.reduce_mean", "tf.square")
_K3 = ("keras.ops.convert_to_tensor", "keras.tree.flatten", "keras.ops.mean", "keras.ops.square")

# By the name an adapter gives itself in `hello`.
SPEECHES: Mapping[str, Speech] = {
    "tf.keras": Speech("tf.keras", ("import tensorflow as tf", "from tensorflow import keras"), "keras.backend", *_TF),
    "tf_keras": Speech("tf_keras", ("import tensorflow as tf", "import tf_keras as keras"), "keras.backend", *_TF),
    "keras": Speech("keras", ("import keras",), "keras.ops", *_K3),
    "reference_impl": Speech("reference_impl", _REFERENCE, "keras.backend", _TF[0], "flatten", *_TF[2:]),
}


@dataclass
class Script:
    """A script that is being written: one variable a handle, one a result."""

    speech: Speech
    conversation: Conversation
    printer: Printer = field(default_factory=Printer)

    def path(self, text: str) -> str:
        """A path, relative to the directory in which the script runs."""
        root = self.conversation.root
        relative = text if root is None or not Path(text).is_relative_to(root) else str(Path(text).relative_to(root))
        trailing = "/" if text.endswith("/") and not relative.endswith("/") else ""
        return repr(relative + trailing)

    def array(self, encoded: Any) -> str:
        """An array as an expression."""
        try:
            array = decode_array(encoded, self.conversation.arrays)
        except (EncodingError, OSError) as error:
            raise NotPrintable(f"an array that is no longer there: {error}") from error
        return array_source(array)

    def arrays(self, encoded: Sequence[Any]) -> str:
        """A list of arrays."""
        return f"[{', '.join(map(self.array, encoded))}]"

    def one_or_list(self, encoded: Sequence[Any]) -> str:
        """One array bare, several as a list."""
        return self.array(encoded[0]) if len(encoded) == 1 else self.arrays(encoded)

    def customs(self, names: Mapping[str, str]) -> str:
        """A dict of custom objects."""
        return "{" + ", ".join(f"{name!r}: {self.printer.custom(one)}" for name, one in names.items()) + "}"

    def options(self, params: Mapping[str, Any], *names: str) -> str:
        """Further arguments of a call: those that the operation was given."""
        text = ""
        if params.get("custom_objects") is not None:
            text += f", custom_objects={self.customs(params['custom_objects'])}"
        if "format" in params:
            text += f", save_format={params['format']!r}"
        return text + "".join(f", {name}={params[name]!r}" for name in names if params.get(name) is not None)

    def around_path(self, params: Mapping[str, Any], mode: str, call: Callable[[str], str]) -> list[str]:
        """A call with the path in the type that was asked for."""
        path, kind = self.path(params["path"]), params.get("path_type", "str")
        if kind == "h5py":
            return ["import h5py", "", f"with h5py.File({path}, {mode!r}) as file:", "    " + call("file")]
        if kind == "pathlike":
            return [*_PATHLIKE, call(f"PathLike({path})")]
        return [call({"str": path, "pathlib": f"pathlib.Path({path})", "bytes": f"{path}.encode()"}[kind])]


_PATHLIKE = (
    "class PathLike:",
    "    def __init__(self, path): self.path = path",
    "    def __fspath__(self): return self.path",
)


def array_source(array: Any) -> str:
    """A NumPy array as an expression."""
    if array.dtype.kind not in "biufc" or array.dtype.name == "bfloat16":
        if array.dtype.kind == "O" or array.dtype.kind in "US":
            return f"np.array({array.tolist()!r}, {'object' if array.dtype.kind == 'O' else repr(array.dtype.str)})"
        raise NotPrintable(f"an array of dtype {array.dtype} has no plain NumPy form")
    if array.size <= PRINTED and array.size and np.isfinite(array).all():
        return f"np.array({_numbers_of(array)!r}, {array.dtype.name!r})"
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return f"np.frombuffer(base64.b64decode({data!r}), {array.dtype.name!r}).reshape({array.shape!r})"


def _numbers_of(array: Any) -> Any:
    """The numbers with no more digits than their dtype needs."""
    if array.dtype.kind != "f":
        return array.tolist()
    short = np.array([float(str(number)) for number in array.reshape(-1)], np.float64).reshape(array.shape)
    return short.tolist() if np.array_equal(short.astype(array.dtype), array) else array.tolist()


def variable(handle: str) -> str:
    """The variable of a handle: ``model:1`` → ``model_1``."""
    return handle.replace(":", "_")


def _build(s: Script, t: Turn) -> list[str]:
    return [*s.printer.model(from_json(t.params["blueprint"])), f"{_made(t)} = model"]


def _made(t: Turn) -> str:
    """The variable for what the operation made, also where it was refused."""
    return variable(t.made) if t.made else f"made_{t.number}"


def _of(t: Turn) -> str:
    return variable(t.params["object"])


def _build_layer(s: Script, t: Turn) -> list[str]:
    lines = [f"{_made(t)} = {s.printer.node(read_layer(t.params['layer']))}"]
    if t.params["layer"].get("trainable") is False:
        lines.append(f"{_made(t)}.trainable = False")
    shape = t.params.get("input_shape")
    return lines if shape is None else [*lines, f"{_made(t)}.build({(None, *shape)!r})"]


def _sequential_of(s: Script, t: Turn) -> list[str]:
    def part(given: Mapping[str, Any]) -> str:
        if "object" in given:
            return variable(given["object"])
        if "layer" in given:
            return s.printer.node(read_layer(given["layer"]))
        return f"keras.Input(shape={tuple(given['input']['shape'])!r}, dtype={given['input'].get('dtype')!r})"

    return [f"{_made(t)} = keras.Sequential([{', '.join(map(part, t.params['parts']))}]{s.options(t.params, 'name')})"]


def _layer_expression(t: Turn) -> str:
    key = t.params["layer"]
    return f"{_of(t)}.get_layer({key!r})" if isinstance(key, str) else f"{_of(t)}.layers[{key}]"


def _part_model(s: Script, t: Turn) -> list[str]:
    tensor = f"{_layer_expression(t)}.{t.params['tensor']}"
    return [f"{_made(t)} = keras.Model({_of(t)}.inputs, {tensor}{s.options(t.params, 'name')})"]


def _attribute(s: Script, t: Turn) -> list[str]:
    steps = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in t.params["name"].split("."))
    return [f"{_made(t)} = {_of(t)}{steps}"]


def _compile(s: Script, t: Turn) -> list[str]:
    given: dict[str, Any] = {"loss": None, "metrics": [], "loss_weights": None, **t.params["compile"]}
    return [s.printer.compile(Compile(**given), _of(t))]


def _train(s: Script, t: Turn) -> list[str]:
    lines = [f"steps_{t.number} = []"]
    for batch in t.params["batches"]:
        x, y = s.one_or_list(batch["x"]), s.one_or_list(batch["y"])
        lines += [f"{_of(t)}.reset_metrics()"]
        lines += [f"steps_{t.number}.append({_of(t)}.train_on_batch({x}, {y}, return_dict=True))"]
    return lines


def _add_loss(s: Script, t: Turn) -> list[str]:
    factor, mean = t.params["factor"], s.speech.mean
    weight = f"{_of(t)}.trainable_weights[0]"
    if t.params["form"] == "callable":
        return [f"{_of(t)}.add_loss(lambda: {factor} * {mean}({s.speech.square}({weight})))"]
    return [f"{_of(t)}.add_loss({factor} * {mean}({_of(t)}.outputs[0]))"]


def _save(s: Script, t: Turn) -> list[str]:
    more = s.options(t.params, "include_optimizer", "overwrite")
    return s.around_path(t.params, "w", lambda path: f"{_of(t)}.save({path}{more})")


def _load(s: Script, t: Turn) -> list[str]:
    more = s.options(t.params, "compile")
    return s.around_path(t.params, "r", lambda path: f"{_made(t)} = keras.models.load_model({path}{more})")


def _save_weights(s: Script, t: Turn) -> list[str]:
    more = s.options(t.params, "overwrite")
    return s.around_path(t.params, "w", lambda path: f"{_of(t)}.save_weights({path}{more})")


def _load_weights(s: Script, t: Turn) -> list[str]:
    more = s.options(t.params, "by_name", "skip_mismatch")
    bound = f"{variable(t.status)} = " if t.status else ""
    return s.around_path(t.params, "r", lambda path: f"{bound}{_of(t)}.load_weights({path}{more})")


def _get_config(s: Script, t: Turn) -> list[str]:
    made = _made(t)
    changed = any(turn.operation == "mutate" and turn.params["object"] == t.made for turn in s.conversation.turns)
    shown = f"copy.deepcopy({made})" if changed else made
    return [f"{made} = {_of(t)}.get_config()", f"seen_{t.number} = {shown}"]


def _mutate(s: Script, t: Turn) -> list[str]:
    keys = "".join(f"[{key!r}]" for key in t.params["path"])
    return [f"{_of(t)}{keys} = {s.printer.value(t.params['value'])}"]


def _from_config(s: Script, t: Turn) -> list[str]:
    name = t.params["class"]
    if isinstance(name, str):
        cls = f"keras.{name}" if name in ("Sequential", "Model") else f"keras.layers.{name}"
    else:
        cls = s.printer.custom(name["custom"])
    config = _of(t) if "object" in t.params else s.printer.value(t.params["config"])
    given = f"given_{t.number}"
    return [f"{given} = {config}", f"{_made(t)} = {cls}.from_config({given}{s.options(t.params)})"]


_MODULES = {
    "layer": "layers", "activation": "activations", "loss": "losses", "metric": "metrics", "optimizer": "optimizers",
    "initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints",
}  # fmt: skip


def _serialize(s: Script, t: Turn) -> list[str]:
    thing = _of(t) if "object" in t.params else s.printer.custom(t.params["custom"])
    return [f"seen_{t.number} = keras.{_MODULES[t.params.get('kind', 'layer')]}.serialize({thing})"]


def _deserialize(s: Script, t: Turn) -> list[str]:
    function = f"keras.{_MODULES[t.params['kind']]}.deserialize"
    arguments = f"{s.printer.value(t.params['value'])}{s.options(t.params)}"
    if t.params.get("thread"):
        pool = "concurrent.futures.ThreadPoolExecutor(1)"
        return [f"{_made(t)} = {pool}.submit({function}, {arguments}).result()"]
    return [f"{_made(t)} = {function}({arguments})"]


def _enter_scope(s: Script, t: Turn) -> list[str]:
    scope = f"keras.utils.custom_object_scope({s.customs(t.params['objects'])})"
    return [f"scopes.append({scope})", "scopes[-1].__enter__()"]


def _exit_scope(s: Script, t: Turn) -> list[str]:
    raised = 'RuntimeError, RuntimeError("raised in the scope"), None' if t.params["error"] else "None, None, None"
    return [f"scopes.pop().__exit__({raised})"]


def _register(s: Script, t: Turn) -> list[str]:
    given = [f"{name}={t.params[name]!r}" for name in ("package", "name") if t.params.get(name) is not None]
    custom = s.printer.custom(t.params["custom"])
    return [
        f"keras.utils.register_keras_serializable({', '.join(given)})({custom})",
        f"seen_{t.number} = keras.utils.get_registered_name({custom})",
    ]


def _checkpoint(t: Turn) -> str:
    given = ", ".join(f"{name}={variable(handle)}" for name, handle in t.params["objects"].items())
    return f"tf.train.Checkpoint({given})"


def _checkpoint_restore(s: Script, t: Turn) -> list[str]:
    bound = f"{variable(t.status)} = " if t.status else ""
    return [f"{bound}{_checkpoint(t)}.restore({s.path(t.params['path'])})"]


def _checkpoint_list(s: Script, t: Turn) -> list[str]:
    reader = f"reader_{t.number}"
    return [
        f"{reader} = tf.train.load_checkpoint({s.path(t.params['path'])})",
        f"seen_{t.number} = {reader}.get_variable_to_shape_map()",
    ]


def _run_source(s: Script, t: Turn) -> list[str]:
    if not t.params["source"].strip():
        return []
    directory = s.path(t.params["directory"])
    lines = [] if directory == "'.'" else [f"os.chdir({directory})"]
    return [*lines, *t.params["source"].strip("\n").splitlines()]


def _optimizer(s: Script, t: Turn) -> list[str]:
    found, n = f"getattr({_of(t)}, 'optimizer', None)", t.number
    answer: Mapping[str, Any] = t.value or {}
    if not answer.get("present", True):
        return [f"optimizer_{n} = {found}"]
    iterations = f"iterations_{n} = int(np.asarray(optimizer_{n}.iterations))"
    return [f"optimizer_{n} = {found}", iterations, f"config_{n} = optimizer_{n}.get_config()",
            f"state_{n} = optimizer_{n}.variables",
            f"state_{n} = [np.array(v) for v in (state_{n}() if callable(state_{n}) else state_{n})]"]  # fmt: skip


_WHICH = {"all": "weights", "trainable": "trainable_weights", "non_trainable": "non_trainable_weights"}

_PLAIN: Mapping[str, Callable[[Script, Turn], str]] = {
    "layer": lambda s, t: f"{_made(t)} = {_layer_expression(t)}",
    "clone": lambda s, t: f"{_made(t)} = keras.models.clone_model({_of(t)})",
    "weights": lambda s, t: (
        f"weights_{t.number} = {_of(t)}.{_WHICH[t.params.get('which', 'all')]}\n"
        f"values_{t.number} = [np.array(weight) for weight in weights_{t.number}]"
    ),
    "get_weights": lambda s, t: f"values_{t.number} = {_of(t)}.get_weights()",
    "set_weights": lambda s, t: f"{_of(t)}.set_weights({s.arrays(t.params['arrays'])})",
    "value": lambda s, t: f"values_{t.number} = np.array({_of(t)})",
    "assign": lambda s, t: f"{_of(t)}.assign({s.array(t.params['value'])})",
    "set_trainable": lambda s, t: f"{_of(t)}.trainable = {t.params['trainable']}",
    "losses": lambda s, t: f"values_{t.number} = [np.array(loss) for loss in {_of(t)}.losses]",
    "summary": lambda s, t: f"{_of(t)}.summary()",
    "predict": lambda s, t: (
        f"values_{t.number} = {s.speech.flatten}({_of(t)}.predict("
        f"{s.one_or_list(t.params['inputs'])}, verbose=0{s.options(t.params, 'batch_size')}))"
    ),
    "call": lambda s, t: (
        f"values_{t.number} = {s.speech.flatten}({_of(t)}({_tensors(s, t)}{s.options(t.params, 'training')}))"
    ),
    "evaluate": lambda s, t: (
        f"numbers_{t.number} = {_of(t)}.evaluate({s.one_or_list(t.params['x'])}, "
        f"{s.one_or_list(t.params['y'])}, verbose=0, return_dict=True)"
    ),
    "add_metric": lambda s, t: f"{_of(t)}.add_metric({s.speech.mean}({_of(t)}.outputs[0]), name={t.params['name']!r})",
    "status": lambda s, t: f"seen_{t.number} = {_of(t)}.{t.params['check']}() is {_of(t)}",
    "to_json": lambda s, t: f"seen_{t.number} = {_of(t)}.to_json()",
    "from_json": lambda s, t: f"{_made(t)} = keras.models.model_from_json({t.params['json']!r}{s.options(t.params)})",
    "set_global": lambda s, t: f"keras.utils.get_custom_objects().update({s.customs(t.params['objects'])})",
    "checkpoint_save": lambda s, t: f"{_checkpoint(t)}.{t.params['method']}({s.path(t.params['path'])})",
    "graph_load": lambda s, t: f"{_made(t)} = tf.saved_model.load({s.path(t.params['path'])})",
    "describe": lambda s, t: "",
}


def _tensors(s: Script, t: Turn) -> str:
    tensors = [f"{s.speech.tensor}({s.array(one)})" for one in t.params["inputs"]]
    return tensors[0] if len(tensors) == 1 else f"[{', '.join(tensors)}]"


_STATEMENTS: Mapping[str, Callable[[Script, Turn], list[str]]] = {
    **{name: lambda s, t, p=printer: p(s, t).splitlines() for name, printer in _PLAIN.items()},
    "build": _build,
    "build_layer": _build_layer,
    "sequential_of": _sequential_of,
    "part_model": _part_model,
    "attribute": _attribute,
    "compile": _compile,
    "train": _train,
    "add_loss": _add_loss,
    "save": _save,
    "load": _load,
    "save_weights": _save_weights,
    "load_weights": _load_weights,
    "get_config": _get_config,
    "mutate": _mutate,
    "from_config": _from_config,
    "serialize": _serialize,
    "deserialize": _deserialize,
    "enter_scope": _enter_scope,
    "exit_scope": _exit_scope,
    "register": _register,
    "checkpoint_restore": _checkpoint_restore,
    "checkpoint_list": _checkpoint_list,
    "optimizer": _optimizer,
    "run_source": _run_source,
}


def statements(script: Script, turn: Turn) -> list[str]:
    """The operation as statements. Raises NotPrintable."""
    if turn.operation not in _STATEMENTS:
        raise NotPrintable(f"the operation {turn.operation!r} has no form as plain Keras code")
    try:
        return _STATEMENTS[turn.operation](script, turn)
    except (ValueError, TypeError, KeyError) as error:  # BlueprintError is a ValueError
        raise NotPrintable(f"{turn.operation}: {error}") from error


@dataclass(frozen=True)
class Leaf:
    """A part of an answer: the expression that gives it in the script, and what the implementation answered."""

    expression: str
    answer: Any
    is_array: bool = False


def leaves(turn: Turn) -> list[Leaf]:
    """What an operation showed, part by part; nothing for one that only does something."""
    shown = _LEAVES.get(turn.operation)
    return [] if shown is None or turn.value is None else shown(turn.number, turn.params.get("object"), turn.value)


def shown_in(stdout: str) -> dict[str, Any]:
    """What a program of the suite gave to ``show`` (conformance/suite/scripts.py)."""
    found: dict[str, Any] = {}
    for line in stdout.splitlines():
        if line.startswith(_SHOWN):
            found |= json.loads(line.removeprefix(_SHOWN))
    return found


_SHOWN = "SHOWN: "


def _all(n: int, encoded: Sequence[Any]) -> list[Leaf]:
    return [Leaf(f"np.asarray(values_{n}[{i}])", one, is_array=True) for i, one in enumerate(encoded)]


def _numbers(name: str, numbers: Mapping[str, Any]) -> list[Leaf]:
    return [Leaf(f"list({name})", list(numbers)), *(Leaf(f"float({name}[{k!r}])", v) for k, v in numbers.items())]


def _describe(n: int, handle: Any, found: Mapping[str, Any]) -> list[Leaf]:
    o = variable(handle)
    leaf = [Leaf(f"type({o}).__name__", found["class_name"])]
    leaf += [Leaf(f"getattr({o}, 'marker', None)", found["marker"])] if found["marker"] else []
    leaf += [Leaf(f"{o}.{name}", found[name]) for name in ("name", "trainable") if found[name] is not None]
    if found["layers"]:
        flags = {layer["name"]: layer["trainable"] for layer in found["layers"]}
        leaf += [Leaf("{" + f"layer.name: layer.trainable for layer in {o}.layers" + "}", flags)]
        classes = [layer["class_name"] for layer in found["layers"]]
        leaf += [Leaf(f"[type(layer).__name__ for layer in {o}.layers]", classes)]
    return leaf


def _optimizer_leaves(n: int, handle: Any, found: Mapping[str, Any]) -> list[Leaf]:
    leaf = [Leaf(f"optimizer_{n} is not None", found["present"])]
    if not found["present"]:
        return leaf
    state = [Leaf(f"state_{n}[{i}]", one["value"], is_array=True) for i, one in enumerate(found["variables"])]
    return [*leaf, Leaf(f"iterations_{n}", found["iterations"]), Leaf(f"len(state_{n})", len(state)), *state]


_LEAVES: Mapping[str, Callable[[int, Any, Mapping[str, Any]], list[Leaf]]] = {
    "describe": _describe,
    "optimizer": _optimizer_leaves,
    "weights": lambda n, _, found: [
        Leaf(f"[weight.name for weight in weights_{n}]", [one["name"] for one in found["weights"]]),
        *(Leaf(f"values_{n}[{i}]", one["value"], is_array=True) for i, one in enumerate(found["weights"])),
    ],
    "get_weights": lambda n, _, found: _all(n, found["arrays"]),
    "predict": lambda n, _, found: _all(n, found["outputs"]),
    "call": lambda n, _, found: _all(n, found["outputs"]),
    "losses": lambda n, _, found: _all(n, found["values"]),
    "value": lambda n, _, found: [Leaf(f"values_{n}", found["value"], is_array=True)],
    "train": lambda n, _, found: [
        leaf for i, step in enumerate(found["steps"]) for leaf in _numbers(f"steps_{n}[{i}]", step)
    ],
    "evaluate": lambda n, _, found: _numbers(f"numbers_{n}", found["values"]),
    "get_config": lambda n, _, found: [Leaf(f"seen_{n}", found["config"])],
    "from_config": lambda n, _, found: [Leaf(f"given_{n}", found["config_after"])],
    "to_json": lambda n, _, found: [Leaf(f"seen_{n}", found["json"])],
    "serialize": lambda n, _, found: [Leaf(f"seen_{n}", found["value"])],
    "register": lambda n, _, found: [Leaf(f"seen_{n}", found["registered_name"])],
    "status": lambda n, _, found: [Leaf(f"seen_{n}", found["returns_itself"])],
    "checkpoint_list": lambda n, _, found: [Leaf(f"seen_{n}", found["shapes"])],
    "run_source": lambda n, _, found: [Leaf(f"shown[{k!r}]", v) for k, v in shown_in(found["stdout"]).items()],
}
