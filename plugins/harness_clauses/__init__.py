"""Contracts: does a clause entail, contradict or not mention a hypothesis, and which clauses show it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Task
    from harness.authoring import TaskKind


@hookimpl
def harness_tasks() -> Iterable[Task]:
    """Return ContractNLI with given evidence, three-way, and as a search for evidence."""
    from harness_clauses.classification import ContractNLI, ContractNLI3Way
    from harness_clauses.evidence import ContractNLIEvidence

    return [ContractNLI(), ContractNLI3Way(), ContractNLIEvidence()]


@hookimpl
def harness_task_kinds() -> Iterable[TaskKind]:
    """Return the kind for clauses with a hypothesis each, from a user's files."""
    from harness_clauses.user_clauses import CLAUSES_KIND

    return [CLAUSES_KIND]
