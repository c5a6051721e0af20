"""The command line: parse options, call one function, print. One file per command."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import traceback
from typing import TYPE_CHECKING

import click

from harness.cli.usage import Group, is_verbose, usage_error, with_conventions
from harness.errors import HarnessError
from harness.plugins.commands import COMMANDS
from harness.system.environment import libraries, version
from harness.system.paths import relative_to, without_start_folder
from harness.system.signals import Interrupted, handle_signals
from harness.system.waiting import wait_asleep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMPLETES = "_HARNESS_COMPLETE"
"""Environment variable by which a shell asks what completes a word."""


class _LazyGroup(Group):
    """Import a command's module when it is called, so that `--help` is instant; plugins bring others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        # Not `list(…)`: once `harness list` is imported, that name is its module here.
        return [*COMMANDS, *self._brought()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return self._brought(called=COMPLETES not in os.environ).get(cmd_name)
        command: click.Command = importlib.import_module(f"harness.cli.{cmd_name}").command
        if COMPLETES in os.environ:
            from harness.cli.completers import complete_options

            complete_options(command)
        return with_conventions(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return name, command and its arguments; plugins are asked where the name is none of ours."""
        name = args[0]
        command = None if name.startswith("-") else self.get_command(ctx, name)
        return super().resolve_command(ctx, args) if command is None else (name, command, args[1:])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])
        if brought := self._brought():
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, one.get_short_help_str()) for name, one in brought.items()])

    def _brought(self, *, called: bool = False) -> dict[str, click.Command]:
        """Return the commands of plugins; only those that are no part of harness are loaded."""
        from harness.cli.plugin_commands import installed_commands, plugin_commands

        return plugin_commands() if called else installed_commands()


def _show_version(context: click.Context) -> None:
    """Print versions from the metadata of what is installed; nothing of it is imported."""
    found = {"python": platform.python_version(), **libraries()}
    width = max(map(len, found))
    lines = [f"harness {version()}", *(f"  {name:{width}}  {number}" for name, number in found.items())]
    click.echo("\n".join(lines))
    context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _option, wanted: _show_version(context) if wanted else None,
    help="Show the versions of harness and of the libraries that can move a score.",
)
def cli() -> None:
    """Evaluate, compare and decide between fine-tuned sentence-embedding models.

    Exit codes: 0 all went well, 2 something could not be done (and the output says what).
    """


with_conventions(cli, root=True)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise HarnessError for bytes that are not UTF-8: we write names of models and folders into files."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            shown = os.fsencode(argument).decode(errors="backslashreplace")
            raise HarnessError(f"not UTF-8: {shown}", hint="rename the folder or file") from error


def _current_folder(arguments: Sequence[str]) -> Path | None:
    """Return the current folder; None where only help is asked, which needs none.

    Raises HarnessError for a folder that is gone, and for one whose name is not UTF-8.
    """
    from pathlib import Path

    if not arguments or {"-h", "--help", "--version"} & {*arguments}:
        return None
    try:
        folder = Path.cwd()
    except OSError as error:
        raise HarnessError(
            f"cannot read the current folder: {error.strerror}", hint="cd to an existing folder"
        ) from error
    _check_arguments([str(folder)])
    return folder


def main() -> None:
    """Run the command line, and exit with its code: 2 where its output could not be written."""
    from harness.system.redact import redact_warnings
    from harness.system.streams import end_output, output_error, protect_streams, reopen_streams

    protect_streams()
    redact_warnings()
    code = _run()
    reopen_streams()
    if failure := output_error():
        click.echo(
            f"Error: the output could not be written: {failure}; results on disk are complete", err=True
        )
        code = 2
    end_output()
    if code:
        sys.exit(code)


def _fail(error: HarnessError) -> int:
    """Print an error, with paths below the current folder relative to it; return its exit code."""
    from harness.cli.output import clean

    if is_verbose():
        click.echo(clean("".join(traceback.format_exception(error))), err=True)

    click.echo(clean(without_start_folder(f"Error: {error}")), err=True)
    return 2


def _run() -> int | str | None:
    """Run the command and return its exit code; the one place that catches HarnessError."""
    wait_asleep()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Libraries draw their own progress bars between ours.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        _check_arguments(sys.argv[1:])
        with handle_signals(), relative_to(_current_folder(sys.argv[1:])):
            try:
                cli(standalone_mode=False)
            except HarnessError as error:
                return _fail(error)
    except SystemExit as ended:
        return ended.code
    except HarnessError as error:
        return _fail(error)
    except click.ClickException as error:
        if (ours := usage_error(error)) is not None:
            return _fail(ours)
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt) as error:
        cause = error.__cause__ or error
        interrupt = cause if isinstance(cause, Interrupted) else Interrupted()
        click.echo(f"\nInterrupted. {interrupt.advice}".rstrip(), err=True)
        return 128 + interrupt.signal
    return 0
