"""What a recipe means: loss, rows, base, length, evaluation."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, MissingDataError
from harness.render import percent, plural
from harness.system.paths import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.cli.meaning import Meaning
    from harness.cli.workspace import Workspace
    from harness.training.check_input import Rows
    from harness.training.recipe import Data, Recipe


def explain_recipe(meaning: Meaning, data: Path | None, workspace: Workspace, *, wanted: bool) -> None:
    """Add what a recipe trains. wanted: whether rows that are not there are a fault."""
    from harness.system.toml_file import read_toml
    from harness.training.recipe_file import read_recipe, sound_data

    # What it names, and its rows, are looked for even where it is not a recipe.
    content = read_toml(meaning.file)
    _check_names(content, meaning, workspace)
    recipe = meaning.faults.attempt(lambda: read_recipe(meaning.file))
    if recipe is None:
        if (plan := sound_data(content, str(meaning.file))) is not None:
            _rows(plan, str(meaning.file.parent), data, meaning, wanted=wanted)
        return
    meaning.part("loss", *_loss(recipe))
    part = meaning.part("rows", *_data(recipe))
    rows = _rows(recipe.data, recipe.home, data, meaning, wanted=wanted)
    if rows is not None:
        remarks = [f"{rows.left_out} left out by label"] if rows.left_out else []
        remarks += [f"{rows.repeated} repeated"] if rows.repeated else []
        aside = f" ({', '.join(remarks)})" if remarks else ""
        part.sentences.append(f"{plural(len(rows), 'row')} of {shown_path(Path(rows.source))}{aside}")
    meaning.part("base", *_base(recipe))
    meaning.part("length", *_length(recipe, rows))
    if recipe.evaluation.tasks:
        meaning.part("evaluation", *_evaluation(recipe))


def _check_names(content: Mapping[str, Any], meaning: Meaning, workspace: Workspace) -> None:
    """Add a fault for a base, a trainer and tasks that do not exist here; what is no text is left out."""
    from harness.models.locate import parse_model

    faults, plugins = meaning.faults, workspace.plugins
    base, trainer, evaluation = (content.get(key) for key in ("base", "trainer", "evaluation"))
    if isinstance(base, str):
        with faults.collect("base"):
            parse_model(base, plugins.model_schemes())
    if isinstance(trainer, str) and trainer not in (trainers := plugins.trainers()):
        faults.add(HarnessError.unknown("trainer", trainer, trainers))
    tasks = evaluation.get("tasks") if isinstance(evaluation, dict) else None
    if isinstance(tasks, list):
        known = meaning.known_tasks(workspace)
        for name in tasks:
            if isinstance(name, str) and name not in known:
                faults.add(HarnessError.unknown("task", name, known))


def _loss(recipe: Recipe) -> Iterator[str]:
    values = ", ".join(f"{name} {value}" for name, value in recipe.loss.parameters.items())
    yield f"{recipe.loss.name}{f' with {values}' if values else ''}"
    if recipe.loss.matryoshka:
        yield f"for the first {', '.join(map(str, recipe.loss.matryoshka))} dimensions each (Matryoshka)"


def _data(recipe: Recipe) -> Iterator[str]:
    from harness.training.losses import ROW_KINDS

    data = recipe.data
    yield f"{data.kind}: {', '.join(ROW_KINDS[data.kind])}"
    yield f"of {data.path}" if data.path else "of the file that --data FILE names"
    for ours, theirs in data.columns.items():
        yield f"{ours} is the file's column {theirs!r}"
    for ours, template in data.templates.items():
        yield f"{ours} is made of {template!r}"
    for name, value in data.only.items():
        yield f"only rows whose {name!r} is {value!r}"
    if data.labels:
        yield f"labels: {', '.join(f'{name!r} counts as {value:g}' for name, value in data.labels.items())}"
    if data.score_range:
        yield "scores from {:g} to {:g} become 0 to 1".format(*data.score_range)
    if data.distinct:
        yield "rows that repeat an earlier one are left out"
    if data.limit:
        yield f"the first {plural(data.limit, 'row')} that are left"


def _rows(plan: Data, home: str, data: Path | None, meaning: Meaning, *, wanted: bool) -> Rows | None:
    from harness.training.rows import read_training_rows, rows_path, validate_rows

    try:
        path = rows_path(plan, data, home)
    except HarnessError as error:
        if wanted or (plan.path is not None and not isinstance(error, MissingDataError)):
            meaning.faults.add(error)
        else:
            meaning.notes.append(f"rows and columns were not looked at: {error.message}; --data DIR or FILE")
        return None
    return meaning.faults.attempt(lambda: validate_rows(read_training_rows(plan, path)))


def _base(recipe: Recipe) -> Iterator[str]:
    revision = f", revision {recipe.revision}" if recipe.revision else ""
    yield f"{recipe.base}{revision}, trained by {recipe.trainer}"
    for key, value in ((key.name, getattr(recipe.model, key.name)) for key in fields(recipe.model)):
        if value is not None:
            yield f"{key}: {value}, in place of the base's own"
    if recipe.train.max_seq_length:
        yield f"texts are cut after {recipe.train.max_seq_length} tokens"


def _length(recipe: Recipe, rows: Rows | None) -> Iterator[str]:
    plan = recipe.train
    if plan.steps:
        yield f"{plural(plan.steps, 'step')} of batches of {plan.batch_size}"
    elif rows is None:
        yield f"{plural(plan.epochs, 'epoch')} of batches of {plan.batch_size}; the rows say how many steps"
    else:
        steps = math.ceil(math.ceil(len(rows) / plan.batch_size) * plan.epochs)
        yield f"{plural(plan.epochs, 'epoch')} of batches of {plan.batch_size}: {plural(steps, 'step')}"
    if plan.stop_after is not None:
        yield f"stops after {plan.stop_after:g}, although the learning rate is planned over {plan.epochs:g}"
    warmup = f"{percent(plan.warmup)} of the steps" if plan.warmup < 1 else plural(int(plan.warmup), "step")
    rising = f" after a warmup of {warmup}" if plan.warmup else ""
    yield f"learning rate {plan.learning_rate:g}, {plan.schedule}{rising}; seed {plan.seed}, {plan.dtype}"
    if plan.batch_sampler != "default":
        yield f"batches: {plan.batch_sampler}"
    if plan.report_to:
        yield f"its log goes to {', '.join(plan.report_to)}"


def _evaluation(recipe: Recipe) -> Iterator[str]:
    evaluation = recipe.evaluation
    every = "every epoch" if evaluation.every == "epoch" else f"every {plural(int(evaluation.every), 'step')}"
    yield f"{', '.join(evaluation.tasks)}, {every}"
    if evaluation.keep == "best":
        yield f"the weights that are best on {evaluation.tasks[0]} are kept: its score is no result"
    if evaluation.patience:
        yield f"ends after {plural(evaluation.patience, 'evaluation')} without a better one"
