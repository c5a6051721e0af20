"""Checks: from what a user names to what is known of it, and from that to findings."""

from harness.checks.inputs import CheckOptions
from harness.checks.locate import recipe_subject, subject_of
from harness.checks.run import CheckReport, collect, not_looked_at, run_checks, stop_on_errors

__all__ = [
    "CheckOptions",
    "CheckReport",
    "collect",
    "not_looked_at",
    "recipe_subject",
    "run_checks",
    "stop_on_errors",
    "subject_of",
]
