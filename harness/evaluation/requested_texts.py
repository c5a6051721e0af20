"""What is said of the texts that a task had encoded: which the model cut, and which it gave no direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.encoding.segment import Index, keys_of
from harness.finding import Finding, Severity
from harness.results.records import Truncation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.encoding.cached_model import CachedModel
    from harness.encoding.stored_embeddings import StoredEmbeddings
    from harness.models.interface import Role
    from harness.tasks.dataset import Predictions

    Requested = Sequence[tuple[str, Role]]
    Stored = Sequence[tuple[StoredEmbeddings, Role]]
    """Texts that stay on disk."""


def zero_embeddings(model: CachedModel, requested: Requested, stored: Stored) -> list[Finding]:
    """Find texts without a direction: their similarity to any other text is 0."""
    requested = _not_stored(requested, stored)
    zeros = model.count_zero_embeddings(requested, [found for found, _ in stored])
    if not zeros:
        return []
    total = len(requested) + sum(len(found.rows) for found, _ in stored)
    evidence = f"{zeros} of {total} texts have an embedding of zeros: their similarity to any other is 0"
    return [Finding("zero-embeddings", Severity.WARNING, evidence, "does its tokenizer know their words?")]


def _not_stored(requested: Requested, stored: Stored) -> Requested:
    """Return the requested texts without those that are also among the texts on disk."""
    if not stored:
        return requested
    keys = keys_of([text for text, _ in requested])
    kept = np.ones(len(requested), dtype=bool)
    for found, role in stored:
        of_role = np.array([one is role for _, one in requested], dtype=bool)
        kept &= ~of_role | (Index(found.keys).rows_of(keys) < 0)
    return [requested[at] for at in np.flatnonzero(kept).tolist()]


@dataclass(frozen=True, slots=True)
class TruncatedTexts:
    """What a model did not read of the texts of a task."""

    truncation: Truncation
    texts: frozenset[str]
    """Texts longer than the model's limit."""

    @classmethod
    def of(
        cls,
        model: CachedModel,
        requested: Requested,
        stored: Stored = (),
    ) -> TruncatedTexts | None:
        """Count truncated texts and lost tokens; None for a model that counts no tokens or has no limit."""
        limit = model.facts.max_tokens
        if limit is None:
            return None
        by_role: dict[Role, list[str]] = {}
        for text, role in requested:
            by_role.setdefault(role, []).append(text)
        counts = [model.count_tokens(texts, role) for role, texts in by_role.items()]
        on_disk = [found.tokens for found, _ in stored]
        if any(count is None for count in (*counts, *on_disk)):
            return None
        none = np.zeros(0, dtype=int)
        tokens = np.concatenate([none, *(count for count in counts if count is not None)])
        texts = [(text, role) for role, texts in by_role.items() for text in texts]
        cut = frozenset(texts[position][0] for position in np.flatnonzero(tokens > limit))
        if stored:
            own = {pair: at for at, pair in enumerate(texts)}
            tokens = tokens[[own[pair] for pair in _not_stored(texts, stored)]]
            tokens = np.concatenate([tokens, *(count for count in on_disk if count is not None)])
        over = np.flatnonzero(tokens > limit)
        truncation = Truncation(
            texts=len(tokens),
            truncated=len(over),
            tokens=int(tokens.sum()),
            lost=int((tokens[over] - limit).sum()),
        )
        return cls(truncation, cut)

    def rows(self, predictions: Predictions) -> list[bool]:
        """Whether a text of each example was cut: (n,)."""
        if not self.texts:
            return [False] * len(predictions)
        rows = zip(*predictions.columns.values(), strict=True)
        return [any(isinstance(cell, str) and cell in self.texts for cell in cells) for cells in rows]
