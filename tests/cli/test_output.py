"""What a terminal is shown: no name is markup, a link or an order to it."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import pytest

from harness.cli import bench, train_progress
from harness.cli import output as show
from harness.cli.layout import output_width
from harness.table import Cell, Table
from harness.training.check_input import LogEntry

NAMES = "[link=https://example.org]stsb[/link]", "x[/b]", "[red]one[/red]\x1b]0;owned\x07\x9b31m\u202e"


def running(name):
    with show.show_progress() as progress:
        progress.begin(name, "task", 3)


def benching(name):
    with bench._show_progress() as progress:
        progress.step(name, 0.5)


def training(name):
    task = SimpleNamespace(name=name, metrics=[SimpleNamespace(name="spearman")])
    with train_progress.show_training(SimpleNamespace(tasks=[task])) as follower:
        follower.log(LogEntry(step=1, epoch=0.5, loss=0.1, metrics={f"{name}_spearman": 0.5}))
        follower.advance(1, 0.5)


@pytest.mark.parametrize("command", [running, benching, training])
@pytest.mark.parametrize("name", NAMES)
def test_a_progress_bar_shows_a_name_as_it_is(command, name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    command(name)
    shown = capsys.readouterr().err
    assert show.clean(name) in shown
    assert not any(order in shown for order in ("\x1b]", "\x07", "\x9b", "\u202e"))


def test_a_document_is_cleaned_for_a_terminal_alone(monkeypatch, capsys):
    document = 'name,score\n"two\nlines\x1b]0;owned\x07",1\n'
    show.echo(document)
    assert capsys.readouterr().out == document
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show.echo(document)
    assert capsys.readouterr().out == 'name,score\n"two\nlines]0;owned",1\n'


WIDE = Table(
    "models",
    "",
    ["model", "parameters", "dimensions", "max tokens", "similarity after quantization", "texts/s"],
    [
        [
            Cell("minilm-384-binary"),
            *map(Cell, ("22.7 M", "384", "256", "mteb/AILA_casedocs", "283 (272 – 293)")),
        ]
    ],
)


def shown_at(width, table, monkeypatch, capsys):
    """Return the lines of a table, in a terminal of so many columns or, for None, in a pipe."""
    monkeypatch.setattr("harness.cli.layout.PIPE_WIDTH", 100)
    monkeypatch.setenv("COLUMNS", str(width or ""))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: width is not None)
    show.print_tables([table], show.console())
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    return [line.rstrip() for line in lines[1:-1]]


def test_a_table_in_a_pipe_has_a_hundred_columns(monkeypatch, capsys):
    lines = shown_at(None, WIDE, monkeypatch, capsys)
    assert 60 < max(map(len, lines)) <= 100


@pytest.mark.parametrize("width", [100, 91, 60, 30])
def test_a_table_in_a_terminal_fits_and_loses_nothing(width, monkeypatch, capsys):
    lines = shown_at(width, WIDE, monkeypatch, capsys)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    words = {word for text in (*WIDE.header, *(cell.text for cell in WIDE.rows[0])) for word in text.split()}
    if width > 30:
        assert words <= set(" ".join(lines).split())


def test_columns_decide_over_the_terminal_and_the_pipe(monkeypatch):
    monkeypatch.setenv("COLUMNS", "77")
    assert {output_width(terminal=True), output_width(terminal=False)} == {77}
    monkeypatch.setenv("COLUMNS", "wide")
    monkeypatch.setattr("harness.cli.layout.PIPE_WIDTH", 100)
    assert output_width(terminal=False) == 100


def test_a_sentence_is_broken_at_spaces_and_never_in_an_interval(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    show.tell("the mean gain of both tasks is +0.3563 [+0.3133, +0.4004]: better", show.console())
    assert capsys.readouterr().out.splitlines() == [
        "the mean gain of both tasks is",
        "  +0.3563 [+0.3133, +0.4004]: better",
    ]


def test_where_there_is_no_terminal_a_run_says_now_and_then_where_it_is(monkeypatch, capsys):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(show.time, "monotonic", lambda: float(next(clock)))
    with show.show_progress() as progress:
        progress.expect(10)
        progress.stage("reading stsb, task 1 of 10")
        progress.stage("loading tiny")
        progress.begin("tiny", "stsb", 400)
        progress.advance(100)
        progress.advance(100)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "loading tiny",
        "tiny · stsb (1 of 10): 0 of 400 texts",
        "tiny · stsb (1 of 10): 200 of 400 texts, about 30 s left",
    ]


def test_a_short_or_quiet_run_says_nothing_of_where_it_is(monkeypatch, capsys):
    with show.show_progress() as progress:
        progress.stage("reading stsb, task 1 of 1")
    monkeypatch.setattr(show, "is_quiet", lambda: True)
    monkeypatch.setattr(show, "_SILENT", -1.0)
    with show.show_progress() as progress:
        progress.begin("tiny", "stsb", 4)
        progress.advance(4)
    assert capsys.readouterr().err == ""
