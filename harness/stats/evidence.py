"""What there is too little of: how many examples of a class a margin needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.metrics import standard as metrics
from harness.stats import area, average_precision, macro_f1
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.answer_pair import AnswerPair
    from harness.stats.rare import Needed

_FEWEST: dict[Callable[..., float], Callable[[AnswerPair, float, float], Needed]] = {
    metrics.roc_auc: area.fewest_for_margin,
    metrics.average_precision: average_precision.fewest_for_margin,
    metrics.macro_f1: macro_f1.fewest_for_margin,
}


def fewest_for_margin(pair: AnswerPair, margin: float, level: float = LEVEL) -> Needed | None:
    """Return what is scarce, how much there is, and how much two perfect models need to pass a margin.

    margin: above 0. level: of the interval that must lie above −margin. None for a metric of which that
    is unknown.
    """
    function = _FEWEST.get(pair.metric.compute)
    return function(pair, margin, level) if function else None
