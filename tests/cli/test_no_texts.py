"""`--no-texts`: no output of any command has a word of the rows; what then cannot be shown says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyarrow import parquet

PLUGIN = Path(__file__).parents[1] / "plugins_misbehaving" / "quotes_texts.py"
SECRET = "zyzzyvaq"
TEXTS = [
    f"{SECRET} clause {row}: the {SECRET}{row} party shall not disclose item {row} of {SECRET}"
    for row in range(24)
]
TASKS = """
[tasks.pairs]
kind = "sts"
path = "pairs.jsonl"

[tasks.broken]
kind = "sts"
path = "broken.jsonl"
"""


@pytest.fixture(autouse=True)
def data(tmp_path):
    """Rows with the secret word in every text, in a folder for the plugin and in files of the user's."""
    (tmp_path / "data").mkdir()
    lines = [json.dumps({"text": text}) for text in TEXTS]
    (tmp_path / "data" / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    pairs = [
        {"text1": text, "text2": other, "score": row % 5, "id": text, "cluster": text}
        for row, (text, other) in enumerate(zip(TEXTS, TEXTS[3:] + TEXTS[:3], strict=True))
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    pairs[4]["score"] = SECRET
    (tmp_path / "broken.jsonl").write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    (tmp_path / "tasks.toml").write_text(TASKS, encoding="utf-8")


def words(*more, tasks="pairs"):
    return ["--plugin", PLUGIN, "--task-file", "tasks.toml", "--data", "data", "--tasks", tasks, *more]


@pytest.fixture
def evaluate(harness):
    """Call `harness run` on tasks with the secret; two models of one kind unless other words are given."""

    def evaluating(*more, tasks="pairs", out="out", models=("a=lexical", "b=lexical")):
        named = [word for model in models for word in ("--model", model)]
        return harness(
            "run", "--no-throughput", "--keep-going", "--out", out, *named, *words(*more, tasks=tasks)
        )

    return evaluating


def leaks(folder="out") -> list[str]:
    """Return the files of a folder that have the secret word, as bytes or in decoded parquet."""
    found = []
    for path in (path for path in Path(folder).rglob("*") if path.is_file()):
        content = path.read_bytes().decode(errors="replace")
        if path.suffix == ".parquet":
            file = parquet.ParquetFile(path)
            content += f"{file.read().to_pydict()} {file.schema_arrow.metadata}"
        if SECRET in content.lower() or SECRET[::-1] in content.lower():
            found.append(str(path))
    return found


def said(answer) -> str:
    return f"{answer.out}{answer.err}".lower()


def record(task, model="a", part="records", folder="out"):
    (path,) = Path(folder, part).glob(f"{model}~*/{task}.json")
    return json.loads(path.read_text())


# --- nothing leaks ----------------------------------------------------------------------------------------


def test_no_output_of_any_command_has_a_word_of_the_texts(harness, evaluate):
    answers = [evaluate("--no-texts", tasks="pairs,broken,quoting")]
    assert answers[0].code == 2  # the tasks that raise
    answers += [
        harness("leaderboard", "out", "--format", form) for form in ("table", "csv", "md", "tex", "json")
    ]
    for form in ("table", "md", "json", "csv", "junit", "github"):
        answers.append(harness("compare", "out", "--baseline", "a", "--why", "--format", form))
    answers += [harness("status", "out", "--plugin", PLUGIN), harness("verify", "out", "--plugin", PLUGIN)]
    answers.append(evaluate("--no-texts", "--json"))
    assert [answer for answer in answers if SECRET in said(answer)] == []
    assert leaks() == []
    assert record("quoting-answers")["scores"][0]["score"] > 0


def test_without_the_option_texts_are_where_this_test_looks(evaluate):
    answer = evaluate(tasks="pairs,broken,quoting-answers,quoting-load,quoting-error,quoting-bug")
    assert SECRET in said(answer)
    parts = {Path(path).parts[1] for path in leaks()}
    assert parts == {"records", "predictions", "errors", "leaderboard.csv", "leaderboard.md"}


@pytest.mark.slow
def test_a_process_that_crashes_leaves_no_text_of_what_it_printed(evaluate):
    answer = evaluate(
        "--no-texts", "--isolate", tasks="quoting-crash,quoting-bug,pairs", models=("a=lexical",)
    )
    assert (answer.code, SECRET in said(answer), leaks()) == (2, False, [])
    assert "SIGABRT" in record("quoting-crash", part="errors")["error"]
    trace = next(Path("out/errors").glob("a~*/quoting-crash.txt")).read_text()
    assert "quotes_texts.py" in trace
    assert "everything else that it printed is withheld" in trace


# --- what is said instead ---------------------------------------------------------------------------------


def test_an_error_says_its_kind_and_place_and_how_to_read_the_rest(evaluate):
    evaluate("--no-texts", tasks="broken,quoting-error,quoting-bug", models=("a=lexical",))
    broken = record("broken", part="errors")["error"]
    assert "HarnessError in tables.py" in broken
    assert "row 5 of the data; its message is withheld: it may quote a text (--no-texts)" in broken
    assert "a run without --no-texts into a folder of its own" in broken
    assert record("quoting-bug", part="errors")["error"].startswith("Odd in quotes_texts.py, line ")
    trace = next(Path("out/errors").glob("a~*/quoting-bug.txt")).read_text()
    assert 'quotes_texts.py", line' in trace
    assert "Odd: withheld" in trace


def test_findings_and_parameters_keep_what_is_not_of_a_text(evaluate):
    evaluate("--no-texts", tasks="quoting-answers", models=("a=lexical",))
    content = record("quoting-answers")
    evidence = {finding["code"]: finding["evidence"] for finding in content["findings"]}
    withheld = "withheld: it may quote a text (--no-texts)"
    assert evidence == {
        "odd-row": "1 of 12 rows is odd, such as “…”",
        "long-row": withheld,
        "cut-row": withheld,
    }
    assert content["fitted"]["C"] == 0.5
    assert list(content["fitted"]) == ["word", "weights", "C"]
    assert content["fitted"]["word"].startswith("#")
    assert content["no_texts"] is True


def test_ids_that_are_texts_become_hashes_by_which_models_still_pair(harness, evaluate):
    evaluate("--no-texts")
    answer = harness("compare", "out", "--baseline", "a", "--why", "--format", "json")
    assert answer.code == 0
    (comparison,) = json.loads(answer.out)["comparisons"]
    assert comparison["lines"][0]["examples"] == len(TEXTS)
    assert any("texts were kept out of the predictions of a and b" in note for note in comparison["notes"])


def test_compare_why_says_that_texts_were_kept_out(harness, evaluate):
    evaluate("--no-texts")
    answer = harness("compare", "out", "--baseline", "a", "--why")
    assert (
        "texts were kept out of the predictions of a and b (--no-texts): examples have no texts" in answer.out
    )


def test_verify_holds_and_says_what_it_could_not_check(harness, evaluate):
    evaluate("--no-texts", tasks="pairs,quoting-answers,quoting-unclustered")
    answer = harness("verify", "out", "--plugin", PLUGIN)
    assert answer.code == 0
    assert record("quoting-unclustered")["scores"][0]["low"] > 0
    assert "not checked: " in answer.out
    assert "texts were kept out (--no-texts): the hashes of their columns are taken as they are" in answer.out


def test_verify_sees_a_changed_score_column_without_texts(harness, evaluate):
    evaluate("--no-texts", models=("a=lexical",))
    (path,) = Path("out/predictions").rglob("pairs.parquet")
    table = parquet.read_table(path)
    metadata = table.schema.metadata
    table = table.set_column(table.column_names.index("gold"), "gold", [[1.0] * 12 + [2.0] * 12])
    parquet.write_table(table.replace_schema_metadata(metadata), path)
    assert harness("verify", "out").code == 1


# --- with and without -------------------------------------------------------------------------------------


def test_scores_keys_and_hashes_are_the_same_with_and_without_texts(harness, run):
    run("--no-texts", out="without")
    run(out="with")
    for task in ("stsb@sample", "stsb-dev@sample"):
        one, other = (record(task, "lexical", folder=folder) for folder in ("without", "with"))
        assert one["no_texts"] is not other["no_texts"]
        different = {"no_texts", "seal"}
        assert {k: v for k, v in one.items() if k not in different} == {
            k: v for k, v in other.items() if k not in different
        }
    assert Path("without/leaderboard.csv").read_bytes() == Path("with/leaderboard.csv").read_bytes()
    assert harness("leaderboard", "with", "without").code == 0
    answer = harness("compare", "with", "without", "--why", "--allow", "digest")
    assert answer.code == 0
    assert "kept out of the predictions of lexical" in answer.out


def test_slices_by_length_are_the_same_without_texts(harness, run):
    for option, out in (("--no-texts", "without"), ("--texts", "with")):
        run(option, "--model", "other=lexical", out=out)
    found = []
    for out in ("with", "without"):
        answer = harness("compare", out, "--baseline", "lexical", "--why", "--format", "json")
        (comparison,) = json.loads(answer.out)["comparisons"]
        found.append([part for changes in comparison["changes"] for part in changes["slices"]])
    assert found[0] == found[1]
    assert {"length"} <= {part["by"] for part in found[0]}


def test_examples_of_unlike_data_without_texts_are_the_same_by_id_and_gold_and_a_note_says_so(harness, run):
    run("--no-texts", "--limit", "40", tasks="stsb", out="few")
    run("--no-texts", "--limit", "80", tasks="stsb", out="more", model="other=lexical")
    answer = harness("compare", "few", "more", "--allow", "limit,digest", "--format", "json")
    assert answer.code == 0
    (comparison,) = json.loads(answer.out)["comparisons"]
    # The larger sample has every example of the smaller one, under the same id.
    few = parquet.read_table(next(Path("few/predictions").rglob("*.parquet")))
    assert comparison["lines"][0]["examples"] == len(few)
    assert any("examples are the same by id and gold alone" in note for note in comparison["notes"])


def test_a_run_without_texts_removes_those_of_the_same_results(harness, evaluate):
    evaluate(tasks="pairs,quoting-answers")
    assert leaks()
    answer = evaluate("--no-texts", tasks="pairs,quoting-answers")
    assert answer.code == 0
    assert "texts removed: a on quoting-answers" in answer.err
    assert "4 results kept from before" in answer.out
    assert leaks() == []
    assert harness("verify", "out", "--plugin", PLUGIN).code == 0


def test_texts_of_other_results_are_named_with_what_to_do(evaluate, harness):
    evaluate(tasks="pairs,quoting-answers")
    answer = evaluate("--no-texts", tasks="pairs")
    assert answer.code == 2
    assert "PROBLEM 4 files of earlier runs in out may hold texts: predictions/a~" in answer.out
    assert "with --no-texts too, or delete them" in answer.out


def test_a_folder_without_texts_gets_none_unless_they_are_asked_for(evaluate):
    evaluate("--no-texts")
    answer = evaluate()
    assert (answer.code, leaks()) == (2, [])
    assert "texts were kept out of out (--no-texts), and this run would write some" in answer.err
    assert evaluate("--texts", "--fresh").code == 0
    assert leaks()


def test_status_calls_a_record_with_texts_stale_where_the_run_keeps_them_out(harness, run):
    run(tasks="stsb")
    run("--no-texts", tasks="stsb-dev,stsb", out="other")
    for path in Path("out/records").rglob("*.json"):
        Path("other/records", *path.parts[2:]).write_bytes(path.read_bytes())
    answer = harness("status", "other")
    assert answer.code == 1
    assert "it may hold texts, and the run has --no-texts" in answer.out
    assert "--no-texts" in answer.out.split("continue:")[1]


def test_the_configuration_may_keep_texts_out(evaluate):
    Path("harness.toml").write_text("no-texts = true\n", encoding="utf-8")
    evaluate()
    assert (record("pairs")["no_texts"], leaks()) == (True, [])


def test_the_cache_of_embeddings_holds_no_texts(evaluate, tmp_path_factory, monkeypatch, tiny):
    cache = tmp_path_factory.mktemp("texts")
    evaluate("--no-texts", "--cache", cache, models=(str(tiny),))
    assert any(path.suffix == ".safetensors" for path in cache.rglob("*"))
    assert leaks(cache) == []
