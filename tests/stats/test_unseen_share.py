"""What so many units cannot show."""

from __future__ import annotations

import pytest
from scipy import stats

from harness.stats.curve import Interval
from harness.stats.unseen_share import UnseenCurve, unseen_share


@pytest.mark.parametrize("units", [10, 47, 500])
def test_the_unseen_share_is_the_exact_bound_of_none_among_so_many(units):
    assert unseen_share(units) == pytest.approx(stats.binomtest(0, units).proportion_ci(method="exact").high)


def test_a_curve_without_any_difference_reaches_towards_both_bounds():
    low, high = UnseenCurve(0.9, 60, Interval(0.0, 1.0), "exact").interval()
    assert (low, high) == pytest.approx((0.9 - 0.9 * unseen_share(60), 0.9 + 0.1 * unseen_share(60)))
