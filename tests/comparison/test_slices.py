"""Gains on slices of the examples, and how often a slice is flagged by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comparison.made import CORRECT, SPEARMAN, table
from harness.comparison.slices import FEWEST_OF_UNKNOWN, MOST_CLUSTERS, measure_slices
from harness.metrics.interface import Metric
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, ROC_AUC, mean_metric
from harness.results.predictions import pair_tables
from harness.stats.gain import gain_of

PROBE = replace(MACRO_F1, name="probe_macro_f1", columns=("gold", "probe"))


def measured(found, by):
    return {one.value: one for one in found if one.by == by}


def alone(metric, base, cand, rows):
    """The gain on some of the rows, as a line has it."""
    return gain_of(
        pair_tables(metric, *({name: column[rows] for name, column in side.items()} for side in (base, cand)))
    )


def test_the_gain_on_a_slice_and_its_interval_are_those_of_the_slice_alone():
    generator = np.random.default_rng(0)
    gold = np.repeat(["law", "chat"], 60)
    base, cand = (table(120, value=generator.normal(mean, 1, 120), gold=list(gold)) for mean in (0.0, 0.3))
    law = measured(measure_slices(mean_metric("value"), base, cand), "gold")["law"]
    whole = alone(mean_metric("value"), base, cand, gold == "law")
    assert law.gain == pytest.approx((cand["value"] - base["value"])[gold == "law"].mean())
    assert (law.gain, law.low, law.high) == (whole.value, whole.low, whole.high)
    assert law.p_adjusted >= whole.p


def test_a_slice_where_the_candidate_fails_is_flagged_and_the_others_are_not():
    texts = ["short"] * 100 + ["a much longer text than that"] * 100
    base = table(200, correct=[1.0, 1.0, 0.0, 1.0] * 50, question=texts)
    wrong = [1.0, 1.0, 0.0, 1.0] * 25 + [0.0] * 100
    found = measure_slices(CORRECT, base, table(200, correct=wrong, question=texts))
    by_length = measured(found, "length")
    assert [one.flagged for one in by_length.values()] == [False, True]
    assert list(by_length) == ["≤ 5 characters", "5 – 28 characters"]


def test_texts_that_either_model_truncated_are_a_slice():
    cut = [True] * 20 + [False] * 20
    base = table(40, correct=[1.0] * 40, truncated=[False] * 40)
    cand = table(40, correct=[0.0] * 20 + [1.0] * 20, truncated=cut)
    found = measured(measure_slices(CORRECT, base, cand), "truncated")
    assert {name: (one.examples, one.gain) for name, one in found.items()} == {
        "yes": (20, -1.0),
        "no": (20, 0.0),
    }


def test_slices_of_fewer_than_ten_units_are_left_out():
    clusters = ["big"] * 30 + ["small"] * 9
    base = table(39, correct=[1.0] * 39, cluster=clusters)
    assert list(measured(measure_slices(CORRECT, base, base), "cluster")) == ["big"]


def test_a_correlation_is_left_out_where_gold_is_constant():
    generator = np.random.default_rng(0)
    base = table(60, gold=[1.0, 2.0, 3.0] * 20, predicted=generator.normal(size=60))
    cand = table(60, gold=[1.0, 2.0, 3.0] * 20, predicted=generator.normal(size=60))
    assert measured(measure_slices(SPEARMAN, base, cand), "gold") == {}


def test_right_and_wrong_answers_are_tested_on_a_slice_as_on_all_examples():
    generator = np.random.default_rng(0)
    gold = np.array(["law", "chat"] * 100)
    base, cand = (table(200, gold=list(gold), correct=generator.random(200) < share) for share in (0.6, 0.7))
    law = measured(measure_slices(CORRECT, base, cand), "gold")["law"]
    whole = alone(CORRECT, base, cand, gold == "law")
    assert whole.test == "McNemar mid-p"
    assert (law.gain, law.low, law.high) == (whole.value, whole.low, whole.high)
    assert law.p_adjusted >= whole.p


def test_p_values_are_corrected_over_all_slices_of_the_line():
    cut = np.array([True] * 20 + [False] * 20)
    base = table(40, correct=[0.0] * 40, truncated=cut)
    cand = table(40, correct=[1.0] * 10 + [0.0] * 28 + [1.0] * 2, truncated=[False] * 40)
    found = measured(measure_slices(CORRECT, base, cand), "truncated")
    small, large = (alone(CORRECT, base, cand, rows).p for rows in (cut, ~cut))
    assert small < large / 2
    assert (found["yes"].p_adjusted, found["no"].p_adjusted) == pytest.approx((2 * small, large))


def test_units_that_all_move_alike_leave_the_chance_that_they_do():
    clusters = ["all"] * 10 + [f"c{row}" for row in range(30)]
    base = table(40, margin=[0.0] * 40, cluster=clusters)
    moved = table(40, margin=[0.3] * 10 + [0.0] * 30, cluster=clusters)
    (found,) = measure_slices(mean_metric("margin"), base, moved)
    assert found.p_adjusted >= 2 * 2**-10
    assert found.low < 0.3 <= found.high


def test_a_slice_where_nothing_moved_has_an_interval_wider_than_zero():
    lengths = ["short"] * 40 + ["much longer"] * 40
    base = table(80, recall=[0.5, 1.0] * 40, question=lengths, cluster=[f"c{row // 2}" for row in range(80)])
    found = measured(measure_slices(mean_metric("recall"), base, base), "length")["≤ 5 characters"]
    assert found.low < -0.05
    assert found.high > 0.05
    assert (found.examples, found.clusters, found.p_adjusted, found.flagged) == (40, 20, 1.0, False)


def test_a_slice_of_all_examples_is_left_out():
    columns = {
        "truncated": [False] * 30,
        "gold": ["a"] * 30,
        "question": ["same"] * 30,
        "cluster": ["c"] * 30,
    }
    base, cand = table(30, correct=[0.0] * 30, **columns), table(30, correct=[1.0] * 30, **columns)
    assert measure_slices(CORRECT, base, cand) == ()


def test_predictions_that_are_words_do_not_count_for_the_length_of_a_text():
    words = {"predicted": ["yes"] * 20 + ["certainly not"] * 20, "verdict": ["a"] * 20 + ["bbb"] * 20}
    base = table(40, correct=[1.0] * 40, question=["same"] * 40, **words)
    cand = table(40, correct=[0.0] * 40, question=["same"] * 40, predicted=["no"] * 40, verdict=["a"] * 40)
    assert measured(measure_slices(CORRECT, base, cand), "length") == {}


@pytest.mark.parametrize("metric", [ROC_AUC, AVERAGE_PRECISION], ids=lambda metric: metric.name)
def test_a_metric_that_compares_with_gold_has_no_slice_of_constant_gold(metric):
    """Average precision is 1 where all are positive, whatever was predicted."""
    generator = np.random.default_rng(0)
    base, cand = (table(200, gold=[0, 1] * 100, predicted=generator.normal(size=200)) for _ in "ab")
    assert measure_slices(metric, base, cand) == ()


def test_gold_of_many_values_is_cut_into_quartiles():
    generator = np.random.default_rng(0)
    gold = np.linspace(0, 5, 101)
    base, cand = (table(101, gold=gold, predicted=gold + generator.normal(size=101)) for _ in "ab")
    found = measured(measure_slices(SPEARMAN, base, cand), "gold")
    assert [one.examples for one in found.values()] == [26, 25, 25, 25]
    assert list(found) == ["≤ 1.25", "1.25 – 2.5", "2.5 – 3.75", "3.75 – 5"]


def test_a_metric_that_we_do_not_know_needs_more_units():
    generator = np.random.default_rng(0)
    sizes = {"large": FEWEST_OF_UNKNOWN, "small": FEWEST_OF_UNKNOWN - 1}
    clusters = [name for name, size in sizes.items() for _ in range(size)]
    median = Metric("median", lambda value: float(np.median(value)), ("value",))
    base, cand = (
        table(len(clusters), value=generator.normal(size=len(clusters)), cluster=clusters) for _ in "ab"
    )
    assert list(measured(measure_slices(median, base, cand), "cluster")) == ["large"]


@pytest.mark.parametrize("metric", [ROC_AUC, AVERAGE_PRECISION, PROBE], ids=lambda metric: metric.name)
def test_a_slice_with_fewer_than_ten_examples_of_a_class_is_left_out(metric):
    generator = np.random.default_rng(0)
    clusters = ["enough"] * 40 + ["few"] * 60
    gold = np.array([1] * 10 + [0] * 30 + [1] * 9 + [0] * 51)
    columns = (
        {name: gold + generator.normal(size=100) for name in metric.columns[1:]}
        if metric is not PROBE
        else {"probe": np.where(generator.random(100) < 0.7, gold, 0)}
        for _ in "ab"
    )
    base, cand = (table(100, gold=gold, cluster=clusters, **each) for each in columns)
    assert list(measured(measure_slices(metric, base, cand), "cluster")) == ["enough"]


def test_only_the_largest_clusters_have_a_slice():
    clusters = [f"c{row % (MOST_CLUSTERS + 5):02}" for row in range(10 * (MOST_CLUSTERS + 5))]
    base = table(len(clusters), correct=[1.0] * len(clusters), cluster=[*clusters[:-1], "c00"])
    found = measured(measure_slices(CORRECT, base, base), "cluster")
    assert len(found) == MOST_CLUSTERS
    assert next(iter(found)) == "c00"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        pytest.param("truncated", ["yes", "no"] * 10, id="a task's own column of that name"),
        pytest.param("gold", [np.nan] * 20, id="gold that is missing"),
        pytest.param("cluster", ["", "\x00", "=1+1", "𝒳"] * 5, id="clusters of strange names"),
        pytest.param("question", ["", "\x1b[31m"] * 10, id="texts of no length"),
    ],
)
def test_unusual_columns_raise_nothing(column, values):
    base = table(20, correct=[1.0, 0.0] * 10, **{column: values})
    cand = table(20, correct=[1.0, 0.0] * 9 + [0.0, 0.0], **{column: values})
    assert not any(one.flagged for one in measure_slices(CORRECT, base, cand))


def test_clusters_of_the_baseline_apply_to_both_models():
    base = table(24, correct=[1.0] * 24, cluster=["a"] * 12 + ["b"] * 12)
    cand = table(24, correct=[0.0] * 12 + [1.0] * 12)
    assert {
        name: one.gain for name, one in measured(measure_slices(CORRECT, base, cand), "cluster").items()
    } == {
        "a": -1.0,
        "b": 0.0,
    }


def test_no_examples_have_no_slices():
    assert measure_slices(CORRECT, table(0, correct=[]), table(0, correct=[])) == ()


def _accuracy(generator):
    return CORRECT, [{"correct": generator.random(300) < 0.7} for _ in "ab"]


def _recall(generator):
    return mean_metric("recall"), [{"recall": generator.integers(0, 5, 300) / 4} for _ in "ab"]


def _ranked(generator):
    gold = generator.uniform(0, 5, 300)
    return SPEARMAN, [{"gold": gold, "predicted": gold + generator.normal(size=300)} for _ in "ab"]


def _probed(generator):
    gold = generator.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1]).astype(object)
    guesses = [np.where(generator.random(300) < 0.7, gold, "a") for _ in "ab"]
    return PROBE, [{"gold": gold, "probe": guess} for guess in guesses]


@pytest.mark.parametrize(
    "draw", [_accuracy, _probed, *(pytest.param(each, marks=pytest.mark.slow) for each in (_recall, _ranked))]
)
def test_comparisons_of_equal_models_rarely_have_a_flag(draw):
    """At 5 % over all slices: of 60 comparisons, eight or more have a flag by chance in 1 of 100 trials."""
    generator, flagged = np.random.default_rng(0), 0
    for _ in range(60):
        metric, sides = draw(generator)
        shared = {
            "question": np.array(["x" * size for size in generator.integers(1, 300, 300)], dtype=object),
            "cluster": np.array([f"c{row // 12}" for row in range(300)], dtype=object),
        }
        base, cand = (table(300, **shared, **side) for side in sides)
        flagged += any(one.flagged for one in measure_slices(metric, base, cand))
    assert flagged < 8
