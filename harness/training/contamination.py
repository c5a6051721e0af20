"""Was a task's answer trained on? Texts of a training against the examples of a dataset."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.render import shortened
from harness.tasks.finding import Finding, Severity
from harness.training.lineage import NAME, read_lineage
from harness.training.near_duplicates import SIGNATURES, Signatures, read_signatures, text_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from harness.tasks.dataset import Dataset

_MOST_LABELS = 20
"""Of more distinct values than these, a column of single words holds texts, not names of classes."""
_MOST_ALIKE = 2
"""Examples that may have the same texts; more, and their texts do not tell one answer from another."""
_MATTERS = 0.2
"""Share of a task's examples from which on its score says little of new examples."""
_MOST_LOOKED_UP = 20_000
"""Distinct texts of a task of which near-duplicates are looked for: some seconds."""
_MOST_SHOWN = 80
_REMEDY = "train without these examples, or report another task"


@dataclass(frozen=True)
class TrainingTexts:
    """The texts of a training, as far as they can be known again."""

    hashes: AbstractSet[str]
    """As `text_hash` has them."""
    signatures: Signatures | None = None
    """For near-duplicates; None where only equal texts can be found."""
    digest: str = ""
    """Hex SHA-256 of both; of what `unreadable` says where they are not known."""
    unreadable: str = ""
    """Why they are not known, where there are files that should say."""


