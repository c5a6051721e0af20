"""`harness run`: what it prints, writes and exits with, when all goes well and when it does not."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import build_model

MISBEHAVING = Path(__file__).parents[1] / "plugins_misbehaving"


def rows(folder="out"):
    with Path(folder, "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scores(folder="out"):
    return {
        (row["model"], row["task"], row["metric"]): float(row["score"])
        for row in rows(folder)
        if row["score"]
    }


def lasting(folder="out"):
    """Bytes of what must be the same tomorrow: not the logs of runs, nor speeds."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in paths
        if path.relative_to(folder).parts[0] not in ("runs", "throughput", "throughput.csv", ".lock")
    }


def plugin(name):
    return f"--plugin={MISBEHAVING / name}.py"


# --- a run ------------------------------------------------------------------------------------------------


def test_a_run_prints_a_table_and_writes_everything_and_exits_with_0(run):
    answer = run()
    assert answer.code == 0
    assert answer.err == ""
    assert "stsb  test · " in answer.out
    assert "sample: illustrative, not the real dataset" in answer.out
    assert "Real data: --data DIR" in answer.out
    assert "written: out/leaderboard.csv" in answer.out
    assert {path for path in lasting() if "~" not in path} == {"leaderboard.csv", "leaderboard.md"}
    kinds = {path.split("/")[0]: path.rsplit(".", maxsplit=1)[1] for path in lasting() if "~" in path}
    assert kinds == {"records": "json", "predictions": "parquet"}
    assert [(row["task"], row["metric"]) for row in rows()] == [
        (task, metric) for task in ("stsb", "stsb-dev") for metric in ("spearman", "pearson")
    ]
    assert {row["data"] for row in rows()} == {"sample"}


def test_the_score_is_the_one_that_scipy_and_scikit_learn_give(run):
    from scipy.stats import spearmanr
    from sklearn.feature_extraction.text import HashingVectorizer

    run(tasks="stsb")
    sample = Path(__file__).parents[2] / "plugins/harness_sts/sample/stsb/stsb-en-test.csv"
    left, right, gold = zip(*csv.reader(sample.read_text(encoding="utf-8").splitlines()), strict=True)
    vectors = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=4096, norm="l2")
    cosine = vectors.transform(left).multiply(vectors.transform(right)).sum(axis=1).A1
    expected = spearmanr([float(score) for score in gold], cosine).statistic
    assert scores()["lexical", "stsb", "spearman"] == pytest.approx(expected, abs=1e-6)


def test_the_second_run_keeps_the_results_and_changes_no_byte(run):
    assert "kept from before" not in run().out
    first, times = lasting(), {path: path.stat().st_mtime_ns for path in Path("out/records").rglob("*.json")}
    again = run()
    assert again.code == 0
    assert "2 results kept from before" in again.out
    assert lasting() == first
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_fresh_computes_again_and_comes_to_the_same(run):
    run()
    first = lasting()
    again = run("--fresh")
    assert "kept from before" not in again.out
    assert lasting() == first


def test_two_runs_into_two_empty_folders_are_byte_identical(run, tiny):
    for out in ("one", "two"):
        assert run("--model", "lexical", model=tiny, out=out).code == 0
    assert len(rows("one")) == 8
    assert lasting("one") == lasting("two")


def test_the_order_of_models_and_tasks_changes_no_file(run):
    run("--model", "b=lexical", model="a=lexical", tasks="stsb,stsb-dev", out="one")
    run("--model", "a=lexical", model="b=lexical", tasks="stsb-dev,stsb", out="two")
    assert lasting("one") == lasting("two")


def test_predictions_that_were_deleted_are_computed_again(run):
    run()
    first = lasting()
    for path in Path("out/predictions").rglob("*.parquet"):
        path.unlink()
    assert "kept from before" not in run().out
    assert lasting() == first


def test_the_log_of_a_run_names_the_machine(run):
    run("--limit", "20", tasks="stsb")
    (path,) = Path("out/runs").iterdir()
    path.unlink()
    run("--limit", "20")
    (path,) = Path("out/runs").iterdir()
    log = json.loads(path.read_text())
    assert [(evaluation["task"], evaluation["status"]) for evaluation in log["evaluations"]] == [
        ("stsb", "ok"),
        ("stsb-dev", "ok"),
    ]
    assert (log["reused"], log["skipped"], log["data"]) == (1, [], "sample")
    assert log["command"][:4] == ["harness", "run", "--no-throughput", "--out"]
    assert log["libraries"]["numpy"]


def test_a_run_times_the_models_it_loaded_apart_from_the_scores(harness):
    answer = harness("run", "--model", "lexical", "--tasks", "stsb", "--limit", "20", "--out", "out")
    assert answer.code == 0
    assert "speeds: median of 5 rounds" in answer.out
    (row,) = csv.DictReader(Path("out/throughput.csv").read_text(encoding="utf-8").splitlines())
    assert float(row["texts_per_second_low"]) <= float(row["texts_per_second"])


