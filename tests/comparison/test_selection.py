"""Selection of the best candidate: who may be selected, by what, and how its gate is decided."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import evaluated

from comparison.made import SPEARMAN, answer, pairs
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.flip_tables import level_text
from harness.comparison.gate import Condition, Gate, margin_gate
from harness.comparison.selection import select_and_confirm, select_best
from harness.comparison.selection_tables import selection_tables, share_text
from harness.comparison.shared_units import confirm_faults
from harness.comparison.sources import read_results
from harness.comparison.tables import answer_tables
from harness.errors import HarnessError
from harness.metrics.standard import mean_metric
from harness.results.folder import ResultsFolder

NDCG = mean_metric("ndcg@10", "ndcg")
ROWS = 300


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def values(gain=0.0, seed=0, rows=ROWS):
    """Values of queries, those of the baseline (seed 0) moved by noise, and by a gain."""
    base = np.random.default_rng(0).beta(2, 2, rows)
    return base if not seed else base + np.random.default_rng(seed).normal(gain, 0.1, rows)


def tell(model, task="law", gain=0.0, seed=0, *, folder=None, **changes):
    """Write a model's values of a task; base has none of its own noise."""
    told = {"digest": task[0] * 64, "tags": (task,)} | changes
    ids = [f"{task}{row}" for row in range(ROWS)]
    answer(folder or model, model, task, metrics=(NDCG,), ids=ids, ndcg=values(gain, seed), **told)


def field(*gains, task="law", **changes):
    """Write a baseline and candidates a, b, … with these gains on a task."""
    tell("base", task, **changes)
    for number, (name, gain) in enumerate(zip("abcdefgh", gains, strict=False), 1):
        tell(name, task, gain, number + 10 * len(task), **changes)


def sides(*names):
    (base,) = read_results(Path("base"))
    return [(base, read_results(Path(name))) for name in names or "abc"]


def select(*names, by=None, **changes):
    found = select_best(sides(*names), replace(CompareOptions(tasks={}), **changes), by)
    return found.comparison, found.selection


# --- by what ----------------------------------------------------------------------------------------------


def test_the_best_is_selected_by_its_mean_gain_over_all_tasks():
    field(0.05, 0.0, 0.02)
    field(0.0, 0.01, 0.05, task="news")
    comparison, found = select()
    assert found.winner == comparison.candidate.name == "c"
    assert [each.model for each in found.candidates] == ["c", "a", "b"]
    assert found.tasks == ("law", "news")
    ordinary = compare(sides("c"), CompareOptions(tasks={}))[0]
    assert found.gain == pytest.approx(np.mean([line.gain for line in ordinary.lines]))
    assert "c is the best of 3 candidates by its mean gain on 2 tasks" in found.sentence


@pytest.mark.parametrize("by", ["law", "legal"])
def test_a_task_or_a_tag_decides_if_asked(by):
    field(0.05, 0.0, 0.02, tags=("legal",))
    field(0.0, 0.01, 0.05, task="news")
    _, found = select(by=by)
    assert (found.winner, found.tasks, found.by) == ("a", ("law",), "its gain on law")
    with pytest.raises(HarnessError, match="no task or tag named 'lgal'"):
        select(by="lgal")


def test_the_gain_of_the_best_of_equal_candidates_is_corrected_and_of_one_candidate_is_not():
    field(0.0, 0.0, 0.0)
    _, found = select()
    ranked = found.candidates[0]
    assert found.low < ranked.low
    assert found.estimate < found.gain
    assert sum(each.probability for each in found.candidates) == pytest.approx(1)
    assert all(each.among_best for each in found.candidates)
    assert "which may be chance; " in found.sentence
    _, alone = select("a")
    (ranked,) = alone.candidates
    assert (alone.low, alone.high) == pytest.approx((ranked.low, ranked.high))
    assert (alone.level, ranked.probability) == (0.95, 1)


@pytest.mark.parametrize("gate", [None, margin_gate(0.05)])
def test_of_a_single_candidate_no_word_says_that_it_was_chosen(gate):
    field(0.02)
    options = CompareOptions(tasks={}, gate=gate)
    found = select_best(sides("a"), options, by_gate=gate is not None).selection
    shown = f"{found.gain:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
    assert found.sentence == f"a is the only candidate: its gain on law {shown}, a gain beyond chance."
    (table,) = selection_tables(found)
    assert (table.title, table.subtitle) == ("the only candidate", "its gain on law")
    assert table.header == ["candidate", "gain [95 %]", *(["gate"] if gate else [])]
    assert table.remarks == ["nothing was chosen, so nothing is corrected for a choice"]


