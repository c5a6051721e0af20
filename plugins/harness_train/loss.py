"""Check: can the loss do its work, on these rows and in these steps, and does the log say that it did?"""

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
"""AdamW moves a weight by about one learning rate a step: in fewer steps a model hardly changes."""

DRAWN_BATCHES = 2000
"""Batches that are drawn to estimate a share: its standard error is at most 1.1 %."""

SHARE_NOTED, SHARE_WARNED = 0.01, 0.10
"""Share of batches with a false negative from which on there is a note, and a warning."""


def check_loss(training: CheckInput) -> Iterator[Finding]:
    """Find unreachable margins, too few steps, false negatives, wrong columns and flaws of the log."""
    yield from _margin(training)
    yield from _steps(training)
    yield from _duplicates(training)
    yield from check_columns(training)
    yield from check_log(training)


def _margin(training: CheckInput) -> Iterator[Finding]:
    """Find a margin that is not smaller than the farthest that two embeddings can be apart.

    A triplet's loss is max(0, d(a, p) − d(a, n) + margin), and the difference of distances lies within
    ±farthest; a negative pair's is max(0, margin − d)². Neither is 0 anywhere if the margin is larger than
    farthest, and only for exactly opposite vectors if it is equal.
    """
    loss = training.loss
    if loss is None or loss.name not in LOSSES or not LOSSES[loss.name].hinge:
        return
    distance, margin = loss.parameters["distance"], loss.parameters["margin"]
    # Cosine distance has no length in it, and MatryoshkaLoss cuts embeddings to length 1 itself.
    if not (distance == "cosine" or training.normalized or loss.matryoshka):
        return
    far = max_unit_distance(distance, max(loss.matryoshka, default=training.dimensions or 0) or None)
    if far is None or margin < far:
        return
    if LOSSES[loss.name].kind == "labeled-pairs":
        so = f"no pair of label 0 is ever {margin:g} apart, and all are pushed for ever, however far they are"
    else:
        least = f"is never below {margin - far:g}" if margin > far else "is 0 for exactly opposite texts only"
        so = f"d(anchor, positive) − d(anchor, negative) + {margin:g} {least}, and no triplet is ever learned"
    yield Finding(
        "margin-unreachable",
        Severity.ERROR,
        f"{loss.name} has a margin of {margin:g}, but {_named(distance)} of embeddings of length 1 are at"
        f" most {far:.3g}: {so}.",
        f"Set a margin well below {far:.3g}, such as {0.25 * far:.2g}.",
    )


def _named(distance: str) -> str:
    return f"{distance if distance == 'cosine' else distance.capitalize()} distances"


def _steps(training: CheckInput) -> Iterator[Finding]:
    steps = training.lineage.steps if training.lineage else planned_steps(training)
    if steps is None or steps >= FEW_STEPS:
        return
    remedy = "Train on more rows, or for more epochs."
    seen = f"The training has {_count(steps, 'optimiser step')}"
    if training.size and training.batch_size:
        a_round = math.ceil(training.size / training.batch_size)
        enough = math.ceil(FEW_STEPS / a_round)
        remedy = (
            f"Train on more rows; {_count(enough, 'epoch')} of these would be {a_round * enough:,} steps, but"
            " repeated rows are no substitute."
        )
        if training.epochs and steps == math.ceil(a_round * training.epochs):
            seen = (
                f"{_count(training.size, 'row')} in batches of {training.batch_size} over"
                f" {_count(training.epochs, 'epoch')} are {_count(steps, 'optimiser step')}"
            )
    yield Finding(
        "too-few-steps",
        Severity.WARNING,
        f"{seen}; in fewer than {FEW_STEPS} a model hardly moves from its base.",
        remedy,
    )


def _duplicates(training: CheckInput) -> Iterator[Finding]:
    """Find texts that stand in several rows, where every other row of a batch is a negative."""
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
        f"{repeated:,} of {len(texts):,} rows share a text with another row ({_short(text)} stands in"
        f" {times:,}): about {share:.0%} of batches of {size} hold a text that {name} takes for its own"
        " negative.",
        'Keep them apart: batch_sampler = "no-duplicates".',
    )


def share_of_clashes(rows: Sequence[frozenset[str]], size: int) -> float:
    """Estimate the share of batches in which two rows have a text in common, by drawing batches."""
    draw = random.Random(0)  # noqa: S311 - the same figure every time
    clashes = 0
    for _ in range(DRAWN_BATCHES):
        batch = [rows[row] for row in draw.sample(range(len(rows)), size)]
        clashes += len(frozenset().union(*batch)) < sum(map(len, batch))
    return clashes / DRAWN_BATCHES


def _texts_of_rows(rows: Rows) -> list[frozenset[str]]:
    """Texts of each row; a text that is twice in one row is no false negative, and counts once."""
    return [
        frozenset(cell for cell in cells if isinstance(cell, str))
        for cells in zip(*rows.texts.values(), strict=True)
    ]


def _count(number: float, what: str) -> str:
    return f"{number:,g} {what}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line[:50]}…”" if len(line) > 50 else f"“{line}”"


LOSS = Check("loss", "margins out of reach, losses at chance, too few steps, wrong columns", check_loss)
