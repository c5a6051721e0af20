"""What a report says, as records: `harness schema report` describes them, and the page embeds them as JSON.

Everything here follows from results folders alone, so that the same results give the same content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.comparison.result import Comparison, GateLine, Selection  # noqa: TC001 - msgspec
from harness.finding import Severity  # noqa: TC001
from harness.report.distributions import Distribution  # noqa: TC001
from harness.report.examples import TaskExamples  # noqa: TC001
from harness.report.training import TrainingReport  # noqa: TC001

SCHEMA = 1
"""Version of the content; raise it when a field changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something that limits what the answer is worth."""

    kind: Literal["finding", "sample", "truncated", "settings", "not-comparable", "failed", "broken", "note"]
    severity: Severity
    sentence: str
    remedy: str = ""
    """What to do about it; empty where nothing is known."""
    models: tuple[str, ...] = ()
    """Display names; empty for all."""
    tasks: tuple[str, ...] = ()
    """Empty for all."""
    touched: float = 1.0
    """Share of the report's results that it concerns, in [0, 1]."""
    minor: bool = False
    """Whether a page may fold it: a note of what was asked for, or on few results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reader wants to know first."""

    compared: str
    """What was compared, in a sentence."""
    outcome: Literal["passes", "fails", "broken", "not-comparable", "undecided", "no-candidate"]
    """That of the exit code of `harness compare`; `no-candidate` for a single model.

    Of several candidates it is the winner's: with a gate at the level for all of them, without one by its own
    comparison. That of all candidates is `ComparedWith.outcome`.
    """
    standing: str
    """The outcome in words; without a gate nothing passes or fails, and it says what is known instead."""
    judged: tuple[str, ...] = ()
    """Names of the candidates whose outcome it is; of several, the winner's alone."""
    others: tuple[str, ...] = ()
    """What is missing, broken or not comparable of other candidates, a sentence each."""
    gated: bool
    """Whether a gate or a margin was given."""
    sentences: tuple[str, ...]
    """The verdict on each candidate, in words: of a selection first, then those with missing results."""
    gate: tuple[GateLine, ...] = ()
    """Conditions that do not hold first, then undecided ones; of several candidates, those on the winner."""
    gate_level: str = ""
    """Which level the intervals of these conditions have, and why; empty without conditions."""
    selection: Selection | None = None
    """The winner of several candidates, its gain after selection, and what having looked at many costs."""
    warnings: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    """The most serious first, then those on most results; what was asked for last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """A finding, as a record has it."""

    code: str
    severity: Severity
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportModel:
    """A model of the report."""

    name: str
    """Display name, unique in the report."""
    fingerprint: str
    parameters: int | None = None
    dimensions: int | None = None
    max_tokens: int | None = None
    size_bytes: int | None = None
    """Of its weights."""
    embedding_bytes: int | None = None
    """Of one stored embedding."""
    device: str | None = None
    dtype: str = ""
    backend: str | None = None
    similarity: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    """Settings that are not the default, by name, as text."""
    texts_per_second: tuple[float, float, float] | None = None
    """Slowest round, median, fastest; None where it was not timed on the machine of the first timed model."""
    tokens_per_second: float | None = None
    findings: tuple[ReportFinding, ...] = ()
    """Of the model itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScore:
    """A score; `None` where undefined."""

    metric: str
    score: float | None
    low: float | None
    high: float | None
    examples: int
    clusters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A model on a board."""

    model: str
    """Display name."""
    status: Literal["ok", "error", "broken"]
    error: str | None = None
    scores: tuple[ReportScore, ...] = ()
    """The headline first."""
    letters: str | None = None
    """Models that share a letter do not differ significantly; None without letters."""
    rank: tuple[int, int] | None = None
    """Ends of the 95 % interval of its rank."""
    best: float | None = None
    """Share of redrawn test sets on which it leads."""
    findings: tuple[ReportFinding, ...] = ()
    """Of this result."""
    truncated_texts: float | None = None
    lost_tokens: float | None = None
    """Shares, in [0, 1]."""
    key: str = ""
    predictions: str | None = None
    """Content hash."""
    libraries: dict[str, str] = field(default_factory=dict)
    fitted: dict[str, str] = field(default_factory=dict)
    """What the task learned from other splits, such as `threshold`, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetApart:
    """A model that was asked something else on a task, and is not ranked there."""

    model: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBoard:
    """The models that were asked the same on a task, best first."""

    id: str
    """Unique in the report, of letters, digits, `.`, `-` and `_`: for links."""
    task: str
    kind: str
    """Such as `sts`, `triplet`, `clauses`, `retrieval`."""
    tags: tuple[str, ...]
    data: str
    """`sample` (illustrative), `files`, `hub` or `own`."""
    origin: str
    """Where the rows came from in words, without a path: `files, limit 9`."""
    split: str
    limit: int | None
    version: int
    digest: str
    metrics: tuple[str, ...]
    """The headline first."""
    rows: tuple[ReportRow, ...]
    apart: tuple[SetApart, ...] = ()
    remarks: tuple[str, ...] = ()
    """What letters and ranks mean, and who has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMean:
    """A mean headline score over tasks, with its 95 % interval; None where it has no interval."""

    score: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRanked:
    """A model over several tasks."""

    model: str
    average_rank: float | None
    borda: float | None
    mean: ReportMean | None
    rank: tuple[int, int] | None
    best: float | None
    tags: dict[str, ReportMean] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Task → why the model has no comparable score on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRanking:
    """Models ranked over the tasks of one kind of data: samples or real, with one limit."""

    sample: bool
    limit: int | None
    tasks: tuple[str, ...]
    not_counted: tuple[str, ...]
    tags: tuple[str, ...]
    models: tuple[ReportRanked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWith:
    """All other models held against one baseline: a command of its own, corrected over its own lines."""

    baseline: str
    """Display name."""
    command: str
    """`harness compare …`, which prints the same."""
    outcome: Literal["passes", "fails", "broken", "not-comparable", "undecided"]
    comparisons: tuple[Comparison, ...]
    """Without `changes`: examples are in `ReportContent.examples`."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOff:
    """Quality and speed of a model."""

    model: str
    quality: ReportMean
    """Mean headline score over the tasks that all models have."""
    texts_per_second: tuple[float, float, float] | None
    """Slowest round, median, fastest; None where it was not timed like the others."""
    on_front: bool
    """Whether no other model is at least as good in both and better in one."""
    parameters: int | None
    dimensions: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRun:
    """A run that wrote into one of the folders."""

    folder: str
    """The results folder as it was named."""
    command: str
    """To make it again, as a line for a shell."""
    started: str
    state: str
    harness: str
    python: str
    platform: str
    processor: str
    cores: int | None
    git_commit: str | None
    libraries: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """All that a report says."""

    schema: int = SCHEMA
    title: str
    folders: tuple[str, ...]
    """As they were named."""
    command: str
    """`harness report …`, which writes it again."""
    harness: str
    """Version that collected it."""
    answer: Answer
    models: tuple[ReportModel, ...]
    """The baseline first."""
    boards: tuple[ReportBoard, ...]
    rankings: tuple[ReportRanking, ...] = ()
    family: Literal["task", "all"] = "task"
    """Whose pairs letters and ranks hold for."""
    compared: tuple[ComparedWith, ...] = ()
    """The given baseline first; empty for a single model."""
    not_compared: str = ""
    """Why some models are no baseline here; empty where all are."""
    trade_off: tuple[TradeOff, ...] = ()
    trade_off_tasks: tuple[str, ...] = ()
    """Tasks of the mean."""
    distributions: tuple[Distribution, ...] = ()
    examples: tuple[TaskExamples, ...] = ()
    texts: bool = True
    """Whether texts of rows are in it."""
    trainings: tuple[TrainingReport, ...] = ()
    runs: tuple[ReportRun, ...] = ()
    problems: tuple[str, ...] = ()
    """One sentence for each file that could not be read, or does not hold."""
