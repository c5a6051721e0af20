"""Metrics on many resamples at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.metrics.standard import AVERAGE_PRECISION
from harness.stats.resamples import resampled_scores

pytestmark = pytest.mark.kernels


def test_a_metric_without_a_fast_path_has_the_same_scores():
    generator = np.random.default_rng(0)
    gold = (generator.random(60) < 0.5).astype(int)
    columns = [gold, gold + generator.normal(size=60)]
    counts = generator.multinomial(60, np.full(60, 1 / 60), size=20).astype(float)
    plain = resampled_scores(replace(AVERAGE_PRECISION, resample=None), columns, counts)
    assert resampled_scores(AVERAGE_PRECISION, columns, counts) == pytest.approx(plain, abs=1e-12)
