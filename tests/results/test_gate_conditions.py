from __future__ import annotations

import pytest

from conformance.results.conditions import facts_of, parse_condition
from conformance.results.expectations import ExpectationsError, read_expectations

HELLO = {
    "python": "3.11.7", "name": "tf_keras", "version": "2.21.0", "libraries": {"numpy": "2.4.6", "tensorflow": "2.21.0rc1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("python >= 3.11", True),
        ("python >= 3.12", False),
        ("python>=3.8,<3.11", False),
        ("numpy >= 2.3, != 2.4.6", False),
        ("NumPy == 2.4.*", True),
        ("tf-keras >= 2.9", True),  # and not less, as texts would compare
        ("tensorflow > 2.20", True),  # a pre-release is a version too
        ("tensorflow >= 2.21", False),
        ("dialect == 2.15", True),
        ("dialect < 2.15", False),
        ("jax > 0", None),
    ],
)
def test_a_condition_holds_or_not_or_nobody_knows(text, holds):
    assert parse_condition(text).holds(facts_of(HELLO, "keras-2.15")) is holds


@pytest.mark.parametrize(
    "text", ["", "python", "python 3.12", ">= 3", "numpy[x] > 1", "a > 1; python_version > '3'", "a @ b"]
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ValueError, match=r"expected a name and versions.*, as in 'python >= 3\.12'"):
        parse_condition(text)


def test_facts_that_are_no_versions_are_left_out():
    assert set(facts_of({"python": None, "name": "x", "version": "unknown"}, "odd")) == set()
    assert facts_of({}, "keras-3").keys() == {"dialect"}


def test_a_faulty_condition_is_a_fault_of_the_file_with_its_line(tmp_path, specification):
    path = tmp_path / "expectations.toml"
    path.write_text(
        '\n[[expectation]]\nunit = "e.alone"\nkind = "silent"\nmatch = "x"\nreason = "r"\nlink = "l"\ncondition = "new"\n',
        encoding="utf-8",
    )
    with pytest.raises(ExpectationsError, match=r"expectations\.toml:2: condition is 'new', expected"):
        read_expectations(path, specification)
