"""Rows that are nearly another row: they count twice, and hide in a test split."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import near_copies
from harness_train.duplicates import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import Rows

MOST_ROWS = 10_000
"""Distinct rows that are compared: some seconds."""
MANY = 0.2
"""Share of the rows from which on it is worth a warning."""


def check_near_duplicates(rows: Rows) -> Iterator[Finding]:
    """Compare distinct rows; of more than MOST_ROWS, as many drawn by their content."""
    cells = zip(*rows.texts.values(), strict=True)
    distinct = list(dict.fromkeys(row for row in cells if all(isinstance(cell, str) for cell in row)))
    drawn = distinct if len(distinct) <= MOST_ROWS else sorted(distinct, key=_mixed)[:MOST_ROWS]
    found = [row for row, copied in zip(drawn, near_copies(drawn), strict=True) if copied]
    if not found:
        return
    share = len(found) / len(drawn)
    drawing = (
        "" if len(drawn) == len(distinct) else f", drawn from {len(distinct)}: there may be more among all"
    )
    yield Finding(
        "near-duplicates",
        Severity.WARNING if share >= MANY else Severity.NOTE,
        f"{len(found)} of {len(drawn)} distinct rows ({share:.1%}{drawing}) are nearly equal to another one"
        f" in every text, such as {shorten(found[0][0])!r}.",
        "Keep one of each, and keep copies out of the splits that are evaluated.",
    )


def _mixed(row: tuple[str, ...]) -> bytes:
    """Order rows by chance, but always alike."""
    return hashlib.blake2b("\0".join(row).encode(errors="surrogatepass"), digest_size=8).digest()
