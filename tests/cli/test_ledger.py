"""`harness compare --ledger`: what is noted, what is said, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from comparison.made import answer, right


@pytest.fixture(autouse=True)
def results(somewhere_else):
    answer("base", "base", correct=right(0.6))
    for seed in range(3):
        answer(f"cand{seed}", f"cand{seed}", correct=right(0.85, seed=seed))


def counts(found):
    return [[each["candidates"] for each in one["looks"]] for one in json.loads(found.out)["comparisons"]]


def test_without_a_ledger_nothing_is_written_and_nothing_counted(harness):
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    found = harness("compare", "base", "cand0", "--format", "json")
    assert counts(found) == [[]]
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


def test_candidates_are_counted_over_commands_by_option_and_by_configuration(harness):
    words = ("--ledger", "notes/looks.jsonl")
    Path("notes").mkdir()
    assert counts(harness("compare", "base", "cand0", "--format", "json", *words)) == [[1]]
    Path("harness.toml").write_text('ledger = "notes/looks.jsonl"')
    assert counts(harness("compare", "base", "cand1", "--format", "json")) == [[2]]
    assert counts(harness("compare", "base", "cand0", "cand1", "cand2", "--format", "json")) == [[3]] * 3
    assert len(Path("notes/looks.jsonl").read_text().splitlines()) == 5
    found = harness("compare", "base", "cand0")
    assert "looks: 3 candidates have been judged on the examples of quiz" in found.out
    last = found.out.strip().splitlines()[-1]
    assert last.endswith("the chance of a false better among them is up to 7 %.")


def test_a_file_that_is_no_ledger_is_an_error_before_anything_is_printed(harness):
    for path in ("base/leaderboard.csv", "base", ""):
        found = harness("compare", "base", "cand0", "--ledger", path)
        assert (found.code, found.out) == (2, "")
        assert "ledger" in found.err
        assert "Traceback" not in found.err


def test_a_folder_that_is_not_there_is_an_error_and_is_not_made(harness):
    found = harness("compare", "base", "cand0", "--ledger", "looks/of/all.jsonl")
    assert (found.code, found.out) == (2, "")
    assert "no folder" in found.err
    assert "looks/of for the ledger all.jsonl" in found.err
    Path("harness.toml").write_text('ledger = "looks/all.jsonl"')
    assert harness("compare", "base", "cand0").code == 2
    assert not Path("looks").exists()


def test_what_cannot_be_noted_is_named_and_the_comparison_is_shown(harness, monkeypatch):
    harness("compare", "base", "cand0", "--ledger", "looks.jsonl")
    before = Path("looks.jsonl").read_bytes()
    write = os.write

    def full(handle, content):
        if bytes(content[:10]) == b'{"ledger":':
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, content)

    monkeypatch.setattr(os, "write", full)
    found = harness("compare", "base", "cand1", "--ledger", "looks.jsonl")
    assert found.code == 2
    assert "2 candidates have been judged" in found.out
    assert found.err == (
        "PROBLEM not noted in the ledger looks.jsonl, and not counted later: No space left on device\n"
    )
    assert Path("looks.jsonl").read_bytes() == before


def test_a_torn_line_is_named_and_the_exit_code_stays(harness):
    harness("compare", "base", "cand0", "--ledger", "looks.jsonl")
    Path("looks.jsonl").write_bytes(Path("looks.jsonl").read_bytes()[:-9])
    found = harness("compare", "base", "cand1", "--ledger", "looks.jsonl")
    assert found.code == 0
    assert found.err == "PROBLEM line 1 of the ledger looks.jsonl is not whole, and is not counted\n"


@pytest.mark.slow
def test_commands_at_once_lose_no_look():
    script = "import sys; from harness.cli import main; sys.argv = ['harness', *sys.argv[1:]]; main()"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, "compare", "base", f"cand{seed}", "--ledger", "looks.jsonl"],
            stdout=subprocess.DEVNULL,
        )
        for seed in (0, 1, 2, 0)
    ]
    assert [process.wait() for process in started] == [0] * 4
    notes = [json.loads(line) for line in Path("looks.jsonl").read_text().splitlines()]
    assert len({note["candidate"] for note in notes}) == 3
    assert len({note["command"] for note in notes}) == len(notes) == 4


@pytest.mark.parametrize("form", ["table", "md"])
def test_what_all_candidates_share_is_said_once(harness, form):
    words = ("compare", "base", "cand0", "cand1", "cand2", "--ledger", "looks.jsonl", "--format", form)
    said = " ".join(harness(*words).out.split())
    assert said.count("looks: 3 candidates have been judged on the examples of quiz") == 1
    Path("looks.jsonl").unlink()
    answer("cand2", "cand2", "law", correct=right(0.85), digest="e" * 64)
    answer("base", "base", "law", correct=right(0.7), digest="e" * 64)
    said = " ".join(harness(*words).out.split())
    assert said.count("looks: 3 candidates have been judged on the examples of quiz") == 1
    assert said.count("looks: no other candidate has been judged on the examples of law") == 1
