"""The command line: a module a command, imported only when it is called, so that ``--help`` answers at once."""

from __future__ import annotations

import importlib
import sys

import click

import conformance

# Name → where it is, and the line about it in `--help`.
COMMANDS = {
    "run": ("conformance.cli.run:run", "Validate implementations against the specification."),
    "list": ("conformance.cli.listing:list_", "Which implementations there are, and whether they can start here."),
    "spec": ("conformance.cli.spec:spec", "Read the specification: list, show, coverage."),
    "check": (
        "conformance.cli.check:check",
        "Load your own model files everywhere: do they agree?",
    ),
    "self-test": (
        "conformance.cli.self_test:self_test",
        "The suite against implementations that are broken on purpose.",
    ),
    "fixtures": ("conformance.cli.fixtures:fixtures", "The golden files: list, regenerate, verify."),
    "matrix": ("conformance.cli.matrix:matrix", "Who reads what of whom, over the golden files."),
    "gate": ("conformance.cli.gate:gate", "Decide by a results file whether a change may pass."),
    "report": ("conformance.cli.report:report", "Results files as Markdown, JUnit XML or a badge."),
    "inspect": ("conformance.cli.inspect:inspect", "Tell what is in a model file."),
    "bisect": ("conformance.cli.bisect:bisect", "Find the version of a library in which a verdict changes."),
}


class BadInput(click.ClickException):
    """What the user gave cannot be used: shown as a message."""

    exit_code = 2


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command ``cmd_name``."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; an unknown name is answered with the nearest ones."""
        from conformance.cli.names import check_names

        if args and not args[0].startswith("-"):
            check_names("command", args[:1], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Call the command; an error in what the user gave is a message and exit 2."""
        try:
            return super().invoke(ctx)
        except ValueError as error:
            from conformance.cli.names import user_errors

            if not isinstance(error, user_errors()):
                raise
            raise BadInput(str(error)) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(conformance.__version__, prog_name="keras-conformance")
def cli() -> None:
    """What saving and loading a Keras model must do, and whether an implementation does it.

    Exit codes: 0 as expected, 1 a verdict that was not, 2 usage, bad input or an incomplete run, 3 an
    implementation could not be started; of several the highest.
    """


def main() -> None:
    """The entry point of ``keras-conformance`` and ``python -m conformance``."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")  # a terminal that cannot show a symbol is no reason to stop
    cli(prog_name="keras-conformance")
