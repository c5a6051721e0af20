"""`--data hub`, and datasets of the hub in task files, through the command line; no network is tried."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hub_cache import REVISION, card, parquet, use, write_snapshot
from plugins.published import DOCUMENTS, QRELS, QUERIES

from harness import DataSource
from harness.tasks import hub
from harness_retrieval.tasks import retrieval_tasks
from harness_sts.tasks import stsb_tasks
from harness_triplet.tasks import triplet_tasks

STSB, DEV = stsb_tasks()
SCIFACT = retrieval_tasks()[0]
SNLI = triplet_tasks()[-1]
PAIRS = {
    "sentence1": [f"sentence {row}" for row in range(12)],
    "sentence2": [f"sentence {row % 5}" for row in range(12)],
    "score": [float(row) for row in range(12)],
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_known", {})
    return use(tmp_path / "hf", monkeypatch)


def write_stsb(home):
    splits = {"test": "data/test-*", "validation": "data/validation-*"}
    files = {f"data/{split}-00000-of-00001.parquet": parquet(**PAIRS) for split in splits}
    write_snapshot(home, STSB.hub.id, {"README.md": card(default=splits), **files}, STSB.hub.revision)


def write_retrieval(home, name, revision):
    query, document, score = zip(*QRELS, strict=True)
    files = {
        "corpus/test-00000-of-00001.parquet": parquet(id=list(DOCUMENTS), text=list(DOCUMENTS.values())),
        "queries/test-00000-of-00001.parquet": parquet(id=list(QUERIES), text=list(QUERIES.values())),
        "qrels/test-00000-of-00001.parquet": parquet(
            **{"query-id": query, "corpus-id": document, "score": score}
        ),
    }
    write_snapshot(home, name, files, revision)


def examined(name, out="out"):
    """Return what a record says of its task."""
    (path,) = Path(out).glob(f"records/*/{name}.json")
    return json.loads(path.read_text(encoding="utf-8"))["examination"]


def test_data_hub_reads_the_pinned_dataset_and_names_it(home, run):
    write_stsb(home)
    answer = run("--data", "hub")
    assert answer.code == 0
    assert "· hub mteb/stsbenchmark-sts@b0fddb56 (" in answer.out
    assert "hub-revision-unverified (note)" in answer.out
    assert examined("stsb@hub")["data"] == "hub"
    assert examined("stsb-dev@hub")["hub"] == f"mteb/stsbenchmark-sts@{STSB.hub.revision}"


def test_a_record_of_the_hub_stands_beside_those_of_the_sample_and_of_files(home, run, tmp_path):
    write_stsb(home)
    (tmp_path / "data/stsb").mkdir(parents=True)
    with (tmp_path / "data/stsb/stsb-en-test.csv").open("w", newline="") as file:
        csv.writer(file).writerows(zip(*PAIRS.values(), strict=True))
    for data in ("hub", "data", "sample"):
        assert run("--data", data, tasks="stsb").code == 0
    names = sorted(path.stem for path in Path("out/records").glob("*/*.json"))
    assert names == ["stsb", "stsb@hub", "stsb@sample"]
    assert examined("stsb")["digest"] == examined("stsb@hub")["digest"]


def test_what_is_not_cached_is_one_clear_error_without_a_traceback(home, run):
    answer = run("--data", "hub", tasks="stsb")
    assert answer.code == 2
    assert "mteb/stsbenchmark-sts is not in the hub's cache at revision b0fddb56" in answer.err
    assert "hf download --repo-type dataset mteb/stsbenchmark-sts --revision b0fddb56" in answer.err
    assert "Traceback" not in answer.err + answer.out
    assert not list(Path("out/errors").glob("*/*.txt"))


def test_a_failure_of_the_hub_is_forgotten_when_the_data_is_there(home, run):
    assert run("--data", "hub", "--keep-going").code == 2
    assert list(Path("out/errors").glob("*/*"))
    write_stsb(home)
    assert run("--data", "hub").code == 0
    assert not list(Path("out/errors").glob("*/*"))


def test_a_task_without_a_home_is_skipped_by_tag_and_an_error_by_name(home, run, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,triplet")
    write_stsb(home)
    answer = run("--data", "hub", tasks="sts,legal")
    assert answer.code == 0
    assert "skipped penal-triplets: this task has no home on the hub" in answer.err
    alone = run("--data", "hub", tasks="legal", out="alone")
    assert alone.code == 2
    assert "none of the selected tasks has a home on the hub" in alone.err
    assert run("--data", "hub", tasks="penal-triplets", out="named").code == 2


@pytest.mark.slow
def test_isolated_processes_read_the_hub_too(home, run):
    write_stsb(home)
    answer = run("--data", "hub", "--isolate", tasks="stsb")
    assert answer.code == 0, answer.err
    assert examined("stsb@hub")["data"] == "hub"


def test_status_and_verify_know_the_hub(home, run, harness, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", "hub")
    assert run("--keep-going").code == 2
    status = harness("status", "out")
    assert status.code == 1
    assert "2 failed" in status.out
    assert "--data hub" in status.out
    write_stsb(home)
    assert run().code == 0
    assert harness("status", "out").code == 0
    assert harness("verify", "out").code == 0


def test_a_folder_named_hub_is_given_by_its_path(home, run, tmp_path):
    (tmp_path / "hub").mkdir()
    assert "no stsb/stsb-en-test.csv in hub" in run("--data", "./hub", tasks="stsb").err
    assert "not in the hub's cache" in run("--data", "hub", tasks="stsb", out="other").err


def test_the_configuration_names_the_hub(home, run, tmp_path):
    write_stsb(home)
    (tmp_path / "harness.toml").write_text('data = "hub"\n')
    assert run().code == 0
    assert examined("stsb@hub")["data"] == "hub"


def test_check_holds_training_rows_against_tests_of_the_hub(home, harness, tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    write_stsb(home)
    rows = zip(PAIRS["sentence1"], PAIRS["sentence2"], strict=True)
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text1", "text2"), *rows])
    words = ("check", "pairs.csv", "--kind", "pairs", "--tasks", "stsb")
    assert "train-test-overlap" not in harness(*words).out
    assert "in 12 of 12 examples of stsb" in harness(*words, "--data", "hub").out


def test_list_shows_the_homes_of_tasks(harness):
    tasks = json.loads(harness("list", "tasks", "--json").out)["tasks"]
    assert {task["name"]: task["hub"] for task in tasks}["stsb"] == "mteb/stsbenchmark-sts"


# --- task files ------------------------------------------------------------------------------------------


def task_file(text):
    Path("tasks.toml").write_text(text, encoding="utf-8")
    return "--task-file", "tasks.toml"


def test_a_task_file_names_a_dataset_of_the_hub(home, run):
    write_snapshot(
        home,
        "org/pairs",
        {
            "README.md": card(a={"test": "a/*"}, b={"test": "b/test*", "validation": "b/val*"}),
            "a/test.parquet": parquet(other=[1]),
            "b/test.parquet": parquet(other=[1]),
            "b/val.parquet": parquet(**PAIRS),
        },
    )
    answer = run(
        *task_file(
            f"""[tasks.mine]
