"""STS: do similar sentences get similar embeddings?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Task
    from harness.authoring import TaskKind


@hookimpl
def harness_tasks() -> Iterable[Task]:
    """Return STS-B's test and dev splits."""
    from harness_sts.tasks import stsb_tasks

    return stsb_tasks()


@hookimpl
def harness_task_kinds() -> Iterable[TaskKind]:
    """Return the kind for sentence pairs with a score, from a user's file."""
    from harness_sts.tasks import STS_KIND

    return [STS_KIND]
