"""Check `loss`: margin, steps, false negatives, columns and log."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import LOSSES, Check, max_unit_distance
from harness_train.loss_columns import check_columns
from harness_train.training_log import check_log, planned_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput, Rows

FEW_STEPS = 100
"""Minimum number of steps: AdamW moves a weight by about one learning rate per step."""

MOVED = 0.05
"""Minimum change of a score during training that shows that a model has changed."""

DRAWN_BATCHES = 2000
"""Number of batches that are drawn to estimate a share: its standard error is at most 1.1 %."""

SHARE_NOTED, SHARE_WARNED = 0.01, 0.10
"""Minimum shares of batches with a false negative for a note, and for a warning."""


def check_loss(training: CheckInput) -> Iterator[Finding]:
    """Find unreachable margins, too few steps, false negatives, wrong columns and flaws of the log."""
    yield from _margin(training)
    yield from _steps(training)
    yield from _duplicates(training)
    yield from check_columns(training)
    yield from check_log(training)


def _margin(training: CheckInput) -> Iterator[Finding]:
    """Find a margin that is not below the maximum distance of two embeddings.

    The loss of a triplet is max(0, d(a, p) − d(a, n) + margin), with the difference of distances within
    ±maximum; that of a negative pair is max(0, margin − d)². Neither is ever 0 if the margin is above the
    maximum distance, and only for exactly opposite vectors if it is equal. Models do learn so: the loss has
    a gradient everywhere.
    """
    loss = training.loss
    if loss is None or loss.name not in LOSSES or not LOSSES[loss.name].hinge:
        return
    if not training.assumed.isdisjoint(("distance", "margin")) or "distance_metric" in training.loss_options:
        return
    distance, margin = loss.parameters["distance"], loss.parameters["margin"]
    # Cosine distance ignores length, and MatryoshkaLoss normalizes embeddings itself.
    if not (distance == "cosine" or training.normalized or loss.matryoshka):
        return
    far = max_unit_distance(distance, max(loss.matryoshka, default=training.dimensions or 0) or None)
    if far is None or margin < far:
        return
    if LOSSES[loss.name].kind == "labeled-pairs":
        reason = f"no pair of label 0 ever reaches {margin:g}, and each is pushed on, however far apart it is"
    else:
        least = f"is never below {margin - far:g}" if margin > far else "is 0 for exactly opposite texts only"
        reason = (
            f"d(anchor, positive) − d(anchor, negative) + {margin:g} {least}, so the hinge never closes and"
            " the loss is linear: a triplet that is long in order weighs as much as one that is not"
        )
    yield Finding(
        "margin-unreachable",
        Severity.WARNING,
        f"{loss.name} has a margin of {margin:g}, but {_plural(distance)} of embeddings of length 1 are at"
        f" most {far:.3g}: {reason}.",
        f"Set a margin well below {far:.3g}, such as {0.25 * far:.2g}.",
    )


def _plural(distance: str) -> str:
    return f"{distance if distance == 'cosine' else distance.capitalize()} distances"


def _steps(training: CheckInput) -> Iterator[Finding]:
    """Find a training of few steps; a note if it was evaluated, nothing if its scores have moved."""
    steps = training.lineage.steps if training.lineage else planned_steps(training)
    if steps is None or steps >= FEW_STEPS or _has_moved(training):
        return
    remedy = "Train on more rows, or for more epochs."
    seen = f"The training has {_count(steps, 'optimizer step')}"
    if training.size and training.batch_size:
        per_epoch = math.ceil(training.size / training.batch_size)
        enough = math.ceil(FEW_STEPS / per_epoch)
        remedy = (
            f"Train on more rows; {_count(enough, 'epoch')} of these would be {per_epoch * enough:,} steps,"
            " but repeated rows do not replace more rows."
        )
        if training.epochs and steps == math.ceil(per_epoch * training.epochs):
            seen = (
                f"{_count(training.size, 'row')} in batches of {training.batch_size} over"
                f" {_count(training.epochs, 'epoch')} are {_count(steps, 'optimizer step')}"
            )
    evaluated = training.claims or training.other_results or any(line.metrics for line in training.log)
    yield Finding(
        "too-few-steps",
        Severity.NOTE if evaluated else Severity.WARNING,
        f"{seen}, fewer than {FEW_STEPS}: AdamW moves a weight by at most about the learning rate in each.",
        f"{remedy} Compare the model with its base, to see whether it has changed.",
    )


def _has_moved(training: CheckInput) -> bool:
    """Whether a score of the log has changed so much that the steps were not too few."""
    scores: dict[str, list[float]] = {}
    for line in training.log:
        for name, value in line.metrics.items():
            scores.setdefault(name, []).append(value)
    return any(max(values) - min(values) >= MOVED for values in scores.values())


def _duplicates(training: CheckInput) -> Iterator[Finding]:
    """Find texts that are in several rows, for losses that use the rest of a batch as negatives."""
    rows, size, name = training.rows, training.batch_size, training.loss_name
    if name not in LOSSES or not LOSSES[name].in_batch or training.batch_sampler != "default":
        return
    if rows is None or not rows.complete or size is None or size < 2 or len(rows) < 2:
        return
    texts = _texts_of_rows(rows)
    share = share_of_clashes(texts, min(size, len(texts)))
    if share < SHARE_NOTED:
        return
    often = Counter(text for row in texts for text in row)
    text, times = max(often.items(), key=lambda item: item[1])
    repeated = sum(any(often[text] > 1 for text in row) for row in texts)
    yield Finding(
        "in-batch-duplicates",
        Severity.WARNING if share >= SHARE_WARNED else Severity.NOTE,
        f"{repeated:,} of {len(texts):,} rows share a text with another row ({_short(text)} is in"
        f" {times:,}): about {share:.0%} of batches of {size} have a text that {name} uses as its own"
        " negative.",
        'Keep them in different batches: batch_sampler = "no-duplicates".',
    )


def share_of_clashes(rows: Sequence[frozenset[str]], size: int) -> float:
    """Estimate the share of batches in which two rows have a text in common, by drawing batches."""
    draw = random.Random(0)  # noqa: S311 - the same result each time
    clashes = 0
    for _ in range(DRAWN_BATCHES):
        batch = [rows[row] for row in draw.sample(range(len(rows)), size)]
        clashes += len(frozenset().union(*batch)) < sum(map(len, batch))
    return clashes / DRAWN_BATCHES


def _texts_of_rows(rows: Rows) -> list[frozenset[str]]:
    """Return the texts of each row; a text that is twice in one row counts once."""
    return [
        frozenset(cell for cell in cells if isinstance(cell, str))
        for cells in zip(*rows.texts.values(), strict=True)
    ]


def _count(number: float, noun: str) -> str:
    return f"{number:,g} {noun}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line[:50]}…”" if len(line) > 50 else f"“{line}”"


LOSS = Check(
    "loss",
    "margins out of reach, losses at chance, too few steps, wrong columns",
    check_loss,
    (
        "margin-unreachable", "hinge-never-closes", "hinge-never-opens", "loss-at-chance", "loss-not-finite",
        "too-few-steps", "schedule-longer-than-run", "in-batch-duplicates", "wrong-columns",
    ),
)  # fmt: skip
