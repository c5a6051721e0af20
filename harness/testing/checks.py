"""Try a check: does it keep the rules of checks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.plugins.validate import answer_error
from harness.testing.rules import Rule, find_failures, raise_failures
from harness.training.check_input import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training.check_input import CheckInput


def check_check(check: Check, *, finds: CheckInput | None = None) -> None:
    """Return if a check keeps all rules; finds: an input of which it must find something.

    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    raise_failures(f"check {getattr(check, 'name', check)!r}", check_failures(check, finds=finds))


def check_failures(check: Check, *, finds: CheckInput | None = None) -> list[str]:
    """Return a sentence for each rule that a check breaks, `RULE: …`; an empty list if it keeps all."""
    return [str(failure) for failure in find_failures(STAGES, check)]


def _attributes(check: Check) -> Iterator[str]:
    if problem := answer_error(check, Check):
        yield f"it is {problem}"


STAGES = ((Rule("attributes", "has a name, a line of help and a function", _attributes),),)
