"""Records of gains over several tasks; `--format json` writes them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.comparison.words import Verdict  # noqa: TC001 - msgspec resolves annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The mean gain over the headline metrics of some tasks, with an interval at the comparison's `level`."""

    tasks: tuple[str, ...]
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The gain over several tasks by their headline metrics."""

    tag: str | None
    """The tag of the tasks; None for every task."""
    which: str
    """The tasks of the mean in words, such as `samples of 7 tasks` or `2 tasks tagged legal`."""
    samples: bool
    """Whether the data of these tasks are samples (illustrative); they are never taken with real data."""
    mean: Mean
    verdict: Verdict
    """On the mean, by its own interval."""
    margin: float | None
    """What *equivalent* means for the mean: the gate's margin for it, else that of each of its tasks."""
    worst: str
    """The task with the smallest gain."""
    worst_gain: float
    worst_low: float
    """Lower bound of the smallest true gain, wherever that is; it holds for all tasks at once.

    With 97.5 %, or what else half of the comparison's `level` leaves on one side.
    """
    better: int
    """Number of tasks with this verdict; so of those below."""
    worse: int
    equivalent: int
    inconclusive: int
    not_tested: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Mean gain in a domain, and outside it."""

    domain: tuple[str, ...]
    """Tags of the domain."""
    inside: Mean | None
    outside: Mean | None
    sentence: str
