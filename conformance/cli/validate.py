"""What ``run`` does: each target's suite process, judged, then the document and the report on the terminal."""

from __future__ import annotations

import shlex
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console

from conformance.cli.child import SuiteProcess, suite_command
from conformance.cli.progress import Progress
from conformance.cli.scripts import Wanted, with_scripts
from conformance.cli.targets import Target
from conformance.protocol.sandbox import no_network
from conformance.results.conditions import facts_of
from conformance.results.expectations import Expectations
from conformance.results.judge import Scope, judge
from conformance.results.model import Results, Run, StartFailure, results_of
from conformance.results.records import RecordFile
from conformance.results.table import WIDTH, closing_line, summary, unexpected
from conformance.spec import Specification

INTERRUPTED = 130
_BY_USER = "interrupted by the user"

# pytest's own exit statuses that leave a run whole: all passed, some failed.
_WHOLE = (0, 1)
_NOTHING_SELECTED = 5


@dataclass(frozen=True)
class Plan:
    """What to run, in the words of the command line: ``selection`` leaves out tests, ``drawing`` changes examples,
    ``scripts`` asks for failures as scripts.
    """

    selection: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    drawing: Mapping[str, int] = field(default_factory=dict[str, int])
    jobs: int = 1
    piped: bool = False
    scripts: Wanted | None = None

    @property
    def scope(self) -> Scope:
        """What the selection leaves whole."""
        requirements = self.selection.get("requirement", []) if len(self.selection) == 1 else []
        return Scope(whole=not self.selection, requirements=frozenset(requirements))

    def suite_options(self, target: Target, records: Path) -> list[str]:
        """The options of the suite's process."""
        options = ["--implementation", target.name, "--conformance-records", str(records)]
        options += ["--conformance-dialect", target.dialect]
        options += ["--implementation-file", str(target.file)] if target.file else []
        options += ["--conformance-python", str(target.python)] if target.python else []
        options += ["--conformance-piped"] if self.piped else []
        options += ["--conformance-scripts"] if self.scripts else []
        for name, chosen in self.selection.items():
            flag = "-k" if name == "k" else f"--conformance-{name}"
            options += [word for value in chosen for word in (flag, value)]
        options += [f"--conformance-{name}={value}" for name, value in self.drawing.items()]
        options += ["-p", "xdist.plugin", "-n", str(self.jobs)] if self.jobs > 1 else []
        return options

    def repeating(self, targets: Sequence[Target]) -> str:
        """The command lines that draw the same examples again, for each target its own."""
        chosen = [(name, value) for name, values in self.selection.items() for value in values]
        flags = [word for name, value in chosen for word in ("-k" if name == "k" else f"--{name}", value)]
        return "\n".join(shlex.join([*shlex.split(self.command(target)), *flags]) for target in targets)

    def command(self, target: Target) -> str:
        """The command line that runs this target again, without the selection."""
        words = ["keras-conformance", "run", target.name]
        words += ["--dialect", target.dialect] if len(target.implementation.dialects) > 1 else []
        words += ["--python", f"{target.name}={target.given}"] if target.given else []
        words += ["--implementation-file", str(target.file)] if target.file else []
        words += ["--piped"] if self.piped else []
        words += [word for name, value in self.drawing.items() for word in _as_given(name, value)]
        return shlex.join(words)


def _as_given(name: str, value: int) -> tuple[str, str]:
    return ("--max-examples", f"{value}x") if name == "times" else (f"--{name}", str(value))


