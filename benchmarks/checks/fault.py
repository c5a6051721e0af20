"""`Fault`: something wrong that is put into a share of a data set's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import numpy as np

    from benchmarks.checks.dataset import DataSet

SHARES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of the rows that a fault is put into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which data are wrong."""

    name: str
    about: str
    """One line: what is done to the rows."""
    seed: Callable[[DataSet, float, np.random.Generator], DataSet | None]
    """Takes a clean data set and a share; None where the fault has no meaning there."""
    shares: tuple[float, ...] = SHARES
    kinds: tuple[str, ...] = ("pairs", "scored-pairs", "labeled-pairs", "triplets", "labeled-texts")
    most_rows: int | None = None
    """Rows of a data set that are used, the first ones; None for all. Where only texts matter, few do."""
    most_sets: int = 6
    """Maximum number of data sets of each half that it is put into; they are spread over kinds of rows."""
    bare: bool = False
    """Whether it is also put to the checks without a recipe."""


def chosen(dataset: DataSet, share: float, random: np.random.Generator) -> list[int]:
    """Draw the rows of a share, at least one."""
    count = max(1, round(share * len(dataset.rows)))
    return sorted(int(row) for row in random.permutation(len(dataset.rows))[:count])


def changed(cells: Sequence[Any], rows: Sequence[int], change: Callable[[Any, int], Any]) -> list[Any]:
    """Return the cells, those of the given rows changed; `change` takes the cell and its row."""
    result = list(cells)
    for row in rows:
        result[row] = change(result[row], row)
    return result


def change_texts(
    dataset: DataSet, rows: Sequence[int], change: Callable[[Any, int], Any], columns: Sequence[str] = ()
) -> DataSet:
    """Return the data set with the texts of some rows changed, in all columns or the named ones."""
    return dataset.with_rows(
        {
            name: changed(cells, rows, change) if not columns or name in columns else list(cells)
            for name, cells in dataset.rows.texts.items()
        }
    )
