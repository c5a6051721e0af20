"""What a test can find: power of right and wrong answers, and of all other gains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.type_one.detectable import detectable_cell, needed_cell
from benchmarks.type_one.power_families import FAMILIES
from harness.metrics.standard import ROC_AUC, SPEARMAN, mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.curve import StudentCurve
from harness.stats.detectable import detectable_gain
from harness.stats.flips_power import background_rate, claim_power, detectable_flips, pass_power
from harness.stats.gain import gain_of
from harness.stats.proportions import mcnemar, tango
from harness.stats.unseen_share import bounds_of

VALUE = mean_metric("value")


def pair(metric, base, cand, clusters=None):
    clusters = np.arange(len(base[0])) if clusters is None else clusters
    return AnswerPair.of(metric, (base, None), (cand, None), clusters)


def flipped(n, gained, lost, wrong=0):
    """Answers to n questions of which so many became right, and wrong; `wrong` of the others are."""
    rest = np.r_[np.zeros(wrong), np.ones(n - gained - lost - wrong)]
    base = np.r_[np.zeros(gained), np.ones(lost), rest]
    cand = np.r_[np.ones(gained), np.zeros(lost), rest]
    return pair(VALUE, [base], [cand])


def claims(gained, lost, level):
    """Whether McNemar's test and the score test both call so many flips a gain."""
    if gained <= lost:
        return False
    score = 2 * stats.norm.sf((gained - lost) / math.sqrt(gained + lost))
    return max(mcnemar(gained, lost), score) < level


# --- right and wrong answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.05, 0.001])
def test_the_power_of_flips_is_that_of_all_outcomes_together(level):
    n, gained, lost = 60, 0.25, 0.05
    outcomes = [(g, b) for g in range(n + 1) for b in range(n + 1 - g) if claims(g, b, level)]
    table = [[g, b, n - g - b] for g, b in outcomes]
    expected = stats.multinomial.pmf(table, n, [gained, lost, 1 - gained - lost]).sum()
    assert claim_power(gained, lost, n, level) == pytest.approx(expected, abs=1e-9)


def test_the_chance_to_pass_is_that_of_all_outcomes_together():
    n, rate, margin = 50, 0.1, 0.1
    outcomes = [(g, b) for g in range(15) for b in range(15) if tango(g, b, n)[0] > -margin]
    table = [[g, b, n - g - b] for g, b in outcomes]
    expected = stats.multinomial.pmf(table, n, [rate / 2, rate / 2, 1 - rate]).sum()
    assert pass_power(rate, n, margin, 0.05) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("gained", "lost"), [(5, 0), (6, 1), (7, 1), (9, 2), (8, 2), (30, 15), (30, 14)])
def test_the_power_is_that_of_the_verdict_s_own_p_value(gained, lost):
    p = gain_of(flipped(100, gained, lost)).p
    score = 2 * stats.norm.sf((gained - lost) / math.sqrt(gained + lost))
    assert (max(p, score) < 0.05) == claims(gained, lost, 0.05)


def test_two_of_400_answers_had_little_power_at_the_standard_error_s_gain():
    """The figures of an independent study: what was printed before had a power of 30 %, and of 6 %."""
    assert claim_power(0.0025 + 0.0099, 0.0025, 400, 0.05) == pytest.approx(0.30, abs=0.005)
    assert claim_power(0.0025 + 0.02, 0.0025, 99, 0.05) == pytest.approx(0.06, abs=0.005)


@pytest.mark.parametrize(
    ("rate", "needed"),
    [
        pytest.param(0.005, 285, id="0.5 % differ"),
        pytest.param(0.02, 532, id="2 % differ"),
        pytest.param(0.1, 2018, id="10 % differ"),
    ],
)
def test_so_many_examples_pass_a_margin_of_two_points(rate, needed):
    """The figures of an independent study."""
    assert pass_power(rate, needed, 0.02, 0.05) >= 0.80
    assert pass_power(rate, round(0.95 * needed), 0.02, 0.05) < 0.87


@pytest.mark.parametrize("level", [0.05, 0.05 / 4, 0.05 / 50])
@pytest.mark.parametrize("changed", [0, 2, 40])
def test_the_detectable_gain_of_right_and_wrong_answers_has_exactly_80_of_100(changed, level):
    found = detectable_flips(changed, 400, level)
    background = background_rate(changed, 400)
    assert claim_power(background / 2 + found, background / 2, 400, level) == pytest.approx(0.8, abs=1e-4)


