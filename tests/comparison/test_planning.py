"""How many examples equal models need to pass a line, and the whole gate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from comparison.made import CORRECT, SPEARMAN, answer, pairs
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.gate import Condition, Gate, margin_gate
from harness.comparison.planning import accepted_loss
from harness.comparison.sources import read_results
from harness.metrics.standard import PEARSON, ROC_AUC, mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.gain import gain_of
from harness.stats.pass_chance import PassChance, smallest_number
from harness.stats.resize import draw_units, resize
from harness.stats.several_tasks import mean_curve

NDCG = mean_metric("ndcg", "value")


def ask(gate, *, power=True):
    """Compare the only models of two folders."""
    (baseline,), (candidate,) = read_results(Path("base")), read_results(Path("cand"))
    (found,) = compare([(baseline, [candidate])], CompareOptions(tasks={}, gate=gate, power=power))
    return found


def quiz(task="quiz", *, rows=400, gained=1, lost=1):
    """Answers of which so many became right, and wrong."""
    base = (np.arange(rows) % 5 > 0) * 1.0
    cand = base.copy()
    cand[np.flatnonzero(base == 0)[:gained]] = 1
    cand[np.flatnonzero(base)[:lost]] = 0
    ids = [f"{task}-{row}" for row in range(rows)]
    answer("base", "base", task, ids=ids, correct=base)
    answer("cand", "cand", task, ids=ids, correct=cand)


def sts(task="sts", *, rows=300, metrics=(SPEARMAN, PEARSON)):
    answer("base", "base", task, metrics=metrics, **pairs(1.0, rows))
    answer("cand", "cand", task, metrics=metrics, **pairs(1.0, rows, seed=0) | noisy(rows))


def noisy(rows):
    made, more = pairs(1.0, rows), np.random.default_rng(9).normal(size=rows)
    return {"predicted": made["predicted"] + 0.3 * more}


def gate_of(*conditions, **changes):
    return Gate(conditions=tuple(Condition(**condition) for condition in conditions), **changes)


# --- a line -----------------------------------------------------------------------------------------------


def test_a_line_needs_the_examples_with_which_equal_models_pass_it():
    """With 0.75 % of answers that differ, 320 examples pass a margin of 0.02 with 80 %, and 270 do not."""
    quiz()
    found = ask(margin_gate(0.02))
    assert found.lines[0].needed == 320
    assert found.gate_plan.chance > 0.9


@pytest.mark.slow
def test_needed_examples_have_two_significant_digits_and_grow_as_the_margin_shrinks():
    quiz(gained=20, lost=20)
    sts(metrics=(SPEARMAN,))
    # A part of a correlation's interval, for what was not seen, falls with the number, not with its root.
    for at, least in ((0, 3.4), (1, 2.5)):
        needed = [ask(margin_gate(margin)).lines[at].needed for margin in (0.02, 0.01)]
        assert least < needed[1] / needed[0] < 4.6
        assert all(float(f"{number:.1e}") == number for number in needed)


def test_a_margin_that_no_number_of_examples_passes_has_none():
    quiz(gained=20, lost=20)
    found = ask(margin_gate(1e-200))
    assert (found.lines[0].needed, found.gate_plan.times, found.gate_plan.examples) == (None, None, None)
    assert "not even with 80 % on 1,000 times as many" in found.gate_plan.sentence


def test_without_power_there_is_no_plan():
    quiz()
    found = ask(margin_gate(0.02), power=False)
    assert (found.lines[0].needed, found.gate_plan) == (None, None)


def test_the_strictest_of_the_narrowest_conditions_is_planned_for():
    quiz()
    (line,) = ask(margin_gate(0.02)).lines
    everywhere, here = {"rule": "margin", "threshold": 0.01}, {"rule": "margin", "task": "quiz"}
    assert accepted_loss(gate_of(everywhere), line) == 0.01
    assert accepted_loss(gate_of(everywhere, here | {"threshold": 0.03}), line) == 0.03
    gain = {"rule": "gain", "threshold": 0.02}
    assert accepted_loss(gate_of(everywhere, gain), line) == -0.02
    assert accepted_loss(gate_of({"rule": "min", "threshold": 0.5}), line) is None


# --- the whole gate ---------------------------------------------------------------------------------------


def test_independent_lines_pass_together_with_the_product_of_their_chances():
    quiz("one", gained=5, lost=5)
    one = ask(margin_gate(0.02)).gate_plan
    quiz("two", gained=5, lost=5)
    both = ask(margin_gate(0.02)).gate_plan
    assert both.chance == pytest.approx(one.chance**2)
    assert both.times > one.times


def test_lines_of_one_task_pass_together_more_often_than_independent_ones():
    sts()
    headline, both = margin_gate(0.05), gate_of(*(
        {"rule": "margin", "threshold": 0.05, "metric": metric} for metric in ("spearman", "pearson")
    ))  # fmt: skip
    alone, together = ask(headline).gate_plan.chance, ask(both).gate_plan.chance
    assert alone**2 < together <= alone + 0.01


def test_the_examples_of_the_gate_are_those_of_all_its_tasks():
    quiz("one", gained=5, lost=5)
    quiz("two", gained=5, lost=5, rows=800)
    plan = ask(margin_gate(0.01)).gate_plan
    assert plan.examples == pytest.approx(plan.times * 1200, rel=0.1)
    assert f"about {plan.times:g} times as many of every task, {plan.examples:,} in all" in plan.sentence


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        pytest.param({"rule": "gain", "threshold": 0.02}, "quiz by accuracy (gain > 0.02)", id="gain"),
        pytest.param({"rule": "margin", "threshold": 0.0}, "quiz by accuracy (margin 0)", id="margin 0"),
    ],
)
def test_equal_models_never_pass_a_required_gain_and_the_plan_says_so(condition, why):
    quiz()
    found = ask(gate_of(condition))
    assert (found.lines[0].needed, found.gate_plan.times) == (None, None)
    assert found.gate_plan.sentence == f"no number of examples lets an equal candidate pass {why}"


def test_the_very_same_answers_pass_with_any_number():
    quiz(gained=0, lost=0)
    plan = ask(margin_gate(0.0)).gate_plan
    assert plan.chance == 1.0


def test_what_is_left_out_of_the_plan_is_named():
    quiz()
    floor = {"rule": "min", "threshold": 0.9}
    found = ask(gate_of({"rule": "margin", "threshold": 0.02}, floor, throughput=0.9, undecided="pass"))
    sentence = found.gate_plan.sentence
    assert "the baseline's quiz by accuracy is itself below the floor of 0.9" in sentence
    assert "left out: floors (min) and throughput" in sentence
    assert 'undecided = "pass"' in sentence
    only = ask(gate_of(floor)).gate_plan
    assert only.sentence.startswith("the gate has no margin to plan for; ")


def test_a_line_without_an_interval_is_not_planned_and_the_plan_says_so():
    quiz()
    quiz("tiny", rows=8)
    found = ask(margin_gate(0.02))
    assert found.gate_plan.chance > 0.9
    assert "without tiny by accuracy, which cannot be planned" in found.gate_plan.sentence


def test_a_task_that_one_side_lacks_is_named_in_the_plan():
    quiz()
    answer("base", "base", "other", correct=[1.0] * 20)
    sentence = ask(margin_gate(0.02)).gate_plan.sentence
    assert "without other, which the gate asks for and which cannot be compared: it is broken" in sentence
    narrow = gate_of({"rule": "margin", "threshold": 0.02, "task": "quiz"})
    assert "without" not in ask(narrow).gate_plan.sentence


def test_training_seeds_limit_what_more_examples_can_do():
    base = (np.arange(400) % 5 > 0) * 1.0
    answer("base", "base", "quiz", correct=base)
    for seed, lost in enumerate((2, 12, 30)):
        cand = base.copy()
        cand[np.flatnonzero(base)[:lost]] = 0
        answer("cand", f"seed{seed}", "quiz", correct=cand)
    (baseline,), candidates = read_results(Path("base")), read_results(Path("cand"))
    options = CompareOptions(tasks={}, gate=margin_gate(0.02), power=True)
    (found,) = compare([(baseline, candidates)], options)
    assert found.lines[0].from_seeds > 0.5
    assert found.lines[0].needed is None


# --- the chance to pass, against draws --------------------------------------------------------------------


def drawn(metric, n, generator):
    """A pair of equal models."""
    if metric is CORRECT:
        differs, right = generator.random(n) < 0.05, generator.random(n) < 0.5
        return [right * 1.0], [np.where(differs, ~right, right) * 1.0]
    if metric is NDCG:
        base = generator.beta(2, 2, n)
        moves = generator.normal(size=n) * 0.1 * (generator.random(n) < 0.4)
        return [base], [base + moves]
    gold, shared = generator.normal(size=n), generator.normal(size=n)
    columns = (gold > 0.5) * 1 if metric is ROC_AUC else gold
    return tuple([columns, gold + shared + 0.4 * generator.normal(size=n)] for _ in range(2))


def pair_of(metric, n, generator):
    base, cand = drawn(metric, n, generator)
    return AnswerPair.of(metric, (base, None), (cand, None), np.arange(n))


@pytest.mark.parametrize(
    ("metric", "n", "margin"),
    [
        pytest.param(CORRECT, 300, 0.03, id="right and wrong"),
        pytest.param(NDCG, 200, 0.012, id="nDCG"),
        pytest.param(SPEARMAN, 200, 0.06, id="Spearman"),
        pytest.param(ROC_AUC, 200, 0.05, id="ROC-AUC"),
    ],
)
def test_equal_models_pass_as_often_as_is_said(metric, n, margin):
    generator = np.random.default_rng(5)
    said, passed = [], []
    for _ in range(120):
        pair = pair_of(metric, n, generator)
        said.append(PassChance(gain_of(pair), pair).chance(2 * n, margin))
        passed.append(gain_of(pair_of(metric, 2 * n, generator)).low > -margin)
    assert 0.4 < np.mean(said) < 0.97
    assert np.mean(passed) == pytest.approx(np.mean(said), abs=0.04 + 3 * np.std(passed) / np.sqrt(120))


@pytest.mark.parametrize("positives", [15, pytest.param(50, marks=pytest.mark.slow)])
def test_with_few_positives_equal_models_pass_with_the_examples_that_are_said_to_be_needed(positives):
    """Rare losses count at the margin, and a spread that is known from few positives may be larger."""
    generator, margin = np.random.default_rng(7), 0.08
    passed = []
    for _ in range(100):
        pair = spam(positives, 20 * positives, generator)
        passing = PassChance(gain_of(pair), pair)
        needed = int(smallest_number(lambda units, own=passing: own.chance(units, margin), 1, 10**6))
        passed.append(gain_of(spam(round(needed / 20), needed, generator)).low > -margin)
    assert np.mean(passed) == pytest.approx(0.8, abs=0.1)


def spam(positives, n, generator):
    """Two equal models of an area of 0.94."""
    gold, shared = (np.arange(n) < positives) * 1, generator.normal(size=n)
    sides = [[gold, 2.2 * gold + (shared + generator.normal(size=n)) / 2**0.5] for _ in range(2)]
    return AnswerPair.of(ROC_AUC, (sides[0], None), (sides[1], None), np.arange(n))


def test_a_pair_of_twice_the_size_has_the_same_scores_and_a_smaller_error():
    generator = np.random.default_rng(0)
    clusters = np.sort(generator.integers(60, size=300))
    kept = generator.random(300) < 0.8
    base, cand = generator.normal(size=(2, 300))
    pair = AnswerPair.of(NDCG, ([base], kept), ([cand], kept), clusters)
    twice = resize(pair, 2 * pair.count, np.arange(pair.count))
    assert (twice.count, twice.examples) == (2 * pair.count, 2 * pair.examples)
    assert twice.scores == pytest.approx(pair.scores)
    ratio = gain_of(pair).standard_error / gain_of(twice).standard_error
    assert ratio == pytest.approx(np.sqrt(2), rel=0.02)


def test_drawn_units_bring_all_their_rows():
    clusters = np.array([0, 1, 1, 2, 2, 2])
    values = np.arange(6.0)
    pair = AnswerPair.of(NDCG, ([values], None), ([values + 10], None), clusters)
    again = draw_units(pair, np.array([2, 0, 2]))
    assert again.baseline.columns[0].tolist() == [3, 4, 5, 0, 3, 4, 5]
    assert again.units.tolist() == [0, 0, 0, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("least", "found"), [(1, 1), (7, 7), (10, 10), (285, 290), (991, 1000), (2018, 2100)]
)
def test_the_smallest_number_of_two_digits_is_found(least, found):
    assert smallest_number(lambda number: 1.0 if number >= least else 0.0, 1, 10**9) == found


def test_where_no_number_is_enough_there_is_none():
    assert smallest_number(lambda _: 0.5, 1, 1000) is None


# --- the mean over tasks ----------------------------------------------------------------------------------

MEAN = {"rule": "margin", "over": "mean"}


def test_a_mean_over_tasks_is_passed_by_fewer_examples_than_each_of_them():
    for task in ("one", "two", "three", "four"):
        quiz(task, gained=10, lost=10)
    each = ask(margin_gate(0.02)).gate_plan
    mean = ask(gate_of(MEAN | {"threshold": 0.02})).gate_plan
    assert mean.times < each.times / 2
    assert mean.examples == pytest.approx(mean.times * 1600, rel=0.1)
    both = ask(gate_of(MEAN | {"threshold": 0.02}, {"rule": "margin", "threshold": 0.02})).gate_plan
    assert each.chance - 0.02 < both.chance <= each.chance + 0.01


def test_equal_models_pass_a_mean_over_tasks_as_often_as_is_said():
    generator = np.random.default_rng(3)
    said, passed = [], []
    for _ in range(150):
        gains = [gain_of(pair_of(CORRECT, 300, generator)) for _ in range(3)]
        mean = mean_curve(gains).interval()
        passed.append(mean.low > -0.02)
        errors, halves = np.transpose([PassChance(gain, None).spread(300) for gain in gains])
        said.append(norm.sf((np.hypot.reduce(halves) - 3 * 0.02) / np.hypot.reduce(errors)))
    assert 0.3 < np.mean(said) < 0.97
    assert np.mean(passed) == pytest.approx(np.mean(said), abs=0.04 + 3 * np.std(passed) / np.sqrt(150))


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        pytest.param({"rule": "gain", "threshold": 0.02}, "mean of all tasks (gain > 0.02)", id="gain"),
        pytest.param({"rule": "margin", "threshold": 0.0}, "mean of all tasks (margin 0)", id="margin 0"),
    ],
)
def test_equal_models_never_pass_a_required_mean_gain(condition, why):
    quiz()
    quiz("law")
    plan = ask(gate_of(condition | {"over": "mean"})).gate_plan
    assert (plan.chance, plan.sentence) == (0.0, f"no number of examples lets an equal candidate pass {why}")


def test_a_mean_with_a_task_without_an_interval_is_not_planned():
    quiz()
    quiz("tiny", rows=8)
    plan = ask(gate_of(MEAN | {"threshold": 0.02})).gate_plan
    assert plan.chance is None
    assert "without mean of all tasks, which cannot be planned" in plan.sentence
