"""`harness list` and `harness --help`: what there is, and where each comes from."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
from json_schema import faults

from harness.cli.schema import make_schema

MISBEHAVING = Path(__file__).parents[1] / "plugins_misbehaving"


def listed(harness, *words):
    answer = harness("list", "--json", *words)
    assert answer.code == 0
    found = json.loads(answer.out)
    assert faults(found, make_schema("list")) == []
    return found


def test_everything_is_listed_with_where_it_comes_from(harness):
    found = listed(harness)
    assert [(task["name"], task["from"], task["tags"], task["headline"]) for task in found["tasks"]] == [
        ("stsb", "sts", ["sts"], "spearman"),
        ("stsb-dev", "sts", ["sts"], "spearman"),
    ]
    assert found["tags"] == [{"name": "sts", "tasks": ["stsb", "stsb-dev"]}]
    assert {model["name"]: model["from"] for model in found["models"]} == dict.fromkeys(
        ("folder", "hub", "minilm", "lexical"), "builtin"
    )
    assert [(plugin["name"], plugin["state"]) for plugin in found["plugins"]] == [
        ("builtin", "in use"),
        ("sts", "in use"),
    ]
    assert found["problems"] == []


@pytest.mark.parametrize(
    "what",
    ["tasks", "tags", "suites", "models", "recipes", "trainers", "checks", "trackers", "commands", "plugins"],
)
def test_one_part_is_listed_alone_as_a_table_or_as_json(what, harness, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    found = listed(harness, what)
    asked = {name for name, part in found.items() if part is not None}
    assert asked == {what, "problems", "schema"}
    table = harness("list", what)
    assert table.code == 0
    assert table.out.splitlines()[0].strip() == what
    assert all(one["name"] in table.out for one in found[what])


def test_columns_of_words_are_aligned_on_the_left(harness):
    lines = harness("list", "tasks").out.splitlines()
    header, *rows = [line for line in lines[1:] if line.strip()]
    assert len(rows) == 2
    assert all(row[header.index("kind") :].startswith("sts ") for row in rows)


def test_an_unknown_part_is_named_with_those_there_are(harness):
    answer = harness("list", "metrics")
    assert answer.code == 2
    assert "known: checks, commands, executors, models, plugins, recipes, reports, suites" in answer.err


def test_a_single_file_plugin_and_a_task_file_are_listed(harness):
    Path("tasks.toml").write_text('[tasks.ours]\nkind = "sts"\npath = "absent.csv"\ntags = ["support"]\n')
    plugin = MISBEHAVING / "task_raises.py"
    found = listed(harness, f"--plugin={plugin}", "--task-file=tasks.toml")
    origins = {task["name"]: task["from"] for task in found["tasks"]}
    assert (origins["shaky-not"], origins["ours"], origins["stsb"]) == ("task_raises", "task file", "sts")
    assert {"name": "support", "tasks": ["ours"]} in found["tags"]
    assert ("task_raises", str(plugin)) in [(plugin["name"], plugin["from"]) for plugin in found["plugins"]]


def test_the_configured_plugins_are_listed(harness):
    Path("harness.toml").write_text(f'plugins = ["{MISBEHAVING / "task_raises.py"}"]')
    assert "shaky-not" in [task["name"] for task in listed(harness, "tasks")["tasks"]]


def test_a_task_that_another_tool_scores_may_have_no_metric_to_name(harness):
    Path("elsewhere.py").write_text(
        "from harness import Dataset, hookimpl\nfrom harness.authoring import AggregateTask\n"
        "class Elsewhere(AggregateTask):\n"
        "    name, kind = 'elsewhere', 'elsewhere'\n"
        "    def load(self, source): return Dataset({'id': ['all']})\n"
        "    def score(self, model, dataset): return {'main': 0.5}\n"
        "@hookimpl\n"
        "def harness_tasks(): return [Elsewhere()]\n"
    )
    (one,) = [
        task
        for task in listed(harness, "tasks", "--plugin=elsewhere.py")["tasks"]
        if task["name"] == "elsewhere"
    ]
    assert one["headline"] == ""


def test_a_task_scheme_is_listed_by_its_prefix(harness):
    Path("prefix.py").write_text(
        "from harness import hookimpl\nfrom harness.authoring import TaskScheme\n"
        "@hookimpl\n"
        "def harness_task_schemes(): return [TaskScheme('far', 'tasks from far away', print)]\n"
    )
    answer = harness("list", "--plugin=prefix.py")
    assert "far:NAME" in answer.out
    assert "tasks from far away" in answer.out


@pytest.mark.parametrize("name", ["misspelled_hook", "raises_at_import", "no_hooks", "strange_answers"])
def test_a_broken_file_is_an_error_with_its_line_and_nothing_is_listed(name, harness):
    answer = harness("list", f"--plugin={MISBEHAVING / name}.py")
    assert (answer.code, answer.out) == (2, "")
    assert re.search(rf"plugin {name} \(\S*/{name}\.py, line \d+\): ", answer.err)


def test_a_broken_installed_plugin_is_a_problem_and_the_rest_is_listed(harness, install):
    install("broken", "raise ValueError('no shelf')")
    answer = harness("list", "tasks")
    assert answer.code == 0
    assert "stsb-dev" in answer.out
    assert re.match(r"PROBLEM plugin broken \(broken 1\.0, \S+, line 1\): ValueError: no shelf\n", answer.err)
    assert listed(harness, "tasks")["problems"] == [answer.err.removeprefix("PROBLEM ").strip()]


def test_the_help_names_every_command_and_the_exit_codes(harness):
    answer = harness("--help")
    assert answer.code == 0
    for command in ("run", "list", "leaderboard"):
        assert f"  {command} " in answer.out
        assert harness(command, "--help").code == 0
    assert "Exit codes" in answer.out


def test_a_misspelled_command_is_named(harness):
    answer = harness("rnu")
    assert answer.code == 2
    assert "no command named 'rnu'" in answer.err


def test_the_version_is_the_packages(harness):
    from harness import __version__

    lines = harness("--version").out.splitlines()
    assert lines[0] == f"harness {__version__}"
    shown = dict(line.split() for line in lines[1:])
    for name in ("torch", "sentence-transformers", "transformers", "tokenizers", "numpy", "scipy"):
        assert shown[name] == importlib.metadata.version(name)
    assert shown["python"] == platform.python_version()


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"torch", "numpy", "pandas", "pyarrow", "rich"}),
        (["run", "--help"], {"torch", "numpy", "pandas", "pyarrow"}),
        (["list", "plugins"], {"torch", "numpy", "pandas", "pyarrow"}),
        (["list"], {"torch", "pandas", "pyarrow"}),
    ],
    ids=["help", "run-help", "list-plugins", "list"],
)
def test_list_imports_nothing_heavy(words, heavy):
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['harness', *{words!r}]\n"
        "try: runpy.run_module('harness', run_name='__main__')\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print('loaded:', sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stderr == "loaded: []\n"


def test_a_closed_pipe_is_not_a_failure():
    command = f"{sys.executable} -m harness list | head -n 1"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "tasks"
    assert "Traceback" not in process.stderr
    assert "BrokenPipe" not in process.stderr
