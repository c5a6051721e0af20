"""Try a trainer: does it keep the rules of trainers?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.plugins.validate import answer_error
from harness.testing.rules import Rule, find_failures, raise_failures
from harness.training.interface import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.training.check_input import Rows
    from harness.training.recipe import Recipe


def check_trainer(
    trainer: Trainer, *, recipe: Recipe | None = None, rows: Rows | None = None, base: Path | None = None
) -> None:
    """Return if a trainer keeps all rules: trains a small model a few times.

    recipe: what to train; pairs with MultipleNegativesRankingLoss, a few steps, if None.
    rows: training rows that fit the recipe; base: folder of the model that training starts from.
    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    failures = trainer_failures(trainer, recipe=recipe, rows=rows, base=base)
    raise_failures(f"trainer {getattr(trainer, 'name', trainer)!r}", failures)


def trainer_failures(
    trainer: Trainer, *, recipe: Recipe | None = None, rows: Rows | None = None, base: Path | None = None
) -> list[str]:
    """Return a sentence for each rule that a trainer breaks, `RULE: …`; an empty list if it keeps all."""
    return [str(failure) for failure in find_failures(STAGES, trainer)]


def _attributes(trainer: Trainer) -> Iterator[str]:
    if problem := answer_error(trainer, Trainer):
        yield f"it is {problem}"


STAGES = ((Rule("attributes", "has a name, a line of help and a function", _attributes),),)
