"""Retrieval: are the relevant documents of a query ranked first?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Task
    from harness.authoring import TaskKind


@hookimpl
def harness_tasks() -> Iterable[Task]:
    """Return SciFact, Cranfield, and AILA's statutes and prior cases."""
    from harness_retrieval.tasks import retrieval_tasks

    return retrieval_tasks()


@hookimpl
def harness_task_kinds() -> Iterable[TaskKind]:
    """Return the kind for a user's BEIR folder."""
    from harness_retrieval.tasks import RETRIEVAL_KIND

    return [RETRIEVAL_KIND]
