"""Recipes: what to train and how, as data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Annotated, Any, Literal

from harness.system.json_schema import choices
from harness.training.losses import LOSSES

CORRECTED = "corrected"
"""Of a recipe's variants (`NAME/VARIANT`), the one that plain `NAME` means."""

REPORTERS = {
    "mlflow": "mlflow",
    "wandb": "wandb",
    "tensorboard": "tensorboard",
    "trackio": "trackio",
    "swanlab": "swanlab",
    "comet_ml": "comet_ml",
    "clearml": "clearml",
    "codecarbon": "codecarbon",
    "neptune": "neptune",
}
"""Service, by the name in transformers' `report_to` → the module that must be installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The training rows: a file, and how its columns become texts and labels."""

    kind: Literal["pairs", "scored-pairs", "labeled-pairs", "triplets", "labeled-texts"]
    path: str | None = None
    """In the data folder (`--data DIR`), or relative to the recipe where it starts with `./` or `../` or no
    folder is given; None where the path must be given."""
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
    """Maximum number of rows: the first of those that are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss by sentence-transformers' name of it; parameters that are None have its default."""

    name: Annotated[str, choices(LOSSES)]
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
        """Every parameter of the loss, defaults filled in; empty for a loss that is not in LOSSES."""
        defaults = LOSSES[self.name].parameters if self.name in LOSSES else {}
        values = {name: getattr(self, name) for name in defaults}
        return {name: defaults[name] if value is None else value for name, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, how fast, in what order."""

    batch_size: int = 16
    epochs: float = 1.0
    """Epochs that the learning rate is planned over."""
    steps: int | None = None
    """Optimizer steps in all; takes the place of `epochs`."""
    stop_after: float | None = None
    """Epochs after which training ends, although the learning rate is planned over more."""
    learning_rate: float = 5e-5
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    warmup: float = 0.0
    """Warmup steps: a share of all (below 1), or their number."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    max_seq_length: int | None = None
    batch_sampler: Literal["default", "no-duplicates", "group-by-label"] = "default"
    seed: int = 42
    dtype: Literal["auto", "float32", "bfloat16"] = "float32"
    report_to: tuple[Annotated[str, choices(REPORTERS)], ...] = ()
    """Services that get the training's log, by transformers' names of them: see `REPORTERS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """Modules after the transformer; None keeps the base's own."""

    pooling: Literal["mean", "cls", "max", "lasttoken", "weightedmean"] | None = None
    normalize: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSchedule:
    """Tasks that are evaluated during training and after it, and which weights are kept."""

    tasks: tuple[str, ...] = ()
    """The headline of the first decides which weights are best, so it must not be reported as a result."""
    every: Literal["epoch"] | int = "epoch"
    """An epoch, or a number of steps."""
    keep: Literal["best", "last"] = "last"
    patience: int | None = None
    """Training ends after this number of evaluations without a better one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What to train and how. Plain data: lineage.json and a recipe's TOML file hold its dict."""

    name: str
    about: str = ""
    base: str = "minilm"
    """A scheme, a folder or a hub id, as for `--model`."""
    revision: str | None = None
    """Revision of a hub id, where it is known."""
    trainer: str = "sentence-transformers"
    data: Data
    loss: Loss
    train: Schedule = field(default_factory=Schedule)
    model: Modules = field(default_factory=Modules)
    evaluation: EvaluationSchedule = field(default_factory=EvaluationSchedule)
    home: str = field(default="", compare=False)
    """Folder of the recipe's file, to which paths of its data may be relative. Not part of the recipe."""

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as its TOML file would hold it, without values that are None or empty."""
        return _table(replace(self, home=""))


def _table(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the dataclasses above
    """Turn a dataclass into plain data; its own empty fields are left out, entries of a dict are not."""
    values = {column.name: _plain(getattr(record, column.name)) for column in fields(record)}
    return {name: value for name, value in values.items() if value is not None and value not in ({}, [], "")}


def _plain(value: Any) -> Any:  # noqa: ANN401 - what a field holds
    if is_dataclass(value):
        return _table(value)
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
