"""Examples behind a gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata

from comparison.made import CORRECT, SPEARMAN, table
from harness.comparison.flips import MOST, find_changes
from harness.metrics.standard import MACRO_F1, mean_metric


def test_answers_that_flip_are_counted_and_shown_with_their_texts():
    texts = [f"text {row}" for row in range(12)]
    base = table(12, correct=[1.0] * 6 + [0.0] * 6, question=texts)
    cand = table(12, correct=[0.0] * 2 + [1.0] * 9 + [0.0], question=texts)
    found = find_changes("quiz", CORRECT, base, cand)
    assert (found.what, found.gained, found.lost) == ("answers", 5, 2)
    assert [one.id for one in found.most_lost] == ["e0", "e1"]
    assert found.most_lost[0].texts == {"question": "text 0"}
    assert (found.most_lost[0].baseline, found.most_lost[0].candidate) == (1.0, 0.0)


def test_queries_are_ordered_by_what_they_gained_and_ties_by_their_ids():
    metric = mean_metric("ndcg@10")
    base = table(6, **{"ndcg@10": [0.5] * 6})
    cand = table(6, **{"ndcg@10": [0.5, 0.9, 0.7, 0.9, 0.1, 0.4]})
    found = find_changes("search", metric, base, cand)
    assert [one.id for one in found.most_gained] == ["e1", "e3", "e2"]
    assert [one.id for one in found.most_lost] == ["e4", "e5"]


def test_pairs_move_by_how_much_closer_their_rank_comes_to_the_rank_of_gold():
    base = table(4, gold=[1.0, 2.0, 3.0, 4.0], predicted=[0.4, 0.3, 0.2, 0.1])
    cand = table(4, gold=[1.0, 2.0, 3.0, 4.0], predicted=[0.1, 0.2, 0.3, 0.4])
    found = find_changes("sts", SPEARMAN, base, cand)
    assert (found.what, found.gained, found.lost) == ("pairs", 4, 0)
    # Ranks 4 and 1 were three away from gold's, and are none away now.
    assert [one.id for one in found.most_gained] == ["e0", "e3", "e1", "e2"]
    assert (found.most_gained[0].gold, found.most_gained[0].baseline) == ("1", 0.4)


def test_classes_that_agree_with_gold_are_right():
    base = table(3, gold=["a", "b", "a"], probe=["a", "a", "b"])
    cand = table(3, gold=["a", "b", "a"], probe=["b", "b", "b"])
    found = find_changes("clauses", replace(MACRO_F1, columns=("gold", "probe")), base, cand)
    assert ([one.id for one in found.most_gained], [one.id for one in found.most_lost]) == (["e1"], ["e0"])


def test_only_the_first_few_are_shown_and_all_are_counted():
    base, cand = table(50, correct=[0.0] * 50), table(50, correct=[1.0] * 50)
    found = find_changes("quiz", CORRECT, base, cand)
    assert (found.gained, len(found.most_gained)) == (50, MOST)


def test_a_metric_of_lists_shows_no_example_and_raises_nothing():
    lists = np.empty(20, dtype=object)
    lists[:] = [np.array([0.1, 0.2])] * 20
    base = {"id": np.arange(20), "scores": lists, "relevant": lists}
    metric = replace(
        SPEARMAN, name="precision@recall80", columns=("scores", "relevant"), compute=lambda *_: 0.5
    )
    metric = replace(metric, resample=lambda *columns: np.full(len(columns[-1]), 0.5))
    assert find_changes("spans", metric, base, base).gained == 0


def test_predictions_that_are_words_are_not_texts():
    """A column of classes that were answered reads like a text, and differs between models."""
    columns = {"hypothesis": ["may share", "may keep", "may sell"], "gold": ["yes", "no", "no"]}
    base = table(3, **columns, predicted=["no"] * 3, verdict=["a", "b", "a"], correct=[0.0, 1.0, 1.0])
    cand = table(3, **columns, predicted=["yes"] * 3, verdict=["a", "b", "b"], correct=[1.0, 0.0, 0.0])
    found = find_changes("nli", CORRECT, base, cand)
    assert found.most_gained[0].texts == {"hypothesis": "may share"}
    assert found.most_gained[0].gold == "yes"


def test_only_rows_that_the_metric_includes_can_move():
    metric = mean_metric("score", "score", where="asked")
    rows = {"asked": [True, True, False, False]}
    base = table(4, score=[0.0, 1.0, 0.0, 0.5], **rows)
    cand = table(4, score=[1.0, 1.0, 1.0, 9.0], **rows)
    found = find_changes("quiz", metric, base, cand)
    # Excluded rows have values other than 0 and 1, which would make it `queries`.
    assert (found.what, found.gained, found.lost) == ("answers", 1, 0)


def test_ranks_are_those_of_included_rows():
    metric = replace(SPEARMAN, where="asked")
    rows = {"asked": [True, True, True, False], "gold": [1.0, 2.0, 3.0, 99.0]}
    base = table(4, predicted=[1.0, 2.0, 3.0, -9.0], **rows)
    cand = table(4, predicted=[1.0, 2.0, 3.0, 99.0], **rows)
    assert find_changes("sts", metric, base, cand).gained == 0


def test_the_largest_moves_come_first_in_any_order_of_rows():
    generator = np.random.default_rng(0)
    gold, values = generator.uniform(0, 5, 40), generator.normal(size=(2, 40))
    base, cand = (table(40, gold=gold, predicted=side) for side in values)
    off = [np.abs(rankdata(gold) - rankdata(side)) for side in values]
    nearer = off[0] - off[1]
    expected = sorted(np.flatnonzero(nearer > 0), key=lambda row: (-nearer[row], f"e{row}"))[:MOST]
    found = find_changes("sts", SPEARMAN, base, cand)
    assert [one.id for one in found.most_gained] == [f"e{row}" for row in expected]
    assert (found.gained, found.lost) == (int((nearer > 0).sum()), int((nearer < 0).sum()))
    shuffled = generator.permutation(40)
    again = find_changes("sts", SPEARMAN, *({k: v[shuffled] for k, v in one.items()} for one in (base, cand)))
    assert (again.most_gained, again.most_lost) == (found.most_gained, found.most_lost)


def test_exchanging_the_models_exchanges_gained_and_lost():
    generator = np.random.default_rng(1)
    base, cand = (table(30, gold=np.arange(30.0), predicted=generator.normal(size=30)) for _ in "ab")
    there, back = find_changes("sts", SPEARMAN, base, cand), find_changes("sts", SPEARMAN, cand, base)
    assert (there.gained, there.lost) == (back.lost, back.gained)
    assert [one.id for one in there.most_gained] == [one.id for one in back.most_lost]


@pytest.mark.parametrize(
    "text", ["", "\x00\x1b[31mred", "=1+1", "a\nb", "\N{RIGHT-TO-LEFT OVERRIDE}evil", "𝒳" * 999]
)
def test_texts_are_kept_as_they_are(text):
    """Escaping depends on the format, so each writer does its own."""
    base = table(2, correct=[0.0, 1.0], question=[text, "other"])
    cand = table(2, correct=[1.0, 1.0], question=[text, "other"])
    assert find_changes("quiz", CORRECT, base, cand).most_gained[0].texts == {"question": text}


def test_a_value_that_is_missing_has_not_moved():
    base = table(3, value=[np.nan, 0.5, 0.5])
    cand = table(3, value=[0.9, np.nan, 0.7])
    found = find_changes("quiz", mean_metric("value"), base, cand)
    assert [one.id for one in found.most_gained] == ["e2"]
    assert found.lost == 0


def test_no_examples_have_no_changes():
    nothing = {"id": np.empty(0, dtype=object), "correct": np.empty(0)}
    found = find_changes("quiz", CORRECT, nothing, nothing)
    assert (found.gained, found.lost, found.slices) == (0, 0, ())
