from __future__ import annotations

import os
import subprocess
import sys

from click.testing import CliRunner

from conformance.cli import COMMANDS, cli


def test_help_names_every_command_and_loads_none_of_what_they_need():
    program = (
        "import sys\nfrom conformance.cli import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'hypothesis', 'pytest', 'rich', 'numpy', 'pydantic', 'h5py'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, summary) in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert summary in done.stdout


def test_every_command_of_the_table_exists():
    for name in COMMANDS:
        done = CliRunner().invoke(cli, [name, "--help"])
        assert done.exit_code == 0, done.output


def test_an_unknown_command_is_exit_2_with_the_nearest():
    done = CliRunner().invoke(cli, ["rnu"])
    assert done.exit_code == 2
    assert "unknown command 'rnu'; nearest: run" in done.output


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("keras-conformance, version ")


def test_a_terminal_that_cannot_show_a_symbol_is_no_reason_to_stop():
    program = "import conformance.cli as c\nc.cli = lambda **_: print('\\u2713')\nc.main()\n"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, b"?")
