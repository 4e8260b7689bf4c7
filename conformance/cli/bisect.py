"""``keras-conformance bisect``: the version of a library in which a verdict changes.

``--json`` prints the document that ``bisect.schema.json`` beside this file describes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from conformance.bisecting import Bisection, Step
    from conformance.bisecting_verdicts import Judge
    from conformance.spec import Specification

SCHEMA = "1.0"


@dataclass(frozen=True)
class Document:
    """What ``bisect --json`` prints. ``dialect`` is that of the judging; None for a model."""

    schema: str
    target: str
    package: str
    dialect: str | None
    result: Bisection


@click.command()
@click.argument("target", metavar="UNIT|REQUIREMENT|MODEL")
@click.option("--package", type=click.Choice(("tensorflow", "tf_keras", "keras")), required=True, help="The library.")
@click.option("--good", metavar="VERSION", required=True, help="A version with the one verdict.")
@click.option("--bad", metavar="VERSION", required=True, help="A version with another verdict, before or after it.")
@click.option("--dialect", metavar="DIALECT", help="Judge all versions in this dialect (default: that of --good).")
@click.option("--fresh", is_flag=True, help="Judge again what was judged before.")
@click.option("--json", "as_json", is_flag=True, help="Print a document instead; the progress goes to stderr.")
def bisect(target: str, package: str, good: str, bad: str, dialect: str | None, fresh: bool, as_json: bool) -> None:
    """Find the first version, on the way from --good to --bad, that has another verdict than --good.

    \b
    TARGET is
      * a unit or a requirement of the specification: the suite's verdict on it (of several units the worst)
      * a model file or SavedModel folder: whether it loads, and whether its weights are the same

    The two ends are judged first. Each version gets an environment of its own, made with uv and kept in the user's
    cache (about 1 GB each). A version that does not install or start is skipped and named, as `git bisect skip` does.
    Release candidates are left out. Verdicts are kept, so that a search that was broken off goes on where it was.

    \b
    When did a custom class stop replacing the built-in one of its name?
      keras-conformance bisect registry.precedence-builtin --package tensorflow --good 2.4.4 --bad 2.15.1
    """
    from rich.console import Console

    from conformance import bisecting, bisecting_verdicts
    from conformance.implementations.index import releases
    from conformance.implementations.registry import environment_folders
    from conformance.implementations.versions import wanted
    from conformance.protocol.errors import StartFailure
    from conformance.spec import load_specification
    from conformance.witness import WitnessError

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    specification = load_specification()
    asked = [wanted(f"{package}=={version}") for version in (good, bad)]
    dialect = dialect or asked[0].generation.dialect
    try:
        judge, identity, dialect = _judge(target, dialect, specification, console)
        folder = environment_folders()[-1].parent / "bisect"
        file = bisecting_verdicts.results_file(folder, target, identity, package, dialect or "")
        if fresh:
            file.unlink(missing_ok=True)
        versions = bisecting.between(releases(asked[0].generation.distributions[0]), good, bad)
        _say(f"{len(versions)} versions of {package} from {good} to {bad}")
        judged = bisecting_verdicts.Judged(package, judge, _say, file)
        result = bisecting.bisect(versions, judged, _tell)
    except (bisecting.NothingToFind, WitnessError) as error:
        raise click.UsageError(str(error)) from None
    except (bisecting.CannotJudge, StartFailure) as failure:
        click.echo(f"bisect: {failure}", err=True)
        raise SystemExit(3) from None
    document = Document(SCHEMA, target, package, dialect, result)
    click.echo(json.dumps(asdict(document), indent=1) if as_json else _text(document))


def _judge(target: str, dialect: str, specification: Specification, console: Any) -> tuple[Judge, str, str | None]:
    """How to judge, what identifies the target besides its name, and the dialect where there is one."""
    from conformance import bisecting_verdicts
    from conformance.cli.names import check_names

    units = tuple(str(unit) for unit in specification.units if target in (str(unit), unit.requirement_id))
    if units:
        check_names("dialect", [dialect], specification.dialects)
        applicable = [
            unit for unit in specification.units if str(unit) in units and specification.applicable(unit, dialect)
        ]
        if not applicable:
            raise click.UsageError(f"{target} does not hold in the dialect {dialect}; name another with --dialect")
        return bisecting_verdicts.of_units(units, dialect, specification, console), "", dialect
    path = Path(target)
    if path.exists():
        return bisecting_verdicts.of_model(path), bisecting_verdicts.digest_of(path), None
    known = [*specification.requirements, *map(str, specification.units)]
    check_names("unit, requirement or model", [target], known, "keras-conformance spec list")
    raise AssertionError


def _say(text: str) -> None:
    click.echo(text, err=True)


def _tell(step: Step, left: int) -> None:
    said = f": {step.verdict}" if step.verdict else ""
    why = f" ({step.detail})" if step.detail else ""
    _say(f"{step.version}: {step.state}{said}{why}; {left} versions left")


def _text(document: Document) -> str:
    result = document.result
    skipped = [step.version for step in result.steps if step.state == "skipped"]
    lines = [
        f"{document.target}: {result.good.word} up to {document.package} {result.last_good}",
        f"first with another verdict: {document.package} {result.first_bad}"
        if result.first_bad
        else f"the first with another verdict is one of {', '.join(result.candidates)}",
    ]
    bad = next(step for step in reversed(result.steps) if step.state == "bad" and step.version == result.candidates[-1])
    lines += [f"  {bad.verdict}: {bad.detail}" if bad.detail else f"  {bad.verdict}"]
    lines += [f"skipped: {', '.join(skipped)}"] if skipped else []
    return "\n".join(lines)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document; ``bisect.schema.json`` is this, written down."""
    from pydantic import TypeAdapter

    from conformance.bisecting import Bisection

    adapter = TypeAdapter(Document)
    adapter.rebuild(_types_namespace={"Bisection": Bisection})
    schema = adapter.json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
