"""Evidence of a line: what there is too little of, which unit weighs most, which losses may be unseen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.result import Shortage
from harness.metrics import standard as metrics
from harness.render import plural
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.curve import LEVEL
from harness.stats.evidence import fewest_for_margin
from harness.stats.gain import gain_curve
from harness.stats.rare import Needed
from harness.stats.unseen_share import unseen_share

if TYPE_CHECKING:
    from harness.comparison.measure import MetricGain
    from harness.stats.gain import Gain

MUCH_OF_VARIANCE = 0.5
"""Share of a gain's variance above which the unit that carries it is named."""

_MOST_ROWS = 4_000
"""Maximum number of rows that are tried; what more would show follows from how the interval narrows."""


@dataclass(slots=True)
class Evidence:
    """Shortages of the lines of one command, each found once: candidates share their baseline's examples."""

    level: float = LEVEL
    """Level of the intervals that a margin is held against."""
    _known: dict[tuple[object, ...], Shortage | None] = field(default_factory=dict)

    def shortage(self, measured: MetricGain, margin: float | None) -> Shortage | None:
        """Return what a line has too little of to pass a margin; None where it is enough, or unknown."""
        pair, metric = measured.pair, measured.metric
        if margin is None or pair is None or metric is None or not math.isfinite(pair.gain):
            return None
        evaluation = measured.evaluation
        key = evaluation.examination, evaluation.candidate.fingerprint, metric.name, margin, pair.count
        if key not in self._known:
            needed = _needed(pair, margin, self.level)
            self._known[key] = needed and Shortage(what=needed.what, have=needed.have, needed=needed.needed)
        return self._known[key]


def _needed(pair: AnswerPair, margin: float, level: float) -> Needed | None:
    """Return what it takes to pass a margin; None where those at hand are enough."""
    found = fewest_for_margin(pair, margin, level) if margin > 0 else None
    if found is None:
        return fewest_by_repeating(pair, margin, level)
    return None if found.needed is not None and found.needed <= found.have else found


def fewest_by_repeating(pair: AnswerPair, margin: float, level: float = LEVEL) -> Needed | None:
    """Return how many units it takes where both models answer as the baseline, from such units repeated.

    The number of repeats is doubled until the interval of no gain lies above −margin, and interpolated.
    """
    loss, times = _loss_if_alike(pair, 1, level), 1
    if not math.isfinite(loss) or loss < margin:
        return None
    have, what = scarce(pair)
    if margin <= 0:
        return Needed(have, what, None)
    before, slope = loss, 1.0
    while loss >= margin and 2 * times * pair.examples <= _MOST_ROWS:
        times *= 2
        before, loss = loss, _loss_if_alike(pair, times, level)
        if not 0 < loss < before:
            return Needed(have, what, None)
        slope = math.log2(before / loss)
    # The loss falls with a power of the number of units, between the last two that were tried and beyond.
    factor = times * (loss / margin) ** (1 / slope)
    return Needed(have, what, math.ceil(have * factor) if math.isfinite(have * factor) else None)


def scarce(pair: AnswerPair) -> tuple[int, str]:
    """Return how many units there are, and their name: of the class that limits a metric of classes."""
    if pair.metric.compute in (metrics.roc_auc, metrics.average_precision):
        positive = np.asarray(pair.baseline.columns[0], dtype=float) > 0
        positives = int(positive.sum())
        negatives = len(positive) - positives
        few = pair.metric.compute is metrics.roc_auc and negatives < positives
        return (negatives, "negatives") if few else (positives, "positives")
    if pair.metric.compute is metrics.macro_f1:
        sizes = np.unique(np.asarray(pair.baseline.columns[0]), return_counts=True)[1]
        return int(sizes.min()), "examples of the smallest class"
    return pair.count, "clusters" if pair.clustered else "examples"


def amount(have: int, what: str) -> str:
    """Return a count with its noun: `1 positive`. what: the noun in the plural, and words behind it."""
    units, _, kind = what.partition(" ")
    return f"{plural(have, units.removesuffix('s'))} {kind}".rstrip()


def _loss_if_alike(pair: AnswerPair, times: int, level: float) -> float:
    """Return how far the interval reaches below zero if both answer as the baseline, on units repeated."""
    own = pair.baseline
    rows, repeats = len(own.units), range(times)
    answers = Answers(
        metric=own.metric,
        columns=[np.concatenate([column] * times) for column in own.columns],
        units=np.concatenate([own.units + own.count * repeat for repeat in repeats]),
        count=own.count * times,
        kept=np.ones(rows * times, dtype=bool),
    )
    alike = AnswerPair(own.metric, answers, answers, answers.units, np.arange(answers.count))
    curve = gain_curve(alike)
    return math.nan if curve is None else -curve.interval(level).low


def heaviest_unit(gain: Gain, pair: AnswerPair) -> tuple[str, float] | None:
    """Return the unit that carries more than half of a gain's variance, and its share; None without one.

    None for right and wrong answers, too: that only one of them differs says nothing about its weight.
    """
    if gain.influence is None or gain.unit_names is None or not len(gain.influence):
        return None
    if not pair.clustered and _right_or_wrong(pair):
        return None
    # Divided by the largest, since squares of a third-party metric's values may overflow.
    largest = float(np.abs(gain.influence).max())
    if not 0 < largest < math.inf:
        return None
    squares = (gain.influence / largest) ** 2
    share = float(squares.max() / squares.sum())
    if not share > MUCH_OF_VARIANCE:
        return None
    return str(gain.unit_names[squares.argmax()]), share


def unseen_losses(pair: AnswerPair, margin: float, level: float = LEVEL) -> float | None:
    """Return the largest share of units whose losses may be in none of these; None where it cannot matter.

    It matters for the mean of graded values, where a total loss on so many units would exceed the margin;
    right and wrong answers have an interval that counts with it.
    """
    if not pair.metric.per_example or _right_or_wrong(pair):
        return None
    share = unseen_share(pair.count, level)
    most = max(float(np.abs(side.values).max(initial=0.0)) for side in (pair.baseline, pair.candidate))
    return share if share * most > margin else None


def _right_or_wrong(pair: AnswerPair) -> bool:
    """Whether a score is the mean of zeros and ones."""
    sides = pair.baseline, pair.candidate
    return pair.metric.per_example and all(np.isin(side.values, (0.0, 1.0)).all() for side in sides)