# --- a quick look -----------------------------------------------------------------------------------------


def test_a_limit_is_stamped_and_never_ranked_with_the_full_set(run, harness):
    run("--limit", "20", tasks="stsb", model="quick=lexical", out="quick")
    answer = run(tasks="stsb", out="full")
    assert "LIMITED" not in answer.out
    assert [(row["limit"], row["examples"]) for row in rows("quick")] == [("20", "20")] * 2
    merged = harness("leaderboard", "quick", "full").out
    assert merged.count("not comparable with stsb") == 2
    assert "LIMITED to a sample of whole clusters (limit 20)" in merged


def test_a_limited_result_is_kept_next_to_the_full_one(run):
    quick = run("--limit", "20", tasks="stsb")
    assert "LIMITED to a sample of whole clusters (limit 20): not comparable with the full set" in quick.out
    full = run(tasks="stsb")
    assert "kept from before" not in full.out
    assert sorted((row["limit"], row["examples"]) for row in rows()) == [("", "180")] * 2 + [("20", "20")] * 2


# --- JSON -------------------------------------------------------------------------------------------------


def test_json_is_the_leaderboard_and_nothing_else(run, document):
    ran = run("--json")
    assert ran.code == 0
    answer = document("run", ran)
    assert (answer["skipped"], answer["problems"]) == ([], [])
    found = {
        (record["model"], record["task"], record["metric"]): record["score"] for record in answer["records"]
    }
    assert found == scores()


def test_json_has_failures_and_problems_too(run, document, install):
    install("broken", "raise ValueError('no shelf')")
    ran = run("--json", "--keep-going", plugin("task_raises"), tasks="shaky,stsb")
    assert ran.code == 2
    answer = document("run", ran)
    assert {record["task"] for record in answer["records"] if record["status"] == "error"} == {
        "shaky-load", "shaky-nothing", "shaky-predict", "shaky-exit",
    }  # fmt: skip
    assert "no shelf" in answer["problems"][0]


# --- what is asked for ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tasks", "stss"], "Error: no task or tag named 'stss'\n  did you mean: sts"),
        (["--tasks", "sts", "--exclude", "stbs"], "no task or tag named 'stbs'\n  did you mean: sts"),
        (["--tasks", "stsb", "--exclude", "sts"], "no tasks left"),
        ([], "Error: no tasks\n  tasks: stsb, stsb-dev\n  tags: sts"),
        (["--tasks", " , "], "Error: no tasks"),
    ],
)
def test_tasks_that_select_nothing_are_named_with_the_nearest(words, message, run):
    answer = run(*words, tasks=None)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "lexicla",
            "no model named 'lexicla'\n  did you mean: lexical\n  known: folder, hub, lexical, minilm",
        ),
        ("./absent", "no model folder ./absent"),
        ("/absent/model", "no model folder /absent/model"),
        ("~/no-such-model", "no model folder ~/no-such-model"),
        ("~no-such-user/model", "no model folder ~no-such-user/model"),
        ("org/no-such-model", "model org/no-such-model is not in the hub's cache"),
        ("lexical:x=1", "no model named '1'"),
    ],
)
def test_a_model_that_does_not_exist_is_named(model, message, run):
    answer = run(model=model)
    assert answer.code == 2
    assert message in answer.err
    assert not Path("out").exists()


def test_no_model_says_how_to_give_one(run):
    answer = run(model=None)
    assert answer.code == 2
    assert "Error: no model\n  hint: --model minilm" in answer.err


def test_two_models_of_one_given_name_are_an_error(run, tiny):
    answer = run("--model", f"base={tiny}", model="base=lexical")
    assert answer.code == 2
    assert "two models are named 'base'\n  hint: NAME=PATH must be unique" in answer.err
    assert not Path("out").exists()


def test_one_model_given_twice_is_an_error(run):
    answer = run("--model", "lexical")
    assert answer.code == 2
    assert "model 'lexical' is given twice" in answer.err


def test_a_setting_that_a_model_cannot_take_is_refused(run):
    answer = run("--truncate-dim", "8")
    assert answer.code == 2
    assert "the lexical model does not support --truncate-dim" in answer.err


@pytest.mark.parametrize("option", ["--data", "--model", "--out", "--tasks"])
def test_a_path_or_name_that_is_not_utf_8_is_named(option, run):
    answer = run(option, os.fsdecode(b"donn\xe9es"))
    assert answer.code == 2
    assert answer.err == "Error: not UTF-8: donn\\xe9es\n  hint: rename the folder or file\n"


