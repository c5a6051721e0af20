"""What `harness compare` found: plain data, and the JSON that `--format json` writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = 1
"""Raise it when a field changes its meaning."""

Verdict = Literal["better", "worse", "equivalent", "inconclusive", "not tested"]
Outcome = Literal["passes", "worse", "inconclusive", "broken"]
Rule = Literal["margin", "gain", "min", "throughput"]

PASSES, WORSE, BROKEN, NOT_COMPARABLE, INCONCLUSIVE = 0, 1, 2, 3, 4
"""Exit codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """One of the two models that are compared."""

    name: str
    fingerprint: str
    source: str
    """The folder or file that its scores were read from."""
    members: tuple[str, ...] = ()
    """Of a candidate that is several training seeds: their names; empty for a single model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One metric of one task: both scores, and what may be said of their difference."""

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
    p_holm: float | None
    """The same, corrected over all lines of this comparison (Holm, 1979)."""
    verdict: Verdict
    margin: float | None
    """The loss that would be accepted; None where none was given."""
    within_margin: bool | None
    """Whether the whole interval lies above −margin; None without a margin or an interval."""
    detectable: float | None
    """The smallest true gain that these examples show with 80 % power."""
    needed: int | None
    """Examples that would show a gain as large as the margin with 80 % power (`--power`)."""
    examples: int
    clusters: int
    """Independent units: what was resampled."""
    test: str
    """How it was tested: see docs/statistics.md."""
    from_seeds: float | None = None
    """Share of the gain's variance that comes from training seeds, in [0, 1]; None for a single candidate."""
    reason: str | None = None
    """Why it was not tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One condition of the gate, and whether it holds."""

    rule: Rule
    task: str | None
    """None for throughput."""
    metric: str | None
    threshold: float
    outcome: Outcome
    holds: bool
    """Whether the policy lets it pass."""
    sentence: str
    """The condition and the figures that decide it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not the same for both models."""

    key: str
    """What `--allow` takes, where it is about what was asked."""
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A task that was not asked alike, so that its scores do not compare."""

    task: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Throughput of both, from their records."""

    baseline: float
    candidate: float
    """Texts/s."""
    ratio: float
    """candidate / baseline."""
    low: float
    high: float
    """An interval where one bench timed both; else the slowest round against the fastest, and vice versa."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The mean gain over the headline metrics of some tasks, with a 95 % interval."""

    tasks: tuple[str, ...]
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """What was gained in the domain against what was lost outside it."""

    domain: tuple[str, ...]
    """The tags that are the domain."""
    inside: Mean | None
    outside: Mean | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoPoint:
    """A model's quality beside its speed."""

    model: str
    quality: float
    """Mean headline score over the tasks that all models were asked alike."""
    texts_per_second: float | None
    """None where it was not timed on the same machine and texts as the others."""
    tasks: int
    on_front: bool
    """Whether no other model is at least as good at both and better at one (the Pareto front)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One example whose answer moved."""

    id: str
    baseline: float
    candidate: float
    gold: str | None
    texts: dict[str, str]
    """Text columns of the example, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The gain on a part of the examples."""

    by: str
    """`cluster`, `length`, `gold` or `truncated`."""
    value: str
    examples: int
    clusters: int
    gain: float
    low: float
    high: float
    p_holm: float
    """Corrected over all slices of the line."""
    flagged: bool
    """Whether the gain on this part differs from zero at 5 %, corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Why a line's gain is what it is."""

    task: str
    metric: str
    what: str
    """What moved: `answers` (right or wrong), `pairs` (nearer to gold or farther) or `queries`."""
    gained: int
    lost: int
    """How many moved each way, of all examples."""
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
    broken: tuple[str, ...] = ()
    """One sentence for each thing that is missing or cannot be read: a failure, never a pass."""
    settings: tuple[Difference, ...] = ()
    """How the two models were used differently: that is what people compare."""
    notes: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Keys of differences that `--allow` overrode."""
    speed: Speed | None = None
    forgetting: Forgetting | None = None
    changes: tuple[Changes, ...] = ()
    sentence: str
    """The answer."""
    exit_code: int
    """0 passes, 1 worse, 2 broken, 3 not comparable, 4 inconclusive."""
