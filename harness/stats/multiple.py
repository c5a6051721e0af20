"""Corrections of p-values for many lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.stats.curve import LEVEL
from harness.stats.holm import holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from harness.stats.joint import Line


METHOD = "Holm"
"""Name of the correction, in words."""


def adjust(lines: Sequence[Line]) -> np.ndarray:
    """Adjust p-values for the number of lines: (lines,), in [0, 1]; NaN stays NaN."""
    return holm([line.p for line in lines])


def level_of_a_line(lines: Sequence[Line]) -> float:
    """Return the level at which each line is tested alone so that all together have 5 %."""
    return LEVEL / max(1, sum(not math.isnan(line.p) for line in lines))
