"""Check `evaluation`: scores, contamination, collapse and claims."""

from __future__ import annotations

import math
import re
from decimal import Decimal
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
"""Minimum gain that is worth a note; the error of a Spearman of 1,500 pairs is ten times that."""

NOISE, NOISE_OF_LOSS = 0.03, 0.05
"""Minimum gain that is worth a warning, and minimum share of a loss or an error: less is within noise.

A card does not tell how many examples were evaluated. One example of 60 is 0.017; the standard error of an
accuracy of 0.9 over 100 is 0.03.
"""

NEAR_CHANCE = 0.1
"""Minimum distance below chance for an error, of an area or an accuracy; 100 examples can move it by that.

For a correlation it is twice that: its chance level is in the middle of −1 to 1, not of 0 to 1.
"""

_MOST_VALUES = 10
"""Maximum number of different values of one metric that are searched and shown."""

_CORRELATION = re.compile(r"(?:^|_)(spearman|pearson|kendall|mcc)(?:$|_)")
_HALF = re.compile(r"(?:^|_)(?:roc_)?auc(?:$|_)|^(?:cosine|dot|euclidean|manhattan|max)_accuracy$")
"""Names of scores whose chance level is ½: areas under a curve, accuracies over triplets or two classes."""

_LOWER_IS_BETTER = re.compile(
    r"loss|perplexity|(?<!negative)(?:^|_)(?:r?mse|mae)(?:$|_)|(?:^|_)error(?:$|_)", re.IGNORECASE
)
_NO_SCORE = re.compile(r"runtime|per_second|(?:^|_)epoch$|threshold", re.IGNORECASE)
_OF_FIT = re.compile(r"sentence_\d+")
"""Names that `model.fit` gives to the columns of texts."""


def check_evaluation(training: CheckInput) -> Iterator[Finding]:
    """Find scores that are missing, contradicting or below chance, test rows in training, and collapse."""
    yield from _no_evaluation(training)
    yield from _not_finite(training)
    yield from _contradictions(training)
    yield from _reported_twice(training)
    yield from _best_lost(training)
    yield from _selected(training)
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


