"""Average rank, Borda points and means per tag."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from comparison.made import answer
from conftest import evaluated
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from harness.metrics.standard import mean_metric
from harness.results.folder import ResultsFolder
from harness.results.leaderboard import boards
from harness.results.overall import overall
from harness.results.significance import pairwise_stats
from harness.results.significance_tables import overall_table


def evaluations_of(**scores):
    """Records: model → scores by task, None where it was not asked."""
    return [
        evaluated(model, task, score, fingerprint=model[0] * 64, tags=("law" if task == "t1" else "talk",))
        for model, own in scores.items()
        for task, score in own.items()
        if score is not None
    ]


def missing_scores(ranking):
    return {row.model: row.missing for row in ranking.models if row.missing}


def test_ranks_are_averaged_and_ties_share_theirs():
    evaluations = evaluations_of(
        best={"t1": 0.9, "t2": 0.9}, good={"t1": 0.8, "t2": 0.7}, fair={"t1": 0.7, "t2": 0.7}
    )
    (ranking,) = overall(boards(evaluations), {})
    assert [(row.model, row.average_rank, row.borda) for row in ranking.models] == [
        ("best", 1.0, 4.0),
        ("good", 2.25, 1.5),
        ("fair", 2.75, 0.5),
    ]


@given(st.integers(2, 6), st.integers(2, 5), st.data())
def test_ranks_and_points_are_those_of_scipy_and_of_counting(models, tasks, data):
    grade = st.sampled_from([0.1, 0.2, 0.3, 0.4])
    table = np.array([[data.draw(grade) for _ in range(models)] for _ in range(tasks)])
    names = [f"{letter}-model" for letter in "abcdef"[:models]]
    evaluations = evaluations_of(
        **{name: {f"t{t}": table[t, m] for t in range(tasks)} for m, name in enumerate(names)}
    )
    (ranking,) = overall(boards(evaluations), {})
    by_name = {row.model: row for row in ranking.models}
    average = rankdata(-table, axis=1).mean(axis=0)
    assert [by_name[name].average_rank for name in names] == pytest.approx(average)
    for m, name in enumerate(names):
        others = np.delete(table, m, axis=1)
        own = table[:, [m]]
        assert by_name[name].borda == (others < own).sum() + 0.5 * (others == own).sum()


def test_a_model_that_lacks_a_task_is_shown_and_not_ranked():
    evaluations = evaluations_of(
        best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7}, half={"t1": 0.99, "t2": None}
    )
    (ranking,) = overall(boards(evaluations), {})
    assert [(row.model, row.average_rank, row.missing) for row in ranking.models] == [
        ("best", 1.5, {}),
        ("good", 1.5, {}),
        ("half", None, {"t2": "not run"}),
    ]
    assert "half is not ranked, it lacks t2 (not run)" in overall_table(ranking).remarks
    assert ranking.models[2].means.keys() == {"law"}


def test_a_score_that_is_not_comparable_or_failed_or_undefined_is_missing():
    evaluations = evaluations_of(best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7})
    evaluations += [evaluated("other", "t1", 0.5, digest="e" * 64), evaluated("other", "t2", 0.5)]
    evaluations += [evaluated("broken", "t1", error="boom"), evaluated("broken", "t2", 0.5)]
    evaluations += [evaluated("early", "t1", error="boom", data="own"), evaluated("early", "t2", 0.5)]
    evaluations += [evaluated("flat", "t1", None), evaluated("flat", "t2", 0.5)]
    (ranking,) = overall(boards(evaluations), {})
    assert missing_scores(ranking) == {
        "broken": {"t1": "ERROR"},
        "early": {"t1": "ERROR"},
        "flat": {"t1": "undefined"},
        "other": {"t1": "asked something else"},
    }
    assert (ranking.tasks, ranking.not_counted) == (["t1", "t2"], [])


def test_models_that_all_lack_something_are_shown_without_ranks():
    evaluations = evaluations_of(
        one={"t1": 0.9, "t2": 0.6}, two={"t1": 0.9, "t3": 0.6}, six={"t2": 0.9, "t3": 0.6}
    )
    (ranking,) = overall(boards(evaluations), {})
    assert [(row.model, row.average_rank, row.borda) for row in ranking.models] == [
        ("one", None, None),
        ("six", None, None),
        ("two", None, None),
    ]
    assert not any(cell.best for row in overall_table(ranking).rows for cell in row[:3])


def test_a_task_of_one_model_does_not_count():
    evaluations = evaluations_of(best={"t1": 0.9, "t2": 0.6, "t3": 0.5}, good={"t1": 0.8, "t2": 0.7})
    (ranking,) = overall(boards(evaluations), {})
    assert (ranking.tasks, ranking.not_counted, missing_scores(ranking)) == (["t1", "t2"], ["t3"], {})
    assert any(
        "fewer than two models have comparable scores: t3" in remark
        for remark in overall_table(ranking).remarks
    )


def test_one_task_or_one_model_has_no_overall_ranking():
    assert overall(boards(evaluations_of(best={"t1": 0.9}, good={"t1": 0.8})), {}) == []
    assert overall(boards(evaluations_of(best={"t1": 0.9, "t2": 0.6})), {}) == []


def test_samples_are_ranked_apart_from_real_data_and_limited_runs_from_full_ones():
    evaluations = evaluations_of(best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7})
    for apart in ({"data": "sample"}, {"limit": 5}):
        for task in ("t1", "t3", "t4"):
            evaluations += [
                evaluated(model, task, 0.1, fingerprint=model[0] * 64, tags=("law",), **apart)
                for model in ("best", "good")
            ]
    real, limited, sample = overall(boards(evaluations), {})
    assert (real.sample, real.limit, real.tasks) == (False, None, ["t1", "t2"])
    assert (limited.sample, limited.limit, limited.tasks) == (False, 5, ["t1", "t3", "t4"])
    assert (sample.sample, sample.limit, sample.tasks) == (True, None, ["t1", "t3", "t4"])
    means = {row.model: row.means["law"].score for row in real.models}
    assert means == {"best": 0.9, "good": 0.8}
    assert "illustrative" in overall_table(sample).subtitle
    assert "LIMITED to a sample (limit 5)" in overall_table(limited).subtitle


def test_data_files_and_a_tasks_own_data_are_ranked_together():
    evaluations = evaluations_of(best={"t1": 0.9}, good={"t1": 0.8})
    evaluations += [
        evaluated(model, "t1", 0.5, data="own", fingerprint=model[0] * 64) for model in ("best", "good")
    ]
    (ranking,) = overall(boards(evaluations), {})
    assert ranking.tasks == ["t1 (files)", "t1 (own)"]


def ranking_of(folder):
    results = ResultsFolder(folder)
    ranked = boards(results.evaluations())
    paths = {(run.key, run.predictions): results.predictions_path(run) for run in results.evaluations()}
    stats = {index: pairwise_stats(board, paths, dict) for index, board in enumerate(ranked)}
    (ranking,) = overall(ranked, stats)
    return ranking, ranked


def test_a_mean_has_the_interval_of_its_tasks_scores_also_of_right_answers_alone():
    (ranking,) = overall(boards(evaluations_of(best={"t1": 1.0, "t2": 1.0}, good={"t1": 0.8, "t2": 0.7})), {})
    # The records say 0.25 and 1, 0.25 and 0.8, 0.25 and 0.75.
    means = {row.model: row.mean for row in ranking.models}
    assert means["best"].low == pytest.approx(1 - math.hypot(0.75, 0.75) / 2)
    assert means["best"].high == 1
    assert means["good"].low == pytest.approx(0.75 - math.hypot(0.55, 0.45) / 2)
    assert means["good"].high == pytest.approx(0.75 + 0.05 / 2)


def test_ranks_of_the_mean_are_no_surer_than_the_pairs_own_intervals(tmp_path):
    base = np.ones(50)
    base[:4] = 0
    graded = np.linspace(0, 0.5, 50)
    better = graded.copy()
    better[:5] += 0.5
    for task, low, high in (("t1", base, np.ones(50)), ("t2", graded, better)):
        answer(tmp_path, "base", task, metrics=(mean_metric("value"),), value=low)
        answer(tmp_path, "up", task, metrics=(mean_metric("value"),), value=high)
    ranking, _ = ranking_of(tmp_path)
    assert [row.ranks for row in ranking.models] == [(1, 2), (1, 2)]
    assert 0.8 < max(row.best for row in ranking.models) < 0.99


def test_a_mean_of_scores_without_intervals_has_none():
    scores = evaluations_of(best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7})
    bare = [replace(one, scores=(replace(one.scores[0], low=None, high=None),)) for one in scores]
    (ranking,) = overall(boards(bare), {})
    assert math.isnan(ranking.models[0].means["law"].low)
    texts = [cell.text for cell in overall_table(ranking).rows[0]]
    assert texts == ["best", "1.50", "1", "0.7500", "0.9000", "0.6000"]
    assert [cell.best for cell in overall_table(ranking).rows[0]] == [False, True, False, True, True, False]


def test_many_models_that_lack_the_same_are_named_in_one_remark():
    scores = {f"{letter}-model": {"t1": 0.5, "t2": 0.5 if letter < "c" else None} for letter in "abcdefgh"}
    (ranking,) = overall(boards(evaluations_of(**scores)), {})
    assert overall_table(ranking).remarks[0] == (
        "c-model, d-model, e-model and 3 more are not ranked, they lack t2 (not run)"
    )