def test_a_current_folder_that_is_not_utf_8_is_refused(run, tmp_path, monkeypatch):
    here = tmp_path / os.fsdecode(b"caf\xe9")
    here.mkdir()
    monkeypatch.chdir(here)
    answer = run()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"Error: not UTF-8: {tmp_path}/caf\\xe9\n  hint: rename the folder or file\n"
    assert list(here.iterdir()) == []


def test_a_current_folder_that_is_gone_is_reported_and_help_needs_none(harness, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    assert harness("list", "tasks").err.startswith("Error: cannot read the current folder: No such file")
    assert [harness(*words.split()).code for words in ("--version", "--help", "run --help")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--limit", "0"], "0 is not in the range"),
        (["--dtype", "int4"], "no dtype named 'int4'"),
        (["--prompt", "query"], "--prompt 'query' is not ROLE=TEXT"),
        (["--prompt", "qeury=x"], "no role named 'qeury'\n  did you mean: query"),
        (["--threads", "two"], "invalid value 'two' for --threads: not auto, N or WxT"),
        (["--nonsense"], "no option of `harness run` named '--nonsense'"),
    ],
)
def test_an_invalid_option_is_named(words, message, run):
    answer = run(*words)
    assert answer.code == 2
    assert message in answer.err


def test_excluded_tasks_are_left_out(run):
    assert run("--exclude", "stsb-dev").code == 0
    assert {row["task"] for row in rows()} == {"stsb"}


# --- data -------------------------------------------------------------------------------------------------


def test_a_data_folder_that_is_absent_is_an_error_before_any_work(run):
    answer = run("--data", "nowhere")
    assert answer.code == 2
    assert "Error: no data folder nowhere\n  hint: --data sample" in answer.err
    assert not Path("out").exists()


def test_a_data_folder_without_the_data_is_an_error_row_and_the_sample_is_not_used(run):
    Path("data/other").mkdir(parents=True)
    answer = run("--data", "data", "--keep-going")
    assert answer.code == 2
    assert "ERROR lexical · stsb: no stsb/stsb-en-test.csv in data\n  there: other\n" in answer.err
    assert "lexical: ERROR: no stsb/stsb-en-test.csv in data\n" in answer.out
    assert {row["status"] for row in rows()} == {"error"}
    assert not list(Path("out/errors").glob("*/*.txt")), "there is no traceback of what a user can put right"


def test_real_data_is_named_in_the_table_and_the_record(run):
    sample = Path(__file__).parents[2] / "plugins/harness_sts/sample/stsb"
    shutil.copytree(sample, "data/stsb")
    answer = run("--data", "data", tasks="stsb")
    assert answer.code == 0
    assert "illustrative" not in answer.out
    assert {row["data"] for row in rows()} == {"files"}
    assert f"data files ({rows()[0]['digest'][:8]})" in answer.out


def test_a_result_on_a_sample_is_not_reused_for_the_same_rows_from_files(run):
    shutil.copytree(Path(__file__).parents[2] / "plugins/harness_sts/sample/stsb", "data/stsb")
    run(tasks="stsb")
    assert "kept from before" not in run("--data", "data", tasks="stsb").out


def test_a_changed_row_is_computed_again(run):
    shutil.copytree(Path(__file__).parents[2] / "plugins/harness_sts/sample/stsb", "data/stsb")
    run("--data", "data", tasks="stsb")
    path = Path("data/stsb/stsb-en-test.csv")
    path.write_text(path.read_text(encoding="utf-8") + "one more,one more,5.0\n", encoding="utf-8")
    again = run("--data", "data", tasks="stsb")
    assert "kept from before" not in again.out
    assert rows()[0]["examples"] == "181"


def test_unreadable_bytes_are_an_error_with_their_line(run):
    Path("data/stsb").mkdir(parents=True)
    Path("data/stsb/stsb-en-test.csv").write_bytes("a,b,1\nStraße,c,2\n".encode("latin-1"))
    answer = run("--data", "data", tasks="stsb")
    assert answer.code == 2
    assert "is not UTF-8: byte 0xdf in line 2" in answer.err


def test_a_task_without_a_sample_is_skipped_with_a_message_when_a_tag_selects_it(run, tmp_path):
    path = without_sample(tmp_path)
    answer = run(f"--plugin={path}", tasks="sts")
    assert answer.code == 0
    assert "skipped bare: no sample is shipped for this task" in answer.err
    assert {row["task"] for row in rows()} == {"stsb", "stsb-dev"}
    skipped = json.loads(run("--json", f"--plugin={path}", tasks="sts").out)["skipped"]
    assert skipped == ["bare: no sample is shipped for this task"]


