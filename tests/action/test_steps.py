"""The action with a runner's environment: commands, annotations, summary, outputs, comment."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from action.test_comment import FakeGitHub, serving
from harness.action import steps
from harness.action.inputs import read_inputs

ACTION = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """The environment of a pull request's job, with an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))
    return {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_WORKFLOW": "ci",
        "GITHUB_JOB": "compare",
        "HARNESS_ACTION_MODEL": "./cand\nother=./b\n",
        "HARNESS_ACTION_TOKEN": "t0ken-12",
    }


@pytest.fixture
def commands(monkeypatch):
    """Commands that the action runs, in place of which nothing runs; `codes` are their exit codes."""

    class Commands:
        words, environments, codes = [], [], {"run": 0, "compare": 0}

        def __call__(self, words, env, check):
            self.words.append(words[3:])
            self.environments.append(env)
            for word in words:
                if word.startswith("--write="):
                    Path(word[8:]).parent.mkdir(parents=True, exist_ok=True)
                    Path(word[8:]).write_text("**the report**\n")
            return subprocess.CompletedProcess(words, self.codes[words[3]])

    made = Commands()
    made.words, made.environments, made.codes = [], [], {"run": 0, "compare": 0}
    monkeypatch.setattr(steps.subprocess, "run", made)
    return made


def outputs(runner):
    lines = Path(runner["GITHUB_OUTPUT"]).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("code", [0, 1, 4])
def test_the_exit_code_the_report_and_the_comment_are_those_of_the_comparison(code, runner, commands):
    github, commands.codes["compare"] = FakeGitHub(), code
    with serving(github) as api:
        got = steps.run_action(runner | {"HARNESS_ACTION_BASELINE": "base=minilm", "GITHUB_API_URL": api})
    assert got == code
    assert outputs(runner) == {
        "exit-code": str(code),
        "folder": "results/action",
        "report": "results/action/compare.md",
        "comment-url": "https://github.com/o/r/pull/7#issuecomment-1",
    }
    assert Path(runner["GITHUB_STEP_SUMMARY"]).read_text() == "**the report**\n"
    assert github.comments[0]["body"] == "<!-- harness-action: ci / compare -->\n**the report**\n"


def test_a_baseline_that_is_a_model_is_evaluated_too(runner, commands):
    steps.run_action(runner | {"HARNESS_ACTION_BASELINE": "minilm", "HARNESS_ACTION_MARGIN": "0.01",
                               "HARNESS_ACTION_COMMENT": "false"})  # fmt: skip
    run, compare = commands.words
    assert run == [
        "run",
        "--out=results/action",
        "--model=baseline=minilm",
        "--model=./cand",
        "--model=other=./b",
    ]
    assert compare[:2] == ["compare", "--format=github"]
    assert compare[-4:] == ["--margin=0.01", "--baseline=baseline", "--", "results/action"]


def test_a_baseline_that_is_a_results_folder_is_read(runner, commands):
    Path("committed/records").mkdir(parents=True)
    settings = {"BASELINE": "committed", "BASELINE_MODEL": "minilm", "TASKS": "sts", "COMMENT": "false"}
    steps.run_action(runner | {f"HARNESS_ACTION_{name}": value for name, value in settings.items()})
    run, compare = commands.words
    assert run == ["run", "--out=results/action", "--model=./cand", "--model=other=./b", "--tasks=sts"]
    assert compare[-4:] == ["--baseline=minilm", "--", "committed", "results/action"]


def test_the_token_reaches_no_command_and_no_output(runner, commands, capfd):
    with serving(FakeGitHub()) as api:
        steps.run_action(runner | {"HARNESS_ACTION_BASELINE": "minilm", "GITHUB_API_URL": api})
    assert all("t0ken-12" not in env.values() for env in commands.environments)
    assert "t0ken-12" not in "".join(capfd.readouterr())


def test_what_a_model_prints_is_no_command_to_the_runner(runner, commands, capfd):
    steps.run_action(runner)
    out = capfd.readouterr().out
    pause = re.search("::stop-commands::([0-9a-f]{32})\n", out)[1]
    assert out.index("::stop-commands::") < out.index(f"::{pause}::\n")


def test_a_comment_that_is_refused_is_a_warning(runner, commands, capfd):
    github = FakeGitHub()
    github.faults = [(403, {})]
    with serving(github) as api:
        code = steps.run_action(runner | {"HARNESS_ACTION_BASELINE": "minilm", "GITHUB_API_URL": api})
    assert code == 0
    assert "::warning title=harness::no comment: GitHub answers 403" in capfd.readouterr().out


def test_a_run_that_fails_is_not_compared(runner, commands, capfd):
    commands.codes["run"] = 2
    Path("results/action").mkdir(parents=True)
    Path("results/action/compare.md").write_text("of an earlier run")
    settings = {"HARNESS_ACTION_BASELINE": "minilm", "HARNESS_ACTION_COMMENT": "false"}
    assert steps.run_action(runner | settings) == 2
    assert [words[0] for words in commands.words] == ["run"]
    assert outputs(runner)["report"] == ""
    assert "::error title=harness::`harness run` ended with exit code 2" in capfd.readouterr().out
    assert "Exit code 2" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"HARNESS_ACTION_MODEL": " \n"}, "`model` is empty", id="no model"),
        pytest.param({"HARNESS_ACTION_COMMENT": "maybe"}, "`comment` is 'maybe'", id="neither"),
        pytest.param({"HARNESS_ACTION_OUT": "a\nexit-code=0"}, "`out` has several lines", id="two lines"),
    ],
)
def test_an_input_that_cannot_be_is_an_annotation(changed, said, runner, commands, capfd):
    assert steps.run_action(runner | changed) == 2
    assert said in capfd.readouterr().out
    assert outputs(runner) == {"exit-code": "2"}
    assert commands.words == []


def test_every_input_reaches_the_script_through_the_environment_alone():
    scripts = [step for step in ACTION["runs"]["steps"] if "run" in step]
    assert all("${{" not in step["run"] for step in scripts)
    variables = {name: value for step in scripts for name, value in step["env"].items()}
    used = set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", json.dumps(ACTION["runs"])))
    assert used | {"artifact"} == set(ACTION["inputs"])
    given = {name: "true" if name.endswith("COMMENT") else name for name in variables if "ACTION" in name}
    inputs = read_inputs(given)
    names = {name.removeprefix("HARNESS_ACTION_").lower() for name in given} - {"model", "comment"}
    assert {name: getattr(inputs, name) for name in names} == {
        name: f"HARNESS_ACTION_{name.upper()}" for name in names
    }


def test_a_value_is_never_an_option(runner, commands):
    steps.run_action(runner | {"HARNESS_ACTION_MODEL": "--plugin=evil.py"})
    assert commands.words == [["run", "--out=results/action", "--model=--plugin=evil.py"]]


@pytest.mark.slow
def test_the_real_commands_compare_two_models(runner, capfd):
    settings = {"HARNESS_ACTION_MODEL": "lexical", "HARNESS_ACTION_BASELINE": "same=lexical",
                "HARNESS_ACTION_TASKS": "stsb", "HARNESS_ACTION_COMMENT": "false"}  # fmt: skip
    import os

    assert steps.run_action({**os.environ, **runner, **settings}) == 0
    assert "::notice title=harness compare::" in capfd.readouterr().out
    assert "lexical" in Path("results/action/compare.md").read_text()
