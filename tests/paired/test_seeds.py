"""Several training seeds as one candidate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.metrics import mean_metric
from harness.paired.answers import Paired
from harness.paired.seeds import seeds_gain

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
    found = seeds_gain(pairs).gain
    assert found.value == pytest.approx(np.mean([pair.gain for pair in pairs]))
    assert (found.test, found.units) == ("seeds and examples", 200)
    assert found.low > 0 and found.p < 0.05


@pytest.mark.parametrize("spread", [0.0, 0.1])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_interval_covers_whichever_source_prevails(count, spread):
    generator = np.random.default_rng(count)
    found = [seeds_gain(seeds(generator, count=count, spread=spread)).gain for _ in range(400)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.92
    assert np.mean([one.p < 0.05 for one in found]) < 0.08


def test_it_says_where_the_variance_comes_from():
    generator = np.random.default_rng(1)
    shares = {
        spread: np.mean([seeds_gain(seeds(generator, spread=spread)).from_seeds for _ in range(50)])
        for spread in (0.0, 0.02, 0.3)
    }
    assert shares[0.0] < 0.1 < shares[0.02] < 0.5 < 0.8 < shares[0.3] <= 1


def test_the_p_value_is_where_the_interval_touches_zero():
    found = seeds_gain(seeds(np.random.default_rng(3), spread=0.02, gain=0.05)).gain
    assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def test_too_few_units_have_no_interval():
    found = seeds_gain(seeds(np.random.default_rng(0), rows=9))
    assert (found.gain.test, found.from_seeds) == ("none", None)
    assert math.isnan(found.gain.low)


def test_equal_candidates_of_equal_examples_have_no_doubt():
    base = np.zeros(20)
    pairs = [Paired.of(VALUE, ([base], None), ([base], None), np.arange(20))] * 3
    assert (seeds_gain(pairs).gain.value, seeds_gain(pairs).gain.p) == (0.0, 1.0)
