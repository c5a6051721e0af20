"""A candidate that was trained on a task's answers: its row of the leaderboard says so."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from evaluation.test_run import Twins
from harness.evaluation.evaluate import load_task
from harness.evaluation.keys import record_key
from harness.evaluation.run import run_plan
from harness.evaluation.runner import RunPlan
from harness.evaluation.status import _changes
from harness.models.interface import ModelSpec
from harness.models.sentence_transformer import LocatedFolder
from harness.results.folder import ResultsFolder
from harness.results.leaderboard import boards, leaderboard_rows
from harness.results.tables import task_tables
from harness.tasks.interface import DataSource
from harness.tasks.selection import SelectedTask
from harness.training.lineage import NAME, Lineage, write_lineage
from harness.training.near_duplicates import SIGNATURES, text_hashes, write_signatures

TASK = Twins(rows=[(f"ab {row}", f"abd {row}", f"xyz {row}") for row in range(10)])
LEAKED = [text for row in TASK.rows[:3] for text in row]


def lineage(texts, **changes) -> Lineage:
    given = {
        "recipe": {}, "base": "b", "base_fingerprint": "f", "seed": 1, "trainer": "t", "data": "d.csv",
        "data_digest": "0", "rows": 1, "texts": text_hashes(texts), "steps": 1, "seconds": 1.0,
    }  # fmt: skip
    return Lineage(**(given | changes))


@pytest.fixture
def candidate(tiny, tmp_path):
    """A copy of a tiny model's folder, to which a lineage may be added."""
    return shutil.copytree(tiny, tmp_path / "candidate")


def located(folder) -> LocatedFolder:
    return LocatedFolder.at(folder, ModelSpec("folder", str(folder)), folder.name)


def run(folder, root):
    """Run the task; return the one record of it, and whether it was there before."""
    results = ResultsFolder(root / "out")
    outcome = run_plan(RunPlan(models=[located(folder)], tasks=[SelectedTask(TASK, True)]), results)
    return outcome.evaluations[0], outcome.reused


def key(folder) -> str:
    return record_key(located(folder), load_task(TASK, DataSource("sample", None)).examination)


def test_the_record_the_row_and_the_table_have_the_finding(candidate, tmp_path):
    write_lineage(candidate, lineage(LEAKED))
    write_signatures(candidate, LEAKED)
    evaluation, _ = run(candidate, tmp_path)
    (finding,) = evaluation.findings
    assert finding.code == "train-test-overlap"
    assert "in 3 of 10 examples of twins (30.0%)" in finding.evidence
    assert {record.findings for record in leaderboard_rows([evaluation])} == {"train-test-overlap"}
    (grid,) = task_tables(boards([evaluation]))
    assert any(finding.evidence in remark for remark in grid.remarks)


def test_a_model_without_lineage_has_neither_findings_nor_another_key(candidate, tmp_path):
    before = key(candidate)
    evaluation, _ = run(candidate, tmp_path)
    assert evaluation.findings == ()
    assert evaluation.key == before == key(candidate)


def test_a_candidate_that_was_trained_on_other_texts_has_no_findings(candidate, tmp_path):
    write_lineage(candidate, lineage(["something else entirely"]))
    assert run(candidate, tmp_path)[0].findings == ()


def test_a_note_is_left_to_harness_check(candidate, tmp_path):
    write_lineage(candidate, lineage([TASK.rows[0][0]]))
    assert run(candidate, tmp_path)[0].findings == ()


def test_the_key_follows_the_training_texts_not_the_day_of_the_training(candidate):
    keys = [key(candidate)]
    for texts, changes in [(["a"], {}), (["a"], {"finished": "2026-01-01", "seconds": 2.0}), (["b"], {})]:
        write_lineage(candidate, lineage(texts, **changes))
        keys.append(key(candidate))
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


def test_a_record_is_computed_again_once_its_model_has_a_lineage(candidate, tmp_path):
    run(candidate, tmp_path)
    write_lineage(candidate, lineage(LEAKED))
    evaluation, reused = run(candidate, tmp_path)
    assert reused == 0
    assert [finding.code for finding in evaluation.findings] == ["train-test-overlap"]
    again, reused = run(candidate, tmp_path)
    assert (again.findings, reused) == (evaluation.findings, 1)


def test_status_reports_changed_training_texts(candidate, tmp_path):
    evaluation, _ = run(candidate, tmp_path)
    write_lineage(candidate, lineage(LEAKED))
    asked = load_task(TASK, DataSource("sample", None))
    assert _changes(evaluation, located(candidate), asked) == ["what the model was trained on changed"]
    older = replace(evaluation, code={})
    assert _changes(older, located(candidate), asked) == ["an older harness computed it"]


def test_a_lineage_changes_no_fingerprint_score_or_prediction(candidate, tmp_path):
    bare, _ = run(candidate, tmp_path / "bare")
    write_lineage(candidate, lineage(LEAKED))
    write_signatures(candidate, LEAKED)
    told, _ = run(candidate, tmp_path / "told")
    assert (told.candidate, told.scores, told.predictions) == (bare.candidate, bare.scores, bare.predictions)


@pytest.mark.parametrize("broken", [NAME, SIGNATURES])
def test_an_unreadable_lineage_costs_no_score_and_is_a_finding(candidate, tmp_path, broken):
    write_lineage(candidate, lineage(LEAKED))
    (candidate / broken).write_text(json.dumps({"schema": "none"}))
    evaluation, _ = run(candidate, tmp_path)
    assert evaluation.status == "ok"
    assert [finding.code for finding in evaluation.findings] == ["lineage-unreadable"]


def test_only_a_model_folder_has_a_lineage(candidate, letters):
    examination = load_task(TASK, DataSource("sample", None)).examination
    before = record_key(letters, examination)
    write_lineage(candidate, lineage(LEAKED))
    letters.spec = ModelSpec("letters", str(candidate), letters.name)
    assert record_key(letters, examination) == before