def test_sums_and_the_normal_approximation_meet_where_many_answers_differ():
    exact, approximate = (detectable_flips(changed, 12_000, 0.05) for changed in (2990, 3010))
    assert exact == pytest.approx(approximate, rel=0.01)
    exact, approximate = (pass_power(rate, 12_000, 0.014, 0.05) for rate in (0.2499, 0.2501))
    assert exact == pytest.approx(approximate, abs=0.01)


def test_where_no_number_of_gained_answers_is_enough_there_is_no_detectable_gain():
    assert math.isnan(detectable_flips(0, 10, 1e-6))


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("level", [0.05, 0.001])
def test_the_printed_gain_has_the_power_that_is_claimed_over_data_sets(rate, level):
    n = 1000
    seen = stats.binom.pmf(np.arange(n + 1), n, rate)
    likely = np.flatnonzero(seen > 1e-4)
    powers = [claim_power(rate / 2 + detectable_flips(int(k), n, level), rate / 2, n, level) for k in likely]
    assert 0.75 < seen[likely] @ powers < 0.88


def test_the_gain_of_a_rare_difference_is_printed_with_its_power():
    gain = gain_of(flipped(400, 1, 1, wrong=80))
    found = detectable_gain(gain)
    assert found == pytest.approx(0.0232, abs=5e-5)
    assert claim_power(0.0025 + found, 0.0025, 400, 0.05) > 0.8


# --- all other gains --------------------------------------------------------------------------------------


def test_where_all_units_differ_it_is_the_standard_error_s():
    generator = np.random.default_rng(0)
    base, cand = generator.normal(size=(2, 60))
    gain = gain_of(pair(VALUE, [base], [cand]))
    student = StudentCurve(gain.value, gain.standard_error, 59)
    half = gain.value - student.interval(0.01).low
    expected = half + stats.t.ppf(0.8, 59) * gain.standard_error
    assert detectable_gain(gain, 0.01) >= expected * 0.99
    power = stats.nct.sf(stats.t.isf(0.005, 59), 59, expected / gain.standard_error)
    assert power == pytest.approx(0.8, abs=0.01)


