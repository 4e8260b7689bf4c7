"""The HTML page: whole, escaped, small, and in a real browser without an error or a barrier."""

from __future__ import annotations

import html as entities
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import cli
from conformance.results.exchange import Exchange, Read
from conformance.results.model import Run, TestRecord, UnitVerdict, results_of
from conformance.results.report_html import LONGEST_SCRIPT, html
from conformance.results.verdict import FailureKind, Verdict
from conformance.spec import load_specification

SPECIFICATION = load_specification()
NAMES = ("reference", "tf2.4", "tf2.15", "tf-keras", "keras3", "keras3-jax")
EXCHANGE = Exchange("hdf5", ("tf2.4", "keras3"), ("reference", "keras3"), {
    ("tf2.4", "reference"): Read(5, 5), ("tf2.4", "keras3"): Read(4, 5), ("keras3", "reference"): Read(0, 3, wrong=2),
})  # fmt: skip


def run_of(name: str, every: int = 4, script: str = "import keras\nraise SystemExit('wrong')\n") -> Run:
    """All units, every so-manyth of them failing, every second failure a known one."""
    units: list[UnitVerdict] = []
    tests: list[TestRecord] = []
    for number, unit in enumerate(map(str, SPECIFICATION.units)):
        verdict = Verdict.PASS
        if number % every == 0:
            verdict = Verdict.KNOWN_FAILURE if number % (2 * every) else Verdict.FAIL
        units.append(UnitVerdict(unit, verdict))
        failed = verdict is not Verdict.PASS
        tests.append(
            TestRecord(
                f"test_x.py::test_{number}", (unit.partition("[")[0],), (unit,), verdict,
                kind=FailureKind.SILENT if failed else None,
                message="<script>alert(1)</script> values differ" if failed else None,
                expected="[0, 1]: 0.25, 0.5" if failed else None,
                actual="[0, 1]: 0.75, 0.5" if failed else None,
                script=script if failed else None,
                expectation=f"{name}/expectations.toml:7" if verdict is Verdict.KNOWN_FAILURE else None,
            )
        )  # fmt: skip
    hello = {"name": name, "version": "1.0", "libraries": {"numpy": "2"}, "python": "3.11"}
    return Run(name, "keras-2.4", hello=hello, tests=tuple(tests), units=tuple(units), seconds=3)


@pytest.fixture(scope="module")
def page() -> str:
    return html([run_of(name) for name in NAMES], SPECIFICATION, [EXCHANGE])


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.found if name in attributes]


def test_every_requirement_is_there_with_its_text_and_a_cell_for_each_run(page: str):
    elements = Elements(page)
    ids = elements.values("id")
    assert set(SPECIFICATION.requirements) <= set(ids)
    assert len(ids) == len(set(ids))
    shown = entities.unescape(page)
    assert all(one.text in shown for one in SPECIFICATION.requirements.values())
    assert page.count("<td data-run=") == len(SPECIFICATION.requirements) * len(NAMES)


def test_a_link_leads_to_the_failure(page: str):
    elements = Elements(page)
    targets = [value.removeprefix("#") for value in elements.values("href") if value.startswith("#")]
    assert len(targets) > 100
    assert set(targets) <= set(elements.values("id"))


def test_the_page_asks_no_network(page: str):
    elements = Elements(page)
    assert not [value for value in elements.values("src") if value]
    assert {value for value in elements.values("href") if not value.startswith("#")} == {"data:,"}
    assert not re.search(r"url\(|@import", page)


def test_what_libraries_say_is_text(page: str):
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_difference_is_marked(page: str):
    assert "[0, 1]: <mark>0.25</mark>, 0.5" in page
    assert "[0, 1]: <mark>0.75</mark>, 0.5" in page


def test_who_reads_whose_files(page: str):
    assert '<td class="heat all">5<span class="of">/5</span></td>' in page
    assert '<td class="heat refused">4<span class="of">/5</span></td>' in page
    assert '<td class="heat wrong">0<span class="of">/3, 2 wrong</span></td>' in page
    assert '<td class="heat absent">' in page
    assert "Who reads whose files" not in html([run_of("reference")], SPECIFICATION)


