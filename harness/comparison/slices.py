"""Gains on slices of the examples: by cluster, length of texts, gold, and truncation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.comparison.result_changes import Slice
from harness.metrics import standard as metrics
from harness.results.predictions import pair_tables
from harness.stats.curve import LEVEL
from harness.stats.gain import gain_curve
from harness.stats.holm import holm
from harness.stats.intervals import FEWEST_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.metrics.interface import Metric
    from harness.results.predictions import Table
    from harness.stats.paired import Paired

MOST_CLUSTERS = 50
"""Maximum number of clusters, the largest first: more slices make the correction stricter."""

_MOST_LEVELS = 8
"""Maximum number of distinct gold values with a slice each; above, gold is cut into quartiles."""

FEWEST_OF_UNKNOWN = 50
"""Minimum number of units of a slice for a metric without a known derivative, such as macro-F1.

Leaving out one of few units may not move such a metric at all; its standard error is then far too small: in
4,000 simulated cases of no difference, p < 0.001 came out in 2.5 % with 10 units, in 0.9 % with 30 and in
0.1 % with 50. With all slices of 10 units or more, 64 % of the comparisons had a false flag.
"""

_KNOWN = (metrics.pearson, metrics.spearman, metrics.roc_auc)

_NO_TEXTS = ("id", "cluster", "gold", "predicted", "truncated")


class Part(NamedTuple):
    """A subset of the examples and its name."""

    by: str
    value: str
    rows: np.ndarray
    """(n,) bool."""


def measure_slices(metric: Metric, baseline: Table, candidate: Table) -> tuple[Slice, ...]:
    """Measure the gain on every slice with enough units; p-values are corrected over all of them (Holm).

    Right or wrong answers get McNemar's test and Tango's interval, as a line does; all other metrics get
    Student's t on influences, since a bootstrap of so many slices would be slow. Within a cluster, examples
    are the units. Slices where the metric is undefined and slices of all examples are left out.
    Of 400 to 1,000 simulated comparisons of equal models by each of six metrics, on 300 to 1,500 examples
    with and without clusters, 0 to 5 % had a flag anywhere.
    """
    slices = []
    for part in _parts(metric, baseline, candidate):
        if part.rows.all():
            continue
        measured = _measure_part(metric, part, baseline, candidate)
        if measured is not None:
            slices.append((part, *measured))
    adjusted = holm([figures.p for _, _, figures in slices]).tolist()
    return tuple(
        Slice(
            by=part.by,
            value=part.value,
            examples=pair.examples,
            clusters=pair.count,
            gain=figures.gain,
            low=figures.low,
            high=figures.high,
            p_adjusted=p,
            flagged=p < LEVEL,
        )
        for (part, pair, figures), p in zip(slices, adjusted, strict=True)
    )


def text_columns(baseline: Table, candidate: Table) -> list[str]:
    """Return the names of columns with texts: not ids, clusters or gold, nor predictions that are words.

    Predictions differ between models, in any column; texts do not.
    """
    return [
        name
        for name, values in baseline.items()
        if name not in _NO_TEXTS
        and name in candidate
        and all(isinstance(value, str) for value in (*values, *candidate[name]))
        and np.array_equal(values, candidate[name])
    ]


class _Figures(NamedTuple):
    gain: float
    low: float
    high: float
    p: float


def _measure_part(
    metric: Metric, part: Part, baseline: Table, candidate: Table
) -> tuple[Paired, _Figures] | None:
    sides = [{name: values[part.rows] for name, values in table.items()} for table in (baseline, candidate)]
    if part.by == "cluster":
        for side in sides:
            side.pop("cluster", None)
    with np.errstate(invalid="ignore", divide="ignore"):
        pair = pair_tables(metric, *sides)
        if pair.count < _min_units(metric) or not math.isfinite(pair.gain):
            return None
        curve = gain_curve(pair)
    return None if curve is None else (pair, _Figures(pair.gain, *curve.interval(), curve.p()))


def _min_units(metric: Metric) -> int:
    known = metric.per_example or metric.compute in _KNOWN
    return FEWEST_UNITS if known else FEWEST_OF_UNKNOWN


def _parts(metric: Metric, baseline: Table, candidate: Table) -> Iterator[Part]:
    if "cluster" in baseline:
        yield from _by_cluster(baseline["cluster"])
    if not len(baseline["id"]):
        return
    measured = baseline.get("text_length", baseline["id"])
    if measured.dtype.kind in "iuf":
        yield from _quartiles("length", measured.astype(float), " characters")
    elif texts := text_columns(baseline, candidate):
        lengths = np.sum([[len(text) for text in baseline[name]] for name in texts], axis=0)
        yield from _quartiles("length", lengths.astype(float), " characters")
    if "gold" in baseline:
        yield from _by_gold(baseline["gold"], levels="gold" not in metric.columns)
    columns = [table["truncated"] for table in (baseline, candidate) if "truncated" in table]
    # A task may have a column of this name with other values.
    if flags := [column for column in columns if column.dtype.kind == "b"]:
        cut = np.any(flags, axis=0)
        yield from (Part("truncated", name, rows) for name, rows in (("yes", cut), ("no", ~cut)))


def _by_cluster(clusters: np.ndarray) -> Iterator[Part]:
    names, sizes = np.unique(clusters.astype(str), return_counts=True)
    largest = sorted(zip(-sizes, names, strict=True))[:MOST_CLUSTERS]
    for size, name in largest:
        if -size >= FEWEST_UNITS:
            yield Part("cluster", str(name), clusters.astype(str) == name)


def _by_gold(gold: np.ndarray, *, levels: bool) -> Iterator[Part]:
    """Yield slices of equal gold, or quartiles of gold.

    levels: whether each value forms a slice. A metric that compares with gold is meaningless where gold is
    constant: macro-F1 would depend on the classes that are absent.
    """
    if isinstance(gold[0], np.ndarray):
        return
    values = gold.astype(str) if gold.dtype == object else gold
    distinct = np.unique(values)
    if len(distinct) > _MOST_LEVELS:
        if gold.dtype.kind in "iuf":
            yield from _quartiles("gold", gold.astype(float), "")
    elif levels:
        for level in distinct:
            yield Part("gold", f"{level:g}" if gold.dtype.kind == "f" else str(level), values == level)


def _quartiles(by: str, values: np.ndarray, unit: str) -> Iterator[Part]:
    """Yield four slices of about equal size; fewer where many values are equal."""
    ends: Sequence[float] = sorted(set(np.quantile(values, [0.25, 0.5, 0.75, 1.0], method="higher").tolist()))
    below = -math.inf
    for end in ends:
        shown = f"≤ {end:g}{unit}" if below == -math.inf else f"{below:g} – {end:g}{unit}"
        yield Part(by, shown, (values > below) & (values <= end))
        below = end
