"""McNemar's test and Tango's interval, alone and together; proportions of clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from harness.stats.proportions import FlipsCurve, ShareCurve, mcnemar, tango


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


@pytest.mark.parametrize("level", [0.2, 0.01, 1e-4])
def test_an_interval_of_any_level_ends_where_the_p_value_is_the_level(level):
    curve = FlipsCurve(30, 12, 200)
    low, high = curve.interval(level)
    assert curve.p(low) == pytest.approx(level, rel=1e-6) or low == 0
    assert curve.p(high) == pytest.approx(level, rel=1e-6)


def test_both_tests_of_no_gain_agree_on_any_counts_at_any_level():
    for gained in range(16):
        for lost in range(16):
            curve = FlipsCurve(gained, lost, 60)
            assert curve.p() >= mcnemar(gained, lost)
            for level in (0.2, 0.05, 0.01):
                low, high = curve.interval(level)
                assert (curve.p() < level) == (not low <= 0 <= high), (gained, lost, level)


def test_a_p_value_falls_with_the_distance_from_the_estimate():
    curve = FlipsCurve(4, 0, 50)
    centers = np.linspace(-1, 1, 201)
    p = np.array([curve.p(center) for center in centers])
    estimate = 4 / 50
    assert (np.diff(p[centers <= estimate]) >= 0).all()
    assert (np.diff(p[centers >= estimate]) <= 0).all()


def exact_errors(examples, changed, share):
    """Type I error and coverage over all counts, where a share of answers changes for the better."""
    gained, lost = (grid.ravel() for grid in np.meshgrid(*[np.arange(examples + 1)] * 2))
    possible = gained + lost <= examples
    gained, lost = gained[possible], lost[possible]
    chances = stats.multinomial(examples, [changed * share, changed * (1 - share), 1 - changed]).pmf(
        np.column_stack([gained, lost, examples - gained - lost])
    )
    likely = chances > 1e-9
    truth = changed * (2 * share - 1)
    rejected = covered = 0.0
    for more, fewer, chance in zip(gained[likely], lost[likely], chances[likely], strict=True):
        curve = FlipsCurve(int(more), int(fewer), examples)
        low, high = curve.interval()
        rejected += chance * (curve.p() < 0.05)
        covered += chance * (low <= truth <= high)
    return rejected, covered


@pytest.mark.parametrize(("examples", "changed"), [(50, 0.2), (50, 0.5), (120, 0.1)])
def test_the_exact_errors_of_right_and_wrong_answers_are_within_bounds(examples, changed):
    rejected, covered = exact_errors(examples, changed, 0.5)
    assert rejected <= 0.05
    assert covered >= 0.945
    assert exact_errors(examples, changed, 0.3)[1] >= 0.94


def test_a_share_of_few_degrees_of_freedom_has_a_wider_interval():
    known = ShareCurve(0.8, 50, np.inf, 200, binary=True).interval()
    few = ShareCurve(0.8, 50, 9, 200, binary=True).interval()
    exact = stats.binomtest(40, 50).proportion_ci(method="exact")
    assert known == pytest.approx((exact.low, exact.high))
    assert few.low < known.low < known.high < few.high


def test_no_more_right_answers_are_effective_than_there_are():
    assert ShareCurve(0.8, 900, 99, 200, binary=True).interval() == pytest.approx(
        ShareCurve(0.8, 200, np.inf, 200, binary=True).interval()
    )