def test_a_clear_winner_is_told_from_all_others():
    field(0.2, 0.0, 0.01)
    comparison, found = select()
    assert [each.among_best for each in found.candidates] == [True, False, False]
    assert "a gain beyond chance; all others are worse beyond chance" in found.sentence
    assert comparison.exit_code == 0


def test_equal_gains_are_said_and_the_first_by_name_is_selected():
    field(0.05, 0.0)
    for name in ("twin", "alias"):
        tell(name, "law", 0.05, 31)
    _, found = select("twin", "b", "alias", "a")
    assert (found.winner, found.tied) == ("a", ("alias", "twin"))
    assert [each.probability for each in found.candidates] == pytest.approx([1 / 3] * 3 + [0], abs=0.01)
    assert "the same gain has alias, twin" in " ".join(selection_tables(found)[0].remarks)
    assert select("a", "alias", "b", "twin")[1] == found


# --- who may be selected ----------------------------------------------------------------------------------


def test_candidates_that_lack_a_task_or_are_broken_or_not_comparable_are_left_out():
    field(0.3, 0.3, 0.0, 0.3)
    tell("base", "news")
    for name in "bcd":
        tell(name, "news", 0.0, 7)
    tell("b", "law", 0.3, 2, digest="f" * 64)
    ResultsFolder(Path("d")).write_error(
        evaluated("d", "news", fingerprint=ResultsFolder(Path("d")).evaluations()[0].model[1], error="boom"),
        None,
    )
    _, found = select("a", "b", "c", "d")
    assert (found.winner, [each.model for each in found.candidates]) == ("c", ["c"])
    assert [(each.model, each.reason.split(":")[0]) for each in found.left_out] == [
        ("a", "news is missing from the results of a"),
        ("b", "law is not comparable"),
        ("d", "news is an ERROR of d"),
    ]
    assert found.sentence.startswith(
        "c is the only candidate that could be selected: its mean gain on 2 tasks "
    )
    assert found.sentence.endswith("3 candidates were left out.")


def test_without_a_candidate_that_may_be_selected_the_reasons_are_said():
    field(0.1, 0.1)
    tell("base", "news")
    with pytest.raises(HarnessError, match="no candidate can be selected") as found:
        select("a", "b")
    assert "a: news is missing from the results of a" in found.value.exists


def test_candidates_without_predictions_are_left_out():
    field(0.1, 0.1)
    Path("bare").mkdir()
    shutil.copy("b/leaderboard.csv", "bare/b.csv")
    pairs = [*sides("a"), *sides("bare/b.csv")]
    found = select_best(pairs, CompareOptions(tasks={})).selection
    assert found.winner == "a"
    assert "law has no interval" in found.left_out[0].reason


def test_models_of_one_name_are_told_apart():
    tell("base")
    for number, gain in enumerate((0.0, 0.1), 1):
        tell("same", "law", gain, number, folder=f"run{number}", fingerprint=f"{number}" * 64)
    _, found = select("run1", "run2")
    assert found.winner == "same~22222222"
    for number in (3, 4):
        tell("same", "law", 0.1 * number, number, folder=f"run{number}", fingerprint="e" * 64)
    assert select("run3", "run4")[1].winner == "same (run4)"


# --- its gate ---------------------------------------------------------------------------------------------


def test_a_gate_is_asked_at_a_level_for_all_candidates():
    field(0.0, -0.01, -0.005)
    line = compare(sides("a"), CompareOptions(tasks={}))[0].lines[0]
    # The interval of a alone lies just above a margin at which one of three does not pass.
    margin = -line.low + 1e-4
    assert compare(sides("a"), CompareOptions(tasks={}, gate=margin_gate(margin)))[0].exit_code == 0
    comparison, found = select(gate=margin_gate(margin))
    assert found.winner == "a"
    assert comparison.exit_code == 4
    assert comparison.lines[0].low < line.low
    assert comparison.level == found.level > 0.95
    assert found.candidates[0].gate != "passes"
    assert "gate" in selection_tables(found)[0].header
    alone, _ = select("a", gate=margin_gate(margin))
    assert (alone.exit_code, alone.level) == (0, 0.95)


def over(kind, threshold, **where):
    return Gate(conditions=(Condition(rule="margin", threshold=threshold, over=kind, **where),))


