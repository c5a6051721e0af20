"""Whether examples can show what is asked of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from comparison.made import CORRECT, SPEARMAN, answer, right
from harness.comparison import evidence
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.evidence import (
    fewest_by_repeating,
    heaviest_unit,
    scarce,
    unseen_losses,
)
from harness.comparison.gate import margin_gate
from harness.comparison.selection import select_best
from harness.comparison.sources import read_results
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, ROC_AUC, mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.curve import LEVEL
from harness.stats.gain import gain_curve, gain_of

GRADED = mean_metric("ndcg", "value")


def paired(metric, baseline, candidate, clusters=None):
    """Pair two models' columns; each an array, or several."""
    sides = [list(side) if isinstance(side, tuple) else [side] for side in (baseline, candidate)]
    units = np.arange(len(sides[0][0])) if clusters is None else np.asarray(clusters)
    return AnswerPair.of(metric, (sides[0], None), (sides[1], None), units)


def ask(margin, base, cand, metric=GRADED, **columns):
    for name, own in (("base", base), ("cand", cand)):
        answer(name, name, metrics=(metric,), **{metric.columns[-1]: own}, **columns)
    (baseline,), (candidate,) = read_results(Path("base")), read_results(Path("cand"))
    gate = None if margin is None else margin_gate(margin)
    (found,) = compare([(baseline, [candidate])], CompareOptions(tasks={}, gate=gate))
    return found.lines[0]


# --- too few for a margin ---------------------------------------------------------------------------------


def test_so_many_examples_as_are_needed_pass_the_margin_if_no_answer_differs():
    ones = np.ones(12)
    needed = fewest_by_repeating(paired(CORRECT, ones, ones), 0.02)
    assert (needed.have, needed.what) == (12, "examples")
    for count, passes in ((round(needed.needed * 1.03), True), (round(needed.needed * 0.97), False)):
        alike = paired(CORRECT, np.ones(count), np.ones(count))
        assert (gain_curve(alike).interval().low > -0.02) == passes


def test_enough_examples_lack_nothing():
    ones = np.ones(1000)
    assert fewest_by_repeating(paired(CORRECT, ones, ones), 0.02) is None


def test_a_smaller_margin_needs_more_beyond_what_is_tried():
    ones = np.ones(12)
    needed = [fewest_by_repeating(paired(CORRECT, ones, ones), each).needed for each in (1e-3, 1e-4, 1e-5)]
    assert needed[1] / needed[0] == pytest.approx(10, rel=0.02)
    assert needed[2] / needed[1] == pytest.approx(10, rel=0.02)


def test_no_number_of_examples_passes_a_margin_of_zero():
    ones = np.ones(12)
    assert fewest_by_repeating(paired(CORRECT, ones, ones), 0.0).needed is None


@pytest.mark.parametrize(
    ("metric", "gold", "expected"),
    [
        pytest.param(ROC_AUC, [1] * 3 + [0] * 9, (3, "positives"), id="few positives"),
        pytest.param(ROC_AUC, [1] * 9 + [0] * 3, (3, "negatives"), id="few negatives"),
        pytest.param(AVERAGE_PRECISION, [1] * 9 + [0] * 3, (9, "positives"), id="average precision"),
        pytest.param(MACRO_F1, [0] * 8 + [1] * 4, (4, "examples of the smallest class"), id="macro-F1"),
        pytest.param(SPEARMAN, list(range(12)), (12, "examples"), id="a correlation"),
    ],
)
def test_what_is_scarce_is_the_smaller_class_or_the_examples(metric, gold, expected):
    side = np.asarray(gold), np.arange(12.0)
    assert scarce(paired(metric, side, side)) == expected


