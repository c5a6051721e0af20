"""Commands that plugins bring."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import harness
from harness.cli import cli, plugin_commands

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text(encoding="utf-8")

RAISING = """
import click
from harness import hookimpl

@click.command(name="NAME")
@click.option("-v", "verbosely", is_flag=True)
@click.pass_context
def it(context, verbosely):
    "Do it."
    BODY

@hookimpl
def harness_commands():
    return [it]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder whose configuration names the plugin `mine.py`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harness.toml").write_text('plugins = ["mine.py"]')
    plugin_commands._loaded.cache_clear()
    yield tmp_path
    plugin_commands._loaded.cache_clear()


def call(*arguments):
    return CliRunner().invoke(cli, arguments)


@pytest.mark.slow
def test_the_command_of_the_page_runs_and_is_listed(here):
    (code,) = [
        code
        for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if "worst" in code
    ]
    (here / "mine.py").write_text(code)
    harness.evaluate("lexical", "stsb", out="out")
    answer = call("worst", "out")
    assert (answer.exit_code, answer.output) == (0, "lexical: stsb 0.1776\n")
    assert "Show the lowest headline score" in call("worst", "--help").output
    assert re.search(r"worst +mine +Show the lowest headline score", call("list", "commands").output)


def test_a_misspelled_command_is_answered_with_the_nearest(here):
    (here / "mine.py").write_text(RAISING.replace("NAME", "polish").replace("BODY", "pass"))
    assert "did you mean: list" in str(call("lst").exception)


@pytest.mark.parametrize("name", ["run", "two words", ""])
def test_a_name_of_ours_and_one_that_is_no_word_are_faults(here, name):
    (here / "mine.py").write_text(RAISING.replace("NAME", name).replace("BODY", "pass"))
    answer = call("other")
    assert "harness_commands answers a Command whose name" in str(answer.exception)


def test_what_a_command_raises_names_the_plugin_and_an_exit_code_is_its_own(here):
    (here / "mine.py").write_text(RAISING.replace("NAME", "fall").replace("BODY", 'raise KeyError("x")'))
    answer = call("fall")
    assert isinstance(answer.exception, harness.HarnessError)
    assert "plugin mine: command 'fall' raised KeyError: 'x'" in str(answer.exception)
    plugin_commands._loaded.cache_clear()
    (here / "mine.py").write_text(RAISING.replace("NAME", "fall").replace("BODY", "context.exit(5)"))
    assert call("fall").exit_code == 5


def test_help_shows_the_commands_of_installed_plugins_and_runs_no_code_of_the_folder(here, monkeypatch):
    (here / "mine.py").write_text("raise SystemError")
    package = here / "packages"
    metadata = package / "polishing-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: polishing\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[harness]\npolishing = polishing_of_a_test\n")
    module = RAISING.replace("NAME", "polish").replace("BODY", "pass")
    (package / "polishing_of_a_test.py").write_text(module)
    monkeypatch.syspath_prepend(package)
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,polishing")
    shown = call("--help")
    assert shown.exit_code == 0
    assert re.search(r"Commands of plugins:\n +polish +Do it", shown.output)
    sys.modules.pop("polishing_of_a_test", None)


def test_our_commands_load_no_plugin_for_others(here, monkeypatch):
    monkeypatch.setattr(plugin_commands, "plugin_commands", lambda: pytest.fail("plugins were loaded"))
    assert call("run", "--help").exit_code == 0