def validate(
    targets: Sequence[Target], plan: Plan, specification: Specification, *, output: Path | None, as_json: bool
) -> tuple[Results, int]:
    """Run the suite on every target, write ``output``, report; returns the document and the exit code.

    Ctrl-C and SIGTERM end the suite's process, and what was found until then is written down as incomplete.
    """
    console = Console(stderr=as_json, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = WIDTH
    if (why := no_network()) is not None:
        console.print(f"adapters are not cut off from the network: {why}")
    # A faulty file is told before anything runs, whichever implementation it belongs to.
    expectations = {target.name: target.read_expectations(specification) for target in targets}
    if "seed" in plan.drawing:  # told first as well: a run that is cut off can be repeated
        console.print(f"examples are drawn with --seed {plan.drawing['seed']}\n")
    runs: list[Run] = []
    interrupted = False
    previous = signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        for target in targets:
            run = run_target(target, plan, specification, expectations[target.name], console)
            runs.append(run)
            if run.interruption == _BY_USER:
                interrupted = True
                runs += [_untouched(other, plan) for other in targets[len(runs) :]]
                break
    finally:
        signal.signal(signal.SIGTERM, previous)
    results = results_of(runs)
    unwritten = _written(results, output)
    exit_code = INTERRUPTED if interrupted else results.exit_code
    console.print(summary(results, specification, WIDTH))
    console.print(unexpected(results, specification), crop=False)
    if "seed" in plan.drawing:
        console.print(f"\nexamples were drawn with --seed {plan.drawing['seed']}; to draw them again:")
        console.print(plan.repeating(targets), crop=False, soft_wrap=True)
    console.print(closing_line(results, exit_code))
    if unwritten:  # after all that was found: nothing else has it
        raise click.UsageError(unwritten)
    return results, exit_code


def _written(results: Results, output: Path | None) -> str:
    """Write the document; why that failed, if it did."""
    try:
        if output:
            results.write(output)
    except OSError as error:
        return f"--output {output}: cannot be written: {error.strerror}"
    return ""


def run_target(
    target: Target, plan: Plan, specification: Specification, expectations: Expectations, console: Console
) -> Run:
    """The suite on one target, judged. Ctrl-C ends it early and is told in the run's ``interruption``."""
    begun = time.monotonic()
    empty = Run(
        target.name,
        target.dialect,
        options=_options(target, plan),
        selection=plan.selection,
        seed=plan.drawing.get("seed"),
    )
    if target.missing:
        return replace(empty, start_failure=StartFailure(target.missing))
    with tempfile.TemporaryDirectory(prefix="keras-conformance-") as name:
        directory = Path(name)
        records, log = directory / "records.jsonl", directory / "suite.log"
        command = suite_command(directory, plan.suite_options(target, records))
        interruption: str | None = None
        process = SuiteProcess(command, records, log)
        try:
            with process, Progress(console, target.title) as progress:
                process.follow(progress.show)
        except KeyboardInterrupt:
            interruption = _BY_USER
        found = process.found
        interruption = interruption or _interruption(found, process)
    run = replace(empty, seconds=round(time.monotonic() - begun, 1), interruption=interruption)
    run = judged(run, found, specification, expectations, plan.scope)
    if plan.scripts and not run.start_failure:
        run = with_scripts(run, target, plan.scripts, plan.jobs, console)
    return run


def judged(run: Run, found: RecordFile, specification: Specification, expectations: Expectations, scope: Scope) -> Run:
    """``run`` with what its record file says, judged."""
    if found.start_failure:
        return replace(run, start_failure=found.start_failure, interruption=None)
    hello: dict[str, Any] = found.header.get("hello") or {}
    dialect = found.header.get("dialect") or run.dialect
    if run.interruption:
        scope = Scope(whole=False)
    capabilities: list[str] | None = hello.get("capabilities")
    facts = facts_of(hello, dialect)
    judgement = judge(found.tests, specification, dialect, capabilities, expectations, scope, facts)
    return replace(
        run, dialect=dialect, hello=hello, tests=judgement.tests, units=judgement.units, problems=judgement.problems
    )


def _interruption(found: RecordFile, process: SuiteProcess) -> str | None:
    """Why the run did not come to its end, None if it did."""
    status = process.returncode
    if found.start_failure or (found.ended and status in _WHOLE):
        return None
    if status == _NOTHING_SELECTED:
        return "no test matches the selection"
    died = f"by signal {-status}" if status is not None and status < 0 else f"with exit status {status}"
    return f"the suite's process ended {died}; it last said:\n{process.log_tail}"


def _options(target: Target, plan: Plan) -> dict[str, Any]:
    return {"command": plan.command(target), "jobs": plan.jobs, "piped": plan.piped, **plan.drawing}


def _untouched(target: Target, plan: Plan) -> Run:
    return Run(
        target.name,
        target.dialect,
        options=_options(target, plan),
        selection=plan.selection,
        interruption="never begun",
    )


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
