"""Any version on the spot: ``tensorflow==2.9.3`` becomes an implementation with an interpreter of its own, made by uv.

It is made once, as it would have been made in its own time: the newest packages of thirty days after its release. Its
folder is one of those where `find_python` looks, in the user's cache, and has an ``implementation.toml`` of its own, so
that it is from then on an implementation like those that come with the suite. That file is written last: what has it is
whole.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from packaging.version import InvalidVersion, Version

from conformance.implementations import registry
from conformance.implementations.registry import ImplementationError, ImplementationSpec, InterpreterMissing
from conformance.implementations.uv import (
    Release,
    Uv,
    UvError,
    UvMissing,
    find_interpreter,
    find_release,
    make_environment,
    run_uv,
)

Say = Callable[[str], None]

PERIOD = timedelta(days=30)

# The first that a release has a wheel for and the machine has; the adapters speak 3.8 and later.
PYTHONS = ("3.11", "3.10", "3.9", "3.8", "3.12", "3.13")


class VersionMissing(InterpreterMissing):
    """A version whose environment is not there and cannot be made now: why, and the command for later."""


@dataclass(frozen=True)
class Generation:
    """The releases of a package that are driven alike: from ``since`` on, until the next generation begins.

    ``distributions`` are tried in that order; ``beside`` is installed with it; before the day ``earliest`` what stands
    beside it did not exist.
    """

    package: str
    since: str
    dialect: str
    adapter: str
    arguments: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    earliest: date = date.min


_TENSORFLOW = ("tensorflow-cpu", "tensorflow")
_TF_KERAS = ("tf_keras.py", ("tensorflow.keras",), _TENSORFLOW)
# No release before 2.12 works with protobuf 4, which most of them do not forbid; nor any before 2.18 with NumPy 2.
_OLD, _LATER = ("protobuf<3.21", "numpy<2"), ("numpy<2",)

GENERATIONS = (
    Generation("tensorflow", "2.2", "keras-2.4", *_TF_KERAS, _OLD),
    Generation("tensorflow", "2.5", "keras-2.8", *_TF_KERAS, _OLD),
    Generation("tensorflow", "2.12", "keras-2.15", *_TF_KERAS, _LATER),
    Generation("tensorflow", "2.16", "keras-3", "keras3.py", (), _TENSORFLOW),
    Generation("tf_keras", "2.15", "keras-2.15", "tf_keras.py", ("tf_keras",), ("tf_keras",), ("tensorflow",)),
    Generation(
        "keras", "3.0", "keras-3", "keras3.py", (), ("keras",), ("tensorflow-cpu>=2.16.1",), earliest=date(2024, 3, 8)
    ),
)

PACKAGES = tuple(dict.fromkeys(generation.package for generation in GENERATIONS))
_SPELLINGS = {"tensorflow-cpu": "tensorflow", "tensorflow_cpu": "tensorflow", "tf-keras": "tf_keras"}
_VERSION = re.compile(r"([A-Za-z][\w-]*)==([\w.]+)")

# Why keras 2 and what comes before the first generation of a package are not made.
_TOO_OLD = {
    "keras": "Keras 2 is in TensorFlow: ask for 'tensorflow=={version}'",
    "tensorflow": "the oldest that can be driven is 2.2",
    "tf_keras": "the oldest is 2.15; before it, Keras 2 is in TensorFlow: ask for 'tensorflow=={version}'",
}

_IMPLEMENTATION = """\
# Made by keras-conformance; may be deleted with its folder at any time.
name = "{name}"
title = "{title}"
dialects = ["{dialect}"]
python = "{python}"
adapter = "{adapter}"
arguments = [{arguments}]
requirements = "requirements.txt"

# One thread and no oneDNN: the same sums in the same order every time.
[env]
KERAS_BACKEND = "tensorflow"
TF_CPP_MIN_LOG_LEVEL = "3"
TF_ENABLE_ONEDNN_OPTS = "0"
TF_NUM_INTRAOP_THREADS = "1"
TF_NUM_INTEROP_THREADS = "1"
CUDA_VISIBLE_DEVICES = "-1"
OMP_NUM_THREADS = "1"
PYTHONHASHSEED = "0"

