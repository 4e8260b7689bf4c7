"""``keras-conformance fixtures``: the golden files, what there is, made anew, verified.

``list --json`` prints the document that ``fixtures.schema.json`` beside this file describes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from conformance.fixtures.producers import Producer
    from conformance.fixtures.recipe import Recipe

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 20  # differences of one recipe


@dataclass(frozen=True)
class ListedRecipe:
    """A recipe: why it is kept, what it exercises, and what each producer made of it, by producer."""

    recipe: str
    why: str
    requirements: tuple[str, ...]
    formats: dict[str, tuple[str, ...]]
    cannot: dict[str, dict[str, str]]


@dataclass(frozen=True)
class ListedProducer:
    """A producer: its dialect, its interpreter's version and packages as locked, None before it made anything."""

    name: str
    dialect: str
    python: str | None
    packages: dict[str, str]


@dataclass(frozen=True)
class FixtureList:
    """What ``fixtures list --json`` prints; ``files`` and ``bytes`` count the golden archives."""

    files: int
    bytes: int
    producers: tuple[ListedProducer, ...]
    recipes: tuple[ListedRecipe, ...]


@click.group()
def fixtures() -> None:
    """The golden files: models that real producers wrote, with what a reader must find in them.

    They lie in the clone's folder fixtures/: recipes, what was made of them, and the manifest that says where each file
    comes from. Elsewhere say --fixtures DIR or $KERAS_CONFORMANCE_FIXTURES.
    """


_FOLDER = click.option(
    "--fixtures", "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the golden files, where it is not the clone's.",
)  # fmt: skip
_PRODUCERS = click.option(
    "--producer", "names", multiple=True, metavar="NAME", help="Only this producer (repeatable; default: all)."
)
_PYTHONS = click.option(
    "--python", "pythons", multiple=True, metavar="NAME=PATH", help="The interpreter of a producer (repeatable)."
)
_JOBS = click.option(
    "--jobs", type=click.IntRange(min=1), default=1, metavar="N", help="Sessions at a time (default: 1)."
)
_RECIPES = click.argument("recipes", metavar="[RECIPE]...", nargs=-1)


@fixtures.command("list")
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print a document instead.")
def list_(folder: Path | None, as_json: bool) -> None:
    """Which recipes there are, why, and what each producer made of them."""
    from conformance.fixtures.location import fixtures_folder
    from conformance.fixtures.manifest import read_manifest
    from conformance.fixtures.producers import find_producers
    from conformance.fixtures.recipe import read_recipes
    from conformance.spec import load_specification

    folder = fixtures_folder(folder)
    recipes = read_recipes(folder, load_specification())
    manifest = read_manifest(folder)
    files = manifest.files().values()
    listing = FixtureList(
        files=len(files),
        bytes=sum(ref.size for ref in files),
        producers=tuple(
            ListedProducer(p.name, p.dialect, lock.python if lock else None, dict(lock.packages) if lock else {})
            for p in find_producers(folder)
            for lock in [manifest.lock_of(p.name)]
        ),
        recipes=tuple(
            ListedRecipe(
                recipe=recipe.id,
                why=recipe.why,
                requirements=recipe.requirements,
                formats={
                    m.producer: tuple(e.format for e in m.entries) for m in manifest.made if m.recipe == recipe.id
                },
                cannot={m.producer: dict(m.cannot) for m in manifest.made if m.recipe == recipe.id and m.cannot},
            )
            for recipe in recipes.values()
        ),
    )
    if as_json:
        click.echo(json.dumps(asdict(listing), indent=1, ensure_ascii=False))
        return
    for recipe in listing.recipes:
        click.echo(f"{recipe.recipe}\n    {recipe.why}\n    {' '.join(recipe.requirements)}")
        counts = ", ".join(f"{name} {len(formats)}" for name, formats in recipe.formats.items() if formats)
        click.echo(f"    entries: {counts or 'none yet'}")
    total = sum(len(formats) for recipe in listing.recipes for formats in recipe.formats.values())
    click.echo(
        f"{len(recipes)} recipes, {len(listing.producers)} producers, {total} entries in {listing.files} files, "
        f"{listing.bytes / 1e6:.2f} MB"
    )


@fixtures.command()
@_FOLDER
@_PRODUCERS
@_PYTHONS
@_JOBS
@click.option("--allow-version", is_flag=True, help="Make them in another environment than the manifest's lock says.")
@_RECIPES
@click.pass_context
def regenerate(
    ctx: click.Context,
    folder: Path | None,
    names: tuple[str, ...],
    pythons: tuple[str, ...],
    jobs: int,
    allow_version: bool,
    recipes: tuple[str, ...],
) -> None:
    """Make golden files anew: those of each RECIPE (default: all) by each --producer (default: all).

    Nothing else is touched, and what comes out the same stays as it is. Killed at any moment it leaves a whole set: a
    file is never overwritten, and comes into force with the manifest that names it. Refuses (exit 2) to work in another
    environment than the one that the manifest has of the producer, unless --allow-version. A producer that has no
    environment here is named, the others do their work, exit 3.
    """
    from conformance.fixtures.location import fixtures_folder
    from conformance.fixtures.producing import Production
    from conformance.fixtures.regenerate import regenerate as make
    from conformance.spec import load_specification

    folder = fixtures_folder(folder)
    producers, missing = _producers(folder, names, pythons)
    chosen = _recipes(folder, recipes)
    counter = _Counter(len(producers) * len(chosen))

    def report(producer: str, recipe: str, production: Production) -> None:
        made = " ".join(production.files) or "nothing: " + next(iter(production.cannot.values()), "")
        counter.show(f"{producer}/{recipe}: {made}")

    make(folder, producers, chosen, load_specification(), jobs=jobs, allow_version=allow_version, report=report)
    ctx.exit(_told(missing))


