"""Comparisons as JSON, CSV, JUnit XML, and annotations of a GitHub workflow."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from harness.comparison.result import (
    BROKEN,
    NOT_COMPARABLE,
    PASSES,
    SCHEMA,
    Comparison,
    MetricComparison,
    ParetoPoint,
    Selection,
    Shortage,
)
from harness.comparison.thresholds import tasks_in_words
from harness.render import CONTROL, csv_text
from harness.system.json_text import json_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import GateLine, Refusal
    from harness.comparison.result_overall import Overall

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids even if escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The JSON that `harness compare --format json` writes."""

    schema: int = SCHEMA
    comparisons: tuple[Comparison, ...]
    front: tuple[ParetoPoint, ...] = ()
    """Quality and speed of all models, best first; empty without speeds or common tasks."""
    warnings: tuple[str, ...] = ()
    """What limits all comparisons together, such as several candidates under one gate."""
    selection: Selection | None = None
    """The best of several candidates (`--select`), whose comparison is the only one; None otherwise."""


# --- JSON -------------------------------------------------------------------------------------------------


def to_json(
    comparisons: Sequence[Comparison],
    front: Sequence[ParetoPoint] = (),
    warnings: Sequence[str] = (),
    selection: Selection | None = None,
) -> str:
    """Write one JSON document, as `harness schema comparison` describes it; an undefined number is null."""
    whole = Document(
        comparisons=tuple(comparisons), front=tuple(front), warnings=tuple(warnings), selection=selection
    )
    return json_document(whole)


# --- CSV --------------------------------------------------------------------------------------------------


def to_csv(comparisons: Sequence[Comparison]) -> str:
    """Write one row per line, with full float precision; safe from formula injection.

    The last columns are the level of the interval, `low` to `high`, and the outcome of the line's own
    conditions of the gate, the most serious of them.
    """
    names = [column.name for column in fields(MetricComparison)]
    parties = ("baseline_model", "baseline_fingerprint", "candidate_model", "candidate_fingerprint")
    rows: list[list[Any]] = [[*parties, *names, "level", "gate"]]
    for comparison in comparisons:
        base, cand = comparison.baseline, comparison.candidate
        models = [base.name, base.fingerprint, cand.name, cand.fingerprint]
        rows += [
            [
                *models,
                *(_csv_value(getattr(line, name)) for name in names),
                comparison.level if _csv_value(line.low) is not None else None,
                _gate_outcome(line, comparison.gate),
            ]
            for line in comparison.lines
        ]
    return csv_text(rows)


def _gate_outcome(line: MetricComparison, gate: Sequence[GateLine]) -> str | None:
    outcomes = {own.outcome for own in gate if (own.task, own.metric) == (line.task, line.metric)}
    return next((each for each in ("broken", "fails", "undecided", "passes") if each in outcomes), None)


def _csv_value(value: Any) -> Any:  # noqa: ANN401 - any field of a line
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, Shortage):
        return f"{value.have} of {value.needed or '∞'} {value.what}"
    return None if isinstance(value, float) and not math.isfinite(value) else value


# --- JUnit ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """A JUnit test case: its name and outcome."""

    name: str
    sentence: str
    outcome: str = ""
    """`failure`, `error`, `skipped`, or empty if it passes."""
    kind: str = ""
    """Outcome of a condition, verdict on a line, or `not comparable`."""
    doubt: str = ""
    """Why a reader should not take the pass for more than it is; empty without such a reason."""


