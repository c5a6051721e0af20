"""Several training seeds as one candidate."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import spearmanr, t

from harness.metrics.standard import PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.gain import gain_of
from harness.stats.influence import influences
from harness.stats.joint import Line
from harness.stats.multiple import adjust
from harness.stats.training_seeds import seeds_gain

VALUE = mean_metric("value")


def seeds(generator, *, count=3, rows=200, spread=0.0, gain=0.0):
    """Pair a baseline with candidates that share their examples' gains and differ by their seed."""
    base, common = generator.normal(size=rows), generator.normal(gain, 0.3, rows)
    return [
        AnswerPair.of(
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "spread"),
    [
        (2, 0.0),
        (2, 0.1),
        *(pytest.param(*asked, marks=pytest.mark.slow) for asked in itertools.product((3, 5), (0.0, 0.1))),
    ],
)
def test_the_interval_covers_whichever_source_prevails(count, spread):
    generator = np.random.default_rng(count)
    result = [seeds_gain(seeds(generator, count=count, spread=spread)).gain for _ in range(150)]
    assert np.mean([one.low <= 0 <= one.high for one in result]) > 0.90
    assert all((one.p < 0.05) == (not one.low <= 0 <= one.high) for one in result)


@pytest.mark.slow
def test_the_share_of_variance_from_seeds_is_estimated():
    generator = np.random.default_rng(1)
    shares = {
        spread: np.mean([seeds_gain(seeds(generator, spread=spread)).from_seeds for _ in range(50)])
        for spread in (0.0, 0.02, 0.3)
    }
    assert shares[0.0] < 0.1 < shares[0.02] < 0.5 < 0.8 < shares[0.3] <= 1


def test_the_p_value_is_where_the_interval_touches_zero():
    result = seeds_gain(seeds(np.random.default_rng(3), spread=0.02, gain=0.05)).gain
    low, high = result.curve.interval(result.p)
    assert min(abs(low), abs(high)) < 1e-6


def test_too_few_units_have_no_interval():
    result = seeds_gain(seeds(np.random.default_rng(0), rows=9))
    assert (result.gain.test, result.from_seeds) == ("none", None)
    assert math.isnan(result.gain.low)


def fixed(*moved, rows=20, base=None):
    """Pair a baseline with one candidate for each gain, which all examples have."""
    base = np.full(rows, 0.5) if base is None else base
    return [AnswerPair.of(VALUE, ([base], None), ([base + gain], None), np.arange(rows)) for gain in moved]


def test_examples_that_all_stayed_equal_leave_the_interval_of_a_single_candidate():
    result, alone = seeds_gain(fixed(0.0, 0.0, 0.0)), gain_of(fixed(0.0)[0])
    assert (result.gain.value, result.gain.p, result.from_seeds) == pytest.approx((0.0, 1.0, 0.0))
    assert (result.gain.low, result.gain.high) == pytest.approx((alone.low, alone.high))
    assert alone.high - alone.low > 0.1


def test_unbounded_values_that_all_moved_alike_have_the_interval_of_the_range_that_was_seen():
    alone, several = gain_of(fixed(7.0)[0]), seeds_gain(fixed(7.0, 7.0)).gain
    assert alone.low < 7.0 <= alone.high
    assert (several.low, several.high) == pytest.approx((alone.low, alone.high))


@pytest.mark.parametrize("metric", [VALUE, SPEARMAN, PEARSON, ROC_AUC], ids=lambda metric: metric.name)
def test_seeds_that_do_not_differ_have_the_interval_of_one(metric):
    pair = answered(metric, np.random.default_rng(4))
    result, alone = seeds_gain([pair] * 3), gain_of(pair)
    assert (result.gain.low, result.gain.high) == pytest.approx((alone.low, alone.high))
    assert result.gain.p == pytest.approx(alone.curve.p(), rel=1e-4)
    assert result.from_seeds == 0.0


def answered(metric, generator, *, noise=1.0, rows=60):
    gold = generator.normal(size=rows)
    base, cand = (gold + size * generator.normal(size=rows) for size in (1.0, noise))
    if metric is VALUE:
        return AnswerPair.of(VALUE, ([base], None), ([cand], None), np.arange(rows))
    gold = (gold > 0.5).astype(int) if metric is ROC_AUC else gold
    return AnswerPair.of(metric, ([gold, base], None), ([gold, cand], None), np.arange(rows))


@pytest.mark.parametrize("metric", [SPEARMAN, ROC_AUC], ids=lambda metric: metric.name)
def test_perfect_candidates_leave_as_much_doubt_as_one_of_them(metric):
    """Influences are all zero there, and so would be their error; the metric's own curve knows better."""
    gold = (np.arange(24) < 4).astype(int) if metric is ROC_AUC else np.arange(24.0)
    sides = [gold * 2.0 + np.arange(24) / 100 * scale for scale in (1.0, 2.0, 3.0)]
    pairs = [
        AnswerPair.of(metric, ([gold, sides[0]], None), ([gold, side], None), np.arange(24))
        for side in sides[1:]
    ]
    result, alone = seeds_gain(pairs).gain, gain_of(pairs[0])
    assert (result.value, result.p) == (0.0, 1.0)
    assert (result.low, result.high) == pytest.approx((alone.low, alone.high))
    assert result.high - result.low > 0.2


