"""The pytest plugin: makes one test a unit of the specification, runs it on the implementation, records the verdict.

Loaded through the ``pytest11`` entry point (or ``-p conformance.plugin``), it does nothing to other tests of a host
project: it touches only functions that carry a conformance case, registers no Hypothesis profile, and imports nothing
of the suite before there is such a function or an implementation is named. Its options begin with ``--conformance-``, so
that they are in no other plugin's way (two plugins with one option of the same name end pytest at its start);
``--implementation`` and ``--implementation-file`` alone are called as on the command line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.suite.case import Case

# Where a test function carries its case, and the parameters that tell its units apart (conformance.suite.case).
CASE = "__conformance_case__"
VARIANTS = ("format", "family")

# The order in which the summary tells them.
VERDICTS = ("pass", "fail", "crash", "timeout", "unstable", "not-run", "not-claimed", "not-applicable")

RECORD = "conformance_record"
HEADER = "conformance_header"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("keras-conformance", "Keras conformance suite")
    group.addoption("--implementation", metavar="NAME", help="the implementation under test, e.g. reference or tf2.15")
    group.addoption("--implementation-file", metavar="FILE.toml", help="an implementation described outside the suite")
    group.addoption("--conformance-dialect", metavar="NAME", help="the dialect it is judged in (default: its first)")
    group.addoption("--conformance-python", metavar="PATH", help="the interpreter in which the implementation lives")
    group.addoption("--conformance-records", metavar="FILE", help="append one JSON record a line, as tests finish")
    group.addoption("--conformance-scripts", action="store_true", help="record failures as scripts in plain Keras")
    group.addoption(
        "--conformance-piped", action="store_true", help="run the reference as a process of its own, over the pipe"
    )
    group.addoption(
        "--conformance-max-examples", type=int, metavar="N", help="examples a test draws (default: each test's own)"
    )
    group.addoption("--conformance-times", type=int, default=1, metavar="N", help="N times each test's own examples")
    group.addoption("--conformance-seed", type=int, metavar="N", help="draw with this seed (default: each test's own)")
    group.addoption(
        "--conformance-requirement", action="append", metavar="ID", help="only tests of this requirement (repeatable)"
    )
    group.addoption(
        "--conformance-format", action="append", metavar="FORMAT", help="only units of this format (repeatable)"
    )
    group.addoption("--conformance-chapter", action="append", metavar="NAME", help="only this chapter (repeatable)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "conformance(chapter, variant): a test that decides units of the specification")
    records: str | None = config.getoption("--conformance-records")
    if records and not hasattr(config, "workerinput"):
        config.pluginmanager.register(RecordWriter(Path(records)), "conformance-records")
    if config.getoption("--implementation") or config.getoption("--implementation-file"):
        from conformance.suite.execution import Execution

        config.pluginmanager.register(Execution(config), "conformance-execution")


def pytest_report_header(config: pytest.Config) -> str | None:
    if not _named(config):
        return None
    import conformance

    return f"keras-conformance: suite {conformance.__version__}, implementation {_named(config)}"


def _named(config: pytest.Config) -> str | None:
    return config.getoption("--implementation") or config.getoption("--implementation-file")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    case: Case | None = getattr(metafunc.function, CASE, None)
    if case is None:
        return
    from conformance.suite.units import variants_of

    for name in VARIANTS:
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, variants_of(case, metafunc.function.__name__))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not any(map(_case, items)):
        return
    from conformance.suite.units import selected

    for item in items:
        case = _case(item)
        if case is not None:
            chapter = item.nodeid.rpartition("/")[2].partition(".py")[0].removeprefix("test_").replace("_", "-")
            item.add_marker(pytest.mark.conformance(chapter=chapter, variant=_variant(item)))
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        case = _case(item)
        chosen = case is None or selected(
            case,
            _variant(item),
            requirements=config.getoption("--conformance-requirement"),
            formats=config.getoption("--conformance-format"),
            chapters=config.getoption("--conformance-chapter"),
        )
        (kept if chosen else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def id_of(item: pytest.Item) -> str:
    """The id of a test in results and expectations: its file, name and variant, without folders."""
    return item.nodeid.rsplit("/", 1)[-1]


def _case(item: pytest.Item) -> Case | None:
    return getattr(item.obj, CASE, None) if isinstance(item, pytest.Function) else None


def _variant(item: pytest.Item) -> str | None:
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return next((parameters[name] for name in VARIANTS if name in parameters), None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    case = _case(pyfuncitem)
    if case is None:
        return None
    execution = pyfuncitem.config.pluginmanager.get_plugin("conformance-execution")
    if execution is None:
        raise pytest.UsageError("the conformance suite tests an implementation: say which with --implementation NAME")
    execution.run(pyfuncitem, case, _variant(pyfuncitem))
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What came out in the suite's own words, and the command that says more."""
    name = _named(config)
    stats: dict[str, list[Any]] = terminalreporter.stats
    records: list[dict[str, Any]] = [
        value
        for reports in stats.values()
        for report in reports
        if getattr(report, "when", None) == "teardown"
        for key, value in report.user_properties
        if key == RECORD
    ]
    if not name or not records:
        return
    known = len(stats.get("xfailed", ()))
    counts = Counter(record["verdict"] for record in records)
    failed = sum(counts[verdict] for verdict in ("fail", "crash", "timeout"))
    told = [f"{counts[verdict]} {verdict.replace('-', ' ')}" for verdict in VERDICTS if counts[verdict]]
    terminalreporter.section(f"keras-conformance: {name}")
    terminalreporter.line(f"tests by verdict: {', '.join(told)}; {known} of {failed} failures are known")
    file = config.getoption("--implementation-file")
    command = f"--implementation-file {file}" if file else name
    terminalreporter.line(f"judged by requirement, with reports: keras-conformance run {command}")


class RecordWriter:
    """Appends records to a file as tests start and finish, so that a run that was cut off can be told from a whole one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header_written = False
        self.tests = 0

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, sort_keys=True) + "\n")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        from conformance.suite.units import units_of

        announced: list[dict[str, Any]] = []
        for item in session.items:
            case = _case(item)
            if case is not None:
                units = [str(unit) for unit in units_of(case, _variant(item))]
                announced.append({"id": id_of(item), "requirements": list(case.requirements), "units": units})
        if announced:
            self._write({"collected": announced})

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        from conformance.suite.units import chapter_of_file

        self._write({"start": {"id": nodeid.rsplit("/", 1)[-1], "chapter": chapter_of_file(nodeid)}})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        for name, value in report.user_properties if report.when == "teardown" else ():
            if name == HEADER and not self.header_written:
                self._write({"header": value})
                self.header_written = True
            elif name == RECORD:
                self._write({"record": value})
                self.tests += 1
        yield

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._write({"end": {"tests": self.tests, "exitstatus": int(exitstatus)}})

    def start_failure(self, text: str) -> None:
        """The adapter did not start: nothing was tested."""
        self._write({"start_failure": {"text": text}})
