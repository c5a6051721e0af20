"""Find documents that have the same embedding."""

from __future__ import annotations

import hashlib

import numpy as np

from harness.metrics.top_k import blocks

_HASHED = 1024
"""Maximum documents that are hashed at once."""
_PREFIX = 64
"""Bytes of a row that distinguish nearly all documents that are not copies."""


def copies(documents: np.ndarray) -> list[list[int]]:
    """Return groups of rows that have the same embedding: two or more each, ascending.

    Matrix kernels round the columns of one product differently, so that two copies of a document
    would not tie; only one of a group is searched.
    """
    rows = _repeated(_hashes(documents[:, : max(1, _PREFIX // documents.dtype.itemsize)]))
    rows = rows[_repeated(_hashes(documents, rows))]
    groups: dict[bytes, list[int]] = {}
    for row in rows.tolist():
        content = np.ascontiguousarray(documents[row]).data
        groups.setdefault(hashlib.blake2b(content, digest_size=16).digest(), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def _repeated(values: np.ndarray) -> np.ndarray:
    """Return the positions, ascending, of values that occur more than once."""
    order = np.argsort(values)
    equal = np.flatnonzero(np.diff(values[order]) == 0)
    return np.unique(order[np.concatenate([equal, equal + 1])])


def _hashes(documents: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return cheap (n,) hashes of the bytes of all or some rows; different rows rarely have the same.

    Sums of integers modulo 2^64 do not depend on the order, unlike sums of floats.
    """
    width = documents.dtype.itemsize * documents.shape[1]
    factors = np.random.default_rng(0).integers(2**64, size=-(-width // 8), dtype=np.uint64) | np.uint64(1)
    hashes = np.empty(len(documents) if rows is None else len(rows), dtype=np.uint64)
    for block in blocks(slice(0, len(hashes)), _HASHED):
        content = np.ascontiguousarray(documents[block if rows is None else rows[block]]).view(np.uint8)
        if width % 8:
            content = np.pad(content, ((0, 0), (0, -width % 8)))
        hashes[block] = content.view(np.uint64) @ factors
    return hashes
