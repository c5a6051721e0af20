"""Several training seeds of one recipe: a gain that varies with the examples, and with the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.paired.gain import LEVEL, Gain, detectable, quantile
from harness.paired.influence import influences, standard_error
from harness.stats import FEWEST_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.paired.answers import Paired


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsGain:
    """The mean gain over training seeds, and where its variance comes from."""

    gain: Gain
    from_seeds: float | None
    """Share of the variance that the choice of seeds brings, in [0, 1]; None where there is no interval."""


def seeds_gain(pairs: Sequence[Paired]) -> SeedsGain:
    """Estimate and test the mean gain of candidates that differ in their training seed alone.

    pairs: the baseline with each candidate, on the same examples; two or more.
    Two things were drawn: test examples, which all seeds share, and seeds. The variance of the mean is
    that of its examples (from influences, over units) plus the variance between seeds over their number, with
    k − 1 degrees of freedom; both together have those of Satterthwaite (1946), "An approximate
    distribution of estimates of variance components". A bootstrap that draws three seeds from three is far
    too narrow: docs/statistics.md has the coverage of both.
    """
    gains = np.array([pair.gain for pair in pairs])
    first, count = pairs[0], len(pairs)
    if not np.isfinite(gains).all() or first.count < FEWEST_UNITS:
        return SeedsGain(gain=_gain(pairs, math.nan, math.nan, math.nan, math.nan), from_seeds=None)
    moved = np.array([influences(pair) for pair in pairs])
    examples = standard_error(moved.mean(axis=0)) ** 2
    between = float(gains.var(ddof=1)) / count
    variance = examples + between
    if variance == 0:
        return SeedsGain(gain=_gain(pairs, 0.0, 0.0, 1.0 if gains.mean() == 0 else 0.0, 0.0), from_seeds=0.0)
    freedom = variance**2 / (between**2 / (count - 1) + examples**2 / (first.count - 1))
    error = math.sqrt(variance)
    half = quantile(1 - LEVEL / 2, 1 + freedom) * error
    p = _two_sided(gains.mean() / error, freedom)
    # Part of what lies between seeds is the examples' doing: they move each seed's gain a little differently.
    own = np.mean([standard_error(one) ** 2 for one in moved - moved.mean(axis=0)]) / (count - 1)
    share = max(0.0, between - float(own)) / variance
    return SeedsGain(gain=_gain(pairs, half, error, p, detectable(error, 1 + freedom)), from_seeds=share)


def _gain(pairs: Sequence[Paired], half: float, error: float, p: float, least: float) -> Gain:
    value = float(np.mean([pair.gain for pair in pairs]))
    return Gain(
        baseline=pairs[0].scores[0],
        candidate=float(np.mean([pair.scores[1] for pair in pairs])),
        value=value,
        low=value - half,
        high=value + half,
        p=p,
        standard_error=error,
        detectable=least,
        examples=pairs[0].examples,
        units=pairs[0].count,
        test="none" if math.isnan(half) else "seeds and examples",
    )


def _two_sided(statistic: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(statistic)))
