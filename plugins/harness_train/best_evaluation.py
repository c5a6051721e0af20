"""Find a best evaluation whose weights were not kept, or whose score chose the weights."""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.doubled_scores import claimed_values
from harness_train.score_names import chance_of, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.training import CheckInput, LogEntry

WORTH = 5e-4
"""Minimum gain that is worth a note; the error of a Spearman of 1,500 pairs is ten times that."""

NOISE, NOISE_OF_LOSS = 0.03, 0.05
"""Minimum gain that is worth a warning, and minimum share of a loss or an error: less is within noise.

A card does not tell how many examples were evaluated. One example of 60 is 0.017; the standard error of an
accuracy of 0.9 over 100 is 0.03.
"""

_LOWER_IS_BETTER = re.compile(
    r"loss|perplexity|(?<!negative)(?:^|_)(?:r?mse|mae)(?:$|_)|(?:^|_)error(?:$|_)", re.IGNORECASE
)
_NO_SCORE = re.compile(r"runtime|per_second|(?:^|_)epoch$|threshold", re.IGNORECASE)
_OF_FIT = re.compile(r"sentence_\d+")
"""Names that `model.fit` gives to the columns of texts."""


def check_best_evaluation(training: CheckInput) -> Iterator[Finding]:
    """Find a best evaluation that was lost, or that is reported although it chose the weights."""
    yield from _lost(training)
    yield from _selected(training)


def scores_of(line: LogEntry) -> dict[str, float]:
    """Return the scores and losses of an evaluation that are numbers; thresholds and times are neither."""
    return {
        name: value
        for name, value in line.metrics.items()
        if not _NO_SCORE.search(name) and math.isfinite(value)
    }


def written_at_best(training: CheckInput) -> bool:
    """Whether `model.fit` wrote the card at its best evaluation: its column names, and the log ends there."""
    names = [column.name for part in (training, *training.parts) for column in part.columns]
    if training.keeps_best or not any(_OF_FIT.fullmatch(name) for name in names):
        return False
    rows = [scores for line in training.log if line.step > 0 and (scores := scores_of(line))]
    if not rows or training.log[-1].metrics.keys().isdisjoint(rows[-1]):
        return False
    name, value = next(iter(rows[-1].items()))
    return all(_gain(name, value, other[name]) > 0 for other in rows[:-1] if name in other)


def _lost(training: CheckInput) -> Iterator[Finding]:
    """Find an evaluation that is better in every metric than the reported scores, or else the last.

    Within noise it is a note. A score that is claimed with two values is the last one's: nobody knows which
    value is the model's.
    """
    rows = [(line, scores) for line in training.log if (scores := scores_of(line))]
    if len(rows) < 2 or training.keeps_best:
        return
    last, kept = rows[-1]
    # A loss decides only where there is no score: near the end of training the two often disagree.
    kept = {name: value for name, value in kept.items() if not _LOWER_IS_BETTER.search(name)} or dict(kept)
    claimed = {
        name: values[0]
        for (dataset, metric, _), values in claimed_values(training).items()
        if len(values) == 1 and (name := f"{dataset}_{metric}") in kept
    }
    kept |= claimed
    scale = _scale(kept, (scores for _, scores in rows))
    better = [
        (line, scores)
        for line, scores in rows
        if scores.keys() >= kept.keys()
        and all(_gain(name, scores[name], kept[name]) > WORTH * scale for name in kept)
    ]
    if not better:
        return
    first = next(iter(kept))
    best, scores = max(better, key=lambda row: _gain(first, row[1][first], kept[first]))
    if (chance := chance_of(first)) is not None and scores[first] < chance * scale:
        return  # No evaluation was any good: that is `below-chance`.
    when = _times(training.log)
    compared = "the one reported" if first in claimed else f"the last, {when[id(last)]},"
    beyond = any(
        all(_is_beyond_noise(name, row[name], kept[name], scale) for name in kept) for _, row in better
    )
    noise = "" if beyond else " With a few hundred examples the difference is within noise."
    yield Finding(
        "best-not-kept",
        Severity.WARNING if beyond else Severity.NOTE,
        f"Of {len(rows)} evaluations the best {first} was {scores[first]:.4f}, {when[id(best)]}, but"
        f" {compared} is {kept[first]:.4f}: the weights with the better score were not kept.{noise}",
        'Keep the best (evaluation = { tasks = […], keep = "best" }), and report another task than the one'
        " that chose it.",
    )


def _scale(kept: Mapping[str, float], rows: Iterator[Mapping[str, float]]) -> float:
    """Return 100 where the scores are in percent, else 1; losses have no scale."""
    return scale_of(
        value
        for scores in (kept, *rows)
        for name, value in scores.items()
        if name in kept and not _LOWER_IS_BETTER.search(name)
    )


def _gain(name: str, score: float, other: float) -> float:
    """Return by how much a score is better than another one; losses and errors fall."""
    return other - score if _LOWER_IS_BETTER.search(name) else score - other


def _is_beyond_noise(name: str, score: float, other: float, scale: float) -> bool:
    least = NOISE_OF_LOSS * abs(other) if _LOWER_IS_BETTER.search(name) else NOISE * scale
    return _gain(name, score, other) >= least


def _times(log: Sequence[LogEntry]) -> dict[int, str]:
    """Return when each line was written, by its id; a log starts again for each further training."""
    steps = [line.step for line in log if line.step > 0]
    again = any(later < earlier for earlier, later in itertools.pairwise(steps))
    times, run, before = {}, 1, 0
    for line in log:
        if line.step > 0:
            run += line.step < before
            before = line.step
        times[id(line)] = f"{_when(line)}{f' of run {run}' * again}"
    return times


def _when(line: LogEntry) -> str:
    if line.step > 0:
        return f"at epoch {line.epoch:g} (step {line.step:,})"
    return "after training" if line.step < 0 else "before training"


def _selected(training: CheckInput) -> Iterator[Finding]:
    """Find a reported score that also chose the weights.

    `model.fit` with an evaluator saves model and card at each new best evaluation, so that the card's log
    ends with the best one.
    """
    rows = [(line, scores) for line in training.log if line.step > 0 and (scores := scores_of(line))]
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
