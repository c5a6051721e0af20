"""Figures of scores, gains and examples, drawn by matplotlib; each function returns the axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.system.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from harness.comparison.result import Comparison, MetricComparison
    from harness.results.records import Score

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colors that color-blind readers tell apart. Source: Okabe and Ito (2008), "Color Universal Design"."""
MARKS = ("o", "s", "^", "D", "v", "P", "X")
"""Marks of models, so that no color is needed."""
_VERDICTS = {"better": ("#009E73", "^"), "worse": ("#D55E00", "v"), "equivalent": ("#0072B2", "s")}
_UNDECIDED = ("#666666", "o")
_ROW = 0.3
"""Height of a line of a figure, in inches."""


def intervals(rows: Sequence[tuple[str, str, Score]], ax: Axes | None = None) -> Axes:
    """Draw scores with their 95 % intervals. rows: label, model and score of each, from top to bottom."""
    axes = _axes(ax, _ROW * len(rows) + 1)
    models = list(dict.fromkeys(model for _, model, _ in rows))
    for place, (_, model, score) in enumerate(rows):
        color, mark = _look(models.index(model))
        if score.low is not None and score.high is not None:
            axes.plot([score.low, score.high], [place, place], color=color)
        if score.score is not None:
            axes.plot([score.score], [place], mark, color=color)
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.invert_yaxis()
    axes.set_xlabel("headline score, 95 % interval")
    return axes


def speed(points: Sequence[tuple[str, float, tuple[float, float, float]]], ax: Axes | None = None) -> Axes:
    """Draw quality against speed. points: model, mean headline score; slowest, median and fastest texts/s."""
    axes = _axes(ax, 4.0)
    for position, (model, quality, (low, middle, high)) in enumerate(points):
        color, mark = _look(position)
        error = [[middle - low], [high - middle]]
        axes.errorbar([middle], [quality], xerr=error, color=color, marker=mark, label=model)
    axes.set_xlabel("texts/s")
    axes.set_ylabel("mean headline score")
    axes.legend()
    return axes


def forest(gains: Sequence[tuple[str, MetricComparison]], level: float, ax: Axes | None = None) -> Axes:
    """Draw gains with their intervals, and margins. gains: candidate and line of each, from top to bottom."""
    rows = [(name, line) for name, line in gains if line.gain is not None and math.isfinite(line.gain)]
    axes = _axes(ax, _ROW * len(rows) + 1)
    axes.axvline(0, color="#999999", linewidth=1)
    for place, (_, line) in enumerate(rows):
        color, mark = _VERDICTS.get(str(line.verdict), _UNDECIDED)
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [place, place], color=color)
        axes.plot([line.gain or 0.0], [place], mark, color=color)
        if line.margin is not None:
            axes.plot([-line.margin] * 2, [place - 0.4, place + 0.4], ":", color="#000000")
    labels = [f"{name} · {line.task} · {line.metric}: {line.verdict}" for name, line in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.set_xlabel(f"gain, {level:.4g} interval; dotted: −margin")
    return axes


def scatter(comparisons: Sequence[Comparison], ax: Axes | None = None) -> Axes:
    """Draw the candidates' headline scores against the baseline's; above the line is better."""
    axes = _axes(ax, 4.0)
    values: list[float] = []
    for position, comparison in enumerate(comparisons):
        pairs = [
            (line.baseline, line.candidate)
            for line in comparison.lines
            if line.headline and line.baseline is not None and line.candidate is not None
        ]
        color, mark = _look(position)
        left, right = [left for left, _ in pairs], [right for _, right in pairs]
        axes.plot(left, right, mark, color=color, label=comparison.candidate.name)
        values += left + right
    if values:
        axes.plot([min(values), max(values)], [min(values), max(values)], color="#999999", linewidth=1)
    axes.set_xlabel(comparisons[0].baseline.name if comparisons else "baseline")
    axes.set_ylabel("candidate")
    axes.legend()
    return axes


def examples(predictions: pd.DataFrame, title: str, columns: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw what the answers to examples allow.

    Graded gold: predictions against it. Two classes: histograms of the similarities of each. Else a histogram
    of the margins, or of the first of `columns`, the headline's. Raises HarnessError where there is none.
    """
    axes = _axes(ax, 4.0)
    axes.set_title(title)
    if not {"gold", "predicted"} <= set(predictions.columns):
        return _values(predictions, columns, axes)
    gold, predicted = predictions["gold"], predictions["predicted"].to_numpy()
    classes = sorted(set(gold.tolist()))
    if len(classes) > 2 and gold.dtype.kind == "f":
        axes.plot(gold.to_numpy(), predicted, ".", color=COLORS[0], alpha=0.5)
        axes.set_xlabel("gold")
        axes.set_ylabel("predicted")
        return axes
    for position, value in enumerate(classes):
        color, _ = _look(position)
        style = ("-", "--", ":")[position % 3]
        own = predicted[(gold == value).to_numpy()]
        axes.hist(own, bins=30, histtype="step", linestyle=style, color=color, label=f"gold {value}")
    axes.set_xlabel("predicted")
    axes.set_ylabel("examples")
    axes.legend()
    return axes


def _values(predictions: pd.DataFrame, columns: Sequence[str], axes: Axes) -> Axes:
    column = next((name for name in ("margin", *columns) if name in predictions.columns), None)
    if column is None:
        raise HarnessError("these predictions have no column that can be drawn")
    axes.hist(predictions[column].to_numpy(dtype=np.float64), bins=30, color=COLORS[0])
    axes.set_xlabel(column)
    axes.set_ylabel("examples")
    return axes


def _look(position: int) -> tuple[str, str]:
    """Return color and mark of the model in a position."""
    return COLORS[position % len(COLORS)], MARKS[position % len(MARKS)]


def _axes(ax: Axes | None, height: float) -> Axes:
    """Return the given axes, or those of a new figure of so many inches."""
    if ax is not None:
        return ax
    plt = import_extra("matplotlib.pyplot", "plot", "a plot")
    made: Axes = plt.subplots(figsize=(8.0, max(height, 2.0)), layout="constrained")[1]
    return made
