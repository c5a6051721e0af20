"""What logs and scores give away: contradictions, ceilings, small batches, a loss that stood still."""

from __future__ import annotations

import random

import pytest

from harness import Severity
from harness.training.check_input import CheckInput, Claim, ColumnFacts, LogEntry, Rows
from harness_train.rows import ROWS
from harness_train.signs import SIGNS


def found(given: CheckInput) -> dict[str, tuple[Severity, str]]:
    return {finding.code: (finding.severity, finding.evidence) for finding in SIGNS.look(given)}


def card(claims: dict[str, float] | None = None, **changes) -> CheckInput:
    scores = tuple(Claim(dataset="dev", metric=name, value=value) for name, value in (claims or {}).items())
    return CheckInput(path="it", what="card", claims=scores, trained=True, **changes)


def losses(*values: float) -> tuple[LogEntry, ...]:
    return tuple(LogEntry(epoch=n / 10, step=100 * n, loss=value) for n, value in enumerate(values, 1))


RETRIEVAL = {
    "cosine_accuracy@1": 0.5, "cosine_accuracy@3": 0.7, "cosine_accuracy@5": 0.8, "cosine_accuracy@10": 0.9,
    "cosine_precision@1": 0.5, "cosine_precision@3": 0.2333, "cosine_precision@5": 0.16,
    "cosine_precision@10": 0.09, "cosine_recall@1": 0.5, "cosine_recall@3": 0.7, "cosine_recall@5": 0.8,
    "cosine_recall@10": 0.9, "cosine_ndcg@10": 0.69, "cosine_mrr@10": 0.6253, "cosine_map@100": 0.63,
}  # fmt: skip
"""Scores of one relevant document per query, rounded to four decimals."""
SEVERAL = RETRIEVAL | {
    "cosine_precision@3": 0.4, "cosine_precision@5": 0.3, "cosine_precision@10": 0.2, "cosine_recall@1": 0.1,
    "cosine_recall@3": 0.3, "cosine_recall@5": 0.4, "cosine_recall@10": 0.5, "cosine_mrr@10": 0.6253,
}  # fmt: skip
"""Scores of several relevant documents per query: MRR above recall is right."""
BINARY = {
    "cosine_accuracy": 0.85, "cosine_accuracy_threshold": 0.7, "cosine_f1": 0.8, "cosine_f1_threshold": 0.6,
    "cosine_precision": 0.75, "cosine_recall": 0.8571, "cosine_ap": 0.88, "cosine_mcc": 0.7,
}  # fmt: skip


@pytest.mark.parametrize(
    "claims",
    [RETRIEVAL, SEVERAL, BINARY, {"spearman_cosine": 0.8, "pearson_cosine": 0.75}, {"cosine_accuracy": 0.9}],
)
def test_scores_that_can_be_true_are_not_accused(claims):
    assert not found(card(claims))
    assert not found(card({name: 100 * value for name, value in claims.items()}))


@pytest.mark.parametrize(
    ("base", "change", "words"),
    [
        (RETRIEVAL, {"cosine_recall@10": 0.75}, "cosine recall@5 0.8000, but cosine recall@10 0.7500"),
        (RETRIEVAL, {"cosine_accuracy@3": 0.45}, "cosine accuracy@1 0.5000, but cosine accuracy@3 0.4500"),
        (RETRIEVAL, {"cosine_mrr@10": 0.95}, "cosine mrr@10 0.9500, but cosine accuracy@10 0.9000"),
        (RETRIEVAL, {"cosine_mrr@10": 0.45}, "cosine mrr@10 0.4500 on dev reported, but accuracies of"),
        (RETRIEVAL, {"cosine_ndcg@10": 0.92}, "cosine ndcg@10 0.9200, but cosine accuracy@10 0.9000"),
        (RETRIEVAL, {"cosine_precision@5": 0.1}, "relevant results in the first 3"),
        (RETRIEVAL, {"cosine_precision@10": 0.08}, "is at least the accuracy"),
        (SEVERAL, {"cosine_recall@3": 0.71}, "cosine recall@3 0.7100, but cosine accuracy@3 0.7000"),
        (BINARY, {"cosine_f1": 0.9}, "cosine f1 0.9000 on dev reported, but precision 0.7500 and recall"),
        (BINARY, {"cosine_ap": 0.3}, "a precision of 0.7500 at a recall of 0.8571 ensures"),
        (BINARY, {"max_accuracy": 0.8}, "cosine accuracy 0.8500, but max accuracy 0.8000"),
    ],
)
def test_scores_that_cannot_all_be_true_are_an_error(base, change, words):
    severity, evidence = found(card(base | change))["scores-contradict"]
    assert severity is Severity.ERROR
    assert words in evidence


