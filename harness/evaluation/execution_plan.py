"""By whom the units of a run are done, as it was asked, and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.render import plural

if TYPE_CHECKING:
    from harness.plugins.executor import Executor, ExecutorRequest


@dataclass(frozen=True, slots=True)
class ExecutionPlan:
    """By whom units are done."""

    executor: Executor
    request: ExecutorRequest
    """How many workers, and where."""
    mixed: bool = False
    """Whether processors may be of several kinds: `--allow processor`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUnits:
    """Units of work that the workers of a run did: texts that were encoded."""

    executor: str
    workers: int
    """How many there were to be."""
    done: int
    left: int = 0
    """Units that were handed out, or waited, when this was written."""
    repeated: int = 0
    """Units that were begun again, because their worker ended or had no memory for them."""
    ended: int = 0
    """Workers that ended before their time."""

    def __str__(self) -> str:
        """Return it in words: `14 units done by 2 workers (processes), 6 handed out, 1 begun again`."""
        words = f"{plural(self.done, 'unit')} done by {plural(self.workers, 'worker')} ({self.executor})"
        words += f", {self.left} handed out" if self.left else ""
        words += f", {self.repeated} begun again" if self.repeated else ""
        return words + (f", {plural(self.ended, 'worker')} lost" if self.ended else "")