def test_the_page_stays_below_two_megabytes_whatever_the_scripts():
    script = "x = 1  # a line of a script\n" * (LONGEST_SCRIPT // 28)
    text = html([run_of(name, script=script) for name in NAMES], SPECIFICATION)
    assert len(text.encode()) <= 2_000_000
    assert "it is too long for this page" in text


def test_no_run_looks_whole_that_is_not():
    text = html([Run("tf2.4", "keras-2.4", interruption="interrupted by the user")], SPECIFICATION)
    assert "Not complete." in text
    assert "stopped early: interrupted by the user" in text


def test_the_command_writes_it(tmp_path: Path):
    (tmp_path / "results.json").write_text(json.dumps(results_of([run_of("tf2.4")]).to_json()), encoding="utf-8")
    counts = {"pass": 1, "refused": 1, "silent": 1, "not-claimed": 5}
    columns = [{"consumer": "b", "cells": [{"format": "hdf5", "producer": "a", "counts": counts}]}]
    (tmp_path / "matrix.json").write_text(json.dumps({"columns": columns}), encoding="utf-8")
    arguments = [str(tmp_path / "results.json"), "--matrix", str(tmp_path / "matrix.json")]
    done = CliRunner().invoke(cli, ["report", *arguments, "--html", str(tmp_path / "new" / "report.html")])
    assert (done.exit_code, done.output) == (0, "")
    assert '<td class="heat wrong">1<span class="of">/3, 1 wrong</span>' in (
        tmp_path / "new" / "report.html"
    ).read_text("utf-8")
    (tmp_path / "matrix.json").write_text("{}", encoding="utf-8")
    done = CliRunner().invoke(cli, ["report", *arguments, "--html", str(tmp_path / "other.html")])
    assert done.exit_code == 2
    assert "matrix.json: is no table of who reads whose files" in done.output
    assert CliRunner().invoke(cli, ["report", *arguments, "--badge", "-"]).exit_code == 2


# In a real browser. Debian's package is called chromium; axe-core comes from npm.


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("not run: there is no Chromium here (Debian: apt-get install chromium)")
    return found


def axe() -> str:
    npm = shutil.which("npm")
    folders = [os.environ.get("AXE_CORE", ""), "node_modules/axe-core"]
    if npm:
        root = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=False).stdout.strip()
        folders.append(f"{root}/axe-core")
    for folder in filter(None, folders):
        if (Path(folder) / "axe.min.js").is_file():
            return (Path(folder) / "axe.min.js").read_text(encoding="utf-8")
    pytest.skip("not run: there is no axe-core here (npm install --global axe-core, or AXE_CORE=its folder)")


def browsed(page: str, folder: Path, probe: str, width: int = 1400) -> tuple[str, list[str]]:
    """Open the page in Chromium, run ``probe`` in it, and return what it left in #probed, and the console's lines."""
    (folder / "page.html").write_text(
        page.replace("</body>", f'<output id="probed"></output><script>{probe}</script></body>'), encoding="utf-8"
    )
    done = subprocess.run(
        [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={folder}",
         f"--window-size={width},900", "--virtual-time-budget=60000", "--dump-dom", f"file://{folder}/page.html"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    found = re.search(r'<output id="probed">(.*?)</output>', done.stdout, re.DOTALL)
    assert found, done.stderr
    return entities.unescape(found[1]), re.findall(r"CONSOLE\S* (.*)", done.stderr)


PROBE = """
(async () => {
  const said = [], probed = document.getElementById("probed");
  const shown = () => document.querySelectorAll(".matrix tbody tr[data-text]:not([hidden])").length;
  const set = (id, value) => { document.getElementById(id).value = value;
    document.getElementById("filter").dispatchEvent(new Event("input")); };
  said.push(shown());
  set("search", "optimizer-state"); said.push(shown());
  set("search", "no such words"); said.push(shown(), document.getElementById("nothing").hidden);
  set("search", ""); set("verdict", "fail"); said.push(shown());
  set("verdict", ""); set("run", "1"); said.push(document.querySelectorAll(".matrix td:not([hidden])").length);
  set("run", "");
  const link = document.querySelector(".matrix a[href^='#f']");
  location.hash = link.hash;
  for (let tries = 0; tries < 100 && document.activeElement.tagName !== "SUMMARY"; tries++)
    await new Promise((done) => setTimeout(done, 50));
  said.push(document.querySelector(link.hash).open, document.activeElement.tagName);
  dispatchEvent(new KeyboardEvent("keydown", { key: "/" }));
  said.push(document.activeElement.id);
  probed.textContent = JSON.stringify(said);
})();
"""


def test_filter_search_and_keyboard_in_a_browser(page: str, tmp_path: Path):
    probed, console = browsed(page, tmp_path, PROBE)
    assert console == []
    everything, one, none, nothing, failing, cells, is_open, focused, searching = json.loads(probed)
    assert everything == cells == len(SPECIFICATION.requirements)
    assert 1 <= one < 20
    assert (none, nothing) == (0, False)
    assert 0 < failing < everything
    assert (is_open, focused, searching) == (True, "SUMMARY", "search")


AXE = """
(async () => {
  document.querySelectorAll("details.failure").forEach((one, at) => { one.open = at < 5; });
  const found = await axe.run();
  document.getElementById("probed").textContent =
    JSON.stringify(found.violations.map((one) => [one.id, one.nodes[0].html, one.nodes[0].failureSummary]));
})();
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(scheme: str, tmp_path: Path):
    chromium()
    text = html([run_of(name, every=9) for name in NAMES[:3]], SPECIFICATION, [EXCHANGE])
    if scheme == "dark":
        text = text.replace("@media (prefers-color-scheme: dark)", "@media all")
    probed, console = browsed(text, tmp_path, axe() + AXE)
    assert console == []
    assert json.loads(probed) == []
