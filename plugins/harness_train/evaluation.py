"""Check `evaluation`: scores, contamination, collapse and claims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import Check, TrainingTexts, find_contamination, read_training_texts, trained_on_texts
from harness_train.best_evaluation import check_best_evaluation, scores_of
from harness_train.collapse import check_embeddings
from harness_train.doubled_scores import check_doubled_scores
from harness_train.score_names import NEAR_CHANCE, chance_of, read_scores, scale_of
from harness_train.score_values import check_score_values, prefix_of, scores_by_data
from harness_train.verify import check_claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.training import CheckInput


def check_evaluation(training: CheckInput) -> Iterator[Finding]:
    """Find scores that are missing, contradicting or below chance, test rows in training, and collapse."""
    yield from _no_evaluation(training)
    yield from check_score_values(training)
    yield from _contradictions(training)
    yield from check_doubled_scores(training)
    yield from check_best_evaluation(training)
    yield from _below_chance(training)
    yield from _overlap(training)
    yield from check_embeddings(training)
    yield from check_claims(training)


def _no_evaluation(training: CheckInput) -> Iterator[Finding]:
    measured = [value for line in training.log for value in line.metrics.values()]
    measured += [claim.value for claim in training.claims]
    # Scores that are all NaN are `score-not-finite`.
    if training.trained and not training.other_results and not measured:
        lines = (
            f"{len(training.log)} line{'s' * (len(training.log) > 1)} of training loss"
            if training.log
            else "no log"
        )
        yield Finding(
            "no-evaluation",
            Severity.WARNING,
            f"No score is reported ({lines}, and no metric): whether training helped or harmed is unknown.",
            "Evaluate it and its base: harness run --model BASE --model CANDIDATE, then harness compare.",
        )


def _contradictions(training: CheckInput) -> Iterator[Finding]:
    if training.contradictions:
        yield Finding(
            "card-contradicts-itself",
            Severity.WARNING,
            f"The card contradicts itself: {'; '.join(training.contradictions)}.",
            "Correct the wrong one; a second training with the same model object adds to its tags.",
        )


def _below_chance(training: CheckInput) -> Iterator[Finding]:
    scores = _final_scores(training)
    below = {
        shown: (value, chance)
        for shown, (metric, value) in scores.items()
        if (chance := chance_of(metric)) is not None and value < chance
    } | _precision_in_reverse(training)
    if below:
        far = any(chance - value > NEAR_CHANCE * (1 if chance else 2) for value, chance in below.values())
        shown = "; ".join(
            f"{name} is {value:.4f}, chance {chance:g}" for name, (value, chance) in below.items()
        )
        yield Finding(
            "below-chance",
            Severity.ERROR if far else Severity.WARNING,
            f"A score is below chance: {shown}."
            + (
                " The model ranks in reverse."
                if far
                else " Few examples, or a model that tells nothing apart."
            ),
            "Check whether labels or columns are inverted, in training and in the test.",
        )


def _precision_in_reverse(training: CheckInput) -> dict[str, tuple[float, float]]:
    """Return name for display → average precision and its chance, the least share of positives, if far below.

    The best accuracy is at least the share of negatives, so that 1 − accuracy positives are certain.
    """
    groups = read_scores(training)
    where = "reported" if training.claims else groups[-1].where if groups else ""
    found = {}
    for group in groups:
        accuracy, ap = group.alone.get("accuracy"), group.alone.get("ap")
        known = group.where == where and group.function not in ("", "max")
        if known and accuracy is not None and ap is not None and 1 - accuracy - ap > NEAR_CHANCE:
            found[f"{group.function}_ap{f' on {group.data}' if group.data else ''}"] = (ap, 1 - accuracy)
    return found


def _final_scores(training: CheckInput) -> dict[str, tuple[str, float]]:
    """Return name for display → metric and score, as a share: the reported ones, or else the log's last."""
    scales = {
        data: scale_of([score.value for score in scores]) for data, scores in scores_by_data(training).items()
    }
    if training.claims:
        return {
            f"{claim.metric} on {claim.dataset}": (claim.metric, claim.value / scales.get(claim.dataset, 1.0))
            for claim in training.claims
        }
    last: Mapping[str, float] = next(
        (scores for line in reversed(training.log) if (scores := scores_of(line))), {}
    )
    return {name: (name, value / scales.get(prefix_of(name), 1.0)) for name, value in last.items()}


def _overlap(training: CheckInput) -> Iterator[Finding]:
    trained = _trained_on(training)
    if trained is not None and training.datasets is not None:
        for name, dataset in training.datasets().items():
            yield from find_contamination(trained, dataset, name)


def _trained_on(training: CheckInput) -> TrainingTexts | None:
    """Return the texts of the training: from the candidate's folder, or from all rows; else None."""
    if training.lineage is not None:
        return read_training_texts(Path(training.path))
    rows = training.rows
    if rows is None or not rows.complete:
        return None
    return trained_on_texts(
        [cell for cells in rows.texts.values() for cell in cells if isinstance(cell, str)]
    )


EVALUATION = Check(
    "evaluation",
    "scores that are missing, doubled or below chance, test rows in training, collapse",
    check_evaluation,
    (
        "no-evaluation", "score-not-finite", "score-out-of-range", "scores-in-percent",
        "card-contradicts-itself", "metric-reported-twice", "best-not-kept", "selected-by-score",
        "below-chance", "train-test-overlap", "shared-texts", "lineage-unreadable", "embedding-collapse",
        "claim-differs", "claim-not-verified",
    ),
)  # fmt: skip
