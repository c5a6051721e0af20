"""Average rank, Borda points and means per tag."""

from __future__ import annotations

import pytest
from conftest import evaluated

from harness.leaderboard import boards
from harness.standing.overall import overall
from harness.standing.shown import latex, overall_grid, to_latex


def told(**scores):
    """Records: model → scores by task, None where it was not asked."""
    return [
        evaluated(model, task, score, fingerprint=model[0] * 64, tags=("law" if task == "t1" else "talk",))
        for model, own in scores.items()
        for task, score in own.items()
        if score is not None
    ]


def test_ranks_are_averaged_and_ties_share_theirs():
    found = told(best={"t1": 0.9, "t2": 0.9}, good={"t1": 0.8, "t2": 0.7}, fair={"t1": 0.7, "t2": 0.7})
    (one,) = overall(boards(found), {})
    assert [(row.model, row.average_rank, row.borda) for row in one.placed] == [
        ("best", 1.0, 4.0),
        ("good", 2.25, 1.5),
        ("fair", 2.75, 0.5),
    ]


def test_a_model_that_lacks_a_task_is_shown_and_not_ranked():
    found = told(best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7}, half={"t1": 0.99, "t2": None})
    (one,) = overall(boards(found), {})
    assert [(row.model, row.average_rank, row.lacks) for row in one.placed] == [
        ("best", 1.5, []),
        ("good", 1.5, []),
        ("half", None, ["t2"]),
    ]
    assert "half is not ranked, it lacks t2" in overall_grid(one).remarks
    assert one.placed[2].means.keys() == {"law"}


def test_what_was_asked_something_else_or_failed_counts_as_lacking():
    found = told(best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7})
    found += [evaluated("other", "t1", 0.5, digest="e" * 64), evaluated("other", "t2", 0.5)]
    found += [evaluated("broken", "t1", error="boom"), evaluated("broken", "t2", 0.5)]
    (one,) = overall(boards(found), {})
    assert {row.model: row.lacks for row in one.placed if row.lacks} == {"other": ["t1"], "broken": ["t1"]}


def test_samples_never_count_beside_real_data():
    found = told(best={"t1": 0.9, "t2": 0.6}, good={"t1": 0.8, "t2": 0.7})
    found += [evaluated(model, "t3", 0.1, data="sample") for model in ("best", "good")]
    (one,) = overall(boards(found), {})
    assert (one.data, one.tasks) == ("files", ["t1", "t2"])


def test_the_mean_of_a_tag_is_that_of_its_headlines():
    found = told(best={"t1": 0.9, "t2": 0.6, "t3": 0.4}, good={"t1": 0.8, "t2": 0.7, "t3": 0.5})
    (one,) = overall(boards(found), {})
    assert one.placed[0].means["talk"].score == pytest.approx(0.6)


def test_hostile_names_are_harmless_in_latex():
    assert latex(r"\input{x}_&%$#^~" + "\x1b\n") == (
        r"\textbackslash{}input\{x\}\_\&\%\$\#\textasciicircum{}\textasciitilde{}"
    )
    text = to_latex(boards(told(**{"a_b": {"t1": 0.5}, "c&d": {"t1": 0.4}})), {})
    assert r"a\_b & \textbf{0.5000} \\" in text
    assert r"c\&d & 0.4000 \\" in text
