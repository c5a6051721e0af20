"""Checks: from what a user names to what is known of it, and from that to findings."""

from harness.checks.looking import Looked, collect, look, not_looked_at, stop_on_errors
from harness.checks.material import Asked
from harness.checks.subjects import recipe_subject, subject_of

__all__ = [
    "Asked",
    "Looked",
    "collect",
    "look",
    "not_looked_at",
    "recipe_subject",
    "stop_on_errors",
    "subject_of",
]
