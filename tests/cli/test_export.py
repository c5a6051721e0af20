"""`harness export`: which results are meant, and what is never written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import build_model


@pytest.fixture
def model(tiny, tmp_path):
    """A folder of its own with the tiny model; `stsb` of it is in `out`."""
    import shutil

    return Path(shutil.copytree(tiny, tmp_path / "cand"))


@pytest.fixture
def measured(model, run):
    assert run("--limit", 30, model=model, tasks="stsb").code == 0
    return model


def test_the_scores_go_into_the_folders_card_once(measured, harness):
    first = harness("export", measured, "--results", "out")
    card = (measured / "README.md").read_bytes()
    assert first.code == 0
    assert "marked as illustrative in the card: stsb" in first.out
    assert "written: cand/README.md: 2 scores of 1 task" in first.out
    again = harness("export", "cand", "--results", "out")
    assert "unchanged: cand/README.md" in again.out
    assert (measured / "README.md").read_bytes() == card


def test_a_folder_that_was_changed_since_is_an_error(measured, harness):
    build_model(measured, seed=5)
    answer = harness("export", measured, "--results", "out")
    assert answer.code == 2
    assert "out has no results of " in answer.err
    assert "changed since" in answer.err
    assert "cand (" in answer.err
    assert not (measured / "README.md").exists()


def test_of_two_names_of_one_content_the_user_says_which(measured, run, harness):
    run("--limit", 30, model=f"twin={measured}", tasks="stsb")
    answer = harness("export", measured, "--results", "out")
    assert answer.code == 2
    assert "cand, twin" in answer.err
    assert harness("export", measured, "--results", "out", "--model", "twin").code == 0
    assert "name: twin" in (measured / "README.md").read_text()
    assert "no model named 'twn'" in harness("export", measured, "--results", "out", "--model", "twn").err


def test_a_model_without_a_folder_needs_a_file(run, harness, tmp_path):
    run("--limit", 30, tasks="stsb")
    assert "--out FILE" in harness("export", "lexical", "--results", "out").err
    assert harness("export", "lexical", "--results", "out", "--out", "card.md").code == 0
    assert "model-index:" in (tmp_path / "card.md").read_text()


def test_a_broken_record_and_a_broken_card_leave_the_card_as_it_is(measured, harness):
    card = measured / "README.md"
    card.write_text("---\na: [\n---\n")
    answer = harness("export", measured, "--results", "out")
    assert (answer.code, card.read_text()) == (2, "---\na: [\n---\n")
    card.unlink()
    (record,) = Path("out/records").rglob("*.json")
    content = json.loads(record.read_text())
    content["scores"][0]["score"] = 0.99
    record.write_text(json.dumps(content))
    answer = harness("export", measured, "--results", "out")
    assert answer.code == 2
    assert "stsb" in answer.err
    assert not card.exists()


def test_a_results_folder_that_is_not_there_is_an_error(model, harness):
    answer = harness("export", model)
    assert answer.code == 2
    assert "results/local" in answer.err
