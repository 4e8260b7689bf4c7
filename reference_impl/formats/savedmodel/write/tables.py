"""The functions of a lookup table: it is made, filled with what it holds now, and put away."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, as_dtype
from reference_impl.formats import messages
from reference_impl.formats.savedmodel.structured import TensorSpec
from reference_impl.formats.savedmodel.write.library import Concrete, Library, add_node
from reference_impl.graph.attributes import number_of
from reference_impl.ops.lookup import KEYS, VALUES, LookupTable
from reference_impl.shapes import TensorShape

RESOURCE, INT32 = DType("resource"), DType("int32")


def functions(table: LookupTable, library: Library) -> Mapping[str, Concrete]:
    """The functions of ``table`` by the names of their edges; they are added to ``library``."""
    keys, values = entries(table)
    # Tables of one name are one table, also if they are of two models.
    mark = zlib.crc32(repr((keys.tolist(), values.tolist())).encode())
    name = library.name("creator")
    dtypes = {"key_dtype": table.key_dtype, "value_dtype": table.value_dtype}
    creator = _function(name, RESOURCE, "table:table_handle:0", ["table"])
    add_node(creator.node_def, "table", "HashTableV2", [], shared_name=f"table_{name}_{mark:08x}", **dtypes)
    initializer = _function(library.name("initializer"), INT32, "done:output:0", ["import"], [("table", RESOURCE)])
    for part, array in (("keys", keys), ("values", values)):
        add_node(initializer.node_def, part, "Const", [], value=array, dtype=as_dtype(array.dtype))
    types = {"Tin": table.key_dtype, "Tout": table.value_dtype}
    inputs = ["table", "keys:output:0", "values:output:0"]
    add_node(initializer.node_def, "import", "LookupTableImportV2", inputs, **types)
    destroyer = _function(library.name("destroyer"), INT32, "done:output:0", [])
    for message in (initializer, destroyer):
        add_node(message.node_def, "done", "Const", [], value=np.array(1, np.int32), dtype=INT32)
    made = {"_create_resource": creator, "_initialize": initializer, "_destroy_resource": destroyer}
    found: dict[str, Concrete] = {}
    for edge, message in made.items():
        library.functions[message.signature.name] = message
        spec = TensorSpec(TensorShape([]), RESOURCE if message is creator else INT32)
        captures = [table] if message is initializer else []
        found[edge] = Concrete(message.signature.name, captures, ((), {}), spec)
    return found


def entries(table: LookupTable) -> tuple[Any, Any]:
    """Keys and values of ``table``, as arrays."""
    found = LookupTable._checkpoint_values(table)
    return found[KEYS].value, found[VALUES].value


def _function(
    name: str, dtype: DType, result: str, controls: Sequence[str], arguments: Sequence[tuple[str, DType]] = ()
) -> Any:
    message = messages.FunctionDef()
    message.signature.name = name
    message.signature.is_stateful = True
    for argument, kind in arguments:
        message.signature.input_arg.add(name=argument, type=number_of(kind))
    message.signature.output_arg.add(name="output", type=number_of(dtype))
    message.ret["output"] = result
    for node in controls:
        message.signature.control_output.append(node)
        message.control_ret[node] = node
    return message
