"""The implementations the suite knows, where their interpreters are, and a session with each.

implementation.toml::

    name = "tf2.4"                      the folder's name
    title = "tensorflow-cpu 2.4.4 (tf.keras)"
    dialects = ["keras-2.4"]            in which it is judged
    python = "3.8"                      of its interpreter; "driver": the one that runs this
    adapter = "tf_keras.py"             a program beside this file, or else one of conformance/adapters
    arguments = ["tensorflow.keras"]    of the adapter; "{dialect}" stands for the dialect
    requirements = "requirements.txt"   what its interpreter needs
    [env]                               environment variables
    [limits]                            start, request (seconds), memory_gb

Instead of python, adapter and arguments there may be `command`, a list, for an adapter in any language; "{folder}"
in it stands for the folder of the file.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import conformance
from conformance.protocol.errors import StartFailure
from conformance.protocol.session import Session
from conformance.protocol.transport import InProcessTransport, Limits, ProcessTransport, Transport
from conformance.spec.table import SpecificationError, Table

FOLDER = Path(__file__).parent
ADAPTERS = Path(conformance.__file__).parent / "adapters"
CLONE = Path(conformance.__file__).parent.parent
FILE = "implementation.toml"
DRIVER = "driver"
ENVIRONMENTS_VARIABLE = "KERAS_CONFORMANCE_ENVS"


class ImplementationError(ValueError):
    """An unknown implementation, or an implementation.toml that cannot be used: names the file and the field."""


class InterpreterMissing(StartFailure):
    """An implementation whose interpreter is nowhere: where it was looked for, and the command that makes it."""


@dataclass(frozen=True)
class ImplementationSpec:
    """What an implementation.toml says, its paths made absolute. `command` is empty where there is an `adapter`."""

    file: Path
    name: str
    title: str
    dialects: tuple[str, ...]
    python: str
    adapter: Path | None
    arguments: tuple[str, ...]
    command: tuple[str, ...]
    requirements: Path | None
    env: Mapping[str, str]
    limits: Limits

    @property
    def expectations(self) -> Path:
        """The file of its expected failures, which need not exist."""
        return self.file.with_name("expectations.toml")

    @property
    def in_driver(self) -> bool:
        """Whether it runs in the driver's own interpreter."""
        return self.python == DRIVER and self.adapter is not None

    def command_line(self, python: Path | None, dialect: str | None = None) -> list[str]:
        """What to run, with that interpreter; the dialect is the first of its own unless given."""
        if self.adapter is None:
            return [part.replace("{folder}", str(self.file.parent)) for part in self.command]
        return [str(python), str(self.adapter), *self.arguments_for(dialect)]

    def arguments_for(self, dialect: str | None = None) -> list[str]:
        """The adapter's arguments in that dialect."""
        return [argument.replace("{dialect}", dialect or self.dialects[0]) for argument in self.arguments]


def implementation_names() -> list[str]:
    """The names of the implementations that come with the suite, the reference first."""
    names = {file.parent.name for file in FOLDER.glob(f"*/{FILE}")}
    return sorted(names, key=lambda name: (name != "reference", name))


def load_implementation(name: str | None, file: Path | None = None) -> ImplementationSpec:
    """The implementation of that name, or the one a file describes; with both, their names must agree.

    Raises ImplementationError.
    """
    if file is None:
        if name not in implementation_names():
            known = implementation_names()
            near = get_close_matches(name or "", known, cutoff=0.4) or known
            raise ImplementationError(f"unknown implementation {name!r}; nearest: {', '.join(near)}")
        return _read(FOLDER / str(name) / FILE)
    found = _read(file.absolute())
    if name is not None and name != found.name:
        raise ImplementationError(f"{file}: name is {found.name!r}; expected {name!r}")
    return found


def find_python(implementation: ImplementationSpec, given: Path | None = None) -> Path | None:
    """The implementation's interpreter; None if it needs none.

    The one `given` (a program, or the folder of its environment), else $KERAS_CONFORMANCE_ENVS/NAME, else .tox/NAME of
    the clone, else NAME in the user's cache. Raises InterpreterMissing.
    """
    if implementation.adapter is None:
        return None
    if given is not None:
        path = given.expanduser().absolute()  # not resolved: a virtual environment is known by its own link
        path = _python_of(path) if path.is_dir() else path
        if not path.is_file():
            raise InterpreterMissing(f"{implementation.name}: there is no interpreter {path} (given with --python)")
        return path
    if implementation.in_driver:
        return Path(sys.executable)
    looked = [_python_of(folder / implementation.name) for folder in environment_folders()]
    for path in looked:
        if path.is_file():
            return path
    places = ", ".join(map(str, looked))
    raise InterpreterMissing(
        f"{implementation.name}: no interpreter with {implementation.title}; looked for {places}\n"
        f"make one with: {how_to_make(implementation)}\n"
        f"or name one with: --python {implementation.name}=PATH"
    )


