"""The best of several candidates: against closed forms, and by simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks.type_one.races import RACES
from benchmarks.type_one.selection import measure_cell
from harness.metrics.standard import mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.contest import Contest, flip_deviates
from harness.stats.curve import PointCurve
from harness.stats.gain import gain_of
from harness.stats.joint import Line
from harness.stats.proportions import mcnemar
from harness.stats.selection import chosen, level_of_candidates, winner_of

VALUE = mean_metric("value")


def gains(*candidates, baseline=None, metric=VALUE, first=0):
    """Gains of candidates whose values are given, over a baseline of zeros. first: name of the first unit."""
    rows = len(candidates[0])
    base = np.zeros(rows) if baseline is None else baseline
    return [
        gain_of(AnswerPair.of(metric, ([base], None), ([each], None), first + np.arange(rows)),
                identical=np.array_equal(each, base))
        for each in candidates
    ]  # fmt: skip


def contest(*candidates, **options):
    return Contest.of([[gain] for gain in gains(*candidates, **options)], ["task"])


def normal(mean=0.0, rows=400, seed=0):
    """Values with this mean, exactly, and a standard deviation of one."""
    drawn = np.random.default_rng(seed).normal(size=rows)
    return (drawn - drawn.mean()) / drawn.std(ddof=1) + mean


# --- the winner's gain ------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.05, 0.01, 0.32])
def test_a_single_candidate_has_its_ordinary_interval(level):
    alone = contest(normal(0.1))
    won = winner_of(alone, 0, level)
    assert won.interval == pytest.approx(alone.curves[0].interval(level), abs=1e-6)
    assert won.estimate == pytest.approx(won.value, abs=1e-6)


def test_a_candidate_far_ahead_has_about_its_ordinary_interval():
    clear = contest(normal(2.0), normal(0.0, seed=1), normal(-0.1, seed=2))
    won = winner_of(clear, 0)
    low, high = clear.curves[0].interval()
    assert won.estimate == pytest.approx(won.value, abs=1e-6)
    assert (won.interval.low, won.interval.high) == pytest.approx((low, high), abs=0.05 * (high - low))
    assert won.interval.low <= low <= high <= won.interval.high  # the price of having looked


def test_the_gain_of_a_narrow_winner_is_corrected_downwards():
    close = contest(normal(0.10), normal(0.09, seed=1), normal(0.08, seed=2))
    won = winner_of(close, 0)
    low, high = close.curves[0].interval()
    assert won.interval.low < low
    assert won.interval.high < high
    assert won.interval.low < won.estimate < won.value


def test_the_conditional_median_is_that_of_a_truncated_normal():
    close = contest(normal(0.2), normal(0.15, seed=1))
    covariance, ahead = close.covariance, close.values[0] - close.values[1]
    error = math.sqrt(covariance[0, 0])
    least = close.values[0] - ahead / (1 - covariance[0, 1] / covariance[0, 0])

    def share_below(truth):
        # The hybrid bound is far away at this lead: the plain truncation differs little.
        start = (least - truth) / error
        return stats.truncnorm.cdf((close.values[0] - truth) / error, start, np.inf)

    estimate = winner_of(close, 0).estimate
    assert share_below(estimate) == pytest.approx(0.5, abs=0.01)


def test_the_interval_of_a_candidate_that_was_chosen_by_any_rule_is_for_all_at_once():
    """Two independent normal gains: each interval is of the root of 95 %."""
    field = contest(normal(0.1, rows=5000), normal(0.2, rows=5000, seed=1))
    found = chosen(field, 0)
    assert found.estimate is None
    expected = field.curves[0].interval(1 - math.sqrt(0.95))
    assert found.interval == pytest.approx(expected, abs=0.001)
    alone = contest(normal(0.1))
    assert chosen(alone, 0).interval == pytest.approx(alone.curves[0].interval(), abs=1e-6)


@pytest.mark.slow
def test_the_best_of_those_above_a_bound_is_covered_where_its_own_interval_is_not():
    """Twenty equal candidates; the best of those that pass a gate on an answer that goes with their gain."""
    generator, covered, naive = np.random.default_rng(11), [], []
    for _ in range(60):
        drawn = generator.normal(size=(20, 60))
        field = contest(*drawn)
        passing = np.flatnonzero(field.values + 0.1 * generator.normal(size=20) > 0)
        position = int(field.tied(passing)[0]) if len(passing) else 0
        low, high = chosen(field, position).interval
        own = field.curves[position].interval()
        covered.append(low <= 0 <= high)
        naive.append(own.low <= 0 <= own.high)
    assert np.mean(covered) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 60)
    assert np.mean(naive) < 0.85


def test_candidates_with_the_same_answers_change_nothing():
    best, other = normal(0.2), normal(0.1, seed=1)
    once, often = contest(best, other), contest(best, other, best, other, best)
    left, right = winner_of(once, 0), winner_of(often, 0)
    assert list(left.interval) == pytest.approx(list(right.interval), abs=0.01)
    assert list(often.tied()) == [0, 2, 4]
    shared = often.probabilities()
    assert shared[[0, 2, 4]] == pytest.approx([once.probabilities()[0] / 3] * 3, abs=0.01)


def test_the_order_of_candidates_changes_nothing():
    candidates = [normal(0.1 * k, seed=k) for k in range(5)]
    one, other = contest(*candidates), contest(*reversed(candidates))
    left, right = winner_of(one, 4), winner_of(other, 0)
    assert [left.estimate, *left.interval] == pytest.approx([right.estimate, *right.interval], abs=1e-9)
    assert one.probabilities() == pytest.approx(other.probabilities()[::-1], abs=1e-9)
    assert list(one.may_be_best()) == list(other.may_be_best()[::-1])


def test_equal_accuracies_leave_an_interval_of_width():
    generator = np.random.default_rng(3)
    base = (generator.random(200) < 0.7).astype(float)
    ups = np.flatnonzero(base == 0)
    candidates = []
    for start in (0, 8):
        own = base.copy()
        own[ups[start : start + 8]] = 1.0
        candidates.append(own)
    tied = contest(*candidates, baseline=base)
    assert len(tied.tied()) == 2
    assert winner_of(tied, 0).interval.high > winner_of(tied, 0).interval.low + 0.02


def test_equal_values_of_no_lattice_leave_an_interval_of_width():
    base = np.random.default_rng(4).beta(2, 1, 200)
    candidates = [base.copy(), base.copy()]
    for own, start in zip(candidates, (0, 20), strict=True):
        own[start : start + 20] += 0.369 * np.linspace(0.5, 1, 20)
    tied = contest(*candidates, baseline=base)
    assert len(tied.tied()) == 2
    won = winner_of(tied, 0)
    assert won.interval.high - won.interval.low > 2 * tied.errors[0]


def test_candidates_that_change_no_answer_leave_an_interval_of_width():
    base = (np.arange(100) < 70).astype(float)
    one_more = base.copy()
    one_more[0] = 0.0
    still = gains(base + 0.0, one_more, baseline=base)
    unseen = gain_of(AnswerPair.of(VALUE, ([base], None), ([base], None), np.arange(100)))
    field = Contest.of([[unseen], [unseen], [still[1]]], ["task"])
    low, high = winner_of(field, 0).interval
    assert low < 0 < high


def test_a_baseline_among_its_candidates_has_a_gain_of_exactly_zero():
    field = contest(np.zeros(300), normal(-0.5, rows=300), normal(-0.6, rows=300, seed=1))
    assert isinstance(field.curves[0], PointCurve)
    assert winner_of(field, 0)[1:] == (0.0, 0.0, (0.0, 0.0))
    assert list(field.may_be_best()) == [True, False, False]
    assert field.probabilities() == pytest.approx([1, 0, 0], abs=1e-3)


# --- who may be the best ----------------------------------------------------------------------------------


def test_probabilities_of_two_independent_candidates_are_those_of_their_difference():
    generator = np.random.default_rng(5)
    left, right = generator.normal(0.1, 1, 500), generator.normal(0.0, 1, 500)
    two = contest(left, right)
    spread = math.sqrt(two.covariance[0, 0] + two.covariance[1, 1] - 2 * two.covariance[0, 1])
    expected = stats.norm.cdf((two.values[0] - two.values[1]) / spread)
    assert two.probabilities()[0] == pytest.approx(expected, abs=0.015)
    assert two.probabilities().sum() == pytest.approx(1)


@pytest.mark.parametrize(("gained", "lost"), [(3, 0), (5, 1), (12, 4), (40, 22)])
def test_flips_of_right_and_wrong_answers_are_mcnemars_test(gained, lost):
    total, changed = np.array([gained - lost]), np.array([float(gained + lost)])
    deviate = flip_deviates(total, changed, changed)[0]
    assert 2 * stats.norm.sf(deviate) == pytest.approx(mcnemar(gained, lost), rel=1e-9)


def test_three_answers_do_not_tell_two_candidates_apart():
    base = np.zeros(400)
    base[:200] = 1.0
    better = base.copy()
    better[200:203] = 1.0
    assert contest(better, base.copy(), baseline=np.roll(base, 1)).may_be_best().all()
    better[200:206] = 1.0
    assert list(contest(better, base.copy(), baseline=np.roll(base, 1)).may_be_best()) == [
        True,
        False,
    ]


def in_clusters(leans, by):
    """A contest of candidates that are better by so much; leans: of each cluster, (candidates, 34)."""
    sizes = np.maximum(1, np.round(200 / np.arange(1, 35))).astype(int)
    clusters = np.repeat(np.arange(34), sizes)
    base = 0.3 + 0.1 * np.random.default_rng(9).random(len(clusters))
    own = base + np.repeat(np.asarray(by)[:, None] + leans, sizes, axis=1)
    return Contest.of(
        [[gain_of(AnswerPair.of(VALUE, ([base], None), ([each], None), clusters))] for each in own],
        ["task"],
        draws=4000,
    )


def test_a_lead_in_all_clusters_is_clear_though_one_cluster_has_most_of_it():
    leans = 0.01 * np.random.default_rng(3).uniform(-1, 1, size=(4, 34))
    leans[0, 0] += 0.1  # the largest cluster: 79 % of the sum of squares, and more
    beaten = [0.16, 0.13, 0.12, 0.05]
    assert list(in_clusters(leans, beaten).may_be_best()) == [True, False, False, False]
    # Whoever else takes part.
    assert list(in_clusters(leans[:2], beaten[:2]).may_be_best()) == [True, False]


@pytest.mark.slow
def test_the_best_of_candidates_in_unequal_clusters_is_kept():
    generator, kept = np.random.default_rng(12), []
    for _ in range(100):
        field = in_clusters(0.05 * generator.normal(size=(5, 34)), np.zeros(5))
        # All are the best.
        kept.append(field.may_be_best().mean())
    assert np.mean(kept) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 100)
    assert np.mean(kept) < 1


def test_the_best_is_always_one_that_may_be():
    for seed in range(20):
        candidates = [normal(0.05 * k, seed=seed + 100 * k) for k in range(4)]
        field = contest(*candidates)
        assert field.may_be_best()[field.tied()[0]]


# --- the level of a gate ----------------------------------------------------------------------------------


def test_one_candidate_is_judged_at_the_ordinary_level():
    lines = [Line(0.5, "task", None, None)] * 3
    assert level_of_candidates(lines, 1) == 0.05


def test_the_level_is_never_below_that_of_bonferroni():
    found = gains(*(normal(0, seed=seed) for seed in range(20)))
    lines = [Line(gain.p, task, gain.influence, gain.unit_names) for gain in found for task in range(5)]
    assert level_of_candidates(lines, 20) >= 0.05 / 20


# --- means over tasks --------------------------------------------------------------------------------------


def test_means_over_tasks_add_up_the_variances_of_independent_examples():
    rows = [gains(normal(0.1, seed=seed), normal(0.2, seed=seed + 10), first=1000 * seed) for seed in (1, 2)]
    both = Contest.of([[rows[0][0], rows[1][0]], [rows[0][1], rows[1][1]]], ["a", "b"])
    alone = [Contest.of([[gain] for gain in row], ["a"]).covariance for row in rows]
    assert both.covariance == pytest.approx((alone[0] + alone[1]) / 4, rel=0.005, abs=1e-7)
    assert both.values == pytest.approx([0.1, 0.2])


def test_tasks_that_share_their_units_do_not_make_the_mean_surer():
    rows = [[gain, gain] for gain in gains(normal(0.1), normal(0.2, seed=1))]
    shared, once = Contest.of(rows, ["a", "b"]), Contest.of([row[:1] for row in rows], ["a"])
    assert shared.errors == pytest.approx(once.errors)
    assert shared.observed_errors == pytest.approx(once.observed_errors, rel=1e-6)
    left, right = winner_of(shared, 1), winner_of(once, 1)
    assert list(left.interval) == pytest.approx(list(right.interval), rel=0.02)


def test_a_gain_without_a_curve_cannot_be_compared():
    (gain,) = gains(normal())
    with pytest.raises(ValueError, match="without a confidence curve"):
        Contest.of([[replace(gain, curve=None)]], ["task"])


# --- by simulation ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "candidates", "repetitions"),
    [
        pytest.param("nDCG, equal", 20, 150, id="nDCG, 20 equal candidates", marks=pytest.mark.slow),
        pytest.param(
            "nDCG, alike", 5, 200, id="nDCG, 5 candidates that are much alike", marks=pytest.mark.slow
        ),
        pytest.param("Spearman, one better", 5, 150, id="Spearman, one of 5 is better"),
    ],
)
def test_intervals_of_winners_cover_and_the_best_is_kept(name, candidates, repetitions):
    (race,) = [each for each in RACES if each.name == name]
    cell = measure_cell(race, 200, candidates, repetitions, draws=3000)
    slack = 3 * math.sqrt(0.95 * 0.05 / repetitions)
    assert cell.coverage >= 0.93 - slack
    assert cell.best_kept >= 0.95 - slack
    assert cell.passes <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / repetitions)
    assert abs(cell.above - 0.5) <= 3 * math.sqrt(0.25 / repetitions)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy, equal", "accuracy, alike", "Spearman, equal"])
def test_intervals_of_winners_cover_where_the_ordinary_one_does_not(name):
    (race,) = [each for each in RACES if each.name == name]
    cell = measure_cell(race, 300, 50, 200, draws=4000)
    assert cell.coverage >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / 200)
    assert cell.naive < 0.85


@pytest.mark.slow
def test_areas_near_one_have_intervals_that_cover_though_they_tie():
    (race,) = [each for each in RACES if each.name == "ROC-AUC near 1, equal"]
    for examples in (100, 300):
        cell = measure_cell(race, examples, 10, 200, draws=4000)
        assert cell.coverage >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / 200)
        assert cell.passes <= 0.035 + 3 * math.sqrt(0.035 * 0.965 / 200)
