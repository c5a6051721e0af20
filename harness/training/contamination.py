"""Find contamination: examples of a dataset whose texts were trained on."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.render import shortened
from harness.training.lineage import NAME, read_lineage
from harness.training.near_duplicates import SIGNATURES, Signatures, read_signatures, text_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from harness.tasks.dataset import Dataset

_MOST_LABELS = 20
"""Maximum number of distinct values of a column of single words that holds names of classes, not texts."""
_MOST_SAME = 2
"""Maximum number of examples with the same texts; in more, the texts do not determine the answer."""
_MATTERS = 0.2
"""Minimum share of contaminated examples at which a score says little about new examples."""
_MOST_LOOKED_UP = 20_000
"""Maximum number of distinct texts of a task that are compared for near-duplicates: some seconds."""
_MOST_SHOWN = 80
"""Maximum length of a text in a finding, in characters."""
_REMEDY = "train without these examples, or report another task"


@dataclass(frozen=True)
class TrainingTexts:
    """The hashes and signatures of the texts of a training."""

    hashes: AbstractSet[str]
    """Hashes by `text_hash`."""
    signatures: Signatures | None = None
    """Signatures for near-duplicates; None if only equal texts can be found."""
    digest: str = ""
    """Hex SHA-256 of both, or of the message in `unreadable`."""
    unreadable: str = ""
    """Error message, if the files of the lineage cannot be read."""


def read_training_texts(folder: Path) -> TrainingTexts | None:
    """Read the training texts of a candidate; None for a model without lineage.

    Raises nothing: for files that cannot be read, `unreadable` holds the message.
    """
    files = [path for path in (folder / NAME, folder / SIGNATURES) if path.is_file()]
    if not (folder / NAME).is_file():
        return None
    stats = [path.stat() for path in files]
    return _trained_on(folder, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


def trained_on_texts(texts: Iterable[str]) -> TrainingTexts:
    """Return the hashes and signatures of texts that will be trained on."""
    signatures = Signatures.of(texts)
    return TrainingTexts(frozenset(signatures.hashes), signatures)


@lru_cache(maxsize=8)
def _trained_on(folder: Path, state: tuple[tuple[int, int], ...]) -> TrainingTexts:  # noqa: ARG001 - part of the key
    """Read them once per state of the files: each task of a run needs them."""
    try:
        lineage = read_lineage(folder)
        texts = lineage.texts if lineage else ()
        signatures = read_signatures(folder, texts)
    except HarnessError as error:
        # A result depends on the message only; the file itself may be too large to be hashed.
        message = error.message.replace(str(folder), "")
        return TrainingTexts(frozenset(), None, hashlib.sha256(message.encode()).hexdigest(), error.message)
    digest = hashlib.sha256("\n".join(texts).encode())
    if signatures is not None:
        digest.update(signatures.rows.tobytes())
    return TrainingTexts(frozenset(texts), signatures, digest.hexdigest())


def find_contamination(trained: TrainingTexts, dataset: Dataset, name: str) -> Iterator[Finding]:
    """Find the examples of a task that were trained on: `train-test-overlap`; and `shared-texts`.

    name: name of the task. An example counts if every text of it was trained on, together or in different
    rows, and if at most two examples have these texts: a fixed hypothesis that was trained on does not give
    an answer away. A text counts if it is equal after normalization, or a near-duplicate if there are
    signatures. `train-test-overlap` is an error if a fifth of the examples count, else a warning.
    `shared-texts`, for one side of pairs or documents of a corpus, is a note; a warning if most texts of a
    column were trained on and most of its texts are in one example only.
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
    """Return the columns that hold texts, without ids, clusters and names of classes."""
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
    """Number of distinct texts that were compared for near-duplicates."""
    distinct: int
    """Number of distinct texts that are not in `exact`."""

    @classmethod
    def of(cls, trained: TrainingTexts, columns: Mapping[str, Sequence[str]]) -> _Seen:
        texts = {text: text_hash(text) for cells in columns.values() for text in cells if text.strip()}
        exact = {text for text, hashed in texts.items() if hashed in trained.hashes}
        others = sorted(texts.keys() - exact, key=texts.__getitem__)[:_MOST_LOOKED_UP]
        nearest = trained.signatures.near(others) if trained.signatures else []
        near = {text for text, match in zip(others, nearest, strict=False) if match is not None}
        return cls(exact, near, len(nearest), len(texts) - len(exact))

    def __contains__(self, text: str) -> bool:
        return text in self.exact or text in self.near

    @property
    def caveat(self) -> str:
        """Clause for texts that were not compared for near-duplicates; empty if all were."""
        if not self.looked_up and self.distinct:
            return "; near-duplicates were not looked for"
        if self.looked_up < self.distinct:
            return f"; near-duplicates were looked for among {self.looked_up} of {self.distinct} texts"
        return ""


def _leaked(columns: Mapping[str, Sequence[str]], seen: _Seen, examples: int) -> list[int]:
    """Rows whose every text was trained on, and whose texts at most two rows have."""
    if not columns:
        return []
    rows = list(zip(*columns.values(), strict=True))
    counts = Counter(rows)
    return [
        row
        for row in range(examples)
        if counts[rows[row]] <= _MOST_SAME and all(text in seen for text in rows[row])
    ]


def _leak(
    leaked: list[int], columns: Mapping[str, Sequence[str]], seen: _Seen, examples: int, name: str
) -> Finding:
    exact = sum(all(cells[row] in seen.exact for cells in columns.values()) for row in leaked)
    share = len(leaked) / examples
    severity = Severity.ERROR if share >= _MATTERS else Severity.WARNING
    first = next(iter(columns.values()))[leaked[0]]
    evidence = (
        f"in {len(leaked)} of {examples} examples of {name} ({share:.1%}) every text was trained on,"
        f" {exact} with equal texts, {len(leaked) - exact} with near-duplicates{seen.caveat};"
        f" such as {shortened(first, _MOST_SHOWN)!r}"
    )
    return Finding("train-test-overlap", severity, evidence, _REMEDY)


def _shared(
    columns: Mapping[str, Sequence[str]], seen: _Seen, dataset: Dataset, trained: TrainingTexts, name: str
) -> Iterator[Finding]:
    """Find texts that were trained on without the rest of their example, and those of further tables."""
    shared, severity = [], Severity.NOTE
    for column, cells in columns.items():
        count = sum(text in seen for text in cells)
        if count:
            shared.append(f"{column} of {count} of {len(cells)} examples ({len(set(cells))} different ones)")
            own = len(set(cells)) > len(cells) / 2
            severity = Severity.WARNING if own and count > len(cells) / 2 else severity
    for table, rows in dataset.tables.items():
        for column, cells in text_columns(rows).items():
            count = sum(text_hash(text) in trained.hashes for text in cells if text.strip())
            if count:
                shared.append(f"{column} of {count} of {len(cells)} rows of {table}")
    if shared:
        evidence = f"of {name}, {'; '.join(shared)} were trained on, but no whole example{seen.caveat}"
        yield Finding("shared-texts", severity, evidence, "the model has seen a part of these examples")
