"""Print tables, lines and progress bars."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text

from harness.evaluation.progress import Progress
from harness.render import CONTROL
from harness.system.paths import without_start_folder
from harness.system.redact import redact
from harness.system.streams import reopen_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Task

    from harness.render import Table
    from harness.results.records import Evaluation

_WIDE = 110
"""Columns of the output that goes to a file or a pipe."""


def console(*, err: bool = False) -> Console:
    """Return a console without markup; output to a file or a pipe has a fixed width."""
    reopen_streams()
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else _WIDE
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


def echo(document: str) -> None:
    """Print a document, such as CSV, as it is; cleaned if standard output is a terminal."""
    reopen_streams()
    # Not click's echo, which writes UTF-8 where the terminal's encoding is ASCII.
    sys.stdout.write(clean(document) if sys.stdout.isatty() else redact(document))
    sys.stdout.flush()


def plural(number: float, noun: str) -> str:
    """Return a number with its noun: `1 step`, `2,000 steps`."""
    return f"{number:,g} {noun}{'' if number == 1 else 's'}"


def print_tables(tables: Sequence[Table], target: Console) -> None:
    """Print tables one below the other, the best scores in bold."""
    for table in tables:
        title = Text(_in_line(table.title), style="bold cyan")
        title.append(f"  {_in_line(table.subtitle)}", style="dim")
        target.print(title, soft_wrap=True)
        rich_table = RichTable(box=None, padding=(0, 2, 0, 1), header_style="dim", show_edge=False)
        for position, name in enumerate(table.header):
            rich_table.add_column(
                _in_line(name),
                justify="right" if position and table.numeric else "left",
                no_wrap=position == 0,
            )
        for row in table.rows:
            rich_table.add_row(
                *(Text(_in_line(cell.text), style="bold" if cell.best else "") for cell in row)
            )
        target.print(rich_table)
        for remark in table.remarks:
            say(f"  {remark}", target, style="yellow")
        target.print()


class DescriptionColumn(ProgressColumn):
    """The description of a progress bar, as text without markup."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        """Return the description without control characters."""
        return Text(_in_line(task.description))


class RunProgress(Progress):
    """Show the current model and task as a progress bar, and notes and errors as lines."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._target = bars, bars.console
        self._bar = bars.add_task("reading data", total=None)

    def begin(self, model: str, task: str, texts: int) -> None:
        """Start the bar of a task."""
        self._bars.remove_task(self._bar)
        self._bar = self._bars.add_task(f"{model} · {task}", total=texts or None)

    def advance(self, texts: int) -> None:
        """Move the bar."""
        self._bars.advance(self._bar, texts)

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:  # noqa: ARG002 - the signature of Progress
        """Print an error; the table at the end shows the rest."""
        name = f"{evaluation.candidate.model} · {evaluation.examination.task}"
        if evaluation.status == "error":
            say(f"ERROR {name}: {evaluation.error}", self._target, style="red")

    def note(self, text: str) -> None:
        """Print a line."""
        say(text, self._target, style="dim")


@contextmanager
def progress_bar(*columns: ProgressColumn) -> Iterator[Bars]:
    """Open a progress bar on standard error; it vanishes at the end, and nothing is shown when piped."""
    target = console(err=True)
    with Bars(*columns, console=target, transient=True, disable=not target.is_terminal) as bars:
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
    )
    with progress_bar(*columns) as bars:
        yield RunProgress(bars)