kind = "sts"
path = "hub:org/pairs"
revision = "{REVISION}"
subset = "b"
split = "validation"
columns = {{ text1 = "sentence1", text2 = "sentence2" }}"""
        ),
        tasks="mine",
    )
    assert answer.code == 0, answer.err
    assert "mine  validation · 12 examples" in answer.out
    assert "hub org/pairs@01234567" in answer.out
    assert "hub-revision" not in answer.out
    assert examined("mine@hub")["hub"] == f"org/pairs@{REVISION}"


def test_a_task_of_the_hub_without_a_revision_says_which_commit_it_was(home, run):
    write_snapshot(home, "org/pairs", {"test.parquet": parquet(**PAIRS)})
    words = task_file(
        '[tasks.mine]\nkind = "sts"\npath = "hub:org/pairs"\n'
        'columns = { text1 = "sentence1", text2 = "sentence2" }'
    )
    answer = run(*words, tasks="mine")
    assert answer.code == 0
    assert f"hub-revision-unpinned (note): org/pairs was read at main, now {REVISION}" in answer.out
    assert run(*words, tasks="mine").out.count("1 result kept from before") == 1


def test_a_dataset_of_the_hub_takes_the_keys_of_files(home, run):
    lines = b"sentence1,sentence2,score\n" + b"".join(
        b"a %d,b %d,%d\n" % (row, row, row) for row in range(12)
    )
    write_snapshot(home, "org/pairs", {"test.csv": lines + b"no score,here,\n"})
    columns = 'columns = { text1 = "sentence1", text2 = "sentence2" }'
    start = '[tasks.mine]\nkind = "sts"\npath = "hub:org/pairs"\n' + columns
    assert "is not a number" in run(*task_file(start), tasks="mine").err
    answer = run(*task_file(f'{start}\nmissing = "drop"'), tasks="mine")
    assert answer.code == 0, answer.err
    assert "mine  test · 12 examples" in answer.out
    assert run(*task_file(f'{start}\nmissing = "keep"'), tasks="mine").code == 2


def test_retrieval_of_the_hub_is_read_by_its_layout(home, run, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "retrieval")
    write_retrieval(home, "org/tickets", REVISION)
    words = task_file(f'[tasks.mine]\nkind = "retrieval"\npath = "hub:org/tickets"\nrevision = "{REVISION}"')
    answer = run(*words, tasks="mine")
    assert answer.code == 0, answer.err
    assert "mine  test · 4 examples · hub org/tickets@01234567" in answer.out


def test_clauses_of_the_hub_are_fitted_on_its_other_splits(home, run, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "clauses")
    rows = range(24)
    table = parquet(
        clause=[f"clause {row} {'may' if row % 2 else 'shall not'}" for row in rows],
        hypothesis=["it may"] * 24,
        label=[row % 2 for row in rows],
    )
    files = {f"{split}.parquet": table for split in ("train", "validation", "test")}
    write_snapshot(home, "org/nda", files)
    words = task_file(
        f'''[tasks.mine]
kind = "clauses"
path = "hub:org/nda"
revision = "{REVISION}"
dev = "validation"
train = "train"'''
    )
    answer = run(*words, tasks="mine")
    assert answer.code == 0, answer.err
    assert "probe_accuracy" in answer.out


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ('path = "hub:pairs"', "'pairs' is not the id of a dataset"),
        ('path = "hub:org/pairs"\nrevision = 3', "revision is not a text: 3"),
        ('path = "hub:org/pairs"\nconfig = "a"\nsubset = "b"', "two words for one key"),
        ('path = "pairs.csv"\nrevision = "main"', "no option of kind sts (task mine) named 'revision'"),
    ],
)
def test_a_mistake_in_a_task_file_is_found_before_any_work(home, run, keys, complaint):
    answer = run(*task_file(f'[tasks.mine]\nkind = "sts"\n{keys}\n'), tasks="mine")
    assert answer.code == 2
    assert complaint in answer.err


# --- the homes of our tasks ------------------------------------------------------------------------------


def test_every_home_is_pinned_to_a_commit():
    tasks = [*stsb_tasks(), *retrieval_tasks(), *triplet_tasks()]
    homes = {task.name: task.hub for task in tasks if task.hub}
    assert sorted(homes) == [
        "aila-casedocs",
        "aila-statutes",
        "scifact",
        "snli-triplets",
        "stsb",
        "stsb-dev",
    ]
    assert all(hub.is_commit(home.revision) for home in homes.values())


def test_scifact_is_read_from_the_hub(home):
    write_retrieval(home, SCIFACT.hub.id, SCIFACT.hub.revision)
    assert SCIFACT.load(DataSource.of(SCIFACT, "hub"))["id"] == list(QUERIES)


def test_triplets_of_the_pairs_on_the_hub_are_those_of_the_file(home, shared_data):
    lines = (shared_data / "snli/snli-dev.jsonl").read_text(encoding="utf-8").strip().split("\n")
    pairs = [json.loads(line) for line in lines]
    labels = {"entailment": 0, "neutral": 1, "contradiction": 2}
    table = parquet(
        premise=[pair["sentence1"] for pair in pairs] + ["unlabeled"],
        hypothesis=[pair["sentence2"] for pair in pairs] + ["unlabeled"],
        label=[labels[pair["gold_label"]] for pair in pairs] + [-1],
    )
    files = {
        "README.md": card(plain_text={"validation": "plain_text/*"}),
        "plain_text/validation.parquet": table,
    }
    write_snapshot(home, SNLI.hub.id, files, SNLI.hub.revision)
    theirs = SNLI.load(DataSource.of(SNLI, "hub"))
    assert theirs.digest == SNLI.load(DataSource.of(SNLI, shared_data)).digest
