"""All faults of rows, and the data sets that they are put into."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

from benchmarks.checks.dataset import HALVES, DataSet, generator_of
from benchmarks.checks.label_faults import LABEL_FAULTS
from benchmarks.checks.row_faults import ROW_FAULTS
from benchmarks.checks.text_faults import TEXT_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.checks.fault import Fault

FAULTS: tuple[Fault, ...] = (*LABEL_FAULTS, *ROW_FAULTS, *TEXT_FAULTS)
"""Every fault of rows."""


def takers(fault: Fault, datasets: Sequence[DataSet]) -> list[DataSet]:
    """Return the data sets that a fault is put into: of each kind of rows in turn, drawn by name."""
    result = []
    for half in HALVES:
        by_kind: dict[str, list[DataSet]] = {}
        for dataset in sorted(datasets, key=lambda one: _drawn_by(fault.name, one.name)):
            if (
                dataset.half == half
                and not dataset.only_clean
                and next(seeded(dataset, fault), None) is not None
            ):
                by_kind.setdefault(dataset.kind, []).append(dataset)
        turns = itertools.chain.from_iterable(itertools.zip_longest(*by_kind.values()))
        result += [dataset for dataset in turns if dataset is not None][: fault.most_sets]
    return result


def seeded(dataset: DataSet, fault: Fault) -> Iterator[tuple[float, DataSet]]:
    """Yield the data set with the fault in each share of its rows; nothing where it has no meaning."""
    if dataset.kind not in fault.kinds:
        return
    for share in fault.shares:
        # The same generator for all shares: a larger share holds the rows of the smaller ones.
        result = fault.seed(dataset.first(fault.most_rows), share, generator_of(dataset.name, fault.name))
        if result is not None:
            yield share, result


def _drawn_by(fault: str, dataset: str) -> bytes:
    """Key that sorts data sets in a random but fixed order, another one for each fault."""
    return hashlib.sha256(f"{fault}\0{dataset}".encode()).digest()
