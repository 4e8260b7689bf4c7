"""``report`` as a program: files written, files refused."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from conformance.cli import cli
from conformance.results.model import Run, TestRecord, UnitVerdict, results_of
from conformance.results.verdict import Verdict


def run(name="toy", verdict=Verdict.PASS):
    test = TestRecord("test_x.py::test_y", ("model.weights",), ("model.weights[hdf5]",), verdict)
    return Run(name, "keras-2.4", tests=(test,), units=(UnitVerdict("model.weights[hdf5]", verdict),))


@pytest.fixture
def report(tmp_path):
    """Call the command on documents, written down first; returns the click result."""

    def report(*documents, arguments=("--badge", "-")):
        paths = [tmp_path / f"{number}.json" for number in range(len(documents))]
        for path, document in zip(paths, documents, strict=True):
            path.write_text(document if isinstance(document, str) else json.dumps(document.to_json()), encoding="utf-8")
        done = CliRunner().invoke(cli, ["report", *map(str, paths), *map(str, arguments)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return report


def test_all_reports_of_several_files_at_once(report, tmp_path):
    paths = {name: tmp_path / "new" / name for name in ("markdown", "junit", "badge")}
    arguments = [word for name, path in paths.items() for word in (f"--{name}", path)]
    done = report(results_of([run()]), results_of([run("other")]), arguments=arguments)
    assert (done.exit_code, done.output) == (0, "")
    assert "| chapter | toy<br>keras-2.4 | other<br>keras-2.4 |" in paths["markdown"].read_text()
    assert ElementTree.parse(paths["junit"]).getroot().get("tests") == "2"
    assert json.loads(paths["badge"].read_text())["message"] == "conformant, 2 units"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["badge", "junit", "markdown"]


def test_to_the_standard_output(report):
    done = report(results_of([run()]))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["color"] == "brightgreen"


def test_what_failed_and_what_is_incomplete_is_reported(report):
    assert '"red"' in report(results_of([run(verdict=Verdict.FAIL)])).stdout
    assert '"incomplete"' in report(results_of([run(verdict=Verdict.NOT_RUN)])).stdout


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda value: value.pop("footer"), "there is no footer, so the file was cut off"),
        (lambda value: value["footer"]["counts"].clear(), "the footer does not agree"),
        (lambda value: value.update(schema="9.0"), "schema is '9.0'"),
        (lambda value: value["suite"].update(version="2020.1.0"), "of suite 2020.1.0"),
        (lambda value: value["runs"][0].update(dialect="keras-9"), "judged in 'keras-9'"),
        (lambda value: value["runs"][0]["units"][0].update(unit="no.such"), "tells of no.such"),
        (lambda value: value["runs"][0]["hello"].update(libraries=[1]), "hello.libraries: Input should be"),
        (lambda value: value["runs"][0].update(implementation="toy"), "toy (keras-2.4) is in"),
    ],
)
def test_what_is_cut_or_foreign_is_refused_by_name(report, spoil, told):
    document = results_of([run("other")]).to_json()
    spoil(document)
    done = report(results_of([run()]), json.dumps(document))
    assert done.exit_code == 2
    assert "1.json: " in done.output
    assert told in done.output


def test_nothing_to_report(report, tmp_path):
    for done, told in (
        (report(), "Missing argument 'RESULTS...'"),
        (report(results_of([])), "no implementation was run"),
        (report(results_of([run()]), arguments=()), "what kind of report?"),
        (report("{"), "cannot be read as JSON"),
        (report(results_of([run()]), arguments=("--badge", tmp_path / "0.json" / "x")), "cannot be written"),
    ):
        assert done.exit_code == 2
        assert told in done.output
