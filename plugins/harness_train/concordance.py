"""Concordance of similarities and labels (AUC), with its interval and p-value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAMPLE_OF_STRATA = 20
"""Minimum number of strata that are treated as a sample; fewer are treated as fixed."""


@dataclass(frozen=True, slots=True)
class Concordance:
    """An AUC, in [0, 1]: of two rows with different labels, how often the higher one is the more similar."""

    score: float
    low: float
    high: float
    """Ends of the 95 % interval."""
    below: float
    """One-sided p of the score being below one half."""

    def __str__(self) -> str:
        p = "p < 0.0001" if self.below < 1e-4 else f"p = {self.below:.4f}"
        return f"{self.score:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}, {p})"


def concordance(
    values: np.ndarray, labels: np.ndarray, strata: Sequence[object], clusters: Sequence[object]
) -> Concordance | None:
    """Return the concordance over all pairs of rows of one stratum with different labels; ties count half.

    values, labels: (n,) float. strata, clusters: (n,) names. For labels 0 and 1 in one stratum it is the AUC.
    None if no two rows can be compared.

    The standard error is the larger of two. The one from the sums of each cluster's influences is valid for
    rows that share a source (Obuchowski, 1997, "Nonparametric analysis of clustered ROC curve data"; without
    clusters it is DeLong's of 1988). The one of Mann and Whitney (1947) is valid if labels mean nothing, and
    prevents significance from a handful of rows. 20 strata or more are also treated as clusters.
    """
    inverse = [np.unique(np.array(names, dtype=str), return_inverse=True)[1] for names in (strata, clusters)]
    wins, compared, null = np.zeros(len(values)), np.zeros(len(values)), 0.0
    used = 0
    for rows in _groups(inverse[0]):
        won, against = _placements(values[rows], labels[rows])
        wins[rows], compared[rows] = won, against
        null += _null_variance(labels[rows])
        used += int(against.any())
    total = compared.sum() / 2
    if not total:
        return None
    # Each comparison is counted for both of its rows.
    score = float(wins.sum() / 2 / total)
    influence = (wins - compared * score) / total
    errors = [(null**0.5 / total, math.inf), _error(influence, inverse[1])]
    if used >= _SAMPLE_OF_STRATA:
        # Both rows of a comparison are in the same stratum, so that it would count twice.
        errors.append(_error(influence / 2, inverse[0]))
    return _with_interval(score, *max(errors))


def share(right: np.ndarray, clusters: Sequence[object]) -> Concordance:
    """Return the share of rows that are right, compared with one half: the sign test, over clusters.

    right: (n,) float of 1, 0, and 0.5 for a tie.
    """
    names = np.unique(np.array(clusters, dtype=str), return_inverse=True)[1]
    score = float(right.mean())
    errors = [(0.5 * len(right) ** -0.5, math.inf), _error((right - score) / len(right), names)]
    return _with_interval(score, *max(errors))


def _with_interval(score: float, error: float, freedom: float) -> Concordance:
    """Return interval and p-value by Student's t with the degrees of freedom of the error."""
    from scipy.stats import t

    half = error * float(t.ppf(0.975, freedom))
    below = float(t.cdf((score - 0.5) / error, freedom))
    return Concordance(score, max(score - half, 0.0), min(score + half, 1.0), below)


def _groups(names: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each name."""
    order = np.argsort(names, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(names[order])) + 1)


def _placements(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the comparisons that agree with the labels, and all comparisons: (n,), (n,)."""
    higher = np.sign(labels[:, None] - labels[None, :])
    agrees = (np.sign(values[:, None] - values[None, :]) * higher + 1) / 2
    different = higher != 0
    return (agrees * different).sum(axis=1), different.sum(axis=1).astype(float)


def _null_variance(labels: np.ndarray) -> float:
    """Variance of the number of comparisons won if labels mean nothing, given their ties (Kendall, 1970)."""

    def term(n: np.ndarray) -> np.ndarray:
        whole: np.ndarray = n * (n - 1) * (2 * n + 5)
        return whole

    ties = np.unique(labels, return_counts=True)[1].astype(float)
    return float(term(np.array(float(len(labels)))) - term(ties).sum()) / 72


def _error(influence: np.ndarray, names: np.ndarray) -> tuple[float, float]:
    """Standard error from the sums of each cluster's influences, and its degrees of freedom."""
    sums = np.bincount(names, influence)
    units = int((np.bincount(names, influence != 0) > 0).sum())
    freedom = max(units - 1, 1)
    return float((sums**2).sum() * units / freedom) ** 0.5, float(freedom)
