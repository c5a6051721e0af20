"""How good a model's answer to each example is, by a metric; what moves between two models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.metrics.standard import macro_f1
from harness.stats.ranks import ranks

if TYPE_CHECKING:
    from harness.metrics.interface import Metric
    from harness.results.predictions import Table

    What = Literal["answers", "pairs", "queries"]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good each answer of one model is; a movement is the difference of two models' `values`."""

    what: What
    """What can move: answers that are right or wrong, pairs by their ranks, queries by any other value."""
    values: np.ndarray
    """(n,) float, higher is better; NaN for examples that do not count, and where nothing is known."""
    shown: np.ndarray
    """(n,) float: the value that stands for the answer: of pairs, the similarity."""
    ranks: tuple[np.ndarray, np.ndarray] | None = None
    """Of pairs, the ranks of gold and of the answers: (n,) float each, from 1, the highest; NaN for examples
    that do not count."""

    @property
    def known(self) -> bool:
        """Whether the metric says anything of single examples."""
        return bool(np.isfinite(self.values).any())


def quality_of(metric: Metric, table: Table) -> Quality:
    """Return how good each answer of one model is, by a metric.

    The value of a mean is that of its column. For a rank correlation, or any other metric of numbers against
    gold, it is minus the distance of the answer's rank from that of its gold, as a share of all examples. Of
    two columns of classes it is 1 where they agree, else 0. For any other metric nothing is known.
    """
    included, columns = _included(metric, table), [table[name] for name in metric.columns]
    numbers = [_as_floats(column) for column in columns]
    values = np.full(len(included), np.nan)
    if metric.per_example and numbers[0] is not None:
        values[included] = numbers[0][included]
        return Quality("answers" if _is_binary(values[included]) else "queries", values, numbers[0])
    gold, predicted = numbers if len(numbers) == 2 else (None, None)
    ranked = metric.columns == ("gold", "predicted") and metric.compute is not macro_f1
    if ranked and gold is not None and predicted is not None:
        both = _ranks(gold, included), _ranks(predicted, included)
        values = -np.abs(both[0] - both[1]) / max(1, int(included.sum()))
        return Quality("pairs", values, predicted, both)
    if len(columns) == 2 and not any(map(_is_list, columns)):
        # Two columns of classes: right where they agree.
        agree = np.equal(*columns).astype(float)
        values[included] = agree[included]
        return Quality("answers", values, agree)
    return Quality("answers", values, np.zeros(len(included)))


def what_moves(*models: Quality) -> What:
    """Return what moves between models: answers only where those of all models are right or wrong."""
    kinds = {quality.what for quality in models}
    return kinds.pop() if len(kinds) == 1 else "queries"


def movement(baseline: Quality, candidate: Quality) -> np.ndarray:
    """Return how much better each answer of the candidate is: (n,); 0 where either does not count."""
    return np.asarray(np.nan_to_num(candidate.values - baseline.values))


def _is_binary(values: np.ndarray) -> bool:
    return set(np.unique(values)) <= {0.0, 1.0}


def _is_list(values: np.ndarray) -> bool:
    return len(values) > 0 and isinstance(values[0], np.ndarray)


def _included(metric: Metric, table: Table) -> np.ndarray:
    if metric.where is None:
        return np.ones(len(table["id"]), dtype=bool)
    return np.asarray(table[metric.where], dtype=bool)


def _as_floats(values: np.ndarray) -> np.ndarray | None:
    return np.asarray(values, dtype=float) if values.dtype.kind in "biuf" else None


def _ranks(values: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Return ranks among the included, 1 for the highest: (n,) float, NaN elsewhere."""
    found = np.full(len(values), np.nan)
    found[included] = ranks(-values[included])
    return found
