"""One verdict over several tasks, and conditions of the gate on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from comparison.made import answer, right
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.gate import Condition, Gate, margin_gate, read_gate
from harness.comparison.sources import read_results
from harness.errors import HarnessError
from harness.metrics.standard import mean_metric

GRADED = mean_metric("ndcg", "value")


def task(name, gain, *, tags=("legal",), seed=0, rows=200, spread=0.1, **columns):
    """Write both models' answers to a task; the mean gain is exact."""
    generator = np.random.default_rng(seed)
    base = generator.uniform(0.3, 0.6, rows)
    noise = generator.normal(0, spread, rows)
    for model, values in (("base", base), ("cand", base + gain + noise - noise.mean())):
        answer(model, model, name, metrics=(GRADED,), value=values, tags=tags, **columns)


def ask(**changes):
    (baseline,), (candidate,) = read_results(Path("base")), read_results(Path("cand"))
    (found,) = compare([(baseline, [candidate])], replace(CompareOptions(tasks={}), **changes))
    return found


def gate(**condition):
    return Gate(conditions=(Condition(**condition),))


def outcome(**condition):
    (line,) = ask(gate=gate(**condition)).gate
    return line.outcome


def test_a_single_task_has_no_overall_verdict():
    task("a", 0.1)
    assert ask().overall == ()


def test_the_mean_gain_the_worst_task_and_the_counts_are_given():
    for place, (name, gain) in enumerate((("a", 0.1), ("b", 0.0), ("c", -0.1))):
        task(name, gain, seed=place)
    (overall,) = ask().overall
    assert overall.mean.tasks == ("a", "b", "c")
    assert overall.mean.gain == pytest.approx(0.0, abs=1e-12)
    assert overall.mean.low < 0 < overall.mean.high
    assert (overall.verdict, overall.worst) == ("inconclusive", "c")
    assert overall.worst_gain == pytest.approx(-0.1)
    assert overall.worst_low == min(line.low for line in ask().lines)
    assert (overall.better, overall.worse, overall.inconclusive, overall.not_tested) == (1, 1, 1, 0)
    assert overall.sentence.startswith("over 3 tasks: mean gain +0.0000 [")
    assert overall.sentence.endswith("better on 1, worse on 1, inconclusive on 1")


def test_many_small_gains_are_better_together_though_none_is_alone():
    for place in range(6):
        task(f"t{place:02d}", 0.011, seed=place)
    found = ask()
    assert {line.verdict for line in found.lines} == {"inconclusive"}
    assert found.overall[0].verdict == "better"
    assert ask(gate=margin_gate(0.0)).exit_code == 4
    assert outcome(rule="margin", threshold=0.0, over="mean") == "passes"


def test_a_claim_on_a_mean_holds_over_the_means_of_all_candidates_of_the_command():
    """Of twenty equal candidates one has, by luck, an interval below 0; alone it would be worse."""
    for place in range(2):
        task(f"t{place}", -0.012, seed=place)
    (baseline,), (candidate,) = read_results(Path("base")), read_results(Path("cand"))
    many = compare([(baseline, [candidate])] * 20, CompareOptions(tasks={}))
    alone = ask()
    assert alone.overall[0].mean.high < 0
    assert (alone.overall[0].verdict, alone.exit_code) == ("worse", 1)
    assert {one.overall[0].mean for one in many} == {alone.overall[0].mean}
    assert {(one.overall[0].verdict, one.exit_code) for one in many} == {("inconclusive", 0)}


def test_a_mean_whose_interval_excludes_0_says_why_it_is_inconclusive():
    for place in range(6):
        task(f"t{place:02d}", 0.006, seed=place)
    (alone,) = ask().overall
    (baseline,), (candidate,) = read_results(Path("base")), read_results(Path("cand"))
    tenth = compare([(baseline, [candidate])] * 10, CompareOptions(tasks={}))[0].overall[0]
    assert (alone.verdict, tenth.verdict) == ("better", "inconclusive")
    assert tenth.mean.low > 0
    why = "(the interval excludes 0; better and worse hold for 10 means of the command at once)"
    assert f"inconclusive {why};" in tenth.sentence
    assert why not in alone.sentence


def test_the_mean_is_equivalent_within_the_margin_that_all_tasks_share():
    for place in range(4):
        task(f"t{place}", 0.0, seed=place)
    assert ask().overall[0].verdict == "inconclusive"
    assert ask(gate=margin_gate(0.05)).overall[0].verdict == "equivalent"


