"""What a configuration means: what each of its keys sets, and which option wins over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.interface import Settings
from harness.models.request import ModelRequest, read_request
from harness.render import plural
from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cli.config import Config
    from harness.cli.meaning import Meaning
    from harness.cli.workspace import Workspace


def explain_config(meaning: Meaning, workspace: Workspace) -> None:
    """Add what each key sets; a fault for each path, model and task of it that does not exist."""
    from harness.cli.config import read_config_file

    config = read_config_file(meaning.file, meaning.faults)
    for key, sentence in _settings(config):
        meaning.part(key, sentence)
    if not meaning.parts and not meaning.faults.found:
        meaning.notes.append("it sets nothing")
    _check_paths(config, meaning)
    _check_names(config, meaning, workspace)


def _settings(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the keys that are set, and what each means."""
    for name, table in config.model_tables().items():
        own = ModelRequest(name, table).own_settings()
        yield f"models.{name}", f"--model {name} is {table.model}{_with(own)}"
    lists = {
        "models": (config.model_names(), "evaluated by `run` and measured by `bench` without --model"),
        "tasks": (config.tasks, "evaluated without --tasks"),
        "exclude": (config.exclude, "left out without --exclude"),
    }
    for key, (names, what) in lists.items():
        if names:
            yield key, f"{', '.join(names)}: {what}"
    if config.data:
        where = config.data if config.data in ("hub", "sample") else _shown(config.data)
        yield "data", f"tasks and recipes read from {where} without --data or HARNESS_DATA"
    if config.out:
        yield "out", f"`run` writes to {_shown(config.out)} without --out"
    if config.cache:
        yield "cache", f"embeddings are kept in {_shown(config.cache)} without --cache or HARNESS_CACHE"
    if config.cache_size:
        yield "cache-size", f"they take at most {config.cache_size} without --cache-size"
    if config.no_texts:
        yield "no-texts", "texts of rows are kept out of results, unless --texts is given"
    if config.track:
        yield "track", f"`run` sends results to {', '.join(config.track)} without --track"
    if config.executor:
        yield "executor", f"`run` has texts encoded by {config.executor} without --executor"
    if config.workers:
        by = "" if config.executor else ", of which there are none: no executor is set"
        yield "workers", f"it has {plural(config.workers, 'worker')} without --workers{by}"
    if config.task_files:
        yield "task-files", f"always read: {', '.join(map(_shown, config.task_files))}"
    if config.plugins:
        yield "plugins", f"always loaded: {', '.join(map(_shown, config.plugins))}"
    if config.ledger:
        yield "ledger", f"`compare` notes its looks in {_shown(config.ledger)} without --ledger"
    for name, suite in config.suites.items():
        yield f"suites.{name}", f"--tasks {name} selects {', '.join(suite.tasks)}"


def _with(own: dict[str, Any]) -> str:
    shown = {**own, "prompts": dict(own["prompts"])} if "prompts" in own else own
    return f" with {', '.join(f'{name} = {value}' for name, value in shown.items())}" if own else ""


def _shown(path: str) -> str:
    return shown_path(Path(path))


def _check_paths(config: Config, meaning: Meaning) -> None:
    from harness.system.limits import read_size
    from harness.tasks.data_choice import data_choice

    faults = meaning.faults
    with faults.collect("data"):
        data_choice(config.data)
    if config.cache_size:
        with faults.collect():
            read_size(config.cache_size, "cache-size")
    for key, paths in (("task-files", config.task_files), ("plugins", config.plugins)):
        for path in paths:
            if not user_path(path).is_file():
                faults.add(HarnessError(f"{key}: no file {_shown(path)}"))


def _check_names(config: Config, meaning: Meaning, workspace: Workspace) -> None:
    """Add a fault for each plugin, task file, model, task and suite that is not right."""
    from harness.models.locate import parse_model
    from harness.plugins.loader import load_plugins
    from harness.plugins.selection import all_tasks, select_executor, select_trackers
    from harness.tasks.selection import select_tasks
    from harness.tasks.suites import suites_by_name
    from harness.tasks.task_file import read_suites

    faults = meaning.faults
    there = [user_path(path) for path in config.plugins if user_path(path).is_file()]
    files = [user_path(path) for path in config.task_files if user_path(path).is_file()]
    plugins = workspace.plugins
    with faults.collect():
        plugins = load_plugins(there) if there else plugins
    for problem in plugins.problems:
        faults.add(HarnessError(problem))
    with faults.collect("track"):
        select_trackers(plugins, config.track)
    if config.executor:
        with faults.collect("executor"):
            select_executor(plugins, config.executor, workers=config.workers)
    for model in config.model_names():
        with faults.collect("models"):
            request = read_request(model, config.model_tables())
            parse_model(request.model, plugins.model_schemes(), threads=str(request.table.threads or "auto"))
            request.settings([Settings()])
    with faults.collect():
        tasks, schemes = all_tasks(plugins, files), plugins.task_schemes()
        suites = [*config.read_suites(), *(suite for file in files for suite in read_suites(file))]
        named = {name: suite.tasks for name, suite in suites_by_name(suites, tasks, schemes).items()}
        if config.tasks:
            select_tasks(config.tasks, tasks, schemes, config.exclude, named)
