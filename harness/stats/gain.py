"""The gain of a candidate over a baseline by one metric: its interval, its p-value, what could be seen.

Which test a metric gets follows from what it declares, and from nothing else:

- a mean of values that are 0 or 1, examples on their own: McNemar's mid-p test, Tango's score interval;
- any other mean: signs of the units' differences flipped at random; an interval of Student's t on these;
- everything else: the paired bootstrap over units, expanded as by Hesterberg for few of them.

`docs/statistics.md` has the measured errors and coverages of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.metrics import standard as metrics
from harness.stats.bootstrap import draw_resamples
from harness.stats.influence import influences, standard_error
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.proportions import mcnemar, tango
from harness.stats.sign_flip import sign_flip_p

if TYPE_CHECKING:
    from harness.stats.paired import Paired

Test = Literal["McNemar mid-p", "sign flip", "paired bootstrap", "seeds and examples", "identical", "none"]

LEVEL = 0.05
"""Two-sided: intervals are of 95 %."""

POWER = 0.80

RESAMPLES = 9999
"""Resamples and patterns of signs: p = (b + 1) / (B + 1) has whole ten-thousandths, and the ends of an
interval hardly move."""

SLOW_RESAMPLES = 1999
"""Resamples for a metric that cannot be computed for many of them at once."""

_UNDEFINED = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much better a candidate is than a baseline, by one metric on the same examples."""

    baseline: float
    candidate: float
    """Scores, of the examples at hand."""
    value: float
    """candidate − baseline."""
    low: float
    high: float
    """Ends of its 95 % interval; NaN where there is none."""
    p: float
    """Two-sided, not corrected; NaN where there is no test."""
    standard_error: float
    """NaN where unknown."""
    detectable: float
    """The smallest true gain that these examples show with 80 % power at 5 %; NaN where unknown."""
    examples: int
    units: int
    """What was resampled: clusters, or examples where they stand alone."""
    test: Test


def gain_of(pair: Paired, seed: int, *, identical: bool = False) -> Gain:
    """Estimate and test a gain.

    seed: from content, so that the same question has the same answer.
    identical: the models gave the very same answers, so that there is no gain, and no doubt of it.
    Fewer than FEWEST_UNITS units have neither interval nor p-value; nor has a score that is undefined.
    """
    baseline, candidate = pair.scores
    value = candidate - baseline
    if not math.isfinite(value) or (pair.count < FEWEST_UNITS and not identical):
        return _gain(pair, "none")
    if identical:
        return _gain(pair, "identical", low=0.0, high=0.0, p=1.0, standard_error=0.0)
    influence = influences(pair)
    if pair.metric.per_example:
        return _mean_gain(pair, influence, seed)
    return _bootstrap_gain(pair, influence, seed)


def detectable_gain(error: float, units: float) -> float:
    """The smallest true gain that a two-sided test at 5 % finds in 80 % of the cases, from a standard error.

    Source: Bloom (1995), "Minimum detectable effects: a simple way to report the statistical power of
    experimental designs".
    """
    return (quantile(1 - LEVEL / 2, units) + quantile(POWER, units)) * error


def quantile(probability: float, units: float) -> float:
    """Quantile of Student's t with units − 1 degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(max(units - 1, 1), probability))


def _gain(
    pair: Paired,
    test: Test,
    *,
    low: float = _UNDEFINED,
    high: float = _UNDEFINED,
    p: float = _UNDEFINED,
    standard_error: float = _UNDEFINED,
) -> Gain:
    baseline, candidate = pair.scores
    return Gain(
        baseline=baseline,
        candidate=candidate,
        value=candidate - baseline,
        low=low,
        high=high,
        p=p,
        standard_error=standard_error,
        detectable=detectable_gain(standard_error, pair.count),
        examples=pair.examples,
        units=pair.count,
        test=test,
    )


def _mean_gain(pair: Paired, influence: np.ndarray, seed: int) -> Gain:
    error = standard_error(influence)
    differences = _example_differences(pair)
    if not pair.clustered and differences is not None and set(np.unique(differences)) <= {-1.0, 0.0, 1.0}:
        gained, lost = int((differences > 0).sum()), int((differences < 0).sum())
        if _is_binary(pair):
            low, high = tango(gained, lost, pair.examples)
            p = mcnemar(gained, lost)
            return _gain(pair, "McNemar mid-p", low=low, high=high, p=p, standard_error=error)
    half = quantile(1 - LEVEL / 2, pair.count) * error
    if error == 0:
        half = bound_without_spread(pair)
        error = half / quantile(1 - LEVEL / 2, pair.count)
    p = sign_flip_p(influence + pair.gain * _unit_weights(pair), seed, RESAMPLES)
    return _gain(pair, "sign flip", low=pair.gain - half, high=pair.gain + half, p=p, standard_error=error)


def _example_differences(pair: Paired) -> np.ndarray | None:
    """Candidate − baseline of every example, (n,); None where the models have other rows that count."""
    if not np.array_equal(pair.baseline.kept, pair.candidate.kept):
        return None
    left, right = (np.asarray(side.columns[0], dtype=float) for side in (pair.baseline, pair.candidate))
    return np.asarray(right - left)


def _unit_weights(pair: Paired) -> np.ndarray:
    """Each unit's share of the examples: (units,)."""
    return np.bincount(pair.units, minlength=pair.count) / pair.examples