@pytest.mark.parametrize("kind", ["mean", "worst"])
def test_conditions_over_several_tasks_are_asked_at_the_level_of_the_lines(kind):
    """What a alone would just pass, the best of three does not."""
    for task in ("law", "news"):
        field(0.0, -0.02, -0.01, task=task)
    alone = compare(sides("a"), CompareOptions(tasks={}))[0].overall[0]
    low = alone.mean.low if kind == "mean" else alone.worst_low
    gate = over(kind, -low + 1e-4)
    assert compare(sides("a"), CompareOptions(tasks={}, gate=gate))[0].exit_code == 0
    comparison, found = select(gate=gate)
    assert (found.winner, comparison.exit_code, comparison.gate[0].outcome) == ("a", 4, "undecided")
    (overall,) = comparison.overall
    assert overall.mean.low < alone.mean.low
    assert overall.worst_low == min(line.low for line in comparison.lines)
    assert f"({level_text(1 - (1 - comparison.level) / 2)})" in overall.sentence
    assert f"({level_text(comparison.level)})" in overall.sentence
    assert "97.5 %" in alone.sentence
    assert "95 %" not in alone.sentence


def test_a_gate_on_a_mean_is_corrected_for_candidates_not_for_tasks():
    for task in ("law", "mail", "news"):
        field(0.0, 0.0, 0.0, task=task)
    _, found = select(gate=over("mean", 0.05))
    _, single = select(gate=Gate(conditions=(Condition(rule="margin", threshold=0.05, task="law"),)))
    assert 0.95 < found.level < 1 - 0.05 / 3 + 1e-3
    assert found.level == pytest.approx(single.level, abs=3e-3)


def test_a_gate_that_asks_for_no_gain_leaves_intervals_for_all_candidates():
    field(0.0, 0.0, 0.0)
    _, found = select(gate=Gate(conditions=(Condition(rule="min", threshold=0.1),)))
    assert found.level == select()[1].level > 0.95


def test_the_table_says_the_levels_of_the_winner_and_of_its_gate():
    field(0.0, -0.01, -0.005)
    comparison, _ = select(gate=margin_gate(0.05))
    answer, _, gate = answer_tables(comparison)
    shown = level_text(comparison.level)
    assert answer.subtitle == (
        f"intervals of {shown} each, since 3 candidates were looked at;"
        " p and verdict corrected over 3 lines, those of all candidates"
    )
    assert gate.subtitle.endswith(f"by intervals of {shown} each, since 3 candidates were looked at")


def test_a_plan_for_the_gate_of_the_best_of_many_needs_more_examples():
    field(0.0, -0.01, -0.005)
    (alone,) = compare(sides("a"), CompareOptions(tasks={}, gate=margin_gate(0.02), power=True))
    comparison, _ = select(gate=margin_gate(0.02), power=True)
    assert comparison.lines[0].needed > alone.lines[0].needed
    assert comparison.gate_plan.chance < alone.gate_plan.chance


def test_the_winner_alone_passes_or_fails_and_who_else_passes_is_said():
    field(0.30, 0.2, 0.0)
    field(-0.2, 0.0, 0.0, task="news")
    gate = Gate(conditions=(Condition(rule="margin", threshold=0.05, task="news"),))
    comparison, found = select(gate=gate, by="law")
    assert (found.winner, comparison.exit_code) == ("a", 1)
    assert {each.model: each.gate == "passes" for each in found.candidates} == {
        "a": False,
        "b": True,
        "c": True,
    }
    assert "The gate is passed by b, c." in found.sentence
    assert comparison.sentence.startswith(found.sentence)


def test_a_candidate_that_passes_only_as_doubt_was_let_pass_does_not_simply_pass():
    field(0.2, 0.0)
    gate = Gate(conditions=(Condition(rule="gain", threshold=0.01),), undecided="pass")
    _, found = select("a", "b", gate=gate)
    assert {each.model: (each.gate, each.let_pass) for each in found.candidates} == {
        "a": ("passes", False),
        "b": ("passes", True),
    }
    (table,) = selection_tables(found)
    assert [row[-1].text for row in table.rows] == ["passes", "passes; undecided, let pass"]


