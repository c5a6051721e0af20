"""Random draws: what they add up to, how they spread, and that a seed settles them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.paired import resampling
from harness.paired.resampling import resamples, signs


@pytest.mark.parametrize("units", [1, 10, 333])
def test_every_resample_draws_as_many_units_as_there_are(units):
    counts = np.concatenate(list(resamples(units, 0, 200)))
    assert counts.shape == (200, units)
    assert (counts.sum(axis=1) == units).all()
    assert (counts >= 0).all()


def test_a_unit_comes_as_often_as_a_binomial_says():
    counts = np.concatenate(list(resamples(50, 3, 4000))).ravel()
    seen = np.bincount(counts.astype(int), minlength=8)[:5] / len(counts)
    assert seen == pytest.approx(stats.binom.pmf(np.arange(5), 50, 1 / 50), abs=0.004)


def test_signs_are_fair_and_do_not_hang_together():
    coins = np.concatenate(list(signs(20, 4, 9999)))
    assert set(np.unique(coins)) == {0.0, 1.0}
    assert coins.mean(axis=0) == pytest.approx(np.full(20, 0.5), abs=0.025)
    assert np.abs(np.corrcoef(coins.T) - np.eye(20)).max() < 0.05


@pytest.mark.parametrize("draw", [resamples, signs])
def test_a_seed_settles_the_draws_and_another_changes_them(draw):
    one, again, other = (np.concatenate(list(draw(40, seed, 30))) for seed in (7, 7, 8))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("draw", [resamples, signs])
def test_blocks_bound_what_is_held_at_once_and_give_the_whole_number(draw, monkeypatch):
    monkeypatch.setattr(resampling, "_BLOCK_CELLS", 100)
    blocks = list(draw(30, 0, 10))
    assert [len(block) for block in blocks] == [3, 3, 3, 1]
