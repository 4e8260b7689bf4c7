"""Every optimizer against every library: its state in the files, both ways, and how training goes on.

``legacy`` is an optimizer that keeps its state as Keras before 2.11 did, ``new`` one of 2.11 and later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.cases.optimizers import OPTIMIZERS
from tests.interop.jobs import Jobs, Side, Work, assert_close, assert_equal, chosen, facts

THEIRS = {
    ("tf2.4", "legacy"): ("hdf5", "checkpoint"),
    ("tf2.15", "legacy"): ("hdf5", "checkpoint"),
    ("tf2.15", "new"): ("hdf5", "checkpoint", "keras"),
    ("tf-keras", "legacy"): ("hdf5", "checkpoint"),
    ("tf-keras", "new"): ("hdf5", "checkpoint", "keras"),
    # In this order: to write HDF5, Keras 3 takes the optimizer out of what the model remembers of its compilation.
    ("keras3", "keras3"): ("keras", "hdf5"),
}
"""By library and variant the formats that keep an optimizer's state."""

OURS = {
    pair: forms if pair[1] == "legacy" else tuple(form for form in forms if form != "hdf5")
    for pair, forms in THEIRS.items()
}
"""The same for what the reference writes: its HDF5 files have the optimizers of before 2.11."""

DIALECTS = {"legacy": "keras-2.4", "new": "keras-2.15", "keras3": "keras-3"}
TOLERANCE = 1e-5


def is_known(library: str, variant: str, name: str) -> bool:
    """Whether the library has the optimizer: what 2.4 does not have the legacy optimizers of later versions have not."""
    left_out = OPTIMIZERS[name].get("but", {})
    return library not in left_out and not (variant == "legacy" and "tf2.4" in left_out)


def matrix(formats: dict[tuple[str, str], tuple[str, ...]]) -> list[tuple[str, str, str]]:
    return [
        (f"{variant}/{name}", library, form)
        for (library, variant), forms in formats.items()
        for name in OPTIMIZERS
        if is_known(library, variant, name)
        for form in forms
    ]


def ids(entries: list[Any]) -> list[str]:
    return ["-".join(entry) for entry in entries]


def formats_of(table: dict[tuple[str, str], tuple[str, ...]], library: str, variants: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(form for variant in variants for form in table[library, variant]))


@pytest.fixture(scope="session")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Everything that the chosen tests need is started at once."""
    jobs = Jobs(Path(__file__).with_name("optimizer_program.py"), tmp_path_factory.mktemp("optimizers"))
    cases = chosen(request.session.items, lambda name: name.partition("/")[2] in OPTIMIZERS)

    def of(library: str, variant: str) -> list[str]:
        return [case for case in cases[library] if case.startswith(f"{variant}/")]

    pairs = [(library, variant) for library, variant in THEIRS if library in cases and of(library, variant)]
    for library in cases:
        variants = [variant for other, variant in pairs if other == library]
        jobs.write(Side(library), Work(cases[library], formats_of(THEIRS, library, variants)))
    for variant in dict.fromkeys(variant for _, variant in pairs):
        readers = [library for library, other in pairs if other == variant]
        names = dict.fromkeys(case for library in readers for case in of(library, variant))
        formats = dict.fromkeys(form for library in readers for form in OURS[library, variant])
        jobs.write(reference(variant), Work(list(names), list(formats)))
    for library, variant in pairs:
        jobs.read(library, reference(variant), Work(of(library, variant), OURS[library, variant]))
    for library in cases:
        variants = [variant for other, variant in pairs if other == library]
        jobs.read("reference", Side(library), Work(cases[library], formats_of(THEIRS, library, variants)))
    yield jobs
    jobs.close()


def reference(variant: str) -> Side:
    return Side("reference", DIALECTS[variant])


def goes_on(files: Jobs, name: str, reader: str, writer: Side, form: str) -> None:
    truth = facts(files.written(writer) / name, "truth.npz", f"write-{form}.txt")
    found = facts(files.found(reader, writer) / name, f"found-{form}.npz", f"read-{form}.txt")
    assert_equal(truth, found, ("weight", "state"))
    assert_close(truth, found, ("losses", "after"), TOLERANCE)


@pytest.mark.parametrize(("name", "library", "form"), matrix(THEIRS), ids=ids(matrix(THEIRS)))
def test_the_reference_goes_on_with_theirs(files: Jobs, name: str, library: str, form: str) -> None:
    goes_on(files, name, "reference", Side(library), form)


@pytest.mark.parametrize(("name", "library", "form"), matrix(OURS), ids=ids(matrix(OURS)))
def test_they_go_on_with_the_reference_s(files: Jobs, name: str, library: str, form: str) -> None:
    goes_on(files, name, library, reference(name.partition("/")[0]), form)
