"""Validate a recipe beyond types: ranges and contradictions, all reported at once."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError
from harness.training.losses import LABELS, LOSSES, ROW_KINDS
from harness.training.recipe import REPORTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training.recipe import Recipe

LARGEST_SEED = 2**32 - 1
"""Maximum seed of numpy."""
LARGEST = 2**31 - 1
"""Maximum of counts and of epochs."""


def validate_recipe(recipe: Recipe, where: str, *, whole: bool = True) -> None:
    """Raise one HarnessError for all numbers out of range and all contradicting fields.

    What depends on a loss that does not exist is left out. whole: whether all of its file could be read; else
    keys are looked at one by one, since another may be a default in place of what the user meant.
    """
    faults = Faults()
    for check in _CHECKS if whole else _OF_ONE_KEY:
        for flaw in check(recipe):
            faults.add(flaw)
    if len(faults.found) == 1:
        (only,) = faults.found
        raise HarnessError(f"{where}: {only.message}", exists=only.exists, hint=only.hint)
    faults.refuse(where)


def data_flaws(recipe: Recipe) -> Iterator[HarnessError]:
    """Yield what is wrong with what a recipe says of its rows."""
    for check in (_path, _column_names, _columns, _labels):
        yield from check(recipe)


def _texts(recipe: Recipe) -> Iterator[HarnessError]:
    texts = {
        "name": recipe.name,
        "base": recipe.base,
        "revision": recipe.revision,
        "trainer": recipe.trainer,
        "data.path": recipe.data.path,
    }
    for key, value in texts.items():
        if value is not None and not value.strip():
            yield HarnessError(f"{key} is empty", hint="leave the key out, or give it a value")


def _path(recipe: Recipe) -> Iterator[HarnessError]:
    path = recipe.data.path or ""
    inner = path.lstrip("./") if path.startswith(("./", "../")) else path
    if not PurePath(path).is_absolute() and ".." in PurePath(inner).parts:
        yield HarnessError(
            f"data.path {path!r} has '..' after a folder",
            hint="start it with ../ to go up from the recipe's own folder, or give an absolute path",
        )


def _kind(recipe: Recipe) -> Iterator[HarnessError]:
    facts, kind = LOSSES.get(recipe.loss.name), recipe.data.kind
    if facts is not None and kind not in (facts.kind, *facts.also):
        yield HarnessError(
            f"{recipe.loss.name} takes {' or '.join((facts.kind, *facts.also))}, not {kind}",
            exists="\n".join(f"{kind}: {', '.join(names)}" for kind, names in ROW_KINDS.items()),
        )


def _loss(recipe: Recipe) -> Iterator[HarnessError]:
    loss, facts = recipe.loss, LOSSES.get(recipe.loss.name)
    known = facts.parameters if facts else ()
    for name in ("distance", "margin", "scale", "similarity", "size_average", "mini_batch_size"):
        if facts is not None and getattr(loss, name) is not None and name not in known:
            yield HarnessError.unknown(f"parameter of {loss.name}", f"loss.{name}", known)
    for dimension in loss.matryoshka:
        yield from _whole("loss.matryoshka", dimension, 1)
    if len(set(loss.matryoshka)) < len(loss.matryoshka):
        yield HarnessError("loss.matryoshka names a number of dimensions twice")
    yield from _whole("loss.mini_batch_size", loss.mini_batch_size, 1)
    yield from _above_zero("loss.margin", loss.margin)
    yield from _above_zero("loss.scale", loss.scale)


def _column_names(recipe: Recipe) -> Iterator[HarnessError]:
    data, known = recipe.data, ROW_KINDS[recipe.data.kind]
    for table, names in (("columns", data.columns), ("templates", data.templates)):
        for name in names:
            if name not in known:
                yield HarnessError.unknown(f"column of {data.kind}", f"data.{table}.{name}", known)


def _columns(recipe: Recipe) -> Iterator[HarnessError]:
    data, known = recipe.data, ROW_KINDS[recipe.data.kind]
    for name in data.templates:
        if name in LABELS:
            yield HarnessError(
                f"data.templates.{name}: a template makes a text, but {name} is a number or a class"
            )
        if name in data.columns:
            yield HarnessError(f"{name} is in data.columns and in data.templates: leave one out")
    read = [data.columns.get(name, name) for name in known if name not in data.templates]
    if len(set(read)) < len(read):
        yield HarnessError(f"two of {', '.join(known)} are read from one column of the file: {read}")
    if len(set(data.header)) < len(data.header):
        yield HarnessError(f"data.header names a column twice: {', '.join(data.header)}")


def _labels(recipe: Recipe) -> Iterator[HarnessError]:
    data = recipe.data
    if data.labels and not set(LABELS) & set(ROW_KINDS[data.kind]):
        yield HarnessError(
            f"data.labels: {data.kind} have no label", hint="data.only takes the rows of one label"
        )
    if any(not math.isfinite(value) for value in data.labels.values()):
        yield HarnessError("data.labels maps to finite numbers only")
    if data.score_range is None:
        return
    low, high = data.score_range
    if data.kind != "scored-pairs":
        yield HarnessError(f"data.score_range is for scored-pairs, not {data.kind}", hint="data.labels maps")
    if data.labels:
        yield HarnessError("data.labels and data.score_range both map the score: leave one out")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        yield HarnessError(
            f"data.score_range goes from the lowest score to the highest, not {low:g} to {high:g}"
        )


def _numbers(recipe: Recipe) -> Iterator[HarnessError]:
    train, every = recipe.train, recipe.evaluation.every
    yield from _whole("data.limit", recipe.data.limit, 1)
    yield from _whole("train.batch_size", train.batch_size, 1)
    yield from _whole("train.steps", train.steps, 1)
    yield from _whole("train.max_seq_length", train.max_seq_length, 1)
    yield from _whole("train.seed", train.seed, 0)
    yield from _whole("evaluation.patience", recipe.evaluation.patience, 1)
    yield from _whole("evaluation.every", None if every == "epoch" else every, 1)
    yield from _above_zero("train.epochs", train.epochs)
    if LARGEST < train.epochs < math.inf:
        yield HarnessError(f"train.epochs is {train.epochs:g}; it must be {LARGEST} or less")
    yield from _above_zero("train.stop_after", train.stop_after)
    yield from _above_zero("train.learning_rate", train.learning_rate)
    for name in ("weight_decay", "max_grad_norm"):
        value = getattr(train, name)
        if not 0 <= value < math.inf:
            yield HarnessError(f"train.{name} is {value:g}; it must be 0 or more")
    if train.seed > LARGEST_SEED:
        yield HarnessError(f"train.seed is {train.seed}; it must be {LARGEST_SEED} or less")


def _reporters(recipe: Recipe) -> Iterator[HarnessError]:
    for name in recipe.train.report_to:
        if name not in REPORTERS:
            yield HarnessError.unknown("service for train.report_to", name, REPORTERS)


def _length(recipe: Recipe) -> Iterator[HarnessError]:
    train = recipe.train
    if train.stop_after is not None and train.steps is not None:
        yield HarnessError("train.steps and train.stop_after both say when to stop: leave one out")
    elif train.stop_after is not None and train.stop_after > train.epochs:
        yield HarnessError(
            f"train.stop_after is {train.stop_after:g}, but train.epochs plans {train.epochs:g}"
        )
    whole = train.warmup < 1 or (math.isfinite(train.warmup) and train.warmup == int(train.warmup))
    if not train.warmup >= 0 or not whole:
        yield HarnessError(
            f"train.warmup is {train.warmup:g}; it must be a share below 1, or a whole number of steps"
        )
    elif train.steps is not None and train.warmup > train.steps:
        yield HarnessError(f"train.warmup is {train.warmup:g} steps, but train.steps are {train.steps}")


def _batches(recipe: Recipe) -> Iterator[HarnessError]:
    train, kind = recipe.train, recipe.data.kind
    if train.batch_sampler == "group-by-label" and "label" not in ROW_KINDS[kind]:
        yield HarnessError(f"train.batch_sampler: {kind} have no label to group by")
    loss = LOSSES.get(recipe.loss.name)
    if train.batch_size == 1 and kind == "pairs" and loss is not None and loss.in_batch:
        yield HarnessError(
            f"train.batch_size is 1, but {recipe.loss.name} takes the rest of a batch as negatives",
            hint="train.batch_size = 16, or more",
        )


def _evaluation(recipe: Recipe) -> Iterator[HarnessError]:
    evaluation = recipe.evaluation
    if evaluation.keep == "best" and not evaluation.tasks:
        yield HarnessError(
            'evaluation.keep = "best" needs a task that decides which is best',
            hint='evaluation = { tasks = ["stsb-dev"], keep = "best" }',
        )
    if evaluation.patience is not None and evaluation.keep != "best":
        yield HarnessError(
            "evaluation.patience waits for a better model, but evaluation.keep is 'last'",
            hint='evaluation.keep = "best"',
        )
    if len(set(evaluation.tasks)) < len(evaluation.tasks):
        yield HarnessError(f"evaluation.tasks names a task twice: {', '.join(evaluation.tasks)}")


_CHECKS = (
    _texts, _path, _kind, _loss, _column_names, _columns, _labels, _numbers, _length, _batches, _evaluation,
    _reporters,
)  # fmt: skip
_OF_ONE_KEY = (_texts, _path, _loss, _column_names, _numbers, _reporters)


def _whole(name: str, value: int | None, least: int) -> Iterator[HarnessError]:
    if value is not None and value < least:
        yield HarnessError(f"{name} is {value}; it must be {least} or more")
    elif value is not None and value > LARGEST and name != "train.seed":
        yield HarnessError(f"{name} is {value}; it must be {LARGEST} or less")


def _above_zero(name: str, value: float | None) -> Iterator[HarnessError]:
    if value is not None and not 0 < value < math.inf:
        yield HarnessError(f"{name} is {value:g}; it must be above 0")
