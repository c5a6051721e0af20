"""Recipes: what to train and how, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

import msgspec

from harness.errors import HarnessError
from harness.training.losses import KINDS, LABELS, LOSSES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The training rows: a file, and how its columns become texts and labels."""

    kind: Literal["pairs", "scored-pairs", "labelled-pairs", "triplets", "labelled-texts"]
    path: str | None = None
    """Below the data folder (`--data DIR`), else beside the recipe; None where it must be given."""
    columns: dict[str, str] = field(default_factory=dict)
    """Our name of a column (see `harness.training.losses.KINDS`) → the file's."""
    templates: dict[str, str] = field(default_factory=dict)
    """Our name of a text column → a template over the record's fields, such as "{title} — {text}"."""
    header: tuple[str, ...] = ()
    """Names for a csv or tsv file that has no header line."""
    labels: dict[str, float] = field(default_factory=dict)
    """The file's label → the loss's; rows with any other label are left out, and counted."""
    score_range: tuple[float, float] | None = None
    """The file's lowest and highest score, which become 0 and 1."""
    only: dict[str, str | int | float] = field(default_factory=dict)
    """The file's column → the value that a row must have there to be used."""
    distinct: bool = False
    """Leave out rows that repeat an earlier one."""
    limit: int | None = None
    """Use the first so many of the rows that are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss by sentence-transformers' name of it; parameters that are None have its default."""

    name: str
    distance: Literal["cosine", "euclidean", "manhattan"] | None = None
    margin: float | None = None
    scale: float | None = None
    similarity: Literal["cosine", "dot"] | None = None
    size_average: bool | None = None
    mini_batch_size: int | None = None
    matryoshka: tuple[int, ...] = ()
    """Dimensions for MatryoshkaLoss around it."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter of the loss, the defaults filled in; empty for a loss that LOSSES does not know."""
        known = LOSSES[self.name].parameters if self.name in LOSSES else {}
        given = {name: getattr(self, name) for name in known}
        return {name: known[name] if value is None else value for name, value in given.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, how fast, in what order."""

    batch_size: int = 16
    epochs: float = 1.0
    """Epochs that the learning rate is planned over."""
    steps: int | None = None
    """Optimiser steps in all; takes the place of `epochs`."""
    stop_after: float | None = None
    """Epochs after which training ends although the learning rate was planned over more."""
    learning_rate: float = 5e-5
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    warmup: float = 0.0
    """Share of the steps (below 1), or their number."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    max_seq_length: int | None = None
    batch_sampler: Literal["default", "no-duplicates", "group-by-label"] = "default"
    seed: int = 42
    dtype: Literal["auto", "float32", "bfloat16"] = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """What stands on top of the transformer; None leaves the base's own."""

    pooling: Literal["mean", "cls", "max", "lasttoken", "weightedmean"] | None = None
    normalize: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """Tasks that are evaluated during training and after it, and what is kept."""

    tasks: tuple[str, ...] = ()
    """The first one's headline decides what is best; it must not be what is reported in the end."""
    every: Literal["epoch"] | int = "epoch"
    """An epoch, or so many steps."""
    keep: Literal["best", "last"] = "last"
    patience: int | None = None
    """Evaluations without a better one after which training ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What to train and how. Plain data: its dict is what lineage.json keeps and what its TOML file holds."""

    name: str
    about: str = ""
    base: str = "minilm"
    """As `--model` takes it: a scheme, a folder, a hub id."""
    revision: str | None = None
    """Of a hub id, where it is known."""
    trainer: str = "sentence-transformers"
    data: Data
    loss: Loss
    train: Schedule = field(default_factory=Schedule)
    model: Modules = field(default_factory=Modules)
    evaluation: Cadence = field(default_factory=Cadence)
    home: str = field(default="", compare=False)
    """Folder beside which its data may lie: of the file it was read from. No part of what it says."""

    def to_dict(self) -> dict[str, Any]:
        """Give the recipe as a TOML file would hold it, without what is left at None or empty."""
        table: dict[str, Any] = _without_empty({**asdict(self), "home": None})
        return table


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises HarnessError for a file that cannot be read, an unknown key, a wrong type, a loss that does not
    exist, or fields that contradict each other.
    """
    from harness.config import read_toml

    if not path.is_file():
        raise HarnessError(
            f"no recipe file {path}", hint="`harness list recipes` shows those that are shipped"
        )
    table = read_toml(path)
    return replace(recipe_from({"name": path.stem, **table}, str(path)), home=str(path.parent))


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """Make a recipe of plain data; `where` names the data in errors. Raises as `read_recipe` does."""
    _check_keys(table, Recipe, where)
    name = table.get("loss", {}).get("name") if isinstance(table.get("loss"), dict) else None
    if isinstance(name, str) and name not in LOSSES:
        raise HarnessError.unknown(f"loss in {where}", name, LOSSES)
    try:
        recipe = msgspec.convert(dict(table), Recipe)
    except msgspec.ValidationError as error:
        raise HarnessError(f"{where} is not a recipe: {_sentence(error)}") from error
    _check_whole(recipe, where)
    return recipe


def changed(recipe: Recipe, changes: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe with values replaced: `{"train.epochs": 1}`; checked as if read so from a file."""
    table = recipe.to_dict()
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner = table
        for key in path:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise HarnessError(f"{where}: {dotted} is not a key of a recipe")
        inner[last] = value
    return replace(recipe_from(table, where), home=recipe.home)


def _check_keys(table: Mapping[str, Any], kind: type, where: str, inside: str = "") -> None:
    """Raise HarnessError for a key that no recipe has, with the nearest that it may have meant."""
    hints = get_type_hints(kind)
    known = [one.name for one in fields(kind) if one.name != "home"]
    for key, value in table.items():
        if key not in known:
            raise HarnessError.unknown(
                f"key in {where}", f"{inside}{key}", [f"{inside}{one}" for one in known]
            )
        inner = hints[key]
        if is_dataclass(inner) and isinstance(inner, type):
            if not isinstance(value, dict):
                raise HarnessError(f"{where}: {key} is a table: [{key}]")
            _check_keys(value, inner, where, f"{inside}{key}.")


def _check_whole(recipe: Recipe, where: str) -> None:
    """Raise HarnessError for fields that each make sense and together do not."""
    facts, data, train = LOSSES[recipe.loss.name], recipe.data, recipe.train
    if data.kind not in (facts.kind, *facts.also):
        raise HarnessError(
            f"{where}: {recipe.loss.name} takes {' or '.join((facts.kind, *facts.also))}, not {data.kind}",
            exists="\n".join(f"{kind}: {', '.join(names)}" for kind, names in KINDS.items()),
        )
    given = {name for name in ("distance", "margin", "scale", "similarity", "size_average", "mini_batch_size")
             if getattr(recipe.loss, name) is not None}  # fmt: skip
    for name in sorted(given - set(facts.parameters)):
        raise HarnessError.unknown(f"parameter of {recipe.loss.name} in {where}", name, facts.parameters)
    for name in (*data.columns, *data.templates):
        if name not in KINDS[data.kind]:
            raise HarnessError.unknown(f"column of {data.kind} in {where}", name, KINDS[data.kind])
    for name in data.templates:
        if name in LABELS:
            raise HarnessError(f"{where}: {name} is a number or a class, so a template cannot make it")
    if data.labels and data.score_range:
        raise HarnessError(
            f"{where}: data.labels and data.score_range contradict each other: one maps labels"
        )
    if data.score_range and not data.score_range[0] < data.score_range[1]:
        raise HarnessError(f"{where}: data.score_range goes from the lowest score to the highest")
    if train.stop_after is not None and train.steps is None and train.stop_after > train.epochs:
        raise HarnessError(f"{where}: stops after {train.stop_after:g} epochs, but plans {train.epochs:g}")
    for name, value, least in (
        ("train.batch_size", train.batch_size, 1), ("train.steps", train.steps, 1),
        ("train.max_seq_length", train.max_seq_length, 1),
        ("evaluation.patience", recipe.evaluation.patience, 1),
        ("data.limit", data.limit, 1),
    ):  # fmt: skip
        if value is not None and value < least:
            raise HarnessError(f"{where}: {name} is {value}; it must be {least} or more")
    for name, number in (("train.epochs", train.epochs), ("train.learning_rate", train.learning_rate)):
        if not number > 0:
            raise HarnessError(f"{where}: {name} is {number:g}; it must be above 0")
    wants_task = recipe.evaluation.keep == "best" or recipe.evaluation.patience is not None
    if wants_task and not recipe.evaluation.tasks:
        raise HarnessError(
            f"{where}: keeping the best, or waiting for a better one, needs a task to tell",
            hint='evaluation = { tasks = ["stsb-dev"], keep = "best" }',
        )


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - plain data
    if isinstance(value, dict):
        inner = {key: _without_empty(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one is not None and one not in ({}, [], "")}
    return [_without_empty(one) for one in value] if isinstance(value, list | tuple) else value


def _sentence(error: msgspec.ValidationError) -> str:
    """Say where, in the words of the file: "train.epochs: Expected `float`, got `str`"."""
    message, _, place = str(error).partition(" - at `$.")
    return f"{place.rstrip('`')}: {message}" if place else message
