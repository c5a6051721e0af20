"""Draw training rows by their content, and encode each of their texts once for all checks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.authoring import seed_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Model
    from harness.training import CheckInput, Rows

MOST_ROWS = 2000
"""Maximum number of rows that the base encodes: half a minute for long texts on two cores."""
WORDS = "lexical"
"""Model that stands in for a base that is not known: character n-grams, no weights."""


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Drawn rows with their embeddings."""

    rows: list[int]
    """Positions of the drawn rows among all."""
    texts: tuple[list[str], ...]
    """One list per text column, (n,) each."""
    embeddings: tuple[np.ndarray, ...]
    """One array per text column, (n, dim) float32 each, of length 1."""

    def __len__(self) -> int:
        return len(self.rows)


def encode_rows(training: CheckInput, fewest: int, *, with_words: bool = False) -> EncodedRows | None:
    """Return at most MOST_ROWS rows whose every cell is a text, encoded; None without a base or without rows.

    fewest: minimum number of such rows; with fewer nothing is loaded, and None is returned.
    with_words: without a base, measure by the letters that texts share, which needs no model.
    """
    rows = training.rows
    if rows is None or not rows.complete or not rows.texts or (training.base is None and not with_words):
        return None
    drawn = draw_rows(_usable(rows), next(iter(rows.texts.values())))
    if len(drawn) < fewest:
        return None
    texts = tuple([cells[row] for row in drawn] for cells in rows.texts.values())
    model = _words() if training.base is None else training.base()
    embeddings = tuple(unit(part) for part in encode_once(model, *texts))
    return EncodedRows(drawn, texts, embeddings)


def draw_rows(usable: list[int], texts: Sequence[str]) -> list[int]:
    """Draw at most MOST_ROWS rows by their content, so that the same rows always give the same result."""
    if len(usable) <= MOST_ROWS:
        return usable
    generator = generator_of([texts[row] for row in usable])
    return sorted(usable[index] for index in generator.choice(len(usable), MOST_ROWS, replace=False))


def generator_of(texts: Sequence[str]) -> np.random.Generator:
    """Return a random generator seeded by texts."""
    content = hashlib.sha256("\0".join(texts).encode(errors="surrogatepass"))
    return np.random.default_rng(seed_from(content.hexdigest(), "labels"))


def encode_once(model: Model, *columns: list[str]) -> list[np.ndarray]:
    """Return the embeddings of each column, (n, dim) each; every distinct text is encoded once.

    The last encoding is kept: several checks read the same rows.
    """
    distinct = list(dict.fromkeys(text for column in columns for text in column))
    index = {text: row for row, text in enumerate(distinct)}
    if not (_LAST and _LAST[0][0] is model and _LAST[0][1] == distinct):
        _LAST[:] = [(model, distinct, np.asarray(model.encode(distinct)))]
    embeddings = _LAST[0][2]
    return [embeddings[[index[text] for text in column]] for column in columns]


_LAST: list[tuple[Model, list[str], np.ndarray]] = []
"""The last model, the texts that it encoded, and their embeddings."""


def is_text(cell: object) -> bool:
    """Whether a cell is a text that is not blank."""
    return isinstance(cell, str) and bool(cell.strip())


def unit(embeddings: np.ndarray) -> np.ndarray:
    """Scale rows to length 1: (n, dim); a row of zeros stays."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    scaled: np.ndarray = embeddings / np.where(lengths > 0, lengths, 1)
    return scaled


def _usable(rows: Rows) -> list[int]:
    columns = list(rows.texts.values())
    return [row for row in range(len(rows)) if all(is_text(column[row]) for column in columns)]


def _words() -> Model:
    from harness import load_model

    return load_model(WORDS)
