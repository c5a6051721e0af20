"""Draw a sample of whole clusters by the hash of their rows' content.

Which rows a sample has depends neither on the order of the rows nor on the names of ids and clusters, and a
larger sample contains every smaller one. A changed row moves its own cluster only.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from typing import TYPE_CHECKING, Any

from harness.system.stored_texts import StoredTexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAMES = ("id", "cluster")
"""Columns of names, which do not decide: they may be row numbers, or be made of them."""


def sample_rows(columns: Mapping[str, Sequence[Any]], limit: int) -> list[int]:
    """Return the positions of the rows of a sample, ascending: whole clusters of at most `limit` rows in all.

    columns: named columns of equal length; without a column `cluster`, equal rows are one cluster.
    Clusters are taken in the order of their hashes until one does not fit; the first is always taken,
    whatever its size. To go on with smaller ones would prefer small clusters, and a larger sample might
    then lack rows of a smaller one.
    """
    clusters = _few_clusters(columns, limit) if _is_stored(columns) else _clusters(columns)
    drawn: list[int] = []
    for _, rows in sorted(clusters):
        if drawn and len(drawn) + len(rows) > limit:
            break
        drawn += rows
    return sorted(drawn)


def _clusters(columns: Mapping[str, Sequence[Any]]) -> list[tuple[bytes, list[int]]]:
    """Return the hash and the rows of every cluster."""
    contents = list(_row_hashes(columns))
    members: dict[Any, list[int]] = {}
    for row, cluster in enumerate(columns.get("cluster", contents)):
        members.setdefault(cluster, []).append(row)
    return [(_hash(*sorted(contents[row] for row in rows)), rows) for rows in members.values()]


def _is_stored(columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether there are texts on disk, and no column `cluster`, which would be in memory anyway."""
    return "cluster" not in columns and any(isinstance(values, StoredTexts) for values in columns.values())


def _few_clusters(columns: Mapping[str, Sequence[Any]], limit: int) -> list[tuple[bytes, list[int]]]:
    """Return all clusters of several rows, and of those of one as many as a sample can have, the first ones.

    Two passes over the rows, with eight bytes in memory for each.
    """
    import numpy as np

    count = len(next(iter(columns.values())))
    starts = np.fromiter((_start(content) for content in _row_hashes(columns)), np.uint64, count)
    starts.sort()
    repeated = set(starts[1:][starts[1:] == starts[:-1]].tolist())
    members: dict[bytes, list[int]] = {}

    def single() -> Iterator[tuple[bytes, list[int]]]:
        for row, content in enumerate(_row_hashes(columns)):
            if _start(content) in repeated:
                members.setdefault(content, []).append(row)
            else:
                yield _hash(content), [row]

    # A sample has one cluster at least, and of clusters of one row no more than its limit.
    few = heapq.nsmallest(max(limit, 1), single())
    return [*few, *((_hash(*[content] * len(rows)), rows) for content, rows in members.items())]


def _start(content: bytes) -> int:
    return int.from_bytes(content[:8])


def _row_hashes(columns: Mapping[str, Sequence[Any]]) -> Iterator[bytes]:
    """Yield the hash of each row's cells; those of columns of names count where there are no others."""
    names = sorted(columns.keys() - set(_NAMES)) or ["id"]
    rows = zip(*(columns[name] for name in names), strict=True)
    return (_hash(json.dumps(cells, default=lambda cell: cell.tolist()).encode()) for cells in rows)


def _hash(*parts: bytes) -> bytes:
    digest = hashlib.sha256(b"harness sample")
    for part in parts:
        digest.update(part)
    return digest.digest()
