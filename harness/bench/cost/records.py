"""What is asked of a cost model, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["encode documents", "encode queries", "search"]

SEARCHED_AT_ONCE = 1_000_000
"""Default of the documents that a worker holds and searches at once."""


@dataclass(frozen=True, slots=True)
class CostRange:
    """An estimate, and between what it lies."""

    value: float
    low: float
    high: float

    def __add__(self, other: CostRange) -> CostRange:
        return CostRange(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> CostRange:
        return CostRange(self.value * factor, self.low * factor, self.high * factor)

    def over(self, other: CostRange) -> CostRange:
        """Return the quotient of two ranges of positive numbers, each anywhere in its range."""
        return CostRange(self.value / other.value, self.low / other.high, self.high / other.low)

    def widened(self, share: float) -> CostRange:
        """Return a range whose ends lie farther out by a share of themselves, in [0, 1)."""
        return CostRange(self.value, self.low * (1 - share), self.high * (1 + share))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuestion:
    """What is to be encoded and searched, and by how many workers."""

    documents: int
    queries: int = 1000
    workers: int = 1
    """Workers of the device that the bench was measured on, each using what the bench's variant used."""
    models: int = 1
    """Candidates, each as fast as the one of the bench."""
    depth: int = 100
    """Documents kept of each ranking."""
    tokens: float | None = None
    """Mean tokens of a document; None for those of the bench's texts."""
    query_tokens: float | None = None
    """Mean tokens of a query; None for those of the bench's texts."""
    dimensions: int | None = None
    """Dimensions that are kept for the search; None for all."""
    precision: str = "float32"
    """How embeddings are stored for a search: see `harness.models.storage.PRECISIONS`."""
    shard: int = SEARCHED_AT_ONCE
    """Documents that a worker holds and searches at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCost:
    """What a stage takes, of all candidates."""

    stage: Stage
    texts: int
    """Documents or queries of each candidate; for a search, documents."""
    tokens: float | None
    """Mean tokens of a text; None for a search, and where the bench does not count them."""
    one_worker: CostRange
    """Seconds of a single worker."""
    seconds: CostRange
    """Seconds with all workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesCost:
    """What a place holds, in bytes; None where the bench does not say."""

    where: str
    what: str
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPlan:
    """What a corpus takes: the answer to a `CostQuestion`, with what it rests on."""

    variant: str
    """Label of the bench's variant."""
    machine: str
    """Processor, cores and devices of the bench."""
    documents: int
    queries: int
    workers: int
    models: int
    depth: int
    dimensions: int
    precision: str
    stages: tuple[StageCost, ...]
    one_worker: CostRange
    """Seconds of all stages, one after another, by a single worker."""
    seconds: CostRange
    """Seconds of all stages, one after another, with all workers."""
    memory: tuple[BytesCost, ...]
    assumptions: tuple[str, ...]
    """Sentences: what is taken for granted."""
    extrapolations: tuple[str, ...]
    """Sentences: what lies beyond what was measured, and by how much."""
    left_out: tuple[str, ...]
    """Sentences: what takes time, and is not in the figures."""
