"""Find duplicate rows, contradicting labels, and rows of equal texts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import normalize_text
from harness_train.label_inversion import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from harness.training import Rows

MANY = 0.05
"""Minimum share of the rows for the higher of two severities."""
_HIGH, _LOW = 0.95, 0.05
"""Minimum label of a similar pair and maximum label of a dissimilar pair, as shares of the range."""


def check_duplicates(rows: Rows) -> Iterator[Finding]:
    """Find duplicates in all rows; nothing for the few rows of a card."""
    if not rows.complete:
        return
    yield from _duplicates(rows)
    if rows.kind in ("scored-pairs", "labeled-pairs"):
        yield from _two_labels(rows)
        yield from _equal_pairs(rows)
    elif rows.kind in ("pairs", "triplets"):
        yield from _equal_positives(rows)


def _duplicates(rows: Rows) -> Iterator[Finding]:
    labels = rows.labels or [None] * len(rows)
    cells = zip(*rows.texts.values(), labels, strict=True)
    distinct = len({repr(row) for row in cells})
    if distinct < len(rows):
        repeated = len(rows) - distinct
        yield Finding(
            "duplicate-rows",
            _severity(repeated, rows, Severity.NOTE, Severity.WARNING),
            f"{repeated} of {len(rows)} rows ({repeated / len(rows):.1%}) repeat an earlier one exactly, and"
            " count twice.",
            "distinct = true under [data] in the recipe leaves them out.",
        )


def _two_labels(rows: Rows) -> Iterator[Finding]:
    contradicting = contradicting_pairs(rows)
    if contradicting:
        left, right = rows.texts.values()
        count, shown = sum(map(len, contradicting.values())), next(iter(contradicting.values()))[0]
        yield Finding(
            "same-pair-two-labels",
            _severity(count, rows, Severity.WARNING, Severity.ERROR),
            f"{len(contradicting)} pairs are in {count} of {len(rows)} rows with contradicting labels,"
            f" such as {shorten(left[shown])!r} and {shorten(right[shown])!r}.",
            "Keep one label, or remove these rows.",
        )


def contradicting_pairs(rows: Rows) -> dict[tuple[str, ...], list[int]]:
    """Return pairs, in either order, with different labels → their rows.

    Scores differ by more than half of their range.
    """
    left, right = rows.texts.values()
    rows_of_pair: dict[tuple[str, ...], list[int]] = defaultdict(list)
    normalized: dict[str, str] = {}
    labels = rows.labels or ()
    for row, label in enumerate(labels):
        pair = (left[row], right[row])
        if is_number(label) and all(isinstance(text, str) for text in pair):
            for text in pair:
                normalized.setdefault(text, normalize_text(text))
            rows_of_pair[tuple(sorted(normalized[text] for text in pair))].append(row)
    low, high = _range(labels)
    return {
        pair: same
        for pair, same in rows_of_pair.items()
        if max(labels[row] for row in same) - min(labels[row] for row in same) > (high - low) / 2
    }


def _equal_pairs(rows: Rows) -> Iterator[Finding]:
    """Find pairs of a text with itself: useless as similar pairs, harmful as dissimilar ones."""
    low, high = _range(rows.labels or ())
    same = [(row, rows.labels[row]) for row in _equal(*rows.texts.values()) if rows.labels is not None]
    shares = [((label - low) / (high - low), row) for row, label in same if is_number(label) and high > low]
    yield from _positives([row for share, row in shares if share >= _HIGH], rows)
    yield from _negatives([row for share, row in shares if share <= _LOW], rows, "pairs of the lowest label")


def _equal_positives(rows: Rows) -> Iterator[Finding]:
    anchors, positives, *negatives = rows.texts.values()
    yield from _positives(_equal(anchors, positives), rows)
    if negatives:
        yield from _negatives(_equal(anchors, negatives[0]), rows, "negatives")
        both = _equal(positives, negatives[0])
        if both:
            yield Finding(
                "negatives-equal-positive",
                _severity(len(both), rows, Severity.WARNING, Severity.ERROR),
                f"In {len(both)} of {len(rows)} rows the negative is the positive, such as"
                f" {shorten(positives[both[0]])!r}: the loss pulls and pushes the same text.",
                "Remove these rows, or draw other negatives for them.",
            )


def _positives(equal: list[int], rows: Rows) -> Iterator[Finding]:
    if equal:
        shown = next(iter(rows.texts.values()))[equal[0]]
        yield Finding(
            "positives-verbatim-equal",
            _severity(len(equal), rows, Severity.NOTE, Severity.WARNING),
            f"In {len(equal)} of {len(rows)} rows ({len(equal) / len(rows):.1%}) the two texts that should be"
            f" similar are equal, such as {shorten(shown)!r}: only dropout differs between them.",
            "Remove them, unless that is intended (SimCSE).",
        )


def _negatives(equal: list[int], rows: Rows, name: str) -> Iterator[Finding]:
    if equal:
        shown = next(iter(rows.texts.values()))[equal[0]]
        yield Finding(
            "negatives-verbatim-equal",
            _severity(len(equal), rows, Severity.WARNING, Severity.ERROR),
            f"In {len(equal)} of {len(rows)} rows, {name} are equal to their anchor, such as"
            f" {shorten(shown)!r}: a model cannot distinguish a text from itself.",
            "Remove these rows, or check whether their labels are wrong.",
        )


def _equal(left: Sequence[Any], right: Sequence[Any]) -> list[int]:
    """Return the rows in which both cells are the same text."""
    pairs = zip(left, right, strict=True)
    return [
        row
        for row, (a, b) in enumerate(pairs)
        if isinstance(a, str) and isinstance(b, str) and a.strip() and a.strip() == b.strip()
    ]


def _range(labels: Sequence[Any]) -> tuple[float, float]:
    """Return minimum and maximum label, extended to at least 0 to 1: a single label has no range."""
    numbers = [float(label) for label in labels if is_number(label)]
    return min([0.0, *numbers]), max([1.0, *numbers])


def _severity(count: int, rows: Rows, few: Severity, many: Severity) -> Severity:
    return many if count >= MANY * len(rows) else few


def shorten(text: object, most: int = 60) -> str:
    """Return a text on one line of at most `most` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
