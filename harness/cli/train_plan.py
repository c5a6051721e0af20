"""Turn the options of `harness train` into trainings; every mistake of the user's is found here."""

from __future__ import annotations

import os
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.cli.options import out_folder, read_columns
from harness.errors import Faults, HarnessError
from harness.system.paths import user_path
from harness.tasks.data_choice import data_path
from harness.tasks.interface import HUB
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.cli.workspace import Workspace
    from harness.evaluation.produce import TrainingRun
    from harness.models.interface import LocatedModel
    from harness.plugins.loader import Plugins
    from harness.tasks.dataset import Dataset
    from harness.tasks.interface import Task
    from harness.training.check_input import Rows
    from harness.training.interface import Trainer
    from harness.training.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOptions:
    """Which recipe, and what to change in it."""

    recipe: str | None
    card: str | None
    base: str | None
    columns: tuple[str, ...]
    """`OURS=THEIRS`."""
    changes: tuple[str, ...]
    """`KEY=VALUE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """What to train on, and where candidates go."""

    data: str | None
    out: str
    seeds: str | None
    resume: bool
    no_texts: bool | None
    """None for what the configuration says."""
    device: str
    allowed: tuple[str, ...]
    """Codes of findings."""


def training_runs(
    options: RecipeOptions, training: TrainingOptions, workspace: Workspace
) -> list[TrainingRun]:
    """Return one training per seed, with its recipe and data checked.

    Raises HarnessError that names all mistakes of the user's, and for findings of severity error that are not
    allowed.
    """
    from harness.training.rows import validate_rows

    faults = Faults()
    seeds = faults.attempt(lambda: _seeds(training.seeds) if training.seeds else []) or []
    run = _training_run(options, training, workspace, faults)
    _check(run, workspace.plugins)
    with _withholding(run.no_texts):
        run = replace(run, rows=validate_rows(run.rows))
    if not seeds:
        return [run]
    return [replace(run, seed=seed, out=run.out.with_name(f"{run.out.name}-seed-{seed}")) for seed in seeds]


def _training_run(
    options: RecipeOptions, training: TrainingOptions, workspace: Workspace, faults: Faults
) -> TrainingRun:
    """Return the training that is asked for; raises HarnessError for all that cannot be had, and `faults`."""
    from harness.checks import validate_codes
    from harness.evaluation.produce import TrainingRun
    from harness.evaluation.trainer_code import check_ready
    from harness.training.curves import check_curves

    plugins, config = workspace.plugins, workspace.config
    data, no_texts = training.data or config.data, config.no_texts
    no_texts = no_texts if training.no_texts is None else training.no_texts
    allowed = sorted(set(split_words(training.allowed)))
    faults.attempt(lambda: validate_codes(allowed, plugins.checks()))
    out = faults.attempt(lambda: _candidate_folder(training.out))
    before = len(faults.found)
    root = faults.attempt(lambda: data_path(data, hint="docs/recipes.md says what each recipe reads"))
    lost = len(faults.found) > before
    recipe = faults.attempt(lambda: _recipe(options, plugins, root))
    if recipe is None:
        faults.refuse()
        raise AssertionError("a recipe is missing without a fault")
    trainer = faults.attempt(lambda: _trainer(recipe, plugins))
    found = len(faults.found)
    if trainer is not None:
        faults.attempt(lambda: check_ready(trainer))
    faults.attempt(check_curves)
    faults.attempt(lambda: _check_reporters(recipe))
    if len(faults.found) > found:
        faults.refuse()  # what is not installed is said before torch is imported, which takes seconds
    device = faults.attempt(lambda: _device(training.device))
    base = faults.attempt(lambda: _base(recipe, plugins))
    if base is not None:
        located, folder = base
        faults.attempt(lambda: _check_dimensions(recipe, located, folder))
    tasks = faults.attempt(lambda: _tasks(recipe, workspace.tasks()))
    rows = None if lost else faults.attempt(lambda: _rows(recipe, root, no_texts=no_texts))
    faults.refuse()
    if base is None or None in (out, device, trainer, tasks, rows):
        raise AssertionError("a part of the training is missing without a fault")
    return TrainingRun(
        recipe=recipe,
        trainer=cast("Trainer", trainer),
        rows=cast("Rows", rows),
        base=located,
        base_folder=folder,
        base_name=_base_name(located),
        tasks=cast("list[Task]", tasks),
        data=HUB if data == HUB else root if root is not None and root.is_dir() else None,
        out=cast("Path", out),
        seed=recipe.train.seed,
        device=cast("str", device),
        resume=training.resume,
        allowed=tuple(allowed),
        no_texts=no_texts,
    )


def _trainer(recipe: Recipe, plugins: Plugins) -> Trainer:
    trainers = plugins.trainers()
    if recipe.trainer not in trainers:
        raise HarnessError.unknown(f"trainer ({recipe.name})", recipe.trainer, trainers)
    return trainers[recipe.trainer]


def _check_reporters(recipe: Recipe) -> None:
    """Raise HarnessError for all services of `train.report_to` whose library is missing."""
    from harness.system.extras import is_installed, require_extra
    from harness.training.recipe import REPORTERS

    faults = Faults()
    for name in recipe.train.report_to:
        module, use = REPORTERS[name], f"train.report_to = {name!r}"
        with faults.collect():
            if name in ("mlflow", "wandb"):
                require_extra(module, name, use)
            elif not is_installed(module):
                command = f"pip install {module.replace('_', '-')}"
                raise HarnessError(f"{use} needs {module}, which is not installed", hint=command)
    faults.refuse()


def _rows(recipe: Recipe, root: Path | None, *, no_texts: bool) -> Rows:
    from harness.training.rows import read_training_rows, rows_path

    path = rows_path(recipe.data, root, recipe.home)
    with _withholding(no_texts):
        return read_training_rows(recipe.data, path)


@contextmanager
def _withholding(no_texts: bool) -> Iterator[None]:
    """Withhold the message of an error of the body, which may quote a row, for `--no-texts`."""
    try:
        yield
    except HarnessError as error:
        if not no_texts:
            raise
        from harness.evaluation.without_texts import withheld_reason

        raise HarnessError(withheld_reason(error)) from None


def _candidate_folder(option: str) -> Path:
    """Return the folder of the candidate; raises HarnessError where it cannot be written."""
    folder = Path(os.path.expanduser(option))  # noqa: PTH111 - it raises for an unknown user
    if folder.name in ("", ".."):
        raise HarnessError(f"invalid name {option!r} for --out", hint="--out candidates/NAME")
    return out_folder(str(folder.parent)) / folder.name


def _recipe(options: RecipeOptions, plugins: Plugins, root: Path | None) -> Recipe:
    """Read the recipe or the card, with the changes of the command line."""
    from harness.training.recipe_file import with_changes

    if options.recipe and not options.card:
        changes = _changes(options)
        recipe = _find_recipe(options.recipe, plugins)
        return with_changes(recipe, changes, options.recipe) if changes else recipe
    if options.card and not options.recipe:
        from harness.training.cards.to_recipe import recipe_from_card

        return recipe_from_card(user_path(options.card), _changes(options), data=root)
    raise HarnessError(
        "give either --recipe or --from-card",
        exists=f"recipes: {', '.join(plugins.recipes())}",
    )


def _changes(options: RecipeOptions) -> dict[str, Any]:
    """Return the changed values of a recipe by their keys."""
    changes: dict[str, Any] = {"base": options.base} if options.base else {}
    changes |= {f"data.columns.{ours}": theirs for ours, theirs in read_columns(options.columns).items()}
    return changes | dict(map(_change, options.changes))


def _find_recipe(name: str, plugins: Plugins) -> Recipe:
    """Return a recipe by its file or its name; a file wins."""
    from harness.training.recipe_file import find_recipe, read_recipe

    path = user_path(name)
    if name.endswith(".toml") or path.is_file():
        return read_recipe(path)
    return find_recipe(plugins.recipes().values(), name)


def _change(text: str) -> tuple[str, Any]:
    """Read KEY=VALUE; a value that is not TOML is a text."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise HarnessError(f"--set {text!r} is not KEY=VALUE", hint="--set train.epochs=1")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):  # not TOML, a number too long, or a list too deep
        return key.strip(), value


