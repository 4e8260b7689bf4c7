"""Chapter example: the guide's own code, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from conformance.protocol.errors import Refused
from conformance.protocol.session import Session
from conformance.suite.case import requirement
from conformance.suite.compare import Mismatch, assert_equal, assert_true

# The adapter supplies what the first block imports.
BLOCKS = {
    path.name.removesuffix(".py"): path.read_text(encoding="utf-8")
    for path in sorted(files("conformance.suite").joinpath("guide").iterdir(), key=lambda entry: entry.name)
    if path.name.endswith(".py") and not path.name.startswith("00_")
}
SAVEDMODEL_BLOCKS = ("01_savedmodel", "02_custom_model", "08_graph_only")

# The HDF5 example uses the function that the SavedModel example defines.
GET_MODEL = BLOCKS["01_savedmodel"].partition("\n\n\nmodel = get_model()")[0] + "\n"


def run_blocks(impl: Session, names: Iterable[str], directory: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Run blocks in order in one namespace and folder: what each printed, and what the failing ones raised."""
    printed: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name in names:
        try:  # the later blocks are judged too
            printed[name] = impl.run_source(BLOCKS[name], name, directory)
        except Refused as refusal:
            failed[name] = f"{refusal.exception}: {refusal.text.splitlines()[0] if refusal.text else ''}"
    return printed, failed


def _assert_none_failed(failed: dict[str, str]) -> None:
    if failed:
        raise Mismatch(
            f"blocks that do not run: {', '.join(failed)}",
            "every block runs",
            "; ".join(f"{name}: {error}" for name, error in failed.items()),
        )


@requirement("example.blocks")
def test_every_block_of_the_guide_runs(impl: Session, scratch: Path):
    assert_equal(21, len(BLOCKS), "blocks of the guide, its imports left out")

    printed, failed = run_blocks(impl, BLOCKS, scratch)

    _assert_none_failed(failed)
    # What the guide prints and its text relies on: the order of a nested layer's weights turns.
    assert_true(
        "variable ordering changed: True" in printed["20_trainable_order"],
        "what the block about the order prints",
        expected="variable ordering changed: True",
        actual=printed["20_trainable_order"],
    )


@requirement("example.blocks-core")
def test_the_blocks_without_savedmodel_run(impl: Session, scratch: Path):
    impl.run_source(GET_MODEL, "get_model", scratch)

    _, failed = run_blocks(impl, (name for name in BLOCKS if name not in SAVEDMODEL_BLOCKS), scratch)

    _assert_none_failed(failed)


# What the guide prints: title, then layer, class and parameters of each row, then the total.
DENSE_1, DENSE_2 = ("dense_1", "Dense", 50240), ("dense_2", "Dense", 4160)
SUMMARIES = {
    "pretrained_model": [("digits", "InputLayer", 0), DENSE_1, DENSE_2, 54400],
    "new_model": [("digits", "InputLayer", 0), DENSE_1, DENSE_2, ("predictions", "Dense", 325), 54725],
    "sequential_3": [("pretrained", "Functional", 54400), ("predictions", "Dense", 325), 54725],
    "sequential_6": [DENSE_1, DENSE_2, ("dense_3", "Dense", 325), 54725],
}
ROW = re.compile(r"^\s*(?P<name>[\w-]+) \((?P<cls>\w+)\)\s+.*?(?P<count>[\d,]+)\s*$")
TOTAL = re.compile(r"^\s*Total params: (?P<count>[\d,]+)")


def read_summaries(text: str) -> dict[str, list[tuple[str, str, int] | int]]:
    """The summaries in ``text`` by the model's name: rows and total, whatever the lines and columns look like."""
    found: dict[str, list[tuple[str, str, int] | int]] = {}
    rows: list[tuple[str, str, int] | int] = []
    for line in text.splitlines():
        if title := re.match(r'^Model: "(?P<name>.*)"', line):
            rows = found.setdefault(title["name"], [])
        elif row := ROW.match(line):
            rows.append((row["name"], row["cls"], int(row["count"].replace(",", ""))))
        elif total := TOTAL.match(line):
            rows.append(int(total["count"].replace(",", "")))
    return found


@requirement("example.summaries")
def test_the_summaries_list_what_the_guide_prints(impl: Session, scratch: Path):
    impl.run_source(GET_MODEL, "get_model", scratch)
    names = [name for name in BLOCKS if name not in SAVEDMODEL_BLOCKS]

    printed, _ = run_blocks(impl, names, scratch)

    text = "".join(printed.get(name, "") for name in ("17_checkpoint_transfer", "21_hdf5_transfer"))
    assert_equal(SUMMARIES, read_summaries(text), "summaries that the transfer learning examples print")
