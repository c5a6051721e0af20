"""Clauses from a user's files: a table, or a folder in ContractNLI's format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import Dataset, HarnessError, Splits
from harness.authoring import (
    ClassName,
    TaskDefinition,
    TaskKind,
    TaskOption,
    as_ids,
    as_texts,
    merge_repeated,
    numbered,
)
from harness_clauses.classification import BY_SIMILARITY, PROBED, TUNED, Entailment, read_evidence_pairs
from harness_clauses.pairs import drop_blank_clauses, join_splits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness import DataSource

COLUMNS = ("clause", "hypothesis", "label")
_NAMES = ("id", "cluster")
_OPTIONS = {
    "dev": TaskOption(str, "a file of rows to tune the threshold on; of a dataset of the hub, a split"),
    "train": TaskOption(str, "a file of rows to fit the probe on; of a dataset of the hub, a split"),
    "labels": TaskOption(
        dict[str, str | int | float | bool], 'labels = { entailment = "E", contradiction = "C" }'
    ),
}
_TRAIN_FILES = ("train.json", "train-pairs.csv", "train_truncated.json")


class UserClauses(Entailment):
    """Entailment against contradiction on a user's pairs.

    Accuracy at a tuned threshold needs a dev split, and the probe a train split.
    """

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(columns=(*COLUMNS, *_NAMES), templates=COLUMNS, options=_OPTIONS, rows=True)
        self.name, self.tags = definition.name, definition.tags | {"clauses"}
        self._definition = definition
        self._dev, self._train = _fitted_on(definition)
        self.metrics = (*BY_SIMILARITY, *(TUNED if self._dev else ()), *(PROBED if self._train else ()))
        fitted_on = [name for name, path in (("train", self._train), ("dev", self._dev)) if path]
        self.splits = Splits("test", tuple(fitted_on))
        self._classes = _classes(definition)

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the files
        """Read the folder, or the files of rows as the definition says."""
        path = self._definition.path
        if _is_release(self._definition):
            return read_evidence_pairs(path / "test.json", self._dev, self._train)
        fitted_on = {"dev": self._dev, "train": self._train}
        tables = {name: self._table(split) for name, split in fitted_on.items() if split}
        return join_splits(self._table(), tables)

    def _table(self, file: Path | None = None) -> Dataset:
        rows = self._definition.read_rows(COLUMNS, optional=_NAMES, filled=("label",), file=file)
        clauses = as_texts(rows["clause"], "clause", rows)
        columns: dict[str, Sequence[Any]] = {
            "clause": clauses,
            "hypothesis": as_texts(rows["hypothesis"], "hypothesis", rows),
            "gold": [
                self._gold(value, *place) for value, place in zip(rows["label"], rows.places, strict=True)
            ],
            "cluster": _default_clusters(clauses),
        }
        columns |= {name: as_ids(rows[name], name, rows) for name in _NAMES if name in rows}
        columns, copies = merge_repeated(columns, self._definition.options.get("repeated", "keep"))
        # Rows have an id before those of blank clauses are dropped: it is the number in the file.
        columns.setdefault("id", [str(number) for number in range(len(columns["clause"]))])
        return drop_blank_clauses(columns, file or self._definition.path, *rows.findings, *copies)

    def _gold(self, value: Any, path: Path, row: int) -> int:  # noqa: ANN401 - any value of the file
        gold = self._classes.of(value)
        if gold is not None:
            return gold
        where = f"{path}: row {row} has the label {str(value)!r}"
        if isinstance(value, ClassName):
            raise HarnessError(
                where,
                exists=f"the file's features name the classes: {numbered(value.classes)}",
                hint=f"say in the task file which are meant: {_line(value.classes)};"
                " leave out rows of others",
            )
        raise HarnessError(
            where,
            exists=f"known: {', '.join(self._classes.words)}",
            hint='map other words in the task file: labels = { entailment = "E", contradiction = "C" };'
            " leave out rows of further classes",
        )


@dataclass(frozen=True, slots=True)
class _Classes:
    """Which labels are entailment (1), and which contradiction (0)."""

    words: Mapping[str, int]
    """As a file without names of classes has them: words, and numbers as words."""
    names: Mapping[str, int]
    """Words that are names, where a file's features name the classes."""
    numbers: Mapping[str, int]
    """Numbers that the user gave, where a file's features name the classes."""

    def of(self, value: Any) -> int | None:  # noqa: ANN401 - any value of the file
        """Return a label's class; of a class with a name, the name counts before the number."""
        if not isinstance(value, ClassName):
            return self.words.get(_word(value))
        return self.names.get(_word(value), self.numbers.get(str(value.number)))