def test_a_task_without_a_sample_is_an_error_when_it_is_named(run, tmp_path):
    answer = run(f"--plugin={without_sample(tmp_path)}", "--keep-going", tasks="bare,stsb")
    assert answer.code == 2
    assert "bare: no sample is shipped for this task\n  hint: give the real data: --data DIR" in answer.err
    assert {row["task"]: row["status"] for row in rows()} == {"bare": "error", "stsb": "ok"}


def test_tasks_of_which_none_has_a_sample_are_an_error(run, tmp_path):
    answer = run(f"--plugin={without_sample(tmp_path)}", tasks="bare-tag")
    assert answer.code == 2
    assert "Error: none of the selected tasks ships a sample\n  bare: no sample is shipped" in answer.err


def without_sample(folder):
    path = folder / "bare.py"
    path.write_text(
        "from harness import Dataset, Predictions, Task, hookimpl, mean_metric\n"
        "class Bare(Task):\n"
        "    name, kind, tags = 'bare', 'bare', frozenset({'sts', 'bare-tag'})\n"
        "    metrics = (mean_metric('accuracy', 'correct'),)\n"
        "    def load(self, source): return source.path('bare.csv')\n"
        "    def predict(self, model, dataset): raise AssertionError\n"
        "@hookimpl\n"
        "def harness_tasks(): return [Bare()]\n"
    )
    return path


# --- the user's own tasks ---------------------------------------------------------------------------------


def test_a_task_file_runs_over_the_users_own_rows(run):
    pairs = [
        ("a cat", "a cat", 5),
        ("a cat", "a dog", 3),
        ("a cat", "the rain falls", 0),
        ("rain", "rains", 4),
    ]
    lines = [
        json.dumps({"q": one, "a": {"text": two}, "mark": mark, "body": two}) for one, two, mark in pairs
    ]
    Path("pairs.jsonl").write_text("\n".join(lines))
    Path("tasks.toml").write_text(
        '[tasks.ours]\nkind = "sts"\npath = "pairs.jsonl"\ntags = ["support"]\n'
        'columns = { text1 = "q", score = "mark" }\ntemplates = { text2 = "{body}" }\n'
    )
    answer = run("--task-file", "tasks.toml", tasks="support")
    assert answer.code == 0
    assert scores()["lexical", "ours", "spearman"] == pytest.approx(1.0)


def test_a_task_file_cannot_take_the_name_of_another_task(run):
    Path("tasks.toml").write_text('[tasks.stsb]\nkind = "sts"\npath = "pairs.csv"\n')
    answer = run("--task-file", "tasks.toml")
    assert answer.code == 2
    assert "task 'stsb' of tasks.toml exists already" in answer.err


def test_wrong_columns_of_the_users_file_are_named(run):
    Path("pairs.csv").write_text("question,answer\na,b\n")
    Path("tasks.toml").write_text('[tasks.ours]\nkind = "sts"\npath = "pairs.csv"\n')
    answer = run("--task-file", "tasks.toml", "--keep-going", tasks="ours,stsb")
    assert answer.code == 2
    assert "pairs.csv has no column 'text1', 'text2', 'score'\n  found: question, answer\n" in answer.err
    assert {row["task"]: row["status"] for row in rows()} == {"ours": "error", "stsb": "ok"}


# --- configuration ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "header"), [("harness.toml", ""), ("pyproject.toml", "[tool.harness]\n")])
def test_the_configuration_replaces_missing_options(name, header, harness):
    Path(name).write_text(
        header + 'models = ["base=lexical"]\ntasks = ["sts"]\nexclude = ["stsb-dev"]\nout = "kept"\n'
    )
    assert harness("run", "--no-throughput").code == 0
    assert {(row["model"], row["task"]) for row in rows("kept")} == {("base", "stsb")}


def test_options_win_over_the_configuration(run):
    Path("harness.toml").write_text(
        'models = ["base=lexical"]\ntasks = ["sts"]\nout = "kept"\ndata = "nowhere"\n'
    )
    assert run("--data", "sample", tasks="stsb-dev", model="given=lexical").code == 0
    assert {(row["model"], row["task"]) for row in rows("out")} == {("given", "stsb-dev")}
    assert not Path("kept").exists()


def test_the_configuration_names_plugins_and_task_files(harness):
    shutil.copy(MISBEHAVING / "task_raises.py", "ours.py")
    Path("pairs.csv").write_text("text1,text2,score\na cat,a cat,5\na cat,a dog,3\na cat,rain,0\n")
    Path("tasks.toml").write_text('[tasks.ours]\nkind = "sts"\npath = "pairs.csv"\n')
    Path("harness.toml").write_text(
        'models = "lexical"\ntask-files = ["tasks.toml"]\nplugins = ["ours.py"]\nout = "out"'
    )
    answer = harness("run", "--no-throughput", "--tasks", "ours,shaky-not")
    assert answer.code == 0
    assert {row["task"] for row in rows()} == {"ours", "shaky-not"}


