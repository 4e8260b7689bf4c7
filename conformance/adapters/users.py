"""The operation that runs a file of the user's own: the classes and functions that their models need.

The user names the file; no model does. It is run as a module of its own with `keras` and `tf` there, the library's
under test, so that one file can serve every implementation as long as it does not import another Keras.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any, Dict, Mapping

from conformance.adapters.workspace import Operation, Params, Result, Workspace

DECLARED = "CUSTOM_OBJECTS"


def _load_objects(work: Workspace, params: Params) -> Result:
    path = Path(params["path"])
    # Libraries look a class's module up, by name and by file, for its source.
    module = types.ModuleType("user_" + path.stem)  # no file of a user's may hide a module of the library
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    own: Dict[str, Any] = module.__dict__
    own.update(keras=work.keras, tf=work.library.tf)
    exec(compile(path.read_bytes(), str(path), "exec"), own)
    return {"objects": {name: work.add_custom(name, thing) for name, thing in _defined(own).items()}}


def _defined(own: Mapping[str, Any]) -> Mapping[str, Any]:
    """By name what the file declares, or else every class and function that it defines itself."""
    if DECLARED in own:
        return dict(own[DECLARED])
    kinds = (type, types.FunctionType)
    return {
        name: thing
        for name, thing in own.items()
        if not name.startswith("_") and isinstance(thing, kinds) and thing.__module__ == own["__name__"]
    }


OPERATIONS: Dict[str, Operation] = {"load_objects": _load_objects}
