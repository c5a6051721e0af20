"""Holm's correction of p-values for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def holm(values: ArrayLike) -> np.ndarray:
    """Adjust p-values for the number of tests, by Holm: (n,), in [0, 1].

    values: (n,). NaN is a test that was not made: it stays NaN and does not count. At 5 %, the chance of even
    one false claim among all is then at most 5 %.
    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    p = np.asarray(values, dtype=float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = np.minimum(1.0, (len(order) - np.arange(len(order))) * p[order])
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.maximum.accumulate(scaled)
    return adjusted
