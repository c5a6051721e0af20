"""Figures of results and comparisons, drawn by matplotlib; each returns its axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.system.extras import import_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.api.comparison import Comparisons
    from harness.api.results import Result, Results

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colors that color-blind readers tell apart. Source: Okabe and Ito (2008), "Color Universal Design"."""
MARKS = ("o", "s", "^", "D", "v", "P", "X")
"""Marks of models, so that no color is needed."""
_VERDICTS = {"better": ("#009E73", "^"), "worse": ("#D55E00", "v"), "equivalent": ("#0072B2", "s")}
_UNDECIDED = ("#666666", "o")
_ROW = 0.3
"""Height of a line of a figure, in inches."""


def plot_results(results: Results, kind: str, ax: Axes | None) -> Axes:
    """Draw the figure of `Results.plot`."""
    kinds = {"intervals": _intervals, "speed": _speed}
    if kind not in kinds:
        raise HarnessError.unknown("plot of results", kind, kinds)
    return kinds[kind](results, ax)


def plot_comparisons(comparisons: Comparisons, kind: str, ax: Axes | None) -> Axes:
    """Draw the figure of `Comparisons.plot`."""
    kinds = {"forest": _forest, "scatter": _scatter}
    if kind not in kinds:
        raise HarnessError.unknown("plot of a comparison", kind, kinds)
    return kinds[kind](comparisons, ax)


def plot_result(result: Result, ax: Axes | None) -> Axes:
    """Draw the figure of `Result.plot`: what fits the columns that the predictions have.

    Graded gold against predictions; similarities of each class, as histograms; else the headline's values.
    """
    frame = result.predictions
    axes = _axes(ax, 4.0)
    headline = result.record.scores[0]
    axes.set_title(f"{result.model} · {result.line()}")
    if {"gold", "predicted"} <= set(frame.columns):
        gold, predicted = frame["gold"].to_numpy(dtype=float), frame["predicted"].to_numpy(dtype=float)
        classes = np.unique(gold)
        if len(classes) > 2:
            axes.plot(gold, predicted, ".", color=COLORS[0], alpha=0.5)
            axes.set_xlabel("gold")
            axes.set_ylabel("predicted")
            return axes
        for position, value in enumerate(classes):
            axes.hist(
                predicted[gold == value],
                bins=30,
                histtype="step",
                linestyle=("-", "--")[position],
                color=COLORS[position],
                label=f"gold {value:g}",
            )
        axes.set_xlabel("similarity")
        axes.legend()
    else:
        column = next((name for name in ("margin", *headline.columns) if name in frame.columns), None)
        if column is None:
            raise HarnessError(f"the predictions of {result.task} have no column to draw")
        axes.hist(frame[column].to_numpy(dtype=float), bins=30, color=COLORS[0])
        axes.set_xlabel(column)
    axes.set_ylabel("examples")
    return axes


def _intervals(results: Results, ax: Axes | None) -> Axes:
    """Draw headline scores with their 95 % intervals, a row for each task and model."""
    models, tasks = results.models, results.tasks
    axes = _axes(ax, _ROW * (len(models) + 1) * len(tasks) + 1)
    places, labels = [], []
    for row, task in enumerate(tasks):
        for position, model in enumerate(models):
            result = results.get((model, task))
            if result is None or result.error is not None or (score := result.headline).score is None:
                continue
            place = row * (len(models) + 1) + position
            _with_interval(axes, place, score.score, score.low, score.high, position)
            places.append(place)
            labels.append(f"{task} · {model}")
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xlabel("headline score, 95 % interval")
    return axes


def _speed(results: Results, ax: Axes | None) -> Axes:
    """Draw the mean headline score of each model against its texts/s, slowest to fastest round."""
    from harness.results.folder import ResultsFolder

    speeds = {(one.model, one.fingerprint): one for one in ResultsFolder(results.folder).throughputs()}
    board = results.leaderboard().dropna(axis="columns")
    axes = _axes(ax, 4.0)
    timed = 0
    for position, model in enumerate(results.models):
        record = next(result.record for (name, _), result in results.items() if name == model)
        speed = speeds.get(record.model)
        if speed is None or board.empty:
            continue
        timed += 1
        low, middle, high = speed.rates
        axes.errorbar(
            [middle],
            [float(np.mean(board.loc[model].to_numpy()))],
            xerr=[[middle - low], [high - middle]],
            color=COLORS[position % len(COLORS)],
            marker=MARKS[position % len(MARKS)],
            label=model,
        )
    if not timed:
        raise HarnessError(
            "no speed was measured", hint="harness.evaluate(…, throughput=True) times encoding"
        )
    axes.set_xlabel("texts/s")
    axes.set_ylabel(f"mean headline score of {board.shape[1]} tasks")
    axes.legend()
    return axes


def _forest(comparisons: Comparisons, ax: Axes | None) -> Axes:
    """Draw the gain of each line with its interval, and the margin where there is one."""
    rows = [
        (f"{comparison.candidate.name} · {line.task} · {line.metric}", line)
        for comparison in comparisons
        for line in comparison.lines
        if line.gain is not None and math.isfinite(line.gain)
    ]
    axes = _axes(ax, _ROW * len(rows) + 1)
    axes.axvline(0, color="#999999", linewidth=1)
    for place, (_, line) in enumerate(rows):
        color, mark = _VERDICTS.get(str(line.verdict), _UNDECIDED)
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [place, place], color=color)
        axes.plot([line.gain or 0.0], [place], mark, color=color)
        if line.margin is not None:
            axes.plot([-line.margin] * 2, [place - 0.4, place + 0.4], ":", color="#000000")
    axes.set_yticks(range(len(rows)), [f"{label}: {line.verdict}" for label, line in rows])
    axes.invert_yaxis()
    level = min((comparison.level for comparison in comparisons), default=0.95)
    axes.set_xlabel(f"gain, {level:.4g} interval; dotted: −margin")
    return axes


def _scatter(comparisons: Comparisons, ax: Axes | None) -> Axes:
    """Draw the candidates' headline scores against the baseline's; above the line is better."""
    axes = _axes(ax, 4.0)
    values: list[float] = []
    for position, comparison in enumerate(comparisons):
        pairs = [
            (line.baseline, line.candidate)
            for line in comparison.lines
            if line.headline and line.baseline is not None and line.candidate is not None
        ]
        axes.plot(
            [left for left, _ in pairs],
            [right for _, right in pairs],
            MARKS[position % len(MARKS)],
            color=COLORS[position % len(COLORS)],
            label=comparison.candidate.name,
        )
        values += [value for pair in pairs for value in pair]
    if values:
        axes.plot([min(values), max(values)], [min(values), max(values)], color="#999999", linewidth=1)
    axes.set_xlabel(f"{comparisons[0].baseline.name}" if len(comparisons) else "baseline")
    axes.set_ylabel("candidate")
    axes.legend()
    return axes


def _with_interval(
    axes: Axes, place: float, score: float, low: float | None, high: float | None, position: int
) -> None:
    color, mark = COLORS[position % len(COLORS)], MARKS[position % len(MARKS)]
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], color=color)
    axes.plot([score], [place], mark, color=color)


def _axes(ax: Axes | None, height: float) -> Axes:
    """Return the given axes, or those of a new figure of so many inches."""
    if ax is not None:
        return ax
    plt = import_extra("matplotlib.pyplot", "plot", "a plot")
    made: Axes = plt.subplots(figsize=(8.0, max(height, 2.0)), layout="constrained")[1]
    return made
