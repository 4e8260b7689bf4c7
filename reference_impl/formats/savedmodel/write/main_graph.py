"""The graph outside of all functions: what loaders of TensorFlow 1, TF Serving and ``saved_model_cli`` run.

::

    NAME                  VarHandleOp of a variable; NAME/Read/ReadVariableOp reads it
    NAME                  HashTableV2 of a table; NAME/import fills it, and init, a NoOp, waits for all of these
    serving_default_KEY   Placeholder of an input
    StatefulPartitionedCall   the signature's function on the inputs, variables and tables
    saver_filename        Placeholder: the prefix of a checkpoint
    save/save_tensors     SaveV2; save/control_dependency is the prefix, once that is done
    save/restore_tensors  RestoreV2; save/restore_all, a NoOp, waits for the assignments

``SaverDef`` and ``SignatureDef`` say which of them are what.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, as_dtype
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY, VALUE_SUFFIX
from reference_impl.formats.savedmodel.write.library import CALL, Concrete, add_node, free_name
from reference_impl.formats.savedmodel.write.tables import entries
from reference_impl.graph.attributes import FunctionName, number_of, shape_message
from reference_impl.ops.lookup import LookupTable
from reference_impl.tracking import VARIABLE_VALUE

SERVING = "serving_default"
RESOURCE, STRING = DType("resource"), DType("string")


@dataclass(frozen=True)
class Stored:
    """A variable: the object (which is captured), its path in the checkpoint, its full name, its value."""

    target: Any
    path: str
    name: str
    value: Any


class MainGraph:
    """The nodes of the main graph, and the definitions that go with them, put into a ``MetaGraph``."""

    def __init__(self, meta_graph: Any) -> None:
        self._meta = meta_graph
        self._names: set[str] = set()
        self._handles: dict[int, str] = {}

    def fill(
        self,
        variables: Sequence[Stored],
        tables: Sequence[tuple[str, LookupTable]],
        concrete: Concrete,
        object_graph: Any,
    ) -> None:
        """Write everything.

        ``concrete``: the function of the signature ``serving_default``. ``object_graph``: that of the checkpoint, a string,
        which belongs into every checkpoint that the graph saves.
        """
        reads = [self._variable(variable) for variable in variables]
        imports = [self._table(name, table) for name, table in tables]
        self._node("init", "NoOp", [f"^{name}" for name in imports])
        self._signature(concrete)
        self._saver(variables, reads, object_graph)
        self._init_op()

    # -- variables and tables --------------------------------------------------------------------------------------

    def _variable(self, variable: Stored) -> str:
        dtype = as_dtype(variable.value.dtype)
        name = self._unique(variable.name)
        self._node(name, "VarHandleOp", [], dtype=dtype, shape=variable.value.shape, shared_name=name)
        self._handles[id(variable.target)] = name
        return self._node(f"{name}/Read/ReadVariableOp", "ReadVariableOp", [name], dtype=dtype)

    def _table(self, path: str, table: LookupTable) -> str:
        name = self._unique(path)
        self._handles[id(table)] = name
        dtypes = {"key_dtype": table.key_dtype, "value_dtype": table.value_dtype}
        self._node(name, "HashTableV2", [], shared_name=name, **dtypes)
        content = [
            self._constant(f"{name}/{part}", array)
            for part, array in zip(("keys", "values"), entries(table), strict=True)
        ]
        types = {"Tin": table.key_dtype, "Tout": table.value_dtype}
        return self._node(f"{name}/import", "LookupTableImportV2", [name, *content], **types)

    # -- signatures ------------------------------------------------------------------------------------------------

    def _signature(self, concrete: Concrete) -> None:
        _, keywords = concrete.inputs
        message = self._meta.signature_def[SERVING]
        message.method_name = "tensorflow/serving/predict"
        inputs: list[str] = []
        for key, spec in keywords.items():
            name = self._node(self._unique(f"{SERVING}_{key}"), "Placeholder", [], dtype=spec.dtype, shape=spec.shape)
            inputs.append(name)
            _describe(message.inputs[key], f"{name}:0", spec)
        handles = [self._handles[id(thing)] for thing in concrete.captures]
        call = self._node(
            CALL,
            CALL,
            [*inputs, *handles],
            f=FunctionName(concrete.name),
            Tin=[*(spec.dtype for spec in keywords.values()), *[RESOURCE] * len(handles)],
            Tout=[spec.dtype for spec in concrete.outputs.values()],
        )
        for place, (key, spec) in enumerate(concrete.outputs.items()):
            _describe(message.outputs[key], f"{call}:{place}", spec)

    def _init_op(self) -> None:
        info = self._meta.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"]
        info.name = "init"
        info.tensor_shape.unknown_rank = True
        self._meta.collection_def["saved_model_main_op"].node_list.value.append("init")

    # -- saving and restoring --------------------------------------------------------------------------------------

    def _saver(self, variables: Sequence[Stored], reads: Sequence[str], object_graph: Any) -> None:
        prefix = self._node("saver_filename", "Placeholder", [], dtype=STRING, shape=())
        keys = [*(f"{variable.path}{VALUE_SUFFIX}" for variable in variables), GRAPH_KEY]
        names = self._constant("save/tensor_names", _strings(keys))
        slices = self._constant("save/shape_and_slices", _strings([""] * len(keys)))
        graph = self._constant("save/object_graph", object_graph)
        dtypes = [*(as_dtype(variable.value.dtype) for variable in variables), STRING]
        self._node("save/save_tensors", "SaveV2", [prefix, names, slices, *reads, graph], dtypes=dtypes)
        self._node("save/control_dependency", "Identity", [prefix, "^save/save_tensors"], T=STRING)
        self._node("save/restore_tensors", "RestoreV2", [prefix, names, slices], dtypes=dtypes)
        assigned: list[str] = []
        for place, (variable, dtype) in enumerate(zip(variables, dtypes, strict=False)):
            value = f"save/restore_tensors:{place}" if place else "save/restore_tensors"
            inputs = [self._handles[id(variable.target)], value]
            assigned.append(self._node(f"save/assign_{place}", "AssignVariableOp", inputs, dtype=dtype))
        self._node("save/restore_all", "NoOp", [f"^{name}" for name in assigned])
        saver = self._meta.saver_def
        saver.filename_tensor_name = f"{prefix}:0"
        saver.save_tensor_name = "save/control_dependency:0"
        saver.restore_op_name = "save/restore_all"
        saver.version = 2

    # -- nodes -----------------------------------------------------------------------------------------------------

    def _unique(self, name: str) -> str:
        clean = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name)
        return free_name(clean if re.match("[A-Za-z0-9.]", clean) else f"a{clean}", self._names)

    def _constant(self, name: str, array: Any) -> str:
        return self._node(name, "Const", [], value=array, dtype=as_dtype(array.dtype))

    def _node(self, name: str, op: str, inputs: Sequence[str], **attrs: Any) -> str:
        add_node(self._meta.graph_def.node, name, op, inputs, **attrs)
        self._names.add(name.lower())
        return name


def stored_variables(walked: Sequence[Any]) -> list[Stored]:
    """The variables among the nodes of a walk."""
    found: list[Stored] = []
    for node in walked:
        saved = node.trackable._checkpoint_values().get(VARIABLE_VALUE)
        if saved is not None:
            found.append(Stored(node.trackable.target, node.path, saved.full_name or "Variable", saved.value))
    return found


def _strings(items: Sequence[str]) -> Any:
    return np.array([item.encode() for item in items], dtype=object)


def _describe(info: Any, name: str, spec: Any) -> None:
    info.name = name
    info.dtype = number_of(spec.dtype)
    info.tensor_shape.CopyFrom(shape_message(spec.shape))