[limits]
start = 180
request = 120
memory_gb = 8
"""


@dataclass(frozen=True)
class Made:
    """A version that can be run: the implementation, described by ``implementation.file``, and its interpreter."""

    implementation: ImplementationSpec
    python: Path


@dataclass(frozen=True)
class Wanted:
    """What a text like ``tensorflow==2.9`` asks for; ``exact`` when it leaves no choice of patch."""

    package: str
    version: str
    generation: Generation

    @property
    def exact(self) -> bool:
        """Whether all three parts of the version are given."""
        return len(Version(self.version).release) > 2

    def requirement(self, distribution: str) -> str:
        """The requirement, for a package index."""
        return f"{distribution}=={self.version}" + ("" if self.exact else ".*")


def is_version(text: str) -> bool:
    """Whether ``text`` asks for a version of a library, as ``tensorflow==2.9.3`` and ``keras==3.5`` do."""
    return "==" in text


def wanted(text: str) -> Wanted:
    """What ``text`` asks for. Raises ImplementationError for a package or version that there is no adapter for."""
    match = _VERSION.fullmatch(text.strip())
    if not match:
        raise ImplementationError(f"{text!r}: expected PACKAGE==VERSION, as in tensorflow==2.9.3 or keras==3.5")
    package = _SPELLINGS.get(match[1].lower(), match[1].lower())
    if package not in PACKAGES:
        raise ImplementationError(f"{text!r}: no adapter for the package {match[1]!r}; known: {', '.join(PACKAGES)}")
    try:
        version = Version(match[2])
    except InvalidVersion:
        raise ImplementationError(f"{text!r}: {match[2]!r} is no version") from None
    fitting = [it for it in GENERATIONS if it.package == package and Version(it.since) <= version]
    if len(version.release) < 2 or not fitting:
        reason = _TOO_OLD[package].format(version=match[2]) if len(version.release) > 1 else "give two parts or three"
        raise ImplementationError(f"{text!r}: {reason}")
    return Wanted(package, match[2], fitting[-1])


def made(text: str, say: Say, *, uv: Uv = run_uv) -> Made:
    """The implementation that ``text`` asks for, from the user's cache or, after ``say`` has told so, made now.

    Two parts of a version mean the newest patch. Raises ImplementationError for what there is no such release of, and
    VersionMissing where it cannot be made: no network, no uv, no interpreter, or packages that do not install.
    """
    asked = wanted(text)
    if asked.exact and (found := _found(_name(asked.package, asked.version))):
        return found
    try:
        release, python = _release(asked, uv)
        return _found(_name(asked.package, release.version)) or _make(asked, release, python, say, uv)
    except UvMissing as error:
        raise VersionMissing(f"{text}: its environment is not there, and {error}") from None
    except UvError as error:
        if not error.offline:
            raise VersionMissing(f"{text}: its environment cannot be made; uv says:\n{error}") from None
        newest = _newest_made(asked)
        if newest is None:
            raise VersionMissing(
                f"{text}: its environment is not there, and there is no network to make it with\n"
                f"run the same command once with a network: it makes {_folder(text)}\nuv says:\n{error}"
            ) from None
        say(f"{text}: no network to look for a newer patch; taking {newest.implementation.name}, which is there")
        return newest


def _release(asked: Wanted, uv: Uv) -> tuple[Release, str]:
    """The release, and the Python it is made with: one that the machine has, if any fits."""
    possible: list[tuple[Release, str]] = []
    refusal: UvError | None = None
    for distribution in asked.generation.distributions:
        for python in PYTHONS:
            try:
                found = find_release(asked.requirement(distribution), python, uv)
            except UvError as error:
                if error.offline:
                    raise
                refusal = error
                continue
            if find_interpreter(python, uv):
                return found, python
            possible.append((found, python))
        if possible:
            return possible[0]  # uv may fetch the interpreter, or says that it may not
    raise ImplementationError(
        f"{asked.package}=={asked.version}: no such release for this machine; uv says:\n{refusal}"
    )


def _make(asked: Wanted, release: Release, python: str, say: Say, uv: Uv) -> Made:
    generation = asked.generation
    name = _name(asked.package, release.version)
    until = max(release.uploaded, generation.earliest) + PERIOD if release.uploaded else None
    folder = _folder(name)
    as_of = f"packages as of {until}" if until else "the index tells no dates: the newest packages"
    say(f"{name} is not there yet; making it with uv: Python {python}, {as_of}, about 1 GB, in {folder}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder.parent) as temporary:
        unfinished = Path(temporary) / name
        requirements = [f"{release.package}=={release.version}", *generation.beside]
        packages = make_environment(unfinished, python, requirements, until, uv)
        (unfinished / "requirements.txt").write_text(packages, encoding="utf-8")
        (unfinished / registry.FILE).write_text(
            _IMPLEMENTATION.format(
                name=name,
                title=f"{release.package} {release.version}" + (f", packages of {until}" if until else ""),
                dialect=generation.dialect,
                python=python,
                adapter=generation.adapter,
                arguments=", ".join(f'"{argument}"' for argument in generation.arguments),
            ),
            encoding="utf-8",
        )
        _move(unfinished, folder)
    found = _found(name)
    assert found is not None
    return found


def _move(unfinished: Path, folder: Path) -> None:
    """Put it in its place; if somebody else has made the same in the meantime, theirs stays."""
    if not (folder / registry.FILE).is_file():
        shutil.rmtree(folder, ignore_errors=True)  # an unfinished one
    try:
        unfinished.rename(folder)
    except OSError:
        if not (folder / registry.FILE).is_file():
            raise


def _found(name: str) -> Made | None:
    for folder in registry.environment_folders():
        file, python = folder / name / registry.FILE, folder / name / "bin" / "python"
        if file.is_file() and python.is_file():
            return Made(registry.load_implementation(name, file), python)
    return None


def _newest_made(asked: Wanted) -> Made | None:
    """Of those that are there the newest patch that is asked for."""
    pattern = f"{asked.package}=={asked.version}.*/{registry.FILE}"
    names = {file.parent.name for folder in registry.environment_folders() for file in folder.glob(pattern)}
    newest = max(names, key=lambda name: Version(name.partition("==")[2]), default=None)
    return _found(newest) if newest else None


def _name(package: str, version: str) -> str:
    return f"{package}=={version}"


def _folder(name: str) -> Path:
    return registry.environment_folders()[-1] / name
