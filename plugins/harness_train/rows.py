"""Check `rows`: what a look at all rows shows: scales, labels without meaning, columns out of order, HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import Check
from harness_train.class_noise import check_class_noise
from harness_train.column_order import check_half_swapped
from harness_train.duplicates import shorten
from harness_train.in_batch import check_batches, shown_equal
from harness_train.label_noise import check_label_noise
from harness_train.markup import check_markup
from harness_train.row_order import check_shuffled
from harness_train.score_scale import check_scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput, Rows


def check_rows(training: CheckInput) -> Iterator[Finding]:
    """Find wrong scales, labels without signal, rows out of order, few answers, HTML, and no triplets."""
    rows = training.rows
    yield from check_scale(training)
    yield from check_batches(training)
    if rows is not None:
        texts = (cell for cells in rows.texts.values() for cell in cells)
        yield from check_markup(list(dict.fromkeys(t for t in texts if isinstance(t, str) and t.strip())))
        yield from _shown(rows)
    yield from check_half_swapped(training)
    yield from check_shuffled(training)
    yield from check_label_noise(training)
    yield from check_class_noise(training)


def _shown(rows: Rows) -> Iterator[Finding]:
    """Find two texts that are equal in all rows that a card shows."""
    for first, second in shown_equal(rows):
        shown = rows.texts[first][0]
        pulled = "negative" not in (first, second)
        seen = f"In all {len(rows)} rows that the card shows, {first} and {second} are equal, such as"
        harm = "only dropout differs between them" if pulled else "the loss pushes a text away from itself"
        yield Finding(
            "positives-verbatim-equal" if pulled else "negatives-verbatim-equal",
            Severity.WARNING,
            f"{seen} {shorten(shown)!r}: {harm}.",
            "Check how the columns were made; equal positives are meant in SimCSE only.",
        )


ROWS = Check(
    "rows",
    "scales, labels without signal, rows out of order, few answers, HTML, no triplets",
    check_rows,
    (
        "scores-in-another-scale", "labels-out-of-range", "labels-flipped", "labels-without-signal",
        "columns-half-swapped", "positives-shuffled", "few-distinct-answers", "small-batch", "no-triplets",
        "few-triplets", "html-in-texts", "positives-verbatim-equal", "negatives-verbatim-equal",
    ),
)  # fmt: skip