def _fitted_on(definition: TaskDefinition) -> tuple[Path | None, Path | None]:
    """Return the dev and train files: those in a folder, else those of the options."""
    paths = {name: definition.options.get(name) for name in ("dev", "train")}
    if _is_release(definition):
        _refuse_keys_of_tables(definition)
        dev = definition.path / "dev.json"
        trains = (definition.path / name for name in _TRAIN_FILES)
        return dev if dev.is_file() else None, next((path for path in trains if path.is_file()), None)
    return _path(paths["dev"]), _path(paths["train"])


def _is_release(definition: TaskDefinition) -> bool:
    """Whether the path is a folder in ContractNLI's format, and not one that holds files of rows."""
    path, rows = definition.path, ("dataset_dict.json", "state.json", "data", "*.parquet", "*.arrow")
    return path.is_dir() and not any(any(path.glob(name)) for name in rows)


def _refuse_keys_of_tables(definition: TaskDefinition) -> None:
    given = sorted({key for key in definition.options if key != "labels"})
    given += [name for name in ("columns", "templates") if getattr(definition, name)]
    if given or definition.paths:
        raise HarnessError(
            f"[tasks.{definition.name}]: the path is a folder, so dev.json and train.json in it are read",
            hint=f"leave out {', '.join(given) or 'the further paths'}, or give a table as the path",
        )


def _path(value: Any) -> Path | None:  # noqa: ANN401 - checked by the caller
    return Path(value) if value is not None else None


def _classes(definition: TaskDefinition) -> _Classes:
    """Map the labels for entailment to 1 and those for contradiction to 0: names, or numbers."""
    labels = definition.options.get("labels")
    if labels is None:
        words = {"entailment": 1, "1": 1, "contradiction": 0, "0": 0}
        return _Classes(words, words, {})
    if set(labels) != {"entailment", "contradiction"}:
        raise HarnessError(
            f"[tasks.{definition.name}]: labels must name both words",
            hint='labels = { entailment = "E", contradiction = "C" }',
        )
    given = [(labels["entailment"], 1), (labels["contradiction"], 0)]
    words = {_word(label): gold for label, gold in given}
    if len(words) < 2:
        raise HarnessError(f"[tasks.{definition.name}]: both labels are {labels['entailment']!r}")
    names = {_word(label): gold for label, gold in given if isinstance(label, str)}
    return _Classes(words, names, words)


def _line(names: Sequence[str]) -> str:
    """Return the line of a task file that maps names of classes, as far as the names show what they mean."""
    entailment = next((name for name in names if _word(name) == "entailment"), "…")
    others = [name for name in names if name != entailment]
    contradiction = next((name for name in others if _word(name) == "contradiction"), "…")
    if len(names) == 2 and entailment != "…":
        contradiction = others[0]
    entailment, contradiction = (json.dumps(name, ensure_ascii=False) for name in (entailment, contradiction))
    return f"labels = {{ entailment = {entailment}, contradiction = {contradiction} }}"


def _word(value: Any) -> str:  # noqa: ANN401 - any value of the file
    """Normalize a label: case and surrounding space do not count, 1.0 and true are 1."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    return str(value).strip().lower()


def _default_clusters(clauses: list[str]) -> list[str]:
    """Return clusters for a file without them: rows of the same clause were drawn together."""
    names: dict[str, str] = {}
    return [names.setdefault(clause, f"c{len(names)}") for clause in clauses]


CLAUSES_KIND = TaskKind(
    "clauses",
    "columns clause, hypothesis, label (entailment, contradiction); or a folder of ContractNLI's JSON files",
    UserClauses,
)
