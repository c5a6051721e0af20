"""Power of the tests of right and wrong answers, exact: summed over the number of answers that differ."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

POWER = 0.80
"""Probability with which a test finds the detectable gain, and with which equal models pass a gate."""

_MOST_EXACT = 3000
"""Maximum expected number of differing answers for sums; above, the normal approximation is as good."""

_HALVINGS = 30


def background_rate(changed: int, examples: int) -> float:
    """Return the share of answers that differ between such models, in (0, 1): (k + 1) / (n + 2).

    changed: k of n examples differ. That none of a few differed does not prove that none ever will.
    Source: Laplace (1814), the rule of succession.
    """
    return (changed + 1) / (examples + 2)


def claim_power(gained: float, lost: float, examples: int, level: float) -> float:
    """Return the probability of *better* by McNemar's test at `level`, two-sided.

    gained, lost: probabilities that only the candidate, only the baseline gets an example right.
    The test is that of verdicts: its p-value is the larger of mid-p and the score test's.
    """
    from scipy.special import bdtrc

    changed, chances = _numbers_that_differ(examples, gained + lost)
    fewest = _fewest_gained(level, _power_of_two(int(changed[-1])))[changed]
    possible = fewest <= changed
    beyond = np.zeros(len(changed))
    share = gained / (gained + lost)
    beyond[possible] = bdtrc(fewest[possible] - 1, changed[possible], share)
    return float(chances @ beyond)


@lru_cache(maxsize=4096)
def detectable_flips(changed: int, examples: int, level: float) -> float:
    """Return the smallest gain that McNemar's test at `level` finds with 80 % power; NaN if there is none.

    changed: how many of the examples had different answers. The gain comes on top of a background of as many
    differing answers, half of them gained and half of them lost.
    """
    background = background_rate(changed, examples)
    if background * examples > _MOST_EXACT:
        return _normal_detectable(background, examples, level)

    def power(gain: float) -> float:
        return claim_power(background / 2 + gain, background / 2, examples, level)

    low, high = 0.0, min(1 - background, 1.5 * _normal_detectable(background, examples, level))
    if power(high) < POWER:
        high = 1 - background
        if power(high) < POWER:
            return math.nan
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


def pass_power(rate: float, examples: int, margin: float, level: float) -> float:
    """Return the probability that Tango's interval lies above −margin if the models are equal.

    rate: probability that an answer differs; gained and lost answers are equally likely. margin: above 0.
    """
    from scipy.special import bdtrc, ndtr, ndtri

    if rate * examples > _MOST_EXACT:
        return float(ndtr(margin / math.sqrt(rate / examples) + ndtri(level / 2)))
    changed, chances = _numbers_that_differ(examples, rate)
    fewest = _fewest_to_pass(changed, examples, margin, level)
    possible = fewest <= changed
    beyond = np.zeros(len(changed))
    sure = fewest <= 0
    beyond[sure] = 1.0
    some = possible & ~sure
    beyond[some] = bdtrc(fewest[some] - 1, changed[some], 0.5)
    return float(chances @ beyond)


def _numbers_that_differ(examples: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how many answers may differ, all but the least likely numbers, and their probabilities."""
    from scipy.special import gammaln, xlog1py, xlogy

    rate = min(rate, 1.0)
    mean, spread = examples * rate, math.sqrt(examples * rate * (1 - rate))
    first, last = max(0, int(mean - 7 * spread - 10)), min(examples, int(mean + 7 * spread + 10))
    changed = np.arange(first, last + 1)
    ways = gammaln(examples + 1) - gammaln(changed + 1) - gammaln(examples - changed + 1)
    return changed, np.exp(ways + xlogy(changed, rate) + xlog1py(examples - changed, -rate))


@lru_cache(maxsize=16)
def _fewest_gained(level: float, most: int) -> np.ndarray:
    """Return for 0 to `most` differing answers how many must be gained to claim; one more if all do not."""
    from scipy.special import bdtr, ndtr

    changed = np.arange(most + 1)

    def claims(gained: np.ndarray) -> np.ndarray:
        lost = changed - gained
        at_most = bdtr(lost, changed, 0.5)
        below = np.where(lost > 0, bdtr(np.maximum(lost - 1, 0), changed, 0.5), 0.0)
        score = 2 * ndtr(-(gained - lost) / np.sqrt(np.maximum(changed, 1)))
        return np.asarray(np.maximum(at_most + below, score) < level)

    low, high = (changed + 1) // 2, changed + 1
    while (low < high).any():
        middle = np.minimum((low + high) // 2, changed)
        found = claims(middle) & (middle < high)
        low, high = np.where(found | (low >= high), low, middle + 1), np.where(found, middle, high)
    return high


def _fewest_to_pass(changed: np.ndarray, examples: int, margin: float, level: float) -> np.ndarray:
    """Return how many of the differing answers must be gained to pass; one more if all do not."""
    from scipy.special import ndtri

    limit = -float(ndtri(level / 2))
    low, high = np.zeros_like(changed), changed + 1
    while (low < high).any():
        middle = np.minimum((low + high) // 2, changed)
        found = (_score(middle, changed - middle, examples, -margin) > limit) & (middle < high)
        low, high = np.where(found | (low >= high), low, middle + 1), np.where(found, middle, high)
    return high


def _score(gained: np.ndarray, lost: np.ndarray, examples: int, difference: float) -> np.ndarray:
    """Return `harness.stats.proportions.tango_score` of arrays, (n,).

    Where there is no standard error it is very large in place of infinite.
    """
    first = -gained - lost + (2 * examples - gained + lost) * difference
    second = -lost * difference * (1 - difference)
    root = np.sqrt(np.maximum(first * first - 8 * examples * second, 0.0))
    variance = (root - first) / 2 + examples * difference * (1 - difference)
    return np.asarray((gained - lost - examples * difference) / np.sqrt(np.maximum(variance, 1e-300)))


def _normal_detectable(background: float, examples: int, level: float) -> float:
    """Return the detectable gain by the normal approximation, for many differing answers."""
    from scipy.special import ndtri

    times = float(ndtri(1 - level / 2) + ndtri(POWER))
    # gain² · n = times² · (background + gain): differing answers that are gained add to the variance.
    squared = times * times / examples
    return (squared + math.sqrt(squared * squared + 4 * squared * background)) / 2


def _power_of_two(number: int) -> int:
    return int(1 << max(number, 1).bit_length())
