"""Whether claimed scores are held against measured ones, where that can be."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.finding import Severity
from harness.training.check_input import CheckInput, Claim
from harness_train.verify import check_claims

TASKS = {"stsb-dev": {"spearman": 0.8664, "pearson": 0.8701}, "pairs": {"average_precision": 0.7}}


def measure(task):
    if task not in TASKS:
        raise HarnessError(f"there is no task {task}")
    return TASKS[task]


def verified(*claims, **changes) -> dict:
    made = tuple(Claim(dataset=dataset, metric=metric, value=value) for dataset, metric, value in claims)
    given = {"path": "it", "what": "model", "claims": made, "verify": True, "measure": measure}
    return {finding.code: finding for finding in check_claims(CheckInput(**given | changes))}


@pytest.mark.parametrize(
    ("dataset", "metric", "value"),
    [
        ("stsb-dev", "spearman", 0.8664),
        ("stsb-dev", "spearman_cosine", 0.8704),
        ("stsb dev", "pearson_cosine", 0.87),
        ("STSb_dev", "cosine_spearman", 0.8664),
        ("pairs", "cosine_ap", 0.7),
    ],
)
def test_a_claim_that_is_measured_is_no_finding_by_whatever_name(dataset, metric, value):
    assert verified((dataset, metric, value)) == {}


def test_a_claim_that_differs_is_an_error_with_both_values():
    finding = verified(("stsb-dev", "spearman_cosine", 0.9))["claim-differs"]
    assert finding.severity is Severity.ERROR
    assert "is claimed as 0.9000 and measured as 0.8664 (stsb-dev, spearman): -0.0336" in finding.evidence


@pytest.mark.parametrize(
    ("dataset", "metric", "part"),
    [
        ("other", "spearman", "there is no task other"),
        ("stsb-dev", "spearman_euclidean", "task stsb-dev has spearman, pearson"),
        ("stsb-dev", "cosine_accuracy", "task stsb-dev has spearman, pearson"),
    ],
)
def test_a_claim_that_cannot_be_measured_is_a_note_with_the_reason(dataset, metric, part):
    finding = verified((dataset, metric, 0.9), ("stsb-dev", "spearman", 0.8664))["claim-not-verified"]
    assert finding.severity is Severity.NOTE
    assert finding.evidence.startswith("1 of 2 claimed scores could not be measured (1 agree)")
    assert part in finding.evidence


def test_nothing_is_measured_unless_it_is_asked_for():
    def refuse(task):
        raise AssertionError(task)

    assert verified(("stsb-dev", "spearman", 0.1), verify=False, measure=refuse) == {}
    assert verified(("stsb-dev", "spearman", 0.1), measure=None) == {}
