"""Build the input of checks from a path: a dataset, recipe, card, candidate or model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.checks.models import read_architecture
from harness.checks.options import (
    base_loader,
    data_format,
    datasets_loader,
    find_shipped_recipe,
    load_recipe,
    read_available_rows,
    task_evaluator,
    with_columns,
)
from harness.checks.tokens import token_counter
from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.tasks.readers import FORMATS, format_of
from harness.training.check_input import CheckInput, LogEntry
from harness.training.lineage import read_lineage
from harness.training.losses import LOSSES, ROW_KINDS
from harness.training.recipe_file import read_recipe, recipe_from
from harness.training.rows import digest, read_training_rows, validate_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.checks.options import CheckOptions
    from harness.models.interface import Model
    from harness.training.check_input import Rows
    from harness.training.lineage import Lineage
    from harness.training.recipe import Recipe


def check_input_from_path(path: str, options: CheckOptions) -> CheckInput:
    """Return the input of checks for a path, or for the name of a recipe; a path takes precedence.

    Raises HarnessError for a path that does not exist, cannot be read, or cannot be checked.
    """
    location = user_path(path)
    if location.is_dir():
        return _of_folder(path, location, options)
    if not location.is_file():
        return _of_recipe(path, find_shipped_recipe(path, options), options)
    ending = location.suffix.lower()
    if ending == ".toml":
        return _of_recipe(path, read_recipe(location), options)
    if ending == ".md":
        return _of_card(path, location, options)
    if format_of(location):
        return _of_data(path, location, options)
    raise HarnessError(
        f"{path} cannot be checked",
        exists=f"cards: .md; recipes: .toml; data: {', '.join(FORMATS)}; folders of candidates and models",
    )


def check_input_from_recipe(
    recipe: Recipe,
    rows: Rows | None = None,
    base: Callable[[], Model] | None = None,
    folder: Path | None = None,
) -> CheckInput:
    """Return the input of checks for a recipe, with its rows and the loader of its base, if known.

    folder: of the base, for the length of its embeddings and the maximum length of texts.
    """
    facts, train = read_architecture(folder), recipe.train
    size = None if rows is None else len(rows)
    return CheckInput(
        path=recipe.name,
        what="recipe",
        loss=recipe.loss,
        loss_name=recipe.loss.name,
        normalized=facts.normalized if recipe.model.normalize is None else recipe.model.normalize,
        dimensions=facts.dimensions,
        max_tokens=train.max_seq_length or facts.max_tokens,
        size=size,
        batch_size=train.batch_size,
        loss_batch=train.batch_size,
        batch_sampler=train.batch_sampler,
        epochs=None if train.steps else train.epochs,
        steps=train.steps or (math.ceil(math.ceil(size / train.batch_size) * train.epochs) if size else None),
        stops_after=train.stop_after,
        schedule=train.schedule,
        keeps_best=recipe.evaluation.keep == "best",
        rows=rows,
        base=base,
        base_name=recipe.base,
        tokens=token_counter(folder),
    )


def _from_recipe(recipe: Recipe, rows: Rows | None, options: CheckOptions) -> CheckInput:
    base = options.base or recipe.base
    return check_input_from_recipe(recipe, rows, base_loader(base, options), options.models.folder(base))


def _of_recipe(path: str, recipe: Recipe, options: CheckOptions) -> CheckInput:
    recipe = with_columns(recipe, options)
    rows = read_available_rows(recipe.data, recipe.home, options)
    datasets = datasets_loader(recipe.evaluation.tasks, options, known=rows is not None)
    return replace(_from_recipe(recipe, rows, options), path=path, datasets=datasets)


def _of_data(path: str, file: Path, options: CheckOptions) -> CheckInput:
    if options.recipe is not None:
        recipe = with_columns(load_recipe(options.recipe, options), options)
        options = replace(options, data=options.data if options.data and options.data.is_dir() else None)
        check_input = _from_recipe(recipe, read_training_rows(recipe.data, file), options)
        datasets = datasets_loader(recipe.evaluation.tasks, options, known=True)
        return replace(check_input, path=path, what="dataset", datasets=datasets)
    if options.kind is None:
        raise HarnessError(
            f"the kind of the rows of {path} is unknown",
            exists="\n".join(f"{kind}: {', '.join(names)}" for kind, names in ROW_KINDS.items()),
            hint="--recipe NAME, or --kind KIND, and --column OURS=THEIRS for other names",
        )
    rows = read_training_rows(data_format(options.kind, options.columns), file)
    datasets = datasets_loader((), options, known=True)
    base = base_loader(options.base, options) if options.base else None
    return CheckInput(
        path=path, what="dataset", size=len(rows), rows=rows, base=base, datasets=datasets,
        **_base_facts(options.base, options),
    )  # fmt: skip


def _of_card(path: str, file: Path, options: CheckOptions) -> CheckInput:
    from harness.training.cards.reader import read_card

    card = read_card(file)
    base = options.base or card.base
    recipe = load_recipe(options.recipe, options) if options.recipe is not None else None
    rows = None
    if recipe is not None:
        recipe = with_columns(recipe, options)
        rows = read_available_rows(recipe.data, recipe.home, options)
    elif options.data is not None and options.data.is_file():
        facts = LOSSES.get(card.check_input.loss_name)
        kind = options.kind or (facts.kind if facts else None)
        if kind is None:
            raise HarnessError(f"the kind of the rows of {options.data} is unknown", hint="--kind KIND")
        rows = read_training_rows(data_format(kind, options.columns), options.data)
    tasks = recipe.evaluation.tasks if recipe is not None else ()
    return replace(
        card.check_input,
        path=path,
        rows=rows or card.check_input.rows,
        base=base_loader(base, options) if base else None,
        datasets=datasets_loader(tasks, options, known=rows is not None),
        **_base_facts(base, options),
    )


def _base_facts(base: str | None, options: CheckOptions) -> dict[str, Any]:
    """Return the fields of a check's input about the base that need none of its weights."""
    if not base:
        return {}
    return {"base_name": base, "tokens": token_counter(options.models.folder(base))}


