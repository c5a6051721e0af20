"""The smallest true gain that a test finds."""

from __future__ import annotations

from harness.stats.curve import LEVEL, quantile

POWER = 0.80
"""Probability with which a test finds the detectable gain."""


def detectable_gain(error: float, units: float, level: float = LEVEL) -> float:
    """Return the smallest true gain that a two-sided test at `level` finds with 80 % power.

    error: standard error of the gain.

    Source: Bloom (1995), "Minimum detectable effects: a simple way to report the statistical power of
    experimental designs".
    """
    return (quantile(1 - level / 2, units - 1) + quantile(POWER, units - 1)) * error
