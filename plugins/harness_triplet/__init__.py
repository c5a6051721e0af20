"""Triplets: is the anchor more similar to its positive than to its negative?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Task
    from harness.authoring import TaskKind


@hookimpl
def harness_tasks() -> Iterable[Task]:
    """Return facts with the provision that applies (Penal Code, AILA), and SNLI's dev split."""
    from harness_triplet.tasks import triplet_tasks

    return triplet_tasks()


@hookimpl
def harness_task_kinds() -> Iterable[TaskKind]:
    """Return the kind for triplets from a user's file."""
    from harness_triplet.tasks import TRIPLET_KIND

    return [TRIPLET_KIND]
