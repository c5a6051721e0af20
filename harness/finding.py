"""`Finding`: one problem that a task or a check reports, with its severity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """Severity of a finding: an error makes the score meaningless, a warning makes it doubtful."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong or doubtful that a task or a check found."""

    code: str
    """Stable kebab-case name, such as `labels-inverted`."""
    severity: Severity
    evidence: str
    """One sentence with the figures that show it."""
    remedy: str = ""
    """One sentence that says what to do."""


def finding_fault(finding: Any) -> str | None:  # noqa: ANN401 - a plugin may give anything
    """Return why an object is not a valid finding, such as `'bad', which is not a Finding`; None if it is."""
    if not isinstance(finding, Finding):
        return f"{str(finding)[:80]!r}, which is not a Finding"
    if finding.severity not in list(Severity):
        return f"a Finding whose severity is {finding.severity!r}, not one of {', '.join(Severity)}"
    texts = (finding.code, finding.evidence, finding.remedy)
    if not all(isinstance(text, str) for text in texts) or not finding.code:
        return "a Finding whose code, evidence or remedy is not a text"
    return None
