"""Logistic regression of labels of which an unknown share was exchanged (Copas, 1988)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    model = _Mixture(np.column_stack([np.ones(len(labels)), features]), labels)
    weights, cost = min((_fit(model, start) for start in _STARTS), key=lambda fit: fit[1])
    share = float(weights[-1])
    # A search that stops early must not make the share look sure.
    held = min(_fit(model, tolerated, fixed=True)[1], _cost(np.append(weights[:-1], tolerated), model)[0])
    excess = max(2 * (held - cost), 0.0) ** 0.5 if share > tolerated else 0.0
    clean = _sigmoid(model.design @ weights[:-1])
    own = np.where(labels == 1, clean, 1 - clean)
    wrong, right = share * (1 - own), (1 - share) * own
    return Exchanged(share, _error(weights, model), excess, wrong / np.maximum(wrong + right, 1e-12))


@dataclass(frozen=True, slots=True)
class _Mixture:
    """Data of P(y = 1) = g + (1 − 2 g) σ(w·x)."""

    design: np.ndarray
    """(n, k + 1) float: a constant and the features."""
    labels: np.ndarray
    """(n,) 0 or 1."""

    def chance(self, clean: np.ndarray, share: float) -> np.ndarray:
        """Return P(y = 1) from that before labels were exchanged: (n,)."""
        chance: np.ndarray = np.clip(share + (1 - 2 * share) * clean, 1e-9, 1 - 1e-9)
        return chance


def _fit(model: _Mixture, start: float, *, fixed: bool = False) -> tuple[np.ndarray, float]:
    """Return weights with the share as the last, and the cost: penalized negative log-likelihood."""
    from scipy.optimize import minimize

    count = model.design.shape[1]
    bounds: list[tuple[float | None, float | None]] = [(None, None)] * count
    bounds.append((start, start) if fixed else (1e-6, _MOST))
    first = np.append(np.zeros(count), start)
    found = minimize(_cost, first, (model,), jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x, float(found.fun)


def _cost(parameters: np.ndarray, model: _Mixture) -> tuple[float, np.ndarray]:
    """Return the penalized negative log-likelihood and its gradient: (k + 2,)."""
    weights, share = parameters[:-1], float(parameters[-1])
    clean = _sigmoid(model.design @ weights)
    chance, labels = model.chance(clean, share), model.labels
    likelihood = labels * np.log(chance) + (1 - labels) * np.log(1 - chance)
    by_chance = (labels - chance) / (chance * (1 - chance))
    penalty = np.append(0.0, weights[1:])
    by_weights = model.design.T @ (by_chance * (1 - 2 * share) * clean * (1 - clean))
    by_share = (by_chance * (1 - 2 * clean)).sum()
    gradient = np.append(-by_weights + 2 * _PENALTY * penalty, -by_share)
    return float(-likelihood.sum() + _PENALTY * (penalty**2).sum()), gradient


def _error(parameters: np.ndarray, model: _Mixture) -> float:
    """Return the standard error of the share, by expected information (Fisher)."""
    weights, share = parameters[:-1], max(float(parameters[-1]), 1e-3)
    clean = _sigmoid(model.design @ weights)
    chance = model.chance(clean, share)
    by_weights = model.design * ((1 - 2 * share) * clean * (1 - clean))[:, None]
    slopes = np.column_stack([by_weights, 1 - 2 * clean])
    information = slopes.T @ (slopes / (chance * (1 - chance))[:, None])
    information[np.diag_indices(len(weights))] += 2 * _PENALTY
    return float(np.linalg.pinv(information)[-1, -1]) ** 0.5


def _sigmoid(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    result: np.ndarray = expit(values)
    return result
