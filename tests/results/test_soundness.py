"""What does not hold is shown as broken and is not ranked, in every command that reads records."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import evaluated
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness.errors import HarnessError
from harness.results.folder import ResultsFolder, seal
from harness.results.prediction_files import TaskResult, read_table
from harness.results.records import Score
from harness.results.soundness import as_broken, record_fault, score_fault

EXAMPLE = Path(__file__).parents[2] / "results" / "example"


def record(model="lexical", task="stsb-dev@sample", folder="ex"):
    (path,) = Path(folder, "records").glob(f"{model}~*/{task}.json")
    return path


def predictions(model="lexical", task="stsb-dev@sample"):
    (path,) = Path("ex/predictions").glob(f"{model}~*/{task}.parquet")
    return path


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The committed example's STS-B dev results of two models, in `ex`."""
    from harness.results.publish import publish

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")
    for part in ("records", "predictions"):
        for path in EXAMPLE.glob(f"{part}/*/stsb-dev@*"):
            copy = Path("ex", path.relative_to(EXAMPLE))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    publish(ResultsFolder(Path("ex")))


@pytest.fixture
def harness(example, capsys, monkeypatch):
    import sys

    from harness.cli import main

    def calling(*words):
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        return code, *capsys.readouterr()

    return calling


def edit(path, change, *, reseal=False):
    content = json.loads(path.read_text())
    change(content)
    if reseal:
        content["seal"] = seal(content)
    path.write_text(json.dumps(content, indent=1))


def best(content):
    content["scores"][0].update(score=0.999, low=-0.143, high=0.149)


def best_within(content):
    content["scores"][0].update(score=0.999, low=0.99, high=1.0)


def of_gold_alone(content):
    content["scores"][0].update(columns=["gold", "gold"], score=1.0, low=1.0, high=1.0)


def of_lengths(content):
    """Name another column, and the score that it gives."""
    from scipy.stats import spearmanr

    table = parquet.read_table(predictions())
    score = spearmanr(table["gold"].to_pylist(), table["text_length"].to_pylist())[0]
    content["scores"][0].update(columns=["gold", "text_length"], score=score, low=score, high=score)


def mean_of_gold(content):
    table = parquet.read_table(predictions())
    mean = sum(table["gold"].to_pylist()) / table.num_rows
    content["scores"][0].update(columns=["gold"], per_example=True, score=mean, low=mean, high=mean)


def without_predictions(content):
    content["predictions"] = None
    content["scores"][0].update(score=0.999, low=None, high=None)


EDITS = {
    "reads one column twice: gold, gold": lambda: edit(record(), of_gold_alone, reseal=True),
    "spearman was computed of predictions, and it names none": lambda: (
        edit(record(), without_predictions, reseal=True),
        predictions().unlink(),
    ),
    "spearman reads gold and text_length, that of the task gold and predicted": lambda: edit(
        record(), of_lengths, reseal=True
    ),
    "spearman reads the mean of gold, that of the task gold and predicted": lambda: edit(
        record(), mean_of_gold, reseal=True
    ),
    "seal does not hold": lambda: edit(record(), best_within),
    "lies outside its interval": lambda: edit(record(), best, reseal=True),
    "has no seal": lambda: edit(record(), lambda content: (best_within(content), content.pop("seal"))),
    "their record says 0.999000": lambda: edit(record(), best_within, reseal=True),
}

IN_THE_RECORD = [told for told in EDITS if not told.startswith(("their", "spearman reads"))]
"""Those that the record alone tells, without its task and its predictions."""


@pytest.mark.parametrize("told", EDITS)
def test_a_record_that_was_edited_to_the_best_score_leads_no_table(harness, told):
    EDITS[told]()
    code, out, err = harness("leaderboard", "ex")
    row = next(line for line in out.splitlines() if line.startswith(" spearman"))
    assert row.split()[1:3] == ["BROKEN", "0.6919"]
    assert told in out
    assert told in err
    assert code == 2
    code, out, _ = harness("leaderboard", "ex", "--format", "csv")
    rows = {row["model"]: row for row in csv.DictReader(out.splitlines()) if row["headline"] == "true"}
    assert (rows["lexical"]["status"], rows["lexical"]["score"]) == ("broken", "")
    assert told in rows["lexical"]["error"]
    assert code == 2
    for form in ("md", "tex", "json"):
        assert harness("leaderboard", "ex", "--format", form)[0] == 2


@pytest.mark.parametrize("told", EDITS)
def test_compare_says_that_an_edited_record_is_broken(harness, told):
    EDITS[told]()
    code, out, _ = harness("compare", "ex", "--baseline", "minilm", "--write", "made.md")
    assert code == 2
    assert "MISSING OR BROKEN" in out
    assert told in out
    assert told in Path("made.md").read_text().replace("\\_", "_")


@pytest.mark.parametrize("told", IN_THE_RECORD)
def test_a_run_publishes_an_edited_record_as_broken_and_exits_with_2(harness, told):
    EDITS[told]()
    code, out, _ = harness(
        "run", "--model", "other=lexical", "--tasks", "stsb-dev", "--out", "ex", "--no-throughput"
    )
    assert code == 2
    assert f"PROBLEM ex/records/{record().parent.name}" in out
    assert told in out
    assert ",broken," in Path("ex/leaderboard.csv").read_text()
    assert harness("verify", "ex")[0] == 1


@pytest.mark.parametrize("told", IN_THE_RECORD)
def test_status_says_that_an_edited_record_is_missing(harness, told):
    EDITS[told]()
    code, out, _ = harness("status", "ex")
    assert code == 1
    assert told in out