def test_both_sources_add_up():
    generator = np.random.default_rng(5)
    moved, gains = generator.normal(size=40), np.array([0.1, -0.2, 0.4])
    pairs = [
        AnswerPair.of(VALUE, ([np.zeros(40)], None), ([moved + gain], None), np.arange(40)) for gain in gains
    ]
    result = seeds_gain(pairs)
    of_seeds, of_examples = gains.var(ddof=1) / 3, moved.var(ddof=1) / 40
    # Moved by a constant, all seeds have one and the same part by examples.
    above = [one.high - pair.gain for one, pair in zip(map(gain_of, pairs), pairs, strict=True)]
    half = np.sqrt(t.ppf(0.975, 2) ** 2 * of_seeds + np.mean(above) ** 2)
    assert result.gain.high - result.gain.value == pytest.approx(half)
    assert result.gain.standard_error >= np.sqrt(of_seeds + of_examples) * (1 - 1e-9)
    assert result.from_seeds == pytest.approx(of_seeds / (of_seeds + of_examples), rel=0.05)


def test_a_lower_level_has_a_wider_interval():
    curve = seeds_gain(seeds(np.random.default_rng(6), spread=0.1)).gain.curve
    found = [curve.interval(level) for level in (0.5, 0.05, 1e-3, 1e-6)]
    for inner, outer in itertools.pairwise(found):
        assert outer.low < inner.low < inner.high < outer.high


def test_the_interval_of_values_between_0_and_1_is_within_what_is_possible():
    generator = np.random.default_rng(3)
    base, *sides = (generator.random(20) for _ in range(3))
    pairs = [AnswerPair.of(VALUE, ([base], None), ([side], None), np.arange(20)) for side in sides]
    assert seeds_gain(pairs).gain.curve.interval(1e-9) == (-1.0, 1.0)


def test_the_influence_is_the_mean_over_seeds_by_the_names_of_units():
    pairs = seeds(np.random.default_rng(2))
    result = seeds_gain(pairs).gain
    np.testing.assert_allclose(result.influence, np.mean([influences(pair) for pair in pairs], axis=0))
    np.testing.assert_array_equal(result.unit_names, pairs[0].names)


def test_lines_of_seeds_take_part_in_the_joint_correction():
    """Two recipes with the same gains by example are hardly more than one line; without influences, two."""
    pairs = seeds(np.random.default_rng(2), gain=0.06)
    gains = [seeds_gain(pairs).gain, seeds_gain(pairs[::-1]).gain]
    jointly = adjust([Line(one.p, "task", one.influence, one.unit_names) for one in gains])
    assert gains[0].p < 0.2
    np.testing.assert_allclose(jointly, gains[0].p, rtol=0.1)
    alone = adjust([Line(one.p, "task", None, None) for one in gains])
    assert alone.max() == pytest.approx(1 - (1 - gains[0].p) ** 2, rel=0.1)


def test_seeds_may_count_other_rows():
    """A metric of some rows alone: an example that counts for one seed has no influence on another."""
    generator = np.random.default_rng(1)
    base, cand, names = generator.normal(size=40), generator.normal(size=40), np.arange(40)
    kept = [names % 4 != 0, names % 5 != 0]
    pairs = [AnswerPair.of(VALUE, ([base], rows), ([cand], rows), names) for rows in kept]
    result = seeds_gain(pairs).gain
    assert result.units == (kept[0] | kept[1]).sum()
    assert result.influence.sum() == pytest.approx(0, abs=1e-12)


def test_the_order_of_seeds_does_not_count():
    pairs = seeds(np.random.default_rng(6), spread=0.1, gain=0.1)
    there, back = seeds_gain(pairs), seeds_gain(pairs[::-1])
    assert there.from_seeds == pytest.approx(back.from_seeds)
    assert (there.gain.low, there.gain.high) == pytest.approx((back.gain.low, back.gain.high))


def test_swapping_the_models_negates_the_interval():
    pairs = seeds(np.random.default_rng(7), spread=0.1, gain=0.1)
    turned = [
        AnswerPair(pair.metric, pair.candidate, pair.baseline, pair.units, pair.names) for pair in pairs
    ]
    there, back = seeds_gain(pairs).gain, seeds_gain(turned).gain
    assert (back.low, back.high, back.p) == pytest.approx((-there.high, -there.low, there.p))


def test_clusters_are_the_units():
    generator = np.random.default_rng(8)
    moved, clusters = np.repeat(generator.normal(size=20), 5), np.repeat(np.arange(20), 5)
    pair = AnswerPair.of(VALUE, ([np.zeros(100)], None), ([moved], None), clusters)
    result, alone = seeds_gain([pair] * 2).gain, gain_of(pair)
    assert (result.examples, result.units) == (100, 20)
    assert (result.low, result.high) == pytest.approx((alone.low, alone.high))


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
        [
            AnswerPair.of(SPEARMAN, ([gold, base], None), ([gold, one], None), np.arange(200))
            for one in candidates
        ]
    )
    assert result.gain.low > 0
    assert result.gain.value == pytest.approx(
        np.mean([spearmanr(gold, one).statistic for one in candidates]) - spearmanr(gold, base).statistic
    )
