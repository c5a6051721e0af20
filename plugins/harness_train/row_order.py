"""Detect positives that belong to other rows, and triplets with positive and negative exchanged in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness_train.column_order import exchanged_rows, second_peak
from harness_train.duplicates import shorten
from harness_train.row_embeddings import EncodedRows, encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput

_NEAR, _FAR = 0.1, 0.5
"""Maximum rank share of a positive that is its anchor's own, and minimum of one that may be any other's."""
FEWEST, LEAST = 4, 0.02
"""Minimum number and share of rows whose positive is farther than half of the other ones."""
FLAT, FLAT_ALONE = 0.55, 0.8
"""Minimum ratio of the densities beyond _FAR and before it; and where few positives are near."""
_MOSTLY_NEAR = 0.4
"""Minimum share of near positives for a base that sees what belongs together."""
_MOST_EXCHANGED = 0.35
"""Minimum share of positives nearer than negatives: below it, `columns-swapped` speaks of all rows."""
_TIE = 1e-6
"""Maximum difference of two similarities that are equal."""
_FEWEST_ROWS = 50
"""Minimum number of rows."""
_HARD = 0.3
"""Minimum share of negatives as near as positives that are hard negatives."""


def check_shuffled(training: CheckInput) -> Iterator[Finding]:
    """Find shuffled positives (`positives-shuffled`) and exchanged negatives (`columns-half-swapped`).

    The rank share of a row's positive is the share of all other positives that are nearer to its anchor. It
    is uniform for a positive of another row, and near 0 for an own one that the base understands; so twice
    the share of rows above one half estimates the share of wrong rows (Storey, 2002, "A direct approach to
    false discovery rates", with λ = 1/2). Where a base understands little, the density falls instead of
    being flat, and nothing is said. Works from 10 % of 150 rows on; without a base, by shared letters. Rows
    whose two texts were exchanged are no shuffled ones, and are turned round before.
    """
    rows = training.rows
    if rows is None or rows.kind not in ("pairs", "triplets"):
        return
    encoded = encode_rows(training, _FEWEST_ROWS, with_words=True)
    if encoded is None:
        return
    if rows.kind == "pairs":
        encoded = _turned(encoded, exchanged_rows(*encoded.texts[:2]))
    own = _rank_shares(encoded, encoded.embeddings[1])
    wrong = _wrong(own)
    if rows.kind == "triplets" and training.base is not None:
        exchanged = _exchanged(encoded, own, known=wrong is not None)
        if exchanged:
            yield _exchanged_finding(encoded, exchanged, len(rows))
        if exchanged is None or exchanged:
            return
    if rows.kind == "pairs" and _are_exchanged(encoded, own):
        return
    if wrong is not None and _have_other_anchors(encoded, own):
        yield _finding(encoded, own, len(rows), training)


def _rank_shares(encoded: EncodedRows, candidates: np.ndarray) -> np.ndarray:
    """Return for each row the share of other rows' positives nearer to its anchor than its candidate: (n,).

    Ties count half. Positives with the same text as the row's own are left out.
    """
    anchors, positives = encoded.embeddings[:2]
    number = {text: index for index, text in enumerate(dict.fromkeys(encoded.texts[1]))}
    names = np.array([number[text] for text in encoded.texts[1]])
    more = anchors @ positives.T - (anchors * candidates).sum(axis=1)[:, None]
    others = names[:, None] != names[None, :]
    nearer = (others & (more > _TIE)).sum(axis=1) + (others & (np.abs(more) <= _TIE)).sum(axis=1) / 2
    shares: np.ndarray = nearer / np.maximum(others.sum(axis=1), 1)
    return shares


def _turned(encoded: EncodedRows, exchanged: list[int]) -> EncodedRows:
    """Return pairs with the two texts of some rows exchanged."""
    if not exchanged:
        return encoded
    sides = np.zeros(len(encoded), dtype=bool)
    sides[exchanged] = True
    left, right = encoded.texts
    turned = [(b, a) if side else (a, b) for a, b, side in zip(left, right, sides, strict=True)]
    first, second = encoded.embeddings
    side = sides[:, None]
    return EncodedRows(
        encoded.rows,
        ([row[0] for row in turned], [row[1] for row in turned]),
        (np.where(side, second, first), np.where(side, first, second)),
    )


def _are_exchanged(encoded: EncodedRows, own: np.ndarray) -> bool:
    """Whether rows with a far positive are as the others once their two texts are exchanged.

    The positive is then held against the positives of the others, as their anchors are. Too few exchanged
    rows for `columns-half-swapped` look like this.
    """
    far = own > _FAR
    if not far.any() or far.all():
        return False
    anchors, positives = encoded.embeddings
    itself = (anchors[far] * positives[far]).sum(axis=1)
    nearer = (positives[far] @ positives[~far].T > itself[:, None] + _TIE).mean(axis=1)
    return bool((nearer <= _NEAR).mean() >= _MOSTLY_NEAR)


def _have_other_anchors(encoded: EncodedRows, own: np.ndarray) -> bool:
    """Whether far positives are as near to some other anchor as near positives are to their own.

    A positive that the base cannot read, such as one of another script, is far from all anchors.
    """
    far, near = own > _FAR, own <= _NEAR
    if near.mean() < _MOSTLY_NEAR:
        return True
    anchors, positives = encoded.embeddings[:2]
    usual = (anchors[near] * positives[near]).sum(axis=1)
    nearest = (positives[far] @ anchors.T).max(axis=1)
    return bool(np.median(nearest) >= np.quantile(usual, 0.1))


def _wrong(shares: np.ndarray) -> float | None:
    """Estimate the share of rows with a positive of another row; None if there are too few to say so."""
    far, total = int((shares > _FAR).sum()), len(shares)
    between = int(((shares > _NEAR) & (shares <= _FAR)).sum())
    if far < max(FEWEST, LEAST * total):
        return None
    flat = (far / (1 - _FAR)) / (max(between, 1) / (_FAR - _NEAR))
    near = (shares <= _NEAR).mean() >= _MOSTLY_NEAR
    return min(far / total / (1 - _FAR), 1.0) if flat >= (FLAT if near else FLAT_ALONE) else None


def _are_negatives(own: np.ndarray, negatives: np.ndarray) -> bool:
    """Whether rows with a far positive have a near negative, and the other rows have not."""
    far, near = own > _FAR, own <= _NEAR
    hard = near.mean() >= 2 * _NEAR and (negatives[near] <= _NEAR).mean() >= _HARD
    return bool(not hard and (negatives[far] <= _NEAR).mean() >= _MOSTLY_NEAR)


def _exchanged(encoded: EncodedRows, own: np.ndarray, *, known: bool) -> list[int] | None:
    """Return the triplets with positive and negative exchanged; None if these are most of the rows.

    Of those `columns-swapped` speaks: the difference of similarities has one peak again.
    known: whether a share of the positives belongs to other rows. They are exchanged if their negatives are
    near, and those of the other rows are not.
    """
    anchor, positive, negative = encoded.embeddings
    negatives = _rank_shares(encoded, negative)
    if known and not _are_negatives(own, negatives):
        return []
    difference = (anchor * positive).sum(axis=1) - (anchor * negative).sum(axis=1)
    if (difference > 0).mean() < _MOST_EXCHANGED:
        return None
    rows = second_peak(difference)
    if rows is None and known:
        rows = [int(row) for row in np.flatnonzero((own > _FAR) & (negatives <= _NEAR))]
    return rows or []


def _exchanged_finding(encoded: EncodedRows, rows: list[int], total: int) -> Finding:
    count = len(encoded)
    row = rows[0]
    return Finding(
        "columns-half-swapped",
        Severity.WARNING,
        f"In about {len(rows) / count:.0%} of {count:,} of {total:,} rows ({len(rows)}) the negative"
        " is as near to the anchor as the positive is in the other rows, and the positive as far as their"
        f" negative, such as for {shorten(encoded.texts[0][row])!r}: {shorten(encoded.texts[2][row])!r} as"
        f" the negative, {shorten(encoded.texts[1][row])!r} as the positive.",
        "Exchange positive and negative in these rows.",
    )


def _finding(encoded: EncodedRows, own: np.ndarray, total: int, training: CheckInput) -> Finding:
    share = _wrong(own) or 0.0
    count = len(own)
    error = (2 * share * (1 - share / 2) / count) ** 0.5
    row = int(own.argmax())
    by = (
        "By the base"
        if training.base is not None
        else "By the letters that texts share (no base is known: --base MODEL)"
    )
    return Finding(
        "positives-shuffled",
        Severity.WARNING,
        f"About {share:.0%} (± {1.96 * error:.0%}) of {count:,} of {total:,} rows have a positive that"
        f" belongs to another row. {by}, it is farther from its anchor than half of all other positives in"
        f" {int((own > _FAR).sum())} rows, as drawn by chance, such as {shorten(encoded.texts[1][row])!r} for"
        f" {shorten(encoded.texts[0][row])!r}. With so many rows a share from"
        f" {max(2 * LEAST, 2 * FEWEST / count) * 1.5:.0%} on is found.",
        "Check that both columns are in the same order: one that was sorted, filtered or shuffled alone looks"
        " like this.",
    )