def _seeds(text: str) -> list[int]:
    from harness.training.validate import LARGEST_SEED

    try:
        seeds = [int(word) for word in split_words([text])]
    except ValueError as error:
        raise HarnessError(f"--seeds {text!r}: seeds are whole numbers, separated by commas") from error
    if len(set(seeds)) < len(seeds) or not seeds or min(seeds) < 0:
        raise HarnessError(f"--seeds {text!r}: each seed once, and none below 0")
    if max(seeds) > LARGEST_SEED:
        raise HarnessError(f"--seeds {text!r}: none above {LARGEST_SEED}")
    return seeds


def _base(recipe: Recipe, plugins: Plugins) -> tuple[LocatedModel, Path]:
    from harness.models.locate import locate_model, parse_model

    schemes = plugins.model_schemes()
    base = locate_model(parse_model(recipe.base, schemes), schemes)
    folder = getattr(base, "folder", None)
    if not isinstance(folder, Path):
        raise HarnessError(
            f"{base.name} has no weights that could be trained", hint="--base minilm, or a folder"
        )
    return base, folder


def _check_dimensions(recipe: Recipe, base: LocatedModel, folder: Path) -> None:
    """Raise HarnessError where MatryoshkaLoss would cut embeddings to more dimensions than the base has."""
    from harness.checks.models import read_architecture

    width = read_architecture(folder).dimensions
    beyond = [size for size in recipe.loss.matryoshka if width is not None and size > width]
    if beyond:
        fitting = [size for size in recipe.loss.matryoshka if size not in beyond]
        raise HarnessError(
            f"loss.matryoshka has {', '.join(map(str, beyond))} dimensions, but embeddings of {base.name}"
            f" have {width}",
            hint=f"--set 'loss.matryoshka={[width, *(size for size in fitting if size != width)]}'",
        )


