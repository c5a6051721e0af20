"""Draw a sample of whole clusters by the hash of their rows' content.

Which rows a sample has depends neither on the order of the rows nor on the names of ids and clusters, and a
larger sample contains every smaller one. A changed row moves its own cluster only.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMES = ("id", "cluster")
"""Columns of names, which do not decide: they may be row numbers, or be made of them."""


def sample_rows(columns: Mapping[str, Sequence[Any]], limit: int) -> list[int]:
    """Return the positions of the rows of a sample, ascending: whole clusters of at most `limit` rows in all.

    columns: named columns of equal length; without a column `cluster`, equal rows are one cluster.
    Clusters are taken in the order of their hashes until one does not fit; the first is always taken,
    whatever its size. To go on with smaller ones would prefer small clusters, and a larger sample might
    then lack rows of a smaller one.
    """
    contents = _row_hashes(columns)
    members: dict[Any, list[int]] = {}
    for row, cluster in enumerate(columns.get("cluster", contents)):
        members.setdefault(cluster, []).append(row)
    drawn: list[int] = []
    for rows in sorted(members.values(), key=lambda rows: _hash(*sorted(contents[row] for row in rows))):
        if drawn and len(drawn) + len(rows) > limit:
            break
        drawn += rows
    return sorted(drawn)


def _row_hashes(columns: Mapping[str, Sequence[Any]]) -> list[bytes]:
    """Return the hash of each row's cells; those of columns of names count where there are no others."""
    names = sorted(columns.keys() - set(_NAMES)) or ["id"]
    rows = zip(*(columns[name] for name in names), strict=True)
    return [_hash(json.dumps(cells, default=lambda cell: cell.tolist()).encode()) for cells in rows]


def _hash(*parts: bytes) -> bytes:
    digest = hashlib.sha256(b"harness sample")
    for part in parts:
        digest.update(part)
    return digest.digest()
