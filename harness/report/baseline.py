"""Which model of a report is the baseline that its answer is against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.sources import pick_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.comparison.sources import ModelResults
    from harness.evaluation.journal import JournalEntry


def choose_baseline(
    models: Sequence[ModelResults],
    name: str | None,
    folders: Sequence[Path],
    runs: Sequence[Sequence[JournalEntry]],
) -> tuple[ModelResults, str]:
    """Return the baseline, and why it is that one, in words; no words where it was named, or is alone.

    That of a name; else the only model of the first folder, as `harness compare` takes it; else the model
    that the first run of that folder named first; else the first by name.
    runs: the journals of each folder. Raises HarnessError for a name that no model has, or several.
    """
    if name is not None or len(models) == 1:
        return pick_one(models, name, "--baseline", folders[0]), ""
    of_first = [model for model in models if model.folder == folders[0]]
    if len(of_first) == 1 and len(folders) > 1:
        return of_first[0], ""
    known = {(model.candidate.model, model.fingerprint): model for model in models}
    for run in runs[0] if runs else ():
        for asked in run.plan.models if run.plan else ():
            if (asked.name, asked.fingerprint) in known:
                return known[asked.name, asked.fingerprint], "the first model of the first run"
    return min(models, key=lambda model: model.name), "the first by name"