def test_a_misspelled_key_of_the_configuration_is_named(run):
    Path("harness.toml").write_text('model = "lexical"\n')
    answer = run()
    assert answer.code == 2
    assert "harness.toml named 'model'\n  did you mean: models" in answer.err


# --- models on disk ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another tiny model in a folder of the same name."""
    return build_model(tmp_path_factory.mktemp("others") / "tiny", seed=1)


@pytest.fixture
def copied(tiny, tmp_path):
    """A copy of the tiny model, to be broken."""
    return Path(shutil.copytree(tiny, tmp_path / "models" / "broken"))


def test_two_models_whose_folders_share_a_name_keep_their_scores_apart(run, tiny, other):
    assert run(model=f"one={tiny}", out="apart").code == 0
    assert run(model=f"two={other}", out="apart").code == 0
    known = {name: scores("apart")[name, "stsb", "spearman"] for name in ("one", "two")}
    assert known["one"] != known["two"]
    assert run(model=tiny).code == 0
    assert {row["model"] for row in rows()} == {"tiny"}
    assert run(model=other).code == 0
    shown = {row["model"] for row in rows()}
    assert len(shown) == 2
    assert all(name.startswith("tiny~") for name in shown)
    assert {scores()[name, "stsb", "spearman"] for name in shown} == set(known.values())
    both = run("--model", other, model=tiny)
    assert both.code == 0
    assert "4 results kept from before" in both.out


def test_one_folder_under_two_settings_is_two_models(run, tiny):
    run(model=tiny)
    assert run("--truncate-dim", "8", model=tiny).code == 0
    assert {(row["dimensions"], row["truncate_dim"]) for row in rows()} == {("32", ""), ("8", "8")}
    assert len({row["model"] for row in rows()}) == 2


def test_pickled_weights_are_refused_naming_the_option_that_takes_them(run, copied):
    import torch
    from safetensors.torch import load_file

    weights = copied / "model.safetensors"
    torch.save(load_file(weights), copied / "pytorch_model.bin")
    weights.unlink()
    answer = run(model=copied)
    assert answer.code == 2
    assert "has no model.safetensors: its weights are pickled (pytorch_model.bin)" in answer.err
    assert "--allow-pickle" in answer.err
    assert not Path("out").exists()
    allowed = run("--allow-pickle", "--trust-remote-code", tasks="stsb-dev", model=copied)
    assert allowed.code == 0
    assert "pickled weights were allowed (--allow-pickle)" in allowed.out
    assert "its own code was allowed to run (--trust-remote-code)" in allowed.out
    assert {row["trust_remote_code"] for row in rows()} == {"true"}
    (record,) = (json.loads(path.read_bytes()) for path in Path("out").glob("records/*/*.json"))
    settings = record["candidate"]["settings"]
    assert (settings["allow_pickle"], settings["trust_remote_code"]) == (True, True)


def test_broken_safetensors_are_an_error_row_and_the_other_model_finishes(run, copied):
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    answer = run("--model", "lexical", "--keep-going", model=copied, tasks="stsb-dev")
    assert answer.code == 2
    assert f"ERROR: {weights.relative_to(Path.cwd())} is not a valid safetensors file: " in answer.out
    assert {row["model"]: row["status"] for row in rows()} == {"broken": "error", "lexical": "ok"}


def test_the_error_for_a_folder_that_is_not_a_model_lists_its_content(run):
    Path("empty").mkdir()
    Path("empty/notes.txt").touch()
    answer = run(model="./empty")
    assert answer.code == 2
    assert "is not a model folder: no modules.json and no config.json\n  there: notes.txt" in answer.err


def test_code_that_a_model_brings_is_refused(run, copied):
    modules = json.loads((copied / "modules.json").read_text())
    modules[0]["type"] = "evil.Module"
    (copied / "modules.json").write_text(json.dumps(modules))
    answer = run(model=copied)
    assert answer.code == 2
    assert "modules.json names custom code: 'evil.Module'\n  hint: --trust-remote-code" in answer.err


def test_modules_that_are_no_json_are_named(run, copied):
    (copied / "modules.json").write_text("{")
    answer = run(model=copied)
    assert answer.code == 2
    assert "modules.json cannot be read" in answer.err


# --- plugins that fail ------------------------------------------------------------------------------------


