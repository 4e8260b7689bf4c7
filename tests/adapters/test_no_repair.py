"""An adapter translates, never repairs: nothing in it goes on after an exception of the library.

Every `except` of the adapters is listed here with the reason it may be there. A `try` with `finally` alone only tidies
up, and needs none.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.adapters.conversation import ADAPTERS

ALLOWED = {
    ("server.py", "handle", "Exception"): "the frame around every operation: turns the exception into the response",
    ("server.py", "_read", "SchemaViolation"): "a request that breaks its schema is the driver's fault",
    ("server.py", "_check_result", "SchemaViolation"): "a result that breaks its schema is the adapter's fault",
    ("server.py", "_parsed", "ValueError"): "a line that is not JSON",
    ("workspace.py", "_decoding", "EncodingError"): "a value of the request that cannot be decoded",
}
# Code of the protocol, for both of its ends, which never calls a library.
PROTOCOL = {"encoding.py", "schema.py"}


def handlers(file: Path) -> set[tuple[str, str, str]]:
    """(file, function, exception) of each except clause, and of what suppresses exceptions without one."""
    found: set[tuple[str, str, str]] = set()

    def walk(node: ast.AST, function: str) -> None:
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            if isinstance(child, ast.ExceptHandler):
                found.add((file.name, inside, ast.unparse(child.type) if child.type else "everything"))
            if isinstance(child, ast.Attribute | ast.Name) and ast.unparse(child).endswith("suppress"):
                found.add((file.name, inside, "suppress"))
            walk(child, inside)

    walk(ast.parse(file.read_text(encoding="utf-8")), "")
    return found


def test_every_except_is_listed_with_its_reason() -> None:
    files = [file for file in ADAPTERS.glob("*.py") if file.name not in PROTOCOL]
    assert len(files) > 10
    assert set().union(*map(handlers, files)) == set(ALLOWED)


def test_a_catch_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(
        "import contextlib\n"
        "def load():\n    try:\n        pass\n    except (KeyError, OSError):\n        pass\n"
        "def save():\n    with contextlib.suppress(ValueError):\n        pass\n"
        "def tidy():\n    try:\n        pass\n    finally:\n        pass\n"
    )
    assert handlers(file) == {("bad.py", "load", "(KeyError, OSError)"), ("bad.py", "save", "suppress")}
