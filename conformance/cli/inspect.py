"""``keras-conformance inspect``: what is in a model file.

``--json`` prints the document that ``inspect.schema.json`` beside this file describes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Every layer and every array, however many.")
@click.option("--json", "as_json", is_flag=True, help="Print a document instead.")
@click.pass_context
def inspect(ctx: click.Context, models: tuple[Path, ...], everything: bool, as_json: bool) -> None:
    """Tell what is in each MODEL, without any library that could have written it, and without running anything in it.

    \b
    A MODEL is
      * an HDF5 file (.h5, .hdf5): a whole model or weights
      * a Keras v3 archive (.keras) or weights file (.weights.h5)
      * a SavedModel folder
      * a TensorFlow checkpoint: its prefix, one of its files, or its folder
      * a JSON config
    It is known by its content, whatever its name.

    Told are the format, who wrote it, the layers, the weights, the optimizer, how it was compiled, whether its
    checksums are right, what is dangerous in it, and which implementations should load it and why others do not.

    Exit 1 if a checksum is wrong or a MODEL among several cannot be read, 2 if none can.
    """
    from conformance.inspecting import Inspection
    from conformance.inspecting import inspect as look
    from conformance.inspecting.model import SCHEMA, Document
    from conformance.inspecting.text import text
    from conformance.witness import WitnessError

    found: list[Inspection] = []
    errors: list[str] = []
    for model in models:
        try:
            found.append(look(model))
        except WitnessError as error:
            errors.append(_line(str(error)))
            click.echo(f"inspect: {errors[-1]}", err=True)
            continue
        if not as_json:
            click.echo(("\n" if len(found) > 1 else "") + text(found[-1], None if everything else 40))
    if as_json:
        click.echo(json.dumps(asdict(Document(SCHEMA, tuple(found), tuple(errors))), indent=1))
    if errors and not found:
        ctx.exit(2)
    ctx.exit(1 if errors or any(inspection.damaged for inspection in found) else 0)


def _line(message: str) -> str:
    return " ".join(message.split())
