from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import conformance.cli.listing as listing
from conformance.cli import cli
from conformance.implementations.registry import implementation_names

SCHEMA = json.loads((Path(listing.__file__).parent / "list.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _no_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_CONFORMANCE_ENVS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("conformance.implementations.registry.CLONE", tmp_path)


def test_the_published_schema_is_the_one_of_the_code():
    assert listing.json_schema() == SCHEMA


def test_the_document_names_every_implementation_and_what_is_missing():
    done = CliRunner().invoke(cli, ["list", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    listed = {entry["name"]: entry for entry in document["implementations"]}
    assert list(listed) == implementation_names()
    assert listed["reference"]["starts"]
    assert "build.sequential" in listed["reference"]["capabilities"]
    assert not listed["tf2.4"]["starts"]
    assert "make one with" in listed["tf2.4"]["missing"]


def test_the_text_shows_the_same():
    done = CliRunner().invoke(cli, ["list"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert any(line.startswith("reference ") and "keras-2.4" in line and "starts" in line for line in lines)
    assert any(line.startswith("tf2.4 ") and "cannot start" in line for line in lines)
    assert any("make one with: uv venv" in line for line in lines)


def test_an_implementation_that_fails_at_its_start_is_told_with_its_last_lines(tmp_path):
    (tmp_path / "adapter.py").write_text("raise SystemExit('no such library')\n", encoding="utf-8")
    file = tmp_path / "broken.toml"
    file.write_text(
        'name = "broken"\ntitle = "broken"\ndialects = ["keras-2.4"]\nadapter = "adapter.py"\n', encoding="utf-8"
    )
    done = CliRunner().invoke(cli, ["list", "--implementation-file", str(file)])
    assert done.exit_code == 0, done.output
    assert "broken       keras-2.4    cannot start" in done.output
    assert "no such library" in done.output
