"""Records of evaluations and of speed measurements.

The record of an evaluation has nothing that changes from run to run: no time, no speed, no path.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal

from harness.finding import Finding, Severity
from harness.models.interface import ModelFacts, Settings  # noqa: TC001 - msgspec reads annotations
from harness.render import told_apart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.tasks.dataset import Column, KeptOut, Predictions

SCHEMA = 1
"""Version of the files: raise it when their meaning changes. Files of another schema are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a model was asked: task, data and limit. Scores are comparable where these are equal."""

    task: str
    version: int
    source: str
    """Hash of the task's code by its meaning, see `evaluation.keys`."""
    split: str
    data: Literal["sample", "files", "hub", "own"]
    """Source of the rows: the plugin's sample, `--data DIR`, a dataset of the hub, or the task itself (a task
    file, mteb)."""
    digest: str
    """Hash of all rows of all splits that the score depends on; empty where they could not be read."""
    hub: str = field(default="", compare=False)
    """ORG/NAME@COMMIT of the dataset of the hub; empty for other sources. Rows count by their digest."""
    limit: int | None = None
    """Maximum number of examples in a limited run, which takes whole clusters; None for all."""

    @property
    def origin(self) -> str:
        """Where the rows came from, without a path: `sample`, `files, limit 9`, `hub ORG/NAME@COMMIT`."""
        origin = f"hub {self.hub}" if self.data == "hub" and self.hub else self.data
        return origin if self.limit is None else f"{origin}, limit {self.limit}"

    def differences(self, other: Examination) -> list[str]:
        """Return what differs, one phrase each; empty where scores are comparable."""
        names = {"source": "task source", "version": "task version", "digest": "data"}
        return [
            f"{names.get(name, name)}: {' / '.join(_brief(getattr(self, name), getattr(other, name)))}"
            for name in ("task", "version", "source", "split", "data", "digest", "limit")
            if getattr(self, name) != getattr(other, name)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """The model of an evaluation, and how it was used."""

    model: str
    """The name that the user gave, or the model's own."""
    fingerprint: str
    """Hash of the files and settings that the embeddings depend on."""
    settings: Settings
    """Settings as the user gave them."""
    facts: ModelFacts | None = None
    """None for a model that could not be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A metric's value, and how to compute it from the predictions again."""

    metric: str
    score: float | None
    """None where undefined."""
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval; None where there is none."""
    examples: int = 0
    clusters: int = 0
    """Number of independent units: clusters, or examples where there are none."""
    columns: tuple[str, ...] = ()
    where: str | None = None
    per_example: bool = False
    """Columns of the predictions, the column of rows that count, and whether it is a mean: see `Metric`."""

    def __post_init__(self) -> None:
        check_ends(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """How much of a task's distinct texts the model did not read."""

    texts: int = 0
    """Distinct texts that the task encodes."""
    truncated: int = 0
    """Texts longer than the model's maximum."""
    tokens: int = 0
    """Tokens of all texts."""
    lost: int = 0
    """Tokens beyond the maximum: at least one of each truncated text."""

    def __post_init__(self) -> None:
        if not (0 <= self.truncated <= self.texts and self.truncated <= self.lost <= self.tokens):
            raise ValueError("counts of truncated texts and lost tokens that cannot be")

    @property
    def truncated_share(self) -> float | None:
        """Share of the texts that were cut, in [0, 1]; None without texts."""
        return self.truncated / self.texts if self.texts else None

    @property
    def lost_share(self) -> float | None:
        """Share of the tokens that were not read, in [0, 1]; None without tokens."""
        return self.lost / self.tokens if self.tokens else None

    @property
    def finding(self) -> Finding | None:
        """A note on what was cut; None where nothing was."""
        if not self.truncated:
            return None
        texts, tokens = self.truncated / self.texts, self.lost / self.tokens
        return Finding(
            "truncated",
            Severity.NOTE,
            f"{self.truncated} of {self.texts} texts ({texts:.0%}) exceed the model's maximum:"
            f" {tokens:.0%} of all tokens were not read",
            "--max-seq-length, where the model has the positions for it",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A model's scores on a task: the content of a file in `records/` or `errors/`."""

    schema: int = SCHEMA
    key: str
    """Hash of all that the result depends on; the same key is never computed twice."""
    status: Literal["ok", "error", "broken"]
    """`broken` for a record that was read and does not hold, see `soundness`; no file says so."""
    examination: Examination
    candidate: ModelRecord
    """The model, whether it is a candidate or a baseline."""
    kind: str
    """The task's kind, such as `sts`."""
    tags: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    """Scores, the headline first; for an error, the headline without a value, if any."""
    predictions: str | None = None
    """Content hash of the predictions; None for an error, and for scores of another tool."""
    fitted: dict[str, Any] = field(default_factory=dict)
    """What the task learned from other splits, such as a threshold: name → value."""
    findings: tuple[Finding, ...] = ()
    """What the task found doubtful."""
    truncation: Truncation | None = None
    libraries: dict[str, str] = field(default_factory=dict)
    """Name → version of libraries that can move a score."""
    code: dict[str, str] = field(default_factory=dict)
    """The code that computed the scores, so that a change can be named; empty in older records.

    Modules of the task and of ours → first digits of their hashes; `distribution NAME` → version.
    """
    error: str | None = None
    """Reason of a failure, or what does not hold; None for a success."""
    no_texts: bool = False
    """Whether texts were kept out of the record and its predictions (`--no-texts`); not part of the key."""

    def __post_init__(self) -> None:
        if self.status == "ok" and not self.scores:
            raise ValueError("a success without a score")

    @property
    def model(self) -> tuple[str, str]:
        """Name and fingerprint."""
        return self.candidate.model, self.candidate.fingerprint

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Findings of the model itself, then those of this result."""
        facts = self.candidate.facts
        return (*(facts.all_findings if facts else ()), *self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Speed of a model on a fixed workload, measured warm and alone."""

    schema: int = SCHEMA
    model: str
    fingerprint: str
    workload: str
    """Hash of the distinct texts."""
    texts: int
    """Texts in a round; the distinct ones may be repeated."""
    tokens: int | None
    """Tokens of all texts, without padding; None where unknown."""
    seconds: tuple[float, ...]
    """Wall time of each round."""
    cpu_seconds: tuple[float, ...]
    """CPU time of each round, over all threads."""
    texts_per_second: float
    """Median over rounds."""
    texts_per_second_low: float
    texts_per_second_high: float
    """Slowest and fastest round."""
    tokens_per_second: float | None
    """Tokens per second of the median round; None where tokens are unknown."""
    device: str
    dtype: str
    backend: str
    threads: int
    """Number of threads in all."""
    workers: int = 1
    """Number of workers that each encoded texts of their own, with `threads / workers` threads."""
    processor: str
    cores: int
    load: float | None
    """One-minute load average before the measurement; None where unknown."""
    libraries: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(0 < rate < math.inf for rate in self.rates):
            raise ValueError("a speed that cannot be")

    @property
    def rates(self) -> tuple[float, float, float]:
        """Texts per second: slowest round, median, fastest."""
        return self.texts_per_second_low, self.texts_per_second, self.texts_per_second_high


def check_ends(low: float | None, high: float | None) -> None:
    """Raise ValueError for an interval with only one end."""
    if (low is None) != (high is None):
        raise ValueError("an interval with one end")


def content_hash(predictions: Predictions) -> str:
    """Return the hex SHA-256 of the predictions' columns: of their values, not of a file's bytes.

    It is the hash of the columns' names and hashes, so that it is the same without the columns that
    `--no-texts` left out, whose hashes are kept.
    """
    return columns_hash(predictions.columns, predictions.kept_out)


def columns_hash(columns: Mapping[str, Column], kept_out: KeptOut | None) -> str:
    """Return the hex SHA-256 of columns by name, and of those kept out, as `content_hash` does."""
    hashes = {name: column_hash(values) for name, values in columns.items()}
    if kept_out is not None:
        hashes |= kept_out.columns
    return hashlib.sha256(json.dumps(sorted(hashes.items()), ensure_ascii=False).encode()).hexdigest()


def column_hash(values: Column) -> str:
    """Return the hex SHA-256 of a column's values, as JSON."""
    return hashlib.sha256(json.dumps(plain_values(values), ensure_ascii=False).encode()).hexdigest()


def _brief(left: Any, right: Any) -> tuple[str, str]:  # noqa: ANN401 - any field
    texts = str(left), str(right)
    hashes = all(re.fullmatch(r"[0-9a-f]{64}|", text) for text in texts)
    return told_apart(*texts) if hashes else texts


def plain_values(values: Column) -> list[Any]:
    """Return a column, its list cells too, as plain Python values; with ints and floats, all are floats.

    A column then has one type of number, as in parquet, and is the same when it is read again.
    """
    if hasattr(values, "dtype") and values.dtype != object:
        whole: list[Any] = _plain(values)
        return whole
    if (kinds := set(map(type, values))) <= _PLAIN and not {int, float} <= kinds:
        return list(values)
    cells = [_plain(cell) for cell in values]
    return _floats(cells) if {int, float} <= _kinds(cells) else cells


_PLAIN = {str, int, float, bool, NoneType}


def _plain(cell: Any) -> Any:  # noqa: ANN401 - any cell
    if isinstance(cell, list | tuple):
        # A ranking is a list of a hundred texts: looking at each takes most of the time to read a file.
        if _PLAIN.issuperset(map(type, cell)):
            return [*cell]
        return [_plain(inner) for inner in cell]
    return cell.tolist() if hasattr(cell, "tolist") else cell


def _kinds(cells: list[Any]) -> set[type]:
    kinds: set[type] = set(map(type, cells))
    if list not in kinds:
        return kinds
    return kinds.union(*(_kinds(cell) for cell in cells if isinstance(cell, list)))


def _floats(cells: list[Any]) -> list[Any]:
    nested = (_floats(cell) if isinstance(cell, list) else cell for cell in cells)
    return [float(cell) if type(cell) is int else cell for cell in nested]
