"""Convert a model card to a recipe that repeats its training; ask for missing fields, never guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.training.cards.missing_fields import (
    MissingField,
    is_allowed,
    missing_columns,
    missing_modules,
    missing_task,
    missing_template,
    missing_value,
)
from harness.training.cards.reader import Card, read_card
from harness.training.cards.results import count_devices, stopped_after
from harness.training.cards.rows import kind_of, label_of, text_columns
from harness.training.losses import LABELS, LOSSES, ROW_KINDS
from harness.training.recipe import Recipe, Schedule
from harness.training.recipe_file import recipe_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": "minilm"}
"""Hub ids → the scheme whose package holds their weights and verifies them."""


@dataclass(frozen=True, slots=True)
class RecipeDraft:
    """A recipe as far as the card gives it."""

    table: dict[str, Any]
    """As `harness.training.recipe_file.recipe_from` takes it, once the missing fields are in it."""
    missing: tuple[MissingField, ...] = field(default=())


def recipe_from_card(path: Path, changes: Mapping[str, Any], *, data: Path | None = None) -> Recipe:
    """Read a card into a recipe, with values added or replaced: `{"train.epochs": 1}`.

    data: the file of the training rows, which no card names.
    Raises one HarnessError for all missing fields, and as `read_card` and `draft_recipe` do.
    """
    name = path.parent.resolve().name if path.stem.lower() == "readme" else path.stem
    draft = draft_recipe(read_card(path), name, changes)
    table = _with_changes(draft.table, changes, str(path))
    missing = [item for item in draft.missing if not any(_is_given(key, changes) for key in item.keys)]
    if data is None or not data.is_file():
        missing.insert(0, MissingField((), "the file of the training rows", "--data FILE"))
    else:
        missing += missing_columns(table, data)
    if missing:
        raise HarnessError(
            f"{path} does not say everything that a training needs",
            exists="\n".join(f"{item.option}: {item.why}" for item in missing),
            hint="give these options; nothing is guessed",
        )
    return recipe_from(table, str(path))


def draft_recipe(card: Card, name: str, changes: Mapping[str, Any] | None = None) -> RecipeDraft:
    """Return a card's recipe as a table, and the fields that the card does not give.

    changes: values that will replace those of the card, for what recipes cannot hold.
    Raises HarnessError for a card that contradicts itself, or whose training no recipe can repeat.
    """
    where, changes = card.check_input.path, changes or {}
    if card.contradictions:
        raise HarnessError(
            f"{where} contradicts itself", exists="\n".join(card.contradictions), hint="correct the card"
        )
    if len(card.datasets) > 1:
        shown = ", ".join(name or "unnamed" for name in card.datasets)
        raise HarnessError(
            f"{where} has {len(card.datasets)} training datasets; a recipe has one", exists=shown
        )
    loss, missing_loss = _loss(card, changes)
    data, missing_data = _data(card, str(changes.get("loss.name") or loss.get("name", "")))
    train, missing_train = _train(card)
    model = {"pooling": card.architecture.pooling, "normalize": card.architecture.normalized}
    base = None if card.base is None else PACKAGED.get(card.base, card.base)
    other = changes.get("base") if changes.get("base") not in (None, base, card.base) else None
    table: dict[str, Any] = {
        "name": name,
        "about": _about(card, None if other is None else str(other), model, changes),
        "data": data,
        "loss": loss,
        "train": train,
        "model": {key: value for key, value in model.items() if value is not None},
    }
    if base is not None:
        table["base"] = base
        # A revision is one of the card's base, and of no other model.
        if card.base not in PACKAGED and card.revision and other is None:
            table["revision"] = card.revision
    missing = [
        *([] if card.base else [MissingField(("base",), "the base model", "--base NAME")]),
        *missing_loss, *missing_data, *missing_train, *missing_modules(model),
    ]  # fmt: skip
    if card.check_input.keeps_best:
        table["evaluation"] = {"keep": "best"}
        missing.append(missing_task(card))
    return RecipeDraft(table, tuple(missing))


def _loss(card: Card, changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[MissingField]]:
    """Return the table of the loss, and its parameters that the card does not give."""
    where, loss = card.check_input.path, card.loss
    if loss is None:
        known = ", ".join(LOSSES)
        return {}, [MissingField(("loss.name",), f"the loss, one of {known}", "--set loss.name=NAME")]
    if "loss.name" in changes:
        return {}, []
    if loss.name not in LOSSES:
        raise HarnessError.unknown(f"loss in {where}", loss.name, LOSSES)
    if loss.beyond:
        raise HarnessError(
            f"{where}: recipes cannot hold these parameters of {loss.wrapper or loss.name}",
            exists="\n".join(f"{name}: {value!r}" for name, value in loss.beyond.items()),
            hint=f"--set loss.name={loss.name} trains without them",
        )
    fields = ("distance", "margin", "scale", "similarity", "size_average", "mini_batch_size")
    values = {name: getattr(loss.loss, name) for name in fields}
    table = {"name": loss.name} | {name: value for name, value in values.items() if value is not None}
    if loss.loss.matryoshka:
        table["matryoshka"] = list(loss.loss.matryoshka)
    inside = f" inside {loss.wrapper}" if loss.wrapper else ""
    missing = [
        MissingField(
            (f"loss.{name}",),
            f"{name} of {loss.name}{inside} (the library's default: {default})",
            f"--set loss.{name}=VALUE",
        )
        for name, default in LOSSES[loss.name].parameters.items()
        if values[name] is None
    ]
    return table, missing


def _data(card: Card, loss: str) -> tuple[dict[str, Any], list[MissingField]]:
    """Return the kind of the rows and their columns; records need a template, which is missing."""
    columns = card.check_input.columns
    kind = kind_of(loss, columns)
    if not columns:
        kind = LOSSES[loss].kind if loss in LOSSES else None
        return ({} if kind is None else {"kind": kind}), []
    if kind is None:
        names = [column.name for column in columns]
        raise HarnessError(
            f"{card.check_input.path}: recipes cannot use rows of {', '.join(names)}",
            exists="\n".join(f"{kind}: {', '.join(known)}" for kind, known in ROW_KINDS.items()),
        )
    texts = dict(
        zip((name for name in ROW_KINDS[kind] if name not in LABELS), text_columns(columns), strict=True)
    )
    records = {ours: column for ours, column in texts.items() if column.type in ("dict", "list")}
    mapped = {ours: column.name for ours, column in texts.items() if ours not in records}
    if ROW_KINDS[kind][-1] in LABELS:
        mapped[ROW_KINDS[kind][-1]] = str(label_of(columns))
    missing = [missing_template(card, ours, column) for ours, column in records.items()]
    return {"kind": kind, "columns": mapped}, missing


def _train(card: Card) -> tuple[dict[str, Any], list[MissingField]]:
    """Return the hyperparameters; missing are absent ones, and values that recipes cannot hold."""
    plan = card.plan
    values: dict[str, Any] = {
        "batch_size": plan.batch_size,
        "steps": plan.max_steps,
        "epochs": None if plan.max_steps else plan.epochs,
        "learning_rate": plan.learning_rate,
        "schedule": plan.schedule,
        "warmup": plan.warmup,
        "weight_decay": plan.weight_decay,
        "max_grad_norm": plan.max_grad_norm,
        "max_seq_length": card.architecture.max_tokens,
        "batch_sampler": plan.batch_sampler,
        "seed": plan.seed,
        "dtype": plan.dtype,
    }
    refused = {name: value for name, value in values.items() if not is_allowed(Schedule, name, value)}
    table = {name: value for name, value in values.items() if value is not None and name not in refused}
    either = "steps" if plan.max_steps is None else "epochs"
    absent = [name for name, value in values.items() if value is None and name != either]
    missing = [missing_value(f"train.{name}", None) for name in absent]
    missing += [missing_value(f"train.{name}", value) for name, value in refused.items()]
    devices = count_devices(card.check_input.log, plan)
    if devices > 1:
        missing.append(MissingField(
            ("train.batch_size",),
            f"rows in a batch over all devices: the log has {devices} times fewer steps in an epoch than"
            f" batches of {plan.batch_size} make",
            "--set train.batch_size=VALUE",
        ))  # fmt: skip
    stopped = stopped_after(card.check_input.log, plan)
    return table | ({} if stopped is None else {"stop_after": stopped}), missing


def _about(card: Card, other: str | None, model: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
    """Return where the recipe comes from; other: the base that takes the place of the card's."""
    sentences = ["Drawn from a model card"]
    if card.version:
        sentences[0] += f" that sentence-transformers {card.version} wrote"
    if other is not None:
        sentences.append(f"Trained from {other}, in place of the card's base {card.base or '(unnamed)'}")
        sentences += _carried_over(model, changes)
    elif card.base in PACKAGED:
        revision = f" at revision {card.revision}" if card.revision else ""
        sentences.append(
            f"Its base, {card.base}{revision}, is taken from the package behind {PACKAGED[card.base]}, "
            "whose weights are verified by their hash"
        )
    if card.check_input.size is not None:
        sentences.append(f"The card counts {card.check_input.size:,} training rows")
    return ". ".join(sentences) + "."


