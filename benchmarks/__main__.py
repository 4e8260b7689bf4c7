"""The command ``python -m benchmarks``."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import check, checkpoints, hdf5, imports, memory, savedmodel
from benchmarks.measure import Result
from conformance.implementations.registry import InterpreterMissing, find_python, load_implementation
from reference_impl import __version__

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Settings:
    """What was asked for; ``prefix`` is a checkpoint of the asked size."""

    pairs: int
    prefix: Path
    tf_keras: Path | None


def _hdf5(settings: Settings) -> Iterator[Result | None]:
    assert settings.tf_keras is not None
    return hdf5.run(settings.pairs, settings.tf_keras)


def _savedmodel(settings: Settings) -> Iterator[Result | None]:
    assert settings.tf_keras is not None
    return savedmodel.run(settings.pairs, settings.tf_keras)


FAMILIES: dict[str, Callable[[Settings], Iterator[Result | None]]] = {
    "import": lambda settings: imports.run(settings.pairs),
    "hdf5": _hdf5,
    "savedmodel": _savedmodel,
    "checkpoint": lambda settings: checkpoints.run(settings.pairs, settings.prefix),
    "memory": lambda settings: memory.run(settings.prefix),
    "check": lambda settings: check.run(),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(FAMILIES)))
@click.option("--pairs", type=click.IntRange(min=7), default=7, show_default=True, help="Pairs a ratio is made of.")
@click.option(
    "--size", type=click.IntRange(min=16), default=1024, show_default=True, metavar="MIB", help="The checkpoint's size."
)
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="NAME=PATH",
    help="The interpreter of tf-keras, as `keras-conformance run` takes it [default: where that looks].",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the results, JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON; everything else on stderr.")
def main(
    names: tuple[str, ...], pairs: int, size: int, pythons: tuple[str, ...], output: Path | None, as_json: bool
) -> None:
    """Measure speed and memory beside the real libraries; NAMES are import, hdf5, savedmodel, checkpoint, memory, check [default: all].

    Each number is the median of pairs measured in turn, held against its limit. Exit code 1 if one is not reached, 3
    if tf_keras cannot be started.
    """
    chosen = [name for name in FAMILIES if name in names or not names]
    python = _find_tf_keras(pythons) if {"hdf5", "savedmodel"} & set(chosen) else None
    start = os.getloadavg()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(pairs, Path(folder) / "checkpoint", python)
        if {"checkpoint", "memory"} & set(chosen):
            click.echo(f"writing a checkpoint of {size} MiB …", err=True)
            checkpoints.write(settings.prefix, size)
        for name in chosen:
            for result in FAMILIES[name](settings):
                if result is None:
                    click.echo(".", nl=False, err=True)
                    continue
                results.append(result)
                click.echo(("\n" if len(result.pairs) > 1 else "") + _line(result), err=as_json)
    document = _document(results, size, start)
    if output is not None:
        output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    if not all(result.reached for result in results):
        raise SystemExit(1)


def _find_tf_keras(pythons: tuple[str, ...]) -> Path:
    given: Path | None = None
    for text in pythons:
        name, equals, path = text.partition("=")
        if name != "tf-keras" or not equals:
            raise click.BadParameter(f"found {text!r}, expected tf-keras=PATH", param_hint="--python")
        given = Path(path)
    try:
        python = find_python(load_implementation("tf-keras"), given)
    except InterpreterMissing as error:
        click.echo(str(error), err=True)
        raise SystemExit(3) from None
    assert python is not None
    return python


def _line(result: Result) -> str:
    verdict = "reached" if result.reached else "NOT REACHED"
    held = "no limit" if result.limit is None else f"{result.sense} {result.limit:g}: {verdict}"
    value = f"{result.value:.3g} {result.unit}"
    return f"{value:>12}  {held:<24}  {result.what}"


def _document(results: list[Result], size: int, load: tuple[float, float, float]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "reference_impl": __version__,
        "environment": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
            "system": platform.system(),
            "cpus": os.cpu_count(),
            "load_before": load[0],
            "load_after": os.getloadavg()[0],
        },
        "checkpoint_mib": size,
        "results": [result.as_json() for result in results],
    }


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
