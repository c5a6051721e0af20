"""A model as it is asked for: its name, where it is, and settings of its own."""

from __future__ import annotations

import pytest

from harness import HarnessError, Settings
from harness.models.request import ModelTable, check_settings, read_request

TABLES = {"small": ModelTable(model="minilm", truncate_dim=128, prompts={"query": "a, b"})}


def settings(text, *of_all, tables=TABLES):
    return read_request(text, tables).settings(of_all or [Settings()])


@pytest.mark.parametrize(
    ("text", "name", "model"),
    [
        ("minilm", "", "minilm"),
        ("base=./a=b", "base", "./a=b"),
        ("./with, comma", "", "./with, comma"),
        ("x=org/model,dtype=bfloat16", "x", "org/model"),
        ("small", "small", "minilm"),
        ("other=small", "other", "minilm"),
        ("./small", "", "./small"),
        ("hub:org/m,threads=2", "", "hub:org/m"),
    ],
)
def test_a_name_and_a_place_are_read(text, name, model):
    request = read_request(text, TABLES)
    assert (request.name, request.table.model) == (name, model)


def test_settings_of_a_model_replace_those_of_all():
    (own,) = settings(
        "minilm,truncate-dim=64, normalize=TRUE,dtype=bfloat16", Settings(device="cpu", dtype="float16")
    )
    assert own == Settings(device="cpu", truncate_dim=64, normalize=True, dtype="bfloat16")


def test_what_is_written_beside_a_name_wins_over_its_table():
    (own,) = settings("small,truncate_dim=32")
    assert own == Settings(truncate_dim=32, prompts=(("query", "a, b"),))


def test_of_several_settings_of_all_those_that_become_equal_count_once():
    asked = [Settings(truncate_dim=256, dtype=each) for each in ("float32", "bfloat16")]
    assert settings("minilm,dtype=float16", *asked) == [Settings(truncate_dim=256, dtype="float16")]
    assert len(settings("minilm,normalize=true", *asked)) == 2


def test_a_folder_whose_name_looks_like_settings_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model,dtype=float16").mkdir()
    assert read_request("model,dtype=float16", {}).table == ModelTable(model="model,dtype=float16")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("minilm,truncate_dm=64", "did you mean: truncate_dim"),
        ("minilm,truncate_dim=many", "truncate_dim must be a whole number from 1, not 'many'"),
        ("minilm,truncate_dim=0", "truncate_dim must be a whole number from 1, not 0"),
        ("minilm,normalize=1", "normalize must be true or false, not '1'"),
        ("minilm,dtype=", "dtype has no value"),
        ("minilm,dtype=float8", "no dtype named 'float8'"),
        ("minilm,dtype=float16,dtype=float32", "dtype is given twice"),
        ("minilm,prompts=x", r"in harness.toml: \[models.NAME\]"),
        ("minilm,similarity=cos", "did you mean: cosine"),
    ],
)
def test_a_setting_that_is_wrong_is_refused(text, said):
    with pytest.raises(HarnessError, match=said):
        settings(text)


@pytest.mark.parametrize("text", ["", "  ", "base=", "base= ", ",truncate_dim=8", "base=,truncate_dim=8"])
def test_no_model_is_not_the_current_folder(text):
    with pytest.raises(HarnessError, match=r"^empty --model"):
        read_request(text, TABLES)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("minilm,truncate_dim", "truncate_dim"),
        ("minilm,", ""),
        ("minilm,dtype=float16,", ""),
        ("org/model,truncate-dim,dtype=float16", "truncate-dim"),
        ("x=./model,normalize", "normalize"),
        ("minilm,=8", "=8"),
    ],
)
def test_a_setting_without_a_value_is_answered_with_how_one_is_written(text, word):
    with pytest.raises(HarnessError) as caught:
        read_request(text, TABLES)
    assert caught.value.message == f"--model {text}: {word!r} is not a setting of a model: one is NAME=VALUE"
    assert "known: device, dtype" in caught.value.exists


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(HarnessError) as caught:
        check_settings(Settings(device="gpu", dtype="half", precision="int4", prompts=(("querry", "x"),)))
    for name in ("gpu", "half", "int4", "querry"):
        assert f"named {name!r}" in str(caught.value)
