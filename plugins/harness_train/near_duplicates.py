"""Find rows that are nearly equal to another row; such rows count twice, and leak into test splits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import near_copies
from harness_train.duplicates import shorten
from harness_train.shared_prefixes import without_shared_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import Rows

MOST_ROWS = 10_000
"""Maximum number of distinct rows that are compared: some seconds."""
MANY = 0.2
"""Minimum share of the rows for a warning."""
_PREFIX = 12
"""Minimum length of a beginning of many texts that is not compared, such as an instruction."""


def check_near_duplicates(rows: Rows) -> Iterator[Finding]:
    """Compare distinct rows; of more than MOST_ROWS, a sample drawn by content.

    Compared is what follows a beginning that many texts share: with it, all short texts would be alike.
    """
    cells = zip(*rows.texts.values(), strict=True)
    distinct = list(
        dict.fromkeys(row for row in cells if all(isinstance(cell, str) and cell.strip() for cell in row))
    )
    drawn = distinct if len(distinct) <= MOST_ROWS else sorted(distinct, key=_hash)[:MOST_ROWS]
    rest = without_shared_prefix((text for row in drawn for text in row), _PREFIX)
    compared = [tuple(rest[text] for text in row) for row in drawn]
    copies = [row for row, copied in zip(drawn, near_copies(compared), strict=True) if copied]
    if not copies:
        return
    share = len(copies) / len(drawn)
    drawing = (
        "" if len(drawn) == len(distinct) else f", drawn from {len(distinct)}: there may be more among all"
    )
    yield Finding(
        "near-duplicates",
        Severity.WARNING if share >= MANY else Severity.NOTE,
        f"{len(copies)} of {len(drawn)} distinct rows ({share:.1%}{drawing}) are nearly equal to another one"
        f" in every text, such as {shorten(copies[0][0])!r}.",
        "Keep one of each, and keep copies out of the evaluated splits.",
    )


def _hash(row: tuple[str, ...]) -> bytes:
    """Key that sorts rows in a random but reproducible order."""
    return hashlib.blake2b("\0".join(row).encode(errors="surrogatepass"), digest_size=8).digest()
