"""McNemar's test and Tango's interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from harness.stats.proportions import mcnemar, tango

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize(("gained", "lost"), [(3, 10), (0, 6), (5, 5), (40, 61), (1, 0)])
def test_mid_p_is_the_exact_p_value_less_half_the_chance_of_what_was_seen(gained, lost):
    changed, fewer = gained + lost, min(gained, lost)
    exact = 2 * stats.binom.cdf(fewer, changed, 0.5)
    assert mcnemar(gained, lost) == pytest.approx(
        min(1.0, exact - stats.binom.pmf(fewer, changed, 0.5)), abs=1e-12
    )
    assert mcnemar(gained, lost) <= stats.binomtest(gained, changed, 0.5).pvalue + 1e-12


def test_nothing_changed_is_no_evidence():
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(
    ("gained", "lost", "examples"), [(9, 3, 100), (0, 5, 40), (30, 30, 200), (12, 1, 60)]
)
def test_the_score_interval_ends_where_the_score_test_just_rejects(gained, lost, examples):
    """An end is found again by maximizing the likelihood under a fixed difference, numerically."""

    def score(difference):
        def loss(off):
            chances = np.array([off + difference, off, 1 - 2 * off - difference])
            counts = np.array([gained, lost, examples - gained - lost])
            with np.errstate(divide="ignore", invalid="ignore"):
                return -np.where(counts > 0, counts * np.log(np.maximum(chances, 1e-300)), 0).sum()

        low, high = max(0.0, -difference), (1 - difference) / 2
        off = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        variance = examples * (2 * off + difference * (1 - difference))
        return (gained - lost - examples * difference) / np.sqrt(variance)

    low, high = tango(gained, lost, examples)
    assert score(low) == pytest.approx(stats.norm.isf(0.025), abs=1e-3)
    assert score(high) == pytest.approx(-stats.norm.isf(0.025), abs=1e-3)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200))
def test_the_interval_contains_the_difference_and_swaps_with_the_models(gained, lost, same):
    examples = gained + lost + same
    if not examples:
        return
    low, high = tango(gained, lost, examples)
    assert -1 <= low <= (gained - lost) / examples <= high <= 1
    assert tango(lost, gained, examples) == pytest.approx((-high, -low), abs=1e-9)
