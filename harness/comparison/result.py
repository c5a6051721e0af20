"""Records of a comparison; `--format json` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = 1
"""Version of the JSON; raise it when a field changes its meaning."""

Verdict = Literal["better", "worse", "equivalent", "inconclusive", "not tested"]
Outcome = Literal["passes", "worse", "inconclusive", "broken"]
Rule = Literal["margin", "gain", "min", "throughput"]

PASSES, WORSE, BROKEN, NOT_COMPARABLE, INCONCLUSIVE = 0, 1, 2, 3, 4
"""Exit codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """A model that is compared."""

    name: str
    fingerprint: str
    source: str
    """Folder or file of its scores."""
    members: tuple[str, ...] = ()
    """Names of the training seeds that form the candidate; empty for a single model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One metric of one task: both scores, their difference, and the verdict."""

    task: str
    metric: str
    headline: bool
    data: str
    """`sample` (illustrative), `files` or `own`."""
    tags: tuple[str, ...]
    baseline: float | None
    candidate: float | None
    gain: float | None
    """candidate − baseline."""
    low: float | None
    high: float | None
    """Ends of the 95 % interval of the gain; None where there is none."""
    p: float | None
    """Two-sided p-value, not corrected."""
    p_adjusted: float | None
    """p-value corrected over all lines of all comparisons of a command (Holm, 1979)."""
    verdict: Verdict
    margin: float | None
    """The accepted loss; None if none was given."""
    within_margin: bool | None
    """Whether the whole interval is above −margin; None without a margin or an interval."""
    detectable: float | None
    """The smallest true gain that these examples detect with 80 % power."""
    needed: int | None
    """Examples needed to detect a gain as large as the margin with 80 % power (`--power`)."""
    examples: int
    clusters: int
    """Independent units, which are resampled."""
    test: str
    """The statistical test; see docs/statistics.md."""
    from_seeds: float | None = None
    """Share of the gain's variance that comes from training seeds, in [0, 1]; None for a single candidate."""
    reason: str | None = None
    """Why there is no test or no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One condition of the gate and its outcome."""

    rule: Rule
    task: str | None
    """None for throughput."""
    metric: str | None
    threshold: float
    outcome: Outcome
    holds: bool
    """Whether it passes; an inconclusive one does if the gate's policy says so."""
    sentence: str
    """The condition and the figures that decide it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between the two models or their examinations."""

    key: str
    """Name of the setting; for an examination or a machine, a key of `--allow`."""
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A task whose examinations differ, so that its scores are not comparable."""

    task: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Throughput of both models."""

    baseline: float
    """Texts/s."""
    candidate: float
    """Texts/s."""
    ratio: float
    """candidate / baseline."""
    low: float
    high: float
    """Ends of an interval if one bench timed both; else slowest over fastest round, and vice versa."""
    source: str
    """Where the figures come from, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The mean gain over the headline metrics of some tasks, with a 95 % interval."""

    tasks: tuple[str, ...]
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Mean gain in a domain, and outside it."""

    domain: tuple[str, ...]
    """Tags of the domain."""
    inside: Mean | None
    outside: Mean | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoPoint:
    """Quality and speed of a model."""

    model: str
    quality: float
    """Mean headline score over the tasks that all models have in common."""
    texts_per_second: float | None
    """None if it was not timed on the same machine and texts as the others."""
    tasks: int
    """Number of these tasks."""
    on_front: bool
    """Whether it is on the Pareto front: no other model is at least as good in both and better in one."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One candidate against one baseline."""

    schema: int = SCHEMA
    baseline: ModelRef
    candidate: ModelRef
    lines: tuple[MetricComparison, ...]
    gated: bool
    """Whether a gate or a margin was given."""
    gate: tuple[GateLine, ...] = ()
    refused: tuple[Refusal, ...] = ()
    """Tasks that are not comparable."""
    broken: tuple[str, ...] = ()
    """One sentence for each result that is missing or cannot be read: always a failure."""
    settings: tuple[Difference, ...] = ()
    """Differences in settings, which do not forbid a comparison."""
    notes: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Keys of differences that `--allow` permitted."""
    level: float = 0.95
    """Confidence level of the intervals of the lines; higher for one that was selected among several."""
    speed: Speed | None = None
    forgetting: Forgetting | None = None
    changes: tuple[Changes, ...] = ()
    sentence: str
    """The result in words."""
    exit_code: int
    """0 passes, 1 worse, 2 broken, 3 not comparable, 4 inconclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate among those of which the best was selected."""

    model: str
    fingerprint: str
    gain: float
    """What it was selected by: its gain, or mean gain."""
    low: float
    high: float
    """Ends of its own 95 % interval, as if it had been the only candidate."""
    probability: float
    """Probability that its true gain is the largest, from a flat prior: its share of joint draws."""
    among_best: bool
    """Whether it is in the set that contains the best candidate with 95 %."""
    gate: Outcome | None
    """Outcome of the gate, at a level corrected for the number of candidates; None without a gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A candidate that could not be selected, and why."""

    model: str
    fingerprint: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The best of several candidates, and its gain after selection."""

    by: str
    """What it was selected by, in words."""
    tasks: tuple[str, ...]
    """Tasks whose headline gains it was selected by."""
    winner: str
    fingerprint: str
    gain: float
    """The observed gain, which is too high on average: the largest of many."""
    estimate: float
    """The gain without that bias: as often too high as too low."""
    low: float
    high: float
    """Ends of the 95 % interval of the winner's true gain, valid after selection."""
    tied: tuple[str, ...]
    """Other candidates with the same gain; the first by name was selected."""
    candidates: tuple[Ranked, ...]
    """Best first."""
    left_out: tuple[LeftOut, ...]
    level: float
    """Confidence level of the winner's lines, which decide its gate; above 0.95 for several candidates."""
    confirmed_on: tuple[str, ...]
    """Tasks on which the winner alone was compared (`--confirm-on`); empty if on those that selected it."""
    sentence: str
