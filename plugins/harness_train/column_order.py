"""Detect pairs whose two texts were exchanged in a part of the rows, from how the texts look: no model."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness_train.duplicates import shorten
from harness_train.row_embeddings import draw_rows, is_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput, Rows

SURE = 0.005
"""Maximum p of a second peak: that rows are no more there than between the peaks."""
STANDS_OUT = 2
"""Minimum ratio of rows in the second peak and between the peaks."""
FEWEST = 5
"""Minimum number of exchanged rows."""
_FEWEST_ROWS = 50
"""Minimum number of rows for a direction in which the columns differ."""
_ROUNDS = 10
"""Maximum number of rounds of turning rows round and fitting the direction again."""
_RECURS = 5
"""Minimum number of rows that a text is in for its column to be known."""
_ONE_SIDED = 0.95
"""Minimum share of recurring texts that are mostly in the same column."""


def check_half_swapped(training: CheckInput) -> Iterator[Finding]:
    """Find columns that were exchanged in a part of the rows: `columns-half-swapped`.

    Works from 10 % of at least 150 rows on, where the columns differ in how their texts look (length,
    question marks, lines, digits), or where the texts of one column recur. Columns of texts of one kind, as
    in paraphrases, have no order, and nothing is found.
    """
    rows = training.rows
    if rows is None or not rows.complete or len(rows.texts) < 2:
        return
    names = tuple(rows.texts)[:2]
    texts = _texts(rows)
    exchanged = exchanged_rows(*texts)
    if not exchanged:
        return
    row, total = exchanged[0], len(texts[0])
    yield Finding(
        "columns-half-swapped",
        Severity.WARNING,
        f"In about {len(exchanged) / total:.0%} of {total:,} rows ({len(exchanged)}) {names[0]} looks like"
        f" {names[1]} of the other rows, and {names[1]} like {names[0]}, such as {shorten(texts[0][row])!r}"
        f" and {shorten(texts[1][row])!r}.",
        "Exchange the two texts in these rows; losses with a direction, such as"
        " MultipleNegativesRankingLoss, learn the wrong one from them.",
    )


def exchanged_rows(left: list[str], right: list[str]) -> list[int]:
    """Return the rows whose two texts look exchanged; empty where the columns have no order."""
    exchanged = _by_look(left, right) or _by_recurrence(left, right) or []
    return exchanged if len(exchanged) >= FEWEST else []


def _texts(rows: Rows) -> tuple[list[str], list[str]]:
    left, right, *_ = rows.texts.values()
    usable = [row for row in range(len(rows)) if is_text(left[row]) and is_text(right[row])]
    pairs = {(left[row], right[row]) for row in usable}
    # A row that is there in both orders is so on purpose.
    usable = [row for row in usable if (right[row], left[row]) not in pairs]
    drawn = draw_rows(usable, left)
    return [left[row] for row in drawn], [right[row] for row in drawn]


def _by_look(left: list[str], right: list[str]) -> list[int] | None:
    """Return the rows in a second peak, mirrored, of the difference of their two texts; None without one.

    A row's difference is d = look(text1) − look(text2). If rows are exchanged, d has two peaks at ±m. The
    direction is that of most variance about 0, then Fisher's between d and −d, with each row turned to the
    side of the majority.
    """
    if len(left) < _FEWEST_ROWS:
        return None
    looks = [np.array([_look(text) for text in column]) for column in (left, right)]
    spread = np.vstack(looks).std(axis=0)
    varied = spread > 0
    if not varied.any():
        return None
    difference = ((looks[0] - looks[1]) / np.where(varied, spread, 1))[:, varied]
    return second_peak(difference @ _direction(difference))


def second_peak(along: np.ndarray) -> list[int] | None:
    """Return the rows in a second peak on the side of the minority, mirrored at 0; None without one.

    along: (n,). With m the median of |along|, one peak of any form has no fewer rows in (−m/2, m/2) than in
    (−3m/2, −m/2): a sign test of these two counts.
    """
    if (along > 0).sum() < (along < 0).sum():
        along = -along
    middle = float(np.median(np.abs(along)))
    if middle == 0:
        return None
    between = int((np.abs(along) < middle / 2).sum())
    second = int(((along <= -middle / 2) & (along >= -1.5 * middle)).sum())
    if second < FEWEST or second < STANDS_OUT * between or _tail(second, second + between) > SURE:
        return None
    return [int(row) for row in np.argsort(along, kind="stable")[: int((along < -middle / 2).sum())]]


def _direction(difference: np.ndarray) -> np.ndarray:
    """Return the direction that tells d from −d best: (k,)."""
    second = difference.T @ difference / len(difference)
    direction: np.ndarray = np.linalg.eigh(second)[1][:, -1]
    for _ in range(_ROUNDS):
        sides = np.where(difference @ direction < 0, -1.0, 1.0)
        turned = difference * sides[:, None]
        within = np.atleast_2d(np.cov(turned.T)) + 0.05 * np.eye(difference.shape[1])
        better = np.linalg.solve(within, turned.mean(axis=0))
        if np.array_equal(np.sign(difference @ better), np.sign(difference @ direction)):
            return better
        direction = better
    return direction


def _look(text: str) -> list[float]:
    """Return what a text looks like: lengths, marks, capitals, lines and digits."""
    end = text.rstrip()[-1:]
    return [
        float(np.log1p(len(text))),
        float(np.log1p(len(text.split()))),
        float(end == "?"),
        float(end in (".", "!")),
        float(text[:1].isupper()),
        float(np.log1p(text.count("."))),
        float(np.log1p(text.count("\n"))),
        10 * sum(map(str.isdigit, text)) / max(len(text), 1),
    ]


def _by_recurrence(left: Sequence[str], right: Sequence[str]) -> list[int] | None:
    """Return the rows in which a text recurs in the wrong column; None where the columns share their texts.

    Nearly all texts that recur must be mostly in the same column, in more than two of three of their rows.
    """
    counts = Counter(left), Counter(right)
    often = [text for text in {**counts[0], **counts[1]} if counts[0][text] + counts[1][text] >= _RECURS]
    total = sum(counts[0][text] + counts[1][text] for text in often)
    mostly = [sum(counts[side][text] for text in often) / max(total, 1) for side in (0, 1)]
    home = int(mostly[1] > mostly[0])
    at_home = sum(counts[home][text] + counts[1 - home][text] for text in often if _at(counts, text, home))
    if len(often) < 2 or total < len(left) / 4 or at_home < _ONE_SIDED * total or mostly[home] < 2 / 3:
        return None
    known = {text for text in often if _at(counts, text, home)}
    away, kept = (left, right) if home == 1 else (right, left)
    wrong = [
        row
        for row, (text, other) in enumerate(zip(away, kept, strict=True))
        if text in known and other not in known
    ]
    return wrong if len(wrong) >= FEWEST else None


def _at(counts: tuple[Counter[str], Counter[str]], text: str, side: int) -> bool:
    return counts[side][text] > counts[1 - side][text]


def _tail(successes: int, trials: int) -> float:
    """Return the probability of at least so many of the trials, each with one half."""
    from scipy.stats import binom

    return float(binom.sf(successes - 1, trials, 0.5))
