"""Comparisons as JSON, CSV, JUnit and annotations: valid, and failing where the comparison fails."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import fields, replace
from xml.etree import ElementTree as ET

import msgspec
import pytest
from json_schema import faults

from comparison.said import (
    HOSTILE,
    NOTHING,
    comparison,
    every_outcome,
    every_verdict,
    everything,
    gate_line,
    hostile,
    line,
)
from harness.cli.schema import make_schema
from harness.comparison.formats import Document, to_csv, to_github, to_json, to_junit
from harness.comparison.result import MetricComparison
from harness.comparison.result_changes import Change

SCHEMA = make_schema("comparison")
UNDEFINED = comparison(replace(line(), **NOTHING, reason=None, verdict="not tested"))

everywhere = pytest.mark.parametrize("name", HOSTILE, ids=repr)
every_write = pytest.mark.parametrize(
    "write", [to_json, to_csv, to_junit, to_github], ids=lambda one: one.__name__
)


# --- all of them ------------------------------------------------------------------------------------------


@every_write
@everywhere
def test_every_name_can_be_written(write, name):
    assert write([hostile(name)]).encode()


@every_write
def test_the_same_comparison_is_written_the_same(write):
    assert write([everything()]) == write([everything()])


@every_write
def test_an_empty_comparison_can_be_written(write):
    assert isinstance(write([]), str)
    assert write([comparison()])
    assert write([UNDEFINED])


# --- JSON -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comparisons",
    [
        pytest.param([], id="none"),
        pytest.param([comparison()], id="an empty one"),
        pytest.param([UNDEFINED], id="nothing known"),
        pytest.param([everything(), comparison(line())], id="everything"),
        *(pytest.param([hostile(name)], id=repr(name)) for name in HOSTILE),
    ],
)
def test_the_json_follows_the_schema(comparisons):
    written = json.loads(to_json(comparisons))
    assert faults(written, SCHEMA) == []
    assert msgspec.convert(written, Document) == Document(comparisons=tuple(comparisons))


def test_the_schema_rejects_a_wrong_value_and_a_missing_field():
    written = json.loads(to_json([everything()]))
    written["comparisons"][0]["lines"][0]["verdict"] = "splendid"
    del written["comparisons"][0]["baseline"]["name"]
    assert len(faults(written, SCHEMA)) == 2


def test_the_schema_has_the_docstrings_of_the_fields():
    properties = SCHEMA["$defs"]["MetricComparison"]["properties"]
    assert properties["gain"]["description"] == "candidate − baseline."
    assert properties["gain"]["anyOf"] == [{"type": "number"}, {"type": "null"}]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null_and_the_schema_allows_it(value):
    whole = everything()
    (changes,) = whole.changes
    moved = Change(id="e", baseline=value, candidate=value, gold=None, texts={})
    strange = replace(
        whole,
        lines=(line(low=value, high=value, p=value),),
        changes=(replace(changes, most_gained=(moved,)),),
        speed=replace(whole.speed, high=value),
    )
    text = to_json([strange])
    written = json.loads(text, parse_constant=lambda found: pytest.fail(f"{found} is not JSON"))
    assert written["comparisons"][0]["lines"][0]["low"] is None
    assert faults(written, SCHEMA) == []


def test_a_surrogate_in_a_path_is_replaced_in_the_json():
    one = comparison(baseline=replace(everything().baseline, source="results/\udcff"))
    assert json.loads(to_json([one]).encode())["comparisons"][0]["baseline"]["source"] == "results/?"


# --- CSV --------------------------------------------------------------------------------------------------


def rows_of(*comparisons):
    return list(csv.DictReader(io.StringIO(to_csv(comparisons))))


def test_a_row_of_the_csv_is_a_line_with_its_models():
    rows = rows_of(everything(), comparison(line("other")))
    assert len(rows) == len(every_verdict()) + 1
    assert list(rows[0])[4:] == [*(field.name for field in fields(MetricComparison)), "level", "gate"]
    assert rows[0]["candidate_model"] == "nda-seed1 and 2 more seeds"
    assert rows[0]["baseline_fingerprint"] == "b" * 64
    assert [row["verdict"] for row in rows[:7]] == [one.verdict for one in every_verdict()]
    assert [row["gate"] for row in rows[:4]] == ["passes", "undecided", "passes", "fails"]
    assert rows[5]["shortage"] == "40 of 372 clusters"


def test_the_csv_keeps_every_digit_and_leaves_unknown_cells_empty():
    rows = rows_of(comparison(line(gain=0.1 + 0.2), line(low=math.nan, tags=("legal", "sts"))))
    assert rows[0]["gain"] == "0.30000000000000004"
    assert (rows[1]["low"], rows[1]["margin"], rows[1]["tags"]) == ("", "", "legal sts")
    assert [row["level"] for row in rows] == ["0.95", ""]
    assert (rows[0]["headline"], rows[0]["examples"]) == ("true", "1379")


def test_the_csv_is_safe_from_formula_injection():
    (row,) = rows_of(comparison(line("=cmd()", reason="@SUM(A1)", tags=("+1",))))
    assert (row["task"], row["reason"], row["tags"]) == ("'=cmd()", "'@SUM(A1)", "'+1")


@everywhere
def test_every_name_comes_back_from_the_csv(name):
    row = rows_of(hostile(name))[0]
    assert row["task"].removeprefix("'") == name
    assert row["candidate_model"] == f"x{name}"


# --- JUnit ------------------------------------------------------------------------------------------------


def suite_of(one):
    (suite,) = ET.fromstring(to_junit([one]))
    return suite


def outcomes(suite):
    """Return the name of each test case, what became of it, and of which type."""
    found = {}
    for case in suite.iter("testcase"):
        (child,) = case or [None]
        found[case.get("name")] = None if child is None else (child.tag, child.get("type"))
    return found


def test_a_condition_of_the_gate_is_a_test_case():
    assert outcomes(suite_of(comparison(*every_verdict(), gate=every_outcome(), exit_code=2))) == {
        "stsb by spearman: margin 0.01": None,
        "penal-triplets by accuracy: margin 0.01": ("system-out", None),
        "contract-nli by accuracy: margin 0.01": ("failure", "fails"),
        "case-law by accuracy: gain 0.01": ("failure", "undecided"),
        "stsb by pearson: gain 0.01": ("system-out", None),
        "gone: margin 0.01": ("error", "broken"),
        "mean of legal tasks: gain 0.01": None,
        "stsb by spearman: min 0.8": None,
        "throughput 0.9": None,
    }


def test_a_test_case_says_what_was_let_pass_and_what_is_worse_within_the_margin():
    suite = suite_of(comparison(*every_verdict(), gate=every_outcome(), exit_code=2))
    said = {case.get("name"): case.findtext("system-out") for case in suite.iter("testcase")}
    assert said["stsb by pearson: gain 0.01"].startswith("undecided, let pass: gain +0.0123")
    assert said["penal-triplets by accuracy: margin 0.01"].startswith("passes, though worse: gain")
    assert said["stsb by spearman: margin 0.01"] is None


def test_what_is_missing_or_refused_is_an_error():
    found = outcomes(suite_of(everything()))
    assert found["quora is missing from the results of nda"] == ("error", "broken")
    assert found["clauses is comparable"] == ("error", "not comparable")


def test_without_a_gate_a_line_is_a_test_case():
    assert outcomes(suite_of(comparison(*every_verdict(), exit_code=1))) == {
        "stsb by spearman": None,
        "stsb by pearson": None,
        "penal-triplets by accuracy": ("failure", "worse"),
        "contract-nli by accuracy": ("failure", "worse"),
        "legal-retrieval by ndcg@10": None,
        "case-law by accuracy": None,
        "mteb-sts12 by spearman": ("skipped", None),
    }


def test_without_a_gate_an_overall_mean_is_a_test_case():
    (mean,) = everything().overall
    worse, sample = replace(mean, verdict="worse"), replace(mean, tag="legal", samples=True)
    assert outcomes(suite_of(comparison(line(), overall=(worse, sample), exit_code=1))) == {
        "stsb by spearman": None,
        "mean of all tasks": ("failure", "worse"),
        "mean of legal tasks (samples)": None,
    }


def test_the_counts_are_those_of_the_cases():
    root = ET.fromstring(to_junit([everything(), comparison(*every_verdict(), exit_code=1), comparison()]))
    for element in [root, *root.iter("testsuite")]:
        assert element.get("tests") == str(len(list(element.iter("testcase"))))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(count) == str(len(list(element.iter(tag))))
    assert [suite.get("tests") for suite in root] == ["11", "7", "0"]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_a_suite_fails_if_and_only_if_the_exit_code_is_not_zero(code):
    suite = suite_of(comparison(exit_code=code))
    assert int(suite.get("failures")) + int(suite.get("errors")) == (code != 0)


def test_the_summary_and_allowed_differences_are_in_the_suite():
    suite = suite_of(everything())
    assert suite.get("name") == "nda-seed1 and 2 more seeds against minilm"
    assert [one.get("value") for one in suite.iter("property")] == ["machine", "task_source"]
    assert suite.findtext("system-out") == everything().sentence
    assert {case.get("classname") for case in suite.iter("testcase")} == {"nda-seed1 and 2 more seeds"}


@everywhere
def test_a_hostile_name_is_neither_markup_nor_breaks_the_file(name):
    suite = suite_of(hostile(name))
    kept = "".join(char for char in name if char in "\t\n\r" or char >= " ").replace("\ufffe", "")
    assert suite.get("name") == f"x{kept} against {kept}"
    # A reader of XML takes every end of line in a text for \n; in an attribute it is written as a number.
    assert (suite.findtext("system-out") or "") == kept.replace("\r\n", "\n")
    assert len(list(suite)) == len(list(suite.iter("testcase"))) + 2


# --- GitHub -----------------------------------------------------------------------------------------------


def annotations(*comparisons):
    """Return level, title and message of each command, read as the runner of GitHub Actions reads it."""
    found = []
    for command in to_github(comparisons).splitlines():
        _, properties, message = command.split("::", 2)
        level, _, title = properties.partition(" title=")
        assert not set(title) & set(",:")
        for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            title, message = title.replace(code, char), message.replace(code, char)
        found.append((level, title, message))
    return found


def test_an_annotation_is_written_for_the_summary_and_every_failure():
    about = "nda against minilm"
    assert annotations(comparison(*every_verdict(), gate=every_outcome(), exit_code=2)) == [
        ("error", "harness compare", "nda against minilm: it depends."),
        (
            "error",
            f"{about}: contract-nli by accuracy: margin 0.01",
            "fails: gain -0.0310 [-0.0388, -0.0232] lies below -0.01",
        ),
        (
            "error",
            f"{about}: case-law by accuracy: gain 0.01",
            "undecided: gain +0.0123 [+0.0045, +0.0201] lies above -0.01",
        ),
        ("error", f"{about}: gone: margin 0.01", "broken: gone: there is no such line"),
        (
            "warning",
            f"{about}: stsb by pearson: gain 0.01",
            "undecided, let pass: gain +0.0123 [+0.0045, +0.0201] lies above -0.01",
        ),
        (
            "warning",
            f"{about}: penal-triplets by accuracy",
            "worse: gain -0.0071 [-0.0099, -0.0043], within the margin",
        ),
    ]


def test_a_pass_is_a_notice_and_nothing_more():
    one = comparison(line(), gate=(gate_line(),))
    assert annotations(one) == [("notice", "harness compare", "nda against minilm: it depends.")]


def test_allowed_differences_and_untested_lines_are_warnings():
    one = comparison(replace(line(), verdict="not tested", reason="why not"), allowed=("split", "digest"))
    assert annotations(one)[1:] == [
        ("warning", "nda against minilm", "ALLOWED to differ (--allow): split, digest"),
        ("warning", "nda against minilm: stsb by spearman", "why not"),
    ]


def test_the_summaries_of_all_candidates_come_first():
    found = annotations(everything(), replace(everything(), sentence="second"))
    assert [message for _, title, message in found if title == "harness compare"] == [
        everything().sentence,
        "second",
    ]
    assert [title for _, title, _ in found[:2]] == ["harness compare"] * 2


@everywhere
def test_no_name_writes_a_command_of_its_own(name):
    written = to_github([hostile(name)])
    assert len(written.splitlines()) == len(annotations(hostile(name)))
    assert all(text.startswith(("::error title=", "::warning title=")) for text in written.splitlines())
    assert "\x1b" not in written
    assert annotations(comparison(sentence=f"a%{name}"))[0][2].replace("\r", "") == f"a%{name}".replace(
        "\r", ""
    ).translate(dict.fromkeys([0, 8, 0x1B]))
