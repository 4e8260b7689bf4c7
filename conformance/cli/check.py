"""``keras-conformance check``: one's own model files across implementations.

``--json`` prints the document that ``conformance/checking/check.schema.json`` describes; the lines of ``--output`` are
in it, too.
"""

from __future__ import annotations

import ast
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.check_progress import Shown

if TYPE_CHECKING:
    from conformance.checking.arrays import Array
    from conformance.checking.bench import Participant
    from conformance.checking.results import Document

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option(
    "--against", multiple=True, metavar="NAME[,NAME]",
    help="Implementations that load the models beside the reference: names of `keras-conformance list`, or versions as tensorflow==2.9.3.",
)  # fmt: skip
@click.option(
    "--python", "pythons", multiple=True, metavar="NAME=PATH", help="The interpreter of an implementation (repeatable)."
)
@click.option(
    "--implementation-file", "files", multiple=True, metavar="FILE.toml", type=_FILE,
    help="Add an implementation described outside (repeatable).",
)  # fmt: skip
@click.option(
    "--architecture",
    type=_FILE,
    metavar="FILE.json",
    help="The model (to_json()) that weights and checkpoints are loaded into.",
)
@click.option(
    "--custom-objects", "objects", type=_FILE, metavar="FILE.py",
    help="Your own classes and functions. The file is run in each implementation, with its `keras` and `tf` there.",
)  # fmt: skip
@click.option("--inputs", type=_FILE, metavar="FILE.npz", help="Predict with these arrays, instead of generated ones.")
@click.option("--train", is_flag=True, help="Compare the next training steps, too.")
@click.option("--no-compile", is_flag=True, help="Load with compile=False; optimizers are not compared then.")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=2e-5, show_default=True, metavar="E",
    help="Outputs may differ by E * max(1, largest output). Weights may not differ at all.",
)  # fmt: skip
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For one request; default: the implementation's own.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, metavar="N", help="Models checked at a time.")
@click.option("--output", type=_OUT, metavar="FILE", help="Write the results, a line a model, as they come.")
@click.option(
    "--resume", is_flag=True, help="Go on with an --output that was stopped: what is in it is not done again."
)
@click.option(
    "--save-baseline", "save_to", type=_OUT, metavar="FILE", help="Keep the results to compare later ones with."
)
@click.option(
    "--baseline",
    "baseline_file",
    type=_FILE,
    metavar="FILE",
    help="Fail for what is worse than in FILE, and for that alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as a document, everything else on stderr.")
