"""Operations on what the library knows by name: scopes, the global dict, registered classes."""

from __future__ import annotations

from typing import Dict

from conformance.adapters.failures import InvalidParams
from conformance.adapters.workspace import Operation, Params, Result, Workspace, given


def _enter_scope(work: Workspace, params: Params) -> Result:
    scope = work.keras.utils.custom_object_scope(work.custom_objects(params["objects"]))
    scope.__enter__()
    work.scopes.append(scope)
    return {}


def _exit_scope(work: Workspace, params: Params) -> Result:
    if not work.scopes:
        raise InvalidParams("no scope was entered since the last reset")
    scope = work.scopes.pop()
    if params["error"]:  # what the with statement does when its block raises
        error = RuntimeError("raised in the scope")
        scope.__exit__(RuntimeError, error, None)
    else:
        scope.__exit__(None, None, None)
    return {}


def _set_global(work: Workspace, params: Params) -> Result:
    work.keras.utils.get_custom_objects().update(work.custom_objects(params["objects"]))
    return {}


def _register(work: Workspace, params: Params) -> Result:
    custom = work.custom(params["custom"])
    work.keras.utils.register_keras_serializable(**given(params, "package", "name"))(custom)
    return {"registered_name": work.keras.utils.get_registered_name(custom)}


OPERATIONS: Dict[str, Operation] = {
    "enter_scope": _enter_scope,
    "exit_scope": _exit_scope,
    "set_global": _set_global,
    "register": _register,
}
