"""The benchmark of the first minute: what it runs, and the table that it writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import first_minute
from benchmarks.first_minute import Measured, Timed, table, written

RUN = Timed(tree="now", kind="known", seconds=12.0, cpu_seconds=20.0, load=0.1)
MEASURED = Measured(
    environment={},
    command=first_minute.COMMAND,
    runs=(
        RUN,
        replace(RUN, seconds=15.0),
        replace(RUN, seconds=13.0),
        replace(RUN, kind="first", seconds=20.0),
    ),
)


def test_the_command_is_readmes_first():
    commands = [
        line for line in (first_minute.ROOT / "README.md").read_text().splitlines() if "$ harness" in line
    ]
    assert commands[0] == f"$ {first_minute.COMMAND}"


def test_the_page_has_the_figures_of_the_committed_result():
    page, measured = first_minute.PAGE.read_text(encoding="utf-8"), first_minute.read_result()
    assert written(page, measured) == page, "run: python -m benchmarks.first_minute --write"
    assert measured is None or table(measured) in page


def test_the_table_has_the_median_and_the_range_of_each_kind_of_run():
    rows = table(MEASURED).splitlines()[2:]
    assert rows == [
        "| first run ever | now | 20.0 (20.0 – 20.0) | 20.0 (20.0 – 20.0) | 1 |",
        "| known model, empty embedding cache | now | 13.0 (12.0 – 15.0) | 20.0 (20.0 – 20.0) | 3 |",
    ]


def test_a_page_gets_the_table_between_its_marks_and_nowhere_else():
    page = "a\n<!-- figures: first-minute -->\nold\n<!-- end -->\nb\n<!-- end -->\n"
    once = written(page, MEASURED)
    assert once == page.replace("old", f"{first_minute._SENTENCE}\n\n{table(MEASURED)}")
    assert written(once, MEASURED) == once
    assert written(page, None) == page


def test_a_known_model_keeps_its_proofs_and_a_first_run_has_no_cache(tmp_path, monkeypatch):
    seen = []

    def run(command, *, cwd, env, **_):
        cache = Path(env["HARNESS_CACHE"])
        seen.append((cache.name, sorted(path.name for path in cache.glob("*")), list(Path(cwd).iterdir())))
        for folder in ("embeddings", "proofs"):
            (cache / folder).mkdir(parents=True, exist_ok=True)
        (cwd / "results").mkdir()
        return type("Ended", (), {"returncode": 0})

    monkeypatch.setattr(first_minute.subprocess, "run", run)
    found = first_minute.measure({"before": tmp_path, "now": first_minute.ROOT}, 1)
    assert [(timed.tree, timed.kind) for timed in found] == [
        ("now", "known"), ("now", "first"), ("before", "known"), ("before", "first"),
    ]  # fmt: skip
    assert seen[4:] == [("known", ["proofs"], []), ("first", [], [])] * 2


def test_a_run_that_fails_is_not_timed(tmp_path, monkeypatch):
    ended = type("Ended", (), {"returncode": 2, "stderr": b"Error: no model"})
    monkeypatch.setattr(first_minute.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(RuntimeError, match="no model"):
        first_minute.measure({"now": tmp_path}, 1)
