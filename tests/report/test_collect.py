"""What a report says follows from the results alone, and is what compare and leaderboard say of them."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from comparison.made import answer, reseal, right
from conftest import evaluated

from harness.errors import HarnessError
from harness.evaluation.progress import Progress
from harness.finding import Finding, Severity
from harness.report.collect import collect
from harness.report.request import ReportRequest
from harness.results.folder import ResultsFolder
from harness.results.records import Throughput, Truncation
from harness.system.json_text import json_document


def models(folder, shares, **told):
    """Write a quiz and a test of each model, of which shares of the answers are right."""
    for seed, (name, share) in enumerate(shares.items()):
        answer(folder, name, "quiz", correct=right(share, 60, seed=seed), **told)
        answer(folder, name, "exam", correct=right(share, 40, seed=seed + 50), tags=("law",), **told)


def fingerprint(name):
    """Return the fingerprint that `answer` gives a model."""
    return hashlib.sha256(name.encode()).hexdigest()


def doubts(content, kind):
    return [doubt for doubt in content.answer.doubts if doubt.kind == kind]


def test_the_same_results_give_the_same_content_from_a_copy_too(collected):
    models("one", {"base": 0.5, "mine": 0.9, "other": 0.7})
    once = json_document(collected("one", margin=0.01))
    assert json_document(collected("one", margin=0.01)) == once
    shutil.copytree("one", "two")
    copied = json_document(collected("two", margin=0.01))
    assert copied != once
    assert copied.replace('"two"', '"one"').replace(" two ", " one ") == once


def test_one_model_is_described_and_nothing_is_compared(collected):
    models("one", {"base": 0.5})
    content = collected("one")
    assert content.answer.outcome == "no-candidate"
    assert content.answer.sentences == content.compared == ()
    assert content.answer.compared == "base alone, on 2 tasks: exam, quiz."
    assert [(board.id, board.rows[0].letters) for board in content.boards] == [("exam", None), ("quiz", None)]


def test_each_model_is_a_baseline_up_to_ten_and_then_only_the_named_one(collected, monkeypatch):
    monkeypatch.setattr("harness.report.families.MOST_BASELINES", 3)
    monkeypatch.setattr("harness.report.collect.MOST_BASELINES", 3)
    models("one", {"base": 0.5, "mine": 0.9, "other": 0.7})
    content = collected("one", baseline="mine")
    assert [family.baseline for family in content.compared] == ["mine", "other", "base"]
    assert content.not_compared == ""
    models("one", {"more": 0.6})
    content = collected("one", baseline="mine")
    assert [family.baseline for family in content.compared] == ["mine"]
    assert content.not_compared.startswith("of 4 models, only mine is a baseline here")
    assert [len(family.comparisons) for family in content.compared] == [3]


@pytest.mark.slow
def test_twelve_models_have_one_baseline_and_a_winner(collected):
    models("one", {f"m{number}": 0.4 + number / 25 for number in range(12)})
    content = collected("one", baseline="m0", margin=0.05)
    assert [family.baseline for family in content.compared] == ["m0"]
    assert content.not_compared.startswith("of 12 models")
    assert len(content.answer.selection.candidates) == 11


def test_the_baseline_is_the_only_model_of_the_first_folder_then_that_of_the_first_run(collected):
    models("zeta", {"late": 0.5})
    models("alpha", {"early": 0.9})
    assert collected("zeta", "alpha").compared[0].baseline == "late"
    models("zeta", {"b": 0.5})
    content = collected("zeta")
    assert content.compared[0].baseline == "b"
    assert "(the first by name: --baseline NAME takes another)" in content.answer.compared
    asked = {"spec": {"scheme": "s", "location": ""}, "name": "late", "fingerprint": fingerprint("late")}
    plan = {"folder": ".", "models": [asked], "tasks": []}
    journal = {"started": "2026-01-01", "command": ["harness", "run", "--model", "a b"], "plan": plan}
    ResultsFolder(Path("zeta")).write_run("first", {**journal, "state": "finished", "cores": 4})
    content = collected("zeta")
    assert content.compared[0].baseline == "late"
    assert "the first model of the first run" in content.answer.compared
    (run,) = content.runs
    assert (run.folder, run.command, run.cores) == ("zeta", "harness run --model 'a b'", 4)
    with pytest.raises(HarnessError, match="nothing"):
        collected("zeta", baseline="nothing")
    with pytest.raises(HarnessError, match="matches 2 models"):
        collected("zeta", baseline="*")


def test_several_candidates_are_answered_by_the_best_of_them_at_the_level_for_all(collected):
    models("one", {"base": 0.5, "mine": 0.95, "worse": 0.1})
    content = collected("one", baseline="base", margin=0.05)
    chosen = content.answer.selection
    assert chosen.winner == "mine"
    assert chosen.level > 0.95
    assert content.answer.outcome == "passes"
    assert content.compared[0].outcome == "fails"
    assert content.answer.sentences[0] == chosen.sentence
    assert {line.outcome for line in content.answer.gate} == {"passes"}
    assert collected("one", baseline="base").answer.outcome == "passes"
    assert collected("one", baseline="mine").answer.outcome == "fails"  # the best is worse than the baseline


def test_results_that_failed_are_broken_or_are_missing_are_doubts_by_their_cause(collected):
    models("one", {"base": 0.5, "mine": 0.9, "third": 0.7})
    answer("one", "base", "essay", correct=right(0.5, 30))
    for model in ("mine", "third"):
        record = evaluated(
            model, "essay", fingerprint=fingerprint(model), error="OSError: disk is full\nmore"
        )
        ResultsFolder(Path("one")).write_error(record, None)
    reseal(next(Path("one/records").glob("third*/quiz.json")), '"per_example": true', '"per_example": false')
    content = collected("one", baseline="base")
    (failed,) = doubts(content, "failed")
    assert failed.sentence == "failed: OSError: disk is full"
    assert failed.models == tuple(sorted(failed.models))
    assert failed.tasks == ("essay",)
    assert content.compared[0].outcome == content.answer.outcome == "broken"
    (quiz,) = [board for board in content.boards if board.task == "quiz"]
    assert [row.status for row in quiz.rows if row.model == "third"] == ["broken"]
    assert doubts(content, "broken")[0].severity is Severity.ERROR
    assert content.problems


def test_a_record_that_cannot_be_read_is_broken_and_nothing_passes(collected):
    models("one", {"base": 0.5, "mine": 0.9})
    next(Path("one/records").glob("mine*/quiz.json")).write_text("{")
    content = collected("one", baseline="base", margin=0.5)
    assert content.answer.outcome == "broken"
    assert len(content.problems) == 1
    assert content.answer.doubts[0].severity is Severity.ERROR


def test_what_was_asked_otherwise_is_set_apart_with_what_differs(collected):
    models("one", {"base": 0.5, "mine": 0.9})
    answer("one", "other", "quiz", correct=right(0.7, 60), digest="e" * 64)
    content = collected("one", baseline="base")
    (board,) = [board for board in content.boards if board.task == "quiz"]
    assert [row.model for row in board.rows] == ["mine", "base"]
    assert board.apart[0].model == "other"
    (doubt,) = doubts(content, "not-comparable")
    assert (doubt.models, doubt.tasks) == (("other",), ("quiz",))
    assert doubt.sentence.endswith("data: dddddddd / eeeeeeee")
    assert content.compared[0].outcome == "broken"  # and it has no exam


@pytest.mark.parametrize("folders", [("one", "two"), ("two", "one")])
def test_a_model_that_two_folders_asked_different_things_is_an_error_in_either_order(collected, folders):
    models("one", {"base": 0.5, "mine": 0.9})
    answer("two", "mine", "quiz", correct=right(0.1, 60), digest="e" * 64)
    with pytest.raises(HarnessError, match=r"^mine was asked different things on quiz, in ") as caught:
        collected(*folders, baseline="base")
    assert "data: " in caught.value.exists


def test_paths_of_this_machine_are_not_in_a_report(collected, tmp_path):
    models("one", {"base": 0.5, "mine": 0.9})
    next(Path("one/predictions").glob("mine*/quiz.parquet")).write_bytes(b"PAR1")
    next(Path("one/predictions").glob("mine*/exam.parquet")).unlink()
    content = collected("one", baseline="base")
    assert "one/predictions/mine" in json_document(content)
    assert str(tmp_path) not in json_document(content)


def test_samples_limits_and_files_have_boards_of_their_own(collected):
    for told in ({}, {"data": "sample"}, {"limit": 50}):
        for name, share in (("base", 0.5), ("mine", 0.9)):
            answer("one", name, "quiz", correct=right(share, 60), **told)
    content = collected("one", baseline="base")
    assert [board.id for board in content.boards] == ["quiz", "quiz-limit50", "quiz-sample"]
    assert [board.origin for board in content.boards] == ["files", "files, limit 50", "sample"]
    sentences = [doubt.sentence for doubt in doubts(content, "sample")]
    assert sentences[0].startswith("samples on 1 of 3 tasks")
    assert sentences[1].startswith("limited to at most 50 examples")


def test_two_models_of_one_name_are_told_apart_by_their_fingerprints(collected):
    for fingerprint, share in (("a" * 64, 0.5), ("b" * 64, 0.9)):
        answer(fingerprint[0], "same", "quiz", correct=right(share, 60), fingerprint=fingerprint)
    content = collected("a", "b")
    assert [model.name for model in content.models] == ["same~aaaaaaaa", "same~bbbbbbbb"]
    ((one,), (other,)) = [family.comparisons for family in content.compared]
    assert (one.candidate.name, one.candidate.source) == ("same~bbbbbbbb", "b")
    assert other.lines[0].gain == -one.lines[0].gain


def test_one_cause_is_one_doubt_with_its_models_and_tasks(collected):
    findings = (Finding("repeated", Severity.WARNING, "3 rows repeat", "drop them"),)
    cut = Truncation(texts=10, truncated=2, tokens=100, lost=5)
    models("one", {"base": 0.5, "mine": 0.9})
    for path in Path("one/records").glob("*/*.json"):
        record = ResultsFolder(Path("one"))
        (found,) = [each for each in record.evaluations() if record.record_path(each).samefile(path)]
        record._write(path, _sealed(replace(found, findings=findings, truncation=cut)))
    content = collected("one", baseline="base")
    (finding,) = doubts(content, "finding")
    assert finding.sentence == "repeated: 3 rows repeat"
    assert (finding.models, finding.tasks, finding.remedy) == (
        ("base", "mine"),
        ("exam", "quiz"),
        "drop them",
    )
    (truncated,) = doubts(content, "truncated")
    assert truncated.sentence == "texts are cut after 256 tokens: 5.0% of all tokens of quiz were not read"
    assert content.boards[0].rows[0].lost_tokens == 0.05


def _sealed(record):
    from harness.results.folder import sealed

    return sealed(record)


def test_without_texts_nothing_of_a_record_that_may_quote_one_is_there(collected):
    secret = "the tenant shall pay"
    models("one", {"base": 0.5, "mine": 0.9})
    folder = ResultsFolder(Path("one"))
    for record in folder.evaluations():
        finding = Finding("odd", Severity.WARNING, f"row 3 is {secret}", f"say {secret} otherwise")
        changed = replace(record, findings=(finding,), fitted={"label": secret, "threshold": 0.5})
        folder._write(folder.record_path(record), _sealed(changed))
    folder.write_error(
        evaluated("mine", "essay", fingerprint=fingerprint("mine"), error=f"ValueError: {secret}"), None
    )
    assert secret in json_document(collected("one", baseline="base"))
    content = collected("one", baseline="base", texts=False)
    assert secret not in json_document(content)
    assert content.texts is False
    assert content.boards[1].rows[0].fitted["threshold"] == "0.5"
    assert doubts(content, "finding")[0].remedy == ""


def test_the_commands_of_a_report_are_those_that_say_the_same(collected, as_json, run_harness):
    models("one", {"base": 0.5, "mine": 0.9, "it's": 0.7})
    models("two", {"far": 0.8})
    for folders in (("one",), ("two", "one")):
        content = collected(*folders, margin=0.05, domain=("law",))
        for family in content.compared:
            words = shlex.split(family.command)
            said = json.loads(run_harness(*words[1:], "--format", "json"))
            assert said["comparisons"] == as_json(family)["comparisons"]
            assert said["warnings"] == list(family.warnings)
        assert len(content.compared) == len(content.models)


def test_boards_are_those_of_the_leaderboard_with_its_letters_and_ranks(collected, run_harness):
    models("one", {"base": 0.5, "mine": 0.9})
    models("two", {"far": 0.8})
    content = collected("one", "two", family="all")
    rows = json.loads(run_harness("leaderboard", "one", "two", "--family", "all", "--format", "json"))["rows"]
    told = {(row["task"], row["model"]): row for row in rows if row["headline"]}
    assert len(told) == 6
    for board in content.boards:
        for row in board.rows:
            known, score = told[board.task, row.model], row.scores[0]
            assert (score.metric, score.score) == (known["metric"], known["score"])
            assert (score.low, score.high) == (known["low"], known["high"])
            assert (row.letters, row.best) == (known["letters"], known["best"])
            assert row.rank == (known["rank_low"], known["rank_high"])
    (ranking,) = content.rankings
    assert [row.model for row in ranking.models] == [row.model for row in content.boards[0].rows]


def test_quality_against_speed_is_that_of_compare_with_an_interval(collected, as_json, run_harness):
    models("one", {"base": 0.5, "mine": 0.9, "slow": 0.4})
    folder = ResultsFolder(Path("one"))
    for name, speed in (("base", 100.0), ("mine", 50.0), ("slow", 10.0)):
        folder.write_throughput(timed(name, speed))
    content = collected("one", baseline="base")
    words = ("compare", "one", "--baseline", "base", "--candidate", "*", "--format", "json")
    front = json.loads(run_harness(*words))["front"]
    assert [(one.model, one.quality.score, one.on_front) for one in content.trade_off] == [
        (one["model"], one["quality"], one["on_front"]) for one in front
    ]
    assert content.trade_off_tasks == ("exam", "quiz")
    assert content.trade_off[0].texts_per_second == (40.0, 50.0, 60.0)
    folder.write_throughput(timed("mine", 50.0, processor="another"))
    content = collected("one", baseline="base")
    assert {one.model: one.texts_per_second for one in content.trade_off}["mine"] is None
    assert [model.texts_per_second for model in content.models if model.name == "mine"] == [None]


def timed(name, speed, processor="a"):
    return Throughput(
        model=name,
        fingerprint=fingerprint(name),
        workload="w",
        texts=10,
        tokens=None,
        seconds=(1.0,),
        cpu_seconds=(1.0,),
        texts_per_second=speed,
        texts_per_second_low=speed - 10 if speed > 10 else speed,
        texts_per_second_high=speed + 10,
        tokens_per_second=None,
        device="cpu",
        dtype="float32",
        backend="plain",
        threads=1,
        processor=processor,
        cores=1,
        load=None,
    )


def test_a_result_that_contradicts_its_predictions_is_in_no_mean_of_quality(collected):
    models("one", {"base": 0.5, "mine": 0.9})
    folder = ResultsFolder(Path("one"))
    for name, speed in (("base", 100.0), ("mine", 50.0)):
        folder.write_throughput(timed(name, speed))
    record = next(one for one in folder.evaluations() if one.examination.task == "quiz")
    wrong = replace(record.scores[0], score=0.123)
    folder._write(folder.record_path(record), _sealed(replace(record, scores=(wrong,))))
    content = collected("one", baseline="base")
    assert content.trade_off_tasks == ("exam",)
    assert [one.quality.score for one in content.trade_off] == [
        row.scores[0].score for board in content.boards if board.task == "exam" for row in board.rows
    ]
    assert len(content.problems) == 1


def test_each_stage_is_told_so_that_nothing_is_silent_for_long():
    class Told(Progress):
        stages: ClassVar[list[str]] = []

        def stage(self, what):
            self.stages.append(what)

    models("one", {"base": 0.5, "mine": 0.9})
    collect(ReportRequest(folders=("one",)), {}, progress=Told())
    assert Told.stages == [
        "reading results",
        "comparing with base",
        "comparing with base, model 1 of 2",
        "comparing with mine, model 2 of 2",
        "reading examples",
    ]