def _of_folder(path: str, folder: Path, options: CheckOptions) -> CheckInput:
    lineage = read_lineage(folder)
    if lineage is None and not any(
        (folder / name).is_file() for name in ("modules.json", "config.json", "adapter_config.json")
    ):
        there = sorted(entry.name for entry in folder.iterdir())
        raise HarnessError(
            f"{path} is neither a candidate nor a model: no lineage.json, modules.json or config.json",
            exists=f"in it: {', '.join(there[:20]) or 'nothing'}",
        )
    check_input = _described(folder)
    facts = read_architecture(folder)
    model = options.models.loader(str(folder))
    check_input = replace(
        check_input,
        path=path,
        what="model",
        normalized=facts.normalized,
        dimensions=facts.dimensions,
        max_tokens=facts.max_tokens,
        model=model,
        verify=options.verify,
        measure=task_evaluator(model, options),
    )
    if lineage is not None:
        return _of_candidate(check_input, lineage, options)
    base = base_loader(options.base, options) if options.base else None
    datasets = datasets_loader((), options, known=False)
    return replace(check_input, base=base, datasets=datasets)


def _described(folder: Path) -> CheckInput:
    """Read the model's own card, if sentence-transformers or harness wrote one."""
    from harness.training.cards.reader import read_card

    bare = CheckInput(path=str(folder), what="model")
    try:
        return read_card(folder / "README.md").check_input if (folder / "README.md").is_file() else bare
    except HarnessError:
        return bare  # any other README has no facts about a training


def _of_candidate(check_input: CheckInput, lineage: Lineage, options: CheckOptions) -> CheckInput:
    """Return the facts of lineage.json; from the card: claims, usage and samples."""
    recipe = recipe_from(lineage.recipe, f"the recipe in {check_input.path}")
    rows = _trained_rows(recipe, lineage, check_input.path, options)
    planned = replace(check_input_from_recipe(recipe), path=check_input.path, what="candidate")
    steps_per_epoch = math.ceil(lineage.rows / recipe.train.batch_size)
    base = options.base or recipe.base
    return replace(
        planned,
        normalized=check_input.normalized,
        dimensions=check_input.dimensions,
        max_tokens=check_input.max_tokens,
        size=lineage.rows,
        steps=recipe.train.steps or math.ceil(steps_per_epoch * recipe.train.epochs),
        rows=rows or check_input.rows,
        log=tuple(LogEntry(**{name: getattr(line, name) for name in _LOGGED}) for line in lineage.log),
        claims=check_input.claims,
        usage=check_input.usage,
        samples=check_input.samples,
        trained=True,
        lineage=lineage,
        model=check_input.model,
        base=base_loader(base, options),
        datasets=datasets_loader(recipe.evaluation.tasks, options, known=True),
        **_base_facts(base, options),
        verify=check_input.verify,
        measure=check_input.measure,
    )


def _trained_rows(recipe: Recipe, lineage: Lineage, path: str, options: CheckOptions) -> Rows | None:
    """Find the rows that a candidate was trained on: in `--data`, or next to the shipped recipe."""
    known = options.recipes.get(recipe.name)
    home = known.home if known is not None and known.data == recipe.data else ""
    data = with_columns(recipe, options).data
    rows = read_available_rows(data, home, options) if options.data or home else None
    if rows is None or digest(validate_rows(rows)) == lineage.data_digest:
        return rows
    if options.data is None:
        return None
    raise HarnessError(
        f"{rows.source} does not have the rows that {path} was trained on: they have changed",
        exists=f"trained on {lineage.rows} rows ({lineage.data_digest[:8]}); the file gives {len(rows)}",
        hint="restore the file, or leave out --data",
    )


_LOGGED = ("epoch", "step", "loss", "metrics", "learning_rate")
