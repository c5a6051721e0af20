from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.bench.intervals import FEWEST, median_interval, speed, speed_ratio


@pytest.mark.parametrize("count", [6, 7, 9, 12, 20, 31, 100, 300])
def test_the_ends_of_a_median_are_the_order_statistics_of_the_sign_test(count):
    found = median_interval(list(range(count)))
    critical = int(stats.binom.ppf(0.025, count, 0.5))
    outside = critical if stats.binom.cdf(critical, count, 0.5) <= 0.025 else critical - 1
    assert (found.low, found.high) == (outside, count - 1 - outside)


@pytest.mark.parametrize(
    ("count", "critical"),
    [
        # Wilcoxon's signed-rank test, two-sided 5 %: the published table (Wilcoxon and Wilcox, 1964).
        pytest.param(6, 0, id="6"), pytest.param(8, 3, id="8"), pytest.param(10, 8, id="10"),
        pytest.param(15, 25, id="15"), pytest.param(20, 52, id="20"), pytest.param(25, 89, id="25"),
    ],
)  # fmt: skip
def test_the_ends_of_a_ratio_are_the_walsh_averages_of_the_signed_rank_test(count, critical):
    logs = np.cumsum(np.arange(1, count + 1)) / 100
    walsh = np.sort([(logs[i] + logs[j]) / 2 for i in range(count) for j in range(i, count)])
    found = speed_ratio([1.0] * count, np.exp(logs), spread=0.0)
    assert math.log(found.low) == pytest.approx(walsh[critical])
    assert math.log(found.high) == pytest.approx(walsh[-1 - critical])
    assert math.log(found.value) == pytest.approx(np.median(walsh))


def test_many_rounds_give_about_the_interval_of_the_exact_test():
    logs = np.random.default_rng(0).normal(size=80)
    found = speed_ratio([1.0] * 80, np.exp(logs), spread=0.0)
    for end in (found.low, found.high):
        p = stats.wilcoxon(logs - math.log(end), method="exact").pvalue
        assert 0.03 < p < 0.06


def test_too_few_rounds_have_no_interval():
    few = [1.0] * (FEWEST - 1)
    assert math.isinf(speed(few, 10).half_width)
    assert speed_ratio(few, few).high == math.inf
    assert math.isfinite(speed_ratio([*few, 1.0], [*few, 1.0]).high)


def test_twice_as_fast_has_a_ratio_of_two():
    base = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.2]
    found = speed_ratio([one / 2 for one in base], base, spread=0.0)
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))


def test_what_slows_both_alike_cancels():
    base = [1.0, 5.0, 1.0, 3.0, 1.0, 9.0, 1.0]
    found = speed_ratio([one / 1.5 for one in base], base)
    assert found.value == pytest.approx(1.5)
    assert found.half_width < 0.02


def test_an_interval_is_at_least_as_wide_as_the_spread_between_processes():
    found = speed_ratio([1.0] * 20, [1.0] * 20, spread=0.01)
    assert math.log(found.high) == pytest.approx(1.96 * math.sqrt(2) * 0.01, rel=1e-3)
    assert found.low == pytest.approx(1 / found.high)


@given(st.lists(st.floats(0.1, 10), min_size=6, max_size=25), st.randoms(use_true_random=False))
def test_exchanging_the_two_inverts_the_ratio(base, shuffling):
    mine = list(base)
    shuffling.shuffle(mine)
    one, other = speed_ratio(mine, base), speed_ratio(base, mine)
    assert (one.value, one.low, one.high) == pytest.approx((1 / other.value, 1 / other.high, 1 / other.low))


def _wandering(generator, count):
    """Slowness of a shared machine: it varies slowly, and one slot in ten meets another process."""
    wander = np.zeros(count)
    for place in range(1, count):
        wander[place] = 0.9 * wander[place - 1] + 0.05 * generator.normal()
    spikes = (generator.random(count) < 0.1) * generator.exponential(0.5, count)
    return np.exp(wander + spikes + 0.02 * generator.normal(size=count))


@pytest.mark.parametrize("truth", [1.0, 1.3])
def test_intervals_cover_the_truth_under_a_varying_load(truth):
    """Nominal 95 %; 300 simulated benches of 15 rounds, so 90 % is four standard errors below."""
    generator, drawing, covered = np.random.default_rng(7), random.Random(7), 0
    for _ in range(300):
        slots = _wandering(generator, 30).reshape(15, 2)
        orders = [drawing.sample([0, 1], 2) for _ in range(15)]
        base = [slot[order[0]] for slot, order in zip(slots, orders, strict=True)]
        mine = [slot[order[1]] / truth for slot, order in zip(slots, orders, strict=True)]
        found = speed_ratio(mine, base, spread=0.0)
        covered += found.low <= truth <= found.high
    assert covered / 300 >= 0.90
