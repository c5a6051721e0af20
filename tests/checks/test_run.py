"""Every check looks; one that fails is named, and the others finish."""

from __future__ import annotations

import pytest

from harness.checks import collect, missing_inputs, run_checks, stop_on_errors
from harness.errors import HarnessError
from harness.tasks.finding import Finding, Severity
from harness.training.check_input import Check, CheckInput, LogEntry, Rows

SUBJECT = CheckInput(path="it", what="recipe")


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
    looked = run_checks(
        SUBJECT,
        checks(
            one=[finding("c", Severity.NOTE), finding("a")],
            two=[finding("b", Severity.WARNING), finding("d")],
        ),
    )
    assert [(found.code, check) for found, check in looked.findings] == [
        ("a", "one"), ("d", "two"), ("b", "two"), ("c", "one"),
    ]  # fmt: skip
    assert looked.problems == ()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no such shelf"), "raised on it: ValueError: no such shelf"),
        (SystemExit(3), "raised on it: SystemExit: 3"),
        (HarnessError("no base", hint="--base"), "could not finish on it: no base (--base)"),
    ],
)
def test_a_check_that_fails_is_named_with_its_plugin_and_the_others_finish(error, said):
    given = checks(broken=breaking(error), sound=[finding("after")])
    looked = run_checks(SUBJECT, given, {"broken": "strange", "sound": "ours"}.get)
    assert looked.problems == (f"plugin strange: check 'broken' {said}",)
    assert [found.code for found, _ in looked.findings] == ["after", "before"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("a sentence", "'a sentence', which is no Finding"),
        (Finding("x", "fatal", "e"), "severity is 'fatal'"),
        (Finding("", Severity.NOTE, "e"), "is no text"),
        (Finding("x", Severity.NOTE, None), "is no text"),
    ],
)
def test_an_answer_that_is_no_finding_is_a_problem(answer, said):
    looked = run_checks(SUBJECT, checks(strange=[answer, finding("sound")]))
    assert [found.code for found, _ in looked.findings] == ["sound"]
    assert said in looked.problems[0]


def test_a_training_does_not_begin_where_something_could_not_be_checked():
    assert [found.code for found in collect(SUBJECT, checks(one=[finding("a")]))] == ["a"]
    with pytest.raises(HarnessError, match="not everything could be checked") as raised:
        collect(SUBJECT, checks(broken=breaking(ValueError("no such shelf"))))
    assert "check 'broken' raised on it: ValueError: no such shelf" in str(raised.value)


def test_errors_stop_with_their_remedies_unless_they_are_allowed():
    found = [finding("a"), finding("b", Severity.WARNING), finding("c", remedy=""), finding("a")]
    with pytest.raises(HarnessError) as raised:
        stop_on_errors(found, ["c"])
    assert str(raised.value).splitlines() == [
        "2 things are wrong",
        "  a: evidence of a", "    → mend it", "  a: evidence of a", "    → mend it",
        "  hint: to go on in spite of it: --allow a",
    ]  # fmt: skip
    stop_on_errors(found, ["a", "c"])
    stop_on_errors([finding("b", Severity.WARNING)])


ROWS = Rows(kind="pairs", texts={"text1": ["a"], "text2": ["b"]})
SHOWN = Rows(kind="pairs", texts={"text1": ["a"], "text2": ["b"]}, complete=False)


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({}, ["training rows"]),
        ({"rows": SHOWN, "what": "card"}, ["training rows but the 1", "embeddings"]),
        ({"rows": ROWS, "base": lambda: None}, ["overlap with tests"]),
        ({"rows": ROWS, "datasets": dict, "base": lambda: None}, []),
        ({"rows": ROWS, "datasets": dict}, ["what its base makes"]),
        ({"what": "model", "model": lambda: None}, []),
        ({"rows": SHOWN, "trained": True}, ["training rows but the 1", "the course"]),
        ({"rows": SHOWN, "trained": True, "log": (LogEntry(epoch=1, step=1),)}, ["training rows but the 1"]),
    ],
)
def test_what_there_was_no_material_for_is_said(changes, lacking):
    said = missing_inputs(CheckInput(**({"path": "it", "what": "recipe"} | changes)))
    assert len(said) == len(lacking)
    assert all(one.startswith(part) for one, part in zip(said, lacking, strict=True))
