"""ROC-AUC: intervals near 1, with few positives and in clusters; against independent references."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from benchmarks.type_one.cells import failures, measure_cell
from benchmarks.type_one.families.area import FAMILIES
from harness.metrics.standard import ROC_AUC
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.area import fewest_for_margin
from harness.stats.gain import gain_of
from harness.stats.intervals import score_curve


def pair(gold, left, right, clusters=None):
    units = np.arange(len(gold)) if clusters is None else clusters
    return AnswerPair.of(ROC_AUC, ([gold, left], None), ([gold, right], None), units)


def perfect(positives, negatives):
    """Two models of perfect and different scores."""
    gold = np.r_[np.ones(positives, dtype=int), np.zeros(negatives, dtype=int)]
    generator = np.random.default_rng(0)
    left, right = (gold * 2 + generator.random(len(gold)) for _ in range(2))
    return pair(gold, left, right)


def scores(seed=0, rows=120):
    generator = np.random.default_rng(seed)
    gold = (generator.random(rows) < 0.3).astype(int)
    shared = generator.normal(size=rows)
    return gold, *(np.round(gold + shared + generator.normal(size=rows), 1) for _ in range(2))


def kernel(gold, predicted):
    """Return whether each positive outranks each negative: (positives, negatives)."""
    positives, negatives = predicted[gold == 1][:, None], predicted[gold == 0][None]
    return (positives > negatives) + (positives == negatives) / 2


def test_a_gain_has_delongs_variance_with_welchs_degrees_of_freedom():
    gold, left, right = scores()
    difference = kernel(gold, right) - kernel(gold, left)
    ours = gain_of(pair(gold, left, right))
    parts = [difference.mean(axis=axis) for axis in (1, 0)]
    variances = [part.var(ddof=1) / len(part) for part in parts]
    freedom = sum(variances) ** 2 / sum(
        variance**2 / (len(part) - 1) for variance, part in zip(variances, parts, strict=True)
    )
    assert ours.value == pytest.approx(roc_auc_score(gold, right) - roc_auc_score(gold, left), abs=1e-12)
    assert ours.curve.error == pytest.approx(np.sqrt(sum(variances)))
    assert ours.curve.freedom == pytest.approx(freedom)
    # Unseen losses only make a claim harder.
    assert ours.p >= 2 * stats.t.sf(abs(ours.value) / np.sqrt(sum(variances)), freedom) - 1e-12


def test_the_example_of_hanley_and_mcneil_has_their_area_and_about_their_error():
    """Ratings of 58 normal and 51 abnormal images: an area of 0.893, a standard error of 0.032."""
    counts = {0: (33, 6, 6, 11, 2), 1: (3, 2, 2, 11, 33)}
    gold = np.repeat([0, 1], [sum(counts[0]), sum(counts[1])])
    rated = np.concatenate([np.repeat(np.arange(5), counts[label]) for label in (0, 1)])
    answers = Answers.of(ROC_AUC, [gold, rated], np.arange(len(gold)))
    assert answers.score == pytest.approx(0.893, abs=5e-4)
    assert score_curve(answers).error == pytest.approx(0.032, abs=0.002)


def test_clusters_have_obuchowskis_variance():
    generator = np.random.default_rng(3)
    clusters = np.repeat(np.arange(150), 4)
    common = generator.normal(size=150)[clusters]
    gold = (generator.random(600) < 0.4).astype(int)
    side = gold + common + generator.normal(size=600)
    answers = Answers.of(ROC_AUC, [gold, side], clusters)
    wins = kernel(gold, side)
    sums = []
    for label, parts in ((1, wins.mean(axis=1)), (0, wins.mean(axis=0))):
        centered = np.bincount(clusters[gold == label], parts - wins.mean(), minlength=150)
        sums.append(centered / (gold == label).sum())
    held = 150 / 149
    expected = held * ((sums[0] ** 2).sum() + (sums[1] ** 2).sum() + 2 * (sums[0] * sums[1]).sum())
    assert score_curve(answers).error ** 2 == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("positives", "negatives"), [(3, 9), (11, 189), (40, 40)])
def test_perfect_models_have_intervals_with_width(positives, negatives):
    both = perfect(positives, negatives)
    found = gain_of(both)
    assert found.low < -0.04
    assert found.high > 0.04
    assert found.p == 1
    low, high = score_curve(both.baseline).interval()
    assert (high, low < 0.96) == (1, True)


@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_what_a_margin_needs_is_what_two_perfect_models_pass_it_with(margin):
    have, what, needed = fewest_for_margin(perfect(11, 1200), margin)
    assert (have, what) == (11, "positives")
    assert gain_of(perfect(needed, 1200)).low > -margin
    assert gain_of(perfect(needed - 1, 1200)).low <= -margin


def test_the_rarer_class_is_what_is_scarce_and_clusters_are_counted():
    both = perfect(90, 10)
    assert fewest_for_margin(both, 0.05)[:2] == (10, "negatives")
    gold, side = both.baseline.columns
    clustered = pair(gold, side, side, np.arange(100) // 5)
    have, what, needed = fewest_for_margin(clustered, 0.05)
    assert (have, what) == (2, "clusters with negatives")
    assert needed >= 70


def test_forty_positives_of_which_none_is_lost_do_not_show_a_loss_of_less_than_5_percent():
    """Of 4 % lost positives, none is among 40 in one of five cases."""
    assert gain_of(perfect(40, 400)).low < -0.05


def test_one_positive_has_no_interval():
    gold = np.r_[1, np.zeros(30, dtype=int)]
    assert np.isnan(gain_of(pair(gold, gold + 0.0, np.arange(31.0))).low)
    assert score_curve(Answers.of(ROC_AUC, [gold, gold], np.arange(31))) is None


def test_reversed_scores_and_classes_have_the_mirrored_interval():
    gold, left, _ = scores(5)
    low, high = score_curve(Answers.of(ROC_AUC, [gold, left], np.arange(120))).interval()
    turned = score_curve(Answers.of(ROC_AUC, [1 - gold, left], np.arange(120))).interval()
    assert turned == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_bounds_stay_within_what_a_gain_can_be():
    for positives, negatives in ((3, 9), (2, 10)):
        found = gain_of(perfect(positives, negatives))
        assert -1 <= found.low < found.high <= 1


QUICK = [
    ("ROC-AUC, 0.998 to 0.978, 5% positives", 200),
    ("ROC-AUC, 0.99 to 0.97, positives spread 2.0, 5% positives", 500),
    ("ROC-AUC, 4 % of positives lost, else the same, 30% positives", 150),
    ("ROC-AUC, 0.94 of both, 30% positives", 50),
    ("ROC-AUC, 0.98 of both, spreads 1 and 3, 5% positives", 500),
    ("ROC-AUC, 0.86 of both, clusters zipf", 150),
]


@pytest.mark.parametrize(("name", "examples"), QUICK)
def test_intervals_and_gates_hold_in_a_few_cells(name, examples):
    family = next(family for family in FAMILIES if family.name == name)
    cell = measure_cell(family, examples, 300)
    assert failures(cell, family.bounds(examples), errors=3) == []
    assert cell.no_width == 0
