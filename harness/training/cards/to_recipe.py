"""From a model card to a recipe that repeats it; what the card does not say is asked for, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec

from harness.errors import HarnessError
from harness.training.cards.reader import Card, read_card
from harness.training.cards.results import devices, stopped_after
from harness.training.cards.rows import kind_of, label_of, text_columns
from harness.training.losses import LABELS, LOSSES, ROW_KINDS
from harness.training.recipe import Data, Modules, Recipe, Schedule
from harness.training.recipe_file import recipe_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.training.check_input import ColumnFacts

PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": "minilm"}
"""Hub ids whose weights a scheme brings along, and verifies."""


@dataclass(frozen=True, slots=True)
class MissingField:
    """Something that a recipe needs and the card does not say."""

    keys: tuple[str, ...]
    """Keys of a recipe; any one of them answers it."""
    why: str
    option: str
    """How to give it on the command line."""


@dataclass(frozen=True, slots=True)
class FromCard:
    """A recipe as far as the card says it."""

    table: dict[str, Any]
    """As `harness.training.recipe_file.recipe_from` takes it, once what is asked stands in it."""
    asked: tuple[MissingField, ...] = field(default=())


def recipe_from_card(path: Path, changes: Mapping[str, Any], *, data: Path | None = None) -> Recipe:
    """Read a card into a recipe, with values given or replaced: `{"train.epochs": 1}`.

    data: the file of the training rows, which no card names.
    Raises one HarnessError for everything that must still be given, and as `read_card` and `from_card` do.
    """
    name = path.parent.resolve().name if path.stem.lower() == "readme" else path.stem
    drawn = from_card(read_card(path), name, changes)
    table = _with_changes(drawn.table, changes, str(path))
    missing = [one for one in drawn.asked if not any(_given(key, changes) for key in one.keys)]
    if data is None or not data.is_file():
        missing.insert(0, MissingField((), "the file of the training rows", "--data FILE"))
    else:
        missing += _columns_missing(table, data)
    if missing:
        raise HarnessError(
            f"{path} does not say everything that a training needs",
            exists="\n".join(f"{one.option}: {one.why}" for one in missing),
            hint="give these; nothing is guessed",
        )
    return recipe_from(table, str(path))


def from_card(card: Card, name: str, changes: Mapping[str, Any] | None = None) -> FromCard:
    """Draw up a recipe of what a card says.

    changes: what will replace it, where the card says what no recipe can.
    Raises HarnessError for a card that contradicts itself, or tells of a training that no recipe can repeat.
    """
    where, given = card.check_input.path, changes or {}
    if card.contradictions:
        raise HarnessError(
            f"{where} contradicts itself", exists="\n".join(card.contradictions), hint="correct the card"
        )
    if len(card.datasets) > 1:
        shown = ", ".join(name or "unnamed" for name in card.datasets)
        raise HarnessError(
            f"{where} tells of {len(card.datasets)} training datasets; a recipe has one", exists=shown
        )
    loss, asked_loss = _loss(card, given)
    data, asked_data = _data(card, str(given.get("loss.name") or loss.get("name", "")))
    train, asked_train = _train(card)
    model = {"pooling": card.architecture.pooling, "normalize": card.architecture.normalized}
    table: dict[str, Any] = {
        "name": name,
        "about": _about(card),
        "data": data,
        "loss": loss,
        "train": train,
        "model": {key: value for key, value in model.items() if value is not None},
    }
    if card.base is not None:
        table["base"] = PACKAGED.get(card.base, card.base)
        if card.base not in PACKAGED and card.revision:
            table["revision"] = card.revision
    asked = [
        *([] if card.base else [MissingField(("base",), "the base model", "--base NAME")]),
        *asked_loss, *asked_data, *asked_train, *_asked_modules(model),
    ]  # fmt: skip
    if card.check_input.keeps_best:
        table["evaluation"] = {"keep": "best"}
        asked.append(_asked_task(card))
    return FromCard(table, tuple(asked))


def _loss(card: Card, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[MissingField]]:
    where, said = card.check_input.path, card.loss
    if said is None:
        known = ", ".join(LOSSES)
        return {}, [MissingField(("loss.name",), f"the loss, one of {known}", "--set loss.name=NAME")]
    if "loss.name" in given:
        return {}, []
    if said.name not in LOSSES:
        raise HarnessError.unknown(f"loss in {where}", said.name, LOSSES)
    if said.beyond:
        raise HarnessError(
            f"{where}: no recipe has these parameters of {said.wrapper or said.name}",
            exists="\n".join(f"{name}: {value!r}" for name, value in said.beyond.items()),
            hint=f"--set loss.name={said.name} trains without them",
        )
    fields = ("distance", "margin", "scale", "similarity", "size_average", "mini_batch_size")
    values = {name: getattr(said.loss, name) for name in fields}
    table = {"name": said.name} | {name: value for name, value in values.items() if value is not None}
    if said.loss.matryoshka:
        table["matryoshka"] = list(said.loss.matryoshka)
    inside = f" inside {said.wrapper}" if said.wrapper else ""
    asked = [
        MissingField(
            (f"loss.{name}",),
            f"{name} of {said.name}{inside} (the library's default: {default})",
            f"--set loss.{name}=VALUE",
        )
        for name, default in LOSSES[said.name].parameters.items()
        if values[name] is None
    ]
    return table, asked


def _data(card: Card, loss: str) -> tuple[dict[str, Any], list[MissingField]]:
    """Say the kind of the rows and their columns, in the order in which the loss took them."""
    columns = card.check_input.columns
    kind = kind_of(loss, columns)
    if not columns:
        kind = LOSSES[loss].kind if loss in LOSSES else None
        return ({} if kind is None else {"kind": kind}), []
    if kind is None:
        raise HarnessError(
            f"{card.check_input.path}: no recipe has rows of {', '.join(one.name for one in columns)}",
            exists="\n".join(f"{kind}: {', '.join(names)}" for kind, names in ROW_KINDS.items()),
        )
    found = dict(
        zip((name for name in ROW_KINDS[kind] if name not in LABELS), text_columns(columns), strict=True)
    )
    records = {ours: one for ours, one in found.items() if one.type in ("dict", "list")}
    mapped = {ours: one.name for ours, one in found.items() if ours not in records}
    if ROW_KINDS[kind][-1] in LABELS:
        mapped[ROW_KINDS[kind][-1]] = str(label_of(columns))
    return {"kind": kind, "columns": mapped}, [
        _asked_template(card, ours, one) for ours, one in records.items()
    ]


def _asked_template(card: Card, ours: str, column: ColumnFacts) -> MissingField:
    cells = card.check_input.rows.texts.get(ours, ()) if card.check_input.rows else ()
    record = next((cell for cell in cells if isinstance(cell, dict) and cell), {})
    fields = f" with the fields {', '.join(map(str, record))}" if record else ""
    example = f"{{{column.name}.{next(iter(record))}}}" if record else "…"
    # Seen in 3.4.1; 6.2 refuses records.
    old = record and (card.version or "").startswith("3.")
    first = f"; sentence-transformers {card.version} took the first alone, as {example} does" if old else ""
    return MissingField(
        (f"data.templates.{ours}", f"data.columns.{ours}"),
        f"how a record of {column.name}{fields} becomes a text{first}",
        f'--set data.templates.{ours}="{example}"',
    )


def _train(card: Card) -> tuple[dict[str, Any], list[MissingField]]:
    """Say every hyperparameter; what no recipe has is asked for, as what the card leaves out."""
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
    unable = {name: value for name, value in values.items() if not _possible(Schedule, name, value)}
    told = {name: value for name, value in values.items() if value is not None and name not in unable}
    either = "steps" if plan.max_steps is None else "epochs"
    silent = [name for name, value in values.items() if value is None and name != either]
    asked = [_asked_value(f"train.{name}", None) for name in silent]
    asked += [_asked_value(f"train.{name}", value) for name, value in unable.items()]
    processes = devices(card.check_input.log, plan)
    if processes > 1:
        asked.append(MissingField(
            ("train.batch_size",),
            f"rows in a batch over all devices: the log has {processes} times fewer steps in an epoch than"
            f" batches of {plan.batch_size} make",
            "--set train.batch_size=VALUE",
        ))  # fmt: skip
    stopped = stopped_after(card.check_input.log, plan)
    return told | ({} if stopped is None else {"stop_after": stopped}), asked


def _asked_modules(model: Mapping[str, Any]) -> list[MissingField]:
    return [
        _asked_value(f"model.{name}", value)
        for name, value in model.items()
        if value is None or not _possible(Modules, name, value)
    ]


def _asked_value(key: str, value: object) -> MissingField:
    why = "the card does not say" if value is None else f"the card says {value}, which no recipe has"
    keys = (key, "train.steps") if key == "train.epochs" else (key,)
    return MissingField(keys, why, f"--set {key}=VALUE")


def _asked_task(card: Card) -> MissingField:
    """Ask for the task that decides; what was evaluated during training is a hint, no task of ours."""
    seen = list(dict.fromkeys(name for line in card.check_input.log for name in line.metrics))
    shown = f" (its log has {', '.join(seen)})" if seen else ""
    return MissingField(
        ("evaluation.tasks", "evaluation.keep"),
        f"the task by which the best checkpoint is kept{shown}",
        "--set 'evaluation.tasks=[\"TASK\"]', or evaluation.keep=last",
    )


def _about(card: Card) -> str:
    sentences = ["Drawn from a model card"]
    if card.version:
        sentences[0] += f" that sentence-transformers {card.version} wrote"
    if card.base in PACKAGED:
        revision = f" at revision {card.revision}" if card.revision else ""
        sentences.append(
            f"Its base, {card.base}{revision}, is taken from the package behind {PACKAGED[card.base]}, "
            "whose weights are verified by their hash"
        )
    if card.check_input.size is not None:
        sentences.append(f"The card counts {card.check_input.size:,} training rows")
    return ". ".join(sentences) + "."


def _possible(record: type, name: str, value: object) -> bool:
    """Whether a recipe can hold the value: one of the choices, where there are some."""
    choices = set(_texts_in(get_type_hints(record)[name]))
    return value is None or not choices or value in choices


def _texts_in(hint: Any) -> Iterator[str]:  # noqa: ANN401 - a type
    for part in get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from _texts_in(part)


def _with_changes(table: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Put values in by their dotted keys; a template takes the place of the column it renders."""
    whole = {key: dict(value) if isinstance(value, dict) else value for key, value in table.items()}
    whole["data"]["columns"] = dict(whole["data"].get("columns", {}))
    # Another length than the card's makes what the card says of its own void.
    if "train.epochs" in changes or "train.steps" in changes:
        for key in ("epochs", "steps", "stop_after"):
            whole["train"].pop(key, None)
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner: Any = whole
        for key in path:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise HarnessError(f"{where}: {dotted} is not a key of a recipe: {key} is no table")
        inner[last] = value
        if path == ["data", "templates"] and isinstance(whole["data"]["columns"], dict):
            whole["data"]["columns"].pop(last, None)
    return whole


def _given(key: str, changes: Mapping[str, Any]) -> bool:
    """Whether a change says the key, or a whole table that holds it."""
    return any(key == name or key.startswith(f"{name}.") for name in changes)


def _columns_missing(table: Mapping[str, Any], data: Path) -> list[MissingField]:
    """Ask for every column that the file calls otherwise than the card does."""
    from harness.tasks.readers import read_records

    try:
        rows = msgspec.convert(table["data"], Data)
    except msgspec.ValidationError:
        return []  # what is wrong with it is said when it becomes a recipe
    found = dict.fromkeys(key for record in read_records(data, header=rows.header or None) for key in record)
    wanted = {
        ours: rows.columns.get(ours, ours) for ours in ROW_KINDS[rows.kind] if ours not in rows.templates
    }
    there = ", ".join(map(str, found)) or "nothing"
    return [
        MissingField((), f"the file has no column {theirs}; it has {there}", f"--column {ours}=NAME")
        for ours, theirs in wanted.items()
        if theirs not in found
    ]
