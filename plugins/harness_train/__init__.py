"""Plugin for training: recipes, the trainer of sentence-transformers, and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.training import Check, Recipe, Trainer


@hookimpl
def harness_recipes() -> Iterable[Recipe]:
    """Return two recipes for each of five published cards: as published and corrected."""
    from harness_train.recipes import shipped_recipes

    return shipped_recipes()


@hookimpl
def harness_trainers() -> Iterable[Trainer]:
    """Return the trainer of sentence-transformers."""
    from harness_train.trainer import SENTENCE_TRANSFORMERS

    return [SENTENCE_TRANSFORMERS]


@hookimpl
def harness_checks() -> Iterable[Check]:
    """Return the checks of labels, loss, inputs, texts, rows, evaluation and signs."""
    from harness_train.evaluation import EVALUATION
    from harness_train.inputs import INPUTS
    from harness_train.labels import LABELS
    from harness_train.loss import LOSS
    from harness_train.rows import ROWS
    from harness_train.signs import SIGNS
    from harness_train.texts import TEXTS

    return [LABELS, LOSS, INPUTS, TEXTS, ROWS, EVALUATION, SIGNS]
