"""Counts of bins, over all examples, against numpy's histograms."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from comparison.made import answer

from harness.metrics.standard import ROC_AUC, SPEARMAN
from harness.report.bins import even_edges, quantile_edges, rank_bins
from harness.report.distributions import distributions_of
from report.made_board import board


def of_kind(answers, kind):
    return {one.model: one for one in distributions_of(answers) if one.kind == kind}


def test_similarities_are_counted_by_class_between_edges_that_models_share(made):
    answers = board(made, "clauses-02")
    found = of_kind(answers, "similarity")
    assert len(found) == 2
    assert len({one.edges for one in found.values()}) == 1
    for name, one in found.items():
        table = answers.tables[name]
        for label, gold in (("0", 0), ("1", 1)):
            expected, _ = np.histogram(table["predicted"][table["gold"] == gold], one.edges)
            assert one.counts[label] == tuple(expected)
        assert sum(map(sum, one.counts.values())) == 40
        assert one.threshold == pytest.approx(answers.evaluations[name].fitted["threshold"], rel=1e-4)


def test_margins_and_similarities_of_triplets_are_counted(made):
    answers = board(made, "triplet-01")
    margins, sides = of_kind(answers, "margin"), of_kind(answers, "similarity")
    for name, table in answers.tables.items():
        assert margins[name].counts[""] == tuple(np.histogram(table["margin"], margins[name].edges)[0])
        assert 0.0 in margins[name].edges
        for side in ("positive", "negative"):
            expected = np.histogram(table[f"{side}_similarity"], sides[name].edges)[0]
            assert sides[name].counts[side] == tuple(expected)
        assert sides[name].threshold is None


@pytest.mark.parametrize(("task", "depth"), [("retrieval-04", 30), ("evidence-05", 40)])
def test_ranks_of_the_first_relevant_document_are_counted(made, task, depth):
    answers = board(made, task)
    for name, one in of_kind(answers, "rank").items():
        table = answers.tables[name]
        ids, gold = ("ranked_ids", "gold_ids") if "ranked_ids" in table else ("ranked", "evidence")
        ranks = [
            next((rank for rank, found in enumerate(row, 1) if found in set(wanted)), None)
            for row, wanted in zip(table[ids], table[gold], strict=True)
        ]
        assert (one.bins[:3], one.bins[-1]) == (("1", "2", "3"), f"not in the first {depth}")
        assert one.counts[""][:2] == (ranks.count(1), ranks.count(2))
        assert one.counts[""][-1] == ranks.count(None)
        assert sum(one.counts[""]) == 40


def test_quality_by_length_is_the_mean_of_each_bin(made):
    answers = board(made, "three-way-03")
    lengths = answers.lengths()
    for name, one in of_kind(answers, "length").items():
        values = answers.qualities[name].values
        counts, sums = (np.histogram(lengths, one.edges, weights=weights)[0] for weights in (None, values))
        assert one.counts[""] == tuple(counts)
        assert one.quality == pytest.approx(sums / counts, rel=1e-4)
        assert max(counts) <= 2 * min(counts)
        assert one.quality_of == "1 where right, else 0"


def test_quality_by_length_has_standard_errors_over_clusters(tmp_path):
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]
    lengths = [5, 5, 5, 5, 9, 9, 20, 20]
    answer(tmp_path / "a", "a", correct=values, text_length=lengths)
    (one,) = of_kind(board(tmp_path / "a", "quiz"), "length").values()
    # Each bin by hand: the deviation of a sample of four, over the root of four.
    expected = [np.std(half, ddof=1) / 2 for half in (values[:4], values[4:])]
    assert one.edges == (5, 9, 20)
    assert one.quality_error == pytest.approx(expected, rel=1e-4)
    answer(tmp_path / "b", "a", correct=values, text_length=lengths, cluster=[*"ppqqrrss"])
    (one,) = of_kind(board(tmp_path / "b", "quiz"), "length").values()
    # Of two clusters of two, deviations add up to 0 in either of the first bin, and to ±0.5 in the second.
    expected = [0.0, np.sqrt(2 * (0.5**2 + 0.5**2)) / 4]
    assert one.quality_error == pytest.approx(expected, rel=1e-4)
    answer(tmp_path / "c", "a", correct=values[:3], text_length=[5, 9, 20])
    (one,) = of_kind(board(tmp_path / "c", "quiz"), "length").values()
    # A single example has no error.
    assert (one.counts[""], one.quality_error[0]) == ((1, 2), None)


def test_ratings_have_no_classes(made):
    assert of_kind(board(made, "sts-00"), "similarity") == {}


def test_values_that_are_not_finite_are_not_counted(tmp_path):
    columns = {"gold": [1, 0, 1, 0], "predicted": [0.5, np.nan, np.inf, 0.25]}
    answer(tmp_path, "a", metrics=(ROC_AUC,), **columns)
    (one,) = of_kind(board(tmp_path, "quiz"), "similarity").values()
    assert {name: sum(counts) for name, counts in one.counts.items()} == {"0": 1, "1": 1}


def test_a_class_that_is_a_text_is_covered_without_texts(tmp_path):
    gold = ["yes, it may be shared", "no"] * 3
    answer(tmp_path, "a", metrics=(replace(SPEARMAN, columns=("score", "predicted")),), gold=gold,
           score=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], predicted=[0.1, 0.3, 0.2, 0.4, 0.5, 0.6])  # fmt: skip
    answers = board(tmp_path, "quiz")
    assert {"no", gold[0]} == distributions_of(answers)[0].counts.keys()
    assert gold[0] not in str(distributions_of(answers, texts=False))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0.0, 1.0),
        (-0.37, 0.91),
        (0.5, 0.5),
        (0.0, 0.0),
        (1e9, 1e9 + 1e-7),
        (-1e308, 1e308),
        (0.0, 5e-324),
        (0, 3e7),
    ],
)
def test_edges_ascend_and_hold_all_values(low, high):
    edges = even_edges(np.array([low, high]))
    assert all(left < right for left, right in itertools.pairwise(edges))
    assert edges[0] <= low <= high <= edges[-1]
    assert 2 <= len(edges) <= 44


def test_lengths_that_are_all_equal_are_one_bin():
    assert quantile_edges(np.full(9, 12.0)) == (12.0, 13.0)
    assert len(quantile_edges(np.arange(100.0))) == 9


def test_bins_of_ranks_end_at_the_depth():
    assert rank_bins([1, 2, 2, 5, 30, None], 30) == (
        ("1", "2", "3", "4–5", "6–10", "11–20", "21–30", "not in the first 30"),
        (1, 2, 0, 1, 0, 0, 1, 1),
    )
    assert rank_bins([1], 1) == (("1", "not in the first 1"), (1, 0))
    assert rank_bins([700], 1000)[0][-4:] == ("201–400", "401–800", "801–1000", "not in the first 1000")
