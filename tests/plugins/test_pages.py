"""docs/plugins/: every example is whole, runs, and keeps the rules of the kit."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.testing import checks, models, tasks, trainers
from harness.testing.rules import wanted

FOLDER = Path(__file__).parents[2] / "docs" / "plugins"
PAGES = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "testing")
BLOCK = re.compile(r"((?:^[^`\n].*\n|^`(?!``).*\n)+)\n```\w+\n((?:(?!```).*\n)*)```$", re.MULTILINE)
NAME = re.compile(r"`([\w/.-]+\.(?:py|csv|jsonl|txt))`")


def text_of(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def files_of(page: str) -> dict[str, str]:
    """Return the files of an example: the last name in the paragraph above a block → the block."""
    named = ((NAME.findall(above), block) for above, block in BLOCK.findall(text_of(page)))
    return {names[-1]: block for names, block in named if names}


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A function that writes a page's files into the current folder, and returns the modules of its tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)

    def write(page: str) -> list[str]:
        files = files_of(page)
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        return [Path(name).stem for name in files if name.startswith("test_")]

    yield write
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_every_example_passes_its_own_test(page, example, tmp_path):
    (module,) = example(page)
    functions = inspect.getmembers(importlib.import_module(module), inspect.isfunction)
    tests = [function for name, function in functions if name.startswith("test_")]
    assert tests
    for function in tests:
        function(*(tmp_path for _ in inspect.signature(function).parameters))


@pytest.mark.parametrize("page", [page for page in PAGES if "```console" in text_of(page)])
def test_every_command_of_a_page_runs(page, example):
    example(page)
    lines = re.findall(r"^\$ harness (.*)$", text_of(page), re.MULTILINE)
    assert lines
    for line in lines:
        extra = ["--no-throughput", "--out", "out"] if line.startswith("run ") else []
        answer = CliRunner().invoke(cli, [*line.split(), *extra], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output


def test_the_page_on_tests_lists_all_rules_with_what_they_want():
    page = text_of("testing")
    for stages in (tasks.STAGES, tasks.AGGREGATE_STAGES, models.STAGES, trainers.STAGES, checks.STAGES):
        for name, wants in wanted(stages).items():
            assert f"| `{name}` | {wants} |" in page


def test_the_guide_leads_to_every_page():
    guide = (FOLDER.parent / "plugins.md").read_text(encoding="utf-8")
    assert [page for page in (*PAGES, "testing") if f"(plugins/{page}.md)" not in guide] == []
