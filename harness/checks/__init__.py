"""Build the input of checks from a path or a recipe, and run the checks on it."""

from harness.checks.locate import check_input_from_path, check_input_from_recipe
from harness.checks.options import CheckOptions
from harness.checks.run import (
    CheckReport,
    collect,
    missing_inputs,
    run_checks,
    stop_on_errors,
    validate_codes,
)

__all__ = [
    "CheckOptions",
    "CheckReport",
    "check_input_from_path",
    "check_input_from_recipe",
    "collect",
    "missing_inputs",
    "run_checks",
    "stop_on_errors",
    "validate_codes",
]
