"""Checks: from what a user names to what is known of it, and from that to findings."""

from harness.checks.inputs import Asked
from harness.checks.locate import recipe_subject, subject_of
from harness.checks.run import Looked, collect, look, not_looked_at, stop_on_errors

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
