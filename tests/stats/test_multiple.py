"""Step-down correction of p-values over correlated lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from harness.stats.curve import LEVEL
from harness.stats.holm import holm
from harness.stats.joint import Line
from harness.stats.multiple import adjust, level_of_a_line

DRAWS = 5_000


def line(p, influence=None, sample="task", names=None):
    if influence is not None:
        names = np.array([f"e{row:04d}" for row in range(len(influence))]) if names is None else names
    return Line(p=p, sample=sample, influence=influence, unit_names=names)


def influences(rho, lines=2, units=500, seed=0):
    """Influences whose correlations are exactly `rho`, (lines, units)."""
    drawn = np.random.default_rng(seed).normal(size=(units, lines + 1))
    orthogonal = np.linalg.qr(drawn - drawn.mean(axis=0))[0].T
    return math.sqrt(rho) * orthogonal[0] + math.sqrt(1 - rho) * orthogonal[1:]


def within(expected, draws):
    return pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / draws))


def test_lines_whose_influences_are_unknown_are_adjusted_as_independent_ones():
    p = np.array([0.01, 0.2, 0.03])
    # Šidák's correction, step by step.
    expected = [1 - (1 - 0.01) ** 3, 0.2, 1 - (1 - 0.03) ** 2]
    for own, wanted in zip(adjust([line(each) for each in p]), expected, strict=True):
        assert own == within(wanted, 50_000)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_two_correlated_lines_have_the_probability_of_the_bivariate_normal_distribution(rho):
    first, second = influences(rho)
    p, other = 0.02, 0.3
    z = norm.isf(p / 2)
    both = multivariate_normal(cov=[[1, rho], [rho, 1]])
    inside = both.cdf([z, z]) - both.cdf([-z, z]) - both.cdf([z, -z]) + both.cdf([-z, -z])
    adjusted = adjust([line(p, first), line(other, second)])
    assert adjusted[0] == within(1 - inside, 50_000)
    assert adjusted[1] == pytest.approx(other, abs=0.01)


def test_the_same_line_many_times_counts_once():
    (own,) = influences(0.0, 1)
    assert adjust([line(0.03, own)] * 40) == pytest.approx(0.03, abs=0.003)
    assert level_of_a_line([line(0.03, own)] * 40) == pytest.approx(LEVEL, abs=0.003)


def test_lines_of_different_samples_are_independent():
    (own,) = influences(0.0, 1)
    adjusted = adjust([line(0.01, own, sample) for sample in "ab"])
    assert adjusted == within(1 - 0.99**2, 50_000)


def test_the_level_of_a_line_lies_between_that_of_independent_and_of_equal_lines():
    levels = [
        level_of_a_line([line(0.5, own) for own in influences(rho, 20)]) for rho in (0.0, 0.5, 0.9, 0.99)
    ]
    assert levels == sorted(levels)
    assert levels[0] == pytest.approx(1 - 0.95 ** (1 / 20), rel=0.1)
    assert LEVEL / 20 <= levels[0] < levels[-1] < LEVEL
    assert level_of_a_line([line(math.nan), line(0.5)]) == LEVEL
    assert level_of_a_line([]) == LEVEL


def test_a_tiny_p_value_survives_thousands_of_lines():
    lines = [line(1e-12)] + [line(p) for p in np.linspace(0.01, 1, 3_000)]
    adjusted = adjust(lines, DRAWS)
    assert adjusted[0] == pytest.approx(3_001e-12)
    assert adjusted[1] > 0.5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.floats(1e-9, 1), st.just(math.nan), st.just(0.01)), max_size=12),
    st.sampled_from([0.0, 0.4, 0.95]),
    st.randoms(use_true_random=False),
)
def test_adjusted_values_keep_their_order_and_lie_between_p_and_holm_in_any_order_of_lines(p, rho, random):
    own = influences(rho, max(len(p), 1), units=60)
    lines = [
        line(each, None if place % 5 == 4 else own[place], sample=place % 2) for place, each in enumerate(p)
    ]
    adjusted = adjust(lines, 500)
    tested = ~np.isnan(p)
    assert (np.isnan(adjusted) == ~tested).all()
    assert (adjusted[tested] >= np.array(p)[tested]).all()
    assert (adjusted[tested] <= holm(p)[tested]).all()
    in_order = adjusted[np.argsort(p, kind="stable")]
    assert (np.diff(in_order[~np.isnan(in_order)]) >= 0).all()
    shuffled = [*range(len(lines))]
    random.shuffle(shuffled)
    again = adjust([lines[place] for place in shuffled], 500)
    np.testing.assert_array_equal(again, adjusted[shuffled])


def test_neither_swapped_models_nor_reordered_units_change_the_correction():
    own = np.random.default_rng(3).gamma(1.0, size=(6, 100))
    own -= own.mean(axis=1, keepdims=True)
    names = np.array([f"e{row:04d}" for row in range(100)])
    p = [0.004, 0.02, 0.03, 0.2, 0.5, 0.9]
    expected = adjust([line(*each) for each in zip(p, own, strict=True)])
    swapped = [line(each, (-1) ** place * row) for place, (each, row) in enumerate(zip(p, own, strict=True))]
    np.testing.assert_allclose(adjust(swapped), expected, atol=1e-4)
    order = np.random.default_rng(4).permutation(100)
    moved = [line(each, row[order], names=names[order]) for each, row in zip(p, own, strict=True)]
    np.testing.assert_allclose(adjust(moved), expected, atol=1e-4)


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_any_false_claim_among_twenty_equal_candidates_is_made_in_five_percent(rho):
    generator, repetitions, lines, units = np.random.default_rng(5), 400, 20, 100
    false = false_by_holm = 0
    for _ in range(repetitions):
        gains = math.sqrt(rho) * generator.normal(size=units) + math.sqrt(1 - rho) * generator.normal(
            size=(lines, units)
        )
        errors = gains.std(axis=1, ddof=1) / math.sqrt(units)
        p = 2 * norm.sf(np.abs(gains.mean(axis=1)) / errors)
        adjusted = adjust([line(*each) for each in zip(p, gains / units, strict=True)], 2_000)
        false += adjusted.min() < LEVEL
        false_by_holm += holm(p).min() < LEVEL
    error = math.sqrt(LEVEL * (1 - LEVEL) / repetitions)
    assert false / repetitions < LEVEL + 0.01 + 3 * error
    # It uses what Holm's correction leaves unused.
    assert false >= false_by_holm
    assert false / repetitions > LEVEL - 3 * error


def test_more_true_gains_are_found_than_by_holm_where_lines_are_correlated():
    generator = np.random.default_rng(6)
    found = by_holm = 0
    for _ in range(20):
        gains = math.sqrt(0.9) * generator.normal(size=100) + math.sqrt(0.1) * generator.normal(
            size=(100, 100)
        )
        gains[:10] += 0.35
        p = 2 * norm.sf(np.abs(gains.mean(axis=1)) * 10 / gains.std(axis=1, ddof=1))
        adjusted = adjust([line(*each) for each in zip(p, gains / 100, strict=True)], 2_000)
        found += int((adjusted[:10] < LEVEL).sum())
        by_holm += int((holm(p)[:10] < LEVEL).sum())
    assert found > 1.1 * by_holm
