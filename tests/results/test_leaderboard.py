"""Leaderboards: a function of the records, safe from formula injection, and read back exactly."""

from __future__ import annotations

import csv
import io
import json
import threading
from dataclasses import fields, replace

import pytest
from conftest import evaluated
from hypothesis import given
from hypothesis import strategies as st

from harness import Finding, HarnessError, Settings, Severity
from harness.models.interface import Deviation
from harness.results.folder import ResultsFolder
from harness.results.leaderboard import LeaderboardRow, boards, leaderboard_rows, read_leaderboard
from harness.results.publish import publish, to_csv
from harness.results.records import Score, Throughput, Truncation

# The line end of Windows apart: a file that was written there reads like one that was not.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: "\r\n" not in text
)
FORMULA_LIKE = st.from_regex(r"'{0,3}[ \u00a0\r]?[=+@\-\t＝＠]{1,2}[a-z()|!'1 ]{0,6}", fullmatch=True)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
TEXT = ANY_TEXT | FORMULA_LIKE | st.sampled_from(["null", "None", "true", "1", "1.0", "nan", "", " ", "'"])
VALUES = {
    "str": TEXT,
    "str | None": st.none() | TEXT.filter(bool),
    "bool": st.booleans(),
    "int": st.integers(0, 2**63 - 1),
    "int | None": st.none() | st.integers(0, 2**63 - 1),
    "float | None": st.none() | NUMBER,
    "Literal['ok', 'error', 'broken']": st.sampled_from(["ok", "error"]),
}
ENDS = st.just((None, None)) | st.tuples(NUMBER, NUMBER)
CELLS = {
    column.name: VALUES[column.type.replace('"', "'")]
    for column in fields(LeaderboardRow)
    if column.name not in ("low", "high")
}
RECORDS = st.builds(lambda ends, **cells: LeaderboardRow(low=ends[0], high=ends[1], **cells), ENDS, **CELLS)


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("leaderboard") / "leaderboard.csv"


# --- CSV --------------------------------------------------------------------------------------------------


@given(rows=st.lists(RECORDS, min_size=1, max_size=3))
def test_every_record_comes_back_from_csv_to_the_last_bit(rows, file):
    file.write_text(to_csv(rows), encoding="utf-8", newline="")
    assert repr(read_leaderboard(file)) == repr(rows)


@given(st.lists(RECORDS, max_size=3))
def test_no_cell_starts_a_formula(rows):
    text_columns = [
        position for position, column in enumerate(fields(LeaderboardRow)) if "str" in column.type
    ]
    for row in csv.reader(io.StringIO(to_csv(rows), newline="")):
        assert not any(
            row[position].startswith(("\t", "\r", "\n"))
            or row[position].lstrip().startswith(tuple("=+-@＝＋－＠"))
            for position in text_columns
        )


@pytest.mark.parametrize(
    "name",
    [
        "=cmd()|x", "'=x", "''=x", "-1", "+1", "@SUM(A1)", "Ünï — 漢字", 'a"b,c', "a\nb", " =1", "＝1",
        "\t=1", "\r=1", "'\r", "m\rforged,stsb,spearman", "\x00=1", "\ufeff=1", "<script>alert(1)</script>",
    ],
)  # fmt: skip
def test_a_model_may_have_any_name(name, file):
    (row,) = leaderboard_rows([evaluated(name)])
    file.write_text(to_csv([row]), encoding="utf-8", newline="")
    assert read_leaderboard(file) == [row]
    assert row.model == name


def test_a_leaderboard_converted_to_json_is_read_or_is_an_error(tmp_path):
    (row,) = csv.DictReader(io.StringIO(to_csv(leaderboard_rows([evaluated()]))))
    for cell in (0.5, None, [], "0.5"):
        (tmp_path / "board.json").write_text(json.dumps([row | {"score": cell, "low": 0.25}]))
        try:
            assert read_leaderboard(tmp_path / "board.json")[0].score == (None if cell is None else 0.5)
        except HarnessError as error:
            assert cell == []
            assert "is not a leaderboard" in error.message


def test_a_negative_score_is_a_number_not_a_text(file):
    text = to_csv(leaderboard_rows([evaluated(score=-0.1)]))
    assert ",-0.1," in text


def test_a_leaderboard_of_unreadable_data_can_be_read(file):
    rows = leaderboard_rows(
        [evaluated(error="no file stsb.csv\n  hint: --data", digest=""), evaluated("other")]
    )
    file.write_text(to_csv(rows), encoding="utf-8", newline="")
    assert read_leaderboard(file) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("model,score\nm,0.5\n", "it has no column task, metric", id="columns"),
        pytest.param(
            to_csv(leaderboard_rows([evaluated()])).replace(",0.5,", ",half,"),
            "Expected `float | null`",
            id="a text",
        ),
        pytest.param(
            to_csv(leaderboard_rows([evaluated()])).replace(",ok,", ",fine,"), "'fine'", id="a status"
        ),
        pytest.param(to_csv(leaderboard_rows([evaluated()])) + "m,stsb\n", "2 cells", id="cut"),
        pytest.param(
            ",,".join(to_csv(leaderboard_rows([evaluated("a"), evaluated("b")])).rsplit(",0.75,", 1)),
            "is not a leaderboard: row 2: an interval with one end",
            id="one end",
        ),
    ],
)
def test_a_file_that_is_not_a_leaderboard_is_an_error(content, message, tmp_path):
    path = tmp_path / "leaderboard.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(HarnessError, match=message):
        read_leaderboard(path)


