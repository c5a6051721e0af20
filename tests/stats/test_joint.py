"""Lines by sample, with their units aligned by name."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.joint import Line, by_sample


def line(sample, names, influence):
    return Line(p=0.5, sample=sample, influence=np.array(influence, float), unit_names=np.array(names))


def test_lines_are_grouped_by_sample_and_keep_their_positions():
    unknown = Line(p=0.5, sample="a", influence=None, unit_names=None)
    lines = [
        line("a", ["x", "y"], [1, 2]),
        line("b", ["x", "y"], [3, 4]),
        unknown,
        line("a", ["x", "y"], [5, 6]),
    ]
    first, second = by_sample(lines)
    assert (first.positions, second.positions) == ([0, 3], [1])
    assert first.influences.T.tolist() == [[1, 2], [5, 6]]


def test_units_are_aligned_by_name_and_one_that_a_line_lacks_has_no_influence():
    lines = [line("a", ["y", "x"], [1, 2]), line("a", ["x", "z"], [3, 4])]
    (sample,) = by_sample(lines)
    assert sample.influences.T.tolist() == [[2, 1, 0], [3, 0, 4]]


def test_the_covariance_is_that_of_the_gains():
    values = np.random.default_rng(0).normal(size=(50, 2))
    names = [f"e{row}" for row in range(50)]
    (sample,) = by_sample([line("a", names, (column - column.mean()) / 50) for column in values.T])
    assert sample.covariance() == pytest.approx(np.cov(values.T) / 50)
