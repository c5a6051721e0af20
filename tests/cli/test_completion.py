"""What a shell is given to complete a word with, through click's own classes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from harness.cli import COMPLETES, cli


@pytest.fixture
def complete(monkeypatch, capsys):
    """Return what completes the last word of a command line: (type, value), or the values of one type."""
    monkeypatch.setenv(COMPLETES, "bash_complete")

    def completing(line, kind="plain"):
        *words, last = line.split(" ")
        found = ShellComplete(cli, {}, "harness", COMPLETES).get_completions(words, last)
        assert capsys.readouterr() == ("", "")
        return [item.value for item in found if item.type == kind]

    return completing


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("compl", ["completion"], id="a command"),
        pytest.param("run --exc", ["--exclude"], id="an option"),
        pytest.param("run --tasks ", ["mteb:", "sts", "stsb", "stsb-dev"], id="tasks, tags and prefixes"),
        pytest.param("run --tasks stsb,s", ["stsb,sts", "stsb,stsb-dev"], id="the next of several"),
        pytest.param("run --exclude stsb-", ["stsb-dev"], id="a task to leave out"),
        pytest.param("compare out --tasks=stsb-", ["stsb-dev"], id="with ="),
        pytest.param("run --model l", ["lexical"], id="a scheme"),
        pytest.param("run --model hu", [], id="a scheme that names no model"),
        pytest.param("bench --model base=min", ["base=minilm"], id="a named model"),
        pytest.param("run --model minilm,trun", ["minilm,truncate_dim="], id="a setting"),
        pytest.param("run --model minilm,dtype=b", ["minilm,dtype=bfloat16"], id="a value of a setting"),
        pytest.param("run --device cud", ["cuda", "cuda:0"], id="a device"),
        pytest.param("run --dtype b", ["bfloat16"], id="a dtype"),
        pytest.param("bench --dtype float32,f", ["float32,float16"], id="the next dtype"),
        pytest.param("run --precision float32,i", ["float32,int8"], id="the next precision"),
        pytest.param("run --prompt q", ["query="], id="a role"),
        pytest.param("run --data h", ["hub"], id="a word for data"),
        pytest.param("check x.csv --kind tri", ["triplets"], id="a kind of rows"),
        pytest.param("schema conf", ["config"], id="a schema"),
        pytest.param("completion z", ["zsh"], id="a shell"),
    ],
)  # fmt: skip
def test_a_word_is_completed_by_what_exists(line, expected, complete, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,mteb")
    assert complete(line) == expected


def test_names_of_the_configuration_and_of_task_files_are_known(complete):
    Path("harness.toml").write_text('[models.small]\nmodel = "minilm"\n[suites.release]\ntasks = ["stsb"]\n')
    Path("own.toml").write_text('[tasks.tickets]\nkind = "sts"\npath = "absent.csv"\ntags = ["support"]\n')
    assert complete("run --model sm") == ["small"]
    assert complete("run --tasks rel") == complete("freeze rel") == ["release"]
    assert complete("run --task-file own.toml --tasks s") == ["sts", "stsb", "stsb-dev", "support"]
    assert complete("run --task-file own.toml --exclude tic") == ["tickets"]


def test_recipes_are_completed_with_files(complete, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "train")
    assert "records-cosine" in complete("train --recipe rec")
    assert complete("train --recipe rec", kind="file") == ["rec"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("run --plugin a", "file"), ("run --task-file a", "file"), ("validate a", "file"),
        ("check a", "file"), ("compare x --gate a", "file"), ("status a", "dir"),
        ("run --out a", "dir"), ("run --model a", "dir"),
    ],
)  # fmt: skip
def test_paths_are_completed_by_the_shell(line, kind, complete):
    assert complete(line, kind=kind) == ["a"]


@pytest.mark.parametrize("line", ["run --tasks ", "run --model ", "train --recipe "])
def test_what_is_broken_completes_to_less_and_raises_nothing(line, complete, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "absent")
    assert complete(line) == []
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    Path("harness.toml").write_text("modles = 1\n[")
    assert complete(line) != []


def test_a_tab_runs_no_code_of_the_folder(complete):
    Path("marks.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    Path("harness.toml").write_text('plugins = ["marks.py"]\n')
    assert "stsb" in complete("run --plugin marks.py --tasks ")
    assert not Path("ran").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_where_its_line_goes_and_asks_by_our_variable(shell, harness):
    answer = harness("completion", shell)
    assert answer.code == 0
    assert f"harness completion {shell}" in "".join(answer.out.splitlines()[:2])
    assert f"{COMPLETES}={shell}_complete" in answer.out
    assert answer.out.startswith("#compdef" if shell == "zsh" else "# In ")


def test_bash_takes_its_script(harness):
    script = harness("completion", "bash").out
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_an_unknown_shell_is_an_error_that_names_the_known_ones(harness):
    answer = harness("completion", "tcsh")
    assert answer.code == 2
    assert "bash, fish, zsh" in answer.err
