"""Gate files, and conditions on lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from comparison.made import CORRECT, SPEARMAN, answer, pairs, right
from comparison.said import comparison
from harness.comparison.absent import Absent
from harness.comparison.compare import CompareOptions, compare
from harness.comparison.formats import condition_name
from harness.comparison.gate import Condition, Gate, evaluate_gate, margin_gate, read_gate
from harness.comparison.result import MetricComparison, Speed
from harness.comparison.sources import read_results
from harness.comparison.tables import comparison_tables
from harness.errors import HarnessError

LINE = MetricComparison(
    task="stsb", metric="spearman", headline=True, data="files", tags=("sts",), baseline=0.8, candidate=0.81,
    gain=0.01, low=-0.005, high=0.025, p=0.2, p_adjusted=0.2, verdict="inconclusive", margin=None,
    within_margin=None, detectable=0.02, needed=None, examples=100, clusters=90, test="Student's t",
)  # fmt: skip


def evaluated(line=LINE, **condition):
    gate = Gate(conditions=(Condition(**condition),))
    (result,) = evaluate_gate(gate, [line], None, "not timed")
    return result


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        pytest.param(-0.005, 0.025, "passes", id="the whole interval lies above the margin"),
        pytest.param(-0.03, -0.02, "fails", id="the whole interval lies below it"),
        pytest.param(-0.02, 0.01, "undecided", id="it reaches across"),
        pytest.param(-0.01, 0.01, "undecided", id="it touches the margin"),
        pytest.param(-0.009, -0.001, "passes", id="significantly worse, but within the margin"),
    ],
)
def test_a_margin_is_a_test_of_non_inferiority(low, high, outcome):
    assert evaluated(replace(LINE, low=low, high=high), rule="margin", threshold=0.01).outcome == outcome


def test_identical_answers_pass_a_margin_of_zero():
    same = replace(LINE, gain=0.0, low=0.0, high=0.0, test="identical")
    assert evaluated(same, rule="margin", threshold=0.0).outcome == "passes"
    touching = replace(same, test="Student's t")
    assert evaluated(touching, rule="margin", threshold=0.0).outcome == "undecided"


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(0.03, 0.05, "passes"), (-0.01, 0.01, "fails"), (0.01, 0.04, "undecided")]
)
def test_a_required_gain_must_be_exceeded_by_the_whole_interval(low, high, outcome):
    assert evaluated(replace(LINE, low=low, high=high), rule="gain", threshold=0.02).outcome == outcome


def test_a_floor_applies_to_the_candidate_s_score():
    assert evaluated(rule="min", threshold=0.80).outcome == "passes"
    below = evaluated(rule="min", threshold=0.82)
    assert (below.outcome, below.sentence) == ("fails", "score 0.8100 is below 0.82")


def test_a_line_without_predictions_is_broken_and_one_with_too_few_examples_is_undecided():
    bare = replace(LINE, low=None, high=None, test="not tested", reason="not at hand")
    assert evaluated(bare, rule="margin", threshold=0.01).outcome == "broken"
    few = replace(LINE, low=None, high=None, test="none", reason="9 independent units are too few")
    assert evaluated(few, rule="margin", threshold=0.01).outcome == "undecided"


def test_a_condition_without_a_line_is_broken():
    result = evaluated(rule="margin", threshold=0.01, task="legal-quiz")
    assert (result.outcome, result.holds) == ("broken", False)
    assert result.sentence == "legal-quiz: the comparison has no such line"


def test_a_margin_for_a_task_overrides_one_for_its_tag_and_that_one_for_every_task():
    conditions = (
        Condition(rule="margin", threshold=0.03),
        Condition(rule="margin", threshold=0.02, tag="sts"),
        Condition(rule="margin", threshold=0.01, task="stsb"),
    )
    assert Gate(conditions=conditions).margin(LINE) == 0.01
    assert Gate(conditions=conditions).margin(replace(LINE, task="sick")) == 0.02
    assert Gate(conditions=conditions).margin(replace(LINE, task="quiz", tags=())) == 0.03
    lines = [LINE, replace(LINE, task="sick"), replace(LINE, task="quiz", tags=())]
    results = evaluate_gate(Gate(conditions=conditions), lines, None, "")
    assert [(line.task, line.threshold) for line in results] == [
        ("quiz", 0.03),
        ("sick", 0.02),
        ("stsb", 0.01),
    ]


def test_the_policy_decides_whether_an_undecided_line_passes():
    across = replace(LINE, low=-0.02)
    for policy, holds in (("fail", False), ("pass", True)):
        gate = replace(margin_gate(0.01), undecided=policy)
        (result,) = evaluate_gate(gate, [across], None, "")
        assert (result.outcome, result.holds) == ("undecided", holds)


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(0.95, 1.1, "passes"), (0.7, 0.8, "fails"), (0.8, 1.0, "undecided")]
)
def test_the_interval_of_the_throughput_ratio_is_compared(low, high, outcome):
    speed = Speed(baseline=100, candidate=90, ratio=0.9, low=low, high=high, source="a bench")
    (result,) = evaluate_gate(Gate(conditions=(), throughput=0.9), [], speed, "")
    assert (result.outcome, result.task) == (outcome, None)


def test_throughput_without_a_measurement_is_broken():
    (result,) = evaluate_gate(Gate(conditions=(), throughput=0.9), [], None, "nda was not timed")
    assert (result.outcome, result.sentence) == ("broken", "throughput: nda was not timed")


def test_of_an_absent_line_the_narrowest_condition_is_broken():
    gone = Absent(
        task="gone",
        tags=("sts",),
        metrics=("spearman", "pearson"),
        headline=True,
        sample=False,
        reason="lost",
    )
    gate = Gate(conditions=(
        Condition(rule="margin", threshold=0.1),
        Condition(rule="margin", threshold=0.2, tag="sts"),
        Condition(rule="margin", threshold=0.3, task="gone", metric="pearson"),
        Condition(rule="margin", threshold=0.4, tag="legal"),
    ))  # fmt: skip
    found = evaluate_gate(gate, [LINE], None, "", absent=[gone])
    assert [(each.task, each.metric, each.threshold, each.outcome) for each in found] == [
        ("gone", "pearson", 0.3, "broken"),
        ("gone", "spearman", 0.2, "broken"),
        ("stsb", "spearman", 0.2, "passes"),
        (None, None, 0.4, "broken"),
    ]


def test_a_condition_of_a_tag_that_no_task_has_is_named_by_its_tag():
    result = evaluated(rule="gain", threshold=0.02, tag="nosuch", metric="map")
    assert result.outcome == "broken"
    assert condition_name(result) == "tasks tagged nosuch by map: gain 0.02"
    (row,) = comparison_tables(comparison(gate=(result,)))[-1].rows
    assert row[0].text == "tasks tagged nosuch · map: gain > 0.02"
    everywhere = evaluated(rule="gain", threshold=0.02, metric="map")
    assert condition_name(everywhere) == "every task by map: gain 0.02"


def test_a_gate_file_becomes_conditions(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(
        'margin = 0.01\nundecided = "pass"\nthroughput = 0.9\n'
        '[[line]]\ntask = "stsb"\nmin = 0.80\nmargin = 0.005\n'
        '[[line]]\ntag = "legal"\nmetric = "map"\ngain = 0.02\n'
    )
    gate = read_gate(path)
    assert (gate.undecided, gate.throughput, gate.metrics) == ("pass", 0.9, {"map"})
    assert [(rule.rule, rule.threshold, rule.task, rule.tag) for rule in gate.conditions] == [
        ("margin", 0.005, "stsb", None),
        ("min", 0.80, "stsb", None),
        ("gain", 0.02, None, "legal"),
        ("margin", 0.01, None, None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "has no condition", id="empty"),
        pytest.param("margn = 0.1", "did you mean: margin", id="a misspelled key"),
        pytest.param(
            "margin = -0.1", "gate.toml: margin must be 0 or more, not -0.1", id="a negative margin"
        ),
        pytest.param("margin = nan", "gate.toml: margin must be a finite number, not nan", id="not a number"),
        pytest.param("throughput = inf", "throughput must be a finite number, not inf", id="infinite"),
        pytest.param("margin = true", "gate.toml: margin must be a number, not True", id="a boolean"),
        pytest.param("throughput = 0", "must be above 0", id="no speed"),
        pytest.param(
            'undecided = "maybe"',
            "undecided must be 'fail' or 'pass', not 'maybe'",
            id="another policy",
        ),
        pytest.param(
            "line = 3", "gate.toml: [[line]] must be a list of tables, not 3", id="a number for a line"
        ),
        pytest.param(
            "line = [1]", "gate.toml: [[line]] no. 1 must be a table, not 1", id="a list of numbers"
        ),
        pytest.param(
            '[[line]]\ntask = "a"', "gate.toml: [[line]] no. 1 has no condition", id="a line without a rule"
        ),
        pytest.param('[[line]]\ntask = "a"\ntag = "b"\nmin = 1', "names a task and a tag", id="both"),
        pytest.param(
            "[[line]]\ntask = 3\nmin = 1",
            "[[line]] no. 1: task must be a text, not 3",
            id="a number for a name",
        ),
        pytest.param(
            '[[line]]\nmin = 1\n[[line]]\nmin = "0.8"',
            "gate.toml: [[line]] no. 2: min must be a number, not '0.8'",
            id="a text for a number",
        ),
        pytest.param("[[line]]\nmn = 1", "no key in [[line]] no. 1 of ", id="a misspelled key of a line"),
        pytest.param(
            "[[line]]\nmargin = -1",
            "[[line]] no. 1: margin must be 0 or more, not -1.0",
            id="a line's margin",
        ),
        pytest.param("margin = [", "is not TOML", id="no TOML"),
    ],
)
def test_an_invalid_gate_file_is_an_error(tmp_path, text, message):
    (tmp_path / "gate.toml").write_text(text)
    with pytest.raises(HarnessError) as error:
        read_gate(tmp_path / "gate.toml")
    assert message in str(error.value)


def test_a_missing_gate_file_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="no gate file"):
        read_gate(tmp_path / "none.toml")


# --- thresholds and the range of scores -------------------------------------------------------------------


def gated(gate, **columns):
    """Compare two models on a task of these columns."""
    told = {"metrics": columns.pop("metrics", (CORRECT,))}
    for name in ("base", "cand"):
        answer(name, name, **told, **{key: values(name) for key, values in columns.items()})
    return compare(
        [(read_results(Path("base"))[0], read_results(Path("cand")))], CompareOptions(tasks={}, gate=gate)
    )[0]


def share(name):
    return right(0.7 if name == "base" else 0.72)


def one(**condition):
    return Gate(conditions=(Condition(**condition),))


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (margin_gate(80), r"margin 80 \(every task\): accuracy of quiz lies between 0 and 1, so"),
        (margin_gate(1), "so no score could miss it"),
        (one(rule="gain", threshold=1.0, tag="quiz"), r"gain 1 \(tasks tagged quiz\): .* could meet it"),
        (one(rule="gain", threshold=-1.0), "could miss it"),
        (one(rule="min", threshold=80), "no score could meet it"),
        (one(rule="min", threshold=0.0), "no score could miss it"),
        (one(rule="margin", threshold=1.0, over="mean"), "could miss it"),
    ],
)  # fmt: skip
def test_a_threshold_outside_the_range_of_the_scores_is_an_error(gate, message, somewhere_else):
    with pytest.raises(HarnessError, match=message) as found:
        gated(gate, correct=share)
    assert "scale of the scores" in found.value.hint


@pytest.mark.parametrize(
    "gate",
    [margin_gate(0.99), one(rule="gain", threshold=0.99), one(rule="min", threshold=1.0)],
)
def test_a_threshold_that_some_scores_miss_and_some_meet_is_none(gate, somewhere_else):
    assert gated(gate, correct=share).gated


def test_the_range_is_that_of_the_metric(somewhere_else):
    def scale(name):
        return 50 * right(0.7 if name == "base" else 0.72)

    assert gated(margin_gate(80), correct=scale).exit_code == 0
    noise = {"base": 1.0, "cand": 0.9}
    columns = {key: lambda name, key=key: pairs(noise[name])[key] for key in ("gold", "predicted")}
    assert gated(margin_gate(1.5), metrics=(SPEARMAN,), **columns).exit_code == 0
    with pytest.raises(HarnessError, match="spearman of quiz lies between -1 and 1"):
        gated(margin_gate(2), metrics=(SPEARMAN,), **columns)


def test_a_broad_margin_is_not_asked_where_a_narrower_one_is(somewhere_else):
    narrow = Condition(rule="margin", threshold=0.1, task="quiz")
    gate = Gate(conditions=(Condition(rule="margin", threshold=80), narrow))
    assert [line.threshold for line in gated(gate, correct=share).gate] == [0.1]