def _not_finite(training: CheckInput) -> Iterator[Finding]:
    broken = [
        f"{claim.metric} on {claim.dataset}" for claim in training.claims if not math.isfinite(claim.value)
    ]
    broken += [
        f"{name} at step {line.step:,}"
        for line in training.log
        for name, value in line.metrics.items()
        if not math.isfinite(value)
    ]
    if broken:
        finite = any(math.isfinite(claim.value) for claim in training.claims) or _last_scores(training.log)
        left = "" if finite or training.other_results else ": no score is left"
        more = f", and {len(broken) - _MOST_VALUES} more" if len(broken) > _MOST_VALUES else ""
        yield Finding(
            "score-not-finite",
            Severity.ERROR,
            f"{len(broken)} reported score{'s are no numbers' if len(broken) > 1 else ' is no number'}:"
            f" {'; '.join(broken[:_MOST_VALUES])}{more}{left}. A correlation is undefined where all"
            " similarities, or all labels, are equal; embeddings that are NaN make every score NaN.",
            "Look at embeddings of a few texts: are they NaN, or all the same? Then at the test's labels.",
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
    twice = {key: different for key, different in _values(training).items() if len(different) > 1}
    if twice:
        shown = "; ".join(
            f"{metric} on {dataset} as {' and as '.join(f'{value:.4f}' for value in different)}"
            for (dataset, metric, _), different in twice.items()
        )
        yield Finding(
            "metric-reported-twice",
            Severity.ERROR,
            f"The same metric has different values: {shown}. Readers cannot know which one is of this model:"
            " sentence-transformers lists each evaluator that was run, before training or after it.",
            "Measure the published model, and report only that score: harness run --model MODEL.",
        )


def _values(training: CheckInput) -> dict[tuple[str, str, str], list[float]]:
    """Return the different values of each claimed score: of one dataset, metric and evaluator.

    Evaluators without a name are all of the dataset “unknown”, so that nothing is known of these.
    """
    values: dict[tuple[str, str, str], list[float]] = {}
    for claim in training.claims:
        if claim.dataset.casefold() == "unknown" or not math.isfinite(claim.value):
            continue
        known = values.setdefault((claim.dataset, claim.metric, claim.of), [])
        if len(known) < _MOST_VALUES and not any(_rounds_to(claim.value, value) for value in known):
            known.append(claim.value)
    return values


def _rounds_to(one: float, other: float) -> bool:
    """Whether two figures are the same in the decimals that both are given in: 0.8964 and 0.90 are.

    Zeros at the end are not known: at least two decimals of a share, and none of a percentage.
    """
    least = 2 if max(abs(one), abs(other)) <= 1 else 0
    decimals = min(-int(Decimal(repr(value)).as_tuple().exponent) for value in (one, other))
    decimals = max(decimals, least)
    return abs(one - other) <= max(ROUNDED, 10.0**-decimals) / 2 * (1 + 1e-9)


def _best_lost(training: CheckInput) -> Iterator[Finding]:
    """Find an evaluation that is better in every metric than the reported scores, or else the last.

    Within noise it is a note. A score that is claimed with two values is the last one's: nobody knows which
    value is the model's.
    """
    rows = [(line, scores) for line in training.log if (scores := _scores(line))]
    if len(rows) < 2 or training.keeps_best:
        return
    last, kept = rows[-1]
    # A loss decides only where there is no score: near the end of training the two often disagree.
    kept = {name: value for name, value in kept.items() if not _LOWER_IS_BETTER.search(name)} or dict(kept)
    claimed = {
        name: values[0]
        for (dataset, metric, _), values in _values(training).items()
        if len(values) == 1 and (name := f"{dataset}_{metric}") in kept
    }
    kept |= claimed
    better = [
        (line, scores)
        for line, scores in rows
        if scores.keys() >= kept.keys()
        and all(_gain(name, scores[name], kept[name]) > WORTH for name in kept)
    ]
    if not better:
        return
    first = next(iter(kept))
    best, scores = max(better, key=lambda row: _gain(first, row[1][first], kept[first]))
    compared = "the one reported" if first in claimed else f"the last, {_when(last)},"
    beyond = any(all(_is_beyond_noise(name, row[name], kept[name]) for name in kept) for _, row in better)
    noise = "" if beyond else " With a few hundred examples the difference is within noise."
    yield Finding(
        "best-not-kept",
        Severity.WARNING if beyond else Severity.NOTE,
        f"Of {len(rows)} evaluations the best {first} was {scores[first]:.4f}, {_when(best)}, but {compared}"
        f" is {kept[first]:.4f}: the weights with the better score were not kept.{noise}",
        'Keep the best (evaluation = { tasks = […], keep = "best" }), and report another task than the one'
        " that chose it.",
    )


def _gain(name: str, score: float, other: float) -> float:
    """Return by how much a score is better than another one; losses and errors fall."""
    return other - score if _LOWER_IS_BETTER.search(name) else score - other


def _is_beyond_noise(name: str, score: float, other: float) -> bool:
    least = NOISE_OF_LOSS * abs(other) if _LOWER_IS_BETTER.search(name) else NOISE
    return _gain(name, score, other) >= least


def _when(line: LogEntry) -> str:
    if line.step > 0:
        return f"at epoch {line.epoch:g} (step {line.step:,})"
    return "after training" if line.step < 0 else "before training"


def _scores(line: LogEntry) -> dict[str, float]:
    """Return the scores and losses of an evaluation that are numbers; thresholds and times are neither."""
    return {
        name: value
        for name, value in line.metrics.items()
        if not _NO_SCORE.search(name) and math.isfinite(value)
    }


def _selected(training: CheckInput) -> Iterator[Finding]:
    """Find a reported score that also chose the weights.

    `model.fit` with an evaluator saves model and card at each new best evaluation, so that the card's log
    ends with the best one.
    """
    rows = [(line, scores) for line in training.log if line.step > 0 and (scores := _scores(line))]
    if len(rows) < 2 or not written_at_best(training):
        return
    name, value = next(iter(rows[-1][1].items()))
    yield Finding(
        "selected-by-score",
        Severity.NOTE,
        f"model.fit wrote this card at the best evaluation, the last of {len(rows)} on it,"
        f" {_when(rows[-1][0])}: the data of {name}, {value:.4f}, chose the weights and gave the score, which"
        " is a little too high for that reason. If training went on, the card does not show it.",
        "Report a score on data that chose nothing: harness run --model MODEL --tasks …",
    )


def written_at_best(training: CheckInput) -> bool:
    """Whether `model.fit` wrote the card at its best evaluation: its column names, and the log ends there."""
    names = [column.name for part in (training, *training.parts) for column in part.columns]
    if training.keeps_best or not any(_OF_FIT.fullmatch(name) for name in names):
        return False
    rows = [scores for line in training.log if line.step > 0 and (scores := _scores(line))]
    if not rows or training.log[-1].metrics.keys().isdisjoint(rows[-1]):
        return False
    name, value = next(iter(rows[-1].items()))
    return all(_gain(name, value, other[name]) > 0 for other in rows[:-1] if name in other)


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


def _chance(metric: str) -> float | None:
    if _CORRELATION.search(metric):
        return 0.0
    return 0.5 if _HALF.search(metric) else None


def _last_scores(log: Sequence[LogEntry]) -> Mapping[str, float]:
    """Return the scores of the last evaluation."""
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
    (
        "no-evaluation", "score-not-finite", "card-contradicts-itself", "metric-reported-twice",
        "best-not-kept", "selected-by-score", "below-chance", "train-test-overlap", "shared-texts",
        "lineage-unreadable", "embedding-collapse", "claim-differs", "claim-not-verified",
    ),
)  # fmt: skip
