"""`harness.toml` and `[tool.harness]`: defaults of the command line."""

from __future__ import annotations

import pytest

from harness import HarnessError
from harness.cli.config import Config, read_config
from harness.models.request import ModelTable

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
def test_both_files_are_read_alike_and_paths_are_relative_to_the_file(name, header, tmp_path):
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


def test_one_text_is_a_list_of_one(tmp_path):
    (tmp_path / "harness.toml").write_text('models = "minilm"\ntasks = "sts"')
    assert read_config(tmp_path) == Config(models=("minilm",), tasks=("sts",))


def test_models_may_have_settings_of_their_own(tmp_path):
    (tmp_path / "harness.toml").write_text(
        '[models.small]\nmodel = "minilm"\ntruncate-dim = 128\nthreads = 2\n[models.base]\nmodel = "minilm"'
    )
    config = read_config(tmp_path)
    assert config.model_names() == ("small", "base")
    small = ModelTable(model="minilm", truncate_dim=128, threads=2)
    assert config.model_tables() == {"small": small, "base": ModelTable(model="minilm")}


def test_sample_is_not_a_path_and_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    (tmp_path / "harness.toml").write_text('data = "sample"\nout = "~/results"')
    assert read_config(tmp_path) == Config(data="sample", out="/home/someone/results")


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    (tmp_path / "harness.toml").write_bytes(b'\xef\xbb\xbftasks = [\r\n"sts"]\r\n')
    assert read_config(tmp_path) == Config(tasks=("sts",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param('model = "minilm"', r"no key in .*harness\.toml named 'model'\n.*did you mean: models"),
        pytest.param("models = [1]", r"models must be a list of texts or a table of tables, not \[1\]"),
        pytest.param("[models]\nx = 3", r"harness\.toml: \[models\.x\] must be a table, not 3"),
        pytest.param("[models.x]\ndtype = 'int8'", r"harness\.toml: \[models\.x\] model is missing"),
        pytest.param("[models.x]\nmodel = 'm'\nnormalise = true", "did you mean: normalize"),
        pytest.param('data = ["a", "b"]', "data must be a text, not"),
        pytest.param("out = true", "out must be a text, not True"),
        pytest.param("task-fils = []", r"no key in .* named 'task-fils'\n  did you mean: task-files"),
        pytest.param("cache-size = 3", "cache-size must be a text, not 3"),
        pytest.param("cache-size = '1G'\ncache_size = '2G'", "cache_size is given twice, with - and with _"),
        pytest.param("models = []\ntasks = oops", r"harness\.toml is not TOML: .*line 2"),
        pytest.param("a = " + "[" * 10_000, "levels of nesting", id="deep nesting"),
        pytest.param(b"tasks = 'Stra\xdfe'", "not UTF-8: byte 0xdf in line 1"),
    ],
)
def test_an_error_names_the_file_and_the_key(content, message, tmp_path):
    path = tmp_path / "harness.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(HarnessError, match=message):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("[tool]\nharness = 3", r": \[tool\.harness\] must be a table, not 3", id="a number"),
        pytest.param("[tool.harness]\nout = 3", r": \[tool\.harness\] out must be a text, not 3", id="type"),
        pytest.param(
            "[tool.harness]\ntask = 'a'", r"no key in \[tool\.harness\] of .* named 'task'", id="key"
        ),
    ],
)
def test_an_error_in_a_pyproject_names_the_table_too(content, message, tmp_path):
    (tmp_path / "pyproject.toml").write_text(content)
    with pytest.raises(HarnessError, match=message):
        read_config(tmp_path)


@pytest.mark.parametrize("tool", ["tool = 3", "[tool]\nother = { models = 1 }"])
def test_tables_of_other_tools_are_not_checked(tool, tmp_path):
    (tmp_path / "pyproject.toml").write_text(tool)
    assert read_config(tmp_path) == Config()


@pytest.mark.parametrize("key", ["task-files", "task_files"])
def test_a_key_has_hyphens_or_underscores(key, tmp_path):
    (tmp_path / "harness.toml").write_text(f'{key} = "tasks.toml"')
    assert read_config(tmp_path) == Config(task_files=(str(tmp_path / "tasks.toml"),))
