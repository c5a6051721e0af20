"""Sign flips: all patterns, by any way of counting them; tails by a saddlepoint."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from harness.stats import sign_flip
from harness.stats.sign_flip import SubsetTail, sign_flip_p
from harness.stats.tail_curve import sign_curve
from harness.stats.tails import RangeTail, Residuals, SignTail

pytestmark = pytest.mark.kernels


def even(differences):
    """Units of one size."""
    count = len(differences)
    return Residuals.of(np.asarray(differences, float) / count, np.full(count, 1 / count))


@pytest.mark.parametrize("rows", [8, 12])
def test_few_differences_have_the_exact_p_value_of_scipy(rows):
    differences = np.random.default_rng(rows).normal(0.4, 1, rows)
    reference = stats.permutation_test(
        (differences, np.zeros(rows)), lambda a, b: np.sum(a - b), permutation_type="samples",
        n_resamples=np.inf,
    )  # fmt: skip
    assert sign_flip_p(differences) == pytest.approx(reference.pvalue, abs=1e-12)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1 / 3, 1.0]), min_size=1, max_size=11))
def test_a_p_value_is_the_share_of_all_patterns_of_signs(differences):
    moved = [each for each in differences if each]
    sums = [abs(sum(s * d for s, d in zip(signs, moved, strict=True)))
            for signs in itertools.product((-1, 1), repeat=len(moved))]  # fmt: skip
    expected = np.mean([each >= abs(sum(moved)) - 1e-9 for each in sums])
    assert sign_flip_p(np.array(differences)) == pytest.approx(expected)


def test_values_that_differ_by_rounding_alone_count_as_equal():
    """0.1 + 0.2 is not 0.3 in floats: sums of such values tie all the same."""
    rounded = np.array([0.1 + 0.2, -0.3, 0.3, 0.3, 0.1 + 0.2, -0.3, 0.3, 0.1 + 0.2])
    assert sign_flip_p(rounded) == sign_flip_p(np.round(rounded, 1)) == stats.binomtest(6, 8).pvalue


def test_many_differences_on_a_grid_have_the_exact_p_value():
    assert sign_flip_p(np.r_[np.full(60, 0.25), np.full(40, -0.25)]) == pytest.approx(
        stats.binomtest(60, 100).pvalue, rel=1e-9
    )


def test_a_grid_and_halves_count_the_same_patterns():
    generator = np.random.default_rng(4)
    for _ in range(20):
        differences = generator.choice([0.25, 1 / 3, 0.5, 1.0], 20) * generator.choice([-1, 1, 1], 20)
        steps = sign_flip._grid(differences)
        assert sign_flip._on_a_grid(steps) == pytest.approx(sign_flip._by_halves(differences), rel=1e-6)


def test_many_differences_on_no_grid_have_no_exact_p_value():
    assert sign_flip_p(np.random.default_rng(0).normal(size=200)) is None


@pytest.mark.parametrize("shift", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_the_saddlepoint_is_within_a_tenth_of_all_patterns(shift, seed):
    differences = np.random.default_rng(seed).normal(shift, 1, 26)
    exact = sign_flip_p(differences)
    assert exact > 1e-5
    assert sign_curve(even(differences)).p() == pytest.approx(exact, rel=0.1)


def test_the_saddlepoint_is_that_of_many_random_flips():
    differences = np.random.default_rng(1).standard_t(3, 150) + 0.45
    coins = np.random.default_rng(2).integers(0, 2, (100_000, 150), dtype=np.int8)
    sums = coins @ (2 * differences) - differences.sum()
    share = np.mean(np.abs(sums) >= abs(differences.sum()))
    error = math.sqrt(share / 100_000)
    assert 0.001 < share < 0.05
    assert abs(sign_curve(even(differences)).p() - share) < 4 * error


def test_all_sets_of_units_and_the_saddlepoint_have_about_one_interval():
    generator = np.random.default_rng(5)
    sizes = generator.integers(1, 9, 15)
    totals = generator.normal(0.2, 1, 15) * sizes
    residuals = Residuals.of(totals / sizes.sum(), sizes / sizes.sum())
    sets, point = SubsetTail.of(residuals), SignTail(residuals)
    for level in (0.2, 0.05, 0.01):
        assert sets.low_end(level, -9) == pytest.approx(point.low_end(level, -9), abs=0.05)


def test_a_center_is_rejected_by_the_share_of_sets_whose_gain_is_no_larger():
    generator = np.random.default_rng(6)
    weights = generator.random(10)
    weights /= weights.sum()
    totals = generator.normal(size=10) * weights
    tail = SubsetTail.of(Residuals.of(totals, weights))
    sets = [list(each) for size in range(1, 11) for each in itertools.combinations(range(10), size)]
    gains = np.array([totals[each].sum() / weights[each].sum() for each in sets])
    for center in (-1.0, -0.2, 0.0, 0.3):
        assert tail.probability(center) == pytest.approx((1 + (gains <= center).sum()) / 1024)


@pytest.mark.parametrize(("right", "examples"), [(3, 50), (40, 50), (98, 100), (500, 1000)])
def test_the_bound_that_knows_the_range_is_clopper_and_pearsons_for_right_and_wrong(right, examples):
    values = np.r_[np.ones(right), np.zeros(examples - right)]
    low = RangeTail(even(values), 0.0, 1 / examples).low_end(0.025, 0.0)
    assert low == pytest.approx(special.betaincinv(right, examples - right + 1, 0.025), rel=0.01)


def test_the_bound_that_knows_the_range_is_that_of_random_weights():
    values = np.random.default_rng(3).beta(3, 1, 40)
    weights = np.random.default_rng(4).exponential(size=(100_000, 41))
    sums = (weights[:, :40] @ values) / weights.sum(axis=1)
    low = RangeTail(even(values), 0.0, 1 / 40).low_end(0.025, 0.0)
    assert low == pytest.approx(np.quantile(sums, 0.025), abs=0.002)
