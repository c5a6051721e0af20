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

_FUNCTION = "cosine|cos_sim|dot_score|dot|manhattan|euclidean|max"
_AT_K = "accuracy|precision|recall|mrr|ndcg|map"
_ALONE = "accuracy|f1|precision|recall|ap|mcc|pearson|spearman"
_NAME = re.compile(
    rf"(?:^|_)(?:(?P<before>{_FUNCTION})_)?(?:(?P<ranked>{_AT_K})(?:@|_at_)(?P<k>[1-9]\d{{0,4}})"
    rf"|(?P<alone>{_ALONE})(?:_(?P<after>{_FUNCTION}))?)$"
)
_PERCENT = 1.5
"""Minimum of a score that is given in percent."""
_MOST_DECIMALS = 4
"""Maximum number of decimals that are trusted: the tables of cards have four."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one evaluation, with one similarity function."""

    where: str
    """`reported`, or `at step 500`."""
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


def read_scores(training: CheckInput) -> list[Scores]:
    """Return the groups of scores that a card reports, and those of each line of the log.

    A metric that a group has twice with different values is left out; so are groups with scores out of range.
    """
    groups = list(
        _groups("reported", [(claim.dataset, claim.metric, claim.value) for claim in training.claims])
    )
    for line in training.log:
        scores = [("", name, value) for name, value in line.metrics.items()]
        groups += _groups(f"at step {line.step:,}", scores)
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
    scale = 100.0 if max(map(abs, found.values())) > _PERCENT else 1.0
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