def test_a_record_in_another_models_place_is_a_problem_and_hides_nothing(harness):
    copy = record("minilm").with_name("stsb@sample.json")
    shutil.copy(record("minilm"), copy)
    code, out, err = harness("leaderboard", "ex")
    assert code == 2
    assert "is not in its place: its content belongs in records/minilm" in err
    assert "0.6919" in out


def test_a_file_that_is_no_record_is_a_problem_and_the_others_are_ranked(harness):
    record().write_text("{")
    code, out, err = harness("leaderboard", "ex")
    assert code == 2
    assert "is not a readable record" in err
    assert "0.6919" in out


def test_predictions_whose_values_were_changed_are_broken_whatever_their_footer_says(harness):
    table = parquet.read_table(predictions())
    changed = [1 - value for value in table["predicted"].to_pylist()]
    at = table.column_names.index("predicted")
    parquet.write_table(table.set_column(at, "predicted", pa.array(changed)), predictions())
    code, out, _ = harness("leaderboard", "ex")
    assert code == 2
    assert "their values do not have their record's hash" in out
    assert "BROKEN" in out
    code, out, _ = harness("compare", "ex", "--baseline", "minilm")
    assert code == 2
    assert "their values do not have their record's hash" in out


def test_a_text_that_no_metric_reads_is_hashed_too(harness):
    table = parquet.read_table(predictions())
    at = table.column_names.index("text1")
    texts = ["another text", *table["text1"].to_pylist()[1:]]
    parquet.write_table(table.set_column(at, "text1", pa.array(texts)), predictions())
    assert harness("compare", "ex", "--baseline", "minilm")[0] == 2


def test_a_file_that_changes_after_it_was_read_is_hashed_again(example):
    evaluation = next(
        one for one in ResultsFolder(Path("ex")).evaluations() if one.candidate.model == "lexical"
    )
    result = TaskResult(evaluation=evaluation, predictions=predictions())
    assert list(read_table(result, ["id"])) == ["id"]
    assert list(read_table(result, ["gold"])) == ["gold"]
    table = parquet.read_table(predictions())
    at = table.column_names.index("gold")
    parquet.write_table(table.set_column(at, "gold", pa.array([0.0] * table.num_rows)), predictions())
    with pytest.raises(HarnessError, match="their values do not have their record's hash"):
        read_table(result, ["gold"])


@pytest.mark.parametrize(
    ("column", "value"),
    [("score", "0.9"), ("low", "-0.5"), ("examples", "9"), ("dtype", "float16"), ("limit", "")],
)
def test_rows_of_a_csv_that_contradict_the_records_beside_them_are_broken(harness, column, value):
    path = Path("ex/leaderboard.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert harness("compare", path, "--baseline", "minilm")[0] == 1
    for row in rows:
        if row["model"] == "lexical" and row["headline"] == "true":
            row[column] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    code, out, _ = harness("compare", path, "--baseline", "minilm")
    if column == "limit":  # nothing was changed
        assert code == 1
        return
    assert code == 2
    assert "stsb-dev is BROKEN in the results of lexical: its rows in the CSV" in out
    if (
        column == "score"
    ):  # a copy alone cannot be held against records, but its score lies outside its interval
        shutil.copy(path, "alone.csv")
        code, out, _ = harness("compare", "alone.csv", "--baseline", "minilm")
        assert code == 2
        assert "lies outside its interval" in out


def test_predictions_that_are_not_there_are_not_broken(harness):
    predictions().unlink()
    code, out, _ = harness("leaderboard", "ex")
    assert code == 0
    assert "BROKEN" not in out


FINITE = st.floats(-1, 1)


@given(FINITE, FINITE, FINITE)
def test_a_score_holds_exactly_where_it_lies_in_its_interval(score, low, high):
    fault = score_fault([Score(metric="m", score=score, low=low, high=high)])
    assert (fault is None) == (low <= score <= high)


def test_an_interval_without_a_score_cannot_be_and_none_at_all_is_fine():
    assert "no score" in score_fault([Score(metric="m", score=None, low=0.0, high=1.0)])
    assert score_fault([Score(metric="m", score=0.5), Score(metric="n", score=None)]) is None


def test_of_a_broken_record_nothing_but_its_names_is_kept():
    sound = evaluated()
    broken = as_broken(sound, "why")
    assert (broken.model, broken.examination, broken.error) == (sound.model, sound.examination, "why")
    assert (broken.scores[0].score, broken.predictions, broken.candidate.facts) == (None, None, None)
    assert record_fault(replace(sound), True) is None


@pytest.mark.parametrize("told", EDITS)
def test_an_edited_record_does_not_verify(harness, told):
    EDITS[told]()
    code, out, err = harness("verify", "ex")
    assert code == 1
    assert "record" in out + err


def test_a_record_of_a_failure_among_the_successes_is_no_success(harness):
    edit(record(), lambda content: content.update(status="error"), reseal=True)
    evaluation = evaluated()
    results = ResultsFolder(Path("ex"))
    sound = next(one for one in results.evaluations([]) if one.candidate.model == "minilm")
    content = json.loads(record().read_text())
    identity = content["candidate"]["model"], content["candidate"]["fingerprint"]
    with pytest.raises(HarnessError, match=r"is not in its place: its content belongs in errors/lexical"):
        results.read(identity, sound.examination)
    assert evaluation.status == "ok"
    assert harness("status", "ex")[0] != 0
