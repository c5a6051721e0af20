"""The outcome in words, and the order of the doubts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from comparison.made import answer, right
from conftest import evaluated

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.models.interface import Settings
from harness.plugins.report_writer import ReportWriter
from harness.report.write import figure_text
from harness.results.folder import ResultsFolder, sealed
from harness.results.records import Truncation

LOOSE = """
undecided = "pass"
[[line]]
task = "quiz"
margin = 0.02
[[line]]
task = "exam"
margin = 0.95
"""


def models(shares, *tasks, **told):
    """Write models by the share of their answers that is right, to tasks of 60 and 40 rows."""
    for seed, (name, share) in enumerate(shares.items()):
        for place, task in enumerate(tasks or ("quiz", "exam")):
            answer("one", name, task, correct=right(share, 60 - 20 * place, seed=seed + 50 * place), **told)


def fingerprint(name):
    return hashlib.sha256(name.encode()).hexdigest()


def changed(**of):
    """Change records; of: name of a model → what of its records is replaced, by field."""
    folder = ResultsFolder(Path("one"))
    for record in folder.evaluations():
        if record.candidate.model in of:
            folder._write(folder.record_path(record), sealed(replace(record, **of[record.candidate.model])))


def test_without_a_gate_nothing_passes_and_what_is_known_is_said(collected):
    models({"base": 0.5, "mine": 0.55})
    said = collected("one", baseline="base").answer
    assert (said.judged, said.standing) == (("mine",), "no gate · nothing significantly worse")
    models({"lost": 0.02})
    said = collected("one", baseline="mine").answer
    assert (said.judged, said.standing) == (("base",), "no gate · nothing significantly worse")
    models({"better": 0.99})
    said = collected("one", baseline="better").answer
    assert said.standing.startswith("no gate · significantly worse on ")


def test_a_gate_names_whom_it_judges_and_counts_what_its_policy_lets_pass(collected):
    Path("gate.toml").write_text(LOOSE)
    models({"base": 0.5, "mine": 0.55})
    said = collected("one", baseline="base", gate="gate.toml").answer
    assert (said.outcome, said.standing) == ("passes", "passes, 1 of 2 conditions undecided")
    assert said.judged == ("mine",)
    assert said.gate[0].let_pass
    assert said.gate_level == "each by its own 95 % interval, not corrected"


def test_the_level_of_the_gate_is_said_with_the_number_of_candidates(collected):
    models({"base": 0.5, "mine": 0.95, "other": 0.4, "third": 0.6})
    said = collected("one", baseline="base", margin=0.05).answer
    assert said.gate_level.endswith("% each, since 3 candidates were looked at")
    assert f"{100 * said.selection.level:.1f} %" in said.gate_level


def test_a_candidate_with_missing_results_is_named_beside_the_outcome_and_comes_first(collected):
    models({"base": 0.5, "able": 0.6, "best": 0.9, "zeta": 0.7})
    folder = ResultsFolder(Path("one"))
    gone = next(one for one in folder.evaluations() if one.candidate.model == "zeta")
    folder.record_path(gone).unlink()
    said = collected("one", baseline="base", margin=0.3).answer
    assert said.judged == ("best",)
    assert said.outcome == "passes"
    assert said.others == ("zeta has results that are missing or broken",)
    assert said.sentences[1].startswith("zeta against base")


def test_doubts_are_ordered_by_severity_then_by_the_results_they_touch_and_settings_come_last(collected):
    models({"base": 0.5, "mine": 0.55})
    rare = Finding("rare", Severity.NOTE, "1 row is a copy", "")
    cut = Truncation(texts=10, truncated=9, tokens=100, lost=60)
    record = evaluated("mine", "quiz").candidate
    own = replace(record, model="mine", fingerprint=fingerprint("mine"), settings=Settings(truncate_dim=32))
    changed(base={"findings": (rare,)}, mine={"truncation": cut, "candidate": own})
    found = collected("one", baseline="base").answer.doubts
    assert [doubt.kind for doubt in found] == ["truncated", "finding", "settings"]
    assert found[0].severity is Severity.WARNING
    assert found[0].sentence.endswith("60.0% of all tokens of quiz were not read")
    assert [doubt.touched for doubt in found] == [0.5, 0.5, 0.5]
    assert [doubt.minor for doubt in found] == [False, False, True]


def test_a_note_on_one_result_of_many_is_minor(collected):
    names = {f"m{number}": 0.5 for number in range(4)}
    models(names, "quiz", "exam", "essay")
    folder = ResultsFolder(Path("one"))
    record = next(one for one in folder.evaluations() if one.candidate.model == "m1")
    note = Finding("rare", Severity.NOTE, "1 row is a copy", "")
    folder._write(folder.record_path(record), sealed(replace(record, findings=(note,))))
    (rare,) = [one for one in collected("one", baseline="m0").answer.doubts if one.kind == "finding"]
    assert rare.touched == pytest.approx(1 / 12)
    assert rare.minor


def test_an_unknown_figure_lists_all_by_kind():
    names = ["rank", "trade-off", *(f"rank-quiz-{number}" for number in range(70))]
    writer = ReportWriter(
        name="html", help="", page=str, leaderboard=str, figures=lambda _: dict.fromkeys(names, "")
    )
    with pytest.raises(HarnessError) as caught:
        figure_text(writer, None, "rnk")
    lines = caught.value.exists.splitlines()
    assert lines[0].startswith("did you mean: rank")
    assert lines[1].count("rank-quiz-") == 70
    assert lines[2] == "known: trade-off"
