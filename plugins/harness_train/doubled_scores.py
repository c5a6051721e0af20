"""Find scores that a card reports twice, with different values."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from harness import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput

ROUNDED = 1e-4
"""Maximum difference of equal scores, one of them rounded to four decimals."""

_MOST_VALUES = 10
"""Maximum number of different values of one metric that are searched and shown."""
_MOST_METRICS = 4
"""Maximum number of metrics that are shown."""


def check_doubled_scores(training: CheckInput) -> Iterator[Finding]:
    """Find metrics of one evaluator on one data set with several values."""
    twice = {key: different for key, different in claimed_values(training).items() if len(different) > 1}
    if not twice:
        return
    shown = "; ".join(
        f"{metric} on {dataset} as {' and as '.join(f'{value:.4f}' for value in different)}"
        for (dataset, metric, _), different in list(twice.items())[:_MOST_METRICS]
    )
    left = len(twice) - _MOST_METRICS
    more = f"; and {left} more metric{'s' * (left > 1)}" if left > 0 else ""
    several = f"{len(twice)} metrics have" if len(twice) > 1 else "One metric has"
    yield Finding(
        "metric-reported-twice",
        Severity.ERROR,
        f"{several} different values: {shown}{more}. Readers cannot know which one is of this model:"
        " sentence-transformers lists each evaluator that was run, before training or after it.",
        "Measure the published model, and report only that score: harness run --model MODEL.",
    )


def claimed_values(training: CheckInput) -> dict[tuple[str, str, str], list[float]]:
    """Return the different values of each claimed score, by dataset, metric and evaluator.

    Evaluators without a name are all of the dataset “unknown”, so that nothing is known of these.
    """
    values: dict[tuple[str, str, str], list[float]] = {}
    for claim in training.claims:
        if claim.dataset.casefold() == "unknown" or not math.isfinite(claim.value):
            continue
        known = values.setdefault((claim.dataset, claim.metric, claim.of), [])
        if len(known) < _MOST_VALUES and not any(_rounds_to(claim.value, value) for value in known):
            known.append(claim.value)
    return values


def _rounds_to(one: float, other: float) -> bool:
    """Whether two figures are the same in the decimals that both are given in: 0.8964 and 0.90 are.

    Zeros at the end are not known: at least two decimals of a share, and none of a percentage.
    """
    least = 2 if max(abs(one), abs(other)) <= 1 else 0
    decimals = min(-int(Decimal(repr(value)).as_tuple().exponent) for value in (one, other))
    decimals = max(decimals, least)
    return abs(one - other) <= max(ROUNDED, 10.0**-decimals) / 2 * (1 + 1e-9)
