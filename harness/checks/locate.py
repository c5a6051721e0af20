"""From what a user names to what is known of it: a data set, a recipe, a card, a candidate, a model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.checks.inputs import (
    base_of,
    data_of,
    datasets_of,
    measuring,
    recipe_named,
    rows_of,
    shipped,
    with_columns,
)
from harness.checks.models import read_architecture
from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.tasks.readers import FORMATS
from harness.training.check_input import CheckInput, LogEntry
from harness.training.lineage import read_lineage
from harness.training.losses import LOSSES, ROW_KINDS
from harness.training.recipe_file import read_recipe, recipe_from
from harness.training.rows import digest, read_training_rows, validate_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.checks.inputs import CheckOptions
    from harness.models.interface import Model
    from harness.training.check_input import Rows
    from harness.training.lineage import Lineage
    from harness.training.recipe import Recipe


def check_input_from_path(path: str, asked: CheckOptions) -> CheckInput:
    """Find out what a path is and what is known of it; a recipe may be named too, and a path wins.

    Raises HarnessError for what does not exist, cannot be read, or is nothing that can be checked.
    """
    place = user_path(path)
    if place.is_dir():
        return _of_folder(path, place, asked)
    if not place.is_file():
        return _of_recipe(path, shipped(path, asked), asked)
    ending = place.suffix.lower()
    if ending == ".toml":
        return _of_recipe(path, read_recipe(place), asked)
    if ending == ".md":
        return _of_card(path, place, asked)
    if ending.lstrip(".") in FORMATS:
        return _of_data(path, place, asked)
    raise HarnessError(
        f"{path} is nothing that can be checked",
        exists=f"cards: .md; recipes: .toml; data: {', '.join(FORMATS)}; folders of candidates and models",
    )


def check_input_from_recipe(
    recipe: Recipe,
    rows: Rows | None = None,
    base: Callable[[], Model] | None = None,
    folder: Path | None = None,
) -> CheckInput:
    """Tell what a recipe says of a training, with its rows and its base where they are there.

    folder: the base's, which says whether its embeddings have length 1, and where it cuts texts.
    """
    own, train = read_architecture(folder), recipe.train
    size = None if rows is None else len(rows)
    return CheckInput(
        path=recipe.name,
        what="recipe",
        loss=recipe.loss,
        loss_name=recipe.loss.name,
        normalized=own.normalized if recipe.model.normalize is None else recipe.model.normalize,
        dimensions=own.dimensions,
        max_tokens=train.max_seq_length or own.max_tokens,
        size=size,
        batch_size=train.batch_size,
        batch_sampler=train.batch_sampler,
        epochs=None if train.steps else train.epochs,
        steps=train.steps or (math.ceil(math.ceil(size / train.batch_size) * train.epochs) if size else None),
        stops_after=train.stop_after,
        schedule=train.schedule,
        keeps_best=recipe.evaluation.keep == "best",
        rows=rows,
        base=base,
    )


def _of_recipe(path: str, recipe: Recipe, asked: CheckOptions) -> CheckInput:
    recipe = with_columns(recipe, asked)
    rows = rows_of(recipe.data, recipe.home, asked)
    base = asked.base or recipe.base
    check_input = check_input_from_recipe(recipe, rows, base_of(base, asked), asked.models.folder(base))
    return replace(
        check_input, path=path, datasets=datasets_of(recipe.evaluation.tasks, asked, known=rows is not None)
    )


def _of_data(path: str, file: Path, asked: CheckOptions) -> CheckInput:
    if asked.recipe is not None:
        recipe = with_columns(recipe_named(asked.recipe, asked), asked)
        asked = replace(asked, data=asked.data if asked.data and asked.data.is_dir() else None)
        start = asked.base or recipe.base
        rows = read_training_rows(recipe.data, file)
        check_input = check_input_from_recipe(recipe, rows, base_of(start, asked), asked.models.folder(start))
        tasks = recipe.evaluation.tasks
        return replace(check_input, path=path, what="dataset", datasets=datasets_of(tasks, asked, known=True))
    if asked.kind is None:
        raise HarnessError(
            f"what the rows of {path} are is not said",
            exists="\n".join(f"{kind}: {', '.join(names)}" for kind, names in ROW_KINDS.items()),
            hint="--recipe NAME, or --kind KIND, with --column OURS=THEIRS for other names",
        )
    rows = read_training_rows(data_of(asked.kind, asked.columns), file)
    datasets = datasets_of((), asked, known=True)
    base = base_of(asked.base, asked) if asked.base else None
    return CheckInput(path=path, what="dataset", size=len(rows), rows=rows, base=base, datasets=datasets)


def _of_card(path: str, file: Path, asked: CheckOptions) -> CheckInput:
    from harness.training.cards.reader import read_card

    card = read_card(file)
    base = asked.base or card.base
    recipe = with_columns(recipe_named(asked.recipe, asked), asked) if asked.recipe is not None else None
    rows = None
    if recipe is not None:
        rows = rows_of(recipe.data, recipe.home, asked)
    elif asked.data is not None and asked.data.is_file():
        facts = LOSSES.get(card.check_input.loss_name)
        kind = asked.kind or (facts.kind if facts else None)
        if kind is None:
            raise HarnessError(f"what the rows of {asked.data} are is not said", hint="--kind KIND")
        rows = read_training_rows(data_of(kind, asked.columns), asked.data)
    tasks = recipe.evaluation.tasks if recipe is not None else ()
    return replace(
        card.check_input,
        path=path,
        rows=rows or card.check_input.rows,
        base=base_of(base, asked) if base else None,
        datasets=datasets_of(tasks, asked, known=rows is not None),
    )


def _of_folder(path: str, folder: Path, asked: CheckOptions) -> CheckInput:
    lineage = read_lineage(folder)
    if lineage is None and not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        there = sorted(entry.name for entry in folder.iterdir())
        raise HarnessError(
            f"{path} is neither a candidate nor a model: no lineage.json, modules.json or config.json",
            exists=f"there: {', '.join(there[:20]) or 'nothing'}",
        )
    check_input = _described(folder)
    own = read_architecture(folder)
    model = asked.models.loader(str(folder))
    check_input = replace(
        check_input,
        path=path,
        what="model",
        normalized=own.normalized,
        dimensions=own.dimensions,
        max_tokens=own.max_tokens,
        model=model,
        verify=asked.verify,
        measure=measuring(model, asked),
    )
    if lineage is not None:
        return _of_candidate(check_input, lineage, asked)
    base = base_of(asked.base, asked) if asked.base else None
    datasets = datasets_of((), asked, known=False)
    return replace(check_input, base=base, datasets=datasets)


def _described(folder: Path) -> CheckInput:
    """Read a model's own card, where sentence-transformers or the harness wrote one."""
    from harness.training.cards.reader import read_card

    bare = CheckInput(path=str(folder), what="model")
    try:
        return read_card(folder / "README.md").check_input if (folder / "README.md").is_file() else bare
    except HarnessError:
        return bare  # a README of any other kind says nothing of a training