def _base_name(base: LocatedModel) -> str:
    from harness.training.cards.to_recipe import PACKAGED

    if base.spec.scheme == "hub":
        return base.spec.location
    verified = {scheme: hub_id for hub_id, scheme in PACKAGED.items()}
    return verified.get(base.spec.scheme, base.name)


def _tasks(recipe: Recipe, tasks: Mapping[str, Task]) -> list[Task]:
    faults = Faults()
    for name in recipe.evaluation.tasks:
        if name not in tasks:
            faults.add(HarnessError.unknown(f"task (recipe {recipe.name})", name, tasks))
    faults.refuse()
    return [tasks[name] for name in recipe.evaluation.tasks]


def _device(option: str) -> str:
    from harness.models.devices import check_device_name, device_of

    check_device_name(option)
    return device_of(option)


def _check(run: TrainingRun, plugins: Plugins) -> None:
    """Check the data and the recipe as `harness check` does; raises HarnessError where that would fail."""
    from harness.checks import check_input_from_recipe, collect, stop_on_errors

    subject = check_input_from_recipe(run.recipe, run.rows, run.base.load, run.base_folder)
    if run.tasks:
        subject = replace(subject, datasets=lambda: {task.name: _dataset(run, task) for task in run.tasks})
    findings = collect(subject, plugins.checks())
    if run.no_texts:
        from harness.evaluation.without_texts import cover_findings

        findings = cover_findings(findings, run.rows.texts.values())
    stop_on_errors(findings, run.allowed)


def _dataset(run: TrainingRun, task: Task) -> Dataset:
    from harness.evaluation.evaluate import load_task, rows_of
    from harness.tasks.interface import DataSource

    return rows_of(load_task(task, DataSource.of(task, run.data)))
