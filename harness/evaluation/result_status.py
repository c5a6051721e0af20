"""Status of each (model, task) result: done, failed, missing, stale or unknown."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

State = Literal["done", "failed", "missing", "stale", "unknown"]
STATES: tuple[State, ...] = ("done", "failed", "missing", "stale", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatus:
    """A model on a task, as a run requested it, and its state now."""

    model: str
    task: str
    data: str
    """`sample`, the data folder, or `own` for a task that has its own rows, such as a task file's."""
    limit: int | None
    state: State
    """`unknown` where the model, the task or its data no longer exists."""
    why: str = ""
    """One phrase; empty for what has not been started, and for what is done and is kept."""
    run: str
    """Name of the latest run that requested it."""


@dataclass
class RunStatus:
    """Every requested pair once, and the problems found on the way."""

    pairs: list[PairStatus] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """One sentence for each task without a sample that a tag selected: no run would evaluate it."""
    problems: list[str] = field(default_factory=list)
    """One sentence for each plugin, task file or folder that is no longer as it was."""

    short: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The `why` of a pair that names many modules → its phrases, which name few."""

    def problem(self, sentence: str) -> None:
        """Note a problem, once."""
        self.problems += [] if sentence in self.problems else [sentence]

    @contextmanager
    def noting_errors(self, what: str) -> Iterator[None]:
        """Note an error of the body as a problem: a journal may name paths that cannot be read."""
        try:
            yield
        except HarnessError as error:
            self.problem(error.message)
        except (OSError, ValueError, RuntimeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
            self.problem(f"cannot read {what}: {reason}")

    def count(self, state: State) -> int:
        """Return how many pairs are in a state."""
        return sum(pair.state == state for pair in self.pairs)
