"""What is misspelled is answered with what may be meant; -v and -q."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from harness.cli import cli
from harness.cli.usage import is_quiet, is_verbose

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "results" / "example"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["rnu"], "no command named 'rnu'\n  did you mean: run", id="command"),
        pytest.param(["cache", "inof"], "no command named 'inof'\n  did you mean: info", id="of a group"),
        pytest.param(
            ["run", "--modle", "x"],
            "no option of `harness run` named '--modle'\n  did you mean: --model\n",
            id="option",
        ),
        pytest.param(
            ["run", "--dtype", "bflot16"], "no dtype named 'bflot16'\n  did you mean: bfloat16", id="dtype"
        ),
        pytest.param(["list", "task"], "no list named 'task'\n  did you mean: tasks", id="argument"),
        pytest.param(["new", "tsk", "a"], "no kind of plugin named 'tsk'\n  did you mean: task", id="kind"),
        pytest.param(["schema", "tsk"], "no schema named 'tsk'\n  did you mean: tasks", id="schema"),
        pytest.param(
            ["completion", "fsh"], "no shell with completion named 'fsh'\n  did you mean: fish", id="shell"
        ),
        pytest.param(
            ["run", "--model", "lexical", "--tasks", "sts", "--prompt", "qurey=x"],
            "no role named 'qurey'\n  did you mean: query",
            id="role",
        ),
        pytest.param(
            ["compare", EXAMPLE, "--baseline", "lexical", "--metrics", "perason"],
            "no metric named 'perason'\n  did you mean: pearson",
            id="metric",
        ),
        pytest.param(
            ["compare", EXAMPLE, "--baseline", "lexical", "--write", "a.jsn"],
            "no format named '.jsn'\n  did you mean: .json",
            id="suffix",
        ),
        pytest.param(
            ["run", "--model", "MINILMM", "--tasks", "sts"],
            "no model named 'MINILMM'\n  did you mean: minilm",
            id="capitals",
        ),
    ],
)
def test_what_is_misspelled_is_answered_with_the_nearest(harness, words, message):
    answer = harness(*words)
    assert answer.code == 2
    assert message in answer.err
    assert "known: " in answer.err


def test_every_choice_of_the_command_line_is_one_that_answers_with_the_nearest():
    users = [
        path.relative_to(ROOT).as_posix()
        for folder in ("harness", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bclick\.Choice\b", path.read_text(encoding="utf-8"))
    ]
    assert users == ["harness/cli/usage.py"]


def test_one_function_says_what_is_alike():
    users = [
        path.relative_to(ROOT).as_posix()
        for folder in ("harness", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bdifflib\b", path.read_text(encoding="utf-8"))
    ]
    assert users == ["harness/errors.py"]


def test_every_command_can_be_quiet_and_verbose():
    with click.Context(cli) as context:
        for name in cli.list_commands(context):
            command = cli.get_command(context, name)
            below = command.commands.values() if isinstance(command, click.Group) else ()
            for one in (command, *below):
                options = {option for parameter in one.params for option in parameter.opts}
                assert {"-v", "-q"} <= options, one.name


def test_quiet_prints_the_table_and_neither_notes_nor_advice(run):
    loud, quiet = run(out="loud"), run("-q", out="quiet")
    assert "written: " in loud.out
    assert "Samples are small" in loud.out
    assert "spearman" in quiet.out
    assert "written: " not in quiet.out
    assert "Samples are small" not in quiet.out
    assert quiet.err == ""


def test_quiet_says_what_is_wrong(harness):
    answer = harness("-q", "run", "--model", "lexical", "--tasks", "stss")
    assert (answer.code, "no task or tag named 'stss'" in answer.err) == (2, True)


def test_verbose_says_what_is_done_and_from_what(run):
    answer = run("-v")
    assert re.search(r"^lexical · stsb: spearman 0\.\d{4} \(\d+\.\d s\)$", answer.err, re.MULTILINE)
    assert "configuration: none" in answer.err
    assert "model lexical: fingerprint" in answer.err
    assert re.search(r"^lexical · stsb: .* \(kept from before\)$", run("-v").err, re.MULTILINE)


def test_quiet_and_verbose_contradict_each_other_and_leave_nothing_behind(harness):
    assert "-v and -q contradict each other" in harness("list", "-v", "-q").err
    assert harness("list", "tags").code == 0
    assert (is_quiet(), is_verbose()) == (False, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", ""], "an empty argument"),
        (["leaderboard", "results", " "], "an empty argument"),
        (["run", "--model=lexical", "--tasks=sts", "--out="], "empty --out"),
        (["run", "--model=lexical", "--tasks=sts", "--data="], "empty --data"),
        (["run", "--model="], "empty --model"),
        (["train", "--recipe=stsb", "--out", ""], "empty --out"),
    ],
)
def test_an_empty_value_is_not_the_current_folder_nor_no_wish(harness, arguments, said):
    answer = harness(*arguments)
    assert answer.code == 2
    assert answer.err.startswith(f"Error: {said}\n")
    assert "is a variable of the shell unset?" in answer.err


def test_an_empty_variable_of_the_environment_is_as_none(harness, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", "")
    assert harness("list", "tasks").code == 0
