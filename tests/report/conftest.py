"""Reports of results that a test writes below the current folder."""

from __future__ import annotations

import contextlib
import json
import sys

import pytest

from benchmarks.report.make_results import make_results
from harness.report.collect import collect
from harness.report.request import ReportRequest
from harness.system.json_text import json_document


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def collected():
    """Collect the content of a report on folders."""

    def collecting(*folders, **asked):
        return collect(ReportRequest(folders=folders, **asked), {})

    return collecting


@pytest.fixture
def as_json():
    """Return a record as the JSON that is printed of it, read again."""
    return lambda record: json.loads(json_document(record))


@pytest.fixture
def run_harness(capsys, monkeypatch):
    """Call `harness WORDS…` in this process; return what it printed."""
    from harness.cli import main

    monkeypatch.setenv("HARNESS_PLUGINS", "sts")

    def calling(*words) -> str:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        capsys.readouterr()
        with contextlib.suppress(SystemExit):
            main()
        return capsys.readouterr().out

    return calling


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The root of a hostile made folder of all forms of answers: two models, six tasks, 40 examples."""
    root = tmp_path_factory.mktemp("report") / "made"
    return make_results(root, models=2, tasks=6, examples=40, hostile=True).root
