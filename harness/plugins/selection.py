"""What a user may name of plugins: tasks, those of task files too, trackers, executors, report writers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError
from harness.plugins.executor import ExecutorRequest
from harness.system.paths import start_folder
from harness.system.plugin_code import error_sentence, plugin_code
from harness.system.work_unit import WorkerSetup
from harness.tasks.selection import find_ambiguous_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.plugins.executor import Executor
    from harness.plugins.loader import Plugins
    from harness.plugins.report_writer import ReportWriter
    from harness.plugins.tracker import Tracker
    from harness.tasks.interface import Task


LOCAL = "local"
"""Name of the executor that is this process."""


def select_trackers(plugins: Plugins, names: Iterable[str]) -> list[Tracker]:
    """Return trackers by name, each once, that can be used.

    Raises HarnessError for all names that do not exist, and all that lack a library or a key.
    """
    known, chosen, faults = plugins.trackers(), [], Faults()
    for name in dict.fromkeys(names):
        with faults.collect():
            if name not in known:
                hint = "`harness list trackers` shows them"
                raise HarnessError.unknown("tracker", name, known, hint=hint)
            _check_usable(known[name], f"tracker {name}")
            chosen.append(known[name])
    faults.refuse()
    return chosen


def select_executor(
    plugins: Plugins,
    name: str,
    *,
    workers: int | None = None,
    address: str = "",
    plugin_files: tuple[str, ...] = (),
) -> tuple[Executor, ExecutorRequest] | None:
    """Return the executor of a name and what is asked of it; None for `local`, which is this process.

    Raises HarnessError where no plugin brings it, where it lacks a library, and as it refuses the request.
    """
    known = plugins.executors()
    if name not in known:
        raise HarnessError.unknown("executor", name, known, hint="`harness list executors` shows them")
    if name == LOCAL:
        return None
    _check_usable(known[name], f"executor {name}")
    setup = WorkerSetup(folder=str(start_folder()), plugin_files=plugin_files)
    request = ExecutorRequest(setup=setup, workers=workers, address=address)
    try:
        with plugin_code():
            known[name].validate(request)
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"executor {name} cannot be used: {error_sentence(error)}") from error
    return known[name], request


def select_report_writer(plugins: Plugins, name: str = "html") -> ReportWriter:
    """Return the writer of reports of a name, which can be used.

    Raises HarnessError where no plugin brings it, and where it lacks a library.
    """
    known = plugins.reports()
    if name not in known:
        raise HarnessError(
            f"no plugin writes reports as {name}",
            exists=f"writers: {', '.join(known)}" if known else "plugins in use: " + _in_use(plugins),
            hint="the plugin `report` writes html: does HARNESS_PLUGINS leave it out?",
        )
    _check_usable(known[name], f"report writer {name}")
    return known[name]


def _in_use(plugins: Plugins) -> str:
    return ", ".join(info.name for info in plugins.infos if not info.problem)


def _check_usable(answer: Tracker | ReportWriter | Executor, what: str) -> None:
    """Raise HarnessError where an answer's own check does, whatever it raises."""
    try:
        with plugin_code():
            answer.check()
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"{what} cannot be used: {error_sentence(error)}") from error


def all_tasks(plugins: Plugins, task_files: Iterable[Path]) -> dict[str, Task]:
    """Return the tasks of plugins and of task files, by name.

    Raises HarnessError for every task of a file that cannot be made, and every name that is taken or is a tag
    of other tasks.
    """
    from harness.tasks.task_file import read_task_file

    tasks, faults = plugins.tasks(), Faults()
    for file in task_files:
        own: dict[str, Task] = {}
        with faults.collect():
            own = read_task_file(file, plugins.task_kinds())
        for name in [name for name in own if name in tasks]:
            faults.add(HarnessError(f"task {name!r} of {file} exists already", hint="give it another name"))
        known = find_ambiguous_names(tasks)
        tasks |= own
        ambiguous = find_ambiguous_names(tasks)
        for name in [name for name in ambiguous if name not in known]:
            others = ambiguous[name]
            faults.add(
                HarnessError(
                    f"{file}: task {name!r} has the name of a tag (of {', '.join(others)})",
                    hint=f"--tasks {name} could mean either: rename one",
                )
            )
    faults.refuse()
    return tasks
