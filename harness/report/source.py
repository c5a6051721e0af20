"""What a report is made of: models, and boards with the files of their predictions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.models.locate import display_names
from harness.results.agreement import broken_where_disagreeing
from harness.results.folder import file_stem
from harness.results.leaderboard import boards
from harness.results.prediction_files import TaskResult
from harness.results.soundness import as_broken, predictions_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.comparison.sources import ModelResults
    from harness.results.leaderboard import Board
    from harness.results.records import Examination
    from harness.tasks.interface import Task


@dataclass(frozen=True, slots=True)
class BoardSource:
    """A board, and the predictions of its models."""

    id: str
    """Unique in the report, of letters, digits, `.`, `-` and `_`."""
    board: Board
    results: Mapping[str, TaskResult]
    """Display name → record and the path of its predictions, of the models that are ranked."""

    @property
    def examination(self) -> Examination:
        """What the ranked models were asked; of a board without a score, what the first model was."""
        return self.board.rows[0].evaluation.examination


def unique_models(models: Sequence[ModelResults]) -> list[ModelResults]:
    """Return models with names that are unique, in their records too: `NAME~FP8` where two share one.

    Of two results of one and the same model, the second has the name of its folder too.
    """
    seen: set[tuple[str, str]] = set()
    apart = []
    for model in models:
        identity = model.candidate.model, model.fingerprint
        found = model
        if identity in seen:
            name = f"{identity[0]} ({model.source})"
            answered = {
                slot: replace(
                    result,
                    evaluation=replace(
                        result.evaluation, candidate=replace(result.evaluation.candidate, model=name)
                    ),
                )
                for slot, result in model.answered.items()
            }
            found = replace(model, answered=answered)
        seen.add(identity)
        apart.append(found)
    names = display_names(sorted((model.candidate.model, model.fingerprint) for model in apart))
    return [replace(model, name=names[model.candidate.model, model.fingerprint]) for model in apart]


def board_sources(
    models: Sequence[ModelResults], tasks: Callable[[], Mapping[str, Task]], problems: list[str]
) -> list[BoardSource]:
    """Return the boards of models, as `harness leaderboard` ranks them; what does not hold is broken.

    problems: gets one sentence for each record that contradicts its predictions or the other records.
    """
    results = [result for model in models for _, result in sorted(model.answered.items(), key=repr)]
    checked = []
    for result in results:
        fault = predictions_fault(result, tasks) if result.predictions is not None else None
        if fault:
            problems.append(f"{fault}; it is not ranked")
        checked.append(as_broken(result.evaluation, fault) if fault else result.evaluation)
    checked = broken_where_disagreeing(checked, problems)
    files = {
        (one.model, one.examination): result.predictions for one, result in zip(checked, results, strict=True)
    }
    names: set[str] = set()
    return [
        BoardSource(
            _unique_id(board, names),
            board,
            {
                row.model: TaskResult(
                    evaluation=row.evaluation,
                    predictions=files[row.evaluation.model, row.evaluation.examination],
                )
                for row in board.rows
                if row.headline is not None
            },
        )
        for board in boards(checked)
    ]


def _unique_id(board: Board, taken: set[str]) -> str:
    """Return an id of a board that is not taken, and take it."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "-", file_stem(board.rows[0].evaluation.examination))
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem}-{number}", number + 1
    taken.add(found)
    return found