@click.pass_context
def check(
    ctx: click.Context,
    models: tuple[str, ...],
    against: tuple[str, ...],
    pythons: tuple[str, ...],
    files: tuple[Path, ...],
    architecture: Path | None,
    objects: Path | None,
    inputs: Path | None,
    train: bool,
    no_compile: bool,
    tolerance: float,
    timeout: float | None,
    jobs: int,
    output: Path | None,
    resume: bool,
    save_to: Path | None,
    baseline_file: Path | None,
    as_json: bool,
) -> None:
    """Load your own models in several implementations, and say whether they agree.

    A MODEL is a .h5, .hdf5 or .keras file, a SavedModel's folder, a checkpoint's prefix, weights with the JSON of their
    model beside them (or --architecture), or a folder or pattern with any of these in it. A checkpoint without an
    architecture, and a SavedModel without Keras in it, are compared as plain variables.

    Weights are compared bit for bit, with each other and with what the file holds; outputs on generated inputs, optimizer
    state, and with --train the next steps, within --tolerance. No code in a model is run by this command or the
    reference; what the other libraries do with a file is theirs.

    \b
    What is said of a model
      equal        every implementation that claims the format loaded it, and they agree
      different    they do not agree: by how much, where
      refused      an implementation raised: its own words
      silent       loaded without a word, with other values than the file holds, or with fresh ones
      crash, timeout, fault, not-started, bad-input

    \b
    As the gate of a model registry
      keras-conformance check models/ --against tf2.15 --save-baseline models.jsonl
      keras-conformance check models/ --against tensorflow==2.16.1 --baseline models.jsonl

    Exit codes: 0 all equal (with --baseline: nothing worse), 1 not so, 2 usage or a results file that cannot be used,
    3 an implementation could not be started.
    """
    from conformance.checking.agreement import Tolerances
    from conformance.checking.baseline import changes
    from conformance.checking.examination import Plan
    from conformance.checking.loading import Wishes
    from conformance.checking.results import read, write
    from conformance.checking.run import Request, run

    if resume and not output:
        raise click.UsageError("--resume goes on with the file of --output: give that, too")
    for option, path in (("--output", output), ("--save-baseline", save_to)):
        if path:
            _check_writable(option, path)
    if objects:
        _check_python(objects)
    baseline = read(baseline_file, complete=True) if baseline_file else None
    participants, missing = _participants(against, pythons, files, timeout)
    plan = Plan(
        implementations=tuple(each.name for each in participants),
        wishes=Wishes(not no_compile, train, objects.absolute() if objects else None),
        architecture=architecture,
        inputs=_inputs(inputs),
        tolerances=Tolerances(tolerance, TRAINING * tolerance),
    )
    options = {
        "architecture": _digest(architecture),
        "custom_objects": _digest(objects),
        "inputs": _digest(inputs),
        "train": train,
        "compile": not no_compile,
        "tolerance": tolerance,
    }
    with Shown(as_json) as shown:
        request = Request(models, plan, participants, options, missing, jobs, output, resume)
        try:
            document = run(request, shown.watch)
        except KeyboardInterrupt:
            shown.stopped(output)
            ctx.exit(130)
    if save_to:
        write(save_to, document)
    if baseline:
        document = replace(document, changes=changes(baseline, document, tolerance))
    shown.end(document)
    if as_json:
        click.echo(json.dumps(document.to_json(), indent=1))
    ctx.exit(exit_code(document))


# Rounding grows from step to step, so that training has more room than one prediction.
TRAINING = 10.0


def exit_code(document: Document) -> int:
    """0 all equal, or with a baseline nothing worse; 1 not so; 3 an implementation was not started."""
    from conformance.checking.record import Outcome, Verdict

    versions = document.header.implementations.values()
    outcomes = (each.outcome for record in document.models for each in record.implementations.values())
    if any(version.failure for version in versions) or Outcome.NOT_STARTED in outcomes:
        return 3
    if document.changes is not None:
        return int(any(change.fails for change in document.changes))
    return int(any(record.verdict is not Verdict.EQUAL for record in document.models))


def _participants(
    against: Sequence[str], pythons: Sequence[str], files: Sequence[Path], timeout: float | None
) -> tuple[list[Participant], dict[str, str]]:
    """Who takes part, the reference first, and who cannot be started here and why."""
    from conformance.checking.bench import Participant
    from conformance.cli.targets import find_targets
    from conformance.implementations.versions import is_version, made
    from conformance.protocol.errors import StartFailure

    texts = [text.strip() for part in against for text in part.split(",") if text.strip()]
    names = list(dict.fromkeys(["reference", *texts]))
    targets = {each.name: each for each in find_targets([n for n in names if not is_version(n)], pythons, files)}
    found: list[Participant] = []
    missing: dict[str, str] = {}
    for name in names:
        target = targets.get(name)
        if target and target.missing:
            missing[name] = target.missing
        elif target:
            found.append(Participant(name, target.file, target.python, timeout))
        else:
            try:
                version = made(name, lambda text: click.echo(text, err=True))
                found.append(
                    Participant(version.implementation.name, version.implementation.file, version.python, timeout)
                )
            except StartFailure as failure:
                missing[name] = str(failure)
    return found, missing


def _inputs(path: Path | None) -> dict[str, Array] | None:
    from conformance.checking.inputs import InputsError, read_inputs

    try:
        return read_inputs(path) if path else None
    except InputsError as error:
        raise click.UsageError(f"--inputs {error}") from error


def _check_python(path: Path) -> None:
    """That the user's file is not Python is told at once, and not once a model."""
    try:
        ast.parse(path.read_bytes(), str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise click.UsageError(f"--custom-objects {path}: is not Python: {error}") from error


def _digest(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else None


def _check_writable(option: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise click.UsageError(f"{option} {path}: cannot be written: {error.strerror}") from error
