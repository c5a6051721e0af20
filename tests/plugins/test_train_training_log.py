"""The findings of the check `loss` in the log of a training."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.training.check_input import LogEntry, Rows
from harness_train.training_log import blind_loss
from plugins.trainings import columns, found, training


@pytest.mark.parametrize(
    ("losses", "code"),
    [
        ([2.77, 2.76, 2.75, 2.74, 2.735], "loss-at-chance"),
        ([2.0, 2.7, 2.8, 2.9, 3.1], "loss-at-chance"),
        ([2.7, 2.0, 1.4, 1.1, 0.9], None),
        ([2.77], None),
        ([2.7, math.nan, math.nan], "loss-not-finite"),
    ],
)
def test_an_in_batch_loss_near_ln_of_the_batch_has_learned_nothing(losses, code):
    said = found(
        training("MultipleNegativesRankingLoss", losses=losses, columns=columns("a:string", "b:string"))
    )
    assert [one for one in said if one.startswith("loss")] == ([code] if code else [])


def test_a_loss_at_chance_is_shown_beside_chance():
    said = found(training("CachedMultipleNegativesRankingLoss", losses=[2.8, 2.8, 2.75]))["loss-at-chance"]
    assert "2.75 (step 300), 0.8% below the 2.773 of a blind guess among 16 texts (ln 16)" in said


def test_the_blind_loss_is_what_the_library_computes_of_embeddings_that_tell_nothing():
    import torch
    from sentence_transformers.sentence_transformer import losses

    constant = torch.nn.functional.normalize(torch.ones(8, 4), dim=1)
    ranking = losses.MultipleNegativesRankingLoss(model=None)
    triplets = columns("a:string", "b:string", "c:string")
    measured = ranking.compute_loss_from_embeddings([constant] * 3, None).item()
    given = training("MultipleNegativesRankingLoss", batch_size=8, columns=triplets)
    assert blind_loss(given)[0] == pytest.approx(measured, abs=1e-5)
    doubled = training("MultipleNegativesRankingLoss", batch_size=8, columns=triplets, matryoshka=(4, 2))
    assert blind_loss(doubled)[0] == pytest.approx(2 * measured, abs=1e-5)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=20), st.floats(0, 0.5))
def test_no_one_distance_for_all_pairs_costs_less_than_the_blind_loss(labels, distance):
    rows = Rows(kind="labeled-pairs", texts={"text1": ["a"] * len(labels), "text2": labels}, labels=labels)
    cost = sum(
        0.5 * (label * distance**2 + (1 - label) * max(0.5 - distance, 0) ** 2) for label in labels
    ) / len(labels)
    assert blind_loss(training("ContrastiveLoss", rows=rows))[0] <= cost + 1e-12


def test_a_regression_to_the_mean_label_is_at_chance():
    labels = [0.0, 0.5, 1.0, 0.5]
    rows = Rows(kind="scored-pairs", texts={"text1": list("abcd"), "text2": list("efgh")}, labels=labels)
    assert "loss-at-chance" in found(training(losses=[0.2, 0.2, 0.124], rows=rows))
    assert "loss-at-chance" not in found(training(losses=[0.2, 0.2, 0.05], rows=rows))


@pytest.mark.parametrize(
    ("losses", "margin", "code"),
    [
        ([5.01, 5.0, 4.99], 5.0, "hinge-never-closes"),
        ([0.5, 0.5, 0.49], 0.5, "hinge-never-closes"),
        ([4.9, 4.7, 4.5], 5.0, None),
        ([0.3, 0.2, 0.1], 0.5, None),
        ([0.5, 0.4, 0.2], 0.5, None),
        ([0.0, 0.0, 0.0], 0.5, "hinge-never-opens"),
        ([0.1, 0.0, 0.0], 0.5, None),
    ],
)
def test_a_hinge_that_never_closes_or_opens_shows_in_the_log(losses, margin, code):
    said = found(training("TripletLoss", losses=losses, margin=margin, normalized=None))
    assert [one for one in said if one.startswith("hinge")] == ([code] if code else [])


def test_the_hardest_triplets_of_a_batch_say_nothing_of_the_others():
    assert "hinge-never-closes" not in found(training("BatchHardTripletLoss", losses=[5.1, 5.0], margin=5.0))


def test_no_loss_is_at_chance_where_other_parameters_or_devices_change_it():
    def at_chance(**changes):
        return "loss-at-chance" in found(
            training("MultipleNegativesRankingLoss", losses=[2.76] * 4, **changes)
        )

    assert at_chance()
    assert not at_chance(loss_options={"directions": ["query_to_doc", "doc_to_query"]})
    assert not at_chance(devices=4)


def test_at_a_scale_near_zero_a_loss_just_below_chance_is_all_that_can_be_learned():
    def at_chance(scale):
        given = training("MultipleNegativesRankingLoss", losses=[2.70] * 4)
        return "loss-at-chance" in found(replace(given, loss=replace(given.loss, scale=scale)))

    assert at_chance(20.0)
    assert not at_chance(0.1)


def evaluated(*steps, per_epoch=250):
    return tuple(LogEntry(epoch=step / per_epoch, step=step, metrics={"m": 0.5}) for step in steps)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        pytest.param({"log": evaluated(250, 500), "epochs": 16}, True, id="evaluations stop"),
        pytest.param({"log": evaluated(250, 500), "epochs": 2}, False, id="the plan was run"),
        pytest.param({"log": evaluated(250), "epochs": 1.5}, False, id="half an epoch has no evaluation"),
        pytest.param({"losses": [1.0], "every": 500, "size": 10_700, "epochs": 1}, False, id="669 steps"),
        pytest.param({"losses": [1.0], "every": 500, "epochs": 5}, True, id="a line of 500 is missing"),
        pytest.param({"log": (LogEntry(epoch=0.004, step=1, loss=2.0), LogEntry(epoch=2, step=500, loss=1.0)),
                      "epochs": 3}, False, id="a first line at step 1 is no cadence"),
        pytest.param({"log": evaluated(125, 250, per_epoch=125), "epochs": 2}, False, id="two processes"),
        pytest.param({"stops_after": 1.0}, True, id="a recipe that stops early"),
        pytest.param({}, False, id="nothing is logged"),
        pytest.param({"log": (LogEntry(epoch=1, step=250, loss=1.0), LogEntry(epoch=2, step=500, loss=1.0),
                              LogEntry(epoch=-1, step=-1, metrics={"m": 0.5})),
                      "size": 12_000, "epochs": 1}, False, id="an evaluation after training has no step"),
    ],
)  # fmt: skip
def test_a_schedule_is_longer_than_the_run_only_where_a_line_is_missing(changes, wrong):
    assert ("schedule-longer-than-run" in found(training(**changes))) == wrong
