"""Verdicts on a line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comparison.test_gate import LINE
from harness.comparison.verdicts import verdict


@pytest.mark.parametrize(
    ("figures", "margin", "expected"),
    [
        pytest.param((0.03, 0.01, 0.05, 0.001), None, "better", id="above, and sure"),
        pytest.param((-0.03, -0.05, -0.01, 0.001), None, "worse", id="below, and sure"),
        pytest.param((0.03, 0.01, 0.05, 0.08), None, "inconclusive", id="not sure after correction"),
        pytest.param((0.0, -0.01, 0.01, 1.0), 0.02, "equivalent", id="within the margin on both sides"),
        pytest.param((0.0, -0.02, 0.01, 1.0), 0.02, "inconclusive", id="touching the margin"),
        pytest.param((0.0, -0.01, 0.01, 1.0), None, "inconclusive", id="no margin, some doubt"),
        pytest.param((0.0, 0.0, 0.0, 1.0), 0.02, "inconclusive", id="an interval of no width shows nothing"),
        pytest.param((-0.005, -0.008, -0.002, 0.001), 0.02, "worse", id="sure, though within the margin"),
        pytest.param((0.03, None, None, None), 0.02, "inconclusive", id="too few units"),
    ],
)
def test_a_verdict_follows_from_the_interval_and_the_corrected_p_value(figures, margin, expected):
    gain, low, high, p_adjusted = figures
    test = "none" if low is None else "Student's t"
    line = replace(LINE, gain=gain, low=low, high=high, p=p_adjusted, p_adjusted=p_adjusted, test=test)
    assert verdict(line, margin) == expected


def test_scores_without_predictions_are_not_tested():
    assert (
        verdict(replace(LINE, low=None, high=None, p_adjusted=None, test="not tested"), 0.1) == "not tested"
    )


@pytest.mark.parametrize("p_adjusted", [1.0, 1e-9])
def test_the_very_same_predictions_are_equivalent_without_a_margin(p_adjusted):
    same = replace(LINE, gain=0.0, low=0.0, high=0.0, p=1.0, p_adjusted=p_adjusted, test="identical")
    assert verdict(same, None) == "equivalent"
    assert verdict(same, 0.0) == "equivalent"
