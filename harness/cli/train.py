"""`harness train`: train candidates from a recipe or a model card."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from harness.cli.groups import grouped
from harness.cli.options import PluginOptions, plugin_options
from harness.cli.report_file import report_option
from harness.cli.train_plan import RecipeOptions, TrainingOptions, training_runs
from harness.system.paths import shown_path
from harness.system.signals import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from harness.evaluation.produce import TrainedModel, TrainingRun
    from harness.training.check_input import LogEntry
    from harness.training.interface import TrainingCallback


@click.command(name="train")
@click.option(
    "--recipe", metavar="NAME|FILE.toml", help="A shipped recipe or a file; `harness list recipes`."
)
@click.option("--from-card", "card", metavar="CARD.md", help="Read the recipe from a model card.")
@click.option("--base", metavar="MODEL", help="Train from this model, not the recipe's.")
@click.option(
    "--data",
    metavar="DIR|FILE",
    envvar="HARNESS_DATA",
    help="Folder of the recipe's data and of its tasks', or the file of training rows.",
)
@click.option(
    "--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Name of a column in the file."
)
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a recipe's value: train.epochs=1."
)
@click.option("--out", required=True, metavar="DIR", help="Where the candidate goes: candidates/NAME.")
@click.option("--seeds", metavar="N,N,…", help="One candidate per seed: DIR-seed-1, DIR-seed-2, …")
@click.option("--resume", is_flag=True, help="Continue what was interrupted; skip what is finished.")
@click.option(
    "--no-texts/--texts",
    "no_texts",
    default=None,
    help="Keep texts of rows out of the candidate's card and of messages.  [default: --texts]",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="CODES", help="Codes of findings to train in spite of."
)
@report_option
@plugin_options
@grouped(recipe=RecipeOptions, training=TrainingOptions)
def command(
    *, recipe: RecipeOptions, training: TrainingOptions, report_file: str | None, plugins: PluginOptions
) -> None:
    """Train candidates from a recipe or a model card.

    \b
    harness train --recipe records-cosine --out candidates/records
    harness train --recipe sts-cosine --data data/ --seeds 1,2,3 --out candidates/sts
    harness train --from-card card.md --data pairs.csv --out candidates/again

    The data and the recipe are checked first; an error stops the training unless its code is
    allowed.
    A candidate appears whole or not at all: what an interruption leaves is in DIR.unfinished.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import advise, console, say
    from harness.cli.train_report import training_page, write_training_page
    from harness.cli.workspace import Workspace
    from harness.evaluation.produce import produce, remove_leftovers
    from harness.evaluation.work_folder import work_folder

    target, workspace = console(), Workspace.open(plugins)
    runs = training_runs(recipe, training, workspace)
    page = training_page(report_file, runs, workspace)
    for run in runs:
        if training.resume and run.out.is_dir():
            say(f"{shown_path(run.out)} exists already", target)
            remove_leftovers(run.out)
            continue
        _announce(run, target)
        try:
            with _show_progress(run) as callback:
                candidate = produce(run, callback)
        except KeyboardInterrupt as error:
            advice = f"The same command with --resume continues from {shown_path(work_folder(run.out))}."
            raise Interrupted.with_advice(error, advice) from error
        _print(candidate, target)
    if page is not None:
        advise(write_training_page(page, runs, workspace), target)


def _announce(run: TrainingRun, target: Console) -> None:
    """Print what is trained, and on what."""
    from harness.cli.output import say
    from harness.render import plural

    recipe, rows = run.recipe, run.rows
    say(f"{recipe.name}  {recipe.about}", target, "bold")
    remarks = [f"{rows.left_out} left out by label"] if rows.left_out else []
    remarks += [f"{rows.repeated} repeated"] if rows.repeated else []
    aside = f" ({', '.join(remarks)})" if remarks else ""
    say(f"  {plural(len(rows), 'row')} of {rows.source}{aside}", target)
    plan = recipe.train
    length = plural(plan.steps, "step") if plan.steps else plural(plan.epochs, "epoch")
    stop = f", stops after {plan.stop_after:g}" if plan.stop_after else ""
    say(
        f"  {recipe.loss.name} from {run.base.name}, batches of {plan.batch_size}, {length}{stop},"
        f" seed {run.seed}, {run.device}",
        target,
    )


class _TrainingBar:
    """Show steps, loss and the deciding score of a training."""

    def __init__(self, progress: Progress, bar: TaskID, deciding: str) -> None:
        self._progress, self._bar, self._deciding = progress, bar, deciding
        self._newest: dict[str, str] = {}

    def planned(self, steps: int) -> None:
        """Set the length of the bar."""
        self._progress.update(self._bar, total=steps)

    def advance(self, step: int, epoch: float) -> None:
        """Move the bar, which does not begin at 0 after a resume."""
        self._newest["epoch"] = f"epoch {epoch:.2f}"
        self._progress.update(self._bar, completed=step, description="  ".join(self._newest.values()))

    def log(self, entry: LogEntry) -> None:
        """Show the newest loss and score."""
        if entry.loss is not None:
            self._newest["loss"] = f"loss {entry.loss:.4f}"
        if self._deciding in entry.metrics:
            self._newest["score"] = f"{self._deciding} {entry.metrics[self._deciding]:.4f}"


@contextmanager
def _show_progress(run: TrainingRun) -> Iterator[TrainingCallback]:
    """Show the steps of a training as a progress bar on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    from harness.cli.output import DescriptionColumn, progress_bar

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        DescriptionColumn(),
    )
    first = run.tasks[0] if run.tasks else None
    with progress_bar(*columns) as progress:
        bar = progress.add_task("", total=None)
        yield _TrainingBar(progress, bar, f"{first.name}_{first.metrics[0].name}" if first else "")


def _print(candidate: TrainedModel, target: Console) -> None:
    """Print the result of a training, and what to do next."""
    from harness.cli.output import advise, say
    from harness.render import plural

    lineage = candidate.lineage
    losses = [entry.loss for entry in lineage.log if entry.loss is not None]
    course = f", loss {losses[0]:.4f} → {losses[-1]:.4f}" if losses else ""
    speed = f"{lineage.steps / lineage.seconds:.2f} steps/s" if lineage.seconds else ""
    say(
        f"  {plural(lineage.steps, 'step')} in {lineage.seconds:.0f} s ({speed}, {lineage.dtype}){course}",
        target,
    )
    if lineage.best_step is not None:
        say(
            f"  kept step {lineage.best_step}, the best on {lineage.recipe['evaluation']['tasks'][0]}", target
        )
    for evaluation in candidate.evaluations:
        score, task = evaluation.scores[0], evaluation.examination.task
        interval = "" if score.low is None else f" [{score.low:.3f}, {score.high:.3f}]"
        sample = " (sample: illustrative)" if evaluation.examination.data == "sample" else ""
        say(f"  {task} {score.metric} {score.score:.4f}{interval}{sample}", target)
    advise(f"written: {shown_path(candidate.folder)}", target)
    base = lineage.recipe["base"]
    advise(f"next: harness run --model {base} --model {shown_path(candidate.folder)} --tasks …", target)
