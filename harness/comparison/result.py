"""Records of a comparison; `--format json` writes them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.comparison.result_changes import Changes  # noqa: TC001 - msgspec resolves annotations
from harness.comparison.result_overall import Forgetting, Overall  # noqa: TC001
from harness.comparison.words import Outcome, Over, Rule, Verdict  # noqa: TC001

SCHEMA = 1
"""Version of the JSON; raise it when a field changes its meaning."""

PASSES, FAILS, BROKEN, NOT_COMPARABLE, UNDECIDED = 0, 1, 2, 3, 4
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
class Shortage:
    """Why a margin could not be passed: what there is too little of."""

    what: str
    """Such as `examples`, `clusters`, `positives` or `clusters with positives`."""
    have: int
    needed: int | None
    """About how many pass the margin if no answer differs; None where no number does (a margin of 0)."""


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
    """Ends of the line's own interval of the gain, at the comparison's `level`; None where there is none."""
    p: float | None
    """Two-sided p-value, not corrected: below 0.05 exactly where an interval of 95 % excludes 0."""
    p_adjusted: float | None
    """p-value corrected over all lines of all comparisons of a command."""
    verdict: Verdict
    """Better and worse by `p_adjusted`, equivalent by the interval."""
    margin: float | None
    """The accepted loss; None if none was given."""
    within_margin: bool | None
    """Whether the whole interval is above −margin; None without a margin or an interval."""
    detectable: float | None
    """The smallest true gain that is called *better* with 80 % power, after the correction for all lines.

    None where no gain can be: also where the baseline's score leaves no room for it.
    """
    too_few: str | None = None
    """What is too little to find any gain that the baseline leaves room for, such as `15 positives`.

    Set where a line is tested and no gain is detectable.
    """
    needed: int | None
    """About how many examples it takes to pass the line's margin with 80 % if the models are equal.

    With `--power`; two significant digits. None where no number of examples is enough.
    """
    examples: int
    clusters: int
    """Independent units."""
    effective_clusters: float | None = None
    """Number of equal clusters that tell as much: (Σ size)² / Σ size²; None without predictions."""
    test: str
    """The statistical test; see docs/statistics.md."""
    from_seeds: float | None = None
    """Share of the gain's variance that comes from training seeds, in [0, 1]; None for a single candidate."""
    reason: str | None = None
    """Why there is no test or no interval."""
    shortage: Shortage | None = None
    """Set where two models that answer alike could not have passed either: there are too few examples."""
    heaviest: str | None = None
    """The example or cluster that carries more than half of the gain's variance; None without one."""
    heaviest_share: float | None = None
    """Its share of the variance, in (0.5, 1]."""
    unseen: float | None = None
    """Largest share of all examples (or clusters) that may lose without one of them being among these.

    Set where that could exceed the margin, for means of graded values.
    """
    digest: str = ""
    """Hash of the rows that the baseline was scored on."""
    limit: int | None = None
    """Maximum number of examples of a limited run; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One condition of the gate and its outcome."""

    rule: Rule
    task: str | None
    """None for throughput, for a condition over several tasks, and for one that has no line at all."""
    over: Over | None = None
    """Of which gain over several tasks; None for a single task."""
    tag: str | None = None
    """The tag of the tasks where `task` is None; None for every task."""
    metric: str | None
    threshold: float
    outcome: Outcome
    holds: bool
    """Whether it passes; an undecided one does if the gate's policy says so."""
    sentence: str
    """The condition and the figures that decide it."""

    @property
    def let_pass(self) -> bool:
        """Whether it is undecided, and holds by the gate's policy alone."""
        return self.holds and self.outcome == "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """Examples that it takes to pass the whole gate if the models are equal (`--power`)."""

    chance: float | None
    """The probability that equal models pass with these examples, in [0, 1]; None if no line can be planned.

    Only margins and required gains count; `sentence` names what is left out.
    """
    times: float | None
    """About how many times as many examples of every task pass with 80 %; two significant digits.

    None where no number of examples is enough.
    """
    examples: int | None
    """That number of examples, over all tasks that the gate has a margin for."""
    sentence: str


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
    """candidate / baseline; 1 for two models of one encoding."""
    low: float | None
    high: float | None
    """Ends of an interval if one bench timed both; else slowest over fastest round, and vice versa.

    None for two models of one encoding, which have one speed: there is nothing to estimate.
    """
    source: str
    """Where the figures come from, in words."""


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
class Looks:
    """How many candidates have been judged on the very same examples, by a ledger (`--ledger`)."""

    task: str
    data: str
    limit: int | None
    digest: str
    """Hash of the rows, by which looks are counted."""
    candidates: int
    """Number of distinct candidates, those of this command included."""
    others: int
    """Number of those of them that only other commands judged."""
    false_better: float
    """Upper bound of the chance that a candidate without a gain is called better, in [0, 1).

    The candidates of this command are corrected together, and count as one."""
    lucky_pass: float
    """Upper bound of the chance that a candidate which loses the margin passes a gate, in [0, 1).

    With `--select`, the candidates of this command are corrected together, and count as one."""


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
    gate_plan: GatePlan | None = None
    """Examples that the gate needs; None without `--power`."""
    refused: tuple[Refusal, ...] = ()
    """Tasks that are not comparable."""
    broken: tuple[str, ...] = ()
    """One sentence for each result that is missing or cannot be read: always a failure."""
    settings: tuple[Difference, ...] = ()
    """Differences in settings, which do not forbid a comparison."""
    notes: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Keys of differences that `--allow` permitted."""
    tests: int = 0
    """Number of lines, in all comparisons of the command, over which p and verdict are corrected."""
    level: float = 0.95
    """Confidence level of all intervals of gains: of the lines, over several tasks, and in the gate.

    0.95; higher for a candidate that was selected among several. Throughput and floors have their own.
    """
    candidates: int = 1
    """Number of candidates that `level` is for: those among which this one was selected."""
    speed: Speed | None = None
    overall: tuple[Overall, ...] = ()
    """Gains over two tasks or more: all of them, and those of each tag of the domain."""
    forgetting: Forgetting | None = None
    changes: tuple[Changes, ...] = ()
    looks: tuple[Looks, ...] = ()
    """Looks at the examples of each task, in the order of the lines; empty without a ledger."""
    sentence: str
    """The result in words."""
    exit_code: int
    """0 passes, 1 fails, 2 broken, 3 not comparable, 4 undecided."""


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
    let_pass: bool = False
    """Whether the gate passes, and a condition of it is undecided and let pass."""


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
    by_gate: bool
    """Whether it is the best of those with the best outcome of the gate (`--by gate`), not of all."""
    tasks: tuple[str, ...]
    """Tasks whose headline gains it was selected by."""
    winner: str
    fingerprint: str
    gain: float
    """The observed gain, which is too high on average: the largest of many."""
    estimate: float | None
    """The gain without that bias: as often too high as too low; None where a gate chose."""
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