def test_the_very_same_predictions_are_equivalent_overall():
    for name in ("a", "b"):
        for folder in ("base", "cand"):
            answer(folder, "same", name, correct=right(0.7))
    (overall,) = ask().overall
    assert (overall.verdict, overall.mean.low, overall.mean.high) == ("equivalent", 0.0, 0.0)
    assert ask(gate=gate(rule="margin", threshold=0.0, over="mean")).exit_code == 0
    assert ask(gate=gate(rule="margin", threshold=0.0, over="worst")).exit_code == 0


def test_samples_and_real_data_have_an_overall_verdict_each():
    for place, name in enumerate("abcd"):
        task(name, 0.1 if place < 2 else -0.1, seed=place, data="files" if place < 2 else "sample")
    real, sample = ask().overall
    assert (real.mean.tasks, real.verdict) == (("a", "b"), "better")
    assert (sample.mean.tasks, sample.verdict) == (("c", "d"), "worse")
    assert sample.sentence.startswith("over samples of 2 tasks")
    lines = ask(gate=gate(rule="margin", threshold=0.01, over="mean")).gate
    assert sorted(line.outcome for line in lines) == ["fails", "passes"]


def test_a_domain_has_an_overall_verdict_of_its_own():
    for place, name in enumerate("abcd"):
        legal = place < 2
        task(name, 0.1 if legal else -0.05, seed=place, tags=("legal",) if legal else ("talk",))
    everything, legal = ask(domain=frozenset({"legal"})).overall
    assert (everything.tag, everything.mean.gain) == (None, pytest.approx(0.025))
    assert (legal.tag, legal.mean.tasks, legal.verdict) == ("legal", ("a", "b"), "better")
    forgetting = ask(domain=frozenset({"legal"})).forgetting
    assert forgetting.inside == legal.mean
    assert "2 tasks tagged legal" in legal.sentence
    assert (
        "; better over 2 tasks tagged legal (mean gain +0.1000)." in ask(domain=frozenset({"legal"})).sentence
    )


def test_a_mean_that_is_worse_fails_without_a_gate_and_is_named():
    for place in range(6):
        task(f"t{place}", -0.011, seed=place)
    found = ask()
    assert {line.verdict for line in found.lines} == {"inconclusive"}
    assert (found.overall[0].verdict, found.exit_code) == ("worse", 1)
    assert "inconclusive on 6 tasks; worse over 6 tasks (mean gain -0.0110). Fails: " in found.sentence
    of_pair = ask(matrix=True)
    assert of_pair.exit_code == 0
    assert of_pair.sentence.endswith("; worse over 6 tasks (mean gain -0.0110).")


# --- the gate ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param({"rule": "margin", "threshold": 0.02, "over": "mean"}, "passes", id="mean above"),
        pytest.param({"rule": "gain", "threshold": 0.02, "over": "mean"}, "undecided", id="mean across"),
        pytest.param({"rule": "gain", "threshold": 0.2, "over": "mean"}, "fails", id="mean below"),
        pytest.param({"rule": "margin", "threshold": 0.1, "over": "worst"}, "passes", id="worst above"),
        pytest.param({"rule": "margin", "threshold": 0.06, "over": "worst"}, "undecided", id="worst across"),
        pytest.param({"rule": "margin", "threshold": 0.01, "over": "worst"}, "fails", id="worst below"),
        pytest.param({"rule": "min", "threshold": 0.4, "over": "worst"}, "fails", id="lowest score"),
        pytest.param({"rule": "min", "threshold": 0.4, "over": "mean"}, "passes", id="mean score"),
        pytest.param(
            {"rule": "margin", "threshold": 0.1, "over": "mean", "tag": "talk"}, "broken", id="no task"
        ),
    ],
)
def test_a_condition_may_hold_for_the_mean_or_the_worst_of_several_tasks(condition, expected):
    for place, gain in enumerate((0.1, 0.03, -0.06)):
        task(f"t{place}", gain, seed=place)
    assert outcome(**condition) == expected


def test_a_condition_over_a_tag_leaves_out_the_other_tasks():
    task("a", 0.1, seed=0)
    task("b", -0.2, seed=1, tags=("talk",))
    found = ask(gate=gate(rule="gain", threshold=0.01, over="worst", tag="legal"))
    (line,) = found.gate
    assert (line.outcome, line.task, line.over, line.tag) == ("passes", None, "worst", "legal")
    assert line.sentence.startswith("smallest gain +0.1000 (a) [")


def test_one_task_without_an_interval_leaves_the_mean_undecided_and_without_predictions_broken():
    task("a", 0.1, seed=0)
    task("b", 0.1, seed=1, rows=8)
    assert outcome(rule="margin", threshold=0.1, over="mean") == "undecided"
    for path in Path("cand").glob("predictions/*/b.parquet"):
        path.unlink()
    assert outcome(rule="margin", threshold=0.1, over="mean") == "broken"


