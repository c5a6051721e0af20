"""How a candidate was trained, from the folder that the journal of a run names."""

from __future__ import annotations

import shutil
from dataclasses import asdict

import pytest
from evaluation.test_lineage import lineage

from harness.evaluation.journal import JournalEntry, RequestedModel, RunRequest
from harness.models.interface import ModelSpec
from harness.models.sentence_transformer import LocatedFolder
from harness.report.training import candidate_folders, training_of
from harness.training.lineage import LoggedLoss, write_lineage
from harness.training.recipe import Data, Loss, Recipe, Schedule

RECIPE = Recipe(
    name="mine",
    data=Data(kind="pairs", path="/home/someone/data/pairs.csv"),
    loss=Loss(name="MultipleNegativesRankingLoss", matryoshka=(64, 32)),
    train=Schedule(batch_size=32, epochs=2.0),
)


@pytest.fixture
def tiny(tmp_path):
    """A folder that can be located, though not loaded."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def fingerprint(folder) -> str:
    return LocatedFolder.at(folder, ModelSpec("folder", str(folder)), folder.name).fingerprint


def candidate(tiny, folder, of, **changes):
    """A copy of a tiny model that is unlike all others, with a lineage."""
    shutil.copytree(tiny, folder)
    (folder / "note.json").write_text(f'"{folder.name}"')
    write_lineage(folder, lineage([], base_fingerprint=of, **({"base": "base"} | changes)))
    return folder


def journal(folder, *models):
    """The journal of a run that was started in a folder, on models below it."""
    requested = [
        RequestedModel(spec=ModelSpec("folder", model.name), name=model.name, fingerprint=fingerprint(model))
        for model in models
    ]
    plan = RunRequest(folder=str(folder), models=tuple(requested), tasks=())
    return JournalEntry(started="2026", command=("harness",), plan=plan)


def reported(entry, model, names=None):
    problems: list[str] = []
    folders = candidate_folders([entry], problems)
    return training_of(model.name, fingerprint(model), folders, names or {}, problems), problems


@pytest.fixture
def trained(tiny, tmp_path):
    log = tuple(
        LoggedLoss(step=step, epoch=step / 900, loss=1 / step, metrics={"stsb": 0.5} if step == 7 else {})
        for step in range(1, 901)
    )
    changes = {
        "recipe": RECIPE.to_dict(),
        "log": log,
        "steps": 900,
        "best_step": 7,
        "findings": ("labels-x",),
    }
    return candidate(tiny, tmp_path / "mine", "f", **changes)


def test_a_training_has_its_curve_settings_findings_and_steps(trained):
    found, problems = reported(journal(trained.parent, trained), trained)
    assert problems == []
    assert (found.model, found.base, found.lineage) == ("mine", "base", ("base", "mine"))
    assert (found.loss, found.steps, found.best_step) == ("MultipleNegativesRankingLoss", 900, 7)
    assert (found.findings, found.data, found.rows) == (("labels-x",), "d.csv", 1)
    assert found.recipe == {
        "data.kind": "pairs",
        "data.path": "pairs.csv",
        "loss.matryoshka": "64, 32",
        "train.batch_size": "32",
        "train.epochs": "2",
    }
    assert len(found.curve) <= 402
    assert [point.metrics for point in found.curve if point.metrics] == [{"stsb": 0.5}]
    assert (found.curve[0].loss, found.curve[-1].step) == (1, 900)
    assert "someone" not in str(asdict(found))


def test_the_lineage_follows_bases_that_are_candidates_whether_they_were_evaluated_or_not(tiny, tmp_path):
    first = candidate(tiny, tmp_path / "first", "f")
    second = candidate(tiny, tmp_path / "second", fingerprint(first), base="first", recipe={"base": "first"})
    third = candidate(tiny, tmp_path / "third", fingerprint(second), base="second")
    names = {"f": "minilm", fingerprint(second): "second~0a"}
    found, _ = reported(journal(tmp_path, third, second), third, names)
    assert found.lineage == ("minilm", "first", "second~0a", "third")
    assert found.base == "second~0a"


def test_a_cycle_of_bases_ends(tiny, tmp_path):
    one = candidate(tiny, tmp_path / "one", "f")
    two = candidate(tiny, tmp_path / "two", fingerprint(one), base="one")
    write_lineage(one, lineage([], base="two", base_fingerprint=fingerprint(two)))
    assert reported(journal(tmp_path, one, two), one)[0].lineage == ("one", "two", "one")


def test_a_folder_that_holds_another_model_by_now_is_not_shown_and_named(trained):
    entry = journal(trained.parent, trained)
    evaluated = fingerprint(trained)
    (trained / "note.json").write_text("2")
    problems: list[str] = []
    folders = candidate_folders([entry], problems)
    assert training_of("mine", evaluated, folders, {}, problems) is None
    assert problems == ["how mine was trained is not shown: its folder holds another model by now"]


def test_a_lineage_that_cannot_be_read_is_a_problem_and_no_error(trained):
    (trained / "lineage.json").write_text("{")
    found, problems = reported(journal(trained.parent, trained), trained)
    assert found is None
    assert "mine" in problems[0]
    assert len(problems) == 1


def test_a_model_that_was_not_trained_or_is_gone_has_no_report(tiny, trained):
    entry = journal(trained.parent, trained)
    assert reported(journal(tiny.parent, tiny), tiny) == (None, [])
    evaluated = fingerprint(trained)
    shutil.rmtree(trained)
    problems: list[str] = []
    assert training_of("mine", evaluated, candidate_folders([entry], problems), {}, problems) is None
    assert problems == []


def test_a_lineage_of_odd_content_is_shown_as_far_as_it_goes(tiny, tmp_path):
    odd = candidate(tiny, tmp_path / "odd", "f", recipe={"loss": "x", "base": 7, "train": {"epochs": None}})
    found, _ = reported(journal(tmp_path, odd), odd)
    assert (found.loss, found.curve) == ("", ())
