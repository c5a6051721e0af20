"""What an interrupted command says: only one that kept work says that it can be continued."""

from __future__ import annotations

import pytest
from comparison.made import answer, right

from harness.system.signals import Interrupted


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        pytest.param(["compare", "out"], "harness.comparison.sources.read_results", id="compare"),
        pytest.param(
            ["leaderboard", "out"], "harness.results.folder.ResultsFolder.evaluations", id="leaderboard"
        ),
    ],
)
def test_a_command_that_keeps_nothing_says_that_it_was_interrupted_and_no_more(
    harness, somewhere_else, monkeypatch, command, reads
):
    def interrupt(*_, **__):
        raise Interrupted

    answer("out", "base", correct=right(0.6))
    monkeypatch.setattr(reads, interrupt)
    found = harness(*command)
    assert (found.code, found.err.strip()) == (130, "Interrupted.")