def test_examples_in_clusters_lack_clusters():
    assert scarce(paired(GRADED, np.ones(12), np.ones(12), [row // 3 for row in range(12)])) == (
        4,
        "clusters",
    )


def test_a_line_that_could_not_have_passed_says_what_it_lacks():
    base = right(0.7, 20)
    cand = base.copy()
    cand[0] = 1 - cand[0]
    assert ask(0.01, base, cand, CORRECT).shortage.have == 20
    assert ask(0.5, base, cand, CORRECT).shortage is None


def test_a_gain_far_beyond_the_margin_lacks_nothing_for_an_equivalence():
    base = np.ones(30)
    base[:3] = 0
    line = ask(0.05, base, np.ones(30), CORRECT)
    assert (line.verdict, line.within_margin, line.shortage) == ("inconclusive", True, None)


def test_the_smaller_class_is_what_an_area_needs_more_of():
    gold = np.array([1] * 11 + [0] * 200)
    scores = np.arange(211.0)[::-1]
    base, cand = {"gold": gold, "predicted": scores}, {"gold": gold, "predicted": scores**3}
    pair = AnswerPair.of(ROC_AUC, ([*base.values()], None), ([*cand.values()], None), np.arange(211))
    found = evidence._needed(pair, 0.02, LEVEL)
    assert (found.have, found.what) == (11, "positives")
    more = np.repeat(gold, found.needed // 11 + 1)
    many = [more, np.repeat(scores, found.needed // 11 + 1)]
    enough = AnswerPair.of(ROC_AUC, (many, None), (many, None), np.arange(len(more)))
    assert evidence._needed(enough, 0.02, LEVEL) is None
    assert gain_curve(enough).interval().low > -0.02 > gain_curve(pair).interval().low


def test_a_line_that_fails_or_passes_lacks_nothing():
    base = right(0.9, 60)
    assert ask(0.01, base, 1 - base, CORRECT).shortage is None
    assert ask(0.01, 1 - base, base, CORRECT).shortage is None


def test_models_that_differ_by_little_lack_nothing_though_equal_answers_would_tell_less():
    """Zero differing examples leave room for a rare loss; small differences show that they are small."""
    generator = np.random.default_rng(0)
    base = generator.uniform(0.3, 0.7, 60)
    cand = base + generator.normal(-0.01, 0.02, 60)
    line = ask(0.01, base, cand)
    assert line.low < -0.01 < line.high
    assert line.shortage is None


def test_a_line_that_would_pass_sooner_than_equal_answers_lacks_nothing():
    """Its own interval at a gain of 0 would take 60 · (0.02 / 0.015)² ≈ 107 examples, equal answers 246."""
    generator = np.random.default_rng(0)
    base = generator.uniform(0.3, 0.7, 60)
    noise = generator.normal(0, 0.0775, 60)
    line = ask(0.015, base, base - 0.01 + noise - noise.mean())
    assert 0.015 < line.gain - line.low < 0.025
    assert line.shortage is None


# --- clusters and units -----------------------------------------------------------------------------------


def test_the_unit_that_carries_most_of_the_variance_is_named():
    generator = np.random.default_rng(1)
    base = generator.uniform(0.2, 0.4, 60)
    cand = base + generator.normal(0, 0.01, 60)
    cand[17] = base[17] + 0.5
    line = ask(None, base, cand)
    assert line.heaviest == "e17"
    assert 0.9 < line.heaviest_share < 1
    clusters = ["big" if row < 30 else f"c{row}" for row in range(60)]
    shifted = np.where(np.arange(60) < 30, base + 0.05, base) + generator.normal(0, 0.01, 60)
    assert ask(None, base, shifted, cluster=clusters).heaviest == "big"


def test_no_unit_is_named_where_all_weigh_alike():
    generator = np.random.default_rng(2)
    base = generator.uniform(0.2, 0.4, 60)
    assert ask(None, base, base + generator.normal(0, 0.1, 60)).heaviest is None


def test_a_single_answer_that_flipped_is_not_a_heavy_unit():
    base = right(0.7, 50)
    cand = base.copy()
    cand[3] = 1 - cand[3]
    pair = paired(CORRECT, base, cand)
    assert heaviest_unit(gain_of(pair), pair) is None


# --- losses that were not seen ----------------------------------------------------------------------------


def test_a_rare_loss_may_not_be_in_few_examples():
    graded = np.random.default_rng(3).uniform(0, 1, 50)
    pair = paired(GRADED, graded, graded + 0.01)
    assert unseen_losses(pair, 0.02) == pytest.approx(1 - 0.025 ** (1 / 50))
    assert unseen_losses(pair, 0.08) is None


def test_right_and_wrong_answers_and_correlations_have_no_unseen_losses():
    answers = right(0.7, 50)
    assert unseen_losses(paired(CORRECT, answers, 1 - answers), 0.001) is None
    side = np.arange(50.0), np.arange(50.0)
    assert unseen_losses(paired(SPEARMAN, side, side), 0.001) is None


def test_only_a_line_that_passes_says_what_may_be_unseen():
    graded = np.random.default_rng(4).uniform(0.2, 0.8, 50)
    noise = np.random.default_rng(5).normal(0, 0.02, 50)
    assert ask(0.05, graded, graded + 0.05 + noise).unseen == pytest.approx(0.0711, abs=1e-4)
    assert ask(0.05, graded, graded - 0.15 + noise).unseen is None
    assert ask(None, graded, graded + 0.05 + noise).unseen is None


# --- at the level of a selection --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metric", [CORRECT, ROC_AUC, AVERAGE_PRECISION, MACRO_F1], ids=lambda each: each.name
)
def test_a_stricter_level_needs_more_examples_and_so_many_pass(metric):
    gold = np.array([1, 0] * 10)
    sides = np.ones(20) if metric is CORRECT else (gold, gold * 1)
    needed = [evidence._needed(paired(metric, sides, sides), 0.02, level).needed for level in (0.05, 0.001)]
    assert needed[1] > 1.2 * needed[0]
    times = needed[1] // (20 if metric is CORRECT else 10) + 1
    many = np.ones(20 * times) if metric is CORRECT else (np.tile(gold, times), np.tile(gold, times))
    assert gain_curve(paired(metric, many, many)).interval(0.001).low > -0.02


def test_the_shortage_of_a_selected_candidate_goes_by_the_level_of_its_lines():
    base = np.ones(80)
    for seed in range(20):
        cand = base.copy()
        cand[seed] = 0
        answer("cands", f"c{seed}", metrics=(CORRECT,), correct=cand if seed else base)
    answer("base", "base", metrics=(CORRECT,), correct=base)
    (baseline,) = read_results(Path("base"))
    pairs = [(baseline, [candidate]) for candidate in read_results(Path("cands"))]
    options = CompareOptions(tasks={}, gate=margin_gate(0.01))
    alone = compare(pairs[1:2], options)[0].lines[0].shortage
    selected = select_best(pairs[1:], options).comparison
    assert selected.level > 0.95
    assert selected.lines[0].shortage.needed > 1.2 * alone.needed


def test_what_may_be_unseen_is_more_at_a_stricter_level():
    values = np.linspace(0.2, 0.9, 60)
    pair = paired(GRADED, values, values)
    assert unseen_losses(pair, 0.01, 0.001) > 1.5 * unseen_losses(pair, 0.01)
