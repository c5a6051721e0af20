"""Count answers: precision by code, recall by fault and share, and what was said of clean sets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.checks.consequences import CLAIMED_FROM, is_right
from benchmarks.checks.dataset import HALVES
from benchmarks.checks.measure import CLEAN
from benchmarks.checks.true_findings import TRUE_OF_ROWS, is_true_of_card

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.checks.measure import Answer

LOUD = ("error", "warning")
"""Severities that count for precision; a note says only what is worth knowing."""


def tally(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return all counts as plain data, without findings that are true of the sets as they are."""
    answers = [without_true(answer) for answer in answers]
    return {
        "totals": {half: totals([one for one in answers if one.half == half]) for half in HALVES},
        "codes": by_code(answers),
        "faults": by_fault(answers),
        "false": false_findings(answers),
    }


def without_true(answer: Answer) -> Answer:
    """Return the answer without findings that are true of its set as it is, save those of the fault."""
    kept = [
        place
        for place, (code, _) in enumerate(answer.findings)
        if is_right(code, answer.fault) or not _is_true(answer, place)
    ]
    findings = tuple(answer.findings[place] for place in kept)
    evidence = tuple(answer.evidence[place] for place in kept if answer.evidence)
    return replace(answer, findings=findings, evidence=evidence)


def _is_true(answer: Answer, place: int) -> bool:
    """Whether a finding is true: by what a card says, or, of rows, by the table of codes and words."""
    code = answer.findings[place][0]
    if is_true_of_card(answer.subject, answer.fault, code):
        return True
    words = TRUE_OF_ROWS.get(answer.subject, {}).get(code, ("", ""))[0]
    return bool(words and answer.evidence) and words in answer.evidence[place]


def totals(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return precision of findings and of errors, recall where it is claimed, and findings on clean sets."""
    loud = [(one, code, severity) for one in answers for code, severity in one.findings if severity in LOUD]
    errors = [entry for entry in loud if entry[2] == "error"]
    claimed = [one for one in answers if counts_for_recall(one)]
    clean = [one for one in answers if one.fault == CLEAN]
    return {
        "findings": len(loud),
        "right": _right(loud),
        "errors": len(errors),
        "errors_right": _right(errors),
        "claimed": len(claimed),
        "found": sum(is_found(one) for one in claimed),
        "clean": len(clean),
        "clean_findings": sum(severity in LOUD for one in clean for _, severity in one.findings),
    }


def counts_for_recall(answer: Answer) -> bool:
    """Whether a check claims to see this fault in this share of the rows, with the recipe or on the card."""
    asked = answer.how in ("recipe", "card") and answer.fault != CLEAN
    return asked and answer.share >= CLAIMED_FROM.get(answer.fault, 0)


def is_found(answer: Answer) -> bool:
    """Whether any finding, be it a note, is right of the seeded fault."""
    return any(is_right(code, answer.fault) for code, _ in answer.findings)


def by_code(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return counts for each half and code: loud findings and those that are right, errors, notes."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED, 0))
    for one in answers:
        for code, severity in one.findings:
            row, right = counts[one.half, code], is_right(code, one.fault)
            kind = "findings" if severity in LOUD else "notes"
            row[kind] += 1
            row[f"{kind}_right"] += right
            if severity == "error":
                row["errors"] += 1
                row["errors_right"] += right
            row["clean"] += one.fault == CLEAN and severity in LOUD
    return [{"half": half, "code": code, **row} for (half, code), row in sorted(counts.items())]


_COUNTED = ("findings", "findings_right", "errors", "errors_right", "notes", "notes_right", "clean")


def by_fault(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return for each half, fault, share and way of asking in how many sets it was found."""
    counts: dict[tuple[str, str, str, float], list[bool]] = defaultdict(list)
    for one in answers:
        if one.fault != CLEAN:
            counts[one.half, one.fault, one.how, one.share].append(is_found(one))
    return [
        {"half": half, "fault": fault, "how": how, "share": share, "sets": len(found), "found": sum(found)}
        for (half, fault, how, share), found in counts.items()
    ]


def false_findings(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return every loud finding that is not right, one by one, without texts of the rows."""
    return [
        {
            "subject": one.subject, "half": one.half, "how": one.how, "fault": one.fault, "share": one.share,
            "code": code, "severity": severity,
        }
        for one in answers
        for code, severity in one.findings
        if severity in LOUD and not is_right(code, one.fault)
    ]  # fmt: skip


def _right(entries: Iterable[tuple[Answer, str, str]]) -> int:
    return sum(is_right(code, answer.fault) for answer, code, _ in entries)
