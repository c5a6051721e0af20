"""How the answers of a model are distributed: counts of bins, from all examples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from harness.report.bins import even_edges, quantile_edges, rank_bins
from harness.report.numbers import has_lists, rounded
from harness.report.rankings import first_relevant, ranking_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report.board_answers import BoardAnswers
    from harness.results.predictions import Table

_MOST_CLASSES = 8
"""Maximum number of classes of gold that have a similarity each: more values are ratings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Counts of one quantity over the examples of a task, by class where there are classes."""

    board: str
    """`ReportBoard.id`."""
    model: str
    kind: Literal["similarity", "margin", "rank", "length"]
    """Similarity by class; positive minus negative similarity of triplets; rank of the first relevant
    document; quality by length of the texts."""
    label: str
    """Of the axis, with its unit, in words."""
    edges: tuple[float, ...] = ()
    """(bins + 1,) ascending ends of bins; empty where `bins` names them."""
    bins: tuple[str, ...] = ()
    """Names of bins that are no ranges, such as `not in the first 100`."""
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Class → (bins,) numbers of examples; the one class without a name is ``."""
    quality: tuple[float | None, ...] = ()
    """(bins,) mean quality of the examples of each bin, of `length`; None where it is empty."""
    quality_error: tuple[float | None, ...] = ()
    """(bins,) standard error of that mean, over clusters where examples have them; None where there are fewer
    than two."""
    quality_of: str = ""
    """What quality is, in words, as in `TaskExamples.quality`; empty for other kinds."""
    threshold: float | None = None
    """Similarity from which the model says yes, chosen on the dev split; None where there is none."""


def distributions_of(answers: BoardAnswers, *, texts: bool = True) -> tuple[Distribution, ...]:
    """Return how the answers of each model of a board are distributed, over all examples.

    Bins of one kind are the same for all models, so that they can be laid over each other. Similarities are
    by class of gold, or of positives and negatives of triplets; values that are not finite are not counted.
    texts: whether a class may have the name of a text; else it has its hash.
    """
    kinds = (_similarities, _margins, _ranks, _lengths)
    found = [distribution for kind in kinds for distribution in kind(answers)]
    if texts and answers.has_texts:
        return tuple(found)
    word = answers.quiet_names().word
    return tuple(
        replace(one, counts={word(name): counts for name, counts in one.counts.items()}) for one in found
    )


def _similarities(answers: BoardAnswers) -> Iterator[Distribution]:
    by_class = {name: _by_class(table) for name, table in answers.tables.items()}
    for name, edges, counts in _histograms(by_class):
        threshold: Any = answers.evaluations[name].fitted.get("threshold")
        known = isinstance(threshold, int | float) and not isinstance(threshold, bool)
        yield Distribution(
            board=answers.board,
            model=name,
            kind="similarity",
            label="similarity",
            edges=edges,
            counts=counts,
            threshold=rounded(threshold) if known else None,
        )


def _margins(answers: BoardAnswers) -> Iterator[Distribution]:
    margins = {
        name: {"": table["margin"]}
        for name, table in answers.tables.items()
        if "margin" in table and table["margin"].dtype.kind in "iuf"
    }
    for name, edges, counts in _histograms(margins):
        yield Distribution(
            board=answers.board,
            model=name,
            kind="margin",
            label="similarity of the positive − similarity of the negative",
            edges=edges,
            counts=counts,
        )


def _ranks(answers: BoardAnswers) -> Iterator[Distribution]:
    forms = {name: ranking_columns(table) for name, table in answers.tables.items()}
    depths = [max(map(len, answers.tables[name][form.ids])) for name, form in forms.items() if form]
    for name, form in forms.items():
        if form is None:
            continue
        bins, counts = rank_bins(first_relevant(answers.tables[name], form), max(depths))
        yield Distribution(
            board=answers.board,
            model=name,
            kind="rank",
            label="rank of the first relevant document",
            bins=bins,
            counts={"": counts},
        )


def _lengths(answers: BoardAnswers) -> Iterator[Distribution]:
    lengths = answers.lengths()
    if lengths is None:
        return
    for name, quality in answers.qualities.items():
        known = np.isfinite(quality.values)
        if not known.any():
            continue
        edges = quantile_edges(lengths)
        counts, _ = np.histogram(lengths[known], edges)
        means, errors = _means(quality.values[known], lengths[known], edges, _clusters(answers)[known])
        yield Distribution(
            board=answers.board,
            model=name,
            kind="length",
            label="characters of the texts",
            edges=edges,
            counts={"": tuple(counts.tolist())},
            quality_of=answers.quality_words(),
            quality=tuple(map(rounded, means)),
            quality_error=tuple(map(rounded, errors)),
        )


def _clusters(answers: BoardAnswers) -> np.ndarray:
    """Return a number for each example, the same for those of a cluster: (n,) int."""
    clusters = answers.first.get("cluster")
    names = answers.first["id"] if clusters is None else clusters
    return np.unique(names.astype(str), return_inverse=True)[1].ravel()


def _means(
    values: np.ndarray, lengths: np.ndarray, edges: tuple[float, ...], clusters: np.ndarray
) -> tuple[list[float], list[float]]:
    """Return the mean of each bin of lengths and its standard error, NaN where there is none.

    The examples of a cluster are one observation: their deviations are added before they are squared.
    """
    last = len(edges) - 2
    bins = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, last)
    means, errors = [], []
    for number in range(last + 1):
        own = values[bins == number]
        mean = float(own.mean()) if len(own) else math.nan
        sums = np.bincount(clusters[bins == number], weights=own - mean)
        groups = len(np.unique(clusters[bins == number]))
        error = math.sqrt(groups / (groups - 1) * float(sums @ sums)) / len(own) if groups > 1 else math.nan
        means.append(mean)
        errors.append(error)
    return means, errors


def _by_class(table: Table) -> dict[str, np.ndarray]:
    """Return class → similarities; empty where a task has no similarities, or no classes."""
    sides = {name: table.get(f"{name}_similarity") for name in ("positive", "negative")}
    if all(values is not None and values.dtype.kind == "f" for values in sides.values()):
        return {name: values for name, values in sides.items() if values is not None}
    gold, predicted = table.get("gold"), table.get("predicted")
    if gold is None or predicted is None or predicted.dtype.kind != "f" or has_lists(gold):
        return {}
    classes = np.unique(gold.astype(str) if gold.dtype == object else gold)
    if len(classes) > _MOST_CLASSES:
        return {}
    return {_class_name(value): predicted[gold == value] for value in classes.tolist()}


def _class_name(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _histograms(
    models: dict[str, dict[str, np.ndarray]],
) -> Iterator[tuple[str, tuple[float, ...], dict[str, tuple[int, ...]]]]:
    """Yield each model with edges that all of them share, and its counts by class."""
    every = [values[np.isfinite(values)] for by_class in models.values() for values in by_class.values()]
    together = np.concatenate([np.zeros(0), *every])
    if not len(together):
        return
    edges = even_edges(together)
    for name, by_class in models.items():
        counts = {
            label: tuple(np.histogram(values[np.isfinite(values)], edges)[0].tolist())
            for label, values in by_class.items()
        }
        if counts:
            yield name, edges, counts
