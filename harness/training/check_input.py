"""What is known of a training, before it or after it, from wherever it is known: the material of checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.models.interface import Model
    from harness.tasks.dataset import Dataset
    from harness.tasks.finding import Finding
    from harness.training.lineage import Lineage
    from harness.training.recipe import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Training rows as a loss takes them, not checked yet: a cell may be a record, or missing."""

    kind: str
    """One of `harness.training.losses.ROW_KINDS`, which names the columns."""
    texts: Mapping[str, Sequence[Any]]
    """Our names of the text columns → their cells, in the order in which the loss takes them."""
    labels: Sequence[Any] | None = None
    """Scores or classes, as the loss gets them; None for kinds without."""
    source: str = ""
    """Where they come from, to be shown."""
    complete: bool = True
    """Whether these are all rows; False for the few that a card shows."""
    left_out: int = 0
    """Rows of the file whose label stands for nothing in the recipe."""
    repeated: int = 0
    """Rows left out because they repeat an earlier one."""

    def __len__(self) -> int:
        return len(next(iter(self.texts.values()), ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What a card says of a column of the training rows."""

    name: str
    type: str
    """`string`, `float`, `int`, `dict`, `list`, … as the card has it."""
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    """Of the values; for a text column of its length, in `unit`."""
    unit: str = ""
    """`tokens` or `characters` for a text column, else empty."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Label → its share in [0, 1], where the card counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of a training's log."""

    epoch: float
    step: int
    loss: float | None = None
    """Mean training loss since the line before that has one."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What was evaluated then, such as `stsb-dev_spearman_cosine`."""
    learning_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A score that a card reports."""

    dataset: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The example of a card: texts, and the similarity that the trained model gives every two of them."""

    texts: tuple[str, ...]
    similarities: tuple[tuple[float, ...], ...] = ()
    """(n, n); empty where the card has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInput:
    """Something to be checked: whatever is known of it; None or empty where nothing is.

    A check takes what it needs and is silent where that is missing.
    """

    path: str
    """What the user named."""
    what: Literal["dataset", "recipe", "candidate", "model", "card"]
    loss: Loss | None = None
    """A loss whose name LOSSES does not have is kept by its name."""
    loss_name: str = ""
    """Its name, also of a loss that recipes cannot name; empty where unknown."""
    normalized: bool | None = None
    """Whether the model's embeddings have length 1."""
    dimensions: int | None = None
    max_tokens: int | None = None
    """Tokens after which a text is cut."""
    size: int | None = None
    """Training rows."""
    batch_size: int | None = None
    batch_sampler: str | None = None
    """`default`, `no-duplicates` or `group-by-label`."""
    epochs: float | None = None
    """Planned: what the learning rate falls over."""
    steps: int | None = None
    """Planned optimiser steps."""
    stops_after: float | None = None
    """Epochs after which training ends although the learning rate is planned over more; from a recipe."""
    schedule: str | None = None
    keeps_best: bool | None = None
    columns: tuple[ColumnFacts, ...] = ()
    """In the order in which the loss took them, the label among them; from a card."""
    rows: Rows | None = None
    log: tuple[LogEntry, ...] = ()
    claims: tuple[Claim, ...] = ()
    usage: Usage | None = None
    samples: tuple[str, ...] = ()
    """Further texts that a card shows (its widget)."""
    contradictions: tuple[str, ...] = ()
    """What a card says in two places, differently: a sentence each."""
    garbled: bool = False
    """Whether a line that the library itself wrote on a card was decoded wrongly: the file was, then."""
    trained: bool = False
    """Whether a training has been: False for data and recipes, and for a base model."""
    lineage: Lineage | None = None
    model: Callable[[], Model] | None = None
    """Loads what is checked, where it is a model."""
    base: Callable[[], Model] | None = None
    """Loads the model that training starts from."""
    datasets: Callable[[], Mapping[str, Dataset]] | None = None
    """Reads the rows of the tasks that are evaluated, by task name."""
    verify: bool = False
    """Whether to measure again what the card claims."""
    measure: Callable[[str], Mapping[str, float]] | None = None
    """Evaluates what is checked on a task, by the task's name: metric → score. Raises HarnessError."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that can be wrong with a training, and how to see it."""

    name: str
    help: str
    """One line: what it looks for."""
    look: Callable[[CheckInput], Iterable[Finding]]
    """Findings; none where all is well, or too little is known to tell."""
