"""What is measured and what follows: variants, rounds, paired ratios, agreement. No clock runs here."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Seconds = Mapping[str, Sequence[float]]
    """Variant → wall seconds of each round, the rounds in the order in which they ran."""

T = TypeVar("T")

TOLERANCE = 1e-3
"""Largest difference of one score between tools in float32: they round alike, and break ties differently."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A tool in one setting, measured in a process of its own."""

    name: str
    tool: str
    """`harness`, `st` (the sentence-transformers evaluators) or `mteb`."""
    dtype: str = "float32"
    backend: str = "auto"
    """Of harness alone."""
    passive: bool = True
    """Whether OMP_WAIT_POLICY=PASSIVE is set before torch loads; else the tool is as it was installed."""
    batch_size: int | None = None
    """Of peers; None for the best one, found in a trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A loaded variant, and what it will run with."""

    load_seconds: float
    """Imports of torch and sentence-transformers included, a trial of batch sizes not."""
    backend: str
    threads: str
    """Workers × threads of harness; the number of torch's threads of others."""
    batch_size: int | None = None
    trial: dict[str, float] = field(default_factory=dict)
    """Batch size → seconds, in the trial that chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run over all of it."""

    seconds: float
    cpu_seconds: float
    load: float | None
    """One-minute load average before it."""
    scores: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    """Of harness alone: wall seconds of reading rows, of encoding, of counting tokens, of all else."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A ratio that is promised: so many times the speed of `peer`."""

    ours: str
    peer: str
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times longer the peer took: the median over rounds, each round against its neighbor."""

    ours: str
    peer: str
    median: float
    low: float
    high: float
    rounds: int
    target: float | None = None

    @property
    def verdict(self) -> str:
        """`reached`, `missed`, or nothing where nothing was promised."""
        if self.target is None:
            return ""
        return "reached" if self.median >= self.target else "missed"


def order(variants: Sequence[T], turn: int) -> list[T]:
    """Return A B C D in even turns and D C B A in odd ones, so that a drift meets all alike."""
    return list(variants) if turn % 2 == 0 else list(reversed(variants))


def ratio(claim: Claim, seconds: Seconds) -> Ratio:
    """Pair the rounds of two variants; raises ValueError unless both have equally many, and at least one."""
    ours, peer = seconds[claim.ours], seconds[claim.peer]
    if len(ours) != len(peer) or not ours:
        raise ValueError(f"{claim.ours} has {len(ours)} rounds, {claim.peer} has {len(peer)}")
    found = [theirs / own for own, theirs in zip(ours, peer, strict=True)]
    middle = statistics.median(found)
    return Ratio(claim.ours, claim.peer, middle, min(found), max(found), len(found), claim.target)


def ratios(claims: Sequence[Claim], seconds: Seconds) -> list[Ratio]:
    """Answer the claims whose two variants were both measured."""
    return [ratio(claim, seconds) for claim in claims if claim.ours in seconds and claim.peer in seconds]


def not_encoding(rounds: Sequence[Round]) -> float:
    """Median share of a round's time that is neither reading rows nor encoding: scoring, intervals, files."""
    shares = [
        sum(seconds for part, seconds in one.parts.items() if part not in ("reading", "encoding"))
        / one.seconds
        for one in rounds
    ]
    return statistics.median(shares)


def disagreements(scores: Mapping[str, Mapping[str, float]], tolerance: float = TOLERANCE) -> list[str]:
    """One sentence for each score on which the tools differ by more than the tolerance, or that one lacks.

    scores: variant → name of the score → score. A NaN differs from everything.
    """
    names = sorted({name for found in scores.values() for name in found})
    sentences = []
    for name in names:
        found = {variant: mine.get(name, float("nan")) for variant, mine in scores.items()}
        values = list(found.values())
        if not max(values) - min(values) <= tolerance or any(value != value for value in values):
            told = ", ".join(f"{variant} {value:.6f}" for variant, value in found.items())
            sentences.append(f"{name} differs by more than {tolerance:g}: {told}")
    return sentences


def timings_table(seconds: Seconds) -> str:
    """Markdown: each variant's median seconds and their range, the fastest first."""
    lines = ["| variant | seconds, median | range | rounds |", "|---|--:|--:|--:|"]
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        middle = statistics.median(times)
        lines.append(f"| {name} | {middle:.2f} | {min(times):.2f} – {max(times):.2f} | {len(times)} |")
    return "\n".join(lines)


def ratios_table(found: Sequence[Ratio]) -> str:
    """Markdown: how many times faster, with the range over rounds, and what was promised."""
    lines = ["| faster | than | times, median | range | promised | |", "|---|---|--:|--:|--:|---|"]
    for one in found:
        promised = "" if one.target is None else f"≥ {one.target:g}"
        lines.append(
            f"| {one.ours} | {one.peer} | {one.median:.2f} | {one.low:.2f} – {one.high:.2f} | {promised}"
            f" | {one.verdict} |"
        )
    return "\n".join(lines)