def test_a_condition_over_several_tasks_takes_no_line_from_a_broader_one():
    task("a", -0.2, seed=0)
    task("b", 0.2, seed=1)
    both = Gate(
        conditions=(
            Condition(rule="margin", threshold=0.01),
            Condition(rule="margin", threshold=0.1, tag="legal", over="mean"),
        )
    )
    found = ask(gate=both)
    assert [(line.task, line.over, line.outcome) for line in found.gate] == [
        ("a", None, "fails"), ("b", None, "passes"), (None, "mean", "passes"),
    ]  # fmt: skip
    assert {line.margin for line in found.lines} == {0.01}


def test_a_gate_file_names_what_a_condition_is_over(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(
        '[[line]]\ntag = "legal"\nover = "mean"\nmargin = 0.01\n[[line]]\nover = "worst"\nmin = 0.5'
    )
    assert [(one.over, one.tag, one.rule, one.subject) for one in read_gate(path).conditions] == [
        ("mean", "legal", "margin", "mean of legal tasks"),
        ("worst", None, "min", "worst of all tasks"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('over = "median"\nmargin = 0.1', "over must be 'mean' or 'worst', not 'median'"),
        ('task = "a"\nover = "mean"\nmargin = 0.1', "names one task, and over = 'mean' is for several"),
    ],
)
def test_a_condition_over_something_else_is_an_error(tmp_path, line, message):
    path = tmp_path / "gate.toml"
    path.write_text(f"[[line]]\n{line}")
    with pytest.raises(HarnessError, match=message):
        read_gate(path)


# --- which margin a mean is held against ------------------------------------------------------------------


def four_tasks():
    for place in range(4):
        task(f"t{place}", 0.0, seed=place)


def margins(**of_mean):
    conditions = [Condition(rule="margin", threshold=0.05)]
    return Gate(conditions=(*conditions, Condition(rule="margin", over="mean", **of_mean)))


def test_a_narrower_margin_of_the_mean_counts_before_that_of_every_task():
    four_tasks()
    (narrow,) = ask(gate=margins(threshold=0.001)).overall
    assert (narrow.verdict, narrow.margin) == ("inconclusive", 0.001)
    assert "inconclusive (margin 0.001 of the mean);" in narrow.sentence
    (every,) = ask(gate=margin_gate(0.05)).overall
    assert (every.verdict, every.margin) == ("equivalent", 0.05)
    assert "equivalent (margin 0.05 of every task);" in every.sentence


def test_a_margin_of_the_mean_alone_says_what_is_equivalent():
    four_tasks()
    (alone,) = ask(gate=gate(rule="margin", threshold=0.04, over="mean")).overall
    assert (alone.verdict, alone.margin) == ("equivalent", 0.04)


def test_a_margin_of_a_mean_counts_for_the_mean_over_its_own_tasks_only():
    four_tasks()
    task("chat", 0.0, tags=("talk",), seed=9)
    overall, legal = ask(gate=margins(threshold=0.001, tag="legal"), domain=frozenset({"legal"})).overall
    assert (overall.verdict, overall.margin) == ("equivalent", 0.05)
    assert (legal.verdict, legal.margin) == ("inconclusive", 0.001)
    gained = ask(gate=gate(rule="gain", threshold=0.04, over="mean")).overall[0]
    assert (gained.verdict, gained.margin) == ("inconclusive", None)
    assert "(margin" not in gained.sentence


# --- domain and outside -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "outside", "said"),
    [
        pytest.param(0.1, 0.0, "it learned, nothing forgotten beyond noise", id="learned"),
        pytest.param(0.1, 0.1, "it learned, better outside too", id="learned everywhere"),
        pytest.param(0.1, -0.1, "it learned and forgot", id="learned and forgot"),
        pytest.param(0.0, 0.0, "no gain inside beyond noise, nothing forgotten beyond noise", id="nothing"),
        pytest.param(0.0, 0.1, "no gain inside beyond noise, better outside", id="better outside"),
        pytest.param(0.0, -0.1, "it forgot and did not learn", id="forgot"),
        pytest.param(-0.1, 0.0, "it got worse inside, nothing forgotten beyond noise", id="worse"),
        pytest.param(-0.1, 0.1, "it got worse inside, better outside", id="worse inside, better outside"),
        pytest.param(-0.1, -0.1, "it got worse inside and outside", id="worse everywhere"),
    ],
)
def test_a_sentence_says_what_was_learned_lost_and_forgotten(inside, outside, said):
    task("law", inside)
    task("chat", outside, tags=("talk",), seed=1)
    assert ask(domain=frozenset({"legal"})).forgetting.sentence.endswith(f"; {said}")
