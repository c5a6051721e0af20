"""Try a task: does it keep the rules of tasks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.plugins.validate import answer_error
from harness.tasks.interface import Task
from harness.testing.rules import Rule, find_failures, raise_failures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_task(task: Task, data: Path | None = None) -> None:
    """Return if a task keeps all rules; data: a data folder; the task's sample if None.

    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    raise_failures(f"task {getattr(task, 'name', task)!r}", task_failures(task, data))


def task_failures(task: Task, data: Path | None = None) -> list[str]:
    """Return a sentence for each rule that a task breaks, `RULE: …`; an empty list if it keeps all."""
    return [str(failure) for failure in find_failures(STAGES, task)]


def _attributes(task: Task) -> Iterator[str]:
    if problem := answer_error(task, Task):
        yield f"it is {problem}"


STAGES = ((Rule("attributes", "has a name, a kind, tags, and metrics with different names", _attributes),),)