def how_to_make(implementation: ImplementationSpec) -> str:
    """The command that makes the implementation's interpreter where find_python finds it."""
    if _is_clone() and implementation.file.is_relative_to(FOLDER):
        return f"tox -e {implementation.name} --notest"
    environment = _cache() / implementation.name
    make = f"uv venv --python {implementation.python} '{environment}'"
    if implementation.requirements is None:
        return make
    return f"{make} && uv pip install --python '{_python_of(environment)}' -r '{implementation.requirements}'"


def open_session(
    implementation: ImplementationSpec,
    *,
    python: Path | None = None,
    in_process: bool = False,
    dialect: str | None = None,
) -> Session:
    """A session with the implementation, started. `in_process` is for what lives in the driver's interpreter.

    Raises StartFailure (InterpreterMissing).
    """
    transport: Transport
    if in_process:
        if not implementation.in_driver:
            raise StartFailure(f"{implementation.name} cannot run in this process: it has its own interpreter")
        arguments = implementation.arguments_for(dialect)
        transport = InProcessTransport(lambda: _reference(arguments))
    else:
        command = implementation.command_line(find_python(implementation, python), dialect)
        transport = ProcessTransport(implementation.name, command, implementation.env, implementation.limits)
    session = Session(implementation.name, transport)
    try:
        return session.start()
    except BaseException:
        session.close()
        raise


def _reference(arguments: Sequence[str]) -> Any:
    from conformance.adapters.reference import Reference
    from conformance.adapters.server import Adapter

    return Adapter(Reference(*arguments))


def _read(file: Path) -> ImplementationSpec:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImplementationError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8 and not TOML alike
        raise ImplementationError(f"{file}: is not TOML: {error}") from error
    try:
        return _spec(file, Table(str(file), "top", values), values)
    except SpecificationError as error:
        raise ImplementationError(str(error)) from error


def _spec(file: Path, table: Table, values: Mapping[str, Any]) -> ImplementationSpec:
    name = table.text("name")
    if file.is_relative_to(FOLDER) and name != file.parent.name:
        raise table.error(f"name is {name!r}; expected {file.parent.name!r}, as its folder")
    command = table.names("command") or ()
    adapter = table.optional_text("adapter")
    if bool(command) == (adapter is not None):
        raise table.error("expected either adapter or command")
    requirements = table.optional_text("requirements")
    spec = ImplementationSpec(
        file=file,
        name=name,
        title=table.text("title"),
        dialects=table.names("dialects") or (),
        python=table.optional_text("python") or DRIVER,
        adapter=None if adapter is None else _adapter(table, file, adapter),
        arguments=table.names("arguments") or (),
        command=command,
        requirements=None if requirements is None else file.parent / requirements,
        env=table.table("env").texts() if "env" in values else {},
        limits=_limits(file, table, values.get("limits")),
    )
    if not spec.dialects:
        raise table.error("dialects is empty or missing: give the dialects it is judged in")
    table.done()
    return spec


def _limits(file: Path, table: Table, given: Mapping[str, Any] | None) -> Limits:
    if given is None:
        return Limits()
    table.table("limits")  # that it is one
    default = {field: getattr(Limits(), field) for field in ("start", "request", "memory_gb")}
    limits = Table(str(file), "limits", {**default, **given})
    start, request, memory_gb = (limits.number(field) for field in default)
    limits.done()
    if min(start, request, memory_gb) <= 0:
        raise limits.error("a limit is not above 0")
    return Limits(start, request, memory_gb)


def _adapter(table: Table, file: Path, adapter: str) -> Path:
    for folder in (file.parent, ADAPTERS):
        if (folder / adapter).is_file():
            return folder / adapter
    raise table.error(f"adapter: there is no {adapter!r} beside the file nor in conformance/adapters")


def environment_folders() -> list[Path]:
    """Where interpreters are looked for, the user's cache last; each is a folder below, with the implementation's name."""
    named = os.environ.get(ENVIRONMENTS_VARIABLE)
    return [
        *([Path(named).expanduser().absolute()] if named else []),
        *([CLONE / ".tox"] if _is_clone() else []),
        _cache(),
    ]


def _cache() -> Path:
    fallback = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or fallback).expanduser() / "keras-conformance" / "envs"


def _is_clone() -> bool:
    return (CLONE / "tox.ini").is_file()


def _python_of(environment: Path) -> Path:
    return environment / "bin" / "python"
