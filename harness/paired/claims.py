"""Claims made at once: how sure each still is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of one false claim among all is kept; NaN stays NaN and counts not.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    tested = sorted((value, position) for position, value in enumerate(values) if not math.isnan(value))
    adjusted = [math.nan] * len(values)
    largest = 0.0
    for rank, (value, position) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * value))
        adjusted[position] = largest
    return adjusted