def _of_candidate(check_input: CheckInput, lineage: Lineage, asked: CheckOptions) -> CheckInput:
    """Tell what lineage.json says; of its card, what lineage.json does not say: claims, usage, samples."""
    recipe = recipe_from(lineage.recipe, f"the recipe in {check_input.path}")
    rows = _trained_rows(recipe, lineage, check_input.path, asked)
    planned = replace(check_input_from_recipe(recipe), path=check_input.path, what="candidate")
    a_round = math.ceil(lineage.rows / recipe.train.batch_size)
    base = asked.base or recipe.base
    return replace(
        planned,
        normalized=check_input.normalized,
        dimensions=check_input.dimensions,
        max_tokens=check_input.max_tokens,
        size=lineage.rows,
        steps=recipe.train.steps or math.ceil(a_round * recipe.train.epochs),
        rows=rows or check_input.rows,
        log=tuple(LogEntry(**{name: getattr(line, name) for name in _LOGGED}) for line in lineage.log),
        claims=check_input.claims,
        usage=check_input.usage,
        samples=check_input.samples,
        trained=True,
        lineage=lineage,
        model=check_input.model,
        base=base_of(base, asked),
        datasets=datasets_of(recipe.evaluation.tasks, asked, known=True),
        verify=check_input.verify,
        measure=check_input.measure,
    )


def _trained_rows(recipe: Recipe, lineage: Lineage, path: str, asked: CheckOptions) -> Rows | None:
    """Find the rows that a candidate was trained on: in the data given, or beside the shipped recipe."""
    known = asked.recipes.get(recipe.name)
    home = known.home if known is not None and known.data == recipe.data else ""
    rows = rows_of(with_columns(recipe, asked).data, home, asked) if asked.data or home else None
    if rows is None or digest(validate_rows(rows)) == lineage.data_digest:
        return rows
    if asked.data is None:
        return None
    raise HarnessError(
        f"{rows.source} does not hold the rows that {path} was trained on: they have changed since",
        exists=f"trained on {lineage.rows} rows ({lineage.data_digest[:8]}); the file gives {len(rows)}",
        hint="give the file as it was, or leave out --data",
    )


_LOGGED = ("epoch", "step", "loss", "metrics", "learning_rate")
