"""The operation that runs plain Python text of the suite, as the guide's own examples are."""

from __future__ import annotations

import contextlib
import io
import linecache
import os
from typing import Dict, Generator

import numpy as np

from conformance.adapters.workspace import Operation, Params, Result, Workspace


def _run_source(work: Workspace, params: Params) -> Result:
    if not work.source:
        # The name of a user's script: libraries record it with a class.
        work.source = {"__name__": "__main__", "np": np, "tf": work.library.tensorflow(), "keras": work.keras}
    text, name = params["source"], params["name"]
    # AutoGraph reads the source of the functions it converts; there is no file, so it is told here.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    prints = io.StringIO()
    with _inside(params["directory"]), contextlib.redirect_stdout(prints):
        exec(compile(text, name, "exec"), work.source)
    return {"stdout": prints.getvalue()}


@contextlib.contextmanager
def _inside(directory: str) -> Generator[None, None, None]:
    before = os.getcwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


OPERATIONS: Dict[str, Operation] = {"run_source": _run_source}
