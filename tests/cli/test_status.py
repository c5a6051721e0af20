"""`harness status`: what is done, what is left and why, and how to continue."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.evaluation import keys
from harness.system import atomic as durable
from harness.system.atomic import this_process

SLOW = Path(__file__).parents[1] / "plugins_misbehaving" / "slow.py"
PLUGIN = '''
import hashlib
from pathlib import Path

import numpy as np

from harness import Dataset, HarnessError, Predictions, Role, Task, hookimpl, mean_metric
from harness.authoring import ModelFacts, ModelScheme


class Counting:
    """A model whose content is a file."""

    def __init__(self, spec):
        path = Path(spec.location)
        if not path.is_file():
            raise HarnessError(f"no model file {path}")
        self.spec, self.name = spec, spec.name or "counting"
        self.fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
        self.facts = ModelFacts(dimensions=1, similarity="cosine")

    def load(self):
        return self

    def encode(self, texts, role=Role.TEXT):
        return np.ones((len(texts), 1), dtype=np.float32)

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        return None

    def same_as(self, role):
        return Role.TEXT


class Rows(Task):
    kind, metrics, tags = "rows", (mean_metric("accuracy", "correct"),), frozenset({"rows"})

    def __init__(self, name):
        self.name = name

    def load(self, source):
        return Dataset({"text": source.path(f"{self.name}.txt").read_text().split()})

    def predict(self, model, dataset):
        if "bad" in dataset["text"]:
            raise HarnessError("a bad row")
        return Predictions(dataset, correct=[float(len(text) % 2) for text in dataset["text"]])


@hookimpl
def harness_tasks():
    return [Rows("one"), Rows("two")]


@hookimpl
def harness_model_schemes():
    return [ModelScheme("counting", "a file", Counting)]
'''


@pytest.fixture(autouse=True)
def given(tmp_path):
    """A plugin, a model and data, in the folder where commands are given."""
    (tmp_path / "counts.py").write_text(PLUGIN)
    (tmp_path / "weights").write_text("1")
    (tmp_path / "data").mkdir()
    for name in ("one", "two"):
        (tmp_path / "data" / f"{name}.txt").write_text("a bb cc ddd")


@pytest.fixture
def ran(run):
    """Evaluate the model on both tasks; further words are added to the command."""

    def running(*words, model="counting:weights", tasks="rows"):
        return run("--plugin", "counts.py", "--data", "data", *words, model=model, tasks=tasks)

    return running


@pytest.fixture
def status(harness, document, tmp_path):
    def asking(folder="out"):
        """(exit code, {task: (state, why)}, all that is said); the plugins that lie there are given."""
        words = ["status", folder, *(f"--plugin={path}" for path in sorted(tmp_path.glob("*.py")))]
        found = document("status", harness(*words, "--json"))
        pairs = {pair["task"]: (pair["state"], pair["why"]) for pair in found["pairs"]}
        answer = harness(*words)
        assert answer.err == ""
        return answer.code, pairs, answer.out

    return asking


def rewrite_run(**changes):
    """Change the journal of the only run; None removes."""
    (path,) = Path("out/runs").iterdir()
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


DONE = ("done", "")
GONE = f"{durable._machine()}-999999999"


def test_a_finished_run_is_done_and_there_is_nothing_to_continue(ran, status):
    ran()
    code, pairs, out = status()
    assert (code, pairs) == (0, {"one": DONE, "two": DONE})
    assert out.endswith("2 done, 0 failed, 0 missing, 0 stale\n")
    assert "continue" not in out


def test_a_missing_result_is_computed_by_the_command_that_is_shown(ran, status, harness):
    ran("--no-cache")
    next(Path("out/records").rglob("one.json")).unlink()
    next(Path("out/predictions").rglob("two.parquet")).unlink()
    code, pairs, out = status()
    assert (code, pairs["one"]) == (1, ("missing", ""))
    assert pairs["two"] == ("missing", "its predictions are missing, or are another run's")
    (command,) = re.findall("^continue: harness (.*)$", out, re.MULTILINE)
    assert harness(*shlex.split(command)).code == 0
    assert status()[0] == 0


def test_a_record_that_was_changed_is_missing_and_computed_again(ran, status):
    ran()
    path = next(Path("out/records").rglob("one.json"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"score": 0.5', b'"score": 1.0'))
    assert "its seal does not hold" in status()[1]["one"][1]
    assert ran().code == 0
    assert path.read_bytes() == whole


def test_changed_rows_make_a_record_stale(ran, status):
    ran()
    Path("data/one.txt").write_text("a bb cc dddd")
    code, pairs, _ = status()
    assert (code, pairs["two"]) == (1, DONE)
    assert re.fullmatch(r"data: \w{8} / \w{8}", pairs["one"][1])
    ran()
    assert status()[0] == 0


def test_a_changed_model_makes_its_records_stale(ran, status):
    ran()
    Path("weights").write_text("2")
    code, pairs, _ = status()
    assert (code, pairs["one"][0]) == (1, "stale")
    assert re.fullmatch(r"model: 6b86b273 / d4735e3a", pairs["one"][1])
    ran()
    assert status()[:2] == (0, {"one": DONE, "two": DONE})


def test_a_changed_plugin_makes_the_records_of_its_tasks_stale(ran, status):
    ran()
    Path("counts.py").write_text(PLUGIN.replace("len(text) % 2", "len(text) % 3 == 0"))
    assert status()[1]["one"] == ("stale", "code of the task: counts changed")


def test_our_own_changed_code_makes_records_stale(ran, status, monkeypatch):
    ran()
    changed = {
        **keys.scoring_code(),
        "harness.metrics.standard": "another",
        "harness.metrics.search": "another",
    }
    monkeypatch.setattr("harness.evaluation.keys.scoring_code", lambda: changed)
    assert status()[1]["one"] == (
        "stale",
        "scoring code of harness: metrics.search, metrics.standard changed",
    )


def test_what_changed_for_several_results_is_said_once_and_with_few_names(ran, status, monkeypatch):
    ran()
    modules = [name for name in keys.scoring_code() if name.startswith("harness.")][:9]
    changed = {**keys.scoring_code(), **dict.fromkeys(modules, "another")}
    monkeypatch.setattr("harness.evaluation.keys.scoring_code", lambda: changed)
    _, pairs, out = status()
    names = [name.removeprefix("harness.") for name in sorted(modules)]
    assert pairs["one"] == pairs["two"] == ("stale", f"scoring code of harness: {', '.join(names)} changed")
    (said,) = [line for line in out.splitlines() if "scoring code" in line]
    assert said.strip() == f"(1) scoring code of harness: 9 modules changed ({', '.join(names[:3])}, …)"
    rows = [line.split() for line in out.splitlines() if " stale " in line]
    assert [row[-1] for row in rows[:2]] == ["(1)", "(1)"]


def test_the_latest_of_two_requests_with_different_settings_counts(ran, status):
    ran("--device", "cpu")
    ran("--device", "auto")
    assert status()[:2] == (0, {"one": DONE, "two": DONE})


def test_a_failure_says_its_first_line(ran, status):
    Path("data/two.txt").write_text("bad row")
    assert ran().code == 2
    code, pairs, out = status()
    assert (code, pairs) == (1, {"one": DONE, "two": ("failed", "a bad row")})
    assert "1 done, 1 failed, 0 missing, 0 stale" in out


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        ("data", "cannot read its rows: no one.txt in "),
        ("weights", "no model file weights"),
        ("counts.py", "no plugin or task file has this task"),
    ],
)
def test_what_no_longer_exists_is_reported_and_the_rest_is_judged(ran, run, status, removed, told):
    run("--limit", "20", tasks="stsb")
    ran()
    path = Path(removed)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, pairs, _ = status()
    assert (code, pairs["stsb"]) == (2, DONE)
    assert pairs["one"][0] == "unknown"
    assert pairs["one"][1].startswith(told)


def test_a_model_that_never_existed_has_failed(ran, status):
    assert ran("--model", "counting:nowhere", "--keep-going").code == 2
    code, _, out = status()
    assert code == 1
    assert "nowhere" in out
    assert "2 done, 2 failed" in out


def test_tasks_without_a_sample_that_a_tag_selects_are_not_missing(ran, run, status):
    run("--plugin", "counts.py", tasks="sts,rows", model="lexical")
    code, pairs, out = status()
    assert (code, set(pairs)) == (0, {"stsb", "stsb-dev"})
    assert "skipped one: no sample is shipped for this task" in out


def test_the_status_is_the_same_from_another_folder(ran, status, tmp_path, monkeypatch):
    ran()
    (tmp_path / "else where").mkdir()
    monkeypatch.chdir(tmp_path / "else where")
    assert status("../out")[:2] == (0, {"one": DONE, "two": DONE})
    Path("../data/one.txt").write_text("other rows")
    assert f"continue: cd {tmp_path} && harness run " in status("../out")[2]


def test_the_command_that_continues_computes_nothing_twice_and_names_its_data(run, status, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", "data")
    run("--plugin", "counts.py", "--fresh", model="counting:weights", tasks="rows")
    shutil.rmtree("out/records")
    (command,) = re.findall("^continue: (.*)$", status()[2], re.MULTILINE)
    assert "--fresh" not in command
    assert command.endswith("--data data")


@pytest.mark.parametrize(
    ("state", "process", "told"),
    [
        ("running", this_process(), "running"),
        ("running", GONE, "killed"),
        ("interrupted", GONE, "interrupted"),
        ("failed", GONE, "failed"),
    ],
    ids=["running", "killed", "interrupted", "failed"],
)
def test_an_unfinished_run_is_shown_with_its_next_task(ran, status, state, process, told):
    ran()
    rewrite_run(state=state, process=process)
    shutil.rmtree("out/records")
    assert re.search(rf"^{told}: the run of \S+ \(.*\), at counting · one$", status()[2], re.MULTILINE)


def test_an_unfinished_run_that_another_one_completed_is_not_shown(ran, status):
    ran()
    rewrite_run(state="running", process=GONE)
    ran()
    assert "killed" not in status()[2]


@pytest.mark.parametrize("plans", [None, "nothing"])
def test_a_folder_without_plans_lists_its_records_and_says_that_some_may_be_missing(ran, status, plans):
    Path("data/two.txt").write_text("bad row")
    ran()
    rewrite_run(plan=None, state=None, process=None) if plans is None else shutil.rmtree("out/runs")
    code, pairs, out = status()
    assert (code, pairs) == (1, {"one": ("unknown", "a record is there"), "two": ("failed", "a bad row")})
    assert "what is missing cannot be determined" in out


def test_an_unreadable_journal_is_reported(ran, status):
    ran()
    Path("out/runs/half.json").write_text('{"started')
    code, pairs, out = status()
    assert (code, pairs["one"]) == (2, DONE)
    assert "half.json is not the journal of a run" in out


CLOSED = PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.mark.parametrize("what", ["folder", "task_files", "plugins", "data", "model"])
def test_unreadable_paths_in_a_journal_are_reported(ran, harness, monkeypatch, tmp_path, what):
    ran()
    Path("loop").symlink_to("loop")
    (path,) = Path("out/runs").iterdir()
    plan = json.loads(path.read_text())["plan"]
    closed, look = tmp_path / "closed", Path.stat

    def stat(path, *, follow_symlinks=True):
        if closed in (tmp_path / path).parents:
            raise CLOSED
        return look(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    for name in ("x" * 5_000, "a\0b", "loop", "closed/below"):
        if what == "model":
            plan["models"][0]["spec"] |= {"scheme": "folder", "location": name}
        else:
            plan[what] = name if what in ("folder", "data") else [name]
        rewrite_run(plan=plan)
        answer = harness("status", "out")
        assert answer.err == ""
        assert answer.code in ((2,) if what in ("folder", "task_files", "plugins") else (1, 2))


@pytest.mark.parametrize("command", [[], ["sh", "run", "-c", "true"], ["harness"], ["harness", "; true"]])
def test_only_commands_of_harness_run_are_shown(ran, status, command, harness):
    ran()
    rewrite_run(command=command)
    shutil.rmtree("out/records")
    code, _, out = status()
    assert code == 1
    assert "continue" not in out
    assert "is not a `harness run`, and is not shown" in out
    assert json.loads(harness("status", "out", "--json").out)["continue"] == []


def test_a_folder_without_permission_is_reported(ran, status, monkeypatch):
    def refuse(_folder):
        raise CLOSED

    ran()
    monkeypatch.setattr(os, "chdir", refuse)
    assert ", in which a run was started: Permission denied" in status()[2]


def test_a_plugin_that_only_a_journal_names_is_not_loaded(ran, harness):
    ran()
    with Path("counts.py").open("a") as plugin:
        plugin.write('Path("ran").touch()\n')
    answer = harness("status", "out")
    assert not Path("ran").exists()
    assert answer.code == 2
    refused = (
        "PROBLEM a run used the plugin counts.py; it is code, and is loaded only with --plugin counts.py"
    )
    assert refused in answer.out
    harness("status", "out", "--plugin", "counts.py")
    assert Path("ran").exists()


def test_a_configured_plugin_is_loaded(run, harness):
    Path("harness.toml").write_text('plugins = ["counts.py"]')
    run("--data", "data", model="counting:weights", tasks="rows")
    assert harness("status", "out").out.endswith("2 done, 0 failed, 0 missing, 0 stale\n")


def test_a_missing_folder_is_an_error(harness):
    asked = harness("status", "nowhere")
    assert (asked.code, asked.err.splitlines()[0]) == (2, "Error: no folder nowhere")


def test_a_folder_without_results_is_an_error_that_names_those_below_that_have_some(ran, harness):
    ran()
    for command in ("status", "verify", "compare", "leaderboard"):
        asked = harness(command, ".")
        assert asked.code == 2
        assert asked.err.startswith("Error: no results in .\n  there are some in out\n  hint: "), command


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_its_plan_and_the_command_shown_finishes_it(harness, status, tmp_path):
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW.read_text())
    words = f"--plugin {plugin} --model lexical --tasks slow --no-throughput --out out".split()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "harness", "run", *words], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout.readline() == "hanging\n"
        assert re.search("^running: ", status()[2], re.MULTILINE)
        os.kill(running.pid, signal.SIGKILL)
    code, pairs, out = status()
    assert (code, pairs) == (1, {"a-quick": DONE, "z-hangs": ("missing", "")})
    assert re.search(r"^killed: the run of .*, at lexical · z-hangs$", out, re.MULTILINE)
    assert f"continue: python -m harness run {shlex.join(words)}" in out
    plugin.write_text(SLOW.read_text().replace("time.sleep(60)", "pass"))
    assert status()[1]["a-quick"][0] == "stale"
    assert harness("run", *words).code == 0
    assert status()[0] == 0
    assert harness("verify", "out", "--plugin", plugin).code == 0


def test_a_task_file_is_labeled_own_and_not_as_a_sample(run, harness):
    Path("rows.csv").write_text(
        "text1,text2,score\n" + "".join(f"a {n},b {n % 7},{n % 5}\n" for n in range(12))
    )
    Path("tasks.toml").write_text('[tasks.mine]\nkind = "sts"\npath = "rows.csv"\n')
    assert run("--task-file", "tasks.toml", tasks="mine,stsb-dev").code == 0
    answer = harness("status", "out")
    assert answer.code == 0
    shown = {line.split()[1] for line in answer.out.splitlines() if line.startswith(" lexical")}
    assert shown == {"mine", "stsb-dev@sample"}
    pairs = json.loads(harness("status", "out", "--json").out)["pairs"]
    assert {pair["task"]: pair["data"] for pair in pairs} == {"mine": "own", "stsb-dev": "sample"}
    assert {path.stem for path in Path("out/records").glob("*/*.json")} == shown
    (line,) = (
        line for line in Path("out/leaderboard.csv").read_text().splitlines() if ",mine,spearman," in line
    )
    assert ",own," in line
