"""Runs TensorFlow's ``saved_model_cli`` several times, TensorFlow being imported once.

``python saved_model_cli_program.py COMMANDS``: a JSON list of ``{"arguments": [...], "said": FILE}``. Each runs in a fork of
its own, as from a shell: its output goes into ``said``, and what it ends with into ``said`` + ".status".
"""

import json
import os
import sys

from tensorflow.python.tools import saved_model_cli


def run(arguments, said):
    """In the child: never returns."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["saved_model_cli", *arguments]
    status = 0
    try:
        saved_model_cli.main()
    except SystemExit as ending:
        status = ending.code or 0
    except BaseException as error:
        print("{}: {}".format(type(error).__name__, error))
        status = 1
    sys.stdout.flush()
    with open(said + ".status", "w") as file:
        file.write(str(status))
    os._exit(0)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        commands = json.load(file)
    for command in commands:
        child = os.fork()
        if child == 0:
            run(command["arguments"], command["said"])
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
