"""Detect positives that belong to other rows, and triplets with positive and negative exchanged in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness_train.column_order import exchanged_rows, second_peak
from harness_train.concordance import share
from harness_train.duplicates import shorten
from harness_train.row_embeddings import EncodedRows, encode_rows
from harness_train.triplet_order import STOCK, TIE, belong_to_others, mutual_share, ordered_rows

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
_FEWEST_ROWS, _FEWEST_HALVES = 50, 100
"""Minimum number of rows; and for saying that positives are nearer in one half of them."""
_ALIKE = 0.97
"""Minimum cosine of two positives that are one but for a name."""
_MUTUAL = 0.25
"""Minimum share of anchors that are the nearest one of their nearest positive, where the base sees why.

It is 0.44 or more in half of the benchmark's pairs, and 0.03 for titles of judgments with their first lines.
"""


def check_shuffled(training: CheckInput) -> Iterator[Finding]:
    """Find shuffled positives (`positives-shuffled`) and exchanged negatives (`columns-half-swapped`).

    The rank share of a row's positive is the share of all other positives that are nearer to its anchor. It
    is uniform for a positive of another row, and near 0 for an own one that the base understands; so twice
    the share of rows above one half estimates the share of wrong rows (Storey, 2002, "A direct approach to
    false discovery rates", with λ = 1/2). Where a base understands little, the density falls instead of
    being flat, and nothing is said. Works from 10 % of 150 rows on; without a base, by shared letters. Rows
    whose two texts were exchanged are no shuffled ones, and are turned round before; rows with a stock answer
    are left out.
    """
    rows = training.rows
    if rows is None or rows.kind not in ("pairs", "triplets"):
        return
    encoded = encode_rows(training, _FEWEST_ROWS, with_words=True)
    if encoded is None:
        return
    if rows.kind == "triplets":
        encoded = _chosen(encoded, ordered_rows(*encoded.texts))
    encoded = _without_stock(encoded)
    if len(encoded) < _FEWEST_ROWS:
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
        if wrong is None:
            yield from _in_half(encoded, len(rows))
    if rows.kind == "pairs" and _are_exchanged(encoded, own):
        return
    if wrong is not None and _have_other_anchors(encoded, own):
        yield _finding(encoded, own, len(rows), training)


def _without_stock(encoded: EncodedRows) -> EncodedRows:
    """Return the rows whose positive is no stock answer: one that stands in several rows, or nearly so.

    "Thank you for your message" is near no anchor, and belongs to each of them.
    """
    positives = encoded.embeddings[1]
    alike = (positives @ positives.T >= _ALIKE).sum(axis=1)
    return _chosen(encoded, [int(row) for row in np.flatnonzero(alike < STOCK)])


def _chosen(encoded: EncodedRows, kept: list[int]) -> EncodedRows:
    return EncodedRows(
        [encoded.rows[row] for row in kept],
        tuple([cells[row] for row in kept] for cells in encoded.texts),
        tuple(part[kept] for part in encoded.embeddings),
    )


def _rank_shares(encoded: EncodedRows, candidates: np.ndarray) -> np.ndarray:
    """Return for each row the share of other rows' positives nearer to its anchor than its candidate: (n,).

    Ties count half. Positives with the same text as the row's own are left out.
    """
    anchors, positives = encoded.embeddings[:2]
    number = {text: index for index, text in enumerate(dict.fromkeys(encoded.texts[1]))}
    names = np.array([number[text] for text in encoded.texts[1]])
    more = anchors @ positives.T - (anchors * candidates).sum(axis=1)[:, None]
    others = names[:, None] != names[None, :]
    nearer = (others & (more > TIE)).sum(axis=1) + (others & (np.abs(more) <= TIE)).sum(axis=1) / 2
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
    nearer = (positives[far] @ positives[~far].T > itself[:, None] + TIE).mean(axis=1)
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


def _exchanged(encoded: EncodedRows, own: np.ndarray, *, known: bool) -> list[int] | None:
    """Return the triplets with positive and negative exchanged; None if these are most of the rows.

    Of those `columns-swapped` speaks: the difference of similarities has one peak again.
    known: whether a share of the positives belongs to other rows. They are exchanged if their negatives are
    as near as the positives of the other rows, and not as near as the negatives of these.
    """
    anchor, positive, negative = encoded.embeddings
    near, far = own <= _NEAR, own > _FAR
    positives, negatives = (anchor * positive).sum(axis=1), (anchor * negative).sum(axis=1)
    difference = positives - negatives
    if (difference > 0).mean() < _MOST_EXCHANGED:
        return [] if belong_to_others(anchor, positive, negative, encoded.texts[1]) else None
    if known:
        if near.mean() < 2 * _NEAR:
            return []
        between = (float(np.median(positives[near])) + float(np.median(negatives[near]))) / 2
        if float(np.median(negatives[far])) < between:
            return []
    rows = second_peak(difference)
    if rows is None and known:
        rows = [int(row) for row in np.flatnonzero(far & (negatives >= between))]
    return rows or []


def _in_half(encoded: EncodedRows, total: int) -> Iterator[Finding]:
    """Note triplets of which the base finds the positive nearer in one half, as drawn by chance."""
    anchor, positive, negative = encoded.embeddings
    won = (anchor * positive).sum(axis=1) > (anchor * negative).sum(axis=1)
    nearer = share(won.astype(float), encoded.texts[0])
    if len(encoded) < _FEWEST_HALVES or not nearer.low <= 0.5 <= nearer.high:
        return
    yield Finding(
        "columns-half-swapped",
        Severity.NOTE,
        f"The base finds the positive nearer to the anchor than the negative in {nearer.score:.0%}"
        f" ({nearer.low:.0%} to {nearer.high:.0%}) of {len(encoded):,} of {total:,} triplets, as if drawn by"
        " chance. So it is where positive and negative are exchanged in half of the rows, and with hard"
        " negatives: by these rows the two cannot be told from each other.",
        "Read some rows; where negatives are not meant to be hard, find out which part of them is exchanged.",
    )


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
    wrong = _wrong(own) or 0.0
    count = len(own)
    error = (2 * wrong * (1 - wrong / 2) / count) ** 0.5
    row = int(own.argmax())
    by = (
        "By the base"
        if training.base is not None
        else "By the letters that texts share (no base is known: --base MODEL)"
    )
    unseen = (own <= _NEAR).mean() < _MOSTLY_NEAR and mutual_share(*encoded.embeddings[:2]) < _MUTUAL
    doubt = " Nor do most anchors have an own positive elsewhere: the base may not see what joins them."
    return Finding(
        "positives-shuffled",
        Severity.NOTE if unseen else Severity.WARNING,
        f"About {wrong:.0%} (± {1.96 * error:.0%}) of {count:,} of {total:,} rows have a positive that"
        f" {'seems to belong' if unseen else 'belongs'} to another row. {by}, it is farther from its anchor"
        f" than half of all other positives in {int((own > _FAR).sum())} rows, as drawn by chance, such as"
        f" {shorten(encoded.texts[1][row])!r} for {shorten(encoded.texts[0][row])!r}. With so many rows a"
        f" share from {max(2 * LEAST, 2 * FEWEST / count) * 1.5:.0%} on is found.{doubt if unseen else ''}",
        "Check that both columns are in the same order: one that was sorted, filtered or shuffled alone looks"
        " like this.",
    )
