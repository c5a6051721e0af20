"""The JSON documents that commands print with `--json`; `harness schema COMMAND` prints their schemas.

Every field is written. `schema` is the version: it is raised when a field changes its meaning or goes, not
when one is added (docs/json.md). A field with a trailing _ is written without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.bench.cost.records import CostPlan  # noqa: TC001 - the schema asks for the types of fields
from harness.evaluation.execution_plan import RunUnits  # noqa: TC001
from harness.evaluation.result_status import PairStatus  # noqa: TC001
from harness.evaluation.verify import Unchecked, VerifyError  # noqa: TC001
from harness.finding import Severity  # noqa: TC001
from harness.results.leaderboard import LeaderboardRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument:
    """The results of `harness run --json`."""

    schema: int = 1
    records: tuple[LeaderboardRow, ...]
    """One for each model, task and metric, as rows of `leaderboard.csv`."""
    skipped: tuple[str, ...]
    """One sentence for each task that a tag selected and that has no sample."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedScore(LeaderboardRow):
    """A row of `leaderboard.csv`; letters and ranks for headline scores, where predictions were read."""

    letters: str | None = None
    """Models that share a letter do not differ significantly."""
    rank_low: int | None = None
    rank_high: int | None = None
    """Ends of the 95 % interval of the rank."""
    best: float | None = None
    """Share of redrawn test sets on which the model leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardDocument:
    """The rows of `harness leaderboard --format json`."""

    schema: int = 1
    rows: tuple[RankedScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgressEntry:
    """A run of a results folder."""

    run: str
    started: str
    """UTC, ISO 8601."""
    state: str
    """`running`, `finished`, `failed`, `interrupted` or `killed`."""
    at: str
    """The first pair that is left, as `MODEL · TASK`; empty where none is."""
    units: RunUnits | None = None
    """What its workers did (`--executor`); null where texts were encoded in the run's own process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDocument:
    """What `harness status --json` says of a results folder."""

    schema: int = 1
    pairs: tuple[PairStatus, ...]
    summary: dict[str, int]
    """State → number of pairs."""
    runs: tuple[RunProgressEntry, ...]
    continue_: tuple[str, ...]
    """Commands for a shell that compute what is left."""
    skipped: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFolder:
    """What holds in one results folder, and what does not."""

    folder: str
    """As the command names it."""
    records: int
    """Records that could be read, and whose seal matches."""
    sealed: int
    predictions: int
    """Files of predictions whose hash is their record's."""
    scores: int
    """Recomputed scores that are their record's."""
    faults: tuple[VerifyError, ...]
    unchecked: tuple[Unchecked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """The reports of `harness verify --json`, in the order of the folders."""

    schema: int = 1
    folders: tuple[VerifiedFolder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFinding:
    """A finding, and the check that found it."""

    code: str
    severity: Severity
    evidence: str
    remedy: str
    check: str
    allowed: bool
    """Whether `--allow` names its code: it does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFindings:
    """What was found on a path."""

    path: str
    what: str | None
    """`card`, `recipe`, `candidate`, `model`, `dataset`; None where it could not be checked."""
    error: str | None
    """Why it could not be checked."""
    findings: tuple[ShownFinding, ...]
    not_looked_at: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDocument:
    """The findings of `harness check --json`."""

    schema: int = 1
    paths: tuple[PathFindings, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStoreEntry:
    """Embeddings of one model in one role."""

    store: str
    """Its folder in the cache."""
    fingerprint: str
    """First characters of the model's fingerprint."""
    role: str
    texts: int | None
    """None where its description is damaged."""
    bytes: int
    segments: int
    used: str | None
    """Last use, UTC, ISO 8601; None for an empty one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDocument:
    """What `harness cache info --json` says of a cache of embeddings."""

    schema: int = 1
    folder: str
    bytes: int
    limit: int
    """Maximum of `bytes`."""
    stores: tuple[CacheStoreEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMeaning:
    """A part of a file, such as one of its tasks, and sentences about it."""

    name: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMeaning:
    """What one file means."""

    file: str
    kind: str
    """`task file`, `gate`, `recipe` or `configuration`; `file` where that is not known."""
    parts: tuple[PartMeaning, ...]
    notes: tuple[str, ...]
    """What could not be looked at, or is doubtful; no faults."""
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateDocument:
    """The answers of `harness validate --json`, in the order of the files."""

    schema: int = 1
    files: tuple[FileMeaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """What `harness plan --json` says that a corpus takes."""

    schema: int = 1
    plan: CostPlan
