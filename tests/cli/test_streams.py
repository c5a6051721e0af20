"""Output that cannot be encoded or written ends no command: results are whole, the exit code says it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "results" / "example"
FULL = Path("/dev/full")
SENTENCE = "Error: the output could not be written: No space left on device; results on disk are complete\n"
RUN = "run --no-throughput --model lexical --tasks stsb-dev --out out"
COMMANDS = {
    "run": RUN,
    "leaderboard csv": "leaderboard ex --format csv",
    "compare": "compare ex --baseline minilm --write made.md",
}
SLOW = {
    "run --json": f"{RUN} --json",
    "list": "list tasks",
    "leaderboard": "leaderboard ex",
    "status": "status ex",
    "verify": "verify ex",
    "check": "check sts-cosine",
    "cache": "cache info",
    "help": "--help",
    "bench": "bench --model lexical --budget 2 --workload short --out bench --pytest-json made.json",
    "train": "train --recipe records-cosine --set train.steps=2 --allow short-training --out candidates/one",
}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Call `harness WORDS REDIRECTION` in a shell, where results of an example are in `ex`."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    shutil.copytree(EXAMPLE, tmp_path / "ex")

    def calling(words, redirected, **environment):
        command = f"{sys.executable} -m harness {words} {redirected}"
        return subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            check=False,
        )

    return calling


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "words",
    [*COMMANDS.values(), *(pytest.param(words, marks=pytest.mark.slow) for words in SLOW.values())],
    ids=[*COMMANDS, *SLOW],
)
def test_a_full_device_is_one_sentence_and_2_and_results_are_whole(shell, words):
    answer = shell(words, "> /dev/full")
    assert answer.returncode == 2
    assert answer.stderr.endswith(SENTENCE)
    assert "Traceback" not in answer.stderr
    for made in (*Path().glob("made.*"), *Path("candidates").glob("*.unfinished")):
        assert made.stat().st_size
        assert "unfinished" not in made.name
    if words.startswith("run"):
        assert shell("verify out", "").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "redirected",
    [
        "| head -1",
        ">&- 2>&- <&-",
        *(
            pytest.param(how, marks=pytest.mark.slow)
            for how in ("| true", ">&-", ">&- 2>&-", "2> /dev/full", "2>&-")
        ),
    ],
)
def test_a_reader_that_leaves_and_a_closed_stream_change_no_exit_code(shell, redirected):
    piped = f"set -o pipefail; {sys.executable} -m harness"
    for words, code in ((RUN, 0), ("compare ex --baseline minilm", 1), ("run --model none --tasks sts", 2)):
        command = f"{piped} {words} {redirected}"
        answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert answer.returncode == code
        assert "Traceback" not in answer.stderr
    assert shell("verify out", "").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoding",
    ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("latin-1", "cp1252", "utf-16"))],
)
def test_what_an_encoding_does_not_have_is_replaced(shell, encoding):
    named = f"{RUN} --model Größe…文=lexical".replace("--model lexical ", "")
    for words in (named, "leaderboard out", "leaderboard out --format csv", "list tasks"):
        answer = subprocess.run(
            [sys.executable, "-m", "harness", *words.split()],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            check=False,
        )
        assert answer.returncode == 0
        assert b"Traceback" not in answer.stderr
        shown = answer.stdout.decode(encoding)
        if encoding in ("latin-1", "cp1252") and words.endswith("csv"):
            assert "Größe" in shown
            assert "\\u6587" in shown


@pytest.mark.slow
def test_a_file_that_is_opened_after_a_closed_output_takes_none_of_what_is_printed(shell):
    assert shell(f"{RUN}", ">&-").returncode == 0
    (record,) = Path("out/records").glob("*/*.json")
    assert record.read_text().startswith("{")
    assert shell("verify out", "").returncode == 0


ODD = """
import os
import sys
import warnings
from harness import Dataset, Predictions, Task, hookimpl, mean_metric

