"""The gain on parts of the examples: by cluster, length of texts, gold, and whether a text was cut."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.compare.comparison import Slice
from harness.compare.rows import paired
from harness.paired.claims import holm
from harness.paired.gain import LEVEL, quantile
from harness.paired.influence import influences, standard_error
from harness.stats import FEWEST_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.compare.rows import Table
    from harness.interfaces import Metric

MOST_CLUSTERS = 50
"""The largest clusters are looked at: the more parts, the stricter their correction."""

_MOST_LEVELS = 8
"""Gold of more distinct values than these is cut into quartiles."""


class Part(NamedTuple):
    """Some of the examples, and how they are called."""

    by: str
    value: str
    rows: np.ndarray
    """(n,) bool."""


def slices_of(metric: Metric, baseline: Table, candidate: Table) -> tuple[Slice, ...]:
    """Measure the gain on every part that has units enough; flags are corrected over all of them (Holm).

    Intervals and p-values are Student's t on influences: a bootstrap of so many parts would be slow. Within
    a cluster, examples are the units. A part where the metric is undefined is left out.
    """
    found = []
    for part in _parts(baseline, candidate):
        one = _measured(metric, part, baseline, candidate)
        if one is not None:
            found.append((part, *one))
    adjusted = holm([p for _, _, p in found])
    return tuple(
        Slice(
            by=part.by,
            value=part.value,
            examples=figures.examples,
            clusters=figures.units,
            gain=figures.gain,
            low=figures.gain - figures.half,
            high=figures.gain + figures.half,
            p_holm=p,
            flagged=p < LEVEL,
        )
        for (part, figures, _), p in zip(found, adjusted, strict=True)
    )


def text_columns(table: Table) -> list[str]:
    """Names of the columns that hold texts to read: neither ids nor clusters, nor gold that is a word."""
    return [
        name
        for name, values in table.items()
        if name not in ("id", "cluster", "gold") and all(isinstance(value, str) for value in values)
    ]


class _Figures(NamedTuple):
    examples: int
    units: int
    gain: float
    half: float


def _measured(metric: Metric, part: Part, baseline: Table, candidate: Table) -> tuple[_Figures, float] | None:
    sides = [{name: values[part.rows] for name, values in table.items()} for table in (baseline, candidate)]
    if part.by == "cluster":
        for side in sides:
            side.pop("cluster")
    with np.errstate(invalid="ignore", divide="ignore"):
        pair = paired(metric, *sides)
        if pair.count < FEWEST_UNITS or not math.isfinite(pair.gain):
            return None
        error = standard_error(influences(pair))
    if not math.isfinite(error):
        return None
    if error == 0:
        return _Figures(pair.examples, pair.count, pair.gain, 0.0), 0.0 if pair.gain else 1.0
    from scipy.special import stdtr

    p = float(2 * stdtr(pair.count - 1, -abs(pair.gain) / error))
    half = quantile(1 - LEVEL / 2, pair.count) * error
    return _Figures(pair.examples, pair.count, pair.gain, half), p


def _parts(baseline: Table, candidate: Table) -> Iterator[Part]:
    if "cluster" in baseline:
        yield from _by_cluster(baseline["cluster"])
    if texts := text_columns(baseline):
        lengths = np.sum([[len(text) for text in baseline[name]] for name in texts], axis=0)
        yield from _quartiles("length", lengths.astype(float), " characters")
    if "gold" in baseline:
        yield from _by_gold(baseline["gold"])
    flags = [table["truncated"] for table in (baseline, candidate) if "truncated" in table]
    if flags:
        cut = np.any(flags, axis=0)
        yield from (Part("truncated", name, rows) for name, rows in (("yes", cut), ("no", ~cut)))


def _by_cluster(clusters: np.ndarray) -> Iterator[Part]:
    names, sizes = np.unique(clusters.astype(str), return_counts=True)
    largest = sorted(zip(-sizes, names, strict=True))[:MOST_CLUSTERS]
    for size, name in largest:
        if -size >= FEWEST_UNITS:
            yield Part("cluster", str(name), clusters.astype(str) == name)


def _by_gold(gold: np.ndarray) -> Iterator[Part]:
    if len(gold) and isinstance(gold[0], np.ndarray):
        return
    levels = np.unique(gold.astype(str) if gold.dtype == object else gold)
    if len(levels) <= _MOST_LEVELS:
        for level in levels:
            shown = f"{level:g}" if gold.dtype.kind == "f" else str(level)
            yield Part(
                "gold", shown, np.asarray((gold.astype(str) if gold.dtype == object else gold) == level)
            )
    elif gold.dtype.kind in "iuf":
        yield from _quartiles("gold", gold.astype(float), "")


def _quartiles(by: str, values: np.ndarray, unit: str) -> Iterator[Part]:
    """Four parts of about one size; fewer where many values are equal."""
    ends: Sequence[float] = sorted(set(np.quantile(values, [0.25, 0.5, 0.75, 1.0], method="higher").tolist()))
    below = -math.inf
    for end in ends:
        shown = f"≤ {end:g}{unit}" if below == -math.inf else f"{below:g} – {end:g}{unit}"
        yield Part(by, shown, (values > below) & (values <= end))
        below = end
