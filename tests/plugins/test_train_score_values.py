"""Scores that are impossible, no numbers or in percent; those of several runs, and doubled ones."""

from __future__ import annotations

import math

import pytest

from harness.finding import Severity
from harness.training.check_input import LogEntry
from plugins.evaluations import findings, found, trained


def test_a_score_that_is_nan_in_front_matter_and_table_is_named_once():
    nan = [("pearson_cosine", math.nan), ("pearson_cosine", math.nan)]
    said = found(trained(claims=nan, scores=[0.5]))["score-not-finite"]
    assert said.startswith("1 reported score is no number: pearson_cosine on dev.")


@pytest.mark.parametrize(
    ("claims", "impossible"),
    [
        ({"spearman_cosine": 1.0836, "pearson_cosine": 0.9}, "spearman_cosine on dev is 1.0836"),
        ({"spearman_cosine": -1.2}, "can only be from -1 to 1"),
        ({"cosine_accuracy": 1.4}, "can only be from 0 to 1"),
        ({"cosine_ap": -0.2}, "cosine_ap on dev is -0.2000"),
        ({"cosine_recall@10": 1.5}, "cosine_recall@10 on dev"),
        ({"pearson_cosine": 0.89, "spearman_cosine": 89.1}, "spearman_cosine on dev is 89.1000"),
        ({"pearson_cosine": 89.0, "spearman_cosine": 108.1}, "can only be from -100 to 100"),
        ({"pearson_cosine": 1.0000001, "cosine_mcc": -0.3}, None),
        ({"cosine_accuracy@1": 61.0, "cosine_precision@10": 8.1, "cosine_precision@100": 0.9}, None),
        ({"negative_mse": -12.5, "cosine_f1_threshold": 5.0, "Validation Loss": 3.0}, None),
    ],
)
def test_a_score_out_of_the_range_of_its_metric_is_an_error(claims, impossible):
    finding = findings(trained(claims=claims.items())).get("score-out-of-range")
    if impossible is None:
        assert finding is None
    else:
        assert (finding.severity, finding.evidence.startswith("1 score is impossible")) == (
            Severity.ERROR,
            True,
        )
        assert impossible in finding.evidence


def test_an_impossible_score_of_the_log_is_named_with_its_step():
    log = [LogEntry(epoch=1, step=1500, metrics={"dev_spearman_cosine": 1.2})]
    said = found(trained(log=log))["score-out-of-range"]
    assert "dev_spearman_cosine at step 1,500 is 1.2000" in said


def test_a_card_in_percent_is_a_note_and_judged_as_shares():
    log = [
        LogEntry(epoch=n, step=n, metrics={"dev_spearman_cosine": value})
        for n, value in enumerate((1.4, 89.64, 89.51), 1)
    ]
    said = findings(trained(log=log, claims=[("spearman_cosine", 89.51), ("cosine_accuracy", 38.0)]))
    assert said["scores-in-percent"].severity is Severity.NOTE
    assert "dev; dev_… are in percent" in said["scores-in-percent"].evidence
    assert "score-out-of-range" not in said
    # 0.13 points of 100 are within noise, and 38 % of triplets are fewer than half of them.
    assert said["best-not-kept"].severity is Severity.NOTE
    assert "cosine_accuracy on dev is 0.3800, chance 0.5" in said["below-chance"].evidence


def test_a_log_that_starts_again_tells_its_runs_apart():
    lines = [(1, 360, 0.8957), (2, 720, 0.8964), (1, 360, 0.8945)]
    log = [LogEntry(epoch=epoch, step=step, metrics={"dev_m": value}) for epoch, step, value in lines]
    said = found(trained(log=log))["best-not-kept"]
    assert "at epoch 2 (step 720) of run 1" in said
    assert "the last, at epoch 1 (step 360) of run 2, is 0.8945" in said


def test_of_many_doubled_metrics_a_few_are_shown_and_the_rest_counted():
    claims = [(f"m{n}", value) for n in range(15) for value in (0.5, 0.7)]
    said = found(trained(claims=claims))["metric-reported-twice"]
    assert said.startswith("15 metrics have different values: m0 on dev as 0.5000 and as 0.7000; m1")
    assert "; and 11 more metrics. Readers" in said


@pytest.mark.parametrize(("ap", "reversed_"), [(0.316, True), (0.44, False), (0.9, False)])
def test_an_average_precision_far_below_the_share_of_positives_ranks_in_reverse(ap, reversed_):
    # The best accuracy of a model that ranks in reverse is that of one answer for all: 47 % are positives.
    said = findings(trained(claims=[("cosine_accuracy", 0.53), ("cosine_ap", ap)])).get("below-chance")
    assert (said is not None) is reversed_
    if said is not None:
        assert said.severity is Severity.ERROR
        assert "cosine_ap on dev is 0.3160, chance 0.47" in said.evidence


def test_of_evaluations_that_are_all_below_chance_none_was_worth_keeping():
    log = [
        LogEntry(epoch=n, step=n, metrics={"dev_spearman_cosine": value})
        for n, value in enumerate((-0.15, -0.25, -0.38), 1)
    ]
    assert set(found(trained(log=log))) == {"below-chance"}
