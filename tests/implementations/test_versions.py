"""Any version on the spot, with a uv that only remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.implementations.index import IndexUnreachable, releases
from conformance.implementations.registry import ENVIRONMENTS_VARIABLE, ImplementationError, find_python
from conformance.implementations.uv import UvError, UvMissing
from conformance.implementations.versions import VersionMissing, is_version, made, wanted

LOCK = """\
lock-version = "1.0"
[[packages]]
name = "{name}"
version = "{version}"
wheels = [{{ url = "x.whl", upload-time = 2022-11-16T19:35:00Z, hashes = {{}} }}]
"""
NO_SOLUTION = "No solution found when resolving dependencies"
NO_NETWORK = "error sending request for url\ndns error"


@dataclass
class FakeUv:
    """Has wheels for the Pythons of ``wheels`` and interpreters of ``installed``; installs what is in ``installs``."""

    version: str = "2.9.3"
    wheels: tuple[str, ...] = ("3.10", "3.9", "3.8")
    installed: tuple[str, ...] = ("3.11", "3.10", "3.9", "3.8")
    distributions: tuple[str, ...] = ("tensorflow-cpu", "tensorflow", "tf_keras", "keras")
    fails: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[tuple[list[str], str]] = field(default_factory=list[tuple[list[str], str]])
    dated: bool = True

    def __call__(self, arguments: list[str], text: str) -> str:
        self.asked.append((arguments, text))
        command = " ".join(arguments[:2]) if arguments[0] in ("pip", "python") else arguments[0]
        if command in self.fails:
            raise UvError(self.fails[command])
        answer: Callable[[list[str], str], str] = {
            "pip compile": self._compile,
            "python find": self._find,
            "venv": self._venv,
            "pip install": lambda arguments, text: "",
            "pip freeze": lambda arguments, text: "numpy==1.23.5\n",
        }[command]
        return answer(arguments, text)

    def of(self, command: str) -> list[tuple[list[str], str]]:
        return [(arguments, text) for arguments, text in self.asked if " ".join(arguments).startswith(command)]

    def _compile(self, arguments: list[str], text: str) -> str:
        name = text.partition("==")[0]
        if arguments[arguments.index("--python-version") + 1] not in self.wheels or name not in self.distributions:
            raise UvError(NO_SOLUTION)
        lock = LOCK.format(name=name, version=self.version)
        return lock if self.dated else lock.replace("upload-time = 2022-11-16T19:35:00Z, ", "")

    def _find(self, arguments: list[str], text: str) -> str:
        if arguments[-1] not in self.installed:
            raise UvError("no interpreter found")
        return f"/somewhere/python{arguments[-1]}\n"

    def _venv(self, arguments: list[str], text: str) -> str:
        python = Path(arguments[-1]) / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        return ""


@pytest.fixture(autouse=True)
def envs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(ENVIRONMENTS_VARIABLE, raising=False)
    return tmp_path / "keras-conformance" / "envs"


def test_what_is_a_version():
    assert is_version("tensorflow==2.9.3")
    assert not is_version("tf2.4")


@pytest.mark.parametrize(
    ("text", "package", "dialect"),
    [
        ("tensorflow==2.2", "tensorflow", "keras-2.4"),
        ("tensorflow-cpu==2.4.4", "tensorflow", "keras-2.4"),
        ("tensorflow==2.5.0", "tensorflow", "keras-2.8"),
        ("tensorflow==2.11.1", "tensorflow", "keras-2.8"),
        ("tensorflow==2.12", "tensorflow", "keras-2.15"),
        ("tensorflow==2.16.1", "tensorflow", "keras-3"),
        ("tf-keras==2.17", "tf_keras", "keras-2.15"),
        ("keras==3.5", "keras", "keras-3"),
    ],
)
def test_a_version_is_driven_as_its_generation(text: str, package: str, dialect: str):
    found = wanted(text)
    assert (found.package, found.generation.dialect) == (package, dialect)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("torch==2.0.1", "no adapter for the package 'torch'"),
        ("keras==2.9", "tensorflow==2.9"),
        ("tensorflow==2.1.4", "oldest that can be driven is 2.2"),
        ("tensorflow==2", "two parts"),
        ("tensorflow==x.y", "no version"),
        ("tensorflow==2.9.3; rm", "PACKAGE==VERSION"),
        ("==2.9", "PACKAGE==VERSION"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str):
    with pytest.raises(ImplementationError, match=said):
        made(text, print, uv=FakeUv())


def test_it_is_made_once_of_its_own_time_and_told_before(envs: Path):
    uv, told = FakeUv(), list[str]()
    found = made("tensorflow==2.9", told.append, uv=uv)
    assert found.implementation.name == "tensorflow==2.9.3"
    assert found.implementation.dialects == ("keras-2.8",)
    assert found.implementation.arguments == ("tensorflow.keras",)
    assert found.python == envs / "tensorflow==2.9.3" / "bin" / "python"
    (install, requirements), *_ = uv.of("pip install")
    assert install[install.index("--exclude-newer") + 1] == "2022-12-16"
    assert requirements.splitlines() == ["tensorflow-cpu==2.9.3", "protobuf<3.21", "numpy<2"]
    (venv, _), *_ = uv.of("venv")
    assert venv[venv.index("--python") + 1] == "3.10"
    assert len(told) == 1
    assert "2022-12-16" in told[0]
    assert str(envs) in told[0]
    assert find_python(found.implementation) == found.python
    assert [path.name for path in envs.iterdir()] == ["tensorflow==2.9.3"]

    uv.asked.clear()
    assert made("tensorflow==2.9.3", told.append, uv=uv) == found
    assert uv.asked == []
    assert len(told) == 1


def test_a_python_that_the_machine_has_is_preferred():
    uv = FakeUv(installed=("3.8",))
    found = made("tensorflow==2.9.3", lambda text: None, uv=uv)
    assert found.implementation.python == "3.8"


def test_without_any_interpreter_uv_is_left_to_fetch_the_best_one():
    uv = FakeUv(installed=())
    assert made("tensorflow==2.9.3", lambda text: None, uv=uv).implementation.python == "3.10"


def test_the_other_distribution_is_taken_where_there_is_no_cpu_wheel():
    uv = FakeUv(distributions=("tensorflow",))
    made("tensorflow==2.9.3", lambda text: None, uv=uv)
    assert uv.of("pip install")[0][1].startswith("tensorflow==2.9.3\n")


def test_keras_3_before_its_tensorflow_gets_the_packages_of_the_first_that_fits():
    uv = FakeUv(version="3.0.0", wheels=("3.11",))
    made("keras==3.0.0", lambda text: None, uv=uv)
    install, requirements = uv.of("pip install")[0]
    assert install[install.index("--exclude-newer") + 1] == "2024-04-07"
    assert requirements.splitlines() == ["keras==3.0.0", "tensorflow-cpu>=2.16.1"]


def test_an_index_without_dates_is_told():
    uv, told = FakeUv(dated=False), list[str]()
    made("tensorflow==2.9.3", told.append, uv=uv)
    assert "--exclude-newer" not in uv.of("pip install")[0][0]
    assert "no dates" in told[0]


def test_a_release_that_there_is_not_is_the_users_mistake():
    with pytest.raises(ImplementationError, match=r"2\.99\.0: no such release"):
        made("tensorflow==2.99.0", print, uv=FakeUv(wheels=()))


def test_without_a_network_it_says_what_is_missing_and_what_to_do(envs: Path):
    uv = FakeUv(fails={"pip compile": NO_NETWORK})
    with pytest.raises(VersionMissing) as caught:
        made("tensorflow==2.9.3", print, uv=uv)
    for said in ("tensorflow==2.9.3", "no network", "run the same command once with a network", str(envs)):
        assert said in str(caught.value)


def test_without_a_network_the_newest_patch_that_is_there_is_taken():
    for version in ("2.9.1", "2.9.10"):
        made(f"tensorflow=={version}", lambda text: None, uv=FakeUv(version=version))
    told = list[str]()
    found = made("tensorflow==2.9", told.append, uv=FakeUv(fails={"pip compile": NO_NETWORK}))
    assert found.implementation.name == "tensorflow==2.9.10"
    assert "no network" in told[0]


@pytest.mark.parametrize("step", ["venv", "pip install", "pip freeze"])
def test_what_does_not_install_leaves_nothing_behind(envs: Path, step: str):
    with pytest.raises(VersionMissing, match="cannot be made; uv says:\nno wheel for wrapt"):
        made("tensorflow==2.9.3", lambda text: None, uv=FakeUv(fails={step: "no wheel for wrapt"}))
    assert list(envs.iterdir()) == []


def test_a_folder_that_was_left_unfinished_is_made_again(envs: Path):
    (envs / "tensorflow==2.9.3" / "bin").mkdir(parents=True)
    (envs / "tensorflow==2.9.3" / "bin" / "python").touch()
    uv = FakeUv()
    made("tensorflow==2.9.3", lambda text: None, uv=uv)
    assert uv.of("pip install")


def test_a_machine_without_uv_is_told_how_to_get_it():
    def no_uv(arguments: list[str], text: str) -> str:
        raise UvMissing("there is no uv on this machine; install it with: pip install uv")

    with pytest.raises(VersionMissing, match="pip install uv"):
        made("tensorflow==2.9.3", print, uv=no_uv)


HTML = """<a href="a#sha256=0">tensorflow_cpu-2.10.0-cp310-cp310-win_amd64.whl</a><br/>
<a href="b">tensorflow_cpu-2.9.3-cp38-cp38-manylinux2014_x86_64.whl</a><br/>
<a href="c">tensorflow_cpu-2.10.0rc1-cp38-cp38-manylinux2014_x86_64.whl</a><a href="d">tensorflow-cpu-1.0.exe</a>"""
JSON = """{"files": [{"filename": "keras-3.10.0-py3-none-any.whl"}, {"filename": "keras-3.9.0.tar.gz"},
 {"filename": "keras-3.9.1.tar.gz", "yanked": true}]}"""


@pytest.mark.parametrize(
    ("package", "page", "expected"),
    [("tensorflow-cpu", HTML, ["2.9.3", "2.10.0"]), ("keras", JSON, ["3.9.0", "3.10.0"])],
)
def test_the_releases_of_an_index_in_either_form(package: str, page: str, expected: list[str]):
    pages = {f"https://index.example/simple/{package}/": page}
    found = releases(
        package, uv=lambda arguments, text: "--index-url https://index.example/simple\n", fetch=pages.__getitem__
    )
    assert found == expected


def test_an_index_that_cannot_be_reached_is_told():
    def closed(url: str) -> str:
        raise OSError("no route")

    with pytest.raises(IndexUnreachable, match="no route"):
        releases("keras", uv=lambda arguments, text: "--index-url https://index.example/simple\n", fetch=closed)
