"""Records: what is kept of an evaluation and of a speed measurement.

The record of an evaluation holds nothing that changes from run to run: no time, no speed, no path.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal

from harness.models.interface import ModelFacts, Settings  # noqa: TC001 - msgspec reads annotations
from harness.tasks.finding import Finding, Severity

if TYPE_CHECKING:
    from harness.tasks.dataset import Column, Predictions

SCHEMA = 1
"""Raise it when the files change their meaning; files of another schema are refused, not guessed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was asked. Two scores are comparable when this is the same for both."""

    task: str
    version: int
    source: str
    """Hash of the code that defines the task: of what it means, see `keys`."""
    split: str
    data: Literal["sample", "files", "own"]
    """Where the rows came from: the plugin's sample, `--data DIR`, or the task itself (a task file, mteb)."""
    digest: str
    """Hash of all rows, of every split that counts; empty where they could not be read."""
    limit: int | None = None
    """Only the first examples were used, for a quick look."""

    def differences(self, other: Examination) -> list[str]:
        """Name what differs, one phrase each; empty when scores may be compared."""
        told = {"source": "task source", "version": "task version", "digest": "data"}
        return [
            f"{told.get(name, name)}: {_brief(getattr(self, name))} / {_brief(getattr(other, name))}"
            for name in ("task", "version", "source", "split", "data", "digest", "limit")
            if getattr(self, name) != getattr(other, name)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """Who was asked: the model, and how it was used."""

    model: str
    fingerprint: str
    settings: Settings
    facts: ModelFacts | None = None
    """None for a model that could not be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric's value, and how to get it from the predictions again."""

    metric: str
    score: float | None
    """None where undefined."""
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval; None where there is none."""
    examples: int = 0
    clusters: int = 0
    """Independent units: what was resampled."""
    columns: tuple[str, ...] = ()
    where: str | None = None
    per_example: bool = False

    def __post_init__(self) -> None:
        check_ends(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """What the model did not read, over the distinct texts that a task encodes."""

    texts: int = 0
    truncated: int = 0
    """Texts longer than the model's maximum."""
    tokens: int = 0
    lost: int = 0
    """Tokens beyond the maximum: at least one of each truncated text."""

    def __post_init__(self) -> None:
        if not (0 <= self.truncated <= self.texts and self.truncated <= self.lost <= self.tokens):
            raise ValueError("counts of truncated texts and lost tokens that cannot be")

    @property
    def finding(self) -> Finding | None:
        """What was cut, in a sentence; None where nothing was."""
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
    """A model's answers to a task, scored: the content of one file in `records/`."""

    schema: int = SCHEMA
    key: str
    """Hash of everything that the result depends on; the same key is never computed twice."""
    status: Literal["ok", "error"]
    examination: Examination
    candidate: ModelRecord
    kind: str
    tags: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    """The first is the headline."""
    predictions: str | None = None
    """Content hash of the predictions; None for scores that came without."""
    fitted: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    truncation: Truncation | None = None
    libraries: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    """What computed the scores: modules of the task and of ours with the first digits of their hashes, and
    `distribution NAME` with its version, so that a change can be named; empty in older records."""
    error: str | None = None

    def __post_init__(self) -> None:
        if self.status == "ok" and not self.scores:
            raise ValueError("a success without a score")

    @property
    def model(self) -> tuple[str, str]:
        """Name and fingerprint."""
        return self.candidate.model, self.candidate.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """How fast a model encoded a fixed workload, warm and alone."""

    schema: int = SCHEMA
    model: str
    fingerprint: str
    workload: str
    """Digest of the distinct texts."""
    texts: int
    """Texts in a round; the distinct ones may be repeated."""
    tokens: int | None
    """Real tokens in all texts, without padding."""
    seconds: tuple[float, ...]
    """Wall time of each round."""
    cpu_seconds: tuple[float, ...]
    texts_per_second: float
    """Median over rounds."""
    texts_per_second_low: float
    texts_per_second_high: float
    """The slowest and the fastest round."""
    tokens_per_second: float | None
    device: str
    dtype: str
    backend: str
    threads: int
    """Threads in all."""
    workers: int = 1
    """Threads that each ran texts of their own; `threads / workers` shared each one's matrix products."""
    processor: str
    cores: int
    load: float | None
    libraries: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(0 < rate < math.inf for rate in self.rates):
            raise ValueError("a speed that cannot be")

    @property
    def rates(self) -> tuple[float, float, float]:
        """Texts per second: slowest round, median, fastest."""
        return self.texts_per_second_low, self.texts_per_second, self.texts_per_second_high


def check_ends(low: float | None, high: float | None) -> None:
    """Raise ValueError for an interval of which one end is missing."""
    if (low is None) != (high is None):
        raise ValueError("an interval with one end")


def content_hash(predictions: Predictions) -> str:
    """Hex SHA-256 of the predictions' columns: of their values, not of a file's bytes."""
    digest = hashlib.sha256()
    for name in sorted(predictions.columns):
        digest.update(json.dumps([name, plain_values(predictions[name])], ensure_ascii=False).encode())
    return digest.hexdigest()


def _brief(value: Any) -> str:  # noqa: ANN401 - any field
    text = str(value)
    return text[:8] if re.fullmatch(r"[0-9a-f]{64}", text) else text


def plain_values(values: Column) -> list[Any]:
    """Turn a column, its list cells too, into plain Python values; whole numbers among others into floats.

    So a column has one kind of number, as in parquet, and is the same when it is read again.
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
        return [_plain(inner) for inner in cell]
    return cell.tolist() if hasattr(cell, "tolist") else cell


def _kinds(cells: list[Any]) -> set[type]:
    found: set[type] = set(map(type, cells))
    return (
        found.union(*(_kinds(cell) for cell in cells if isinstance(cell, list))) if list in found else found
    )


def _floats(cells: list[Any]) -> list[Any]:
    nested = (_floats(cell) if isinstance(cell, list) else cell for cell in cells)
    return [float(cell) if type(cell) is int else cell for cell in nested]
