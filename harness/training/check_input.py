"""`CheckInput`: everything that a check can look at (recipe, rows, log, model), each part optional."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.system.read_only import FrozenDict, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.finding import Finding
    from harness.models.interface import Model
    from harness.tasks.dataset import Dataset
    from harness.training.lineage import Lineage
    from harness.training.recipe import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Training rows as a loss takes them, not validated yet: a cell may be a record, or missing.

    Columns and labels cannot be changed, as those of a `Dataset`.
    """

    kind: str
    """One of `harness.training.losses.ROW_KINDS`, which names the columns."""
    texts: Mapping[str, Sequence[Any]]
    """Our names of the text columns → their cells, in the order of the loss."""
    labels: Sequence[Any] | None = None
    """Scores or classes, as the loss gets them; None for kinds without labels."""
    source: str = ""
    """Where the rows come from, for display."""
    complete: bool = True
    """Whether these are all rows; False for the few that a card shows."""
    left_out: int = 0
    """Rows of the file left out because the recipe does not map their label."""
    repeated: int = 0
    """Rows left out because they repeat an earlier one."""
    findings: tuple[Finding, ...] = ()
    """Findings of reading, such as quotation marks that could be read in two ways."""

    def __post_init__(self) -> None:
        # Checks, trainers and all seeds share them.
        texts = {name: frozen(cells, f"column {name!r} of the rows") for name, cells in self.texts.items()}
        object.__setattr__(self, "texts", FrozenDict(texts, "the table of columns of the rows"))
        if self.labels is not None:
            object.__setattr__(self, "labels", frozen(self.labels, "the labels of the rows"))

    def __len__(self) -> int:
        return len(next(iter(self.texts.values()), ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """Facts that a card gives about a column of the training rows."""

    name: str
    type: str
    """`string`, `float`, `int`, `dict`, `list`, … as on the card."""
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    """Statistics of the values; for a text column, of their lengths in `unit`."""
    unit: str = ""
    """`tokens` or `characters` for a text column, else empty."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Label → its share in [0, 1], if the card gives the shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of a training log."""

    epoch: float
    step: int
    loss: float | None = None
    """Mean training loss since the previous line that has one."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Name → score of an evaluation at this step, such as `stsb-dev_spearman_cosine`."""
    learning_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A score that a card reports."""

    dataset: str
    metric: str
    value: float
    of: str = ""
    """What else tells the score apart, such as evaluator, configuration and split; empty if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The usage example of a card: texts, and the similarities that the trained model gives them."""

    texts: tuple[str, ...]
    similarities: tuple[tuple[float, ...], ...] = ()
    """(n, n); empty if the card has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInput:
    """Input of a check: whatever is known; None or empty for what is not.

    A check uses the fields that it needs, and returns nothing where they are missing.
    """

    path: str
    """The path or name that the user gave."""
    what: Literal["dataset", "recipe", "candidate", "model", "card"]
    loss: Loss | None = None
    """The loss and its parameters; only the name for a loss that is not in LOSSES."""
    loss_name: str = ""
    """Name of the loss, also of one that is not in LOSSES; empty if unknown, and for several datasets."""
    assumed: frozenset[str] = frozenset()
    """Parameters that the card does not give: `loss.parameters` has a default there that may be false."""
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the loss that `loss` cannot hold, where they are not sentence-transformers' defaults."""
    normalized: bool | None = None
    """Whether the embeddings have length 1."""
    dimensions: int | None = None
    max_tokens: int | None = None
    """Tokens after which a text is truncated."""
    size: int | None = None
    """Number of training rows."""
    batch_size: int | None = None
    loss_batch: int | None = None
    """Rows that the loss compares with each other: the batch of one device, without accumulation."""
    batch_sampler: str | None = None
    """`default`, `no-duplicates` or `group-by-label`."""
    epochs: float | None = None
    """Planned epochs, over which the learning rate falls."""
    steps: int | None = None
    """Number of planned optimizer steps."""
    stops_after: float | None = None
    """Epochs after which training ends, if the learning rate is planned over more; from a recipe."""
    schedule: str | None = None
    keeps_best: bool | None = None
    columns: tuple[ColumnFacts, ...] = ()
    """Columns in the order of the loss, the label included; from a card."""
    counted: int | None = None
    """Rows that the facts of `columns` are of, the first of the dataset; None if the card does not say."""
    rows: Rows | None = None
    log: tuple[LogEntry, ...] = ()
    claims: tuple[Claim, ...] = ()
    usage: Usage | None = None
    samples: tuple[str, ...] = ()
    """Texts of the card's widget."""
    parts: tuple[CheckInput, ...] = ()
    """Each training dataset of a card that has several: its loss, columns, rows and size. The card's own
    fields of these are empty then, except `size`, which is the sum."""
    name: str = ""
    """Name of a dataset in `parts`."""
    other_results: bool = False
    """Whether the card has results in a form that sentence-transformers does not write."""
    devices: int = 1
    """Devices that the training ran on, as far as steps and epochs of its log show."""
    contradictions: tuple[str, ...] = ()
    """Sentences about values that a card gives twice, differently."""
    garbled: bool = False
    """Whether a line that the library wrote on the card was decoded wrongly, as then the whole file was."""
    trained: bool = False
    """Whether a training took place: False for data, recipes and base models."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """Column → text that training put before each of its texts; an empty name for all columns."""
    base_name: str = ""
    """Name of the model that training starts from, as a card or a recipe gives it; empty if unknown."""
    lineage: Lineage | None = None
    model: Callable[[], Model] | None = None
    """Loads the checked model; None for data, recipes and cards."""
    base: Callable[[], Model] | None = None
    """Loads the model that training starts from."""
    tokens: Callable[[Sequence[str]], Sequence[tuple[int, int]]] | None = None
    """Counts the base's tokens and, of these, the unknown ones of each text; loads no weights."""
    datasets: Callable[[], Mapping[str, Dataset]] | None = None
    """Reads the datasets of the evaluated tasks, by task name."""
    verify: bool = False
    """Whether to measure the claims of the card again."""
    measure: Callable[[str], Mapping[str, float]] | None = None
    """Evaluates the checked model on a task, by name: metric → score. Raises HarnessError."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a training: its name and the function that returns findings."""

    name: str
    help: str
    """One line: what the check looks for."""
    look: Callable[[CheckInput], Iterable[Finding]]
    """Returns findings; none if all is well, or too little is known."""
    codes: tuple[str, ...] = ()
    """Codes of the findings that it can return: a misspelled `--allow` is refused. Empty if unknown."""