def test_mrr_above_recall_is_an_error_only_where_each_query_has_one_relevant_document():
    single = {name: value for name, value in RETRIEVAL.items() if "accuracy" not in name}
    assert "scores-contradict" not in found(card(single))
    assert "allow" in found(card(single | {"cosine_mrr@10": 0.95}))["scores-contradict"][1]
    several = {name: value for name, value in SEVERAL.items() if "accuracy" not in name}
    assert "scores-contradict" not in found(card(several))


def test_rounded_scores_do_not_contradict_each_other():
    assert not found(card({"cosine_precision": 0.7, "cosine_recall": 0.9, "cosine_f1": 0.79}))
    assert not found(card({"cosine_recall@5": 0.8, "cosine_recall@10": 0.79999}))


def test_scores_of_different_functions_data_or_lines_are_not_compared():
    mixed = {"cosine_accuracy@10": 0.5, "dot_mrr@10": 0.9, "other_cosine_mrr@10": 0.9}
    assert not found(card(mixed))
    log = tuple(LogEntry(epoch=n, step=n, metrics={f"cosine_recall@{9 - n}": 0.5 + n / 10}) for n in (1, 2))
    assert not found(card(log=log))


def test_a_log_that_contradicts_itself_names_the_step():
    metrics = {"dev_cosine_recall@1": 0.8, "dev_cosine_recall@3": 0.6}
    line = LogEntry(epoch=1, step=1500, metrics=metrics)
    assert "at step 1,500" in found(card(log=(line,)))["scores-contradict"][1]


def test_a_metric_with_two_values_is_left_to_the_check_of_doubled_metrics():
    claims = tuple(Claim(dataset="dev", metric="cosine_recall@3", value=value) for value in (0.2, 0.9))
    more = Claim(dataset="dev", metric="cosine_recall@5", value=0.8)
    assert not found(CheckInput(path="it", what="card", claims=(*claims, more)))


def test_correlations_of_opposite_sign_are_found_beyond_chance():
    assert "correlations-of-opposite-sign" in found(card({"spearman_cosine": 0.6, "pearson_cosine": -0.3}))
    assert not found(card({"spearman_cosine": 0.03, "pearson_cosine": -0.02}))


def test_an_accuracy_of_the_majority_hides_no_ranking_at_chance():
    claims = {"cosine_accuracy": 0.9, "cosine_ap": 0.11, "cosine_f1": 0.19}
    assert "at least 10% positives" in found(card(claims))["ranking-at-chance"][1]
    assert not found(card(claims | {"cosine_ap": 0.4}))
    assert not found(card({"accuracy": 0.67, "ap": 0.13}))  # the accuracy of a classifier, not of a threshold


@pytest.mark.parametrize(("last", "at_ceiling"), [(1.0, True), (0.98, False)])
def test_an_evaluation_at_its_ceiling_from_the_start_selects_nothing(last, at_ceiling):
    values = [0.9995, 1.0, last]
    log = tuple(
        LogEntry(epoch=n, step=n * 100, metrics={"dev_cosine_accuracy": value})
        for n, value in enumerate(values, 1)
    )
    codes = found(card(log=log, keeps_best=True))
    assert ("evaluation-at-ceiling" in codes) == at_ceiling
    assert not found(card(log=log[:1]))


