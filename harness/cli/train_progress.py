"""The progress of `harness train`: a bar of one training, or one for each seed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from harness.cli.output import DescriptionColumn, progress_bar, say
from harness.cli.usage import is_quiet
from harness.render import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from harness.errors import HarnessError
    from harness.evaluation.produce import TrainedModel, TrainingRun
    from harness.system.work_unit import UnitProgress
    from harness.training.check_input import LogEntry
    from harness.training.interface import TrainingCallback


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


class _SeedBars:
    """Show a bar for each seed, and lines of what has ended. done: takes the candidates, by their seeds."""

    def __init__(self, progress: Progress, done: dict[int, TrainedModel]) -> None:
        self._progress, self._done = progress, done
        self._bars: dict[int, TaskID] = {}

    def started(self, workers: int, threads: int) -> None:
        """Print who trains."""
        self.note(f"{plural(workers, 'worker')}, each trains with {plural(threads, 'thread')} at most")

    def advance(self, run: TrainingRun, progress: UnitProgress | None, *, begun: bool) -> None:
        """Move the bar of a seed."""
        if run.seed not in self._bars:
            self._bars[run.seed] = self._progress.add_task("", total=None)
        name = f"seed {run.seed}"
        if progress is None:
            state = f"{name}  {'starts' if begun else 'waits'}"
            self._progress.update(self._bars[run.seed], completed=0, total=None, description=state)
        else:
            self._progress.update(
                self._bars[run.seed],
                completed=progress.done,
                total=progress.total,
                description=f"{name}  {progress.remark}",
            )

    def trained(self, run: TrainingRun, candidate: TrainedModel) -> None:
        """Keep a candidate, and print that it is there: the others may take hours."""
        self._done[run.seed] = candidate
        self._end(run)
        self.note(f"seed {run.seed} is trained: {candidate.folder}")

    def failed(self, run: TrainingRun, error: HarnessError) -> None:
        """Print that a seed has no candidate: its error is said again at the end, with all others."""
        self._end(run)
        say(f"ERROR seed {run.seed}: {error.message}", self._progress.console, style="red")

    def note(self, text: str) -> None:
        """Print a line; not with `-q`."""
        if not is_quiet():
            say(text, self._progress.console, style="dim")

    def _end(self, run: TrainingRun) -> None:
        if run.seed in self._bars:
            self._progress.remove_task(self._bars.pop(run.seed))


@contextmanager
def show_training(run: TrainingRun) -> Iterator[TrainingCallback]:
    """Show the steps of a training as a progress bar on standard error."""
    first = run.tasks[0] if run.tasks else None
    with _bars() as progress:
        bar = progress.add_task("", total=None)
        yield _TrainingBar(progress, bar, f"{first.name}_{first.metrics[0].name}" if first else "")


@contextmanager
def show_seeds(done: dict[int, TrainedModel]) -> Iterator[_SeedBars]:
    """Show a progress bar for each of several seeds. done: takes those that are trained."""
    with _bars() as progress:
        yield _SeedBars(progress, done)


@contextmanager
def _bars() -> Iterator[Progress]:
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        DescriptionColumn(),
    )
    with progress_bar(*columns) as progress:
        yield progress
