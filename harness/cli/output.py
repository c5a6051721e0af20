"""Print tables, lines and progress bars."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
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

_WIDE = 100_000
"""Columns of the output that goes to a file or a pipe: a table there is as wide as it needs to be."""
_PROSE = 110
"""Columns of the sentences there that are wrapped, those of `harness check`."""
_PADDING = (0, 2, 0, 1)
"""Spaces above, right of, below and left of a cell."""


def console(*, err: bool = False) -> Console:
    """Return a console without markup; nothing is wrapped or cut that goes to a file or a pipe."""
    reopen_streams()
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else _WIDE
    return Console(stderr=err, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)


def prose_width(target: Console) -> int:
    """Return the number of columns in which sentences are wrapped."""
    return target.width if target.width < _WIDE else _PROSE


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


def print_tables(tables: Sequence[Table], target: Console) -> None:
    """Print tables one below the other, the best scores in bold."""
    for table in tables:
        title = Text(_in_line(table.title), style="bold cyan")
        title.append(f"  {_in_line(table.subtitle)}", style="dim")
        target.print(title, soft_wrap=True)
        rich_table = RichTable(box=None, padding=_PADDING, header_style="dim", show_edge=False)
        header = [_in_line(name) for name in table.header]
        rows = [[_in_line(cell.text) for cell in row] for row in table.rows]
        widths = _column_widths([header, *rows], target.width)
        for position, name in enumerate(header):
            rich_table.add_column(
                name,
                justify="right" if position and table.numeric else "left",
                width=widths[position],
                overflow="fold",
            )
        for row, texts in zip(table.rows, rows, strict=True):
            rich_table.add_row(
                *(
                    Text(text, style="bold" if cell.best else "")
                    for cell, text in zip(row, texts, strict=True)
                )
            )
        target.print(rich_table)
        for remark in table.remarks:
            say(f"  {remark}", target, style="yellow")
        target.print()


def _column_widths(lines: Sequence[Sequence[str]], width: int) -> list[int | None]:
    """Return the width of each column, without padding, for a table that fits into so many characters.

    The widest columns are narrowed first, and wrap at spaces; none is narrower than its longest word, and the
    first one, of names, is not narrowed. None, which lets words break, where not even that fits.
    """
    columns = list(zip_longest(*lines, fillvalue=""))
    natural = [max(map(cell_len, column)) for column in columns]
    least = [
        max((cell_len(word) for text in column for word in text.split()), default=0) for column in columns
    ]
    least[:1] = natural[:1]
    room = width - len(columns) * (_PADDING[1] + _PADDING[3])
    if sum(natural) <= room:
        return [*natural]
    if sum(least) > room:
        return [None] * len(columns)

    def narrowed(most: int) -> list[int]:
        return [max(low, min(most, high)) for low, high in zip(least, natural, strict=True)]

    most = next(most for most in range(max(natural), -1, -1) if sum(narrowed(most)) <= room)
    return [*narrowed(most)]


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
