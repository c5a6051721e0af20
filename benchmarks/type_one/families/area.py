"""Families of ROC-AUC."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.type_one.cells import Drawn, Family
from harness.metrics.standard import ROC_AUC


def area(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """A third positives, and scores whose errors models share in part."""
    gold = (generator.random(n) < 1 / 3).astype(int)
    shared = generator.normal(size=n) * 0.7
    predicted = [gold * (1 + more) + shared + generator.normal(size=n) * 0.7 for more in (0.0, effect)]
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), np.arange(n))


FAMILIES = [
    Family(name="ROC-AUC", metric=ROC_AUC, draw=partial(area, effect=0.0), sizes=(100, 300, 1000)),
]
