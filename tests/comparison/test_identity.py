"""Models that nothing identifies are compared, and decide no gate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import evaluated

from comparison.made import CORRECT, answer, right
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.gate import Gate, margin_gate
from harness.comparison.result import FAILS, PASSES, UNDECIDED
from harness.comparison.sources import read_results


def record(folder, name, share, *, identified, seed=0):
    candidate = evaluated(name).candidate
    if not identified:
        candidate = replace(candidate, facts=replace(candidate.facts, identified=False))
    answer(folder, name, candidate=candidate, metrics=(CORRECT,), correct=right(share, 4000, seed=seed))


def compared(folder, gate=None):
    sides = read_results(folder)
    (baseline,) = [side for side in sides if side.name == "base"]
    (candidate,) = [side for side in sides if side.name == "cand"]
    (result,) = compare([(baseline, [candidate])], CompareOptions(tasks={}, gate=gate))
    return result


@pytest.mark.parametrize(
    ("known", "code"),
    [((True, True), PASSES), ((False, True), UNDECIDED), ((True, False), UNDECIDED)],
)
def test_a_gate_that_would_pass_is_undecided_where_a_model_is_not_identified(tmp_path, known, code):
    record(tmp_path, "base", 0.5, identified=known[0])
    record(tmp_path, "cand", 0.9, identified=known[1])
    result = compared(tmp_path, margin_gate(0.01))
    assert result.exit_code == code
    assert [line.outcome for line in result.gate] == ["passes" if code == PASSES else "undecided"]
    assert any("is unidentified" in note for note in result.notes) is (code == UNDECIDED)
    names = [name for name, one in zip(("base", "cand"), known, strict=True) if not one]
    assert all(f"The gate is undecided: {name} is unidentified" in result.sentence for name in names)
    assert ("unidentified" in result.sentence) is bool(names)


def test_no_policy_lets_a_model_pass_that_is_not_identified(tmp_path):
    record(tmp_path, "base", 0.5, identified=True)
    record(tmp_path, "cand", 0.9, identified=False)
    (line,) = compared(tmp_path, Gate(conditions=margin_gate(0.01).conditions, undecided="pass")).gate
    assert not line.holds
    assert "lies above" in line.sentence
    assert "it decides nothing: cand unidentified" in line.sentence


def test_without_a_gate_its_scores_are_compared_as_any_others(tmp_path):
    record(tmp_path, "base", 0.5, identified=True)
    record(tmp_path, "cand", 0.9, identified=False)
    assert compared(tmp_path).exit_code == PASSES
    record(tmp_path, "cand", 0.1, identified=False)
    assert compared(tmp_path).exit_code == FAILS


def test_a_leaderboard_says_who_is_not_identified_too(tmp_path):
    record(tmp_path, "base", 0.5, identified=True)
    record(tmp_path, "cand", 0.9, identified=False)
    (tmp_path / "copied").mkdir()
    (tmp_path / "copied/leaderboard.csv").write_bytes((tmp_path / "leaderboard.csv").read_bytes())
    sides = read_results(tmp_path / "copied/leaderboard.csv")
    assert {side.name: side.identified for side in sides} == {"base": True, "cand": False}


def test_nothing_says_that_it_is_the_same_model_on_both_sides(tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        record(folder, "base", 0.5, identified=False)
        record(folder, "cand", 0.5, identified=True)
    one, two = read_results(tmp_path / "one"), read_results(tmp_path / "two")
    for side, other in zip(one, two, strict=True):
        (result,) = compare([(side, [other])], CompareOptions(tasks={}))
        assert any("the same model on both sides" in note for note in result.notes) is (side.name == "cand")
