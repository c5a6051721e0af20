"""Tails of random signs, for many sums at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

from harness.stats.flip_curves import FlipCurves, moments

SIZES = {
    "one large": np.r_[8.0, np.ones(19)],
    "Zipf": 1 / np.arange(1, 20),
    "normal": np.random.default_rng(0).normal(size=18),
}


def enumerated(values):
    """All signed sums over the root of the sum of squares, sorted."""
    sums = np.zeros(1)
    for value in np.abs(values):
        sums = np.concatenate([sums - value, sums + value])
    return np.sort(sums) / np.sqrt((values**2).sum())


@pytest.mark.parametrize("name", SIZES)
def test_deviates_are_those_of_all_patterns_of_signs(name):
    sums, curve = enumerated(SIZES[name]), FlipCurves.of(SIZES[name][None])
    for shift in np.quantile(sums, [0.9, 0.975, 0.99, 0.999, 0.9999]):
        tail = (np.mean(sums >= shift - 1e-9) + np.mean(sums > shift + 1e-9)) / 2
        assert curve.at(np.array([shift]))[0] == pytest.approx(-ndtri(tail), abs=0.1)


def test_values_of_one_sign_have_half_of_one_pattern():
    values = np.array([[1.0, 1, 1], [0, 5, 0.1]])
    largest = values.sum(axis=1) / np.sqrt((values**2).sum(axis=1))
    assert FlipCurves.of(values).at(largest) == pytest.approx(-ndtri([1 / 16, 1 / 8]))


def test_many_alike_values_have_a_normal_sum():
    curve = FlipCurves.of(np.where(np.arange(400) % 3, 1.0, -1.0)[None])
    for heads in (220, 230, 240):
        tail = binom.sf(heads, 400, 0.5) + binom.pmf(heads, 400, 0.5) / 2
        assert curve.at(np.array([(2 * heads - 400) / 20]))[0] == pytest.approx(-ndtri(tail), abs=0.03)
    assert curve.at(np.array([1.0])) == pytest.approx([1.0], abs=0.01)


def test_a_curve_rises_and_is_the_same_for_any_signs_units_and_order():
    values = np.random.default_rng(1).standard_t(2, size=(20, 90))
    one, other = FlipCurves.of(values), FlipCurves.of(-5 * values[:, ::-1])
    assert (np.diff(one.deviates) >= 0).all()
    assert (np.diff(one.shifts) >= 0).all()
    np.testing.assert_allclose(one.deviates, other.deviates, rtol=1e-6)
    np.testing.assert_allclose(one.evenly(8)[:, [0, -1]], one.deviates[:, [0, -1]], rtol=1e-6)


def test_moments_are_those_of_all_differences():
    values = np.random.default_rng(2).normal(size=(30, 4))
    squares, fourth = moments(values)
    differences = values[:, :, None] - values[:, None]
    np.testing.assert_allclose(squares, (differences**2).sum(axis=0), atol=1e-12)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(fourth[off], (differences**4).sum(axis=0)[off])
