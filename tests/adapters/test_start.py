"""How a file of the adapters' folder becomes a program, and what it does with fd 0 and 1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.adapters.conversation import ADAPTERS

ISOLATED = f"""
import sys
sys.path.insert(0, {str(ADAPTERS)!r})  # as Python does for a script
import start
import conformance.adapters.schema
import importlib.util as u
print([bool(u.find_spec(name)) for name in ("tf_keras", "server", "reference_impl", "json")])
print(conformance.adapters.schema.__file__)
"""

TALKATIVE = """
import os, sys
sys.path.insert(0, {root!r})
from conformance.adapters.server import serve
from tests.adapters import toy

class Asking(toy.Dense):
    def get_config(self):
        os.write(1, b"written to fd 1\\n")
        return {{"answer": input("go on? ")}}

def make():
    print("printed at import")
    os.write(1, b"written at import\\n")
    library = toy.Toy()
    library.keras.layers.Dense = Asking
    return library

serve(make)
"""


def test_the_library_is_not_hidden_and_the_driver_is_not_seen(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ISOLATED], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    # -S: without site-packages NumPy is missing, and so is everything else that might be installed there.
    assert done.returncode == 0, done.stderr
    found, file = done.stdout.splitlines()
    assert found == "[False, False, False, True]"
    assert Path(file) == ADAPTERS / "schema.py"


def test_a_library_can_neither_write_into_the_protocol_nor_read_from_it(tmp_path: Path) -> None:
    program = tmp_path / "talkative.py"
    program.write_text(TALKATIVE.format(root=str(ADAPTERS.parents[1])))
    requests: list[dict[str, Any]] = [
        {"id": 1, "method": "build_layer", "params": {"layer": {"class": "Dense"}}},
        {"id": 2, "method": "get_config", "params": {"object": "layer:1"}},
        {"id": 3, "method": "shutdown", "params": {}},
    ]
    lines = [json.dumps({"jsonrpc": "2.0", **request}) for request in requests]
    lines.insert(1, "no JSON")
    lines[-1] = " " * 100_000 + lines[-1]  # more than the adapter has read when the library asks its question
    done = subprocess.run(
        [sys.executable, str(program)], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built, unread, asked, stopped = map(json.loads, done.stdout.splitlines())
    assert built["result"]["value"] == {"object": "layer:1"}
    assert (unread["id"], unread["error"]["data"]["kind"]) == (None, "invalid-params")
    assert (asked["error"]["data"]["exception"], asked["error"]["data"]["kind"]) == ("EOFError", "refused")
    assert stopped["result"]["value"] == {}
    assert {"printed at import", "written at import", "written to fd 1"} <= set(done.stderr.splitlines())