def test_a_task_that_fails_is_an_error_with_its_traceback_and_the_others_finish(run):
    answer = run(plugin("task_raises"), "--keep-going", tasks="shaky,stsb")
    assert answer.code == 2
    assert {row["task"]: row["status"] for row in rows() if row["headline"] == "true"} == {
        "shaky-exit": "error",
        "shaky-load": "error",
        "shaky-not": "ok",
        "shaky-nothing": "error",
        "shaky-predict": "error",
        "stsb": "ok",
    }
    assert "ERROR lexical · shaky-load: ValueError: a bug while reading" in answer.err
    (trace,) = Path("out/errors").glob("lexical~*/shaky-load.txt")
    assert "Traceback" in trace.read_text()
    assert "a bug while reading" in trace.read_text()
    assert f"traceback of shaky-load: {trace}" in answer.out


def test_an_error_is_tried_again_and_successes_are_kept(run):
    run(plugin("task_raises"), "--keep-going", tasks="shaky")
    again = run(plugin("task_raises"), "--keep-going", tasks="shaky")
    assert again.code == 2
    assert "1 result kept from before" in again.out


def test_a_broken_installed_plugin_is_a_problem_and_exit_code_2_while_the_rest_run(run, install):
    install("broken", "raise ValueError('no shelf')")
    answer = run()
    assert answer.code == 2
    assert "PROBLEM plugin broken (" in answer.err
    assert "PROBLEM plugin broken (" in answer.out
    assert {row["status"] for row in rows()} == {"ok"}


def test_a_broken_file_of_a_plugin_is_an_error_before_anything_is_evaluated(run):
    answer = run(plugin("raises_at_import"))
    assert answer.code == 2
    assert answer.err.startswith("Error: plugin raises_at_import (")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nan", "model nan returned NaN or infinite embeddings for "),
        ("equal", "model equal gave all of "),
        ("raising", "RuntimeError: the kernel is not compiled for this machine"),
        ("unloadable", "MemoryError: not enough memory for the weights"),
    ],
)
def test_a_model_that_cannot_be_used_is_an_error_and_the_other_finishes(model, message, run):
    answer = run(plugin("broken_models"), "--model", "lexical", model=model)
    assert answer.code == 2
    assert f"{model}: ERROR: {message}" in answer.out
    statuses = {(row["model"], row["status"]) for row in rows()}
    assert statuses == {(model, "error"), ("lexical", "ok")}


def test_a_model_that_cannot_be_timed_is_named_and_its_scores_are_kept(harness, monkeypatch):
    def fail(_model):
        raise RuntimeError("the clock stopped")

    monkeypatch.setattr("harness.evaluation.run.measure", fail)
    answer = harness("run", "--model", "lexical", "--tasks", "stsb-dev", "--out", "out")
    assert answer.code == 0
    assert "lexical could not be timed: RuntimeError: the clock stopped" in answer.err
    assert {row["model"]: row["status"] for row in rows()} == {"lexical": "ok"}


def test_a_model_that_failed_at_everything_is_not_timed(harness):
    words = ["--model", "raising", "--model", "lexical", "--tasks", "stsb-dev", "--out", "out"]
    answer = harness("run", plugin("broken_models"), *words)
    assert answer.code == 2
    assert [path.name.split("~")[0] for path in Path("out/throughput").iterdir()] == ["lexical"]


def test_a_scheme_that_finds_no_model_says_so_before_any_work(run):
    answer = run(plugin("broken_models"), model="absent:x")
    assert answer.code == 2
    assert answer.err == "Error: no such model in the shop\n  hint: ask for another\n"


CRASHING = """
from harness import hookimpl
from harness.authoring import ModelScheme, TaskKind, TaskScheme

def crash(asked):
    raise KeyError("no such shelf")

@hookimpl
def harness_model_schemes():
    return [ModelScheme("crash", "", crash)]

@hookimpl
def harness_task_schemes():
    return [TaskScheme("crash", "", crash)]

@hookimpl
def harness_task_kinds():
    return [TaskKind("crash", "", crash)]
"""


@pytest.fixture
def crashing():
    """A plugin whose schemes and kind raise what they should not."""
    Path("crashing.py").write_text(CRASHING)
    Path("tasks.toml").write_text('[tasks.ours]\nkind = "crash"\npath = "x"\n')
    return "--plugin=crashing.py"


@pytest.mark.parametrize(
    ("words", "given", "what"),
    [
        ([], {"model": "crash:x"}, "model scheme"),
        ([], {"tasks": "crash:x,stsb"}, "task scheme"),
        (["--task-file", "tasks.toml"], {}, "task kind"),
    ],
)
def test_a_scheme_or_kind_that_raises_is_an_error_of_one_sentence(words, given, what, run, crashing):
    answer = run(crashing, *words, **given)
    assert answer.code == 2
    assert answer.err.startswith("Error: ")
    where = "plugin crashing (crashing.py, line 6)"
    assert f"{where}: {what} 'crash' raised KeyError: 'no such shelf'\n" in answer.err
    assert not Path("out").exists()


