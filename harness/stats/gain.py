"""Gain of a candidate over a baseline by one metric: interval, p-value and detectable gain.

The test follows from the metric alone:

- a mean of values that are 0 or 1, without clusters: McNemar's mid-p test, Tango's score interval;
- any other mean: the sign-flip test on the differences of units, Student's t interval of them;
- any other metric: the paired bootstrap over units, with Hesterberg's expansion for few units.

`docs/statistics.md` has the measured errors and coverage of each.
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
"""Significance level of two-sided tests; intervals are of 95 %."""

POWER = 0.80
"""Probability with which a test finds the detectable gain."""

RESAMPLES = 9999
"""Number of resamples, and of patterns of signs.

p = (b + 1) / (B + 1) has whole ten-thousandths, and the ends of an interval hardly move between seeds.
"""

SLOW_RESAMPLES = 1999
"""Number of resamples for a metric that cannot be computed for many of them at once."""

_UNDEFINED = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A candidate's gain over a baseline by one metric on the same examples."""

    baseline: float
    candidate: float
    """Scores of the paired examples."""
    value: float
    """candidate − baseline."""
    low: float
    high: float
    """Ends of the 95 % interval; NaN where there is none."""
    p: float
    """Two-sided, not corrected; NaN where there is no test."""
    standard_error: float
    """NaN where unknown."""
    detectable: float
    """Smallest true gain that a test at 5 % finds with 80 % power on such examples; NaN where unknown."""
    examples: int
    units: int
    """Number of independent units: clusters, or examples where there are no clusters."""
    test: Test


def gain_of(pair: Paired, seed: int, *, identical: bool = False) -> Gain:
    """Estimate and test a gain.

    seed: derived from content, so that the same predictions give the same interval and p-value.
    identical: whether both models gave the same answers: the gain is then exactly 0.
    Interval and p-value are NaN for fewer than FEWEST_UNITS units, and where a score is undefined.
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
    """Return the smallest true gain that a two-sided test at 5 % finds with 80 % power.

    error: standard error of the gain.

    Source: Bloom (1995), "Minimum detectable effects: a simple way to report the statistical power of
    experimental designs".
    """
    return (quantile(1 - LEVEL / 2, units) + quantile(POWER, units)) * error


def quantile(probability: float, units: float) -> float:
    """Return a quantile of Student's t with units − 1 degrees of freedom, of 1 at least."""
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
    """Return candidate − baseline of each example, (n,); None where other rows count in the models."""
    if not np.array_equal(pair.baseline.kept, pair.candidate.kept):
        return None
    left, right = (np.asarray(side.columns[0], dtype=float) for side in (pair.baseline, pair.candidate))
    return np.asarray(right - left)


def _unit_weights(pair: Paired) -> np.ndarray:
    """Return each unit's share of the examples: (units,)."""
    return np.bincount(pair.units, minlength=pair.count) / pair.examples


def _is_binary(pair: Paired) -> bool:
    return all(
        bool(np.isin(np.asarray(side.columns[0], dtype=float), (0.0, 1.0)).all())
        for side in (pair.baseline, pair.candidate)
    )


def bound_without_spread(pair: Paired) -> float:
    """Bound the error of the gain of a mean where all units have the same difference: half a 95 % interval.

    For values between 0 and 1 it is the exact bound on the share of units that might differ; for other
    values, whose range is unknown, it is 0.
    """
    sides = [np.asarray(side.columns[0], dtype=float) for side in (pair.baseline, pair.candidate)]
    bounded = all(bool(((side >= 0) & (side <= 1)).all()) for side in sides)
    return 1 - float((LEVEL / 2) ** (1 / pair.count)) if bounded else 0.0


def _bootstrap_gain(pair: Paired, influence: np.ndarray, seed: int) -> Gain:
    """Return the paired bootstrap's percentile interval, and the p-value that inverts it.

    Percentile intervals are too narrow for few units: these are expanded to the quantiles of Student's t and
    to an unbiased variance. Source: Hesterberg (2015), "What teachers should know about the bootstrap".
    Spearman's is also widened by what ranking each resample anew would add.
    """
    fast = pair.closed_forms is not None or pair.metric.resample is not None
    count = RESAMPLES if fast else SLOW_RESAMPLES
    # Without a closed form, counts of units become counts of examples: blocks are made for these.
    width = pair.count if pair.closed_forms is not None else pair.examples
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
    """Return the gains of resamples: (B,).

    ROC-AUC is an average over pairs of examples, of which the linear part is nearly all: that is resampled,
    many times sooner.
    Source: DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated
    receiver operating characteristic curves".
    """
    if pair.metric.compute is metrics.roc_auc:
        return np.asarray(pair.gain + metrics.weighted_sums(counts, influence))
    return pair.resampled(counts)


def _rank_widening(pair: Paired, influence: np.ndarray) -> float:
    """Return the ratio of standard errors with new ranks and with fixed ones; 1 but for Spearman's."""
    if pair.metric.compute is not metrics.spearman or pair.closed_forms is None:
        return 1.0
    baseline, candidate = (_gradient(form.per_unit) for form in pair.closed_forms)
    narrow, true = standard_error(candidate - baseline), standard_error(influence)
    return true / narrow if narrow > 0 and math.isfinite(true) else 1.0


def _gradient(per_unit: np.ndarray) -> np.ndarray:
    """Return the influence of each unit on a correlation of fixed, centered ranks: (units,)."""
    left_square, right_square, product = per_unit[:, 3:].sum(axis=0)
    scale = math.sqrt(left_square * right_square)
    along = per_unit[:, 3] / left_square + per_unit[:, 4] / right_square
    return np.asarray(per_unit[:, 5] / scale - product / scale / 2 * along)


def _tail(units: int, spread: float) -> float:
    """Return the share of resamples beyond each end of the expanded interval."""
    from scipy.special import ndtr

    return float(ndtr(-quantile(1 - LEVEL / 2, units) * spread))


def _p_of_interval(drawn: np.ndarray, units: int, spread: float) -> float:
    """Return the level at which an end of the expanded interval is zero."""
    from scipy.special import ndtri, stdtr

    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    share = min((beyond + 1) / (len(drawn) + 1), 0.5)
    return float(2 * stdtr(units - 1, ndtri(share) / spread))