@fixtures.command()
@_FOLDER
@_PRODUCERS
@_PYTHONS
@_JOBS
@click.option("--hashes", is_flag=True, help="Only the files against the manifest: a few seconds.")
@_RECIPES
@click.pass_context
def verify(
    ctx: click.Context,
    folder: Path | None,
    names: tuple[str, ...],
    pythons: tuple[str, ...],
    jobs: int,
    hashes: bool,
    recipes: tuple[str, ...],
) -> None:
    """Prove that the golden files are what their producers write.

    Every file is compared with its hash, and the set with the manifest and the recipes: nothing unreferenced, nothing
    missing. Then, unless --hashes, each RECIPE is made again in a scratch place and compared, byte for byte where the
    format's bytes are stable, else after the normalisation that the manifest names. Every difference is shown by its
    path inside the file. Exit 1 on any; 3 for a producer that has no environment here; nothing is ever changed.
    """
    from conformance.fixtures.drift import Compared, inventory, never_made
    from conformance.fixtures.drift import verify as compare
    from conformance.fixtures.location import fixtures_folder
    from conformance.fixtures.manifest import read_manifest
    from conformance.fixtures.producers import producer_names
    from conformance.fixtures.recipe import read_recipes
    from conformance.spec import load_specification

    folder = fixtures_folder(folder)
    specification = load_specification()
    manifest = read_manifest(folder)
    known = read_recipes(folder, specification)
    problems = inventory(folder, manifest, known, producer_names(folder))
    for problem in [*problems, *never_made(manifest, known, producer_names(folder))]:
        click.echo(problem)
    files = manifest.files().values()
    click.echo(f"{len(files)} files, {sum(ref.size for ref in files) / 1e6:.2f} MB: {len(problems)} problems")
    if hashes:
        ctx.exit(1 if problems else 0)
    producers, missing = _producers(folder, names, pythons)
    chosen = _recipes(folder, recipes)
    counter = _Counter(len(producers) * len(chosen))

    def report(compared: Compared) -> None:
        state = f"{len(compared.drift)} differences" if compared.drift else "as kept"
        counter.show(f"{compared.producer}/{compared.recipe}: {state}", quiet=not compared.drift)
        for line in compared.drift[:SHOWN]:
            click.echo(f"    {line}")
        if len(compared.drift) > SHOWN:
            click.echo(f"    … {len(compared.drift)} in all")

    found = compare(folder, producers, chosen, specification, manifest, jobs=jobs, report=report)
    states = Counter("drifted" if one.drift else "rounded" if one.rounded else "the same" for one in found)
    click.echo("made again: " + (", ".join(f"{count} {state}" for state, count in states.items()) or "none"))
    ctx.exit(max(_told(missing), 1 if problems or states["drifted"] else 0))


class _Counter:
    """Progress: on a terminal every line; elsewhere what says something, and every tenth."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def show(self, line: str, *, quiet: bool = False) -> None:
        """One more is done."""
        self._done += 1
        if not quiet or self._done % 10 == 0 or sys.stdout.isatty():
            click.echo(f"[{self._done}/{self._total}] {line}")


def _producers(folder: Path, names: tuple[str, ...], pythons: tuple[str, ...]) -> tuple[list[Producer], list[str]]:
    from conformance.fixtures.producers import find_producers, producer_names

    given: dict[str, Path] = {}
    for text in pythons:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name not in producer_names(folder):
            raise click.UsageError(f"--python {text!r}: expected PRODUCER=PATH, as in --python tf2.8=venv/bin/python")
        given[name] = Path(path).expanduser()
    found = find_producers(folder, names, given)
    return [one for one in found if not one.missing], [one.missing for one in found if one.missing]


def _recipes(folder: Path, names: Iterable[str]) -> list[Recipe]:
    from conformance.cli.names import check_names
    from conformance.fixtures.recipe import read_recipes
    from conformance.spec import load_specification

    known = read_recipes(folder, load_specification())
    check_names("recipe", names, known, "keras-conformance fixtures list")
    return [recipe for recipe in known.values() if not names or recipe.id in names]


def _told(missing: Iterable[str]) -> int:
    """Name the producers that have no environment; the exit code that this makes."""
    status = 0
    for text in missing:
        click.echo(text, err=True)
        status = 3
    return status


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the listing; ``fixtures.schema.json`` is this, written down."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(FixtureList).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
