"""`harness.toml` and `[tool.harness]`: what one would otherwise retype."""

from __future__ import annotations

import pytest

from harness import HarnessError
from harness.cli.config import Config, read_config

WHOLE = """
models = ["minilm", "new=./candidates/nda"]
tasks = ["sts", "legal"]
exclude = ["stsb-dev"]
data = "data"
out = "results/ours"
cache = "kept"
task-files = ["tasks.toml"]
plugins = ["ours.py"]
"""


def test_a_folder_without_configuration_has_an_empty_one(tmp_path):
    assert read_config(tmp_path) == Config()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n[tool]\nruff = {}\n')
    assert read_config(tmp_path) == Config()


@pytest.mark.parametrize(("name", "header"), [("harness.toml", ""), ("pyproject.toml", "[tool.harness]")])
def test_both_places_say_the_same_and_paths_are_relative_to_the_file(name, header, tmp_path):
    (tmp_path / name).write_text(header + WHOLE)
    assert read_config(tmp_path) == Config(
        models=("minilm", "new=./candidates/nda"),
        tasks=("sts", "legal"),
        exclude=("stsb-dev",),
        data=str(tmp_path / "data"),
        out=str(tmp_path / "results/ours"),
        cache=str(tmp_path / "kept"),
        task_files=(str(tmp_path / "tasks.toml"),),
        plugins=(str(tmp_path / "ours.py"),),
    )


def test_harness_toml_wins_over_pyproject(tmp_path):
    (tmp_path / "harness.toml").write_text('tasks = ["sts"]')
    (tmp_path / "pyproject.toml").write_text('[tool.harness]\ntasks = ["legal"]\nmodels = ["minilm"]')
    assert read_config(tmp_path) == Config(tasks=("sts",))


def test_one_text_stands_for_a_list_of_one(tmp_path):
    (tmp_path / "harness.toml").write_text('models = "minilm"\ntasks = "sts"')
    assert read_config(tmp_path) == Config(models=("minilm",), tasks=("sts",))


def test_the_sample_is_no_folder_and_a_home_is_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    (tmp_path / "harness.toml").write_text('data = "sample"\nout = "~/results"')
    assert read_config(tmp_path) == Config(data="sample", out="/home/someone/results")


def test_windows_bytes_are_read(tmp_path):
    (tmp_path / "harness.toml").write_bytes(b'\xef\xbb\xbftasks = [\r\n"sts"]\r\n')
    assert read_config(tmp_path) == Config(tasks=("sts",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param('model = "minilm"', r"no key in .*harness\.toml named 'model'\n.*did you mean: models"),
        pytest.param("models = [1]", r"models must be a list of texts, not \[1\]"),
        pytest.param("models = {}", "models must be a list of texts, not {}"),
        pytest.param('data = ["a", "b"]', "data must be a text, not"),
        pytest.param("out = true", "out must be a text, not True"),
        pytest.param("models = []\ntasks = oops", r"harness\.toml is not TOML: .*line 2"),
        pytest.param("a = " + "[" * 10_000, "levels of nesting", id="deep nesting"),
        pytest.param(b"tasks = 'Stra\xdfe'", "not UTF-8: byte 0xdf in line 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(content, message, tmp_path):
    path = tmp_path / "harness.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(HarnessError, match=message):
        read_config(tmp_path)


def test_a_harness_entry_that_is_no_table_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool]\nharness = 3")
    with pytest.raises(HarnessError, match=r"pyproject\.toml: \[tool\.harness\] is not a table"):
        read_config(tmp_path)