def test_recall_at_its_ceiling_alone_is_none_of_the_evaluation():
    metrics = {"dev_cosine_accuracy@10": 1.0, "dev_cosine_ndcg@10": 0.9, "dev_cosine_accuracy@1": 0.8}
    assert not found(card(log=tuple(LogEntry(epoch=n, step=n, metrics=metrics) for n in (1, 2, 3))))


@pytest.mark.parametrize(
    ("rows", "columns", "severity"),
    [
        (1, 2, Severity.ERROR),
        (4, 2, Severity.WARNING),
        (4, 3, Severity.WARNING),
        (4, 4, None),
        (7, 2, Severity.WARNING),
        (1, 3, Severity.WARNING),
        (8, 2, None),
    ],
)
def test_a_batch_is_small_by_the_texts_that_an_anchor_chooses_from(rows, columns, severity):
    facts = tuple(ColumnFacts(name=f"sentence_{n}", type="string") for n in range(columns))
    given = card(loss_name="MultipleNegativesRankingLoss", loss_batch=rows, batch_size=rows, columns=facts)
    assert found(given).get("small-batch", (None,))[0] == severity


@pytest.mark.parametrize(
    ("kind", "size", "severity"),
    [
        ("pairs", 1, Severity.ERROR),
        ("pairs", 2, Severity.WARNING),
        ("pairs", 8, None),
        ("triplets", 1, Severity.WARNING),
    ],
)
def test_a_small_batch_of_rows_is_found_once_whatever_check_looks(kind, size, severity):
    texts = {name: [name] for name in ("anchor", "positive", "negative")[: 3 if kind == "triplets" else 2]}
    given = CheckInput(
        path="it", what="dataset", loss_name="MultipleNegativesRankingLoss", batch_size=size,
        rows=Rows(kind=kind, texts=texts),
    )  # fmt: skip
    said = [one.severity for check in (SIGNS, ROWS) for one in check.look(given) if "batch" in one.code]
    assert said == ([] if severity is None else [severity])


def test_accumulated_steps_add_no_negatives():
    given = card(loss_name="MultipleNegativesRankingLoss", loss_batch=4, batch_size=64)
    assert "64 rows with accumulation" in found(given)["small-batch"][1]
    assert "small-batch" not in found(card(loss_name="CosineSimilarityLoss", loss_batch=4, batch_size=64))


def test_a_loss_that_stood_still_is_found_and_a_noisy_or_falling_one_is_not():
    assert "loss-stood-still" in found(card(log=losses(*[0.6931] * 8)))
    draw = random.Random(0)
    assert "loss-stood-still" in found(card(log=losses(*[2 + draw.gauss(0, 0.004) for _ in range(12)])))
    assert not found(card(log=losses(*[2 + draw.gauss(0, 0.2) for _ in range(12)])))
    assert not found(card(log=losses(*[2 - 0.05 * n for n in range(8)])))
    assert not found(card(log=losses(*[0.6931] * 3)))
    assert not found(card(log=losses(*[0.0] * 8)))
    assert not found(card(log=losses(*[1.0, 1.0, float("nan"), 1.0, 1.0, 1.0])))
    assert not found(card(log=losses(*[2.0 + 0.1 * n for n in range(8)])))


@pytest.mark.parametrize(("last", "same"), [(0.5, True), (0.51, False)])
def test_evaluations_with_the_very_same_scores_are_told_with_a_loss_that_stood_still(last, same):
    scores = [{"dev_m": value} for value in (0.5, 0.5, last)]
    log = (
        *losses(*[0.6931] * 8),
        *(LogEntry(epoch=n, step=800 + n, metrics=score) for n, score in enumerate(scores)),
    )
    said = found(card(log=log))["loss-stood-still"][1]
    assert ("All 3 evaluations have the very same scores" in said) is same
