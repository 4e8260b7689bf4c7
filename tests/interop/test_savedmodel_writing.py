"""SavedModels written here: loaded by every library in all ways, they compute what they computed here.

Every layer is one, and there are models of all kinds. These, and the first layer of each family, are also trained, saved and
loaded again by the library; and the optimizers of the models go on there as they go on here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.interop.cases import all_cases
from tests.interop.jobs import DIALECTS, Jobs, Side, Work, assert_close, assert_equal, chosen, facts, reference_for
from tests.interop.libraries import NAMES

_HERE = Path(__file__)
CASES = all_cases()
TOLERANCE = 2e-5
READ = ("load", "graph", "signature", "tf1")

MATRIX = [(name, library) for library in NAMES for name, case in CASES.items() if library not in case.get("but", {})]


def _firsts() -> list[tuple[str, str]]:
    """The first case of each family, by library."""
    found = {(name.partition("/")[0], library): name for name, library in reversed(MATRIX)}
    return [(name, library) for (_, library), name in found.items()]


MODELS = (
    "sequential",
    "deferred",
    "nested",
    "several",
    "subclassed",
    "of_a_dict",
    "losses",
    "configless",
    "mixed",
    "recurrent",
    "stateful",
    "words",
)
"""Those of ``savedmodel_models_program.py``."""


def _jobs(
    request: pytest.FixtureRequest, folder: Path, program: str, names: Sequence[str], read: tuple[str, ...]
) -> Jobs:
    """Everything that the chosen tests need is started at once."""
    jobs = Jobs(_HERE.with_name(program), folder)
    cases = chosen(request.session.items, set(names).__contains__)
    for dialect in dict.fromkeys(DIALECTS[library] for library in cases):
        wanted = dict.fromkeys(name for library in cases if DIALECTS[library] == dialect for name in cases[library])
        jobs.write(Side("reference", dialect), Work(list(wanted), ["savedmodel"]))
    for library in cases:
        jobs.read(library, reference_for(library), Work(cases[library], read))
    return jobs


@pytest.fixture(scope="session")
def layers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    folder = tmp_path_factory.mktemp("saved-layers")
    jobs = _jobs(request, folder, "savedmodel_writing_program.py", list(CASES), (*READ, "again-of-firsts"))
    yield jobs
    jobs.close()


@pytest.fixture(scope="session")
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    folder = tmp_path_factory.mktemp("saved-models")
    jobs = _jobs(request, folder, "savedmodel_models_program.py", MODELS, (*READ, "again", "resumed"))
    yield jobs
    jobs.close()


def ids(matrix: list[tuple[str, str]]) -> list[str]:
    return ["-".join(entry) for entry in matrix]


def computes_the_same(jobs: Jobs, name: str, library: str, form: str, tolerance: float) -> None:
    writer = reference_for(library)
    truth = facts(jobs.written(writer) / name, "truth.npz", "write-savedmodel.txt")
    found = facts(jobs.found(library, writer) / name, f"found-{form}.npz", f"read-{form}.txt")
    assert_close(truth, found, ("output",), tolerance)


def goes_on_the_same(jobs: Jobs, name: str, library: str, form: str) -> None:
    """What was loaded a second time computes what it computed before it was saved there."""
    folder = jobs.found(library, reference_for(library)) / name
    found = facts(folder, f"found-{form}.npz", f"read-{form}.txt")
    assert_close(facts(folder, f"truth-{form}.npz"), found, ("output",), TOLERANCE)


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize(("name", "library"), MATRIX, ids=ids(MATRIX))
def test_a_layer_computes_there_what_it_computes_here(layers: Jobs, name: str, library: str, form: str) -> None:
    computes_the_same(layers, name, library, form, TOLERANCE)


@pytest.mark.parametrize(("name", "library"), _firsts(), ids=ids(_firsts()))
def test_a_layer_is_trained_and_saved_again_there(layers: Jobs, name: str, library: str) -> None:
    goes_on_the_same(layers, name, library, "again-of-firsts")


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize("library", NAMES)
@pytest.mark.parametrize("name", MODELS)
def test_a_model_computes_there_what_it_computes_here(models: Jobs, name: str, library: str, form: str) -> None:
    computes_the_same(models, name, library, form, TOLERANCE)


@pytest.mark.parametrize("library", NAMES)
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_trained_and_saved_again_there(models: Jobs, name: str, library: str) -> None:
    goes_on_the_same(models, name, library, "again")


@pytest.mark.parametrize("library", NAMES)
@pytest.mark.parametrize("name", MODELS)
def test_an_optimizer_goes_on_there_as_here(models: Jobs, name: str, library: str) -> None:
    writer = reference_for(library)
    truth = facts(models.written(writer) / name, "truth.npz", "write-savedmodel.txt")
    found = facts(models.found(library, writer) / name, "found-resumed.npz", "read-resumed.txt")
    assert_equal(truth, found, ("state",))
    assert_close(truth, found, ("losses", "metrics", "after"), TOLERANCE)
