"""Metrics against scipy and scikit-learn, plain and resampled."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from sklearn import metrics as sklearn_metrics

from harness.metrics import standard as metrics

pytestmark = pytest.mark.kernels

BINARY = {
    metrics.ROC_AUC: sklearn_metrics.roc_auc_score,
    metrics.AVERAGE_PRECISION: sklearn_metrics.average_precision_score,
}
CORRELATION = {
    metrics.SPEARMAN: lambda gold, predicted: scipy_stats.spearmanr(gold, predicted)[0],
    metrics.PEARSON: lambda gold, predicted: scipy_stats.pearsonr(gold, predicted)[0],
}


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        pytest.param([1, 2, 3, 4], 1.0, id="the same order"),
        pytest.param([4, 3, 2, 1], -1.0, id="the reverse order"),
        pytest.param([1, 2, 2, 4], 0.9486832980505138, id="a tie gets the average rank"),
        pytest.param([5, 5, 5, 5], np.nan, id="a constant side is undefined"),
    ],
)
def test_spearman_of_four_pairs(predicted, expected):
    assert metrics.spearman([1, 2, 3, 4], predicted) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("metric", [*BINARY, *CORRELATION, metrics.MACRO_F1], ids=lambda metric: metric.name)
def test_no_examples_are_undefined_and_not_an_error(metric):
    assert np.isnan(metric.compute(np.array([]), np.array([])))


@pytest.mark.parametrize("metric", [*BINARY, *CORRELATION, metrics.MACRO_F1], ids=lambda metric: metric.name)
def test_columns_of_unequal_length_are_an_error(metric):
    with pytest.raises(ValueError, match="unequal length"):
        metric.compute([1, 0], [1, 0, 1])


@pytest.mark.parametrize("shift", [0, 1e6, -3e9])
def test_a_constant_far_from_zero_is_still_constant(shift):
    assert np.isnan(metrics.pearson(np.full(50, shift + 0.1), np.arange(50.0)))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_the_bits_of_a_resample_do_not_depend_on_the_others(data):
    rows, examples = data.draw(st.integers(2, 70)), data.draw(st.integers(1, 90))
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    gold, predicted = generator.integers(0, 2, examples), generator.normal(size=examples)
    counts = generator.integers(0, 4, size=(rows, examples)).astype(float)
    start = data.draw(st.integers(0, rows - 1))
    block = slice(start, data.draw(st.integers(start + 1, rows)))
    for metric in (*BINARY, *CORRELATION, metrics.MACRO_F1, metrics.mean_metric("value")):
        columns = {1: [predicted], 2: [gold, predicted]}[len(metric.columns)]
        columns = [gold, predicted > 0] if metric is metrics.MACRO_F1 else columns
        for layout in (np.ascontiguousarray, np.asfortranarray):
            whole, part = (metric.resample(*columns, layout(drawn)) for drawn in (counts, counts[block]))
            assert np.array_equal(part, whole[block], equal_nan=True)


ROWS = [*BINARY, *CORRELATION, metrics.MACRO_F1, metrics.mean_metric("value")]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("metric", ROWS, ids=lambda metric: metric.name)
def test_a_nan_in_a_column_is_never_a_score(metric, side):
    columns = [np.array([0.0, 1, 0, 1, 0, 1]), np.array([1.0, 2, 3, 4, 5, 6])][: len(metric.columns)]
    columns[side % len(columns)][[2, 5]] = np.nan
    assert np.isnan(metric.compute(*columns))
    drawn_and_not = np.array([[1.0, 1, 1, 1, 1, 1], [2, 2, 0, 1, 1, 0]])
    assert np.isnan(metric.resample(*columns, drawn_and_not)).all()


def test_ranks_of_infinities_are_ranks_and_their_correlation_undefined():
    gold, predicted = [0, 1, 0, 1], [-np.inf, 2, 1, np.inf]
    assert metrics.roc_auc(gold, predicted) == metrics.average_precision(gold, predicted) == 1
    assert metrics.spearman(gold, predicted) == metrics.spearman(gold, [0, 2, 1, 3])
    assert np.isnan(metrics.pearson(gold, predicted))


def test_roc_auc_needs_both_classes():
    assert np.isnan(metrics.roc_auc([1, 1], [0.2, 0.3]))


def test_a_class_that_is_never_right_has_an_f1_of_zero():
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)


@st.composite
def resampled_columns(draw):
    examples = draw(st.integers(2, 40))
    levels = draw(st.integers(1, 8))
    gold = draw(st.lists(st.integers(0, levels), min_size=examples, max_size=examples))
    predicted = draw(st.lists(st.integers(-3, 3), min_size=examples, max_size=examples))
    seed = draw(st.integers(0, 2**32 - 1))
    counts = np.random.default_rng(seed).multinomial(examples, np.full(examples, 1 / examples), size=4)
    return np.array(gold, dtype=float), np.array(predicted) / 7, counts


def reference(metric, gold, predicted):
    """The independent library's value; NaN where it warns that there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if metric in CORRELATION:
            return CORRELATION[metric](gold, predicted)
        if metric is metrics.MACRO_F1:
            return sklearn_metrics.f1_score(gold, predicted, average="macro", zero_division=0)
        if len(set(gold)) < 2:
            only_positives = metric is metrics.AVERAGE_PRECISION and gold[0] == 1
            return 1.0 if only_positives else np.nan
        return BINARY[metric](gold, predicted)


@pytest.mark.parametrize("metric", [*BINARY, *CORRELATION, metrics.MACRO_F1], ids=lambda metric: metric.name)
@settings(max_examples=60, deadline=None)
@given(columns=resampled_columns())
def test_every_resample_scores_as_the_reference_scores_its_rows(metric, columns):
    gold, predicted, counts = columns
    if metric in BINARY:
        gold = (gold > 1).astype(float)
    if metric is metrics.MACRO_F1:
        predicted = np.round(predicted * 7)
    picks = [np.repeat(np.arange(len(gold)), row) for row in counts]
    expected = [reference(metric, gold[pick], predicted[pick]) for pick in picks]
    found = metric.resample(gold, predicted, counts.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-9, equal_nan=True)
    np.testing.assert_allclose(
        [metric.compute(gold[pick], predicted[pick]) for pick in picks], expected, atol=1e-9, equal_nan=True
    )
