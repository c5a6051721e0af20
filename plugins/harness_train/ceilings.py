"""Find evaluations at their ceiling, which cannot tell one checkpoint from another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.score_names import read_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput
    from harness_train.score_names import Scores

CEILING = 0.999
"""Minimum score at the ceiling."""
_BOUNDED = ("accuracy", "f1", "ap", "mcc", "spearman", "pearson", "ndcg", "mrr", "map")
"""Metrics whose maximum is 1 for every data set; precision@k and recall@k have a lower one if k is small."""


def check_ceilings(training: CheckInput) -> Iterator[Finding]:
    """Find data sets on which every score is at its ceiling from the first evaluation to the last."""
    lines: dict[str, list[Scores]] = {}
    for group in read_scores(training):
        if group.where != "reported" and _bounded(group):
            lines.setdefault(group.data, []).append(group)
    for data, groups in lines.items():
        steps = list(dict.fromkeys(group.where for group in groups))
        lowest = min(value for group in groups for value in _bounded(group))
        if len(steps) < 2 or lowest < CEILING:
            continue
        least = "1" if lowest == 1 else f"at least {lowest:.4f}"
        keeps = ", although the best weights were chosen by it" if training.keeps_best else ""
        yield Finding(
            "evaluation-at-ceiling",
            Severity.WARNING,
            f"Every score{f' on {data}' if data else ''} is {least} in all {len(steps)} evaluations, from"
            f" {steps[0].removeprefix('at ')} on: they cannot tell one checkpoint from another{keeps}.",
            "Evaluate on harder examples, such as hard negatives; a few dozen easy ones are soon all right.",
        )


def _bounded(group: Scores) -> list[float]:
    """Return the scores of a group whose maximum is 1."""
    values = [value for name, value in group.alone.items() if name in _BOUNDED]
    return values + [value for name, at in group.ranked.items() if name in _BOUNDED for value in at.values()]
