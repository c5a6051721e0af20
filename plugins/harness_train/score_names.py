"""Read names of scores, and sort scores into groups that were measured together."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.training import CheckInput

NEAR_CHANCE = 0.1
"""Minimum distance below chance for an error, of an area or an accuracy; 100 examples can move it by that.

For a correlation it is twice that: its chance level is in the middle of −1 to 1, not of 0 to 1.
"""
_FUNCTION = "cosine|cos_sim|dot_score|dot|manhattan|euclidean|max"
_AT_K = "accuracy|precision|recall|mrr|ndcg|map"
_ALONE = "accuracy|f1|precision|recall|ap|mcc|pearson|spearman"
_NAME = re.compile(
    rf"(?:^|_)(?:(?P<before>{_FUNCTION})_)?(?:(?P<ranked>{_AT_K})(?:@|_at_)(?P<k>[1-9]\d{{0,4}})"
    rf"|(?P<alone>{_ALONE})(?:_(?P<after>{_FUNCTION}))?)$"
)
_RANGE = re.compile(
    rf"(?:^|_)(?:(?:{_FUNCTION})_)?(?:(?P<share>accuracy|f1|precision|recall|ap|mrr|ndcg|map|(?:roc_)?auc)"
    rf"|(?P<correlation>mcc|pearson|spearman|kendall))(?:(?:@|_at_)[1-9]\d{{0,4}})?(?:_(?:{_FUNCTION}))?$"
)
"""Names of scores with a known range; MTEB writes `cos_sim_pearson` and `map_at_10`."""
_PERCENT = 2.0
"""Maximum of scores that are not taken for percent: nobody publishes a model of 2 %."""
_MOST_DECIMALS = 4
"""Maximum number of decimals that are trusted: the tables of cards have four."""

_CORRELATION = re.compile(r"(?:^|_)(spearman|pearson|kendall|mcc)(?:$|_)")
_HALF = re.compile(r"(?:^|_)(?:roc_)?auc(?:$|_)|^(?:cosine|dot|euclidean|manhattan|max)_accuracy$")
"""Names of scores whose chance level is ½: areas under a curve, accuracies over triplets or two classes."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one evaluation, with one similarity function."""

    where: str
    """`reported`, `at step 500`, `before training` or `after training`."""
    data: str
    function: str
    """`cosine`, `dot`, … or empty."""
    alone: Mapping[str, float]
    """Metric → score in [-1, 1]."""
    ranked: Mapping[str, Mapping[int, float]]
    """Metric → k → score in [0, 1]."""
    rounding: float
    """Maximum error of a score that its number of decimals makes."""

    def name(self, metric: str, k: int | None = None) -> str:
        """Return a metric's name for a message."""
        function = f"{self.function} " if self.function else ""
        return f"{function}{metric}" + (f"@{k}" if k is not None else "")

    @property
    def place(self) -> str:
        """Data and time of the evaluation, for a message."""
        return f"{f'on {self.data} ' if self.data else ''}{self.where}"


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a metric."""

    low: float
    high: float
    start: int
    """Where the metric's name begins, behind the name of the data."""


def range_of(name: str) -> Range | None:
    """Return the range of a score by its name: [-1, 1] for correlations, [0, 1] for shares; else None."""
    match = _RANGE.search(name)
    if match is None:
        return None
    return Range(-1.0 if match["correlation"] else 0.0, 1.0, match.start())


def scale_of(values: Iterable[float]) -> float:
    """Return 100 for scores in percent, else 1, by the scores of one data set.

    In percent, one is above 2, and more than half are above 1: precision@100 may be below it.
    """
    sizes = [abs(value) for value in values]
    above = sum(size > 1 for size in sizes)
    return 100.0 if max(sizes, default=0.0) > _PERCENT and 2 * above > len(sizes) else 1.0


def place_of(step: int) -> str:
    """Return when an evaluation took place, by its step in a log: −1 is after training, 0 before it."""
    return f"at step {step:,}" if step > 0 else "after training" if step < 0 else "before training"


def chance_of(metric: str) -> float | None:
    """Return the score of a model that tells nothing apart, by the metric's name; None if unknown."""
    if _CORRELATION.search(metric):
        return 0.0
    return 0.5 if _HALF.search(metric) else None


def read_scores(training: CheckInput) -> list[Scores]:
    """Return the groups of scores that a card reports, and those of each line of the log.

    A metric that a group has twice with different values is left out; so are groups with scores out of range.
    """
    groups = list(
        _groups("reported", [(claim.dataset, claim.metric, claim.value) for claim in training.claims])
    )
    for line in training.log:
        scores = [("", name, value) for name, value in line.metrics.items()]
        groups += _groups(place_of(line.step), scores)
    return groups


def _groups(where: str, scores: Iterable[tuple[str, str, float]]) -> Iterator[Scores]:
    values: defaultdict[tuple[str, str], dict[tuple[str, int | None], float]] = defaultdict(dict)
    for data, name, value in scores:
        match = _NAME.search(name)
        if match is None or not math.isfinite(value):
            continue
        function = (
            (match["before"] or match["after"] or "").replace("cos_sim", "cosine").replace("_score", "")
        )
        rest = name[: match.start()]
        key = (match["ranked"] or match["alone"], int(match["k"]) if match["k"] else None)
        known = values[" ".join(filter(None, (data, rest))), function]
        # Two values of one metric contradict each other already; neither is used.
        known[key] = value if known.get(key, value) == value else math.nan
    for (data, function), found in values.items():
        kept = {key: value for key, value in found.items() if math.isfinite(value)}
        if kept:
            yield from _scaled(where, data, function, kept)


def _scaled(
    where: str, data: str, function: str, found: Mapping[tuple[str, int | None], float]
) -> Iterator[Scores]:
    scale = scale_of(found.values())
    values = {key: value / scale for key, value in found.items()}
    if any(abs(value) > 1 for value in values.values()):
        return
    decimals = max(_decimals(value) for value in found.values())
    ranked: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for (metric, k), value in sorted(values.items(), key=lambda item: item[0][1] or 0):
        if k is not None:
            ranked[metric][k] = value
    yield Scores(
        where,
        data,
        function,
        {metric: value for (metric, k), value in values.items() if k is None},
        dict(ranked),
        0.5 * 10.0**-decimals,
    )


def _decimals(value: float) -> int:
    return len(f"{value:.{_MOST_DECIMALS}f}".rstrip("0").partition(".")[2])
