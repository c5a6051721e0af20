"""Texts of the documents that were searched, where the data of a record is still at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.evaluation.evaluate import load_task
from harness.tasks.interface import HUB, DataSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.results.records import Evaluation
    from harness.tasks.dataset import Dataset
    from harness.tasks.interface import DataChoice, Task

_TABLES = ("corpus", "spans")
"""Tables of a dataset that have the documents: of retrieval, and of a contract's spans."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Texts of documents by id, or why they are not here."""

    texts: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    """A sentence; empty where the texts are here."""


def read_documents(
    evaluation: Evaluation, tasks: Mapping[str, Task], folders: Iterable[DataChoice] = ()
) -> Documents:
    """Read the documents of a record's data, if it is the same data: the digest must be the record's.

    tasks: the loaded tasks, by name. folders: data folders that journals or the user name, of which the first
    with the record's rows is taken; the samples of the plugins and a task's own data need none. Nothing is
    fetched from the hub.
    """
    examination = evaluation.examination
    task = tasks.get(examination.task)
    if task is None:
        return Documents(missing=f"no loaded plugin or task file has the task {examination.task}")
    if examination.data == HUB:
        return Documents(missing="the data is on the hub, which a report does not read")
    choices: list[DataChoice] = [None]
    if examination.data == "files":
        choices = [folder for folder in dict.fromkeys(folders) if folder not in (None, HUB)]
    if not choices:
        return Documents(missing="no data folder is named; --data DIR gives the documents of its rows")
    reason = ""
    for choice in choices:
        loaded = load_task(task, DataSource.of(task, choice), examination.limit)
        if loaded.dataset is None:
            reason = reason or "the data cannot be read here"
        elif loaded.examination.digest != examination.digest:
            reason = "the data that is here is not what the record was made of"
        else:
            return _documents_of(loaded.dataset)
    return Documents(missing=reason)


class _TextsById(Mapping[str, str]):
    """Texts by id, each read where it is asked for: those of a large corpus are on disk."""

    def __init__(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._rows, self._texts = {name: row for row, name in enumerate(ids)}, texts

    def __getitem__(self, name: str) -> str:
        return self._texts[self._rows[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _documents_of(dataset: Dataset) -> Documents:
    for name in _TABLES:
        table = dataset.tables.get(name)
        if table is not None and "text" in table:
            return Documents(_TextsById(list(map(str, table["id"])), table["text"]))
    return Documents(missing="the task has no table of documents")
