"""The result of one model on one task: scores, intervals, predictions."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from harness.finding import Finding
    from harness.results.records import Evaluation, Score

_FIRST = ("id", "cluster")
"""Columns of predictions that come first."""


class Result:
    """What one model scored on one task."""

    def __init__(self, record: Evaluation, model: str, folder: Path, keeper: object = None) -> None:
        """keeper: as of `Results`, which this result may outlive."""
        self.record = record
        """All that is known of it: settings, data, findings, libraries."""
        self.model = model
        """Display name: `NAME~FP8` where several models of these results share the name."""
        self._folder, self._keeper = folder, keeper

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.record.examination.task

    @property
    def scores(self) -> dict[str, Score]:
        """Metric → score with its interval, the headline first; empty where the model failed."""
        return {score.metric: score for score in self.record.scores} if self.record.status == "ok" else {}

    @property
    def headline(self) -> Score:
        """The score by the task's first metric; raises HarnessError where the model failed."""
        if self.record.status != "ok":
            raise HarnessError(f"{self.model} has no score on {self.task}: {self.record.error}")
        return self.record.scores[0]

    @property
    def error(self) -> str | None:
        """Why the model has no score; None where it has."""
        return self.record.error

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is doubtful about the model and this result."""
        return self.record.all_findings

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per example: id, cluster, texts, gold and answers.

        Raises HarnessError where there are none: the model failed, or another tool scored it.
        """
        import pandas as pd

        from harness.results.folder import ResultsFolder
        from harness.results.prediction_files import read_predictions

        if self.record.predictions is None:
            raise HarnessError(f"{self.model} has no predictions on {self.task}", exists=self.record.error)
        path = ResultsFolder(self._folder).predictions_path(self.record)
        columns = read_predictions(path)[0].columns
        order = [name for name in _FIRST if name in columns]
        order += [name for name in columns if name not in _FIRST]
        return pd.DataFrame({name: pd.Series(list(columns[name])) for name in order})

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each metric: see `Results.to_frame`."""
        return to_frame_of([self.record])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw predictions against gold, similarities by class, or the values of examples."""
        from harness.api.plots import examples

        title = f"{self.model} · {self.line()}"
        return examples(self.predictions, title, self.record.scores[0].columns, ax)

    def __repr__(self) -> str:
        return f"<Result of {self.model} on {self.task}: {self.line()}>"

    def line(self) -> str:
        """Return the headline score with its interval as text; `ERROR` where the model failed."""
        return (
            _score_text(self.record.scores[0]) if self.record.status == "ok" else self.record.status.upper()
        )


def to_frame_of(records: Sequence[Evaluation]) -> pd.DataFrame:
    """Return a row for each score of records, as leaderboard.csv has them; an undefined number is NaN."""
    import pandas as pd

    from harness.results.leaderboard import leaderboard_rows

    frame = pd.DataFrame([asdict(row) for row in leaderboard_rows(records)])
    return frame.astype(dict.fromkeys(("score", "low", "high"), float))


def _score_text(score: Score) -> str:
    ends = f" [{score.low:.3f}, {score.high:.3f}]" if score.low is not None else ""
    value = "undefined" if score.score is None else f"{score.score:.4f}"
    return f"{score.metric} {value}{ends}"
