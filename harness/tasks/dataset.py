"""Datasets and predictions: named columns of equal length, one row per example."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.render import plural, with_article
from harness.system.read_only import FrozenDict, FrozenList, frozen
from harness.system.stored_texts import StoredTexts
from harness.tasks.sampling import sample_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from harness.finding import Finding

    Column = Sequence[Any] | np.ndarray

_AT_ONCE = 4096
"""Cells that are turned into JSON at once."""
_MOST_LISTED = 100_000
"""Maximum rows of texts on disk that are taken into memory."""


@dataclass(frozen=True)
class Dataset:
    """Rows as a task sees them, with the further tables it needs (a corpus, a split to fit on).

    A missing column `id` is filled with row numbers; a column `cluster` names the group that each
    example was drawn with (a contract, an anchor). Raises HarnessError for columns of unequal
    length, no rows, or duplicate ids.

    Columns and tables cannot be changed, since all models are asked with them: lists become `FrozenList`s,
    arrays read-only; what is passed is copied, but for `StoredTexts`, which are on disk and stay there.
    """

    columns: Mapping[str, Sequence[Any]]
    tables: Mapping[str, Dataset] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    """Findings of reading, such as dropped rows."""

    def __post_init__(self) -> None:
        _check_columns(self.columns, "Dataset")
        _check_tables(self.tables)
        columns = FrozenDict(
            {
                name: frozen(values, f"column {name!r} of the dataset")
                for name, values in self.columns.items()
            },
            "the table of columns of the dataset",
        )
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "tables", FrozenDict(self.tables))
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise HarnessError(f"columns of unequal length: {lengths}")
        if not lengths or not next(iter(lengths.values())):
            raise HarnessError("empty dataset: no rows", exists=f"columns: {', '.join(lengths) or 'none'}")
        if "id" not in self.columns:
            numbered = [str(row) for row in range(next(iter(lengths.values())))]
            object.__setattr__(
                self,
                "columns",
                FrozenDict(
                    {"id": FrozenList(numbered, "column 'id' of the dataset"), **columns}, columns.what
                ),
            )
        _check_names(self["id"])
        if len(set(self["id"])) < len(self["id"]):
            repeated = [name for name, count in Counter(self["id"]).items() if count > 1]
            raise HarnessError(
                f"{plural(len(repeated), 'duplicate id')}, such as {repeated[0]!r}",
                hint="ids identify examples across runs: each must occur once",
            )

    def __getitem__(self, column: str) -> Sequence[Any]:
        return self.columns[column]

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def __len__(self) -> int:
        return len(self["id"])

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of all rows of all tables, as the task sees them; order counts."""
        digest = hashlib.sha256()
        for name in sorted(self.columns):
            for piece in _json_pieces(name, self.columns[name]):
                digest.update(piece.encode())
        for name in sorted(self.tables):
            digest.update(f"{name}:{self.tables[name].digest}".encode())
        return digest.hexdigest()

    def sample(self, limit: int) -> Dataset:
        """Return a sample of whole clusters, at most `limit` rows, with the further tables unchanged.

        Rows keep their order. The same rows in another order, or under other ids, give the same sample, and
        a larger limit keeps the rows of a smaller one. One cluster is always taken, whatever its size: see
        `harness.tasks.sampling`.
        """
        return self.take(sample_rows(self.columns, limit))

    def lent(self) -> Dataset:
        """Return the same rows in lists of their own; 200,000 rows take a millisecond per column."""
        lent = object.__new__(type(self))
        columns = {name: _own_list(values) for name, values in self.columns.items()}
        tables = {name: table.lent() for name, table in self.tables.items()}
        # The digest stays as it is, where it is known.
        vars(lent).update(vars(self), columns=FrozenDict(columns), tables=FrozenDict(tables))
        return lent

    def take(self, rows: Sequence[int]) -> Dataset:
        """Return the given rows, in the given order, with the further tables unchanged."""
        columns = {name: _taken(values, rows) for name, values in self.columns.items()}
        return Dataset(columns, self.tables, self.findings)


def _json_pieces(name: str, values: Sequence[Any]) -> Iterator[str]:
    """Yield the JSON of [name, values] in pieces: texts on disk are never in memory together."""
    yield f"[{json.dumps(name, ensure_ascii=False)}, ["
    for start in range(0, len(values), _AT_ONCE):
        # A cell may be a numpy number or array: it counts by its value.
        cells = json.dumps(
            list(values[start : start + _AT_ONCE]), ensure_ascii=False, default=lambda cell: cell.tolist()
        )
        yield f"{', ' if start else ''}{cells[1:-1]}"
    yield "]]"


def _taken(values: Sequence[Any], rows: Sequence[int]) -> Sequence[Any]:
    """Return some rows of a column: of texts on disk a list of a few, more on disk again."""
    if isinstance(values, StoredTexts) and len(rows) > _MOST_LISTED:
        return values.take(rows)
    return [values[row] for row in rows]


def _own_list(values: Sequence[Any]) -> Sequence[Any]:
    return FrozenList(values, values.what) if isinstance(values, FrozenList) else values


