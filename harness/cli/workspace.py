"""What a command starts from: the configuration of the current folder, plugins and task files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.config import Config, read_config
from harness.cli.usage import is_verbose
from harness.errors import HarnessError
from harness.plugins.loader import load_plugins
from harness.plugins.selection import all_tasks
from harness.system.paths import shown_path, user_path, without_start_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cli.options import PluginOptions
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The configuration of a folder, with the plugins and task files that it and the command line name."""

    config: Config
    plugins: Plugins
    """The installed ones, and those of `plugin_files`."""
    plugin_files: tuple[str, ...] = ()
    """Single-file plugins: the configured ones, then those of the command line."""
    task_files: tuple[str, ...] = ()
    """The configured ones, then those of the command line."""

    @classmethod
    def open(cls, options: PluginOptions, config: Config | None = None) -> Workspace:
        """Read the configuration of the current folder and load the plugins.

        config: one to take in its place.

        A fault of an installed plugin is printed on standard error as soon as it is known, before any other
        error of the command, and the rest is used.
        Raises HarnessError for a configuration that cannot be read, and for a single-file plugin that is
        broken, in whatever it answers.
        """
        config = config or read_config(Path.cwd())
        files = (*config.plugins, *options.plugin_files)
        plugins = load_plugins([user_path(file) for file in files], report=report_problem)
        plugins.refuse_broken_files()
        if is_verbose():
            _show_origin(config, plugins)
        return cls(
            config=config,
            plugins=plugins,
            plugin_files=files,
            task_files=(*config.task_files, *options.task_files),
        )

    @classmethod
    def despite_faults(cls, options: PluginOptions) -> Workspace:
        """Open the workspace without what is wrong in its configuration, which may be what is asked about.

        Raises HarnessError for a plugin that is broken.
        """
        config = Config()
        with suppress(HarnessError):
            config = read_config(Path.cwd())
        plugins, task_files = (
            tuple(file for file in files if user_path(file).is_file())
            for files in (config.plugins, config.task_files)
        )
        return cls.open(options, replace(config, plugins=plugins, task_files=task_files))

    def tasks(self) -> dict[str, Task]:
        """Return all tasks by name: those of plugins and of task files.

        Raises HarnessError where a name is taken, or is a tag of other tasks.
        """
        return all_tasks(self.plugins, [user_path(file) for file in self.task_files])

    def suites(self, tasks: Mapping[str, Task]) -> dict[str, Suite]:
        """Return all suites by name: those of the configuration and of task files. tasks: all tasks.

        Raises HarnessError for a definition that is not right, and where a name is taken.
        """
        from harness.tasks.suites import suites_by_name
        from harness.tasks.task_file import read_suites

        files = [suite for file in self.task_files for suite in read_suites(user_path(file))]
        return suites_by_name([*self.config.read_suites(), *files], tasks, self.plugins.task_schemes())


def _show_origin(config: Config, plugins: Plugins) -> None:
    """Print which configuration and which plugins a command uses: `-v`."""
    from harness.cli.output import detail

    detail(f"configuration: {shown_path(Path(config.file)) if config.file else 'none'}")
    detail(f"plugins: {', '.join(info.name for info in plugins.infos if not info.problem)}")


def report_problem(problem: str) -> None:
    """Print a fault of an installed plugin."""
    from harness.cli.output import clean

    click.echo(clean(without_start_folder(f"PROBLEM {problem}")), err=True)
