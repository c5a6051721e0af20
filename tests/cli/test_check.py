"""`harness check`: what it prints, and its exit code."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from plugins.cards import TRIPLETS, card_text

PLUGIN = """
from harness import Finding, Severity, hookimpl
from harness.training import Check


def look(subject):
    if subject.path.startswith("bad"):
        yield Finding("bad-name", Severity.ERROR, "The name\\x1b[31m begins with bad.", "Call it good.")
    if subject.batch_size == 1:
        yield Finding("alone", Severity.NOTE, "A batch of one.")
    if subject.path.startswith("odd"):
        raise ValueError("odd things happen")


@hookimpl
def harness_checks():
    return [Check("names", "what a thing is called", look)]
"""

UNREACHABLE = {
    "loss": "TripletLoss",
    "columns": TRIPLETS,
    "parameters": '{"distance_metric": "TripletDistanceMetric.EUCLIDEAN", "triplet_margin": 5}',
}


@pytest.fixture
def check(harness):
    """Call `harness check` with a plugin of one check that looks at names."""
    Path("names.py").write_text(PLUGIN)
    for name in ("good", "bad", "odd"):
        Path(f"{name}.md").write_text(card_text())
    return lambda *words: harness("check", "--plugin=names.py", *words)


def test_a_path_without_findings_shows_what_was_not_looked_at(check):
    answer = check("good.md")
    assert answer.code == 0
    assert answer.out.splitlines()[0] == (
        "good.md  card · CosineSimilarityLoss · 4,000 rows · batch 16 · 2 epochs · 500 steps"
    )
    assert "nothing found; not looked at: training rows" in answer.out
    assert answer.out.splitlines()[-1] == "1 path: 0 errors, 0 warnings, 0 notes"


def test_a_finding_is_shown_with_its_evidence_and_remedy_and_nothing_that_writes_to_a_terminal(
    check, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "100")
    Path("bad.md").write_text(card_text(batch=1))
    answer = check("bad.md", "good.md")
    assert answer.code == 1
    assert [line.rstrip() for line in answer.out.splitlines()[1:6]] == [
        " ERROR    bad-name",
        "          The name[31m begins with bad.",
        "        → Call it good.",
        " NOTE     alone",
        "          A batch of one.",
    ]
    assert answer.out.splitlines()[-1] == "2 paths: 1 error, 0 warnings, 1 note"
    assert all(len(line) <= 100 for line in answer.out.splitlines())


def test_a_finding_that_is_allowed_is_shown_and_does_not_count(check):
    answer = check("bad.md", "--allow", "bad-name")
    assert answer.code == 0
    assert " allowed  bad-name" in answer.out
    assert answer.out.splitlines()[-1] == "1 path: 0 errors, 0 warnings, 0 notes, 1 allowed"


def test_json_has_every_field_of_every_finding(check, document):
    answer = check("bad.md", "--json", "--allow=other")
    assert answer.code == 1
    shown = document("check", answer)
    (one,) = shown["paths"]
    assert shown["problems"] == []
    assert (one["path"], one["what"], one["error"]) == ("bad.md", "card", None)
    assert one["findings"] == [
        {
            "code": "bad-name", "severity": "error", "evidence": "The name\x1b[31m begins with bad.",
            "remedy": "Call it good.", "check": "names", "allowed": False,
        }
    ]  # fmt: skip
    assert any(line.startswith("training rows") for line in one["not_looked_at"])


def test_a_check_that_raises_is_a_problem_and_the_other_paths_are_checked(check):
    answer = check("odd.md", "bad.md")
    assert answer.code == 2
    said = "PROBLEM plugin names: check 'names' raised on odd.md: ValueError: odd things happen"
    assert f"{said} (names.py, line 12)" in answer.out.splitlines()
    assert " ERROR    bad-name" in answer.out


def test_a_path_that_cannot_be_checked_is_shown_with_its_reason_and_the_others_are_checked(check, document):
    answer = check("absent.md", "bad.md")
    assert answer.code == 2
    assert answer.out.splitlines()[:2] == ["absent.md  could not be checked", " no file absent.md"]
    assert " ERROR    bad-name" in answer.out
    assert answer.out.splitlines()[-1].endswith("1 could not be checked")
    (found,) = document("check", check("absent.md", "--json"))["paths"]
    assert (found["what"], found["error"], found["findings"]) == (None, "no file absent.md", [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "nowhere"], "no data folder or file nowhere"),
        (["--column", "text1"], "--column 'text1' is not OURS=THEIRS"),
        (["--tasks", "stsd"], "stsd"),
    ],
)
def test_an_invalid_option_is_a_single_error(check, words, said):
    answer = check("good.md", *words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


def test_without_any_check_the_result_is_a_problem(harness):
    Path("good.md").write_text(card_text())
    answer = harness("check", "good.md")
    assert answer.code == 2
    assert "PROBLEM no plugin has checks" in answer.out


def test_our_own_checks_look_at_cards_recipes_data_and_models(harness, monkeypatch, tiny):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    Path("card.md").write_text(card_text(**UNREACHABLE))
    Path("ours.toml").write_text(
        'data = { kind = "triplets", path = "t.csv" }\nloss = { name = "TripletLoss", distance = "cosine" }\n'
        'base = "lexical"\n'
    )
    Path("t.csv").write_text(
        "anchor,positive,negative\n" + "".join(f"a{n} b,c{n} d,e{n} f\n" for n in range(9))
    )
    answer = harness("check", "card.md", "ours.toml", "t.csv", tiny, "--kind", "triplets", "--json")
    document = json.loads(answer.out)
    assert document["problems"] == []
    codes = [{finding["code"] for finding in path["findings"]} for path in document["paths"]]
    assert [path["what"] for path in document["paths"]] == ["card", "recipe", "dataset", "model"]
    assert {"margin-unreachable", "no-evaluation"} <= codes[0]
    assert {"margin-unreachable", "too-few-steps"} <= codes[1]
    assert "embedding-collapse" in codes[3]
    assert answer.code == 0, "warnings alone"


def test_a_card_is_checked_without_torch():
    Path("card.md").write_text(card_text(**UNREACHABLE))
    script = (
        "import sys, harness.cli\n"
        "sys.argv = ['harness', 'check', 'card.md']\n"
        "harness.cli.main()\n"
        "heavy = {'torch', 'sentence_transformers', 'transformers', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={"PATH": "", "HARNESS_PLUGINS": "train"},
    )  # fmt: skip
    assert "margin-unreachable" in process.stdout
    assert process.stderr == "[]\n"


ROOT = Path(__file__).parents[2]


def test_the_check_of_the_plugin_guide_has_the_findings_it_shows(harness):
    page = (ROOT / "docs" / "plugins" / "check.md").read_text(encoding="utf-8")
    Path("signatures.py").write_text(page.split("```python\n")[1].partition("```")[0])
    Path("tickets.csv").write_text("text1,text2\nIt broke. Kind regards Ada,Help\nNo light,It is dark\n")
    answer = harness("check", "--plugin=signatures.py", "tickets.csv", "--kind", "pairs")
    assert answer.code == 0
    assert " WARNING  signatures" in answer.out
    assert "1 of 4 texts end in a signature, such as 'It broke. Kind regards Ada'." in answer.out


def test_every_code_of_our_checks_is_in_the_guide():
    files = [
        *(ROOT / "plugins" / "harness_train").glob("*.py"),
        ROOT / "harness" / "training" / "contamination.py",
    ]
    calls = [
        node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
    ]
    codes = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "Finding"
        and isinstance(call.args[0], ast.Constant)
    }
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    assert len(codes) > 20
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []
