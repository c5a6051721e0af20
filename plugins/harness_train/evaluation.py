"""Check `evaluation`: scores, contamination, collapse and claims."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import Check, TrainingTexts, find_contamination, read_training_texts, trained_on_texts
from harness_train.collapse import check_embeddings
from harness_train.verify import check_claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.training import CheckInput, LogEntry

ROUNDED = 1e-4
"""Maximum difference of equal scores, one of them rounded to four decimals."""

WORTH = 5e-4
"""Minimum gain that is worth a warning; the error of a Spearman of 1,500 pairs is ten times that."""

NEAR_CHANCE = 0.05
"""Minimum distance below chance for an error; a few examples can move a score by less."""

_MOST_VALUES = 10
"""Maximum number of different values of one metric that are searched and shown."""

_CORRELATION = re.compile(r"(?:^|_)(spearman|pearson|kendall|mcc)(?:$|_)")
_HALF = re.compile(r"(?:^|_)(?:roc_)?auc(?:$|_)|^(?:cosine|dot|euclidean|manhattan|max)_accuracy$")
"""Names of scores whose chance level is ½: areas under a curve, accuracies over triplets or two classes."""

_NO_SCORE = re.compile(r"loss|runtime|per_second|(?:^|_)epoch$|perplexity")


def check_evaluation(training: CheckInput) -> Iterator[Finding]:
    """Find scores that are missing, contradicting or below chance, test rows in training, and collapse."""
    yield from _no_evaluation(training)
    yield from _contradictions(training)
    yield from _reported_twice(training)
    yield from _best_lost(training)
    yield from _below_chance(training)
    yield from _overlap(training)
    yield from check_embeddings(training)
    yield from check_claims(training)


def _no_evaluation(training: CheckInput) -> Iterator[Finding]:
    if training.trained and not training.claims and not any(line.metrics for line in training.log):
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


def _reported_twice(training: CheckInput) -> Iterator[Finding]:
    values: dict[tuple[str, str], list[float]] = {}
    for claim in training.claims:
        known = values.setdefault((claim.dataset, claim.metric), [])
        if len(known) < _MOST_VALUES and all(abs(claim.value - value) > ROUNDED / 2 for value in known):
            known.append(claim.value)
    twice = {key: different for key, different in values.items() if len(different) > 1}
    if twice:
        shown = "; ".join(
            f"{metric} on {dataset} as {' and as '.join(f'{value:.4f}' for value in different)}"
            for (dataset, metric), different in twice.items()
        )
        yield Finding(
            "metric-reported-twice",
            Severity.ERROR,
            f"The same metric has different values: {shown}. Readers cannot know which one is of this model.",
            "Measure the published model, and report only that score: harness run --model MODEL.",
        )


def _best_lost(training: CheckInput) -> Iterator[Finding]:
    """Find an evaluation that is better in every metric than the reported scores, or else the last."""
    rows = [(line, scores) for line in training.log if (scores := _scores(line))]
    if len(rows) < 2 or training.keeps_best:
        return
    last, kept = rows[-1][0], dict(rows[-1][1])
    claimed: dict[str, float] = {}
    for claim in training.claims:
        if (name := f"{claim.dataset}_{claim.metric}") in kept:
            claimed[name] = max(claimed.get(name, claim.value), claim.value)
    kept |= claimed
    better = [
        (line, scores)
        for line, scores in rows
        if scores.keys() >= kept.keys() and all(scores[name] > kept[name] + WORTH for name in kept)
    ]
    if not better:
        return
    first = next(iter(kept))
    best, scores = max(better, key=lambda row: row[1][first])
    compared = "the best value reported" if first in claimed else f"the last, at epoch {last.epoch:g},"
    yield Finding(
        "best-not-kept",
        Severity.WARNING,
        f"Of {len(rows)} evaluations the best {first} was {scores[first]:.4f} at epoch {best.epoch:g} (step"
        f" {best.step:,}), but {compared} is {kept[first]:.4f}: a better model was discarded.",
        'Keep the best (evaluation = { tasks = […], keep = "best" }), and report another task than the one'
        " that chose it.",
    )


def _scores(line: LogEntry) -> dict[str, float]:
    return {name: value for name, value in line.metrics.items() if not _NO_SCORE.search(name)}


def _below_chance(training: CheckInput) -> Iterator[Finding]:
    scores = {f"{claim.metric} on {claim.dataset}": (claim.metric, claim.value) for claim in training.claims}
    if not scores:
        scores = {name: (name, value) for name, value in _last_scores(training.log).items()}
    below = {
        shown: (value, chance)
        for shown, (metric, value) in scores.items()
        if (chance := _chance(metric)) is not None and value < chance
    }
    if below:
        far = any(chance - value > NEAR_CHANCE for value, chance in below.values())
        shown = "; ".join(
            f"{name} is {value:.4f}, chance {chance:g}" for name, (value, chance) in below.items()
        )
        yield Finding(
            "below-chance",
            Severity.ERROR if far else Severity.WARNING,
            f"A score is below chance: {shown}. " + ("The model ranks in reverse." if far else ""),
            "Check whether labels or columns are inverted, in training and in the test.",
        )


def _chance(metric: str) -> float | None:
    if _CORRELATION.search(metric):
        return 0.0
    return 0.5 if _HALF.search(metric) else None


def _last_scores(log: Sequence[LogEntry]) -> Mapping[str, float]:
    return next((scores for line in reversed(log) if (scores := _scores(line))), {})


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
)
