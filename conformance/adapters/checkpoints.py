"""Operations spelled in TensorFlow's own API: checkpoints of chosen objects, and a SavedModel's functions alone."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from conformance.adapters.workspace import Operation, Params, Result, Workspace


def _checkpoint_save(work: Workspace, params: Params) -> Result:
    checkpoint = _checkpoint(work, params["objects"])
    write = checkpoint.save if params["method"] == "save" else checkpoint.write
    return {"path": write(params["path"])}


def _checkpoint_restore(work: Workspace, params: Params) -> Result:
    status = _checkpoint(work, params["objects"]).restore(params["path"])
    return {"status": None if status is None else work.add("status", status)}


def _checkpoint_list(work: Workspace, params: Params) -> Result:
    reader = work.library.tensorflow().train.load_checkpoint(params["path"])
    dtypes = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    return {
        "dtypes": {key: str(getattr(dtype, "name", dtype)) for key, dtype in dtypes.items()},
        "shapes": {key: [int(size) for size in shape] for key, shape in shapes.items()},
    }


def _checkpoint_read(work: Workspace, params: Params) -> Result:
    reader = work.library.tensorflow().train.load_checkpoint(params["path"])
    keys = [key for key in reader.get_variable_to_shape_map() if key != _OBJECT_GRAPH]
    return {"values": {key: work.array_out(reader.get_tensor(key)) for key in sorted(keys)}}


def _graph_load(work: Workspace, params: Params) -> Result:
    return {"object": work.add("graph", work.library.tensorflow().saved_model.load(params["path"]))}


def _checkpoint(work: Workspace, objects: Mapping[str, str]) -> Any:
    named = {name: work.get(handle) for name, handle in objects.items()}
    return work.library.tensorflow().train.Checkpoint(**named)


_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

OPERATIONS: Dict[str, Operation] = {
    "checkpoint_save": _checkpoint_save,
    "checkpoint_restore": _checkpoint_restore,
    "checkpoint_list": _checkpoint_list,
    "checkpoint_read": _checkpoint_read,
    "graph_load": _graph_load,
}