def test_the_best_of_those_that_pass_is_selected_if_the_gate_decides():
    field(0.30, 0.2, 0.0)
    field(-0.2, 0.0, 0.0, task="news")
    gate = Gate(conditions=(Condition(rule="margin", threshold=0.05, task="news"),))
    options = CompareOptions(tasks={}, gate=gate)
    found = select_best(sides(), options, "law", by_gate=True)
    selection = found.selection
    assert (selection.winner, found.comparison.exit_code, selection.by_gate) == ("b", 0, True)
    assert selection.estimate is None
    ranked = {each.model: each for each in selection.candidates}
    assert selection.low < ranked["b"].low
    assert selection.high > ranked["b"].high
    assert selection.sentence.startswith(
        "b is the best of the 2 of 3 candidates that pass the gate by its gain on law: gain +0."
    )
    assert selection.sentence.endswith("a gain beyond chance. The gate is also passed by c.")
    assert "valid whichever candidate" in " ".join(selection_tables(selection)[0].remarks)
    two = select_best(sides("a", "b"), options, "law", by_gate=True).selection
    only = "b is the only one of 2 candidates that passes the gate: its gain on law +0."
    assert two.sentence.startswith(only)
    alone = select_best(sides("b"), options, "law", by_gate=True).selection
    assert (alone.low, alone.high) == pytest.approx((ranked["b"].low, ranked["b"].high))


def test_where_no_candidate_passes_the_best_of_the_undecided_is_shown():
    field(0.30, 0.0, 0.01)
    gate = Gate(conditions=(Condition(rule="gain", threshold=0.01), Condition(rule="min", threshold=0.1)))
    failing = replace(gate, conditions=(*gate.conditions, Condition(rule="gain", threshold=0.5)))
    undecided = select_best(sides("b", "c"), CompareOptions(tasks={}, gate=gate), by_gate=True)
    assert undecided.comparison.exit_code == 4
    assert "for which the gate is undecided, as none passes," in undecided.selection.sentence
    fails = select_best(sides(), CompareOptions(tasks={}, gate=failing), by_gate=True)
    assert (fails.selection.winner, fails.comparison.exit_code) == ("a", 1)
    assert "a is the best of 3 candidates, as none passes, by its gain on law" in fails.selection.sentence


def test_without_a_gate_even_a_loss_exits_with_zero():
    field(-0.2, -0.3)
    comparison, found = select("a", "b")
    assert (found.winner, comparison.exit_code) == ("a", 0)
    assert "a loss beyond chance" in comparison.sentence


# --- confirmed on other tasks -----------------------------------------------------------------------------


def confirm(*names, select_on=("dev",), confirm_on=("test",), by=None, **changes):
    options = replace(CompareOptions(tasks={}), only=frozenset(select_on), **changes)
    found = select_and_confirm(sides(*names), options, frozenset(confirm_on), by)
    return found.comparison, found.selection


def test_the_winner_of_some_tasks_is_compared_alone_on_others():
    field(0.05, 0.1, 0.0, task="dev")
    field(0.3, 0.0, 0.0, task="test")
    comparison, found = confirm(gate=margin_gate(0.05))
    ordinary = compare(
        sides("b"), CompareOptions(tasks={}, only=frozenset({"test"}), gate=margin_gate(0.05))
    )[0]
    assert (found.winner, found.confirmed_on) == ("b", ("test",))
    assert comparison == replace(ordinary, sentence=comparison.sentence)
    assert comparison.sentence == f"{found.sentence} Alone on test: {ordinary.sentence}"
    assert all(each.gate is None for each in found.candidates)


def test_tasks_that_share_their_examples_do_not_confirm_each_other():
    field(0.05, 0.1, 0.0, task="dev")
    field(0.3, 0.0, 0.0, task="copy", digest="d" * 64)
    with pytest.raises(HarnessError, match="share dev"):
        confirm(confirm_on=("dev", "copy"))
    with pytest.raises(HarnessError, match="dev and copy have the same examples"):
        confirm(confirm_on=("copy",))


def documents(*numbers):
    return [f"doc{number}.html" for number in numbers for _ in range(3)]


def named(task, ids, **changes):
    """Write a baseline and a candidate with these ids, of which about all rows are right."""
    for name, seed in (("base", 0), ("a", 1)):
        noise = np.random.default_rng(seed).normal(0, 0.1, len(ids))
        answer(name, name, task, metrics=(NDCG,), ids=ids, ndcg=0.5 + noise, digest=task[0] * 64, **changes)


NAMES = [f"case {number} of court" for number in range(60)]


def test_tasks_with_units_of_one_name_do_not_confirm_each_other():
    named("dev", NAMES)
    named("test", [*NAMES[:40], *[f"{name} b" for name in NAMES[:20]]])
    with pytest.raises(HarnessError, match="40 of the 60 examples of test are in dev too, such as case 0 of"):
        confirm("a")


def test_where_few_units_choose_and_confirm_their_number_is_said():
    named("dev", NAMES)
    named("test", [*NAMES[:12], *[f"{name} b" for name in NAMES[12:]]])
    options = replace(CompareOptions(tasks={}), only=frozenset({"dev"}))
    (warning,) = select_and_confirm(sides("a"), options, frozenset({"test"})).warnings
    assert warning.startswith("12 of the 60 examples of test are in dev too, such as case 0 of court: what")


