"""Tasks that a single file defines in terms of another library, such as a class of mteb's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.plugins.validate import answer_error
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.system.source_place import place_of_error
from harness.tasks.interface import Task

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from harness.tasks.interface import TaskScheme


def find_foreign_tasks(
    module: ModuleType, schemes: Iterable[TaskScheme]
) -> tuple[list[Task], list[tuple[str, str]]]:
    """Return the tasks that the schemes find in a file's module, and what is wrong: (sentence, place) each.

    The file is part of each task's code (`brought_by`).
    """
    tasks: list[Task] = []
    faults: list[tuple[str, str]] = []
    for scheme in schemes:
        if scheme.defined_in is None:
            continue
        try:
            with plugin_code():
                found = [*scheme.defined_in(module)]
        except HarnessError as error:
            faults.append((error.message, ""))
            continue
        except Exception as error:  # noqa: BLE001 - code of two plugins
            raised = raised_by(error)
            place = place_of_error(raised, getattr(module, "__file__", "") or "")
            faults.append((f"its tasks of {scheme.name} cannot be made: {error_sentence(error)}", place))
            continue
        for task in found:
            if problem := answer_error(task, Task):
                faults.append((f"the scheme {scheme.name!r} answers {problem}", ""))
                continue
            # Through `vars`, as a plugin's class may be frozen.
            vars(task)["brought_by"] = module.__name__
            tasks.append(task)
    return tasks, faults
