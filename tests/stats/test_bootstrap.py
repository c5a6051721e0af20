"""Bootstrap resamples: the same draws in blocks of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.metrics.standard import AVERAGE_PRECISION
from harness.stats import bootstrap
from harness.stats.bootstrap import draw_resamples, resampled_scores
from harness.stats.gain import gain_of
from harness.stats.paired import Paired

pytestmark = pytest.mark.kernels


def test_each_resample_draws_as_many_units_as_there_are():
    counts = np.concatenate(list(draw_resamples(40, seed=1, count=500)))
    assert counts.shape == (500, 40)
    assert (counts.sum(axis=1) == 40).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(40), abs=0.2)


@pytest.mark.parametrize("width", [None, 40, 300, 10**9])
def test_the_draws_do_not_depend_on_the_size_of_blocks(width, monkeypatch):
    whole = np.concatenate(list(draw_resamples(40, seed=1, count=50)))
    monkeypatch.setattr(bootstrap, "_BLOCK_CELLS", 1000)
    blocks = list(draw_resamples(40, seed=1, count=50, width=width))
    assert len(blocks) > 1
    assert all(len(block) == 1 or len(block) * (width or 40) <= 1000 for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_a_gain_of_few_large_clusters_is_computed_in_blocks_that_fit_its_examples(monkeypatch):
    generator = np.random.default_rng(0)
    gold, clusters = generator.random(600) < 0.4, np.arange(600) // 50
    sides = [([gold.astype(int), gold + generator.normal(size=600)], None) for _ in range(2)]
    rows = []
    metric = replace(
        AVERAGE_PRECISION,
        resample=lambda *columns: rows.append(len(columns[-1])) or AVERAGE_PRECISION.resample(*columns),
    )
    monkeypatch.setattr(bootstrap, "_BLOCK_CELLS", 60_000)
    gain = gain_of(Paired.of(metric, *sides, clusters), 1)
    assert gain.test == "paired bootstrap"
    assert max(rows) <= 100


def test_a_metric_without_a_fast_path_has_the_same_scores():
    generator = np.random.default_rng(0)
    gold = (generator.random(60) < 0.5).astype(int)
    columns = [gold, gold + generator.normal(size=60)]
    (counts,) = draw_resamples(60, seed=1, count=20)
    plain = resampled_scores(replace(AVERAGE_PRECISION, resample=None), columns, counts)
    assert resampled_scores(AVERAGE_PRECISION, columns, counts) == pytest.approx(plain, abs=1e-12)
