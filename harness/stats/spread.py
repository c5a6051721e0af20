"""Spread of a score over units: variance, degrees of freedom and design effect, from influences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDING = 1e-24
"""Variance of a score between 0 and 1 that is of rounding errors: those of an order of examples."""

_PRIOR_UNITS = 1.0
"""Number of units of one answer each that are added to those that were seen.

They draw the design effect towards its maximum where few units have influence.
"""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a score varies with the units that happened to be drawn."""

    variance: float
    """Of the score; 0 where no unit moves it."""
    freedom: float
    """Degrees of freedom of the variance (Satterthwaite, 1946); below the number of units, at least 1."""
    design: float
    """Variance with clusters over that with independent examples; 1 without clusters."""


def spread_of(influence: np.ndarray, units: np.ndarray, count: int, classes: np.ndarray) -> Spread:
    """Return the spread of a score of which each class of examples was drawn on its own.

    influence: (n,) of each example, as for `harness.stats.influence`; units: (n,) int in [0, count);
    classes: (n,) int from 0 without gaps, of two examples each at least.
    Without clusters and for ROC-AUC this is the variance of DeLong, DeLong and Clarke-Pearson (1988), and of
    Obuchowski (1997), "Nonparametric analysis of clustered ROC curve data", with them.
    """
    sizes = np.bincount(classes)
    means = np.bincount(classes, weights=influence) / sizes
    centered = influence - means[classes]
    squares = _without_rounding(np.bincount(classes, weights=centered**2) * sizes / (sizes - 1))
    independent = float(squares.sum())
    # Where nothing moves, what is unknown is what the rarest class would do.
    shares = squares / independent if independent > 0 else (np.arange(len(sizes)) == sizes.argmin()) * 1.0
    if count >= len(units):
        freedom = 1 / float((shares**2 / (sizes - 1)).sum())
        return Spread(independent, freedom, 1.0)
    held = np.bincount(units, weights=(shares / sizes)[classes], minlength=count)
    # Units of one answer each: as many fewer answers as there are examples that matter.
    widest = max(1.0, float((held**2).sum() / (shares**2 / sizes).sum()))
    return _clustered(np.bincount(units, weights=centered, minlength=count), held, independent, widest)


def _without_rounding(variances: np.ndarray) -> np.ndarray:
    return np.where(variances <= _ROUNDING, 0.0, variances)


def _clustered(influence: np.ndarray, held: np.ndarray, independent: float, widest: float) -> Spread:
    """Return the spread of a score over clusters; influence, held: (count,) each.

    influence: of each unit on the score. held: its share of the examples that carry the variance.
    independent: variance if examples were independent. widest: design effect of units of one answer each.
    """
    # A large unit draws the score to itself, and so seems to move it less than it does (Bell and McCaffrey,
    # 2002, "Bias reduction in standard errors for linear regression with multi-stage samples").
    moved = influence / (1 - np.minimum(held, 0.9))
    variance = float((moved**2).sum())
    telling = effective_number(moved**2)
    seen = variance / independent if independent > 0 else 1.0
    design = max(1.0, (telling * seen + _PRIOR_UNITS * widest) / (telling + _PRIOR_UNITS))
    # Between units of independent examples, and units of one answer each: by the design effect that shows.
    alike = min(1.0, (design - 1) / (widest - 1)) if widest > 1 else 0.0
    weight = (1 - alike) * held + alike * held**2 / (held**2).sum()
    return Spread(variance, max(1.0, 1 / float((weight**2).sum()) - 1), design)


def freedom_by_class(influence: np.ndarray, classes: np.ndarray) -> float:
    """Return the degrees of freedom of a variance of which each class has its part (Satterthwaite, 1946).

    influence: (n,) of each example; classes: (n,) int from 0 without gaps. Infinite where nothing moves.
    """
    parts = _without_rounding(np.bincount(classes, weights=influence**2))
    sizes = np.bincount(classes)
    if not parts.any():
        return float("inf")
    return 1 / float(((parts / parts.sum()) ** 2 / np.maximum(sizes - 1, 1)).sum())


def effective_number(weights: Sequence[float] | np.ndarray) -> float:
    """Return the number of equal weights that are as concentrated as these: (Σ w)² / Σ w²; 0 if all are 0.

    weights: (units,), not negative, such as the sizes of clusters: then so many clusters of one size leave a
    mean as uncertain. In [1, units]: the number of units where all are equal, 1 where one has everything.
    Source: Kish (1965), "Survey sampling", 8.2.
    """
    weights = np.asarray(weights, dtype=float)
    largest = weights.max(initial=0.0)
    if largest <= 0:
        return 0.0
    # Squares of a third-party metric's values may overflow.
    scaled = weights / largest
    return float(scaled.sum() ** 2 / (scaled**2).sum())