def _carried_over(model: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Return which modules of the card's model another base gets."""
    pooling = None if _is_given("model.pooling", changes) else model["pooling"]
    normalize = None if _is_given("model.normalize", changes) else model["normalize"]
    parts = [] if pooling is None else [f"{pooling} pooling"]
    parts += [] if normalize is None else ["normalization" if normalize else "no normalization"]
    if not parts:
        return []
    return [f"The card's {' and '.join(parts)} carry over, whatever this base was made with"]


def _with_changes(table: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Set values by their dotted keys; a template replaces the column that it renders."""
    recipe = {key: dict(value) if isinstance(value, dict) else value for key, value in table.items()}
    recipe["data"]["columns"] = dict(recipe["data"].get("columns", {}))
    # Another length than the card's replaces all of its keys for the length.
    if "train.epochs" in changes or "train.steps" in changes:
        for key in ("epochs", "steps", "stop_after"):
            recipe["train"].pop(key, None)
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner: Any = recipe
        for key in path:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise HarnessError(f"{where}: {dotted} is not a key of a recipe: {key} is not a table")
        inner[last] = value
        if path == ["data", "templates"] and isinstance(recipe["data"]["columns"], dict):
            recipe["data"]["columns"].pop(last, None)
    return recipe


def _is_given(key: str, changes: Mapping[str, Any]) -> bool:
    """Whether the changes have the key, or a whole table that holds it."""
    return any(key == name or key.startswith(f"{name}.") for name in changes)