class Odd(Task):
    kind, tags, metrics = "odd", frozenset({"odd"}), (mean_metric("accuracy", "correct"),)
    def __init__(self, name):
        self.name = name
    def load(self, source):
        return Dataset({"text": ["one", "two", "three"]})
    def predict(self, model, dataset):
        password = os.environ["DB_PASSWORD"]
        if self.name == "odd-long":
            raise ValueError("x" * 10_000_000)
        if self.name == "odd-lines":
            raise ValueError("x\\n" * 5_000_000)
        if self.name == "odd-repr":
            warnings.warn(password)
            raise RuntimeError(repr(password) + password)
        stream = {"odd-out": sys.stdout, "odd-err": sys.stderr, "odd-in": sys.stdin}[self.name]
        stream.close()
        return Predictions(dataset, correct=[1.0, 0.0, 1.0])

@hookimpl
def harness_tasks():
    return [Odd(f"odd-{what}") for what in ("out", "err", "in", "long", "lines", "repr")]
"""


@pytest.fixture
def odd(shell):
    """Run tasks of a plugin that does odd things."""
    Path("odd.py").write_text(ODD)

    def running(*tasks, password="none-at-all", more=""):
        words = (
            f"run --no-throughput --model lexical --plugin odd.py --out out --tasks {','.join(tasks)} {more}"
        )
        return shell(words, "", DB_PASSWORD=password)

    return running


@pytest.mark.slow
def test_a_stream_that_a_plugin_closes_is_opened_again_and_the_exit_code_stays(odd):
    answer = odd("odd-out,odd-err,odd-in")
    assert answer.returncode == 0
    assert "Traceback" not in answer.stderr
    assert answer.stdout.count("accuracy") == 3
    assert odd("odd-out", more="--json --fresh").stdout.startswith("{")


@pytest.mark.slow
def test_an_error_of_ten_megabytes_is_cut_in_records_traces_and_output(odd):
    answer = odd("odd-long", "odd-lines")
    assert answer.returncode == 2
    assert "10,000,000 characters in all" in answer.stderr
    written = [path for path in Path("out").rglob("*") if path.is_file()]
    assert len([path for path in written if path.suffix == ".txt"]) == 2
    assert len(answer.stdout) + len(answer.stderr) < 100_000
    assert max(path.stat().st_size for path in written) < 250_000
    assert "10,000,000 characters in all" in next(Path("out/errors").glob("*/odd-long.json")).read_text()


@pytest.mark.parametrize("password", ['pä"ssword99', "pä\\ssword99", "p'a\"ssword99"])
def test_a_password_with_quotation_marks_is_in_nothing_that_is_printed_or_written(odd, password):
    answer = odd("odd-repr", password=password)
    assert "RuntimeError: '***'***" in answer.stderr.replace('"', "'")
    assert "UserWarning: ***" in answer.stderr
    shown = [answer.stdout, answer.stderr]
    shown += [
        path.read_text() for path in Path("out").rglob("*") if path.is_file() and "parquet" not in path.name
    ]
    assert not any("ssword99" in text for text in shown)


BELOW_PYTHON = """
import ctypes
import os
import subprocess
from harness import Dataset, Predictions, Task, hookimpl, mean_metric

class Loud(Task):
    name, kind, metrics = "loud", "loud", (mean_metric("accuracy", "correct"),)
    def load(self, source):
        return Dataset({"text": ["one", "two", "three"]})
    def predict(self, model, dataset):
        os.write(1, b"by its descriptor\\n")
        ctypes.CDLL(None).puts(b"by the library of C")
        subprocess.run(["echo", "by a process"], check=True)
        os.close(1)
        return Predictions(dataset, correct=[1.0, 0.0, 1.0])

@hookimpl
def harness_tasks():
    import atexit
    atexit.register(print, "at exit")
    return [Loud()]
"""


def test_json_is_all_of_the_output_whatever_a_plugin_writes_below_python(shell):
    Path("loud.py").write_text(BELOW_PYTHON)
    words = "run --no-throughput --model lexical --plugin loud.py --out out --tasks loud --json"
    answer = shell(words, "")
    assert answer.returncode == 0
    (record,) = json.loads(answer.stdout)["records"]
    assert record["status"] == "ok"
    for what in ("by its descriptor", "by the library of C", "by a process", "at exit"):
        assert what in answer.stderr
