"""`harness leaderboard DIR…`: merge result folders, rank what is comparable, say what is not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison.made import answer, pairs, right
from conftest import evaluated

from harness.metrics.standard import SPEARMAN, mean_metric, spearman
from harness.results.folder import ResultsFolder
from harness.results.records import Score

VALUE = mean_metric("value")


@pytest.fixture
def write():
    """Write records into a results folder of the given name."""

    def writing(folder, *evaluations):
        for evaluation in evaluations:
            if evaluation.status == "ok":
                ResultsFolder(Path(folder)).write(evaluation, None)
            else:
                ResultsFolder(Path(folder)).write_error(evaluation, None)

    return writing


def test_folders_are_merged_and_ranked(harness, write):
    write("one", evaluated("base", score=0.5))
    write("two", evaluated("new", score=0.75))
    answer = harness("leaderboard", "one", "two", "--format", "md")
    assert answer.code == 0
    assert "|  | base | new |" in answer.out
    assert "| spearman | 0.5000 [0.250, 0.750] | **0.7500 [0.250, 0.750]** |" in answer.out
    table = harness("leaderboard", "one", "two").out
    assert "spearman 0.5000 [0.250, 0.750] 0.7500 [0.250, 0.750]" in " ".join(table.split())


def test_csv_and_json_say_the_same_as_the_file_that_a_run_writes(harness, write):
    from harness.results.publish import publish

    write("one", evaluated("base"), evaluated("=new", "legal", error="boom"))
    publish(ResultsFolder(Path("one")))
    text = harness("leaderboard", "one", "--format", "csv").out
    assert text == Path("one/leaderboard.csv").read_text(encoding="utf-8")
    records = json.loads(harness("leaderboard", "one", "--format", "json").out)["rows"]
    assert [(record["model"], record["score"]) for record in records] == [("=new", None), ("base", 0.5)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_order_of_folders_does_not_matter(form, harness, write):
    write("one", evaluated("base"), evaluated("base", "legal", error="out of memory"))
    write("two", evaluated("base", "legal"), evaluated("quick", limit=5))
    forward = harness("leaderboard", "one", "two", "--format", form)
    assert forward.code == 0
    assert forward.out == harness("leaderboard", "two", "one", "--format", form).out


def test_results_that_are_not_comparable_are_not_ranked_and_the_reason_is_shown(harness, write):
    write("one", evaluated("a"), evaluated("b"))
    write("two", evaluated("other", digest="e" * 64))
    answer = harness("leaderboard", "one", "two")
    assert answer.code == 0
    assert "other is not ranked, it was asked something else: data: dddddddd / eeeeeeee" in answer.out


def test_a_copy_of_a_folder_changes_nothing(harness, write):
    for folder in ("one", "copy"):
        write(folder, evaluated("base"))
    once = harness("leaderboard", "one", "--format", "csv").out
    assert harness("leaderboard", "one", "copy", "--format", "csv").out == once


def test_a_success_in_another_folder_replaces_a_failure(harness, write):
    write("small-machine", evaluated("base", error="out of memory"))
    write("large-machine", evaluated("base"))
    for folders in (["small-machine", "large-machine"], ["large-machine", "small-machine"]):
        (record,) = json.loads(harness("leaderboard", *folders, "--format", "json").out)["rows"]
        assert (record["status"], record["score"]) == ("ok", 0.5)


def test_other_predictions_of_the_same_model_are_an_error_that_names_the_folder(harness, write):
    one = evaluated("base")
    write("one", one)
    write("two", replace(one, predictions="f" * 64))
    answer = harness("leaderboard", "one", "two")
    assert answer.code == 2
    assert "Error: two has another result of base for stsb\n  settings: " in answer.err
    assert "hint: another device, machine or library?" in answer.err


def test_models_of_one_name_from_two_folders_get_different_names(harness, write):
    write("one", evaluated("nda", fingerprint="a" * 64))
    write("two", evaluated("nda", fingerprint="b" * 64))
    records = json.loads(harness("leaderboard", "one", "two", "--format", "json").out)["rows"]
    assert [record["model"] for record in records] == ["nda~aaaaaaaa", "nda~bbbbbbbb"]


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_a_folder_without_results_is_named(folder, harness):
    Path("empty").mkdir()
    answer = harness("leaderboard", folder)
    assert answer.code == 2
    assert (
        f"Error: no results in {folder}\n  hint: give a folder that `harness run --out` wrote" in answer.err
    )


def test_a_file_that_is_not_a_record_is_named(harness, write):
    write("one", evaluated("base"))
    Path("one/records/base~aaaaaaaa/other.json").write_text('{"schema": 1}')
    answer = harness("leaderboard", "one")
    assert answer.code == 2
    assert "other.json is not a readable record" in answer.err


def test_no_folder_and_an_unknown_format_are_errors(harness):
    assert harness("leaderboard").code == 2
    answer = harness("leaderboard", "one", "--format", "xlsx")
    assert answer.code == 2
    assert "no format named 'xlsx'" in answer.err


# --- letters, and all tasks together ----------------------------------------------------------------------


@pytest.fixture
def answered():
    """Two models alike and one far below, on two tasks, with their predictions."""
    for task in ("quiz", "exam"):
        answer("out", "good", task, correct=right(0.9), tags=("law",))
        answer("out", "fair", task, correct=right(0.89), tags=("law",))
        answer("out", "poor", task, correct=right(0.3), tags=("law",))


def test_models_that_do_not_differ_share_a_letter(harness, answered):
    text = harness("leaderboard", "out", "--format", "md").out
    row = next(line for line in text.splitlines() if line.startswith("| accuracy"))
    cells = [cell.strip(" *") for cell in row.split("|")[2:5]]
    header = [name.strip() for name in text.split("### exam")[1].splitlines()[4].split("|")[2:5]]
    assert {name: cell[-2:] for name, cell in zip(header, cells, strict=True)} == {
        "good": " a",
        "fair": " a",
        "poor": " b",
    }
    assert "models that share a letter do not differ significantly" in text
    assert f"| poor | 3.00 | 0 | {right(0.3).mean():.4f} |" in text
    assert "average rank" in harness("leaderboard", "out").out


def test_letters_follow_the_headline_of_a_long_board_too(harness, answered):
    answer("out", "last", "quiz", correct=right(0.0))
    lines = harness("leaderboard", "out", "--format", "md").out.split("### quiz")[1].splitlines()
    found = {line.split("|")[1].strip(): line.split("|")[2].strip(" *")[-2:] for line in lines[6:10]}
    assert found == {"good": " a", "fair": " a", "poor": " b", "last": " c"}


def test_the_table_says_which_family_its_letters_hold_for(harness, answered):
    assert "(5 % for all pairs of this task together)" in harness("leaderboard", "out").out
    assert "(5 % for all pairs of all tasks together)" in harness("leaderboard", "out", "--family", "all").out
    assert harness("leaderboard", "out", "--family", "some").code == 2


def test_each_rank_has_an_interval_and_a_chance_to_lead_on_tasks_and_overall(harness, answered):
    text = harness("leaderboard", "out", "--format", "md").out
    exam, overall_ = text.split("### exam")[1].split("### quiz")[0], text.split("### overall")[1]
    header = [name.strip() for name in exam.splitlines()[4].split("|")[2:5]]
    row = next(line for line in exam.splitlines() if line.startswith("| rank"))
    ranks = dict(zip(header, (cell.strip().split(" ")[0] for cell in row.split("|")[2:5]), strict=True))
    assert ranks == {"good": "1–2", "fair": "1–2", "poor": "3"}
    assert "rank (best): 95 % interval of each rank" in exam
    assert "| 3 (0 %) |" in next(line for line in overall_.splitlines() if line.startswith("| poor"))


def test_a_long_board_has_a_column_of_ranks(harness, answered):
    answer("out", "last", "quiz", correct=right(0.0))
    lines = harness("leaderboard", "out", "--format", "md").out.split("### quiz")[1].splitlines()
    assert lines[4] == "| model | accuracy | rank (best) |"
    assert lines[9] == "| last | 0.0000 c | 4 (0 %) |"


def test_json_has_letters_and_ranks_of_headline_scores(harness, answered, document):
    rows = document("leaderboard", harness("leaderboard", "out", "--format", "json"))["rows"]
    (poor,) = [row for row in rows if (row["model"], row["task"]) == ("poor", "quiz")]
    assert (poor["letters"], poor["rank_low"], poor["rank_high"], poor["best"]) == ("b", 3, 3, 0.0)
    without = json.loads(harness("leaderboard", "out", "--format", "json", "--no-letters").out)["rows"]
    assert {row["letters"] for row in without} == {None}


def test_no_letters_reads_no_predictions(harness, answered):
    for path in Path("out/predictions").rglob("*.parquet"):
        path.write_bytes(b"broken")
    answer_ = harness("leaderboard", "out", "--no-letters", "--format", "md")
    assert answer_.code == 0
    assert "letter" not in answer_.out
    assert "| 1.00 | 4 | 0." in answer_.out.replace("**", "")


def test_a_board_without_letters_says_why(harness, answered):
    for path in Path("out/predictions").glob("*/quiz.parquet"):
        path.unlink()
    text = harness("leaderboard", "out", "--format", "md").out
    assert "no letters: the predictions of good on quiz are missing" in text.replace("\\_", "_")
    assert text.count("models that share a letter") == 1


def test_latex_is_printed_alone(harness, answered):
    text = harness("leaderboard", "out", "--format", "tex").out
    assert text.startswith("% exam\n\\begin{tabular}{lrr}\n\\toprule\n")
    assert text.count("\\textsuperscript{b}") == 2
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 3


def test_more_than_26_letters_are_possible(harness):
    for place in range(30):
        answer("out", f"m{place:02}", metrics=(VALUE,), value=place + np.tile([0.0, 0.1], 10))
    text = harness("leaderboard", "out", "--format", "md").out
    rows = [line for line in text.splitlines() if line[:4] in ("| m0", "| m1", "| m2")]
    last = [row.split("|")[2].split()[-1].strip("*") for row in rows]
    assert last[:2] + last[-5:] == ["a", "b", "z", "aa", "ab", "ac", "ad"]


@pytest.mark.parametrize("form", ["table", "md", "tex"])
def test_a_hostile_name_cannot_write_to_the_terminal_or_end_a_line(form, harness):
    name = "a|b_*<i>\x1b[31m\n% \\input{x}"
    for model in (name, "other"):
        for task in ("quiz", "exam"):
            answer("out", model, task, correct=right(0.5))
    found = harness("leaderboard", "out", "--format", form)
    assert found.code == 0
    assert "\x1b" not in found.out
    assert not any(line.startswith("% \\input") for line in found.out.splitlines())
    assert form != "tex" or "\\input" not in found.out


def test_a_broken_plugin_named_on_the_command_line_is_an_error(harness, answered):
    answer = harness("leaderboard", "out", "--plugin", "absent.py")
    assert answer.code == 2
    assert "absent.py" in answer.err


def test_letters_of_means_need_no_plugin(harness, answered, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "absent")
    assert harness("leaderboard", "out").code == 0


def test_ranking_imports_nothing_heavy(answered):
    for name in ("good", "fair"):
        answer("out", name, "sts", metrics=(SPEARMAN,), **pairs(1.0))
    heavy = "{'torch', 'pandas', 'sklearn', 'mteb', 'transformers', 'sentence_transformers'}"
    code = (
        "import sys\nsys.argv = ['harness', 'leaderboard', 'out', '--format', 'md']\n"
        "from harness.cli import main\n"
        f"try:\n    main()\nfinally:\n    print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.stderr.strip() == "[]"
    assert "models that share a letter" in process.stdout


@pytest.mark.slow
@pytest.mark.parametrize("headline", ["accuracy", "spearman"])
def test_a_thousand_models_rank_in_ten_seconds(headline):
    thousand(Path("out"), headline)
    start = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-m", "harness", "leaderboard", "out", "--format", "md"],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    print(f"{headline}: {seconds:.1f} s")
    assert process.stdout.count("| m0") == 1000
    assert "letters" in process.stdout
    assert seconds < 10


def thousand(folder, headline):
    """Write 1,000 models of all skills with 500 answers each, without publishing after every one."""
    import pyarrow as pa
    from pyarrow import parquet

    from harness.results.folder import encode

    generator = np.random.default_rng(0)
    ids, gold, ease = (
        [f"e{row}" for row in range(500)],
        generator.uniform(0, 5, 500),
        generator.normal(size=500),
    )
    for place in range(1000):
        noise, skill = generator.normal(size=500), generator.normal()
        if headline == "accuracy":
            columns = {"correct": (skill + ease + noise > 0).astype(float)}
            score = Score(
                metric=headline, score=columns["correct"].mean(), columns=("correct",), per_example=True
            )
        else:
            columns = {"gold": gold, "predicted": gold + noise * np.exp(skill / 3)}
            score = Score(metric=headline, score=spearman(*columns.values()), columns=("gold", "predicted"))
        one = evaluated(f"m{place:04}", score=score.score, fingerprint=f"{place:08}" * 8, scores=(score,))
        table = pa.table({"id": ids, **columns}).replace_schema_metadata({"content_hash": one.predictions})
        record = folder / "records" / f"m{place:04}~{place:08}" / "stsb.json"
        for path in (record, ResultsFolder(folder).predictions_path(one)):
            path.parent.mkdir(parents=True)
        record.write_bytes(encode(one))
        parquet.write_table(table, ResultsFolder(folder).predictions_path(one))
