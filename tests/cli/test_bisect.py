from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

import conformance.cli.bisect as command
from conformance.bisecting import Bisection, CannotJudge, NothingToFind, Step, Verdict, between, bisect
from conformance.bisecting_verdicts import Judged
from conformance.cli import cli
from conformance.implementations.versions import Made, VersionMissing

SCHEMA = json.loads((Path(command.__file__).parent / "bisect.schema.json").read_text(encoding="utf-8"))
VERSIONS = [f"2.{minor}.0" for minor in range(20)]


def search(first_bad: int, skipped: Collection[int] = (), count: int = 20) -> tuple[Bisection, list[str]]:
    asked: list[str] = []

    def judge(version: str) -> Verdict:
        asked.append(version)
        number = VERSIONS.index(version)
        if number in skipped:
            raise CannotJudge("does not install")
        return Verdict("pass" if number < first_bad else "fail", f"number {number}")

    return bisect(VERSIONS[:count], judge), asked


@pytest.mark.parametrize("first_bad", range(1, 20))
def test_the_first_bad_version_is_found_and_none_is_judged_twice(first_bad: int):
    found, asked = search(first_bad)
    assert found.first_bad == VERSIONS[first_bad]
    assert found.last_good == VERSIONS[first_bad - 1]
    assert found.candidates == (VERSIONS[first_bad],)
    assert asked[:2] == [VERSIONS[0], VERSIONS[-1]]
    assert len(asked) == len(set(asked)) <= 2 + 5


def test_a_version_that_does_not_install_is_skipped_and_named():
    found, _ = search(12, {10, 11, 13})
    assert found.first_bad is None
    assert found.last_good == "2.9.0"
    assert found.candidates == ("2.10.0", "2.11.0", "2.12.0")
    assert {step.version for step in found.steps if step.state == "skipped"} == {"2.10.0", "2.11.0", "2.13.0"}


def test_skipped_versions_elsewhere_do_not_blur_the_answer():
    found, _ = search(5, {10})
    assert found.first_bad == "2.5.0"


def test_all_between_skipped_leaves_them_all_as_candidates():
    found, _ = search(19, set(range(1, 19)))
    assert found.candidates == tuple(VERSIONS[1:])
    assert len(found.steps) == 20


def test_ends_with_one_verdict_are_nothing_to_find():
    with pytest.raises(NothingToFind, match=r"2\.0\.0 and 2\.4\.0 have the same verdict: pass"):
        search(12, count=5)


def test_an_end_that_cannot_be_judged_ends_the_search():
    with pytest.raises(CannotJudge):
        search(5, {19})


def test_a_third_verdict_is_not_good():
    words = {"2.0.0": "pass", "2.1.0": "crash", "2.2.0": "fail"}
    found = bisect(VERSIONS[:3], lambda version: Verdict(words[version]))
    assert found.first_bad == "2.1.0"


def test_each_step_is_told_with_what_is_left():
    told: list[tuple[str, int]] = []

    def tell(step: Step, left: int) -> None:
        told.append((step.state, left))

    bisect(VERSIONS[:5], lambda version: Verdict("pass" if version < "2.3" else "fail"), tell)
    assert told == [("good", 3), ("bad", 3), ("good", 1), ("bad", 0)]


def test_the_versions_between_go_either_way():
    assert between(VERSIONS, "2.1.0", "2.3.0") == ["2.1.0", "2.2.0", "2.3.0"]
    assert between(VERSIONS, "2.3.0", "2.1.0") == ["2.3.0", "2.2.0", "2.1.0"]
    with pytest.raises(NothingToFind, match=r"no version 2\.3\.7; there are .*2\.3\.0"):
        between(VERSIONS, "2.3.7", "2.5.0")


def test_verdicts_are_kept_and_what_cannot_be_judged_is_tried_again(tmp_path: Path):
    asked: list[str] = []

    def make(text: str, say: object) -> Made:
        asked.append(text)
        if text.endswith("2.1.0"):
            raise VersionMissing("does not install")
        return None  # type: ignore[return-value]

    judged = Judged("tensorflow", lambda made: Verdict("pass", "well"), print, tmp_path / "a" / "b.json", make)
    for _ in range(2):
        assert judged("2.0.0") == Verdict("pass", "well")
        with pytest.raises(CannotJudge, match="does not install"):
            judged("2.1.0")
    assert asked == ["tensorflow==2.0.0", "tensorflow==2.1.0", "tensorflow==2.1.0"]


def test_the_published_schema_is_the_one_of_the_code():
    assert command.json_schema() == SCHEMA


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Versions and their verdicts, instead of an index and environments."""
    verdicts = {"2.4.4": "pass", "2.8.0": "pass", "2.12.0": "fail", "2.15.1": "fail"}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("conformance.implementations.index.releases", lambda package: list(verdicts))

    def call(judged: Judged, version: str) -> Verdict:
        if verdicts[version] == "none":
            raise CannotJudge("no wheel")
        return Verdict(verdicts[version], f"test says {verdicts[version]}")

    monkeypatch.setattr(Judged, "__call__", call)
    return verdicts


def run(target: object, *more: str, good: str = "2.4.4", bad: str = "2.15.1") -> Result:
    options = ["--package", "tensorflow", "--good", good, "--bad", bad]
    return CliRunner().invoke(cli, ["bisect", str(target), *options, *more])


def test_the_answer_as_text_and_as_a_document(world: Mapping[str, str]):
    done = run("registry.precedence-builtin")
    assert done.exit_code == 0, done.output
    assert "first with another verdict: tensorflow 2.12.0" in done.stdout
    assert "test says fail" in done.stdout
    assert "2.8.0: good: pass" in done.stderr
    document = json.loads(run("registry.precedence-builtin", "--json").stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["dialect"] == "keras-2.4"
    assert document["result"]["first_bad"] == "2.12.0"


def test_a_skipped_version_is_in_the_answer(world: dict[str, str]):
    world["2.8.0"] = "none"
    done = run("registry.precedence-builtin")
    assert done.exit_code == 0
    assert "one of 2.8.0, 2.12.0" in done.stdout
    assert "skipped: 2.8.0" in done.stdout


@pytest.mark.parametrize(
    ("target", "more", "said"),
    [
        ("registry.precedense", {}, "registry.precedence"),
        ("model.weights[hdf6]", {}, "model.weights[hdf5]"),
        ("registry.precedence-builtin-v3", {}, "does not hold in the dialect keras-2.4"),
        ("registry.precedence-builtin", {"bad": "2.8.0"}, "same verdict: pass"),
        ("registry.precedence-builtin", {"bad": "2.9.9"}, "no version 2.9.9"),
        ("registry.precedence-builtin", {"good": "1.15.0"}, "oldest that can be driven"),
    ],
)
def test_a_users_mistake_is_told_and_is_exit_2(world: Mapping[str, str], target: str, more: dict[str, str], said: str):
    done = run(target, **more)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_model_with_code_in_it_is_not_loaded(world: Mapping[str, str], tmp_path: Path):
    code = {"class_name": "Lambda", "config": {"function": ["4wAA", None, None], "function_type": "lambda"}}
    (tmp_path / "m.json").write_text(json.dumps({"class_name": "Sequential", "config": {"layers": [code]}}))
    done = run(tmp_path / "m.json")
    assert done.exit_code == 2
    assert "not loaded into libraries that run it" in done.stderr


def test_an_end_that_does_not_install_is_exit_3(world: dict[str, str]):
    world["2.15.1"] = "none"
    done = run("registry.precedence-builtin")
    assert done.exit_code == 3
    assert "no wheel" in done.stderr
