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
    from harness.stats.answer_pair import AnswerPair, Answers

MOST_CLUSTERS = 50
"""Maximum number of clusters, the largest first: more slices make the correction stricter."""

_MOST_LEVELS = 8
"""Maximum number of distinct gold values with a slice each; above, gold is cut into quartiles."""

FEWEST_OF_UNKNOWN = 50
"""Minimum number of units of a slice for a metric that we do not know.

Leaving out one of few units may not move such a metric at all: its standard error is then far too small.
"""

_OF_RANKS = (metrics.pearson, metrics.spearman)
_KNOWN = (metrics.roc_auc, metrics.average_precision, metrics.macro_f1)
"""Metrics of classes. Where a class has few examples, a p-value far in the tail does not hold: of comparisons
of equal models, sliced into 30 clusters of 50 with 10 % of the examples in a class, 18 % had a flag by
macro-F1; without slices of fewer than ten of a class, 2 % do, and 4 % by average precision."""

_NO_TEXTS = ("id", "cluster", "gold", "predicted", "truncated")


class Part(NamedTuple):
    """A subset of the examples and its name."""

    by: str
    value: str
    rows: np.ndarray
    """(n,) bool."""


def measure_slices(metric: Metric, baseline: Table, candidate: Table) -> tuple[Slice, ...]:
    """Measure the gain on every slice with enough units; p-values are corrected over all of them (Holm).

    A slice has the test and the interval of a line of its examples. Within a cluster, examples are the units.
    Left out are slices with fewer than FEWEST_UNITS units or examples of a class, those where the
    metric is undefined, and those of all examples.
    Of 100 to 400 simulated comparisons of equal models by each of seven metrics, on 300 and 1,500 examples
    with and without clusters, 0 to 6 % had a flag anywhere (`python -m benchmarks.slices`).
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
) -> tuple[AnswerPair, _Figures] | None:
    sides = [{name: values[part.rows] for name, values in table.items()} for table in (baseline, candidate)]
    if part.by == "cluster":
        for side in sides:
            side.pop("cluster", None)
    with np.errstate(invalid="ignore", divide="ignore"):
        pair = pair_tables(metric, *sides)
        if _is_small(pair) or not math.isfinite(pair.gain):
            return None
        curve = gain_curve(pair)
    return None if curve is None else (pair, _Figures(pair.gain, *curve.interval(), curve.p()))


def _is_small(pair: AnswerPair) -> bool:
    """Whether a slice has too few units, or too few examples of a class, for a p-value far in the tail."""
    metric = pair.metric
    if metric.per_example or metric.compute in _OF_RANKS:
        return pair.count < FEWEST_UNITS
    fewest = FEWEST_UNITS if metric.compute in _KNOWN else FEWEST_OF_UNKNOWN
    return pair.count < fewest or min(map(_smallest_class, (pair.baseline, pair.candidate))) < FEWEST_UNITS


def _smallest_class(answers: Answers) -> int:
    """Return the number of examples of the rarest gold value; of all examples where gold is not classes."""
    columns = dict(zip(answers.metric.columns, answers.columns, strict=True))
    gold = columns.get("gold", np.zeros(0))
    if not len(gold) or isinstance(gold[0], np.ndarray):
        return len(answers.units)
    counts = np.unique(gold.astype(str), return_counts=True)[1]
    return int(counts.min()) if len(counts) <= _MOST_LEVELS else len(gold)


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
