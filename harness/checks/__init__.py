"""Checks: from what a user names to what is known of it, and from that to findings."""

from harness.checks.inputs import CheckOptions
from harness.checks.locate import check_input_from_path, check_input_from_recipe
from harness.checks.run import CheckReport, collect, missing_inputs, run_checks, stop_on_errors

__all__ = [
    "CheckOptions",
    "CheckReport",
    "check_input_from_path",
    "check_input_from_recipe",
    "collect",
    "missing_inputs",
    "run_checks",
    "stop_on_errors",
]
