"""`harness train --report`: candidates and their base on the tasks of the recipe, as one page."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.report_file import ReportFile
from harness.errors import HarnessError
from harness.system.paths import shown_path
from harness.tasks.interface import HUB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.workspace import Workspace
    from harness.evaluation.produce import TrainingRun
    from harness.models.interface import LocatedModel


def training_page(file: str | None, runs: Sequence[TrainingRun], workspace: Workspace) -> ReportFile | None:
    """Return where the page of trainings is written; None without a file.

    Raises HarnessError for a recipe without tasks, and as `ReportFile.of` does.
    """
    if file is None:
        return None
    if not runs[0].tasks:
        raise HarnessError(
            f"--report has nothing to show: recipe {runs[0].recipe.name} has no tasks",
            hint="evaluation.tasks of the recipe names them: --set 'evaluation.tasks=[\"stsb-dev\"]'",
        )
    return ReportFile.of(file, workspace)


def write_training_page(page: ReportFile, runs: Sequence[TrainingRun], workspace: Workspace) -> str:
    """Evaluate the base and all candidates as `harness run` does, and write the page; return what it has.

    The base is the baseline. The results are kept no longer than the page takes: it says how to get them.
    """
    from harness.cli.output import show_progress
    from harness.evaluation.publish_run import publish_run
    from harness.evaluation.runner import RunPlan
    from harness.report.collect import collect
    from harness.report.request import ReportRequest
    from harness.results.folder import ResultsFolder
    from harness.tasks.selection import SelectedTask

    first = runs[0]
    models = [first.base, *(_located(run, workspace) for run in runs)]
    plan = RunPlan(
        models=models,
        tasks=[SelectedTask(task, by_name=True) for task in first.tasks],
        data=first.data,
        no_texts=first.no_texts,
        throughput=True,
        keep_going=True,
    )
    with tempfile.TemporaryDirectory(prefix="harness-training-") as folder:
        with show_progress() as progress:
            publish_run(
                plan,
                ResultsFolder(Path(folder)),
                progress,
                plugins=workspace.plugin_files,
                task_files=workspace.task_files,
            )
        shown = f"results/{first.out.name}"
        request = ReportRequest(
            folders=(folder,),
            shown=(shown,),
            baseline=_baseline(first.base, models),
            texts=not first.no_texts,
            data=str(first.data) if first.data not in (None, HUB) else None,
            plugin_files=workspace.plugin_files,
            task_files=workspace.task_files,
        )
        tasks = workspace.tasks()
        content = collect(request, tasks, workspace.suites(tasks), before=_run_command(runs, shown))
        return page.write(content)


def _located(run: TrainingRun, workspace: Workspace) -> LocatedModel:
    from harness.models.interface import ModelSpec, Settings
    from harness.models.locate import locate_model

    spec = ModelSpec("folder", str(run.out), name=run.out.name, settings=Settings(device=run.device))
    return locate_model(spec, workspace.plugins.model_schemes())


def _baseline(base: LocatedModel, models: Sequence[LocatedModel]) -> str:
    """Return the display name of the base among the models."""
    from harness.models.locate import display_names

    names = display_names([(model.name, model.fingerprint) for model in models])
    return names[base.name, base.fingerprint]


def _run_command(runs: Sequence[TrainingRun], out: str) -> str:
    """Return the command, as a line for a shell, that makes results of the base and all candidates."""
    first = runs[0]
    words = ["harness", "run", "--model", first.recipe.base]
    words += [word for run in runs for word in ("--model", shown_path(run.out))]
    words += ["--tasks", ",".join(task.name for task in first.tasks)]
    words += ["--data", str(first.data)] if first.data is not None else []
    words += ["--no-texts"] if first.no_texts else []
    return shlex.join([*words, "--out", out])