# --- records ----------------------------------------------------------------------------------------------

MODELS = st.tuples(st.sampled_from("abc"), st.sampled_from(["a" * 64, "b" * 64]))
EVALUATIONS = st.lists(
    st.builds(
        lambda model, task, score, limit, error: evaluated(
            model[0], task, score, fingerprint=model[1], limit=limit, error=error
        ),
        model=MODELS,
        task=st.sampled_from(["stsb", "legal"]),
        score=st.sampled_from([0.1, 0.5, 0.9]),
        limit=st.sampled_from([None, None, 5, 7]),
        error=st.sampled_from([None, None, None, "boom"]),
    ),
    unique_by=lambda one: one.key,
    max_size=8,
)


@given(EVALUATIONS, st.randoms())
def test_a_leaderboard_is_a_function_of_the_records_not_of_their_order(evaluations, random):
    shuffled = list(evaluations)
    random.shuffle(shuffled)
    assert to_csv(leaderboard_rows(shuffled)) == to_csv(leaderboard_rows(evaluations))
    for one, other in zip(boards(evaluations), boards(shuffled), strict=True):
        assert [row.evaluation for row in one.rows] == [row.evaluation for row in other.rows]
        assert sorted(one.refused) == sorted(other.refused)


@given(EVALUATIONS)
def test_every_evaluation_is_ranked_or_refused_with_a_reason(evaluations):
    for board in boards(evaluations):
        first = (board.rows[0].evaluation if board.rows else evaluations[0]).examination
        place = first.task, first.data, first.limit
        asked = [
            one
            for one in evaluations
            if (one.examination.task, one.examination.data, one.examination.limit) == place
        ]
        assert len(board.rows) + len(board.refused) == len(asked)
        assert len({row.evaluation.examination for row in board.rows if row.headline}) <= 1
        assert all(differences for _, differences in board.refused)
        scores = [row.headline.score for row in board.rows if row.headline]
        assert scores == sorted(scores, reverse=True)


def test_rows_are_sorted_by_task_then_metric_with_the_headline_first_then_model():
    metrics = [Score(metric=name, score=0.5) for name in ("spearman", "accuracy")]
    given = [
        evaluated(model, task, scores=tuple(metrics)) for task in ("stsb", "aila") for model in ("n", "m")
    ]
    found = [(row.task, row.metric, row.model, row.headline) for row in leaderboard_rows(given)]
    assert found == [
        (task, metric, model, metric == "spearman")
        for task in ("aila", "stsb")
        for metric in ("spearman", "accuracy")
        for model in ("m", "n")
    ]


def test_models_that_share_a_name_are_shown_with_their_fingerprint():
    given = [evaluated("nda", fingerprint=fp * 64) for fp in "ab"] + [evaluated("base", fingerprint="c" * 64)]
    assert [row.model for row in leaderboard_rows(given)] == ["base", "nda~aaaaaaaa", "nda~bbbbbbbb"]
    assert {row.model for row in boards(given)[0].rows} == {"base", "nda~aaaaaaaa", "nda~bbbbbbbb"}


def test_a_model_is_shown_by_one_name_on_all_tasks():
    given = [
        evaluated("nda", "stsb", fingerprint="a" * 64),
        evaluated("nda", "legal", fingerprint="a" * 64),
        evaluated("nda", "legal", fingerprint="b" * 64),
    ]
    assert {(row.task, row.model) for row in leaderboard_rows(given)} == {
        ("stsb", "nda~aaaaaaaa"),
        ("legal", "nda~aaaaaaaa"),
        ("legal", "nda~bbbbbbbb"),
    }


def test_a_failure_without_a_metric_is_still_a_row():
    (row,) = leaderboard_rows([evaluated(error="boom", scores=())])
    assert (row.metric, row.score, row.status, row.error) == ("none", None, "error", "boom")


def test_a_row_has_truncation_findings_and_prompts():
    one = evaluated(truncation=Truncation(texts=8, truncated=2, tokens=100, lost=25))
    one = replace(one, findings=(Finding("labels-inverted", Severity.WARNING, "AUC 0.1"),))
    settings = Settings(dtype="float16", truncate_dim=64, prompts=(("query", "Ü: "),))
    (row,) = leaderboard_rows([replace(one, candidate=replace(one.candidate, settings=settings))])
    assert (row.truncated_texts, row.lost_tokens, row.findings) == (0.25, 0.25, "labels-inverted")
    assert (row.dtype, row.truncate_dim, row.prompts) == ("float16", 64, '{"query": "Ü: "}')