def _is_binary(pair: Paired) -> bool:
    return all(
        bool(np.isin(np.asarray(side.columns[0], dtype=float), (0.0, 1.0)).all())
        for side in (pair.baseline, pair.candidate)
    )


def bound_without_spread(pair: Paired) -> float:
    """How far off the gain of a mean may be although no unit differs from another.

    Of values between 0 and 1: the exact bound on how many of all units might. 0 for any other, whose range
    is not known.
    """
    sides = [np.asarray(side.columns[0], dtype=float) for side in (pair.baseline, pair.candidate)]
    bounded = all(bool(((side >= 0) & (side <= 1)).all()) for side in sides)
    return 1 - float((LEVEL / 2) ** (1 / pair.count)) if bounded else 0.0


def _bootstrap_gain(pair: Paired, influence: np.ndarray, seed: int) -> Gain:
    """The paired bootstrap's percentile interval, and the p-value that inverts it.

    Percentile intervals are too narrow where units are few: their ends are those of Student's t and of an
    unbiased variance instead. Source: Hesterberg (2015), "What teachers should know about the bootstrap".
    Where drawing ranks anew would widen it (Spearman), so does the ratio of both standard errors.
    """
    fast = pair.sums is not None or pair.metric.resample is not None
    count = RESAMPLES if fast else SLOW_RESAMPLES
    # Without sums, counts of units become counts of examples: blocks are made for these.
    width = pair.count if pair.sums is not None else pair.examples
    blocks = draw_resamples(pair.count, seed, count, width=width)
    drawn = np.concatenate([_resample_gain(pair, influence, block) for block in blocks])
    drawn = drawn[np.isfinite(drawn)]
    if 2 * len(drawn) < count:
        return _gain(pair, "none")
    drawn = pair.gain + (drawn - pair.gain) * _rank_widening(pair, influence)
    spread = math.sqrt(pair.count / (pair.count - 1))
    low, high = np.percentile(drawn, [100 * _tail(pair.count, spread), 100 * (1 - _tail(pair.count, spread))])
    return _gain(
        pair,
        "paired bootstrap",
        low=float(low),
        high=float(high),
        p=_p_of_interval(drawn, pair.count, spread),
        standard_error=spread * float(drawn.std()),
    )


def _resample_gain(pair: Paired, influence: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The gain in many resamples: (B,).

    ROC-AUC is an average over pairs of examples, whose linear part is nearly all of it: that is drawn, many
    times sooner. Source: DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more
    correlated receiver operating characteristic curves".
    """
    if pair.metric.compute is metrics.roc_auc:
        return np.asarray(pair.gain + metrics.weighted_sums(counts, influence))
    return pair.resampled(counts)


def _rank_widening(pair: Paired, influence: np.ndarray) -> float:
    if pair.metric.compute is not metrics.spearman or pair.sums is None:
        return 1.0
    fixed = [_gradient(one.per_unit) for one in pair.sums]
    narrow, true = standard_error(fixed[1] - fixed[0]), standard_error(influence)
    return true / narrow if narrow > 0 and math.isfinite(true) else 1.0


def _gradient(per_unit: np.ndarray) -> np.ndarray:
    """Influence of each unit on a correlation of fixed, centered ranks: (units,)."""
    left_square, right_square, product = per_unit[:, 3:].sum(axis=0)
    scale = math.sqrt(left_square * right_square)
    along = per_unit[:, 3] / left_square + per_unit[:, 4] / right_square
    return np.asarray(per_unit[:, 5] / scale - product / scale / 2 * along)


def _tail(units: int, spread: float) -> float:
    """The share of resamples beyond each end of the expanded interval."""
    from scipy.special import ndtr

    return float(ndtr(-quantile(1 - LEVEL / 2, units) * spread))


def _p_of_interval(drawn: np.ndarray, units: int, spread: float) -> float:
    """The level at which the expanded interval just touches zero."""
    from scipy.special import ndtri, stdtr

    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    share = min((beyond + 1) / (len(drawn) + 1), 0.5)
    return float(2 * stdtr(units - 1, ndtri(share) / spread))
