"""Contracts of trackers: what `--track NAME` opens for each model of a run, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedModel:
    """One model of one run of the harness: a run of the tracker."""

    model: str
    """Name of the model."""
    fingerprint: str
    run: str
    """Name of the run of the harness: the same for all of its models."""
    parameters: Mapping[str, str | int | float | bool]
    """Settings, facts and libraries, by names such as `settings.dtype`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRecord:
    """One finished record of a model, on one task."""

    task: str
    outcome: Literal["computed", "kept", "failed"]
    """`kept` where an earlier run computed it."""
    metrics: Mapping[str, float]
    """`TASK/METRIC`, `TASK/METRIC_low`, `TASK/METRIC_high` → number, without those that are undefined.

    Names have letters, digits, `_`, `-` and one slash: `recall@10` is `recall_at_10`.
    """
    parameters: Mapping[str, str | int | float | bool]
    """What was asked: `TASK/data`, `TASK/digest`, `TASK/version`, `TASK/outcome`; `TASK/error`."""
    record: Mapping[str, Any]
    """The whole record as plain data, as in its file: `harness schema record`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedEnd:
    """The end of a run, of one model."""

    status: Literal["finished", "failed", "interrupted"]
    """`failed` where a record of the model is."""
    metrics: Mapping[str, float]
    """`throughput/texts_per_second` and others, where a speed was measured."""
    files: Mapping[str, bytes] = field(repr=False)
    """Name → content: the leaderboards of the results folder."""


class TrackerRun(Protocol):
    """What a tracker opens for a model."""

    def log(self, record: TrackedRecord) -> None:
        """Take a record that was finished."""
        ...

    def close(self, end: TrackedEnd) -> None:
        """Take what is known at the end, and end; called once, after an interruption too."""
        ...


@dataclass(frozen=True, slots=True)
class Tracker:
    """A service or a file that `--track NAME` sends results to, as `harness list trackers` shows it."""

    name: str
    help: str
    """One line."""
    open: Callable[[TrackedModel], TrackerRun]
    """Begin a run of the tracker: called with the first record of each model."""
    check: Callable[[], None] = lambda: None
    """Raise HarnessError where it cannot be used, such as for a missing library: asked before the run."""
