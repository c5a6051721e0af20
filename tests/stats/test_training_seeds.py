"""Several training seeds as one candidate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr, t, ttest_1samp

from harness.metrics.standard import SPEARMAN, mean_metric
from harness.stats.paired import Paired
from harness.stats.training_seeds import seeds_gain

pytestmark = pytest.mark.kernels

VALUE = mean_metric("value")


def seeds(generator, *, count=3, rows=200, spread=0.0, gain=0.0):
    """Pair a baseline with candidates that share their examples' gains and differ by their seed."""
    base, common = generator.normal(size=rows), generator.normal(gain, 0.3, rows)
    return [
        Paired.of(
            VALUE, ([base], None),
            ([base + common + generator.normal(size=rows) * 0.2 + generator.normal() * spread], None),
            np.arange(rows),
        )
        for _ in range(count)
    ]  # fmt: skip


def test_the_gain_is_the_mean_over_seeds():
    pairs = seeds(np.random.default_rng(0), gain=0.5)
    result = seeds_gain(pairs).gain
    assert result.value == pytest.approx(np.mean([pair.gain for pair in pairs]))
    assert (result.test, result.units) == ("seeds and examples", 200)
    assert result.low > 0 and result.p < 0.05


@pytest.mark.parametrize("spread", [0.0, 0.1])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_interval_covers_whichever_source_prevails(count, spread):
    generator = np.random.default_rng(count)
    result = [seeds_gain(seeds(generator, count=count, spread=spread)).gain for _ in range(400)]
    assert np.mean([one.low <= 0 <= one.high for one in result]) > 0.92
    assert np.mean([one.p < 0.05 for one in result]) < 0.08


def test_the_share_of_variance_from_seeds_is_estimated():
    generator = np.random.default_rng(1)
    shares = {
        spread: np.mean([seeds_gain(seeds(generator, spread=spread)).from_seeds for _ in range(50)])
        for spread in (0.0, 0.02, 0.3)
    }
    assert shares[0.0] < 0.1 < shares[0.02] < 0.5 < 0.8 < shares[0.3] <= 1


def test_the_p_value_is_where_the_interval_touches_zero():
    result = seeds_gain(seeds(np.random.default_rng(3), spread=0.02, gain=0.05)).gain
    assert (result.p < 0.05) == (not result.low <= 0 <= result.high)


def test_too_few_units_have_no_interval():
    result = seeds_gain(seeds(np.random.default_rng(0), rows=9))
    assert (result.gain.test, result.from_seeds) == ("none", None)
    assert math.isnan(result.gain.low)


def fixed(*moved, rows=20, base=None):
    """Pair a baseline with one candidate for each gain, which all examples have."""
    base = np.full(rows, 0.5) if base is None else base
    return [Paired.of(VALUE, ([base], None), ([base + gain], None), np.arange(rows)) for gain in moved]


def test_examples_that_all_stayed_equal_leave_an_interval_with_width():
    """Twenty of twenty: up to 1 − 0.025^(1/20) of all may move, exactly, as for a single candidate."""
    result = seeds_gain(fixed(0.0, 0.0, 0.0))
    assert (result.gain.value, result.gain.p, result.from_seeds) == pytest.approx((0.0, 1.0, 0.0))
    assert (result.gain.low, result.gain.high) == pytest.approx((-0.16843, 0.16843), abs=1e-5)


def test_unbounded_values_have_the_p_value_of_all_examples_moving_one_way():
    result = seeds_gain(fixed(7.0, 7.0))
    assert (result.gain.low, result.gain.high, result.gain.p) == (7.0, 7.0, 2.0**-19)


def test_where_only_seeds_differ_the_interval_is_students_t_over_seeds():
    gains = np.array([3.0, 4.0, 6.0, 7.0])
    result = seeds_gain(fixed(*gains))
    expected = ttest_1samp(gains, 0)
    assert (result.gain.low, result.gain.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert result.gain.p == pytest.approx(expected.pvalue)
    assert result.from_seeds == pytest.approx(1.0)


def test_where_only_examples_differ_the_interval_is_students_t_over_examples():
    generator = np.random.default_rng(4)
    moved = generator.normal(0.1, 1, 50)
    pairs = [Paired.of(VALUE, ([np.zeros(50)], None), ([moved], None), np.arange(50))] * 3
    result, expected = seeds_gain(pairs), ttest_1samp(moved, 0)
    assert (result.gain.low, result.gain.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert result.gain.p == pytest.approx(expected.pvalue)
    assert result.from_seeds == 0.0


def test_both_sources_add_up():
    generator = np.random.default_rng(5)
    moved, gains = generator.normal(size=40), np.array([0.1, -0.2, 0.4])
    pairs = [
        Paired.of(VALUE, ([np.zeros(40)], None), ([moved + gain], None), np.arange(40)) for gain in gains
    ]
    result = seeds_gain(pairs)
    of_seeds, of_examples = gains.var(ddof=1) / 3, moved.var(ddof=1) / 40
    half = np.sqrt(t.ppf(0.975, 2) ** 2 * of_seeds + t.ppf(0.975, 39) ** 2 * of_examples)
    assert result.gain.high - result.gain.value == pytest.approx(half)
    assert result.gain.standard_error == pytest.approx(np.sqrt(of_seeds + of_examples))
    assert result.from_seeds == pytest.approx(of_seeds / (of_seeds + of_examples))


def test_the_order_of_seeds_does_not_count():
    pairs = seeds(np.random.default_rng(6), spread=0.1, gain=0.1)
    there, back = seeds_gain(pairs), seeds_gain(pairs[::-1])
    assert there.from_seeds == pytest.approx(back.from_seeds)
    assert (there.gain.low, there.gain.high) == pytest.approx((back.gain.low, back.gain.high))


def test_swapping_the_models_negates_the_interval():
    pairs = seeds(np.random.default_rng(7), spread=0.1, gain=0.1)
    turned = [Paired(pair.metric, pair.candidate, pair.baseline, pair.units) for pair in pairs]
    there, back = seeds_gain(pairs).gain, seeds_gain(turned).gain
    assert (back.low, back.high, back.p) == pytest.approx((-there.high, -there.low, there.p))


def test_clusters_are_the_units():
    generator = np.random.default_rng(8)
    moved, clusters = np.repeat(generator.normal(size=20), 5), np.repeat(np.arange(20), 5)
    pairs = [Paired.of(VALUE, ([np.zeros(100)], None), ([moved], None), clusters)] * 2
    result, expected = seeds_gain(pairs).gain, ttest_1samp(moved[::5], 0)
    assert (result.examples, result.units) == (100, 20)
    assert (result.low, result.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_a_seed_that_is_undefined_leaves_no_interval():
    pairs = [*fixed(0.1, 0.2), *fixed(np.nan)]
    result = seeds_gain(pairs)
    assert (result.gain.test, result.from_seeds) == ("none", None)
    assert math.isnan(result.gain.value)


def test_the_gain_over_seeds_of_a_correlation():
    generator = np.random.default_rng(9)
    gold = generator.uniform(0, 5, 200)
    base, *candidates = (gold + generator.normal(size=200) * noise for noise in (2, 1, 1.1, 0.9))
    result = seeds_gain(
        [Paired.of(SPEARMAN, ([gold, base], None), ([gold, one], None), np.arange(200)) for one in candidates]
    )
    assert result.gain.low > 0
    assert result.gain.value == pytest.approx(
        np.mean([spearmanr(gold, one).statistic for one in candidates]) - spearmanr(gold, base).statistic
    )
