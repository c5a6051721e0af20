"""Commands that plugins bring, for `harness NAME` and `harness --help`."""

from __future__ import annotations

import copy
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.usage import with_conventions
from harness.errors import HarnessError
from harness.system.environment import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Sequence


def plugin_commands() -> dict[str, click.Command]:
    """Return the commands of installed plugins and of the configured single files, by name.

    Nothing is loaded where there are none of either but our own, which bring no command.
    Raises HarnessError for a configuration that cannot be read, and a single file that is broken.
    """
    return _loaded(_foreign(), _configured(Path.cwd()), quietly=False)


def installed_commands() -> dict[str, click.Command]:
    """Return the commands of installed plugins, for help and for a shell that completes a word.

    Nothing is raised and nothing printed, and no code of the current folder runs.
    """
    try:
        return _loaded(_foreign(), (), quietly=True)
    except HarnessError:
        return {}


def _foreign() -> tuple[str, ...]:
    """Return the names of installed plugins that are no part of harness; none of them is loaded."""
    from harness.plugins.modules import entry_points

    return tuple(
        name
        for name, points in entry_points(None).items()
        if any(point.dist is None or point.dist.name != DISTRIBUTION for point in points)
    )


def _configured(folder: Path) -> tuple[str, ...]:
    """Return the single-file plugins of the configuration of a folder."""
    if not any((folder / name).is_file() for name in ("harness.toml", "pyproject.toml")):
        return ()
    from harness.cli.config import read_config

    return read_config(folder).plugins


@cache
def _loaded(names: Sequence[str], files: Sequence[str], *, quietly: bool) -> dict[str, click.Command]:
    if not names and not files:
        return {}
    from harness.cli.workspace import report_problem
    from harness.plugins.loader import load_plugins
    from harness.system.paths import user_path

    report = None if quietly else report_problem
    plugins = load_plugins([user_path(file) for file in files], allowed=names, report=report)
    plugins.refuse_broken_files()
    return {
        name: _guarded(command, plugins.origin("harness_commands", name))
        for name, command in sorted(plugins.commands().items())
    }


def _guarded(command: click.Command, plugin: str) -> click.Command:
    """Return a copy of a command whose errors name the plugin, with `-v` and `-q` where it has neither."""
    guarded = copy.copy(command)
    guarded.params = [*command.params]
    invoke = guarded.invoke

    def call(ctx: click.Context) -> Any:  # noqa: ANN401 - what a plugin returns
        try:
            return invoke(ctx)
        except click.exceptions.Exit as end:
            sys.exit(end.exit_code)
        except (HarnessError, click.ClickException, click.Abort):
            raise
        except Exception as error:
            from harness.system.plugin_code import error_sentence

            raise HarnessError(
                f"plugin {plugin}: command {command.name!r} raised {error_sentence(error)}",
                hint=f"harness {command.name} -v shows where",
            ) from error

    guarded.invoke = call  # type: ignore[method-assign]
    taken = {option for parameter in guarded.params for option in parameter.opts}
    return guarded if taken & {"-v", "--verbose", "-q", "--quiet"} else with_conventions(guarded)
