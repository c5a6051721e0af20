"""Records of what is behind a gain; `--format json` writes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One example whose prediction moved."""

    id: str
    baseline: float
    candidate: float
    gold: str | None
    texts: dict[str, str]
    """Text columns of the example, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The gain on a subset of the examples."""

    by: str
    """`cluster`, `length`, `gold` or `truncated`."""
    value: str
    examples: int
    clusters: int
    gain: float
    low: float
    high: float
    p_adjusted: float
    """Corrected over all slices of the line."""
    flagged: bool
    """Whether `p_adjusted` is below 0.05."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Examples and slices behind the gain of a line."""

    task: str
    metric: str
    what: str
    """What moved: `answers` (right or wrong), `pairs` (closer to gold or farther) or `queries`."""
    gained: int
    """Number of examples that improved."""
    lost: int
    """Number of examples that got worse."""
    most_gained: tuple[Change, ...]
    most_lost: tuple[Change, ...]
    slices: tuple[Slice, ...]
