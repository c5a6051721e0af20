"""What trackers get of a record: names that all of them take, and plain values."""

from __future__ import annotations

import re

import pytest

from harness.evaluation.tracked_values import record_values, tracked_name


@pytest.mark.parametrize(
    ("name", "tracked"),
    [("stsb", "stsb"), ("recall@10", "recall_at_10"), ("mteb:STS12", "mteb_STS12"), ("a-b_c", "a-b_c")],
)
def test_a_name_that_can_be_spelled_is_readable(name, tracked):
    assert tracked_name(name) == tracked


def test_two_names_stay_two():
    names = ["größe", "grösse", "a.b", "a b", "a/b", "x" * 300, "x" * 301, "..", "."]
    tracked = [tracked_name(name) for name in names]
    assert len(set(tracked)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name) for name in tracked)


def record(**more):
    asked = {
        "task": "mteb:STS12",
        "data": "sample",
        "split": "test",
        "version": 1,
        "digest": "ab",
        "limit": None,
    }
    return {"examination": asked, "status": "ok", "error": None, "scores": [], **more}


def test_an_undefined_score_and_a_missing_interval_are_left_out():
    scores = [
        {"metric": "ndcg@10", "score": 0.5, "low": 0.25, "high": 0.75},
        {"metric": "mrr", "score": 0.5, "low": None, "high": None},
        {"metric": "map", "score": None, "low": None, "high": None},
    ]
    metrics, _ = record_values(record(scores=scores), "computed")
    names = {"ndcg_at_10": 0.5, "ndcg_at_10_low": 0.25, "ndcg_at_10_high": 0.75, "mrr": 0.5}
    assert metrics == {f"mteb_STS12/{name}": value for name, value in names.items()}


def test_a_failure_has_its_reason_cut_and_no_metric():
    metrics, parameters = record_values(record(status="error", error="x" * 10_000), "failed")
    assert metrics == {}
    assert parameters["mteb_STS12/error"] == f"{'x' * 499}…"
