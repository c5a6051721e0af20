"""On which part of the examples a gain lies, and how often a part is flagged by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_rel

from compare.made import CORRECT, SPEARMAN, table
from harness.compare.slices import FEWEST_OF_UNKNOWN, MOST_CLUSTERS, slices_of
from harness.metrics import AVERAGE_PRECISION, MACRO_F1, ROC_AUC, mean_metric

PROBE = replace(MACRO_F1, name="probe_macro_f1", columns=("gold", "probe"))

def measured(found, by):
    return {one.value: one for one in found if one.by == by}


def test_the_gain_on_a_part_and_its_interval_are_those_of_the_part_alone():
    generator = np.random.default_rng(0)
    gold = np.repeat(["law", "chat"], 60)
    values = [generator.normal(size=120), generator.normal(0.3, 1, 120)]
    base, cand = (table(120, value=column, gold=list(gold)) for column in values)
    law = measured(slices_of(mean_metric("value"), base, cand), "gold")["law"]
    reference = ttest_rel(values[1][gold == "law"], values[0][gold == "law"])
    assert law.gain == pytest.approx((values[1] - values[0])[gold == "law"].mean())
    assert (law.low, law.high) == pytest.approx(tuple(reference.confidence_interval()))
    assert (
        law.p_holm == pytest.approx(min(1, 2 * reference.pvalue), abs=1e-9) or law.p_holm >= reference.pvalue
    )


def test_a_part_where_the_candidate_fails_is_flagged_and_the_others_are_not():
    texts = ["short"] * 100 + ["a much longer text than that"] * 100
    base = table(200, correct=[1.0, 1.0, 0.0, 1.0] * 50, question=texts)
    wrong = [1.0, 1.0, 0.0, 1.0] * 25 + [0.0] * 100
    found = slices_of(CORRECT, base, table(200, correct=wrong, question=texts))
    by_length = measured(found, "length")
    assert [one.flagged for one in by_length.values()] == [False, True]
    assert list(by_length) == ["≤ 5 characters", "5 – 28 characters"]


def test_truncated_texts_are_a_part_where_either_model_cut_them():
    cut = [True] * 20 + [False] * 20
    base = table(40, correct=[1.0] * 40, truncated=[False] * 40)
    cand = table(40, correct=[0.0] * 20 + [1.0] * 20, truncated=cut)
    found = measured(slices_of(CORRECT, base, cand), "truncated")
    assert {name: (one.examples, one.gain) for name, one in found.items()} == {
        "yes": (20, -1.0),
        "no": (20, 0.0),
    }


def test_parts_of_fewer_than_ten_units_are_left_out():
    clusters = ["big"] * 30 + ["small"] * 9
    base = table(39, correct=[1.0] * 39, cluster=clusters)
    assert list(measured(slices_of(CORRECT, base, base), "cluster")) == ["big"]


def test_a_correlation_is_left_out_where_gold_is_constant():
    generator = np.random.default_rng(0)
    base = table(60, gold=[1.0, 2.0, 3.0] * 20, predicted=generator.normal(size=60))
    cand = table(60, gold=[1.0, 2.0, 3.0] * 20, predicted=generator.normal(size=60))
    assert measured(slices_of(SPEARMAN, base, cand), "gold") == {}