KINDS = {
    "accuracy": lambda g, a, b: (VALUE, [(a > 2.5) * 1.0], [(b > 2.5) * 1.0]),
    "mean": lambda g, a, b: (VALUE, [a], [b]),
    "few": lambda g, a, b: (VALUE, [a], [np.where(np.arange(len(a)) % 50, a, b)]),
    "spearman": lambda g, a, b: (SPEARMAN, [g, a], [g, b]),
    "auc": lambda g, a, b: (ROC_AUC, [(g > 2) * 1, a], [(g > 2) * 1, b]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_stricter_the_level_the_greater_the_detectable_gain(kind):
    generator = np.random.default_rng(3)
    gold = generator.uniform(0, 5, size=300)
    base, cand = gold + generator.normal(size=(2, 300)) * 1.5
    metric, left, right = KINDS[kind](gold, base, cand)
    gain = gain_of(pair(metric, left, right))
    found = [detectable_gain(gain, level, bounds=bounds_of(metric)) for level in (0.05, 0.01, 0.001)]
    assert 0 < found[0] < found[1] < found[2]


def test_answers_that_are_the_very_same_have_no_detectable_gain():
    one = pair(VALUE, [np.linspace(0, 1, 50)], [np.linspace(0, 1, 50)])
    assert math.isnan(detectable_gain(gain_of(one, identical=True)))


def test_where_no_answer_differs_each_that_will_may_differ_by_the_whole_range():
    same = pair(VALUE, [np.linspace(0, 1, 400)], [np.linspace(0, 1, 400)])
    assert detectable_gain(gain_of(same)) == pytest.approx(detectable_flips(0, 400, 0.05))


def test_a_few_queries_that_differ_are_like_answers_of_that_size():
    base = np.full(400, 0.5)
    cand = base.copy()
    cand[0] += 0.3
    cand[1] -= 0.3
    gain = gain_of(pair(VALUE, [base], [cand]))
    assert gain.moved == 2
    assert detectable_gain(gain) >= 0.3 * detectable_flips(2, 400, 0.05) * 0.999


def test_a_gain_that_the_score_cannot_reach_is_not_printed():
    generator = np.random.default_rng(0)
    gold = (np.arange(60) < 12) * 1
    base, cand = (3.5 * gold + generator.normal(size=(2, 60))).astype(float)
    gain = gain_of(pair(ROC_AUC, [gold, base], [gold, cand]))
    found = detectable_gain(gain, 1e-6, bounds=bounds_of(ROC_AUC))
    assert math.isnan(found) or gain.baseline + found < 1


@pytest.mark.parametrize("pull", [0.0, 0.1])
def test_right_answers_have_no_detectable_gain_beyond_1(pull):
    perfect = pair(VALUE, [np.ones(12)], [np.ones(12)])
    assert math.isnan(detectable_gain(gain_of(perfect), pair=perfect))
    near = flipped(50, 4, 0)
    assert near.baseline.score == 0.92
    assert math.isnan(detectable_gain(gain_of(near), pair=near))
    graded = pair(VALUE, [np.full(12, 1 - pull)], [np.full(12, 1 - pull)])
    assert math.isnan(detectable_gain(gain_of(graded), pair=graded))
    far = flipped(400, 4, 0, wrong=20)
    assert 0 < detectable_gain(gain_of(far), pair=far) <= 0.06


def test_a_correlation_that_no_unit_moves_has_no_detectable_gain_beyond_1():
    gold = np.arange(12) / 3
    low, high = gold[::-1].copy(), gold.copy()
    low[:3], high[:3] = low[2::-1], high[2::-1]
    found = {}
    for name, answers in (("low", low), ("high", high)):
        gain = gain_of(pair(SPEARMAN, [answers, gold], [answers**3 + 1, gold]))
        found[name] = detectable_gain(gain, bounds=bounds_of(SPEARMAN))
        assert gain.value == pytest.approx(0, abs=1e-12)
        assert math.isnan(found[name]) or gain.baseline + found[name] <= 1
    assert found["low"] > 1
    assert math.isnan(found["high"])


def test_units_whose_answers_differ_are_counted():
    clusters = np.repeat(np.arange(20), 5)
    base = np.zeros(100)
    cand = base.copy()
    cand[[0, 1, 50]] = 1
    assert gain_of(pair(VALUE, [base], [cand], clusters)).moved == 2
    assert gain_of(pair(SPEARMAN, [np.arange(100.0), base], [np.arange(100.0), cand])).moved == 3


# --- what is printed, on data that are drawn --------------------------------------------------------------

CELLS = [
    pytest.param("accuracy, 0.5% differ", 1000, 4, 200, id="few answers differ, four lines"),
    pytest.param("nDCG", 300, 1, 250, id="nDCG"),
    pytest.param("Spearman", 100, 1, 150, id="Spearman"),
    pytest.param("nDCG in [0, 1], 2 % move", 300, 4, 150, id="few queries move, four lines"),
    pytest.param("nDCG in [0, 1], 30 % move", 300, 4, 100, id="others move; losses are larger"),
    pytest.param("average precision 0.7, 5% positives", 1000, 4, 150, id="few positives, four lines"),
    pytest.param("macro-F1 0.80, 5 % in the smallest class", 1000, 1, 150, id="a small class"),
    pytest.param("nDCG@10 of rankings", 100, 4, 100, id="as many queries move whatever the gain is"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("family", "examples", "lines", "repetitions"), CELLS)
def test_what_is_printed_is_found_in_80_of_100_cases(family, examples, lines, repetitions):
    (chosen,) = [each for each in FAMILIES if each.name == family]
    cell = detectable_cell(chosen, examples, lines, repetitions)
    error = math.sqrt(0.8 * 0.2 / repetitions)
    assert 0.75 - 3 * error < cell.power < 0.88 + 3 * error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "examples"),
    [
        pytest.param("ROC-AUC 0.94, 5 % positives", 300, id="15 positives"),
        pytest.param("ROC-AUC 0.94, 5 % positives", 1000, id="50 positives"),
        pytest.param("average precision 0.7, 5% positives", 300, id="average precision, 15 positives"),
        pytest.param("macro-F1 0.80, 5 % in the smallest class", 300, id="15 of the smallest class"),
    ],
)
def test_equal_models_pass_in_80_of_100_cases_with_the_examples_that_are_said_to_be_needed(family, examples):
    (chosen,) = [each for each in FAMILIES if each.name == family]
    cell = needed_cell(chosen, examples, 250)
    assert 0.75 - 3 * 0.025 < cell.power < 0.88 + 3 * 0.025


def test_one_query_that_differed_by_little_does_not_hide_what_others_could_show():
    """Gains of its size would be too small, even of all queries: larger ones are looked for."""
    base = np.linspace(0.2, 0.8, 400)
    cand = base.copy()
    cand[7] += 1e-4
    one = pair(VALUE, [base], [cand])
    assert 0 < detectable_gain(gain_of(one), pair=one) < 0.05


def test_one_cluster_that_differed_leaves_a_gain_that_can_be():
    base = np.linspace(0.2, 0.8, 300)
    cand = base.copy()
    cand[5] += 0.2
    clustered = pair(VALUE, [base], [cand], np.arange(300) // 5)
    assert 0.005 < detectable_gain(gain_of(clustered), pair=clustered) < 0.1


def test_rounding_is_no_spread_and_rare_changes_must_be_seen_to_be_found():
    """One example moved by a hair; a change of a positive costs 1/60, and about ten are found."""
    generator = np.random.default_rng(1)
    gold = (np.arange(300) < 60) * 1
    base = gold * 0.7 + generator.normal(size=300)
    hair = base.copy()
    hair[5] += 1e-9
    found = [
        detectable_gain(gain_of(pair(ROC_AUC, [gold, base], [gold, cand])), bounds=bounds_of(ROC_AUC))
        for cand in (base.copy(), hair)
    ]
    assert found[0] == pytest.approx(found[1], rel=0.02)
    assert 7 / 60 < found[0] < 12 / 60


def test_a_candidate_that_lost_much_leaves_a_gain_that_can_be():
    """Recall of 110 queries, 82 of them at 1: 24 lost and 2 gained. An equal model would differ both ways."""
    base = np.r_[np.ones(82), np.zeros(10), np.full(18, 0.5)]
    change = np.zeros(110)
    change[:9], change[9:19], change[92:97], change[97:99] = -1, -0.5, -0.3, 0.4
    one = pair(VALUE, [base], [base + change])
    found = detectable_gain(gain_of(one), 0.0074, pair=one)
    assert 0.05 < found < 1 - base.mean()


def test_where_all_units_differ_a_mean_s_own_curve_agrees_with_student_s_power():
    generator = np.random.default_rng(0)
    base, cand = generator.normal(size=(2, 400))
    one = pair(VALUE, [base], [cand])
    error = gain_of(one).standard_error
    student = (stats.t.ppf(1 - 0.005, 399) + stats.t.ppf(0.8, 399)) * error
    assert detectable_gain(gain_of(one), 0.01, pair=one) == pytest.approx(student, rel=0.03)


def test_the_detectable_gain_of_a_mean_is_the_same_in_another_order_and_unit():
    generator = np.random.default_rng(1)
    base = generator.normal(size=1000)
    cand = base + generator.normal(size=1000) * (generator.random(1000) < 0.4)
    order = generator.permutation(1000)
    found = [
        detectable_gain(gain_of(one), 0.01, pair=one) / scale
        for one, scale in (
            (pair(VALUE, [base], [cand]), 1),
            (pair(VALUE, [base[order]], [cand[order]]), 1),
            (pair(VALUE, [base * 64], [cand * 64]), 64),
        )
    ]
    assert found == pytest.approx([found[0]] * 3, rel=2e-3)


def classes(area, positives, n, generator):
    """Scores of two models of the same area, by whose errors half is shared."""
    gold = (np.arange(n) < positives) * 1
    apart, shared = math.sqrt(2) * stats.norm.ppf(area), generator.normal(size=n)
    sides = [gold * apart + (shared + generator.normal(size=n)) / math.sqrt(2) for _ in range(2)]
    return pair(ROC_AUC, [gold, sides[0]], [gold, sides[1]])


def test_a_gain_is_printed_only_where_the_baseline_leaves_room_for_it_beyond_its_own_doubt():
    """A baseline that looks worse than it is by luck would leave room for gains that cannot be."""
    generator = np.random.default_rng(0)
    gains = [gain_of(classes(0.94, 50, 1000, generator)) for _ in range(60)]
    found = [detectable_gain(gain, 0.05 / 4, bounds=bounds_of(ROC_AUC)) for gain in gains]
    assert np.isfinite(found).mean() < 0.05
    wide = [detectable_gain(gain, 0.3, bounds=bounds_of(ROC_AUC)) for gain in gains]
    for gain, each in zip(gains, wide, strict=True):
        assert math.isnan(each) or gain.baseline + 0.84 * gain.baseline_error + each <= 1
    assert np.isfinite(wide).mean() > 0.3
