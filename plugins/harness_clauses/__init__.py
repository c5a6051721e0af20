"""Contracts: does a clause entail a hypothesis, contradict it or pass over it; and which clause says so?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Task
    from harness.authoring import TaskKind


@hookimpl
def harness_tasks() -> Iterable[Task]:
    """ContractNLI: given the evidence, three-way, and finding the evidence."""
    from harness_clauses.classification import ContractNLI, ContractNLI3Way
    from harness_clauses.evidence import ContractNLIEvidence

    return [ContractNLI(), ContractNLI3Way(), ContractNLIEvidence()]


@hookimpl
def harness_task_kinds() -> Iterable[TaskKind]:
    """Clauses with a hypothesis each, from the user's own files."""
    from harness_clauses.user_clauses import CLAUSES_KIND

    return [CLAUSES_KIND]
