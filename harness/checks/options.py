"""Options of `harness check`, and loaders of what they name: recipe, rows, base and datasets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from harness.errors import HarnessError, MissingDataError
from harness.system.paths import user_path
from harness.tasks.interface import HUB, AggregateTask, DataSource
from harness.tasks.readers import format_of
from harness.training.losses import ROW_KINDS
from harness.training.recipe import Data
from harness.training.recipe_file import find_recipe, read_recipe, with_changes
from harness.training.rows import read_training_rows, rows_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.checks.models import ModelLoader
    from harness.models.interface import Model
    from harness.tasks.dataset import Dataset
    from harness.tasks.interface import DataChoice, Task
    from harness.training.check_input import Rows
    from harness.training.recipe import Recipe

Kind = Literal["pairs", "scored-pairs", "labeled-pairs", "triplets", "labeled-texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """Options of `harness check` besides the path."""

    models: ModelLoader
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    """Recipes of plugins, by name."""
    tasks: Mapping[str, Task] = field(default_factory=dict)
    """All tasks, by name."""
    wanted: tuple[str, ...] = ()
    """Names of the tasks to compare with; empty for those of the recipe."""
    data: Path | None = None
    """Folder of the data of recipe and tasks, or the file of the training rows."""
    hub: bool = False
    """Whether tasks read their homes on the hub."""
    recipe: str | None = None
    kind: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column → the file's."""
    base: str | None = None
    verify: bool = False


def find_shipped_recipe(name: str, options: CheckOptions) -> Recipe:
    """Find a recipe by its name; raises HarnessError if neither a file nor a recipe has it."""
    if "/" in name and not any(known.startswith(name.partition("/")[0] + "/") for known in options.recipes):
        raise HarnessError(f"no file or folder {name}")
    if format_of(Path(name)) or Path(name).suffix.lower() in (".toml", ".md"):
        raise HarnessError(f"no file {name}")
    try:
        return find_recipe(options.recipes.values(), name)
    except HarnessError as error:
        message = error.message.replace("no recipe", "no file, folder or recipe")
        raise HarnessError(message, exists=error.exists) from error


def load_recipe(name: str, options: CheckOptions) -> Recipe:
    """Load a recipe by its file or its name."""
    path = user_path(name)
    if path.is_file() or path.suffix == ".toml":
        return read_recipe(path)
    return find_shipped_recipe(name, options)


def with_columns(recipe: Recipe, options: CheckOptions) -> Recipe:
    """Return the recipe with the columns of the command line."""
    columns = {f"data.columns.{ours}": theirs for ours, theirs in options.columns.items()}
    return with_changes(recipe, columns, recipe.name) if columns else recipe


def data_format(kind: str, columns: Mapping[str, str]) -> Data:
    """Return how rows of a kind are read; raises HarnessError for an unknown kind or column."""
    if kind not in ROW_KINDS:
        raise HarnessError.unknown("kind of rows", kind, ROW_KINDS)
    for name in columns:
        if name not in ROW_KINDS[kind]:
            raise HarnessError.unknown(f"column of {kind}", name, ROW_KINDS[kind])
    return Data(kind=cast("Kind", kind), columns=dict(columns))


def read_available_rows(data: Data, home: str, options: CheckOptions) -> Rows | None:
    """Read the training rows; None if they are missing, which `missing_inputs` reports."""
    try:
        path = rows_path(data, options.data, home)
    except HarnessError:
        return None
    return read_training_rows(data, path)


def base_loader(name: str, options: CheckOptions) -> Callable[[], Model] | None:
    """Return the loader of a base; without `--base`, only for a base that is on this machine."""
    if options.base:
        return options.models.loader(name)
    return options.models.loader(name, fetch=False) if options.models.is_here(name) else None


def datasets_loader(
    own: Iterable[str], options: CheckOptions, *, known: bool
) -> Callable[[], Mapping[str, Dataset]] | None:
    """Return the loader of the evaluated tasks' datasets; None without tasks, or without training texts.

    own: names of the recipe's tasks. known: whether the training texts are known.
    Raises HarnessError if a task of `--tasks` cannot be read.
    """
    from harness.evaluation.evaluate import load_task, rows_of

    names = options.wanted or [name for name in own if name in options.tasks]
    datasets = {}
    for name in names if known else ():
        task = options.tasks[name]
        if isinstance(task, AggregateTask):
            continue
        try:
            datasets[name] = rows_of(load_task(task, DataSource.of(task, _task_data(options))))
        except MissingDataError:
            if options.wanted:
                raise
    return (lambda: datasets) if datasets else None


def _task_data(options: CheckOptions) -> DataChoice:
    """Return where tasks read from: a folder, the hub, or None for the samples."""
    if options.hub:
        return HUB
    return options.data if options.data is not None and options.data.is_dir() else None


def task_evaluator(model: Callable[[], Model], options: CheckOptions) -> Callable[[str], Mapping[str, float]]:
    """Return a function that evaluates the model on a task, by the task's name: metric → score."""

    def measure(name: str) -> Mapping[str, float]:
        from harness.evaluation.evaluate import evaluate

        if name not in options.tasks:
            raise HarnessError(f"no task named {name}")
        data = _task_data(options)
        if data is None:
            raise MissingDataError("its data needs --data DIR")
        task = options.tasks[name]
        evaluation, _ = evaluate(model(), task, DataSource.of(task, data))
        return {score.metric: score.score for score in evaluation.scores if score.score is not None}

    return measure
