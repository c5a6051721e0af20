"""What `harness check` was given, and what checks are to look at of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from harness.errors import HarnessError, MissingDataError
from harness.system.paths import user_path
from harness.tasks.interface import AggregateTask, DataSource
from harness.tasks.readers import FORMATS
from harness.training.losses import ROW_KINDS
from harness.training.recipe import Data
from harness.training.recipe_file import find_recipe, read_recipe, with_changes
from harness.training.rows import read_training_rows, rows_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.checks.models import ModelLoader
    from harness.models.interface import Model
    from harness.tasks.dataset import Dataset
    from harness.tasks.interface import Task
    from harness.training.check_input import Rows
    from harness.training.recipe import Recipe

Kind = Literal["pairs", "scored-pairs", "labeled-pairs", "triplets", "labeled-texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What `harness check` is to know besides a path."""

    models: ModelLoader
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    """Those that plugins bring."""
    tasks: Mapping[str, Task] = field(default_factory=dict)
    """All that could be evaluated."""
    wanted: tuple[str, ...] = ()
    """Names of the tasks that are; the recipe's own where empty."""
    data: Path | None = None
    """Folder of the recipe's data and of the tasks', or the file of the training rows."""
    recipe: str | None = None
    kind: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column → the file's."""
    base: str | None = None
    verify: bool = False


def shipped(name: str, asked: CheckOptions) -> Recipe:
    """Find a recipe by its name, or say that there is neither a file nor a recipe of that name."""
    if "/" in name and not any(known.startswith(name.partition("/")[0] + "/") for known in asked.recipes):
        raise HarnessError(f"no file or folder {name}")
    if Path(name).suffix.lower().lstrip(".") in (*FORMATS, "toml", "md"):
        raise HarnessError(f"no file {name}")
    try:
        return find_recipe(asked.recipes.values(), name)
    except HarnessError as error:
        message = error.message.replace("no recipe", "no file, folder or recipe")
        raise HarnessError(message, exists=error.exists) from error


def recipe_named(name: str, asked: CheckOptions) -> Recipe:
    """Find a recipe by its file or its name."""
    place = user_path(name)
    return read_recipe(place) if place.is_file() or place.suffix == ".toml" else shipped(name, asked)


def with_columns(recipe: Recipe, asked: CheckOptions) -> Recipe:
    """Take the columns of the command line."""
    columns = {f"data.columns.{ours}": theirs for ours, theirs in asked.columns.items()}
    return with_changes(recipe, columns, recipe.name) if columns else recipe


def data_of(kind: str, columns: Mapping[str, str]) -> Data:
    """Say how rows of a kind are read; raises HarnessError for an unknown kind or column."""
    if kind not in ROW_KINDS:
        raise HarnessError.unknown("kind of rows", kind, ROW_KINDS)
    for name in columns:
        if name not in ROW_KINDS[kind]:
            raise HarnessError.unknown(f"column of {kind}", name, ROW_KINDS[kind])
    return Data(kind=cast("Kind", kind), columns=dict(columns))


def rows_of(data: Data, home: str, asked: CheckOptions) -> Rows | None:
    """Read the training rows; None where they are not there, which is said to the user."""
    try:
        path = rows_path(data, asked.data, home)
    except HarnessError:
        return None
    return read_training_rows(data, path)


def base_of(name: str, asked: CheckOptions) -> Callable[[], Model] | None:
    """Load a base; one that was not asked for only if it is on this machine, and from there."""
    if asked.base:
        return asked.models.loader(name)
    return asked.models.loader(name, fetch=False) if asked.models.is_here(name) else None


def datasets_of(
    own: Iterable[str], asked: CheckOptions, *, known: bool
) -> Callable[[], Mapping[str, Dataset]] | None:
    """Read the rows of the evaluated tasks; None where there are none, or no training texts to look for.

    Raises HarnessError for a task that was asked for and cannot be read.
    """
    names = asked.wanted or [name for name in own if name in asked.tasks]
    folder = asked.data if asked.data is not None and asked.data.is_dir() else None
    found = {}
    for name in names if known else ():
        task = asked.tasks[name]
        if isinstance(task, AggregateTask):
            continue
        try:
            found[name] = task.load(DataSource.of(task, folder))
        except MissingDataError:
            if asked.wanted:
                raise
    return (lambda: found) if found else None


def measuring(model: Callable[[], Model], asked: CheckOptions) -> Callable[[str], Mapping[str, float]]:
    """Return what evaluates a model on a task, by the task's name."""

    def measure(name: str) -> Mapping[str, float]:
        from harness.evaluation.evaluate import evaluate

        if name not in asked.tasks:
            raise HarnessError(f"there is no task {name}")
        if asked.data is None or not asked.data.is_dir():
            raise MissingDataError("it needs --data DIR")
        evaluation, _ = evaluate(model(), asked.tasks[name], DataSource.of(asked.tasks[name], asked.data))
        return {one.metric: one.score for one in evaluation.scores if one.score is not None}

    return measure
