"""What a terminal is shown: no name is markup, a link or an order to it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from harness.cli import bench, train
from harness.cli import output as show
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
    with train._show_progress(SimpleNamespace(tasks=[task])) as follower:
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
