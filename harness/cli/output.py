"""Print tables, lines and progress bars."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from harness.cli.columns import wrapped
from harness.cli.layout import output_width, table_lines
from harness.cli.usage import is_quiet, is_verbose
from harness.evaluation.progress import Progress
from harness.render import CONTROL, number, plural
from harness.system.paths import without_start_folder
from harness.system.redact import redact
from harness.system.streams import reopen_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Task

    from harness.results.records import Evaluation
    from harness.table import Table


def console(*, err: bool = False) -> Console:
    """Return a console without markup, as wide as `output_width` says."""
    reopen_streams()
    stream = sys.stderr if err else sys.stdout
    width = output_width(terminal=stream.isatty())
    return Console(stderr=err, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)


def clean(text: str) -> str:
    """Remove secrets, terminal escape codes and other control characters: names and texts are third-party."""
    return redact(CONTROL.sub("", text))


def _in_line(text: str) -> str:
    """Clean the text of a cell: a line end in a name would start another row."""
    return clean(text).replace("\n", " ")


def say(text: str, target: Console, style: str = "") -> None:
    """Print one line, which is not wrapped; paths below the current folder are relative to it."""
    target.print(Text(clean(without_start_folder(text)), style=style), soft_wrap=True)


def advise(text: str, target: Console) -> None:
    """Print a line that helps on, such as where results are; not with `-q`."""
    if not is_quiet():
        say(text, target)


def detail(text: str) -> None:
    """Print on standard error what is done, from what, and for how long; with `-v` alone."""
    if is_verbose():
        say(text, console(err=True), style="dim")


def tell(text: str, target: Console, style: str = "", indent: int = 2) -> None:
    """Print a sentence, broken at spaces; its further lines are indented.

    For what is read, and not for a path or a command, which is copied: see `say`.
    """
    for line in wrapped(clean(without_start_folder(text)), target.width, indent):
        target.print(Text(line, style=style), soft_wrap=True)


def echo(document: str) -> None:
    """Print a document, such as CSV, as it is; cleaned if standard output is a terminal."""
    reopen_streams()
    # Not click's echo, which writes UTF-8 where the terminal's encoding is ASCII.
    sys.stdout.write(clean(document) if sys.stdout.isatty() else redact(document))
    sys.stdout.flush()


def print_tables(tables: Sequence[Table], target: Console) -> None:
    """Print tables one below the other, as wide as the output at most, the best scores in bold."""
    for table in tables:
        for line in table_lines(_cleaned(table), target.width):
            target.print(Text.assemble(*line), soft_wrap=True)
        target.print()


def _cleaned(table: Table) -> Table:
    """Clean all texts of a table, each of one line: a line end in a name would start another row."""
    return replace(
        table,
        title=_in_line(table.title),
        subtitle=_in_line(table.subtitle),
        header=[_in_line(name) for name in table.header],
        units=[_in_line(name) for name in table.units],
        rows=[[replace(cell, text=_in_line(cell.text)) for cell in row] for row in table.rows],
        remarks=[clean(without_start_folder(remark)) for remark in table.remarks],
        names=frozenset(map(_in_line, table.names)),
        optional=tuple(map(_in_line, table.optional)),
        turned=_cleaned(table.turned) if table.turned else None,
    )


class DescriptionColumn(ProgressColumn):
    """The description of a progress bar, as text without markup."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        """Return the description without control characters."""
        return Text(_in_line(task.description))


_SILENT = 15.0
"""Seconds after which a run whose output is no terminal says where it is."""


class RunProgress(Progress):
    """Show the current model and task as a progress bar, and notes and errors as lines."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._target = bars, bars.console
        self._begun = self._said = time.monotonic()
        self._bar = bars.add_task("reading data", total=None)
        self._expected = self._ended = 0
        self._workers: WorkerProgress | None = None

    def expect(self, results: int) -> None:
        """Count results up to so many."""
        self._expected = results

    def stage(self, what: str) -> None:
        """Show what is done, without a number of texts."""
        if self._workers is None:
            self._show(what, 0)

    def begin(self, model: str, task: str, texts: int) -> None:
        """Start the bar of a task; workers have one for all, since they encode several tasks at once."""
        self._begun = time.monotonic()
        if self._workers is not None:
            return
        counted = f" ({self._ended + 1} of {self._expected})" if self._ended < self._expected > 1 else ""
        self._show(f"{model} · {task}{counted}", texts)

    def advance(self, texts: int) -> None:
        """Move the bar."""
        if self._workers is not None:
            self._workers.encoded += texts
        else:
            self._bars.advance(self._bar, texts)
        self._say_now_and_then()

    def units(self, done: int, left: int, workers: int, wanted: int) -> None:
        """Show what workers do."""
        if self._workers is None:
            self._workers = WorkerProgress()
            self._show("", 0)
        # Texts are announced task by task, so results are all whose number is known from the start.
        shown = self._workers.line(done, left, workers, wanted)
        self._bars.update(self._bar, description=shown, completed=self._ended, total=self._expected or None)
        self._say_now_and_then()

    def _show(self, what: str, texts: int) -> None:
        self._bars.remove_task(self._bar)
        self._bar = self._bars.add_task(what, total=texts or None)
        self._say_now_and_then()

    def _say_now_and_then(self) -> None:
        """Print where a run is, in a pipe or a CI log, which show no bar: after each _SILENT seconds."""
        now = time.monotonic()
        if self._target.is_terminal or is_quiet() or now - self._said < _SILENT:
            return
        self._said = now
        bar = next(task for task in self._bars.tasks if task.id == self._bar)
        line = bar.description
        if self._workers is not None:
            line = f"{self._ended} of {self._expected} results · {line}"
        elif bar.total:
            line += f": {bar.completed:,.0f} of {bar.total:,.0f} texts"
        if bar.total and bar.completed and self._workers is None:
            seconds = (now - self._begun) / bar.completed * (bar.total - bar.completed)
            line += f", about {seconds:,.0f} s left"
        say(line, self._target, style="dim")

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Print an error, and with `-v` each result; the table at the end shows the rest."""
        self._ended += 1
        name = f"{evaluation.candidate.model} · {evaluation.examination.task}"
        if evaluation.status == "error":
            say(f"ERROR {name}: {evaluation.error}", self._target, style="red")
        elif is_verbose():
            how = "kept from before" if reused else f"{time.monotonic() - self._begun:.1f} s"
            score = evaluation.scores[0]
            say(f"{name}: {score.metric} {number(score.score)} ({how})", self._target, style="dim")

    def note(self, text: str) -> None:
        """Print a line; not with `-q`."""
        if not is_quiet():
            say(text, self._target, style="dim")


@dataclass
class WorkerProgress:
    """How far workers are, over all models and tasks."""

    encoded: int = 0
    """Texts so far."""
    begun: float = field(default_factory=time.monotonic)

    def line(self, done: int, left: int, workers: int, wanted: int) -> str:
        """Return it in words: `2 of 2 workers, 14 units done, 6 handed out, 5,300 texts, 530 a second`."""
        speed = self.encoded / max(time.monotonic() - self.begun, 1e-9)
        texts = f", {self.encoded:,} texts, {speed:,.0f} a second" if self.encoded else ""
        return f"{workers} of {wanted} workers, {plural(done, 'unit')} done, {left} handed out{texts}"


@contextmanager
def progress_bar(*columns: ProgressColumn) -> Iterator[Bars]:
    """Open a progress bar on standard error; it vanishes at the end.

    Nothing is shown when piped, or with `-q`.
    """
    target = console(err=True)
    disable = is_quiet() or not target.is_terminal
    with Bars(*columns, console=target, transient=True, disable=disable) as bars:
        yield bars


@contextmanager
def show_progress() -> Iterator[RunProgress]:
    """Show the progress of a run on standard error."""
    columns = (
        SpinnerColumn(),
        DescriptionColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with progress_bar(*columns) as bars:
        yield RunProgress(bars)
