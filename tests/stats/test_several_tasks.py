"""The mean and the smallest of several gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from harness.metrics.standard import mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.curve import Interval, StudentCurve
from harness.stats.gain import gain_of
from harness.stats.several_tasks import MeanCurve, mean_curve, shared_doubt, smallest_interval

MEAN = mean_metric("ndcg", "value")


def gain(values, *, units="u", identical=False):
    """Return the gain of values over zeros. units: what the names of the units begin with."""
    values = np.asarray(values, dtype=float)
    sides = ([np.zeros(len(values))], None), ([values], None)
    names = np.array([f"{units}{row:04d}" for row in range(len(values))])
    return gain_of(AnswerPair.of(MEAN, *sides, names), identical=identical)


def gains(count, seed, rows=60, worth=0.0):
    generator = np.random.default_rng(seed)
    return [gain(generator.normal(worth, 0.1, rows), units=f"t{place}-") for place in range(count)]


def mean_of(gains, level=0.05):
    return mean_curve(gains).interval(level)


def test_the_mean_of_one_gain_has_its_interval():
    (one,) = gains(1, 0)
    assert mean_of([one]) == pytest.approx((one.low, one.high), abs=1e-15)
    assert smallest_interval([one]) == (one.low, one.high)


def test_equal_gains_have_a_mean_whose_interval_is_narrower_by_the_root_of_their_number():
    values = np.random.default_rng(1).normal(0, 0.1, 60)
    one, *others = (gain(values, units=f"t{place}-") for place in range(4))
    low, high = mean_of([one, *others])
    assert (high - low) == pytest.approx((one.high - one.low) / 2)


def test_a_skewed_interval_stays_skewed_in_the_mean():
    values = np.zeros(60)
    values[:5] = 1.0  # right and wrong answers
    skewed, other = gain(values), gain(values, units="other")
    above, below = skewed.high - skewed.value, skewed.value - skewed.low
    low, high = mean_of([skewed, other])
    assert (high - skewed.value) / (skewed.value - low) == pytest.approx(above / below)


def test_identical_answers_add_no_doubt_to_a_mean():
    (one,) = gains(1, 2)
    same = gain(np.zeros(60), identical=True)
    low, high = mean_of([one, same])
    assert (high - low) == pytest.approx((one.high - one.low) / 2)


def test_swapping_the_models_negates_the_interval_of_the_mean():
    generator = np.random.default_rng(3)
    values = [generator.normal(0.1, 0.3, 40) for _ in range(3)]
    low, high = mean_of([gain(each) for each in values])
    assert mean_of([gain(-each) for each in values]) == pytest.approx((-high, -low), abs=1e-6)


def test_gains_whose_squares_overflow_have_an_interval_of_the_mean():
    curve = StudentCurve(2e200, 1e200, 1e9, Interval(1e200, 4e200))
    large = [replace(each, value=2e200, curve=curve) for each in gains(4, 5)]
    assert mean_of(large, 1e-9) == pytest.approx((1.5e200, 3e200))


def test_the_mean_of_tasks_has_the_root_of_the_squares_of_their_halves_at_any_level():
    mean = MeanCurve([0.1, 0.3], [StudentCurve(0.1, 0.03, 1e9), StudentCurve(0.3, 0.04, 1e9)])
    for level, deviate in ((0.05, 1.959964), (0.0025, 3.023341)):
        low, high = mean.interval(level)
        assert (low, high) == pytest.approx((0.2 - deviate * 0.025, 0.2 + deviate * 0.025), abs=1e-5)
        assert mean.p(low) == pytest.approx(level, abs=1e-6)


def test_the_smallest_gain_has_an_interval_at_any_level():
    several = gains(5, 4)
    low, high = smallest_interval(several, 0.01)
    assert low == min(one.curve.interval(0.01).low for one in several)
    assert high == min(one.curve.interval(0.01 / 5).high for one in several)


def test_tasks_that_share_their_units_are_as_doubtful_as_one():
    values = np.random.default_rng(7).normal(0, 0.1, 60)
    one, again = gain(values), gain(values)
    assert mean_of([one, again]) == pytest.approx((one.low, one.high))
    assert shared_doubt([one, again]) == pytest.approx(2**0.5)


def test_units_that_are_not_shared_or_go_against_each_other_add_nothing():
    values = np.random.default_rng(8).normal(0, 0.1, 60)
    assert shared_doubt([gain(values), gain(values, units="other")]) == pytest.approx(1.0)
    assert shared_doubt([gain(values), gain(-values)]) == 1.0
    assert shared_doubt([gain(values)]) == 1.0


def test_names_that_are_equal_by_chance_add_little():
    generator = np.random.default_rng(9)
    doubts = [shared_doubt([gain(generator.normal(0, 0.1, 100)) for _ in range(6)]) for _ in range(40)]
    assert np.mean(doubts) < 1.05


def test_the_lower_end_of_the_smallest_gain_needs_no_correction_and_the_upper_end_does():
    several = gains(5, 4)
    low, high = smallest_interval(several)
    assert low == min(one.low for one in several)
    own = [one.curve.interval(0.05 / 5).high for one in several]
    assert high == min(own)
    assert high >= min(one.value for one in several)


def test_the_intervals_of_mean_and_smallest_cover_the_truth():
    """Three standard errors of 1,000 repetitions: 2.1 %; each end of the smallest gain's may miss 2.5 %."""
    truths = np.array([0.0, 0.0, 0.02, 0.05])
    template, generator = gain(np.arange(40.0)), np.random.default_rng(6)
    covered = above = below = 0
    for _ in range(1000):
        several = [measured(template, generator.normal(worth, 0.1, 40)) for worth in truths]
        low, high = mean_of(several)
        covered += low <= truths.mean() <= high
        low, high = smallest_interval(several)
        above += low > truths.min()
        below += high < truths.min()
    error = 3 * scipy_stats.binom(1000, 0.05).std() / 1000
    assert 0.95 - error < covered / 1000 < 0.98
    assert above / 1000 < 0.025 + error
    assert below / 1000 < 0.025 + error


def measured(template, values):
    """Return the gain of normal values by Student's t, which holds exactly for them."""
    curve = StudentCurve(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)
    low, high = curve.interval()
    return replace(template, value=curve.value, low=low, high=high, curve=curve, influence=None)