@dataclass(frozen=True, slots=True)
class KeptOut:
    """What `--no-texts` kept out of predictions."""

    columns: dict[str, str] = field(default_factory=dict)
    """Name of a column that was left out → the hash of its values."""
    covered: tuple[str, ...] = ()
    """Columns in which a cell that is a text has its hash instead."""


class Predictions:
    """A task's answers: one row per example of a dataset, in its order.

    `columns` has the dataset's `id`, `cluster` and texts (so that a person can read what flipped),
    and the columns passed by name: `gold`, `predicted`, or per-query metrics.

    fitted: parameters fitted on other splits (a threshold, a probe's C), as plain data.
    findings: what a reader of the score must know.
    Raises HarnessError for what is no column, and for one whose length is not the dataset's.
    """

    def __init__(
        self,
        dataset: Dataset,
        /,
        *,
        fitted: Mapping[str, Any] | None = None,
        findings: Sequence[Finding] = (),
        **columns: Column,
    ) -> None:
        if not isinstance(dataset, Dataset):
            raise HarnessError(
                f"Predictions of {_kind(dataset)}, not of a Dataset",
                hint="pass the dataset that predict was given: Predictions(dataset, predicted=…)",
            )
        _check_columns(columns, "Predictions")
        for name, values in columns.items():
            if len(values) != len(dataset):
                raise HarnessError(
                    f"column {name!r} of Predictions has {len(values)} rows, the dataset has {len(dataset)}",
                    hint="one row of answers for each example, in the dataset's order",
                )
        texts = {name: values for name, values in dataset.columns.items() if _all_texts(values)}
        self.rows = dataset
        """The rows that they are answers to."""
        self.columns: dict[str, Column] = {**texts, "id": dataset["id"], **columns}
        self.fitted: dict[str, Any] = dict(fitted or {})
        self.findings: tuple[Finding, ...] = (*dataset.findings, *findings)
        self.kept_out: KeptOut | None = None
        """What was kept out of the columns; None where texts are among them."""

    def __getitem__(self, column: str) -> Column:
        return self.columns[column]

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def __len__(self) -> int:
        return len(self.columns["id"])


def _check_columns(columns: Any, where: str) -> None:  # noqa: ANN401 - a plugin may pass anything
    """Raise HarnessError unless each column is a sequence: a list, a tuple, an array, a series.

    A text is a sequence too, of letters; a set has no order, and a generator can be read once.
    """
    if not isinstance(columns, Mapping):
        raise HarnessError(
            f"{where} of {_kind(columns)}, not of a dict",
            hint="columns by name: Dataset({'text': [...], 'label': [...]})",
        )
    for name, values in columns.items():
        if not isinstance(name, str):
            raise HarnessError(f"a column of {where} has the name {name!r}, not a text")
        sized = hasattr(type(values), "__len__") and hasattr(type(values), "__getitem__")
        # An array without dimensions has a length that raises.
        if not sized or isinstance(values, str | bytes | Mapping) or getattr(values, "shape", None) == ():
            raise HarnessError(
                f"column {name!r} of {where} is {_kind(values)}, not a list or an array",
                hint="a column has one cell for each row: list(…) of a generator or a set",
            )


def _kind(value: Any) -> str:  # noqa: ANN401 - as above
    if getattr(value, "shape", None) == ():
        return "an array without dimensions"
    return with_article("list" if isinstance(value, FrozenList) else type(value).__name__)


def _check_tables(tables: Any) -> None:  # noqa: ANN401 - as above
    if not isinstance(tables, Mapping):
        raise HarnessError(f"tables of Dataset is {_kind(tables)}, not a dict of name → Dataset")
    for name, table in tables.items():
        if not isinstance(name, str) or not isinstance(table, Dataset):
            raise HarnessError(f"table {name!r} of Dataset is {_kind(table)}, not a Dataset")


def _check_names(ids: Sequence[Any]) -> None:
    """Raise HarnessError for ids that are neither texts nor whole numbers."""
    for kind in set(map(type, ids)):
        if issubclass(kind, str) or (hasattr(kind, "__index__") and kind is not bool):
            continue
        row = next(row for row, name in enumerate(ids) if type(name) is kind)
        raise HarnessError(
            f"the id in row {row} of the dataset is {_kind(ids[row])}: a text or a whole number is needed",
            hint="ids identify examples across runs; without a column id, rows are numbered",
        )


def _all_texts(values: Sequence[Any]) -> bool:
    return isinstance(values, StoredTexts) or all(isinstance(value, str) for value in values)


def connected_components(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Return the name of each pair's connected component: (n,) names that serve as clusters.

    Pairs that share a text, directly or in a chain, are in one component: they were drawn together.
    STS-B's test split has 1,179 components of its 1,379 pairs.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    node = {text: position for position, text in enumerate(dict.fromkeys([*left, *right]))}
    rows, columns = [node[text] for text in left], [node[text] for text in right]
    links = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(node), len(node)))
    _, component = connected_components(links, directed=False)
    return [f"c{component[row]}" for row in rows]
