"""Try a check: does it keep the rules of checks?"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.finding import Severity
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.system.read_only import FrozenError
from harness.testing.check_inputs import clean_rows, sparse_inputs, strange_inputs
from harness.testing.findings import finding_problem
from harness.testing.rules import Rule, attribute_faults, find_failures, raise_failures
from harness.training.check_input import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training.check_input import CheckInput


def check_check(check: Check, *, finds: CheckInput | None = None) -> None:
    """Return if a check keeps all rules; finds: an input of which it must find something.

    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    raise_failures(f"check {getattr(check, 'name', check)!r}", check_failures(check, finds=finds))


def check_failures(check: Check, *, finds: CheckInput | None = None) -> list[str]:
    """Return a sentence for each rule that a check breaks, `RULE: …`; an empty list if it keeps all."""
    return [str(failure) for failure in find_failures(STAGES, _CheckTrial(check, finds))]


class _CheckTrial:
    """A check, and the inputs that it is tried on."""

    def __init__(self, check: Check, finds: CheckInput | None) -> None:
        self.check, self.finds = check, finds

    @cached_property
    def strange(self) -> Sequence[CheckInput]:
        """Inputs with cells and figures of all kinds, and the input of which something is to be found."""
        return [*strange_inputs(), *([] if self.finds is None else [self.finds])]

    @property
    def private(self) -> list[str]:
        """The texts of the rows that it looks at."""
        rows = [given.rows for given in (*self.strange, clean_rows()) if given.rows is not None]
        cells = (cell for some in rows for column in some.texts.values() for cell in column)
        return [cell for cell in cells if isinstance(cell, str)]

    def look(self, given: CheckInput) -> list[Any]:
        """Return what the check finds."""
        with plugin_code():
            return list(self.check.look(given))


def _attributes(trial: _CheckTrial) -> Iterator[str]:
    yield from attribute_faults(trial.check, Check)


def _sparse(trial: _CheckTrial) -> Iterator[str]:
    """Find checks that raise, or find something, where next to nothing is known."""
    for given in sparse_inputs():
        if found := trial.look(given):
            yield f"of a {given.what} of which nothing is known, it finds {str(found[0])[:80]!r}"


def _strange(trial: _CheckTrial) -> Iterator[str]:
    for given in trial.strange:
        try:
            trial.look(given)
        except HarnessError as error:
            yield f"it cannot look at {given.path}: {error.message}"
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            yield f"it raises {error_sentence(raised_by(error))} on {given.path}"


def _findings(trial: _CheckTrial) -> Iterator[str]:
    for given in (*trial.strange, clean_rows()):
        for found in trial.look(given):
            if problem := finding_problem(found):
                yield f"on {given.path}, {problem}"
            elif trial.check.codes and found.code not in trial.check.codes:
                yield f"on {given.path}, it finds {found.code!r}, which is not among its codes"


def _finds(trial: _CheckTrial) -> Iterator[str]:
    if trial.finds is not None and not trial.look(trial.finds):
        yield f"it finds nothing in {trial.finds.path}"


def _clean(trial: _CheckTrial) -> Iterator[str]:
    given = clean_rows()
    for found in trial.look(given):
        if found.severity is not Severity.NOTE:
            yield f"it finds {found.code!r} in {given.path}: {found.evidence}"


def _twice(trial: _CheckTrial) -> Iterator[str]:
    for given in trial.strange:
        if trial.look(given) != trial.look(given):
            yield f"it finds something else in {given.path} when it looks again: seed what is drawn"


def _inputs(trial: _CheckTrial) -> Iterator[str]:
    """Find changed rows. Columns refuse it, but not to compiled code."""
    for given in trial.strange:
        # Functions, such as that of a model, are the same objects in a copy.
        before = copy.deepcopy(given)
        try:
            trial.look(given)
        except Exception as error:  # noqa: BLE001 - the next rule says what it raises
            if isinstance(raised_by(error), FrozenError):
                yield f"it changes the rows of {given.path}: {raised_by(error)}"
            return
        if repr(before.rows) != repr(given.rows) or repr(before.columns) != repr(given.columns):
            yield f"it changes the rows of {given.path}, which later checks get: work on a copy"


STAGES = (
    (Rule("attributes", "has a name, a line of help and a function", _attributes),),
    (Rule("sparse", "is silent where nothing is known", _sparse),),
    (Rule("inputs", "does not change the rows", _inputs),),
    (Rule("strange", "raises for no row, label or figure that files hold", _strange),),
    (Rule("findings", "returns findings with code, severity, evidence and remedy", _findings),),
    (
        Rule("finds", "finds something in the input that is given as `finds`", _finds),
        Rule("clean", "has at most notes on clean rows", _clean),
        Rule("twice", "finds the same each time", _twice),
    ),
)
"""Rules of checks."""
