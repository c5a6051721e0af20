"""Say what is wrong with a finding: its type, code, severity, evidence or remedy."""

from __future__ import annotations

import re

from harness.finding import Finding, Severity


def finding_problem(finding: object) -> str:
    """Return a sentence for what is wrong with a finding; an empty one for a sound finding."""
    if not isinstance(finding, Finding):
        return f"{str(finding)[:80]!r} is a {type(finding).__name__}, not a Finding"
    named = f"the finding {finding.code!r}"
    for field in ("code", "evidence", "remedy"):
        if not isinstance(getattr(finding, field), str):
            return f"{named} has the {field} {getattr(finding, field)!r}, which is not a text"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", finding.code):
        return f"{named} needs a code of lower case words with hyphens, such as 'labels-inverted'"
    severity: object = finding.severity
    if not isinstance(severity, Severity):
        return f"{named} has the severity {severity!r}: {', '.join(map(str, Severity))} are known"
    if not finding.evidence.strip():
        return f"{named} has no evidence: say what was seen, with its figures"
    if not finding.remedy.strip():
        return f"{named} has no remedy: say what to do"
    if "\n" in finding.evidence or "\n" in finding.remedy:
        return f"{named} has evidence or a remedy of several lines: tables show one"
    return ""
