"""Recipes: what to train and how, as data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from harness.errors import HarnessError
from harness.training.losses import LOSSES
from harness.training.validate import check_sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CORRECTED = "corrected"
"""Of a recipe's variants (`NAME/VARIANT`), the one that plain `NAME` means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The training rows: a file, and how its columns become texts and labels."""

    kind: Literal["pairs", "scored-pairs", "labelled-pairs", "triplets", "labelled-texts"]
    path: str | None = None
    """Below the data folder (`--data DIR`), or beside the recipe where it starts with `./` or `../` or no
    folder is given; None where it must be given."""
    columns: dict[str, str] = field(default_factory=dict)
    """Our name of a column (see `harness.training.losses.KINDS`) → the file's."""
    templates: dict[str, str] = field(default_factory=dict)
    """Our name of a text column → a template over the row's fields, such as "{title} — {text}"."""
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
        return _table(replace(self, home=""))


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises HarnessError for a file that cannot be read, an unknown key, a wrong type, a loss that does not
    exist, or fields that contradict each other.
    """
    from harness.system.toml_file import read_toml

    if not path.is_file():
        raise HarnessError(
            f"no recipe file {path}", hint="`harness list recipes` shows those that are shipped"
        )
    table = read_toml(path)
    return replace(recipe_from({"name": path.stem, **table}, str(path)), home=str(path.parent))


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """Make a recipe of plain data; `where` names the data in errors. Raises as `read_recipe` does."""
    _check_keys(table, Recipe, where)
    name = table["loss"].get("name") if "loss" in table else None
    if isinstance(name, str) and name not in LOSSES:
        raise HarnessError.unknown(f"loss in {where}", name, LOSSES)
    try:
        recipe = msgspec.convert(dict(table), Recipe)
    except msgspec.ValidationError as error:
        raise HarnessError(f"{where}: {_sentence(error)}", hint="docs/recipes.md has every key") from error
    check_sound(recipe, where)
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
                raise HarnessError(f"{where}: {dotted} is not a key of a recipe: {key} is no table")
        inner[last] = value
    return replace(recipe_from(table, where), home=recipe.home)


def named(recipes: Iterable[Recipe], name: str) -> Recipe:
    """Find a recipe by its name, where plain `NAME` means `NAME/corrected`; raises HarnessError for none."""
    known = {recipe.name: recipe for recipe in recipes}
    found = known.get(name) or known.get(f"{name}/{CORRECTED}")
    if found is None:
        raise HarnessError.unknown("recipe", name, known, hint="a recipe of your own is a file: FILE.toml")
    return found


def _check_keys(table: Mapping[str, Any], kind: type, where: str, inside: str = "") -> None:
    """Raise HarnessError for a key or a choice that no recipe has, with the nearest that may be meant."""
    hints = get_type_hints(kind)
    known = [one.name for one in fields(kind) if one.name != "home"]
    for key, value in table.items():
        if key not in known:
            raise HarnessError.unknown(
                f"key in {where}", f"{inside}{key}", [f"{inside}{one}" for one in known]
            )
        inner = hints[key]
        choices = _choices(inner)
        if is_dataclass(inner) and isinstance(inner, type):
            if not isinstance(value, dict):
                raise HarnessError(f"{where}: {key} is a table: [{key}]")
            _check_keys(value, inner, where, f"{inside}{key}.")
        elif isinstance(value, str) and choices and value not in choices:
            raise HarnessError.unknown(f"{inside}{key} in {where}", value, choices)


def _choices(hint: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type
    """Texts that a field may hold; empty where it may hold any, or none."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in _choices(part))


def _table(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the dataclasses above
    """Turn a dataclass into plain data; only its own fields are left out, never what stands in one."""
    values = {one.name: _plain(getattr(record, one.name)) for one in fields(record)}
    return {name: value for name, value in values.items() if value is not None and value not in ({}, [], "")}


def _plain(value: Any) -> Any:  # noqa: ANN401 - what a field holds
    if is_dataclass(value):
        return _table(value)
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _sentence(error: msgspec.ValidationError) -> str:
    """Say where, in the words of the file: "train.epochs: Expected `float`, got `str`"."""
    message, _, place = str(error).partition(" - at `$.")
    place = place.rstrip("`")
    _, lacks, key = message.partition("missing required field ")
    if lacks:
        return f"{place}{'.' if place else ''}{key.strip('`')} is missing"
    return f"{place}: {message}" if place else message
