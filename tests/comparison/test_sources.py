"""Reading result folders and leaderboards, and picking models from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from comparison.made import answer, right
from harness.comparison.sources import pick, read_results
from harness.errors import HarnessError
from harness.results.prediction_files import read_table


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for model in ("minilm", "nda-1", "nda-2"):
        answer("out", model, correct=right(0.7, 20), words=["a"] * 20, scores=[[0.1, 0.2]] * 20)


def test_all_models_of_a_folder_are_read():
    assert [side.name for side in read_results(Path("out"))] == ["minilm", "nda-1", "nda-2"]


def test_models_are_picked_by_name_or_pattern():
    sides = read_results(Path("out"))
    assert [side.name for side in pick(sides, ["nda-*"], "--candidate", Path("out"))] == ["nda-1", "nda-2"]
    assert [side.name for side in pick(sides, ["minilm"], "--baseline", Path("out"))] == ["minilm"]


def test_a_name_is_needed_where_there_are_several_and_an_unknown_one_is_an_error():
    sides = read_results(Path("out"))
    with pytest.raises(HarnessError) as error:
        pick(sides, [], "--baseline", Path("out"))
    assert str(error.value) == (
        "out holds 3 models\n  models: minilm, nda-1, nda-2\n  hint: say which: --baseline NAME"
    )
    with pytest.raises(HarnessError, match="no model in out named 'minilm2'"):
        pick(sides, ["minilm2"], "--baseline", Path("out"))


def test_a_folder_that_holds_a_leaderboard_alone_names_the_file():
    Path("bare").mkdir()
    Path("bare/rows.csv").write_text("text1,text2\na,b\n")
    with pytest.raises(HarnessError, match="no results in bare\n"):
        read_results(Path("bare"))
    shutil.copy("out/leaderboard.csv", "bare/leaderboard.csv")
    with pytest.raises(
        HarnessError, match=r"it has no records, but a leaderboard \(leaderboard.csv\)"
    ) as error:
        read_results(Path("bare"))
    assert error.value.hint.startswith("give the file: bare/leaderboard.csv;")


def test_a_leaderboard_in_its_folder_has_predictions_and_a_copied_one_does_not():
    (in_folder,) = pick(read_results(Path("out/leaderboard.csv")), ["minilm"], "", Path())
    assert in_folder.answered["quiz", "files", None].predictions is not None
    shutil.copy("out/leaderboard.csv", "copy.csv")
    (alone,) = pick(read_results(Path("copy.csv")), ["minilm"], "", Path())
    one = alone.answered["quiz", "files", None]
    assert one.predictions is None
    assert (
        one.evaluation.scores[0].score == in_folder.answered["quiz", "files", None].evaluation.scores[0].score
    )


def test_an_edited_leaderboard_does_not_use_the_records_in_its_folder():
    text = Path("out/leaderboard.csv").read_text()
    (minilm,) = pick(read_results(Path("out")), ["minilm"], "", Path())
    score = minilm.answered["quiz", "files", None].evaluation.scores[0].score
    Path("out/leaderboard.csv").write_text(text.replace(f",{score},", ",0.99,"))
    (edited,) = pick(read_results(Path("out/leaderboard.csv")), ["minilm"], "", Path())
    assert edited.answered["quiz", "files", None].predictions is None


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("none", None, "no folder or file none"),
        ("empty.csv", "", "no results in empty.csv"),
        ("other.csv", "a,b\n1,2\n", "other.csv is not a leaderboard: it has no column model"),
    ],
)
def test_a_path_without_results_is_an_error(path, content, message):
    if content is not None:
        Path(path).write_text(content)
    with pytest.raises(HarnessError, match=message):
        read_results(Path(path))


def test_an_empty_folder_is_an_error():
    Path("nothing").mkdir()
    with pytest.raises(HarnessError, match="no results in nothing"):
        read_results(Path("nothing"))


def test_a_table_has_the_requested_columns_and_lists_as_arrays():
    one = read_results(Path("out"))[0].answered["quiz", "files", None]
    assert set(read_table(one, {"id", "correct", "none"})) == {"id", "correct"}
    whole = read_table(one)
    assert whole["scores"][0].tolist() == [0.1, 0.2]
    assert whole["words"].tolist() == ["a"] * 20
