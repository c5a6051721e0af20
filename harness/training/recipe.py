"""Recipes: what to train and how, as data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from harness.training.losses import LOSSES

CORRECTED = "corrected"
"""Of a recipe's variants (`NAME/VARIANT`), the one that plain `NAME` means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The training rows: a file, and how its columns become texts and labels."""

    kind: Literal["pairs", "scored-pairs", "labeled-pairs", "triplets", "labeled-texts"]
    path: str | None = None
    """Below the data folder (`--data DIR`), or beside the recipe where it starts with `./` or `../` or no
    folder is given; None where it must be given."""
    columns: dict[str, str] = field(default_factory=dict)
    """Our name of a column (see `harness.training.losses.ROW_KINDS`) → the file's."""
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
class EvaluationSchedule:
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
    evaluation: EvaluationSchedule = field(default_factory=EvaluationSchedule)
    home: str = field(default="", compare=False)
    """Folder beside which its data may lie: of the file it was read from. No part of what it says."""

    def to_dict(self) -> dict[str, Any]:
        """Give the recipe as a TOML file would hold it, without what is left at None or empty."""
        return _table(replace(self, home=""))


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