def test_a_row_has_the_deviation_of_a_lower_precision():
    one = evaluated()
    moved = replace(
        one.candidate.facts, deviation=Deviation(texts=64, largest=2e-4, p99=1e-4, neighbors=0.99)
    )
    rows = leaderboard_rows([one, replace(one, candidate=replace(one.candidate, model="low", facts=moved))])
    assert [(row.model, row.deviation) for row in rows] == [("low", 2e-4), ("m", None)]


def test_a_row_has_how_embeddings_are_stored_and_what_that_costs():
    one = evaluated()
    cost = Deviation(texts=64, largest=0.25, p99=0.2, neighbors=0.875)
    stored = replace(
        one.candidate,
        settings=Settings(precision="binary"),
        facts=replace(one.candidate.facts, quantization=cost),
        fingerprint="b" * 64,
    )
    rows = leaderboard_rows([one, replace(one, candidate=stored), evaluated("z", error="boom")])
    assert [(row.precision, row.embedding_bytes, row.quantization) for row in rows] == [
        ("float32", 1536, None),
        ("binary", 48, 0.25),
        ("float32", None, None),
    ]


# --- boards -----------------------------------------------------------------------------------------------


def test_models_that_were_asked_different_things_are_refused_with_the_reason():
    given = [evaluated("a"), evaluated("b"), evaluated("other", digest="e" * 64), evaluated("old", version=0)]
    (board,) = boards(given)
    assert [row.model for row in board.rows] == ["a", "b"]
    assert board.refused == [("other", ["data: dddddddd / eeeeeeee"]), ("old", ["task version: 1 / 0"])]


@pytest.mark.parametrize("apart", [{"data": "sample", "digest": "e" * 64}, {"limit": 5}], ids=str)
def test_a_sample_or_a_quick_look_is_never_ranked_with_the_full_set(apart):
    found = boards([evaluated("a"), evaluated("b"), evaluated("c", **apart)])
    assert sorted([row.model for row in board.rows] for board in found) == [["a", "b"], ["c"]]
    assert [board.refused for board in found] == [[], []]


def test_models_with_different_settings_are_ranked_together():
    one, other = evaluated("a"), evaluated("b", score=0.75)
    other = replace(other, candidate=replace(other.candidate, settings=Settings(dtype="bfloat16")))
    (board,) = boards([one, other])
    assert [row.model for row in board.rows] == ["b", "a"]
    assert board.best("spearman") == 0.75


def test_a_failure_is_last_on_the_board():
    (board,) = boards([evaluated("a", error="boom", digest=""), evaluated("b", score=-0.5)])
    assert [(row.model, row.headline is None) for row in board.rows] == [("b", False), ("a", True)]
    assert board.refused == []


# --- files ------------------------------------------------------------------------------------------------


def speed(model, texts_per_second):
    return Throughput(
        model=model, fingerprint="a" * 64, workload="w" * 64, texts=10, tokens=100, seconds=(0.1,),
        cpu_seconds=(0.1,), texts_per_second=texts_per_second, texts_per_second_low=50.0,
        texts_per_second_high=100.0, tokens_per_second=750.0, device="cpu", dtype="float32", backend="plain",
        threads=1, processor="x", cores=2, load=None, libraries={"torch": "2"},
    )  # fmt: skip


def test_a_published_leaderboard_does_not_depend_on_speeds(tmp_path):
    for name, rate in (("slow", 1.5), ("fast", 99.0)):
        results = ResultsFolder(tmp_path / name)
        results.write(evaluated("=m"), None)
        results.write_throughput(speed("=m", rate))
        publish(results)
    for name in ("leaderboard.csv", "leaderboard.md"):
        assert (tmp_path / "slow" / name).read_bytes() == (tmp_path / "fast" / name).read_bytes()
    text = (tmp_path / "fast" / "throughput.csv").read_text(encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["model"], row["texts_per_second"], row["load"], row["libraries"]) == (
        "'=m",
        "99.0",
        "",
        "torch=2",
    )


def test_a_leaderboard_waits_for_another_process_and_then_reads_the_records_of_both(tmp_path):
    results = ResultsFolder(tmp_path)
    results.write(evaluated("first"), None)
    with results.publishing_lock():
        waiting = threading.Thread(target=publish, args=[ResultsFolder(tmp_path)])
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert not (tmp_path / "leaderboard.csv").exists()
        results.write(evaluated("second"), None)
    waiting.join(30)
    assert {row.model for row in read_leaderboard(tmp_path / "leaderboard.csv")} == {"first", "second"}


def test_a_folder_without_results_gets_no_leaderboard(tmp_path):
    publish(ResultsFolder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_same_rows_at_another_commit_of_the_hub_are_one_question():
    one, other = evaluated("a"), evaluated("b")
    other = replace(other, examination=replace(other.examination, hub="ORG/NAME@" + "1" * 40))
    (board,) = boards([one, other])
    assert (len(board.rows), board.refused) == (2, [])
