"""Plain data of a measurement, and its conclusions: variants, rounds, paired ratios, agreement. No clock."""

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
"""Maximum difference of one score between tools in float32: they break ties differently."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A tool in one setting, measured in a process of its own."""

    name: str
    tool: str
    """`harness`, `st` (the sentence-transformers evaluators) or `mteb`."""
    dtype: str = "float32"
    backend: str = "auto"
    """Of harness only."""
    passive: bool = True
    """Whether idle threads sleep (`harness.system.waiting`); else the tool is as it was installed."""
    batch_size: int | None = None
    """Of peers only; None for the best one, found in a trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A loaded variant, and the settings that it runs with."""

    load_seconds: float
    """Imports of torch and sentence-transformers included, a trial of batch sizes not."""
    backend: str
    threads: str
    """Workers × threads of harness; of others, the number of torch's threads."""
    batch_size: int | None = None
    trial: dict[str, float] = field(default_factory=dict)
    """Batch size → seconds, in the trial that chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run over the whole suite."""

    seconds: float
    cpu_seconds: float
    load: float | None
    """One-minute load average before it."""
    scores: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    """Of harness only: wall seconds of reading rows, encoding, counting tokens, and the rest."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A promised ratio: so many times the speed of `peer`."""

    ours: str
    peer: str
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times longer the peer took: the median over rounds, each round paired with its neighbor."""

    ours: str
    peer: str
    median: float
    low: float
    high: float
    rounds: int
    target: float | None = None

    @property
    def verdict(self) -> str:
        """`reached`, `missed`, or empty where nothing was promised."""
        if self.target is None:
            return ""
        return "reached" if self.median >= self.target else "missed"


def order(variants: Sequence[T], turn: int) -> list[T]:
    """Return A B C D in even turns and D C B A in odd ones, so that a drift affects all alike."""
    return list(variants) if turn % 2 == 0 else list(reversed(variants))


def ratio(claim: Claim, seconds: Seconds) -> Ratio:
    """Pair the rounds of two variants; raises ValueError unless both have equally many, and at least one."""
    ours, peer = seconds[claim.ours], seconds[claim.peer]
    if len(ours) != len(peer) or not ours:
        raise ValueError(f"{claim.ours} has {len(ours)} rounds, {claim.peer} has {len(peer)}")
    times = [theirs / own for own, theirs in zip(ours, peer, strict=True)]
    middle = statistics.median(times)
    return Ratio(claim.ours, claim.peer, middle, min(times), max(times), len(times), claim.target)


def ratios(claims: Sequence[Claim], seconds: Seconds) -> list[Ratio]:
    """Evaluate the claims whose two variants were both measured."""
    return [ratio(claim, seconds) for claim in claims if claim.ours in seconds and claim.peer in seconds]


def not_encoding(rounds: Sequence[Round]) -> float:
    """Return the median share of a round that is neither reading nor encoding: scoring, intervals, files."""
    shares = [
        sum(seconds for part, seconds in turn.parts.items() if part not in ("reading", "encoding"))
        / turn.seconds
        for turn in rounds
    ]
    return statistics.median(shares)


def disagreements(scores: Mapping[str, Mapping[str, float]], tolerance: float = TOLERANCE) -> list[str]:
    """Return a sentence for each score on which tools differ by more than the tolerance, or that one lacks.

    scores: variant → name of the score → score. A NaN differs from everything.
    """
    names = sorted({name for own in scores.values() for name in own})
    sentences = []
    for name in names:
        by_variant = {variant: own.get(name, float("nan")) for variant, own in scores.items()}
        values = list(by_variant.values())
        if not max(values) - min(values) <= tolerance or any(value != value for value in values):
            listed = ", ".join(f"{variant} {value:.6f}" for variant, value in by_variant.items())
            sentences.append(f"{name} differs by more than {tolerance:g}: {listed}")
    return sentences


def timings_table(seconds: Seconds) -> str:
    """Return Markdown: each variant's median seconds and their range, the fastest first."""
    lines = ["| variant | seconds, median | range | rounds |", "|---|--:|--:|--:|"]
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        middle = statistics.median(times)
        lines.append(f"| {name} | {middle:.2f} | {min(times):.2f} – {max(times):.2f} | {len(times)} |")
    return "\n".join(lines)


def ratios_table(rows: Sequence[Ratio]) -> str:
    """Return Markdown: how many times faster, with the range over rounds, and what was promised."""
    lines = ["| faster | than | times, median | range | promised | |", "|---|---|--:|--:|--:|---|"]
    for row in rows:
        promised = "" if row.target is None else f"≥ {row.target:g}"
        lines.append(
            f"| {row.ours} | {row.peer} | {row.median:.2f} | {row.low:.2f} – {row.high:.2f} | {promised}"
            f" | {row.verdict} |"
        )
    return "\n".join(lines)
