"""Every check runs; one that fails is reported, and the others finish."""

from __future__ import annotations

import itertools

import pytest

from harness.checks import collect, missing_inputs, run_checks, stop_on_errors
from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.training.check_input import Check, CheckInput, LogEntry, Rows

INPUT = CheckInput(path="it", what="recipe")


def finding(code, severity=Severity.ERROR, remedy="mend it"):
    return Finding(code, severity, f"evidence of {code}", remedy)


def checks(**looks):
    """Checks by name: a list of answers, or a function of the check_input."""
    return {
        name: Check(name, "", answer if callable(answer) else lambda check_input, answer=answer: answer)
        for name, answer in looks.items()
    }


def breaking(error):
    def look(check_input):
        yield finding("before", Severity.NOTE)
        raise error

    return look


def test_findings_are_sorted_by_severity_and_keep_the_name_of_their_check():
    report = run_checks(
        INPUT,
        checks(
            one=[finding("c", Severity.NOTE), finding("a")],
            two=[finding("b", Severity.WARNING), finding("d")],
        ),
    )
    assert [(found.code, check) for found, check in report.findings] == [
        ("a", "one"), ("d", "two"), ("b", "two"), ("c", "one"),
    ]  # fmt: skip
    assert report.problems == ()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no such shelf"), "raised on it: ValueError: no such shelf"),
        (SystemExit(3), "raised on it: SystemExit: 3"),
        (HarnessError("no base", hint="--base"), "could not finish on it: no base (--base)"),
    ],
)
def test_a_check_that_fails_is_named_with_its_plugin_and_the_others_finish(error, said):
    plugins = checks(broken=breaking(error), sound=[finding("after")])
    report = run_checks(INPUT, plugins, {"broken": "strange", "sound": "ours"}.get)
    (problem,) = report.problems
    assert problem.startswith(f"plugin strange: check 'broken' {said}")
    assert [found.code for found, _ in report.findings] == ["after", "before"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("a sentence", "'a sentence', which is not a Finding"),
        (Finding("x", "fatal", "e"), "severity is 'fatal'"),
        (Finding("", Severity.NOTE, "e"), "is not a text"),
        (Finding("x", Severity.NOTE, None), "is not a text"),
    ],
)
def test_an_invalid_finding_is_a_problem(answer, said):
    report = run_checks(INPUT, checks(strange=[answer, finding("sound")]))
    assert [found.code for found, _ in report.findings] == ["sound"]
    assert said in report.problems[0]


def test_collect_raises_if_a_check_could_not_finish():
    assert [found.code for found in collect(INPUT, checks(one=[finding("a")]))] == ["a"]
    with pytest.raises(HarnessError, match="some checks could not finish") as raised:
        collect(INPUT, checks(broken=breaking(ValueError("no such shelf"))))
    assert "check 'broken' raised on it: ValueError: no such shelf" in str(raised.value)


def test_errors_stop_with_their_remedies_unless_they_are_allowed():
    found = [finding("a"), finding("b", Severity.WARNING), finding("c", remedy=""), finding("a")]
    with pytest.raises(HarnessError) as raised:
        stop_on_errors(found, ["c"])
    assert str(raised.value).splitlines() == [
        "2 things are wrong",
        "  a: evidence of a", "    → mend it", "  a: evidence of a", "    → mend it",
        "  hint: to continue anyway: --allow a",
    ]  # fmt: skip
    stop_on_errors(found, ["a", "c"])
    stop_on_errors([finding("b", Severity.WARNING)])


ROWS = Rows(kind="pairs", texts={"text1": ["a"], "text2": ["b"]})
SHOWN = Rows(kind="pairs", texts={"text1": ["a"], "text2": ["b"]}, complete=False)
LINE = LogEntry(epoch=1, step=1)


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({}, ["training rows"]),
        ({"rows": SHOWN, "what": "card"}, ["the training (no training section", "embeddings"]),
        ({"rows": ROWS, "base": lambda: None}, ["overlap with tests"]),
        ({"rows": ROWS, "datasets": dict, "base": lambda: None}, []),
        ({"rows": ROWS, "datasets": dict}, ["the embeddings of its base"]),
        ({"what": "model", "model": lambda: None}, []),
        ({"rows": SHOWN, "trained": True}, ["training rows except the 1", "the log of the training"]),
        (
            {"rows": SHOWN, "trained": True, "log": (LogEntry(epoch=1, step=1),)},
            ["training rows except the 1"],
        ),
    ],
)
def test_missing_inputs_are_listed(changes, lacking):
    said = missing_inputs(CheckInput(**({"path": "it", "what": "recipe"} | changes)))
    assert len(said) == len(lacking)
    assert all(one.startswith(part) for one, part in zip(said, lacking, strict=True))


FOUND = Finding("found", Severity.NOTE, "something was seen")


def reported(*looks):
    rows = Rows(kind="pairs", texts={"text1": ["b", "a"], "text2": ["c", "d"]})
    checks = {f"c{number}": Check(f"c{number}", "", look) for number, look in enumerate(looks)}
    return run_checks(CheckInput(path="rows.csv", what="dataset", rows=rows), checks, lambda _: "mine")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "it returned nothing (None): a list of Findings is wanted, empty where nothing is wrong"),
        ("a text", "it returned a str: a list of Findings is wanted"),
        (FOUND, "it returned a Finding: a list of Findings is wanted"),
        ({"found": FOUND}, "it returned a dict: a list of Findings is wanted"),
        (True, "it returned a bool: a list of Findings is wanted"),
        (itertools.repeat(FOUND), "it gave more than 10,000 findings: does it end?"),
    ],
)
def test_what_is_no_list_of_findings_is_one_problem_and_the_others_finish(given, told):
    report = reported(lambda _: given, lambda _: [FOUND])
    (problem,) = report.problems
    assert problem.startswith(f"plugin mine: check 'c0' could not finish on rows.csv: {told}")
    assert (FOUND, "c1") in report.findings


def test_a_finding_that_is_a_text_is_a_problem_and_the_next_one_counts():
    report = reported(lambda _: iter(["bad", FOUND]))
    assert report.problems == ("plugin mine: check 'c0' returned 'bad', which is not a Finding",)
    assert report.findings == ((FOUND, "c0"),)


def test_what_a_check_found_before_it_raised_is_kept_and_its_place_is_named():
    def midway(_training):
        yield FOUND
        raise KeyError("no shelf")

    report = reported(midway)
    place = f"{__file__}, line {midway.__code__.co_firstlineno + 2}"
    assert report.problems == (f"plugin mine: check 'c0' raised on rows.csv: KeyError: 'no shelf' ({place})",)
    assert report.findings == ((FOUND, "c0"),)


def test_a_check_cannot_change_the_rows_that_the_next_one_gets():
    seen = []

    def sorting(training):
        training.rows.texts["text1"].sort()
        return []

    def looking(training):
        seen.append(list(training.rows.texts["text1"]))
        return []

    report = reported(sorting, looking)
    assert "FrozenError: column 'text1' of the rows cannot be changed" in report.problems[0]
    assert seen == [["b", "a"]]