def to_junit(comparisons: Sequence[Comparison], *, matrix: bool = False) -> str:
    """Write JUnit XML: a suite per comparison, a test case per condition of the gate.

    Without a gate there is a test case per line and per overall mean. A suite fails if and only if the
    exit code is not 0.
    matrix: whether all pairs were compared, so that no line fails.
    """
    suites = ET.Element("testsuites")
    for comparison in comparisons:
        cases, code = list(_cases(comparison, matrix=matrix)), comparison.exit_code
        if code != PASSES and not any(case.outcome in ("failure", "error") for case in cases):
            outcome = "error" if code in (BROKEN, NOT_COMPARABLE) else "failure"
            cases.append(_Case("the comparison", comparison.sentence, outcome, f"exit code {code}"))
        suites.append(_suite(comparison, cases))
    for count in ("tests", "failures", "errors", "skipped"):
        suites.set(count, str(sum(int(suite.get(count, 0)) for suite in suites)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _cases(comparison: Comparison, *, matrix: bool) -> Iterator[_Case]:
    # What a condition is broken for is said by its own test case.
    said = {line.sentence for line in comparison.gate if line.outcome == "broken"}
    yield from (_Case(text, text, "error", "broken") for text in comparison.broken if text not in said)
    for refused in comparison.refused:
        yield _Case(f"{refused.task} is comparable", _refusal_text(refused), "error", "not comparable")
    if comparison.gated:
        yield from (_gate_case(line, comparison.lines) for line in comparison.gate)
    else:
        # With an exit code of 0, the best of several was selected: the question was which, not whether.
        fails = not matrix and comparison.exit_code != PASSES
        yield from (_line_case(line, fails=fails) for line in comparison.lines)
        yield from (_overall_case(overall, fails=fails) for overall in comparison.overall)


def _gate_case(line: GateLine, lines: Sequence[MetricComparison]) -> _Case:
    if line.holds:
        worse = any(
            (own.task, own.metric, own.verdict) == (line.task, line.metric, "worse") and own.within_margin
            for own in lines
        )
        doubt = "undecided, let pass" if line.let_pass else "passes, though worse" if worse else ""
        return _Case(condition_name(line), line.sentence, doubt=doubt)
    outcome = "error" if line.outcome == "broken" else "failure"
    return _Case(condition_name(line), line.sentence, outcome, line.outcome)


def _line_case(line: MetricComparison, *, fails: bool) -> _Case:
    name = f"{line.task} by {line.metric}"
    if line.verdict == "not tested":
        return _Case(name, line.reason or "not tested", "skipped")
    return _Case(name, _figures(line), "failure" if fails and line.verdict == "worse" else "", line.verdict)


def _overall_case(overall: Overall, *, fails: bool) -> _Case:
    tasks = tasks_in_words(None, overall.tag, "mean")
    name = f"{tasks} (samples)" if overall.samples else tasks
    failure = "failure" if fails and overall.verdict == "worse" else ""
    return _Case(name, overall.sentence, failure, overall.verdict)


def condition_name(line: GateLine) -> str:
    """Return a condition's name, which is the same in every run."""
    where = None if line.rule == "throughput" else tasks_in_words(line.task, line.tag, line.over)
    subject = " by ".join(word for word in (where, line.metric) if word)
    return f"{subject}: {line.rule} {line.threshold:g}" if subject else f"{line.rule} {line.threshold:g}"


def _figures(line: MetricComparison) -> str:
    gain = "no gain known" if line.gain is None else f"gain {line.gain:+.4f}"
    interval = "" if line.low is None or line.high is None else f" [{line.low:+.4f}, {line.high:+.4f}]"
    return f"{line.verdict}: {gain}{interval}"


def _refusal_text(refused: Refusal) -> str:
    differences = "; ".join(f"{each.key} {each.baseline} / {each.candidate}" for each in refused.differences)
    return f"{refused.task} is not comparable: {differences}"


def _suite(comparison: Comparison, cases: Sequence[_Case]) -> ET.Element:
    outcomes = [case.outcome for case in cases]
    suite = ET.Element(
        "testsuite",
        name=_xml(f"{comparison.candidate.name} against {comparison.baseline.name}"),
        tests=str(len(cases)),
        failures=str(outcomes.count("failure")),
        errors=str(outcomes.count("error")),
        skipped=str(outcomes.count("skipped")),
    )
    if comparison.allowed:
        properties = ET.SubElement(suite, "properties")
        for key in comparison.allowed:
            ET.SubElement(properties, "property", name="allowed", value=_xml(key))
    for case in cases:
        attributes = {"classname": _xml(comparison.candidate.name), "name": _xml(case.name)}
        element = ET.SubElement(suite, "testcase", attributes)
        if case.outcome:
            kind = {"type": _xml(case.kind)} if case.kind else {}
            ET.SubElement(element, case.outcome, kind | {"message": _xml(case.sentence)})
        elif case.doubt:
            ET.SubElement(element, "system-out").text = _xml(f"{case.doubt}: {case.sentence}")
    ET.SubElement(suite, "system-out").text = _xml(comparison.sentence)
    return suite


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)


# --- GitHub -----------------------------------------------------------------------------------------------


def to_github(
    comparisons: Sequence[Comparison], warnings: Sequence[str] = (), *, matrix: bool = False
) -> str:
    """Write workflow commands: an annotation for each summary, each warning and each failure.

    The summaries come first: GitHub shows the first ten annotations of a kind, and drops the others.
    matrix: as of `to_junit`.
    """
    levels = ["notice" if comparison.exit_code == PASSES else "error" for comparison in comparisons]
    summaries = [
        _annotation(level, "harness compare", comparison.sentence)
        for level, comparison in zip(levels, comparisons, strict=True)
    ]
    of_all = [_annotation("warning", "harness compare", text) for text in warnings]
    each = (text for comparison in comparisons for text in _annotations(comparison, matrix=matrix))
    return "".join([*summaries, *of_all, *each])


def _annotations(comparison: Comparison, *, matrix: bool) -> Iterator[str]:
    about = f"{comparison.candidate.name} against {comparison.baseline.name}"
    if comparison.allowed:
        keys = ", ".join(comparison.allowed)
        yield _annotation("warning", about, f"ALLOWED to differ (--allow): {keys}")
    for case in _cases(comparison, matrix=matrix):
        if case.outcome in ("failure", "error"):
            yield _annotation("error", f"{about}: {case.name}", f"{case.kind}: {case.sentence}")
        elif case.outcome == "skipped":
            yield _annotation("warning", f"{about}: {case.name}", case.sentence)
    for line in comparison.gate:
        if line.let_pass:
            message = f"undecided, let pass: {line.sentence}"
            yield _annotation("warning", f"{about}: {condition_name(line)}", message)
    for worse in comparison.lines:
        if comparison.gated and worse.verdict == "worse" and worse.within_margin:
            message = f"{_figures(worse)}, within the margin"
            yield _annotation("warning", f"{about}: {worse.task} by {worse.metric}", message)


def _annotation(level: str, title: str, message: str) -> str:
    """Write a command, escaped as actions/toolkit does: a title may hold neither a colon nor a comma."""
    title = _command_text(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={title}::{_command_text(message)}\n"


def _command_text(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return CONTROL.sub("", text)
