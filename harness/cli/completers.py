"""What completes the value of an option in a shell: names of tasks, models, recipes, files, folders.

Nothing is raised and nothing printed. Single-file plugins are not loaded: a Tab runs installed code alone.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from harness.models.backends import BACKENDS
from harness.models.interface import DTYPES, Role
from harness.models.request import KNOWN, settings_of_models
from harness.models.storage import PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from harness.cli.config import Config
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task

    Items = list[CompletionItem]
    Completer = Callable[[click.Context, str], Items]


def complete_options(command: click.Command) -> None:
    """Give the options and arguments of a command what completes them, by COMPLETERS."""
    for parameter in command.params:
        for name in (*parameter.opts, parameter.metavar):
            if name in COMPLETERS:
                complete = partial(_quietly, COMPLETERS[name])
                parameter.shell_complete = complete  # type: ignore[method-assign]


def _quietly(complete: Completer, context: click.Context, incomplete: str) -> Items:
    """Return what completes a word; nothing where a plugin or a file of the folder is broken."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), suppress(Exception, SystemExit):
        return complete(context, incomplete)
    return []


def _tasks(context: click.Context, incomplete: str) -> Items:
    """Complete the last of several names of tasks, tags and suites."""
    from harness.tasks.selection import tags_of

    plugins = _plugins()
    tasks, suites = _known_tasks(context, plugins)
    prefixes = [f"{name}:" for name in plugins.task_schemes()]
    return _last_word(incomplete, [*tasks, *tags_of(tasks), *suites, *prefixes])


def _tags(context: click.Context, incomplete: str) -> Items:
    from harness.tasks.selection import tags_of

    return _last_word(incomplete, tags_of(_known_tasks(context, _plugins())[0]))


def _suites(context: click.Context, incomplete: str) -> Items:
    return _last_word(incomplete, _known_tasks(context, _plugins())[1])


def _models(_context: click.Context, incomplete: str) -> Items:
    """Complete `[NAME=]MODEL[,SETTING=VALUE]…`: with a scheme, a configured model, a folder, or a setting."""
    if "," in incomplete:
        return _settings(incomplete)
    name, equals, model = incomplete.rpartition("=")
    folders = [] if equals else [CompletionItem(incomplete, type="dir")]
    # `folder` and `hub` are how paths and ids are read, and `--model hub` names nothing.
    schemes = [scheme for scheme in _plugins().model_schemes() if scheme not in ("folder", "hub")]
    known = [*schemes, *_config().model_tables()]
    return folders + [CompletionItem(f"{name}{equals}{found}") for found in known if found.startswith(model)]


def _settings(incomplete: str) -> Items:
    head, _, last = incomplete.rpartition(",")
    setting, equals, _ = last.partition("=")
    if equals:
        values = KNOWN.get(setting.replace("-", "_"), ("true", "false"))
        return _starting(f"{head},", last, [f"{setting}={value}" for value in values])
    given = {word.partition("=")[0].replace("-", "_") for word in head.split(",")[1:]}
    return _starting(f"{head},", last, [f"{name}=" for name in settings_of_models() if name not in given])


def _recipes(context: click.Context, incomplete: str) -> Items:
    from harness.training.recipe import CORRECTED

    names = _plugins().recipes()
    plain = [name.removesuffix(f"/{CORRECTED}") for name in names]
    return [*_files(context, incomplete), *_starting("", incomplete, sorted({*names, *plain}))]


def _prompts(_context: click.Context, incomplete: str) -> Items:
    return _starting("", incomplete, [f"{role}=" for role in Role])


def _files(_context: click.Context, incomplete: str) -> Items:
    return [CompletionItem(incomplete, type="file")]


def _folders(_context: click.Context, incomplete: str) -> Items:
    return [CompletionItem(incomplete, type="dir")]


def _data(context: click.Context, incomplete: str) -> Items:
    return [*_folders(context, incomplete), *_starting("", incomplete, ("hub", "sample"))]


def _of(*names: str) -> Completer:
    """Return what completes the last of several of these names."""
    return lambda _context, incomplete: _last_word(incomplete, names)


def _trackers(_context: click.Context, incomplete: str) -> Items:
    return _starting("", incomplete, _plugins().trackers())


def _executors(_context: click.Context, incomplete: str) -> Items:
    return _starting("", incomplete, _plugins().executors())


def _row_kinds(_context: click.Context, incomplete: str) -> Items:
    from harness.training.losses import ROW_KINDS

    return _starting("", incomplete, ROW_KINDS)


COMPLETERS: dict[str, Completer] = {
    "--model": _models,
    "--base": _models,
    "--tasks": _tasks,
    "--exclude": _tasks,
    "--select-on": _tasks,
    "--confirm-on": _tasks,
    "--domain": _tags,
    "--recipe": _recipes,
    "--track": _trackers,
    "--executor": _executors,
    "--kind": _row_kinds,
    "--plugin": _files,
    "--task-file": _files,
    "--gate": _files,
    "--from-card": _files,
    "--ledger": _files,
    "--write": _files,
    "--report": _files,
    "--pytest-json": _files,
    "--data": _data,
    "--out": _folders,
    "--cache": _folders,
    "--device": _of("auto", "cpu", "cuda", "cuda:0", "mps"),
    "--dtype": _of(*DTYPES),
    "--backend": _of("auto", *BACKENDS),
    "--precision": _of(*PRECISIONS),
    "--prompt": _prompts,
    "SUITE": _suites,
    "folder": _folders,
    "folders": _folders,
    "files": _files,
    "paths": _files,
}
"""Option, or argument by its name in the code or in the help → what completes it; click completes choices."""


def _plugins() -> Plugins:
    """Return the installed plugins."""
    from harness.plugins.loader import load_plugins

    return load_plugins()


def _config() -> Config:
    """Return the configuration of the current folder; an empty one where it is broken."""
    from harness.cli.config import Config, read_config
    from harness.errors import HarnessError

    with suppress(HarnessError):
        return read_config(Path.cwd())
    return Config()


def _known_tasks(context: click.Context, plugins: Plugins) -> tuple[dict[str, Task], list[str]]:
    """Return the tasks of plugins and task files, and the names of suites; a broken file has none."""
    from harness.errors import HarnessError
    from harness.system.paths import user_path
    from harness.tasks.task_file import read_suites, read_task_file

    config, tasks = _config(), plugins.tasks()
    suites = [*config.suites]
    for file in (*config.task_files, *(context.params.get("task_files") or ())):
        with suppress(HarnessError):
            tasks |= read_task_file(user_path(file), plugins.task_kinds())
        with suppress(HarnessError):
            suites += [suite.name for suite in read_suites(user_path(file))]
    return tasks, suites


def _last_word(incomplete: str, names: Iterable[str]) -> Items:
    """Complete the last of several words, separated by commas, by a name that is not among them."""
    head, comma, last = incomplete.rpartition(",")
    given = head.split(",")
    return _starting(head + comma, last, sorted({*names} - {*given}))


def _starting(head: str, last: str, names: Iterable[str]) -> Items:
    return [CompletionItem(f"{head}{name}") for name in names if name.startswith(last)]
