"""`Finding`: one problem that a task or a check reports, with its severity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
