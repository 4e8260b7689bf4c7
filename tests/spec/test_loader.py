"""The loader takes data that holds together and refuses every other kind, naming file and entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.spec import SpecificationError, Unit, load_specification
from tests.spec.folder import (
    CAPABILITIES,
    CHAPTER,
    DIALECTS,
    ERRATA,
    REQUIREMENT,
    SECOND,
    TOLERANCES,
    write,
)


def test_a_sound_folder_becomes_values(tmp_path: Path) -> None:
    specification = load_specification(write(tmp_path))
    whole, half = specification.requirements.values()
    assert [str(unit) for unit in whole.units] == ["model.whole[hdf5]", "model.whole[zip]"]
    assert whole.units[1].needs == ("build", "save.zip")
    assert whole.guide == "model.whole"
    assert half.units == (Unit("model.half"),)
    assert specification.tolerance("close") == 1e-6
    assert specification.errata["E1"].requirements == ("model.whole",)


def test_a_unit_applies_where_its_dialect_has_the_format_for_its_artifact(tmp_path: Path) -> None:
    weights = SECOND.replace("model.half", "model.weights") + 'artifact = "weights"\nformats = ["tensors"]\n'
    specification = load_specification(write(tmp_path, model=CHAPTER + REQUIREMENT + SECOND + weights))
    applies = {
        (str(unit), dialect) for unit in specification.units for dialect in ("old", "new")
        if specification.applicable(unit, dialect)
    }  # fmt: skip
    assert applies == {
        ("model.whole[hdf5]", "old"),
        ("model.whole[hdf5]", "new"),
        ("model.whole[zip]", "new"),
        ("model.half", "old"),
        ("model.half", "new"),
        ("model.weights[tensors]", "old"),
    }
    assert specification.requirements["model.weights"].dialects == ("old",)


def test_a_unit_does_not_apply_where_its_dialect_lacks_the_family_or_is_left_out(tmp_path: Path) -> None:
    layers = SECOND.replace("model.half", "model.layers") + 'families = ["core", "merge"]\n'
    narrowed = SECOND + 'dialects = ["new"]\ndialect_note = "came later"\n'
    specification = load_specification(write(tmp_path, model=CHAPTER + REQUIREMENT + narrowed + layers))
    core, merge = specification.requirements["model.layers"].units
    assert [specification.applicable(unit, "old") for unit in (core, merge, Unit("model.half"))] == [True, False, False]
    assert [specification.applicable(unit, "new") for unit in (core, merge, Unit("model.half"))] == [True, True, True]


def test_a_unit_depends_on_the_same_format_where_there_is_one_and_else_on_all(tmp_path: Path) -> None:
    zipped = SECOND.replace("model.half", "model.zipped") + 'formats = ["zip"]\n'
    specification = load_specification(write(tmp_path, model=CHAPTER + REQUIREMENT + SECOND + zipped))
    depends = {str(unit): [str(other) for other in specification.dependencies(unit)] for unit in specification.units}
    assert depends["model.zipped[zip]"] == ["model.whole[zip]"]
    assert depends["model.half"] == ["model.whole[hdf5]", "model.whole[zip]"]


def test_chapters_come_in_their_order(tmp_path: Path) -> None:
    first = CHAPTER.replace("model", "zero").replace("order = 1", "order = 0")
    specification = load_specification(write(tmp_path, zero=first + SECOND.replace("model.half", "zero.first")))
    assert list(specification.chapters) == ["zero", "model"]
    assert list(specification.requirements) == ["zero.first", "model.whole", "model.half"]


MODEL = CHAPTER + REQUIREMENT + SECOND
CYCLE = MODEL.replace('tolerance = "close"', 'tolerance = "close"\ndepends = ["model.half"]')
HALF = "requirement 2 (model.half)"
WHOLE = "requirement 1 (model.whole)"

# What is wrong: the file, its text, the entry and a part of the problem that the error must name.
WRONG = {
    "unknown field": ("model", MODEL + 'tolerence = "close"\n', HALF, "'tolerence'; did you mean 'tolerance'"),
    "unknown field of a file": ("model", 'extra = 1\n' + MODEL, "top", "unknown field 'extra'"),
    "unknown field of a chapter": ("model", MODEL.replace("order = 1", "order = 1\nadded = 1"), "chapter", "'added'"),
    "unknown field of a dialect": ("dialects", DIALECTS + "since = 1\n", "dialect 2 (new)", "'since'"),
    "unknown field of an erratum": ("errata", ERRATA + "x = 1\n", "erratum 1 (E1): observed 1", "'x'"),
    "unknown field of a tolerance": ("tolerances", TOLERANCES + "relative = 1\n", "tolerance 1 (close)", "'relative'"),
    "unknown field of the errata file": ("errata", "x = 1\n" + ERRATA, "top", "'x'"),
    "unknown field of one erratum": ("errata", ERRATA.replace("guide", "x = 1\nguide", 1), "erratum 1 (E1)", "'x'"),
    "unknown field of the dialect file": ("dialects", "x = 1\n" + DIALECTS, "top", "'x'"),
    "unknown artifact of a dialect": ("dialects", DIALECTS + "formats.x = []\n", "dialect 2 (new): formats", "'x'"),
    "unknown field of the tolerance file": ("tolerances", "x = 1\n" + TOLERANCES, "top", "'x'"),
    "unknown field of the capability file": ("capabilities", "x = 1\n" + CAPABILITIES, "top", "'x'"),
    "duplicate id": ("model", MODEL + SECOND, "requirement 3 (model.half)", "'model.half' is taken"),
    "duplicate dialect": ("dialects", DIALECTS.replace('"new"', '"old"'), "dialect 2 (old)", "'old' is taken"),
    "duplicate chapter": ("other", CHAPTER, "chapter", "'model' is taken"),
    "dangling dependency": ("model", MODEL.replace('["model.whole"]', '["model.hole"]'), HALF, "nearest: model.whole"),
    "dangling erratum": ("model", MODEL.replace('["E1"]', '["E1", "E2"]'), WHOLE, "errata: 'E2' is not defined"),
    "dangling dialect": ("model", MODEL + 'dialects = ["odl"]\n', HALF, "dialects: 'odl' is not defined; nearest: old"),
    "dangling format": ("model", MODEL.replace('"zip"]', '"zap"]'), WHOLE, "formats: 'zap' is not defined"),
    "dangling family": ("model", MODEL + 'families = ["cores"]\n', HALF, "families: 'cores' is not defined"),
    "dangling capability": ("model", MODEL.replace('"build"', '"bulid"'), WHOLE, "needs: 'bulid' is not defined"),
    "capability of one format": ("model", MODEL.replace("save.{", "load.{"), WHOLE, "'load.hdf5' is not defined"),
    "placeholder without variants": ("model", MODEL + 'needs = ["save.{format}"]\n', HALF, "'save.{format}' is not"),
    "dangling tolerance": ("model", MODEL.replace('"close"', '"closed"'), WHOLE, "tolerance: 'closed' is not defined"),
    "dangling format of a dialect": ("dialects", DIALECTS + 'formats.weights = ["tar"]', "dialect 2 (new)", "'tar'"),
    "dangling family of a dialect": ("dialects", DIALECTS.replace('"merge"', '"marge"'), "dialect 1 (old)", "'marge'"),
    "unused erratum": ("errata", ERRATA + ERRATA.replace("E1", "E2"), "erratum 2 (E2)", "no requirement names"),
    "wrong type: text": ("model", MODEL.replace('"It is whole."', "7"), WHOLE, "text is 7; expected a text"),
    "wrong type: empty text": ("model", MODEL.replace('"It is whole."', '" "'), WHOLE, "expected a text"),
    "wrong type: list": ("model", MODEL.replace('["build", "save.{format}"]', '"build"'), WHOLE, "expected a list"),
    "wrong type: list of numbers": ("model", MODEL.replace('["E1"]', "[1]"), WHOLE, "expected a list of texts"),
    "wrong type: a name twice": ("model", MODEL.replace('["E1"]', '["E1", "E1"]'), WHOLE, "no name stands twice"),
    "wrong type: integer": ("model", MODEL.replace("order = 1", "order = true"), "chapter", "expected an integer"),
    "wrong type: number": ("tolerances", TOLERANCES.replace("1e-6", '"1e-6"'), "(close)", "expected a number"),
    "wrong type: entries": ("model", "requirement = 1\n" + CHAPTER, "top", "each under [[requirement]]"),
    "wrong type: table": ("model", 'chapter = "model"\n', "top", "expected a table"),
    "number out of range": ("tolerances", TOLERANCES.replace("1e-6", "-1"), "tolerance 1 (close)", "from 0 to below 1"),
    "missing field": ("model", MODEL.replace('text = "It is whole."', ""), WHOLE, "text is missing"),
    "missing number": ("tolerances", TOLERANCES.replace("epsilon = 1e-6", ""), "(close)", "epsilon is missing"),
    "missing integer": ("model", MODEL.replace("order = 1", ""), "chapter", "order is missing"),
    "missing choice": ("model", MODEL.replace('level = "MUST"', ""), WHOLE, "level is missing; expected one of MUST,"),
    "missing implementations": ("errata", ERRATA.replace('implementations = ["real"]', ""), "observed 1", "names none"),
    "missing observation": ("errata", ERRATA[: ERRATA.index("[[erratum.o")], "erratum 1 (E1)", "observed is missing"),
    "missing id": ("model", MODEL.replace('id = "model.half"', ""), "requirement 2", "id is missing"),
    "missing chapter": ("model", REQUIREMENT, "top", "chapter is missing"),
    "bad level": ("model", MODEL.replace('"SHOULD"', '"COULD"'), HALF, "'COULD' is not defined; nearest: SHOULD"),
    "bad origin": ("model", MODEL.replace('"derived"', '"invented"'), HALF, "origin: 'invented' is not defined"),
    "bad artifact": ("model", MODEL + 'artifact = "modle"\n', HALF, "artifact: 'modle' is not defined"),
    "bad id": ("model", MODEL.replace('"model.half"', '"model.Half"'), "(model.Half)", "expected lower-case"),
    "id of another chapter": ("model", MODEL.replace('"model.half"', '"other.half"'), "(other.half)", "after model."),
    "formats and families": ("model", MODEL + 'formats = ["zip"]\nfamilies = ["core"]\n', HALF, "both given"),
    "format of the other artifact": ("model", MODEL + 'formats = ["tensors"]\n', HALF, "set artifact"),
    "dialect without the format": (
        "model", MODEL + 'formats = ["zip"]\ndialects = ["old"]\n', HALF, "old: none of the formats exists there",
    ),
    "no dialect": ("model", MODEL + "dialects = []\n", HALF, "none given"),
    "dialect left out without a reason": ("model", MODEL + 'dialects = ["new"]\n', HALF, "leaves out old; say why"),
    "reason without a dialect left out": ("model", MODEL + 'dialect_note = "so"\n', HALF, "explains nothing"),
    "cycle": ("model", CYCLE, "requirement", "depends goes round in a circle: model."),
    "not TOML": ("model", "[chapter\n", "the file", "is not TOML"),
    "not TOML: a key twice": ("capabilities", CAPABILITIES + 'build = "again"\n', "the file", "is not TOML"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_data_is_an_error_that_names_file_and_entry(tmp_path: Path, kind: str) -> None:
    file, text, entry, problem = WRONG[kind]
    folder = write(tmp_path, **{file: text})
    with pytest.raises(SpecificationError) as caught:
        load_specification(folder)
    error = caught.value
    assert error.file == f"{file}.toml"
    assert entry in error.entry
    assert problem in error.problem
    assert str(error) == f"{error.file}: {error.entry}: {error.problem}"


@pytest.mark.parametrize("file", ["dialects", "tolerances", "capabilities", "errata"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    (write(tmp_path) / f"{file}.toml").unlink()
    with pytest.raises(SpecificationError, match=rf"{file}\.toml: the file: is missing"):
        load_specification(tmp_path)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (write(tmp_path) / "model.toml").write_bytes(b"# \xff\n")
    with pytest.raises(SpecificationError, match=r"model\.toml: the file: is not UTF-8"):
        load_specification(tmp_path)