def read_training_texts(folder: Path) -> TrainingTexts | None:
    """Read what a candidate's folder says of its training texts; None for a model without lineage.

    Raises nothing: what cannot be read is told by `unreadable`.
    """
    files = [path for path in (folder / NAME, folder / SIGNATURES) if path.is_file()]
    if not (folder / NAME).is_file():
        return None
    stats = [path.stat() for path in files]
    return _trained_on(folder, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


def trained_on_texts(texts: Iterable[str]) -> TrainingTexts:
    """Know the texts of a training that is yet to be."""
    signatures = Signatures.of(texts)
    return TrainingTexts(frozenset(signatures.hashes), signatures)


@lru_cache(maxsize=8)
def _trained_on(folder: Path, state: tuple[tuple[int, int], ...]) -> TrainingTexts:  # noqa: ARG001 - part of the key
    """Read it once per state of the files: each task of a run asks."""
    try:
        lineage = read_lineage(folder)
        texts = lineage.texts if lineage else ()
        signatures = read_signatures(folder, texts)
    except HarnessError as error:
        # What is told is all that a result takes from such a file, which may be too large to be hashed.
        told = error.message.replace(str(folder), "")
        return TrainingTexts(frozenset(), None, hashlib.sha256(told.encode()).hexdigest(), error.message)
    digest = hashlib.sha256("\n".join(texts).encode())
    if signatures is not None:
        digest.update(signatures.rows.tobytes())
    return TrainingTexts(frozenset(texts), signatures, digest.hexdigest())


def find_contamination(trained: TrainingTexts, dataset: Dataset, name: str) -> Iterator[Finding]:
    """Find the examples of a task that were trained on: `train-test-overlap`; and `shared-texts`.

    name: what the task is called. An example counts when every text of it was trained on, be it in other
    company, and when no more than two examples have these texts: a fixed hypothesis that was seen gives no
    answer away. A text counts when it is equal once normalized, or a near-duplicate where there are
    signatures. It is an error where a fifth of the examples count, and else a warning. Where only some texts
    were seen, one side of a pair or documents of a corpus, it is a note; a warning where that is most of the
    texts of a column whose texts are its examples' own.
    """
    if trained.unreadable:
        remedy = "train again, or evaluate the base to see what training gained"
        yield Finding("lineage-unreadable", Severity.WARNING, trained.unreadable, remedy)
        return
    columns = text_columns(dataset)
    seen = _Seen.of(trained, columns)
    leaked = _leaked(columns, seen, len(dataset))
    if leaked:
        yield _leak(leaked, columns, seen, len(dataset), name)
        return
    yield from _shared(columns, seen, dataset, trained, name)


def text_columns(dataset: Dataset) -> dict[str, Sequence[str]]:
    """Return the columns that hold texts: not ids and clusters, nor names of classes."""
    return {
        name: cells
        for name, cells in dataset.columns.items()
        if name not in ("id", "cluster") and all(isinstance(cell, str) for cell in cells) and _is_prose(cells)
    }


def _is_prose(cells: Sequence[str]) -> bool:
    return any(len(cell.split()) > 1 for cell in cells) or len(set(cells)) > _MOST_LABELS


@dataclass(frozen=True)
class _Seen:
    """The texts of a dataset that were trained on."""

    exact: AbstractSet[str]
    near: AbstractSet[str]
    looked_up: int
    """Distinct texts that were looked up for near-duplicates."""
    distinct: int

    @classmethod
    def of(cls, trained: TrainingTexts, columns: Mapping[str, Sequence[str]]) -> _Seen:
        texts = {text: text_hash(text) for cells in columns.values() for text in cells if text.strip()}
        exact = {text for text, hashed in texts.items() if hashed in trained.hashes}
        others = sorted(texts.keys() - exact, key=texts.__getitem__)[:_MOST_LOOKED_UP]
        found = trained.signatures.near(others) if trained.signatures else []
        near = {text for text, likest in zip(others, found, strict=False) if likest is not None}
        return cls(exact, near, len(found), len(texts) - len(exact))

    def __contains__(self, text: str) -> bool:
        return text in self.exact or text in self.near

    @property
    def caveat(self) -> str:
        """Say where near-duplicates were not, or not all, looked for."""
        if not self.looked_up and self.distinct:
            return "; near-duplicates were not looked for"
        if self.looked_up < self.distinct:
            return f"; near-duplicates were looked for among {self.looked_up} of {self.distinct} texts"
        return ""


def _leaked(columns: Mapping[str, Sequence[str]], seen: _Seen, examples: int) -> list[int]:
    """Rows whose every text was trained on, and whose texts are theirs."""
    if not columns:
        return []
    rows = list(zip(*columns.values(), strict=True))
    alike = Counter(rows)
    return [
        row
        for row in range(examples)
        if alike[rows[row]] <= _MOST_ALIKE and all(text in seen for text in rows[row])
    ]


def _leak(
    leaked: list[int], columns: Mapping[str, Sequence[str]], seen: _Seen, examples: int, name: str
) -> Finding:
    exact = sum(all(cells[row] in seen.exact for cells in columns.values()) for row in leaked)
    share = len(leaked) / examples
    severity = Severity.ERROR if share >= _MATTERS else Severity.WARNING
    first = next(iter(columns.values()))[leaked[0]]
    evidence = (
        f"of {len(leaked)} of {examples} examples of {name} ({share:.1%}) every text was trained on,"
        f" {exact} with equal texts, {len(leaked) - exact} with near-duplicates{seen.caveat};"
        f" such as {shortened(first, _MOST_SHOWN)!r}"
    )
    return Finding("train-test-overlap", severity, evidence, _REMEDY)


def _shared(
    columns: Mapping[str, Sequence[str]], seen: _Seen, dataset: Dataset, trained: TrainingTexts, name: str
) -> Iterator[Finding]:
    """Find texts that were trained on without the rest of their example, or of a table beside them."""
    found, severity = [], Severity.NOTE
    for column, cells in columns.items():
        count = sum(text in seen for text in cells)
        if count:
            found.append(f"{column} of {count} of {len(cells)} examples ({len(set(cells))} different ones)")
            own = len(set(cells)) > len(cells) / 2
            severity = Severity.WARNING if own and count > len(cells) / 2 else severity
    for table, rows in dataset.tables.items():
        for column, cells in text_columns(rows).items():
            count = sum(text_hash(text) in trained.hashes for text in cells if text.strip())
            if count:
                found.append(f"{column} of {count} of {len(cells)} rows of {table}")
    if found:
        evidence = f"of {name}, {'; '.join(found)} stood in the training, but no whole example{seen.caveat}"
        yield Finding("shared-texts", severity, evidence, "a part of these examples is no news to the model")
