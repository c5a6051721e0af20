"""Why a gain is what it is: what moved, and on which part of the examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from compare.made import CORRECT, SPEARMAN
from harness.compare.changes import MOST, changes_of
from harness.compare.slices import slices_of
from harness.metrics import MACRO_F1, mean_metric


def table(rows, **columns):
    return {"id": np.array([f"e{row}" for row in range(rows)], dtype=object)} | {
        name: np.array(values, dtype=object) if isinstance(values[0], str) else np.asarray(values)
        for name, values in columns.items()
    }


def test_answers_that_flip_are_counted_and_shown_with_their_texts():
    texts = [f"text {row}" for row in range(12)]
    base = table(12, correct=[1.0] * 6 + [0.0] * 6, question=texts)
    cand = table(12, correct=[0.0] * 2 + [1.0] * 9 + [0.0], question=texts)
    found = changes_of("quiz", CORRECT, base, cand)
    assert (found.what, found.gained, found.lost) == ("answers", 5, 2)
    assert [one.id for one in found.most_lost] == ["e0", "e1"]
    assert found.most_lost[0].texts == {"question": "text 0"}
    assert (found.most_lost[0].baseline, found.most_lost[0].candidate) == (1.0, 0.0)


def test_queries_are_ordered_by_what_they_gained_and_ties_by_their_ids():
    metric = mean_metric("ndcg@10")
    base = table(6, **{"ndcg@10": [0.5] * 6})
    cand = table(6, **{"ndcg@10": [0.5, 0.9, 0.7, 0.9, 0.1, 0.4]})
    found = changes_of("search", metric, base, cand)
    assert [one.id for one in found.most_gained] == ["e1", "e3", "e2"]
    assert [one.id for one in found.most_lost] == ["e4", "e5"]


def test_pairs_move_by_how_much_nearer_their_rank_comes_to_golds():
    base = table(4, gold=[1.0, 2.0, 3.0, 4.0], predicted=[0.4, 0.3, 0.2, 0.1])
    cand = table(4, gold=[1.0, 2.0, 3.0, 4.0], predicted=[0.1, 0.2, 0.3, 0.4])
    found = changes_of("sts", SPEARMAN, base, cand)
    assert (found.what, found.gained, found.lost) == ("pairs", 4, 0)
    # Ranks 4 and 1 were three away from gold's, and are none away now.
    assert [one.id for one in found.most_gained] == ["e0", "e3", "e1", "e2"]
    assert (found.most_gained[0].gold, found.most_gained[0].baseline) == ("1", 0.4)


def test_classes_that_agree_with_gold_are_right():
    base = table(3, gold=["a", "b", "a"], probe=["a", "a", "b"])
    cand = table(3, gold=["a", "b", "a"], probe=["b", "b", "b"])
    from dataclasses import replace

    found = changes_of("clauses", replace(MACRO_F1, columns=("gold", "probe")), base, cand)
    assert ([one.id for one in found.most_gained], [one.id for one in found.most_lost]) == (["e1"], ["e0"])


def test_only_the_first_few_are_shown_and_all_are_counted():
    base, cand = table(50, correct=[0.0] * 50), table(50, correct=[1.0] * 50)
    found = changes_of("quiz", CORRECT, base, cand)
    assert (found.gained, len(found.most_gained)) == (50, MOST)


def test_a_metric_of_lists_shows_no_example_and_raises_nothing():
    from dataclasses import replace

    lists = np.empty(20, dtype=object)
    lists[:] = [np.array([0.1, 0.2])] * 20
    base = {"id": np.arange(20), "scores": lists, "relevant": lists}
    metric = replace(
        SPEARMAN, name="precision@recall80", columns=("scores", "relevant"), compute=lambda *_: 0.5
    )
    metric = replace(metric, resample=lambda *columns: np.full(len(columns[-1]), 0.5))
    assert changes_of("spans", metric, base, base).gained == 0


# --- slices -----------------------------------------------------------------------------------------------


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