def told(task, ids, texts, clusters=None):
    """Write a baseline's and a candidate's answers to rows with texts, as a task of pairs does."""
    more = {} if clusters is None else {"cluster": clusters}
    named(task, ids, text=texts, **more)


def shared(*tasks):
    (base,) = read_results(Path("base"))
    return confirm_faults(base, tasks[:1], tasks[1:])


ROWS_BY_NUMBER = [str(row) for row in range(60)]


def test_rows_that_are_only_numbered_alike_are_not_the_same():
    told("dev", ROWS_BY_NUMBER, [f"a dog of {row}" for row in range(60)])
    told("test", ROWS_BY_NUMBER, [f"a cat of {row}" for row in range(60)])
    assert shared("dev", "test") == ()
    told("copy", ROWS_BY_NUMBER, [f"a dog of {row}" for row in range(60)])
    with pytest.raises(HarnessError, match="60 of the 60 examples of copy are in dev too, such as 0"):
        shared("dev", "copy")


def test_numbered_rows_without_texts_may_be_alike_by_chance():
    named("dev", ROWS_BY_NUMBER)
    named("test", ROWS_BY_NUMBER)
    (warning,) = shared("dev", "test")
    assert warning.startswith("60 of the 60 examples of test are in dev too, such as 0, by name: if they")
    named("news", [f"n{row}" for row in range(60)])
    assert shared("dev", "news") == ()


def test_clusters_are_the_units_and_a_cluster_with_an_example_of_one_id_is_shared():
    ids = [f"{number}/clause" for number in range(60)]
    told("dev", ids, [f"yes {row}" for row in range(60)], [f"{row // 3}" for row in range(60)])
    told("test", ids[:3] + ROWS_BY_NUMBER[3:], [f"no {row}" for row in range(60)], documents(*range(20)))
    (warning,) = shared("dev", "test")
    assert warning.startswith("1 of the 20 clusters of test is in dev too, such as doc0.html: ")


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "text"), [(0.95, "95 %"), (0.9975, "99.75 %"), (0.999, "99.9 %"), (1 - 1e-5, "99.999 %")]
)
def test_a_level_has_the_digits_that_tell_it_from_certainty(level, text):
    assert level_text(level) == text


def test_a_share_is_never_rounded_to_none_or_all():
    assert [share_text(share) for share in (0.0, 0.004, 0.5, 0.996, 1.0)] == [
        "0 %",
        "< 1 %",
        "50 %",
        "> 99 %",
        "100 %",
    ]


def test_other_metrics_than_means_are_selected_by_too():
    answer("base", "base", "sts", metrics=(SPEARMAN,), **pairs(1.0))
    for name, noise in (("a", 1.2), ("b", 0.5)):
        answer(name, name, "sts", metrics=(SPEARMAN,), **pairs(noise))
    _, found = select("a", "b")
    assert found.winner == "b"
    assert found.low > 0


# --- many of a kind ---------------------------------------------------------------------------------------


def test_many_candidates_that_a_task_keeps_out_share_a_reason_and_the_hint_leaves_the_task_out():
    rows = 4
    for name in ("base", *"abcdefgh"):
        seed = 0 if name == "base" else ord(name)
        tell(name, "law", 0.1, seed)
        answer(name, name, "tiny", metrics=(NDCG,), ndcg=values(0.1, seed, rows), tags=("tiny",))
    with pytest.raises(HarnessError, match="no candidate can be selected") as found:
        select(*"abcdefgh")
    (reason,) = found.value.exists.splitlines()
    assert reason.startswith("a, b, c and 5 more: tiny has no interval: 4 independent units are too few")
    assert found.value.hint == "leave out tiny: --tasks law"
    assert select(*"abcdefgh", only=frozenset({"law"}))[1].left_out == ()


def test_at_most_three_names_of_one_kind_are_said():
    field(0.05)
    for name in "bcdefghi":
        tell(name, "law", 0.05, 31)
        if name > "d":
            tell(name, "law", 0.05, 31, digest="x" * 64)
    remarks = selection_tables(select(*"abcdefghi")[1])[0].remarks
    assert "left out: e, f, g and 2 more: law is not comparable: digest" in remarks
    assert "the same gain has b, c, d: the first by name is selected" in remarks
    for name in "efgh":
        tell(name, "law", 0.05, 31)
    remarks = selection_tables(select(*"abcdefgh")[1])[0].remarks
    assert "the same gain has b, c, d and 4 more: the first by name is selected" in remarks
