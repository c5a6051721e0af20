"""Logistic regression of labels of which an unknown share was exchanged (Copas, 1988)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_PENALTY = 0.02
"""Of the squared coefficients: keeps them finite where labels are told apart without a mistake."""
_STARTS = (0.01, 0.1, 0.25)
"""Shares that the search starts from; the likelihood may have several maxima."""
_MOST = 0.49
"""Maximum share: at one half the labels would tell nothing."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An estimate of the share of labels that were exchanged."""

    share: float
    error: float
    """Standard error, by the curvature of the likelihood."""
    excess: float
    """Square root of the likelihood ratio against the tolerated share; about normal, 0 if below it."""
    doubt: np.ndarray
    """Probability that each label was exchanged: (n,)."""


def fit_exchanged(features: np.ndarray, labels: np.ndarray, tolerated: float) -> Exchanged:
    """Estimate the share g in P(y = 1) = g + (1 − 2 g) σ(w·x) by maximum likelihood.

    features: (n, k) float, standardized, without a constant. labels: (n,) 0 or 1. tolerated: share that is
    not held against the labels, since people disagree about as many.
    Source: Copas (1988), "Binary regression models for contaminated data", JRSS B 50, 225 to 265.
    """
    design = np.column_stack([np.ones(len(labels)), features])
    free = min((_fit(design, labels, start) for start in _STARTS), key=lambda fit: fit[1])
    weights, cost = free
    share = float(weights[-1])
    held = min(_fit(design, labels, tolerated, fixed=True)[1], _cost(_held(weights, tolerated), design, labels)[0])
    excess = max(2 * (held - cost), 0.0) ** 0.5 if share > tolerated else 0.0
    clean = _sigmoid(design @ weights[:-1])
    wrong = np.where(labels == 1, share * (1 - clean), share * clean)
    right = np.where(labels == 1, (1 - share) * clean, (1 - share) * (1 - clean))
    return Exchanged(share, _error(weights, design, labels), excess, wrong / np.maximum(wrong + right, 1e-12))


def _fit(
    design: np.ndarray, labels: np.ndarray, start: float, *, fixed: bool = False
) -> tuple[np.ndarray, float]:
    """Return weights with the share as the last, and the cost: penalized negative log-likelihood."""
    from scipy.optimize import minimize

    bounds: Sequence[tuple[float | None, float | None]] = [
        *[(None, None)] * design.shape[1],
        (start, start) if fixed else (1e-6, _MOST),
    ]
    first = np.zeros(design.shape[1] + 1)
    first[-1] = start
    found = minimize(_cost, first, (design, labels), jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x, float(found.fun)


def _cost(parameters: np.ndarray, design: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the penalized negative log-likelihood and its gradient: (k + 2,)."""
    weights, share = parameters[:-1], parameters[-1]
    clean = _sigmoid(design @ weights)
    chance = np.clip(share + (1 - 2 * share) * clean, 1e-9, 1 - 1e-9)
    likelihood = labels * np.log(chance) + (1 - labels) * np.log(1 - chance)
    by_chance = (labels - chance) / (chance * (1 - chance))
    penalty = weights.copy()
    penalty[0] = 0.0
    by_weights = design.T @ (by_chance * (1 - 2 * share) * clean * (1 - clean))
    gradient = np.append(-by_weights + 2 * _PENALTY * penalty, -(by_chance * (1 - 2 * clean)).sum())
    return float(-likelihood.sum() + _PENALTY * (penalty**2).sum()), gradient


def _held(weights: np.ndarray, share: float) -> np.ndarray:
    held = weights.copy()
    held[-1] = share
    return held


def _error(parameters: np.ndarray, design: np.ndarray, labels: np.ndarray) -> float:
    """Return the standard error of the share, by expected information (Fisher)."""
    weights, share = parameters[:-1], max(float(parameters[-1]), 1e-3)
    clean = _sigmoid(design @ weights)
    chance = np.clip(share + (1 - 2 * share) * clean, 1e-9, 1 - 1e-9)
    slopes = np.column_stack([design * ((1 - 2 * share) * clean * (1 - clean))[:, None], 1 - 2 * clean])
    information = slopes.T @ (slopes / (chance * (1 - chance))[:, None])
    information[np.diag_indices(len(weights))] += 2 * _PENALTY
    return float(np.linalg.pinv(information)[-1, -1]) ** 0.5


def _sigmoid(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    result: np.ndarray = expit(values)
    return result
