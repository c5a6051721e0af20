"""Find scores that are no numbers, out of the range of their metric, or in percent."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.best_evaluation import scores_of
from harness_train.score_names import place_of, range_of, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput

_SLACK = 1e-5
"""Maximum excess over a range that rounding of floats makes: a correlation of 1.0000001 is 1."""
_MOST_SHOWN = 10
"""Maximum number of scores in a message."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score of a card whose metric has a known range."""

    shown: str
    """Metric and place, for a message."""
    metric: str
    value: float


def check_score_values(training: CheckInput) -> Iterator[Finding]:
    """Find scores that are no numbers, that are impossible for their metric, and scores in percent."""
    yield from _not_finite(training)
    impossible, percent = [], []
    for data, scores in scores_by_data(training).items():
        scale = scale_of([score.value for score in scores])
        impossible += [sentence for score in scores if (sentence := _impossible(score, scale))]
        percent += [data or "the log"] if scale > 1 else []
    if impossible:
        yield _out_of_range(list(dict.fromkeys(impossible)))
    if percent:
        yield Finding(
            "scores-in-percent",
            Severity.NOTE,
            f"The scores of {_listed(list(dict.fromkeys(percent)))} are in percent, from 0 to 100:"
            " sentence-transformers reports shares from 0 to 1, and so do the cards that this one is"
            " compared with.",
            "Divide them by 100, or say beside them that they are in percent.",
        )


def scores_by_data(training: CheckInput) -> dict[str, list[Score]]:
    """Return the scores of known range by data set: those reported, and those of the log by their prefix.

    A prefix is given as `dev_…`, since it may hold more than the name of the data.
    """
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for claim in training.claims:
        if range_of(claim.metric) is not None and math.isfinite(claim.value):
            found[claim.dataset].append(
                Score(f"{claim.metric} on {claim.dataset}", claim.metric, claim.value)
            )
    for line in training.log:
        for name, value in line.metrics.items():
            if range_of(name) is not None and math.isfinite(value):
                found[prefix_of(name)].append(Score(f"{name} {place_of(line.step)}", name, value))
    return dict(found)


def prefix_of(name: str) -> str:
    """Return what stands before the metric in a name of the log, as `dev_…`; empty where nothing does."""
    known = range_of(name)
    return f"{name[: known.start]}_…" if known is not None and known.start else ""


def _impossible(score: Score, scale: float) -> str:
    """Return a sentence about a score out of its range; empty where it is within."""
    known = range_of(score.metric)
    if known is None or known.low - _SLACK <= score.value / scale <= known.high + _SLACK:
        return ""
    low, high = known.low * scale, known.high * scale
    return f"{score.shown} is {score.value:.4f}, and can only be from {low:g} to {high:g}"


def _out_of_range(sentences: Sequence[str]) -> Finding:
    count = len(sentences)
    return Finding(
        "score-out-of-range",
        Severity.ERROR,
        f"{count} score{'s are' if count > 1 else ' is'} impossible: {_listed(sentences)}.",
        "Measure again: harness run --model MODEL. Scores of one data set are either all shares or all in"
        " percent.",
    )


def _not_finite(training: CheckInput) -> Iterator[Finding]:
    broken = [
        f"{claim.metric} on {claim.dataset}" for claim in training.claims if not math.isfinite(claim.value)
    ]
    broken += [
        f"{name} {place_of(line.step)}"
        for line in training.log
        for name, value in line.metrics.items()
        if not math.isfinite(value)
    ]
    # The front matter and the tables of a card give one score twice.
    broken = list(dict.fromkeys(broken))
    if broken:
        finite = any(math.isfinite(claim.value) for claim in training.claims)
        finite = finite or any(scores_of(line) for line in training.log)
        left = "" if finite or training.other_results else ": no score is left"
        yield Finding(
            "score-not-finite",
            Severity.ERROR,
            f"{len(broken)} reported score{'s are no numbers' if len(broken) > 1 else ' is no number'}:"
            f" {_listed(broken)}{left}. A correlation is undefined where all similarities, or all labels, are"
            " equal; embeddings that are NaN make every score NaN.",
            "Look at embeddings of a few texts: are they NaN, or all the same? Then at the test's labels.",
        )


def _listed(items: Sequence[str]) -> str:
    more = f"; and {len(items) - _MOST_SHOWN} more" if len(items) > _MOST_SHOWN else ""
    return "; ".join(items[:_MOST_SHOWN]) + more
