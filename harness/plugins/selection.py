"""What a user may name of plugins: all tasks, those of task files too, and trackers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError
from harness.system.plugin_code import error_sentence, plugin_code
from harness.tasks.selection import find_ambiguous_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.plugins.loader import Plugins
    from harness.plugins.tracker import Tracker
    from harness.tasks.interface import Task


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
            try:
                with plugin_code():
                    known[name].check()
            except HarnessError:
                raise
            except Exception as error:
                raise HarnessError(f"tracker {name} cannot be used: {error_sentence(error)}") from error
            chosen.append(known[name])
    faults.refuse()
    return chosen


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
