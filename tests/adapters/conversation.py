"""Talk to an adapter in raw protocol messages, over a pipe or in this process."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

ADAPTERS = Path(__file__).resolve().parents[2] / "conformance" / "adapters"

# Implementation -> its adapter's arguments and environment.
PROGRAMS: dict[str, tuple[list[str], dict[str, str]]] = {
    "reference": (["reference.py"], {}),
    "tf2.4": (["tf_keras.py"], {}),
    "tf2.15": (["tf_keras.py"], {}),
    "tf-keras": (["tf_keras.py", "tf_keras"], {}),
    "keras3": (["keras3.py"], {"KERAS_BACKEND": "tensorflow"}),
    "keras3-jax": (["keras3.py"], {"KERAS_BACKEND": "jax"}),
}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONHASHSEED": "0"}

Message = dict[str, Any]


class Answering(Protocol):
    def answer(self, request: Message) -> Message: ...


class Conversation:
    """Requests by operation name; remembers which operations were asked and what the last one said."""

    def __init__(self, other: Answering) -> None:
        self._other = other
        self._count = 0
        self.asked: set[str] = set()
        self.messages: list[dict[str, str]] = []

    def ask(self, operation: str, **params: Any) -> Any:
        """The value of an operation that must succeed."""
        response = self._exchange(operation, params)
        assert "error" not in response, f"{operation}: {json.dumps(response['error'])}"
        self.messages = response["result"]["messages"]
        return response["result"]["value"]

    def fail(self, operation: str, **params: Any) -> Message:
        """The error data of an operation that must fail."""
        response = self._exchange(operation, params)
        assert "error" in response, f"{operation} succeeded: {json.dumps(response)[:500]}"
        return response["error"]["data"]

    def outcome(self, operation: str, **params: Any) -> Any:
        """The value of an operation, or the kind of its failure."""
        response = self._exchange(operation, params)
        return response["error"]["data"]["kind"] if "error" in response else response["result"]["value"]

    def _exchange(self, operation: str, params: Message) -> Message:
        self._count += 1
        self.asked.add(operation)
        request = {"jsonrpc": "2.0", "id": self._count, "method": operation, "params": params}
        response = self._other.answer(request)
        assert response["id"] == self._count
        assert response["jsonrpc"] == "2.0"
        return response


class Piped:
    """An adapter as a program."""

    def __init__(self, name: str, errors: IO[str], cwd: Path) -> None:
        arguments, environment = PROGRAMS[name]
        self.process = subprocess.Popen(
            [str(interpreter(name)), str(ADAPTERS / arguments[0]), *arguments[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=cwd,
            env={**os.environ, **QUIET, **environment},
            text=True,
            encoding="utf-8",
        )

    def answer(self, request: Message) -> Message:
        return json.loads(self.answer_line(json.dumps(request)))

    def answer_line(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the adapter ended with {self.process.wait()}"
        return answer

    def end(self) -> int:
        """Close its input; its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        return status


def interpreter(name: str) -> Path:
    """The interpreter of an implementation; skips the test, saying what is missing, if there is none."""
    if name == "reference":
        return Path(sys.executable)
    root = Path(__file__).resolve().parents[2]
    folders = [Path(os.environ["KERAS_CONFORMANCE_ENVS"])] if "KERAS_CONFORMANCE_ENVS" in os.environ else []
    tried = [folder / name / "bin" / "python" for folder in (*folders, root / ".tox")]
    found = next((path for path in tried if path.exists()), None)
    if found is None:
        pytest.skip(f"no interpreter for {name}: missing " + ", ".join(str(path) for path in tried))
    return found


def array(values: Any, dtype: str = "float32") -> Message:
    """The protocol's Array of some numbers."""
    made = np.asarray(values, dtype=dtype)
    return {"dtype": dtype, "shape": list(made.shape), "data": base64.b64encode(made.tobytes()).decode()}


def numbers(encoded: Message) -> NDArray[Any]:
    """The numbers of an Array."""
    flat = np.frombuffer(base64.b64decode(encoded["data"]), dtype=encoded["dtype"])
    return flat.reshape(encoded["shape"])
