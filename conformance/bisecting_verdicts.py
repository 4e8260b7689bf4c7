"""The verdict of one version of a library: on a requirement, by the suite, or on a model file, by loading it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

import conformance
from conformance.bisecting import CannotJudge, NothingToFind, Verdict
from conformance.cli.targets import Target
from conformance.cli.validate import Plan, run_target
from conformance.implementations.registry import ImplementationError, open_session
from conformance.implementations.versions import Made, Say, made, wanted
from conformance.inspecting import inspect
from conformance.protocol.errors import ProtocolError, Refused, StartFailure
from conformance.results.expectations import Expectations
from conformance.results.verdict import Verdict as UnitWord
from conformance.results.verdict import worst
from conformance.spec import Specification

DETAIL = 200

# An implementation → the verdict that it earns. Raises CannotJudge.
Judge = Callable[[Made], Verdict]


def of_units(units: tuple[str, ...], dialect: str, specification: Specification, console: Console) -> Judge:
    """The worst verdict of the suite on ``units``, which are of one requirement; every version in the same dialect."""
    requirement = units[0].partition("[")[0]
    plan = Plan(selection={"requirement": [requirement]})

    def judge(version: Made) -> Verdict:
        target = Target(version.implementation, dialect, version.python, file=version.implementation.file)
        run = run_target(target, plan, specification, Expectations(), console)
        if run.start_failure or run.interruption:
            raise CannotJudge(_first(run.start_failure.text if run.start_failure else str(run.interruption)))
        word = worst(unit.verdict for unit in run.units if unit.unit in units)
        failed = [test for test in run.tests if test.verdict.is_failure and set(test.units) & set(units)]
        if word is UnitWord.NOT_RUN:
            raise CannotJudge("no test ran")
        return Verdict(word.value, _first(f"{failed[0].id}: {failed[0].message}" if failed else ""))

    return judge


def of_model(path: Path) -> Judge:
    """Whether the model at ``path`` loads (``compile=False``), and with which weights.

    Raises NothingToFind for a file that is no whole model, or that has code in it. Raises WitnessError.
    """
    found = inspect(path)
    if found.holds == "weights only":
        raise NothingToFind(f"{path}: holds weights alone, which do not load by themselves: give a whole model")
    code = [danger for danger in found.dangers if danger.kind in ("code", "import", "pickle", "foreign-code")]
    if code:
        raise NothingToFind(f"{path}: {code[0].where}: {code[0].what}; it is not loaded into libraries that run it")

    def judge(version: Made) -> Verdict:
        try:
            with open_session(version.implementation, python=version.python) as session:
                session.reset(0)
                arrays = session.get_weights(session.load(path.absolute(), compile=False))
        except Refused as refusal:
            return Verdict("refused", _first(f"{refusal.exception}: {refusal.text}"))
        except StartFailure as failure:
            raise CannotJudge(_first(str(failure))) from None
        except ProtocolError as failure:
            return Verdict(type(failure).__name__, _first(str(failure)))
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
        return Verdict(f"loads weights {digest.hexdigest()[:12]}", f"{len(arrays)} arrays")

    return judge


@dataclass(frozen=True)
class Judged:
    """The verdicts on versions of ``package``: from the file of those known, or by ``judge``, and then kept there."""

    package: str
    judge: Judge
    say: Say
    file: Path | None
    make: Callable[[str, Say], Made] = made

    def __call__(self, version: str) -> Verdict:
        """The verdict on one version. Raises CannotJudge; what cannot be judged is tried again next time."""
        known = self._known()
        if version in known:
            return Verdict(**known[version])
        text = f"{self.package}=={version}"
        try:
            implementation = self.make(text, self.say)
        except (StartFailure, ImplementationError) as failure:
            raise CannotJudge(str(failure)) from failure
        found = self.judge(implementation)
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.file.with_suffix(".new")
            temporary.write_text(json.dumps({**self._known(), version: asdict(found)}, indent=1), encoding="utf-8")
            temporary.replace(self.file)
        return found

    def _known(self) -> dict[str, dict[str, str]]:
        try:
            return json.loads(self.file.read_text(encoding="utf-8")) if self.file else {}
        except (OSError, ValueError):
            return {}


def dialect_of(package: str, version: str) -> str:
    """The dialect in which that version is judged."""
    return wanted(f"{package}=={version}").generation.dialect


def results_file(folder: Path, *what: str) -> Path:
    """Where the verdicts on ``what`` are kept: another place for every state of the suite and of the adapters."""
    digest = hashlib.sha256("\0".join(what).encode())
    root = Path(conformance.__file__).parent
    for file in sorted(root.rglob("*.py")) + sorted(root.rglob("*.toml")):
        if file.parent.name not in ("cli", "results"):
            digest.update(file.read_bytes())
    return folder / f"{digest.hexdigest()[:20]}.json"


def digest_of(path: Path) -> str:
    """A digest of the contents of a file or folder."""
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(os.fsencode(file.name))
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    return iter(sorted(file for file in path.rglob("*") if file.is_file())) if path.is_dir() else iter([path])


def _first(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= DETAIL else line[: DETAIL - 1] + "…"
