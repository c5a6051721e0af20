"""Models of several results folders taken as one, as `harness leaderboard` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.sources import ModelResults
from harness.errors import HarnessError
from harness.models.locate import display_names
from harness.render import named
from harness.results.merge import merge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.results.prediction_files import TaskResult
    from harness.results.unreadable import Unreadable

    Slot = tuple[str, str, int | None]


def merged_results(
    folders: Sequence[Path], shown: Sequence[str], unreadable: Unreadable
) -> list[ModelResults]:
    """Return all models of results folders, sorted by name; two of one name are `NAME~FP8`.

    shown: the folders as the user wrote them. unreadable: gets a sentence for each file that cannot be read.
    Raises HarnessError for a path that is not a results folder. Also where two folders have different results
    of one model and task, or asked it different things: the order of folders must not decide which counts.
    """
    for folder in folders:
        if not folder.is_dir():
            raise HarnessError(f"no results folder {folder}", hint="give folders that `harness run` wrote")
    merged = merge(folders, unreadable)
    known = dict(zip(folders, shown, strict=True))
    names = display_names(sorted(merged.folders))
    answered: dict[tuple[str, str], dict[Slot, TaskResult]] = {model: {} for model in names}
    for evaluation in merged.evaluations:
        asked = evaluation.examination
        slot = asked.task, asked.data, asked.limit
        known_result = answered[evaluation.model].setdefault(slot, merged.result(evaluation))
        if known_result.evaluation.examination != asked:
            raise HarnessError(
                f"{names[evaluation.model]} was asked different things on {asked.task}, in"
                f" {named([known[folder] for folder in merged.folders[evaluation.model]])}",
                exists="\n".join(known_result.evaluation.examination.differences(asked)),
                hint="give the folders apart, or the model a name of its own in one: --model NAME=MODEL",
            )
    models = [
        ModelResults(
            name=name,
            fingerprint=model[1],
            source=", ".join(known[folder] for folder in merged.folders[model]),
            answered=answered[model],
            throughput=merged.speeds.get(model),
            folder=merged.folders[model][0],
        )
        for model, name in names.items()
    ]
    return sorted(models, key=lambda model: model.name)
