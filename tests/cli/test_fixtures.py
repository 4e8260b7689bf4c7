import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conformance.cli import cli
from conformance.cli.fixtures import json_schema
from conformance.fixtures import manifest, matrix
from conformance.fixtures.location import fixtures_folder
from tests.fixtures.small import make_folder, put

CLI = Path(__file__).parents[2] / "conformance"
OWN = fixtures_folder()


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_folder(tmp_path / "fixtures")
    put(made, "one", b"content")
    return made


def test_the_published_schemas_are_the_models() -> None:
    published = {
        "cli/fixtures.schema.json": json_schema(),
        "fixtures/manifest.schema.json": manifest.json_schema(),
        "fixtures/matrix.schema.json": matrix.json_schema(),
    }
    for name, schema in published.items():
        assert json.loads((CLI / name).read_text()) == schema, name


def test_our_own_golden_files_are_whole() -> None:
    result = _call("fixtures", "verify", "--hashes", "--fixtures", str(OWN))
    assert result.exit_code == 0, result.output
    document = json.loads((OWN / "manifest.json").read_text())
    jsonschema.validate(document, manifest.json_schema())


def test_the_list_is_a_document(folder: Path) -> None:
    result = _call("fixtures", "list", "--json", "--fixtures", str(folder))
    document = json.loads(result.output)
    jsonschema.validate(document, json_schema())
    assert document["recipes"][0]["formats"] == {"reference": ["hdf5", "savedmodel"]}
    assert "3 recipes" in _call("fixtures", "list", "--fixtures", str(folder)).output


def test_a_planted_change_is_drift(folder: Path) -> None:
    name = next(iter(manifest.read_manifest(folder).files()))
    (folder / name).write_bytes(b"x" + (folder / name).read_bytes()[1:])
    result = _call("fixtures", "verify", "--hashes", "--fixtures", str(folder))
    assert result.exit_code == 1
    assert f"{name}: has the SHA-256" in result.output


def test_bad_input_is_a_message_and_exit_2(folder: Path) -> None:
    assert _call("fixtures", "verify", "--fixtures", str(folder), "onne").exit_code in (1, 2)
    assert _call("fixtures", "regenerate", "--producer", "tf9", "--fixtures", str(folder)).exit_code == 2
    (folder / "manifest.json").write_text('{"schema": "7.0"}')
    result = _call("fixtures", "list", "--fixtures", str(folder))
    assert result.exit_code == 2
    assert "use the keras-conformance that wrote it" in result.output
    shutil.rmtree(folder / "recipes")
    assert "no golden fixtures" in _call("fixtures", "list", "--fixtures", str(folder)).output


def test_a_producer_without_an_environment_is_named_and_nothing_deleted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_CONFORMANCE_ENVS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("conformance.implementations.registry.CLONE", tmp_path)
    before = sorted(folder.rglob("*"))
    result = _call("fixtures", "regenerate", "--producer", "tf2.4", "--fixtures", str(folder), "one")
    assert result.exit_code == 3
    assert "tf2.4: no interpreter" in result.output
    assert sorted(folder.rglob("*")) == before


def test_a_matrix_that_was_never_read_says_what_to_do(folder: Path) -> None:
    assert "--run" in _call("matrix", "--fixtures", str(folder)).output


def test_a_matrix_is_kept_only_where_it_is_to_be(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "fixtures")
    made = _call("fixtures", "regenerate", "--producer", "reference", "--fixtures", str(folder), "one")
    assert made.exit_code == 0, made.output
    read = ("matrix", "reference", "--run", "--fixtures", str(folder))

    seen = _call(*read, "--no-keep")
    assert (seen.exit_code, (folder / "matrix.json").exists()) == (0, False)
    assert "reference: " in seen.output

    assert _call(*read).exit_code == 0
    assert [column.consumer for column in matrix.read_matrix(folder).columns] == ["reference"]