def test_models_that_cannot_be_located_are_errors_and_the_other_finishes(run, crashing):
    Path("empty").mkdir()
    others = ["--model=./empty", "--model=mine=crash:x", "--model=lexical", "--keep-going"]
    answer = run(crashing, *others, model="crash:x")
    assert answer.code == 2
    statuses = {(row["model"], row["task"], row["status"]) for row in rows()}
    assert statuses == {
        (model, task, "ok" if model == "lexical" else "error")
        for model in ("empty", "mine", "x", "lexical")
        for task in ("stsb", "stsb-dev")
    }
    assert (
        "ERROR x · stsb: plugin crashing (crashing.py, line 6): model scheme 'crash' raised KeyError: "
        "'no such shelf'" in answer.err
    )
    assert "ERROR empty · stsb: empty is not a model folder" in answer.err


def test_a_misspelled_model_stops_the_others_before_any_work(run):
    answer = run("--model", "lexcial")
    assert answer.code == 2
    assert "Error: no model named 'lexcial'" in answer.err
    assert not Path("out").exists()


def test_a_model_that_cannot_be_located_and_is_given_twice_is_an_error(run, crashing):
    answer = run(crashing, "--model", "crash:x", "--model", "crash:x")
    assert answer.code == 2
    assert "model 'x' is given twice" in answer.err


@pytest.mark.parametrize(
    ("name", "tags", "message"),
    [
        ("sts", [], "task 'sts' has the name of a tag (of stsb, stsb-dev)"),
        ("ours", ["stsb"], "task 'stsb' has the name of a tag (of ours)"),
    ],
)
def test_a_task_file_cannot_use_one_word_for_a_task_and_a_tag(name, tags, message, run):
    Path("tasks.toml").write_text(f'[tasks.{name}]\nkind = "sts"\npath = "x"\ntags = {tags}\n')
    answer = run("--task-file", "tasks.toml")
    assert answer.code == 2
    assert answer.err.startswith(f"Error: tasks.toml: {message}\n  hint: ")


def test_no_name_or_message_writes_to_the_terminal_itself(run, harness):
    controls = {"\x1b", "\x07", "\x9b", "\u202e"}
    for answer in (
        run(plugin("escape_codes"), tasks="nasty"),
        run(plugin("escape_codes"), model="nasty"),
        run(plugin("escape_codes"), model="n\x1b[31mame=lexical", tasks="stsb-dev"),
        run(tasks="st\x1b[31ms"),
        harness("list", plugin("escape_codes"), plugin("raises_at_import")),
        harness("leaderboard", "out"),
        harness("leaderboard", "out", "--format", "md"),
    ):
        assert "evil" in answer.out + answer.err or "[31m" in answer.out + answer.err
        assert not controls & set(answer.out + answer.err)
    assert not controls & set(Path("out/leaderboard.md").read_text(encoding="utf-8"))


# --- where results go -------------------------------------------------------------------------------------


def test_results_go_to_results_local_by_default(harness):
    assert harness("run", "--model", "lexical", "--tasks", "stsb-dev", "--no-throughput").code == 0
    assert Path("results/local/leaderboard.csv").is_file()


@pytest.mark.parametrize("out", ["file", "file/below/it", "dangling", "/proc/results"])
def test_an_unwritable_results_folder_is_an_error_before_any_work(out, run, monkeypatch):
    monkeypatch.setattr("harness.evaluation.run.evaluate_run", None)
    Path("file").touch()
    Path("dangling").symlink_to("nowhere")
    before = sorted(Path().rglob("*"))
    answer = run(tasks="stsb-dev", out=out)
    assert answer.code == 2
    assert answer.err.startswith(f"Error: cannot write results to {out}: ")
    assert answer.err.endswith("hint: pick another folder: --out DIR\n")
    assert sorted(Path().rglob("*")) == before


