"""Stands in for the suite's process: tells a scenario in a record file, as the pytest plugin would."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from conformance.spec import load_specification

DIALECT = "keras-2.4"
FAILURE = {"kind": "silent", "message": "values differ", "expected": "[1.]", "actual": "[0.]"}


def main(scenario: str, path: str) -> int:
    specification = load_specification()
    units = [unit for unit in specification.units if specification.applicable(unit, DIALECT)]

    def tell(**line: object) -> None:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def test(unit: object, verdict: str, **more: object) -> None:
        requirement, _, variant = str(unit).rstrip("]").partition("[")
        name = f"test_x.py::test_{requirement}[{variant}]"
        tell(start={"id": name, "chapter": specification.requirements[requirement].chapter})
        tell(record={"id": name, "requirements": [requirement], "units": [str(unit)], "verdict": verdict, **more})

    print("the suite's own words", flush=True)
    if scenario == "start-failure":
        tell(start_failure={"text": "no answer to hello", "stderr": "ImportError: no module"})
        tell(end={"tests": 0, "exitstatus": 3})
        return 3
    if scenario == "dies-at-once":
        return 1
    tell(header={"implementation": "toy", "dialect": DIALECT, "hello": {"capabilities": [*specification.capabilities]}})
    if scenario == "nothing":
        tell(end={"tests": 0, "exitstatus": 5})
        return 5
    first, *rest = units
    test(first, "fail" if scenario == "fails" else "pass", **(FAILURE if scenario == "fails" else {}))
    if scenario == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario == "cut":
        with open(path, "a", encoding="utf-8") as file:
            file.write('{"record": {"id": "test_x')
        return 1
    if scenario == "hangs":
        tell(start={"id": "test_x.py::test_that_hangs", "chapter": "open"})
        time.sleep(600)
    for unit in rest:
        test(unit, "pass")
    status = 1 if scenario == "fails" else 0
    tell(end={"tests": len(units), "exitstatus": status})
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
