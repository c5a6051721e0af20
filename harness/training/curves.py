"""Write the curves of a training: loss and scores by step, as CSV and as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import CONTROL, csv_text
from harness.system.extras import import_extra, require_extra

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.training.check_input import LogEntry

CSV, PICTURE = "training.csv", "training.svg"
USE = "the picture of a training"
"""What needs matplotlib."""


def write_curves(folder: Path, log: Sequence[LogEntry]) -> None:
    """Write `training.csv` and, if there are losses or scores, `training.svg`."""
    (folder / CSV).write_text(to_csv(log), encoding="utf-8")
    if any(entry.loss is not None or entry.metrics for entry in log):
        _draw(folder / PICTURE, log)


def check_curves() -> None:
    """Raise HarnessError where the library that draws them is missing; it is not imported."""
    require_extra("matplotlib", "train", USE)


def to_csv(log: Sequence[LogEntry]) -> str:
    """Return one row per line of the log: epoch, step, loss, learning rate, and a column per metric."""
    metrics = list(dict.fromkeys(name for entry in log for name in entry.metrics))
    lines = [
        [entry.epoch, entry.step, entry.loss, entry.learning_rate, *map(entry.metrics.get, metrics)]
        for entry in log
    ]
    return csv_text([["epoch", "step", "loss", "learning_rate", *metrics], *lines])


def _draw(path: Path, log: Sequence[LogEntry]) -> None:
    """Draw the loss and, on a separate axis below it, the scores."""
    mpl = import_extra("matplotlib", "train", USE)
    make_figure = import_extra("matplotlib.figure", "train", USE).Figure
    metrics = list(dict.fromkeys(name for entry in log for name in entry.metrics))
    with mpl.rc_context({"svg.hashsalt": "harness", "font.size": 9}):
        figure = make_figure(figsize=(7, 5 if metrics else 3), layout="constrained")
        axes = figure.subplots(2 if metrics else 1, 1, sharex=True, squeeze=False)[:, 0]
        losses = [(entry.step, entry.loss) for entry in log if entry.loss is not None]
        axes[0].plot([step for step, _ in losses], [loss for _, loss in losses], color="#1f5fa8")
        axes[0].set_ylabel("training loss")
        for name in metrics:
            points = [(entry.step, entry.metrics[name]) for entry in log if name in entry.metrics]
            axes[1].plot([step for step, _ in points], [score for _, score in points], marker="o", label="?")
        if metrics:
            axes[1].set_ylabel("score")
            legend = axes[1].legend(frameon=False)
            # Set afterwards: a label that begins with `_` is hidden from the legend, and `$` starts TeX.
            for text, name in zip(legend.get_texts(), metrics, strict=True):
                text.set_parse_math(False)
                text.set_text(CONTROL.sub("", name))
        axes[-1].set_xlabel("step")
        for axis in axes:
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(alpha=0.25)
        # A date would make every file differ.
        figure.savefig(path, metadata={"Date": None})
