"""What is asked of uv: which release a requirement stands for, and environments with it.

uv alone knows the user's indexes, mirrors, credentials, certificates and interpreters; nothing here goes around it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

# Arguments and standard input → standard output. Raises UvError.
Uv = Callable[[list[str], str], str]

LAST_LINES = 12

# What uv says when it is not the package but the network that is missing.
_NO_NETWORK = ("network was disabled", "error sending request", "Failed to fetch", "Could not connect", "dns error")


class UvMissing(Exception):
    """There is no uv on this machine."""


class UvError(Exception):
    """uv failed: its last lines."""

    def __init__(self, text: str) -> None:
        super().__init__("\n".join(text.strip().splitlines()[-LAST_LINES:]))
        self.offline = any(sign in text for sign in _NO_NETWORK)


@dataclass(frozen=True)
class Release:
    """A release of a package as an index has it; ``uploaded`` is None where the index does not tell."""

    package: str
    version: str
    uploaded: date | None


def run_uv(arguments: list[str], text: str = "") -> str:
    """The standard output of uv, given ``text`` as its standard input. Raises UvError, UvMissing."""
    done = subprocess.run([_program(), *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UvError(done.stderr or done.stdout)
    return done.stdout


def find_release(requirement: str, python: str, uv: Uv = run_uv) -> Release:
    """The newest final release that ``requirement`` allows and that has a wheel for Python ``python`` on this machine."""
    options = ["--format", "pylock.toml", "--no-header", "--no-deps", "--only-binary", ":all:"]
    asked = ["pip", "compile", "-", "--quiet", *options, "--python-version", python, "--no-python-downloads"]
    package: dict[str, Any] = tomllib.loads(uv(asked, requirement))["packages"][0]
    times = [wheel["upload-time"] for wheel in package.get("wheels", []) if "upload-time" in wheel]
    uploaded = max(times, default=None)
    return Release(package["name"], package["version"], uploaded.date() if isinstance(uploaded, datetime) else None)


def find_interpreter(python: str, uv: Uv = run_uv) -> bool:
    """Whether uv knows an interpreter of Python ``python`` on this machine."""
    try:
        return bool(uv(["python", "find", "--no-project", "--no-python-downloads", python], "").strip())
    except UvError:
        return False


def index_url(package: str, uv: Uv = run_uv) -> str:
    """The first index that uv takes ``package`` from."""
    asked = ["pip", "compile", "-", "--quiet", "--no-header", "--no-deps", "--emit-index-url", "--no-python-downloads"]
    for line in uv(asked, package).splitlines():
        option, _, url = line.partition(" ")
        if option == "--index-url":
            return url
    raise UvError(f"uv names no index for {package}")


def make_environment(folder: Path, python: str, requirements: list[str], until: date | None, uv: Uv = run_uv) -> str:
    """Make a virtual environment in ``folder`` with ``requirements``; returns every package with its version.

    Nothing uploaded after the day ``until`` is taken. The folder may be moved afterwards.
    """
    interpreter = str(folder / "bin" / "python")
    newest = ["--exclude-newer", until.isoformat()] if until else []
    uv(["venv", "--quiet", "--no-project", "--relocatable", "--python", python, str(folder)], "")
    uv(["pip", "install", "--quiet", "--python", interpreter, *newest, "--requirement", "-"], "\n".join(requirements))
    return uv(["pip", "freeze", "--quiet", "--python", interpreter], "")


def _program() -> str:
    beside = Path(sys.executable).with_name("uv")  # where pip puts it
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")
    if found is None:
        raise UvMissing("there is no uv on this machine; install it with: pip install uv")
    return found
