"""Numbers with the digits that a reader can use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGITS = 5
"""Significant digits of an answer."""


def rounded(value: float) -> float | None:
    """Return a number with five significant digits, whole ones as they are; None for NaN and infinities."""
    if not math.isfinite(value):
        return None
    short = value if abs(value) >= 10**_DIGITS else float(f"{value:.{_DIGITS}g}")
    return int(short) if short == int(short) else short


def rounded_all(values: np.ndarray) -> tuple[float | None, ...]:
    """Return numbers as `rounded` does; None for a cell that is no number."""
    if values.dtype.kind not in "biuf":
        return tuple(rounded(cell) if isinstance(cell, int | float) else None for cell in values.tolist())
    return tuple(map(rounded, values.astype(float).tolist()))


def plain_cells(values: np.ndarray) -> tuple[str | float | None, ...]:
    """Return a column of words or numbers: numbers as `rounded` does, True and False as 1 and 0."""
    if values.dtype.kind in "biuf":
        return rounded_all(values)
    return tuple(map(_plain, values))


def has_lists(values: np.ndarray) -> bool:
    """Whether the cells of a column are lists."""
    return any(isinstance(cell, np.ndarray | list | tuple) for cell in values[:1])


def texts_of(values: Iterable[Any]) -> tuple[str, ...]:
    """Return cells as texts."""
    return tuple(map(str, values))


def _plain(cell: Any) -> str | float | None:  # noqa: ANN401 - a cell of predictions
    if cell is None or isinstance(cell, str):
        return cell
    return rounded(float(cell)) if isinstance(cell, int | float | np.number | np.bool_) else str(cell)
