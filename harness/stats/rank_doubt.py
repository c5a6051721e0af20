"""Doubt about ranks: the interval of each rank, and the chance of being the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

_SEED = 18

_DRAWS = 10_000
"""Test sets drawn; near 50 % the standard error of a share is 0.5 %."""

_SAME = 1e-9
"""Maximum difference of drawn scores that are equal, relative to the spread of all."""


class RankInterval(NamedTuple):
    """The first and the last rank that a model may have; 1 is the best."""

    low: int
    high: int


def rank_intervals(scores: np.ndarray, p: np.ndarray, unknown: int = 0) -> list[RankInterval]:
    """Return intervals of the ranks of models, which hold for all at once with 95 %.

    scores: (models,); p: (models, models), adjusted over all pairs; unknown: number of further models that
    could not be tested, and may be anywhere.
    A rank is at least 1 + the number of models that are significantly better, and at most the number of
    models less those that are significantly worse.
    Source: Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with applications to mobility
    across neighbourhoods and academic achievement across countries".
    """
    differs = p < LEVEL
    better = (differs & (scores[None, :] > scores[:, None])).sum(axis=1)
    worse = (differs & (scores[None, :] < scores[:, None])).sum(axis=1)
    models = len(scores) + unknown
    return [
        RankInterval(1 + int(above), models - int(below)) for above, below in zip(better, worse, strict=True)
    ]


def chance_of_best(
    scores: np.ndarray,
    influences: np.ndarray,
    errors: np.ndarray | None = None,
    labels: Sequence[Hashable] | None = None,
) -> np.ndarray:
    """Return on which share of redrawn test sets each model has the highest score: (models,), together 1.

    influences: (models, units), of units on scores. Scores of another test set of the same size are drawn
    from their joint normal distribution around today's; models that tie share the lead. It says how firm the
    lead is, not how probable it is that the model is truly the best.
    errors: (models,), standard errors of the first best model's leads over each by their own curves: where
    they are larger than the influences say, as of rare changes, the scores are drawn with that much more.
    labels: equal for models that gave the very same answers, and so have the same score on any test set.
    """
    centered = influences - influences.mean(axis=1, keepdims=True)
    units = influences.shape[1]
    covariance = units / (units - 1) * (centered @ centered.T)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    generator = np.random.default_rng(_SEED)
    # Eigenvectors depend on the order of models: the symmetric root does not.
    drawn = (root @ vectors.T) @ generator.standard_normal((len(scores), _DRAWS))
    drawn += scores[:, None]
    if errors is not None:
        kinds = np.arange(len(scores)) if labels is None else _numbered(labels)
        more = _unseen_errors(scores, covariance, errors, kinds)
        if more.any():
            drawn += more[:, None] * generator.standard_normal((len(scores), _DRAWS))[kinds]
    spread = np.ptp(drawn) + np.abs(scores).max()
    leads = drawn >= drawn.max(axis=0) - _SAME * spread
    return np.asarray((leads / leads.sum(axis=0)).mean(axis=1))


def _unseen_errors(
    scores: np.ndarray, covariance: np.ndarray, errors: np.ndarray, kinds: np.ndarray
) -> np.ndarray:
    """Return standard errors of scores besides those of influences, (models,), for leads as wide as `errors`.

    They are those of the models that trail; of models that tie for the lead each has half of the variance.
    """
    leader, own = int(scores.argmax()), np.diag(covariance)
    seen = own + own[leader] - 2 * covariance[leader]
    more = np.maximum(errors**2 - np.maximum(seen, 0.0), 0.0)
    ties = scores >= scores[leader] - _SAME * max(1.0, abs(float(scores[leader])))
    shared = float(more[ties].max()) / 2
    more = np.maximum(more - shared, 0.0)
    more[kinds == kinds[leader]] = shared
    return np.asarray(np.sqrt(more))


def _numbered(labels: Sequence[Hashable]) -> np.ndarray:
    """Return the position of the first equal label of each: (models,) int."""
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(label, position) for position, label in enumerate(labels)])