def test_a_full_disk_is_an_error_of_one_sentence(run, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = run(tasks="stsb-dev")
    assert answer.code == 2
    assert "Error: cannot write " in answer.err
    assert "No space left on device" in answer.err


def test_a_damaged_record_is_computed_again_with_a_message_and_any_other_is_named(run):
    run()
    first = lasting()
    (path,) = Path("out/records").glob("*/stsb-dev@sample.json")
    path.write_text(path.read_text()[:100])
    other = run(tasks="stsb")
    assert other.code == 2
    assert "spearman   0.1776" in other.out
    assert f"PROBLEM {path} is not a readable record" in other.out
    again = run(tasks="stsb-dev")
    assert again.code == 0
    assert f"computed again: {path} is not a readable record" in again.err
    assert lasting() == first


# --- interruptions ----------------------------------------------------------------------------------------


def wait_for(pattern):
    """Wait until a file is there, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not list(Path().glob(pattern)) and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "isolated", "code"),
    [
        (signal.SIGINT, [], 130),
        (signal.SIGTERM, [], 143),
        (signal.SIGINT, ["--isolate"], 130),
    ],
)
def test_an_interruption_is_reported_and_finished_results_are_kept(number, isolated, code):
    words = [
        *["run", *isolated],
        plugin("slow"),
        "--model",
        "lexical",
        "--tasks",
        "slow",
        "--no-throughput",
        "--out",
        "out",
    ]
    running = subprocess.Popen(
        [sys.executable, "-u", "-m", "harness", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    with running:
        if isolated:
            wait_for("out/records/*/a-quick.json")
        else:
            # What a plugin prints goes to standard error: the output may be JSON.
            assert "hanging\n" in iter(running.stderr.readline, "")
        running.send_signal(number)
        _, err = running.communicate(timeout=30)
    assert running.returncode == code
    assert "Interrupted. Finished results are on disk" in err
    assert "Traceback" not in err
    assert [(row["task"], row["score"]) for row in rows()] == [("a-quick", "0.5")]


# --- the embedding cache ----------------------------------------------------------------------------------


@pytest.fixture
def encoded(monkeypatch):
    """The texts that a sentence-transformers model is asked to encode, as they come."""
    from harness.models.sentence_transformer import SentenceModel

    # `encode` is this one without its counts, and a run asks for both.
    texts, whole = [], SentenceModel.encode_and_count

    def recording(self, asked, *words):
        texts.extend(asked)
        return whole(self, asked, *words)

    monkeypatch.setattr(SentenceModel, "encode_and_count", recording)
    return texts


def test_a_cold_a_warm_a_partly_warm_and_no_cache_give_the_same_bytes(run, tiny, encoded):
    run("--no-cache", model=tiny, out="none")
    without = len(encoded)
    assert without
    run("--cache", "whole", model=tiny, out="cold")
    run("--cache", "part", "--limit", "30", model=tiny, out="limited")
    encoded.clear()
    run("--cache", "part", model=tiny, out="partly")
    assert 0 < len(encoded) < without
    encoded.clear()
    warm = run("--cache", "whole", model=tiny, out="warm")
    assert (warm.code, warm.err, encoded) == (0, "", [])
    assert lasting("cold") == lasting("none") == lasting("partly") == lasting("warm")


def test_the_cache_is_shared_by_tasks_and_has_a_default_folder(run, tiny, encoded):
    run(model=tiny, tasks="stsb", out="one")
    assert list(Path(os.environ["HARNESS_CACHE"]).glob("embeddings/*-text-*/*.safetensors"))
    run(model=tiny, tasks="stsb,stsb-dev", out="both")
    assert len(encoded) == len(set(encoded))


@pytest.mark.slow
def test_no_cache_neither_reads_nor_writes(run, tiny, encoded):
    run("--no-cache", model=tiny, out="one")
    assert list(Path(os.environ["HARNESS_CACHE"]).iterdir()) == []
    run("--no-cache", model=tiny, out="two")
    assert len(encoded) == 2 * len(set(encoded))


@pytest.mark.slow
def test_the_configuration_may_name_the_cache_and_no_cache_contradicts_one(run, tiny, monkeypatch):
    Path("harness.toml").write_text('cache = "kept"\n')
    run(model=tiny)
    assert not Path("kept").exists()  # HARNESS_CACHE, which a test sets, comes first
    monkeypatch.delenv("HARNESS_CACHE")
    run(model=tiny, out="again")
    assert list(Path("kept").rglob("*.safetensors"))
    answer = run("--cache", "kept", "--no-cache", model=tiny, out="other")
    assert (answer.code, "contradict each other" in answer.err) == (2, True)
    assert not Path("other").exists()


@pytest.mark.slow
def test_fresh_ignores_cached_embeddings(run, tiny, encoded):
    run(model=tiny)
    first = lasting()
    run("--fresh", model=tiny)
    assert len(encoded) == 2 * len(set(encoded))
    assert lasting() == first


def test_a_cache_that_cannot_be_written_is_a_note_and_the_run_goes_on(run, tiny):
    Path("file").touch()
    answer = run("--cache", "file/cache", model=tiny)
    assert answer.code == 0
    assert "embedding cache: file/cache cannot be written (Not a directory)" in answer.err
    assert {row["status"] for row in rows()} == {"ok"}


def test_the_log_of_a_run_says_how_threads_were_used(run, tmp_path):
    build_model(tmp_path / "tiny")
    assert run("--threads", "2x1", model=f"tiny={tmp_path / 'tiny'}", tasks="stsb").code == 0
    (log,) = Path("out", "runs").glob("*.json")
    ((model, used),) = json.loads(log.read_text())["threads"].items()
    assert model.startswith("tiny~")
    assert used == "2×1 asked for"
