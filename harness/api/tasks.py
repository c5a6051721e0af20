"""Tasks as Python users have them: by name, of rows in memory, or objects of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.tasks.interface import Task
from harness.tasks.selection import SelectedTask, select_tasks, split_words

if TYPE_CHECKING:
    import os

    from harness.plugins.loader import Plugins


def get_tasks(
    names: str | Sequence[str] = (),
    *,
    plugins: Sequence[str | os.PathLike[str]] = (),
    task_files: Sequence[str | os.PathLike[str]] = (),
) -> list[Task]:
    """Return the tasks of names and tags, sorted by name; all tasks without any.

    `get_tasks("sts,legal")`. plugins: files of single-file plugins. task_files: TOML files of tasks.
    Raises HarnessError for a name that selects nothing, and for a file that cannot be read.
    """
    loaded = open_plugins(plugins)
    known = tasks_of(loaded, task_files)
    words = split_words([names] if isinstance(names, str) else [*names])
    if not words:
        return [known[name] for name in sorted(known)]
    return [selected.task for selected in select_tasks(words, known, loaded.task_schemes())]


def get_task(
    name: str,
    *,
    plugins: Sequence[str | os.PathLike[str]] = (),
    task_files: Sequence[str | os.PathLike[str]] = (),
) -> Task:
    """Return the task of a name, such as `stsb` or `mteb:STS12`; raises HarnessError where there is none."""
    loaded = open_plugins(plugins)
    known = tasks_of(loaded, task_files)
    if name in known:
        return known[name]
    prefix, colon, rest = name.partition(":")
    schemes = loaded.task_schemes()
    if colon and prefix in schemes:
        return schemes[prefix].resolve(rest)
    raise HarnessError.unknown("task", name, known, hint="get_tasks(TAG) returns the tasks of a tag")


def open_plugins(files: Iterable[str | os.PathLike[str]] = ()) -> Plugins:
    """Return the installed plugins and those of single files; a fault of an installed one is a warning.

    Raises HarnessError for a file that is missing or broken.
    """
    import warnings

    from harness.plugins.loader import load_plugins

    plugins = load_plugins(
        [user_path(file) for file in files],
        report=lambda problem: warnings.warn(f"PROBLEM {problem}", stacklevel=4),
    )
    plugins.refuse_broken_files()
    return plugins


def tasks_of(plugins: Plugins, task_files: Iterable[str | os.PathLike[str]]) -> dict[str, Task]:
    """Return the tasks of plugins and of task files by name; raises HarnessError as `all_tasks` does."""
    from harness.plugins.selection import all_tasks

    return all_tasks(plugins, [user_path(file) for file in task_files])


def chosen_tasks(
    tasks: Any,  # noqa: ANN401 - whatever a user passes
    plugins: Plugins,
    task_files: Iterable[str | os.PathLike[str]],
) -> list[SelectedTask]:
    """Return the tasks that names, tags, objects and evaluators of sentence-transformers stand for.

    Raises HarnessError for a name that selects nothing, two tasks of one name, and what is not a task.
    """
    from harness.api.st_evaluators import is_evaluator, task_of_evaluator

    if hasattr(tasks, "columns") and hasattr(tasks, "shape"):
        raise HarnessError(
            f"a {type(tasks).__name__} is not a task",
            hint="harness.make_task(name, kind, rows) makes one of rows",
        )
    several = isinstance(tasks, Iterable) and not (isinstance(tasks, str) or is_evaluator(tasks))
    given = [*tasks] if several else [tasks]
    words, chosen = [], []
    for one in given:
        if isinstance(one, str):
            words.append(one)
        elif isinstance(one, Task):
            chosen.append(SelectedTask(one, by_name=True))
        elif is_evaluator(one):
            chosen.append(SelectedTask(task_of_evaluator(one), by_name=True))
        else:
            raise HarnessError(
                f"{type(one).__name__} is not a task",
                hint="a task is a name, a tag, a harness.Task, or an evaluator of sentence-transformers",
            )
    if words or not chosen:
        known = tasks_of(plugins, task_files)
        chosen += select_tasks(split_words(words), known, plugins.task_schemes())
    names = [selected.task.name for selected in chosen]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise HarnessError(
            f"two tasks are named {', '.join(repeated)}", hint="give one of them another name: task.name = …"
        )
    return chosen
