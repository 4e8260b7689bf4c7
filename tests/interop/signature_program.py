"""Prints TensorFlow's registry of ops, a line each, in the form of ``reference_impl/graph/signatures.txt``."""

import contextlib
import json

from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session


def dtype(number):
    return types_pb2.DataType.Name(number)[3:].lower()


def shown(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value.decode("latin-1")) if isinstance(value, bytes) else str(value).strip()


def default(attribute):
    kind = attribute.WhichOneof("value")
    value = getattr(attribute, kind) if kind else None
    if kind is None:
        return ""
    if kind == "type":
        return dtype(value)
    if kind == "list":
        items = [
            dtype(item) if field.name == "type" else shown(item)
            for field, found in value.ListFields()
            for item in found
        ]
        return "[%s]" % ",".join(items)
    if kind == "shape":
        return "unknown" if value.unknown_rank else "[%s]" % ",".join(str(dim.size) for dim in value.dim)
    return "TENSOR" if kind == "tensor" else shown(value)


def argument(message):
    held = message.type_attr or message.type_list_attr or dtype(message.type)
    if message.is_ref:
        held = "ref " + held
    if message.number_attr:
        held = message.number_attr + "*" + held
    return "%s:%s%s" % (message.name, "*" if message.type_list_attr else "", held)


def line(op):
    arguments = [", ".join(map(argument, part)) for part in (op.input_arg, op.output_arg)]
    text = "%s%s(%s) -> (%s)" % (op.name, "!" if op.is_stateful else "", arguments[0], arguments[1])
    for attribute in op.attr:
        text += " %s:%s" % (attribute.name, attribute.type.replace(" ", ""))
        if attribute.HasField("default_value"):
            text += "=" + default(attribute.default_value)
    return text


def main():
    found = pywrap_tf_session.TF_GetAllOpList()
    with contextlib.suppress(TypeError):
        found = pywrap_tf_session.TF_GetBuffer(found)
    ops = op_def_pb2.OpList()
    ops.ParseFromString(found)
    for op in ops.op:
        print(line(op))


if __name__ == "__main__":
    main()
