"""How the command line is called: misspelled and empty words, and `-v` and `-q`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import click

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEVEL: ContextVar[int] = ContextVar("verbosity", default=0)
"""Below 0: quiet; above 0: verbose. Of the command that runs."""


def is_quiet() -> bool:
    """Whether only answers and what is wrong are printed: `-q`."""
    return _LEVEL.get() < 0


def is_verbose() -> bool:
    """Whether it is also printed what is done, from what, and for how long: `-v`."""
    return _LEVEL.get() > 0


def with_conventions(command: click.Command, *, root: bool = False) -> click.Command:
    """Add `-v` and `-q` to a command and to those below it, which refuse empty values; once.

    root: whether it is `harness` itself.
    """
    if not any(parameter.name == "verbose" for parameter in command.params):
        for parameter in command.params:
            if isinstance(parameter.type, click.types.StringParamType):
                parameter.callback = _refusing_empty(parameter.callback)
        command.params += [
            click.Option(
                ["-v", "--verbose"],
                is_flag=True,
                expose_value=False,
                callback=_set(1, root=root),
                help="Also print what is done, from what, and for how long; of an error, its traceback.",
            ),
            click.Option(
                ["-q", "--quiet"],
                is_flag=True,
                expose_value=False,
                callback=_set(-1, root=root),
                help="Print the answer and what is wrong: neither progress nor notes.",
            ),
        ]
    if isinstance(command, click.Group) and not root:
        for below in command.commands.values():
            with_conventions(below)
    return command


def _refusing_empty(callback: Callable[[click.Context, click.Parameter, Any], Any] | None) -> Any:  # noqa: ANN401 - click's
    """Return the callback of an option that raises HarnessError for an empty value.

    A shell passes one for a variable that is unset, and it would be the current folder, or no wish at all.
    """

    def checked(context: click.Context, parameter: click.Parameter, value: Any) -> Any:  # noqa: ANN401
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(one, str) and not one.strip() for one in values):
            given = context.get_parameter_source(parameter.name or "")
            if given is click.core.ParameterSource.COMMANDLINE:
                of_option = isinstance(parameter, click.Option)
                raise HarnessError(
                    f"empty {parameter.opts[0]}" if of_option else "an empty argument",
                    hint="leave it out, or give a value; is a variable of the shell unset?",
                )
        return callback(context, parameter, value) if callback else value

    return checked


def _set(level: int, *, root: bool) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Return the callback of an option that sets the level; `harness` itself begins with none."""

    def callback(context: click.Context, _option: click.Parameter, given: bool) -> None:
        if root and "harness.verbosity" not in context.meta:
            context.meta["harness.verbosity"] = True
            _LEVEL.set(0)
        if not given:
            return
        if _LEVEL.get() == -level:
            raise HarnessError("-v and -q contradict each other", hint="leave one out")
        _LEVEL.set(level)

    return callback


class Group(click.Group):
    """Commands, of which a misspelled one is answered with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return name, command and its arguments; raises HarnessError for a command that does not exist."""
        name, known = args[0], self.list_commands(ctx)
        if name in known or ctx.resilient_parsing or name.startswith("-"):
            return super().resolve_command(ctx, args)
        hint = f"`{ctx.command_path} --help` says what each does"
        raise HarnessError.unknown("command", name, known, hint=hint)


class Choice(click.Choice[str]):
    """One of several words, of which a misspelled one is answered with the nearest."""

    def __init__(self, choices: Sequence[str], noun: str = "") -> None:
        """noun: what the words name; by default the option without its hyphens, such as `format`."""
        super().__init__(choices)
        self.noun = noun

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click's
        """Return the word; raises HarnessError for any other."""
        if value in self.choices:
            return super().convert(value, param, ctx)
        noun = self.noun or (param.opts[0].lstrip("-") if param else "value")
        raise HarnessError.unknown(noun, str(value), self.choices)


def usage_error(error: click.ClickException) -> HarnessError | None:
    """Return our error for an option that does not exist; None for another error of click's."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    options = [
        name
        for parameter in error.ctx.command.get_params(error.ctx)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    ]
    path = error.ctx.command_path
    return HarnessError.unknown(
        f"option of `{path}`", error.option_name, options, hint=f"`{path} --help` says what each does"
    )
