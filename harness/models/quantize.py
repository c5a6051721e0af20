"""Quantize embeddings as sentence-transformers' `quantize_embeddings` does, bit for bit.

int8 and uint8 cut the range of values of each dimension, from the minimum to the maximum over calibration
embeddings, into 255 steps; values outside are clipped. binary and ubinary keep the sign of each dimension.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

CALIBRATED = ("int8", "uint8")
"""Precisions that need ranges."""
BINARY = ("binary", "ubinary")
"""Precisions of one bit a dimension: the same bits, in bytes of another type."""
_STEPS = 255
_SIGNED = 128
"""What int8 codes are below uint8 codes."""


def ranges_of(parts: Iterable[np.ndarray]) -> np.ndarray | None:
    """Return the minimum and the maximum of each dimension, (2, dimensions) float32; None without a row."""
    ranges: np.ndarray | None = None
    for part in parts:
        if len(part):
            both = np.stack([part.min(axis=0), part.max(axis=0)])
            if ranges is not None:
                both = np.stack([np.minimum(ranges[0], both[0]), np.maximum(ranges[1], both[1])])
            ranges = both
    return ranges


def quantized(embeddings: np.ndarray, precision: str, ranges: np.ndarray | None = None) -> np.ndarray:
    """Return what is stored of embeddings, as float32: (n, dimensions).

    For int8 the codes, −128 to 127; for uint8, 0 to 255; for binary, 1 for a bit that is set and −1 for one
    that is not. A bit is set where the value is above 0.
    ranges: from `ranges_of`, for int8 and uint8.
    """
    if precision in BINARY:
        return np.where(embeddings > 0, np.float32(1), np.float32(-1))
    starts, steps = _scale(ranges)
    codes: np.ndarray = embeddings - starts  # the one copy: a corpus may take most of the memory
    with np.errstate(over="ignore"):  # far outside of a narrow range: infinite, and clipped
        codes /= steps
    np.floor(codes, out=codes)
    codes.clip(0, _STEPS, out=codes)
    if precision == "int8":
        codes -= _SIGNED
    return codes


def restored(stored: np.ndarray, precision: str, ranges: np.ndarray | None = None) -> np.ndarray:
    """Return embeddings as they can be restored from what is stored, (n, dimensions): the start of each step.

    For binary these are the signs.
    """
    if precision in BINARY:
        return stored
    starts, steps = _scale(ranges)
    values: np.ndarray = (stored + (_SIGNED if precision == "int8" else 0)) * steps + starts
    return values


def hamming_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 − 2 × Hamming distance / dimensions of rows of 1 and −1: (n, m) float32 in [−1, 1].

    The products are whole numbers, which float32 adds exactly: equal distances tie.
    """
    similarity: np.ndarray = a @ b.T
    return similarity / np.float32(a.shape[1])


def pairwise_hamming_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return `hamming_similarity` of row i of `a` with row i of `b`: (n,)."""
    similarity: np.ndarray = np.einsum("ij,ij->i", a, b)
    return similarity / np.float32(a.shape[1])


def _scale(ranges: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return start and step of each dimension; a dimension without a range has step 1."""
    if ranges is None:
        raise ValueError("ranges are needed")
    starts: np.ndarray = ranges[0]
    steps = (ranges[1] - starts) / np.float32(_STEPS)
    return starts, np.where(steps == 0, np.float32(1), steps)
