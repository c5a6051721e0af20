"""Select the spans of a contract for a hypothesis by BM25, independent of any model.

Version 1: BM25 over the contract's own non-blank spans. Words are runs of word
characters in lower case, a word of the hypothesis counts once; k1 = 1.2, b = 0.75 and
idf = ln(1 + (N - df + 0.5) / (df + 0.5)), Lucene's, with N and df of this contract alone: the selection
depends only on the contract and the hypothesis. The three highest are selected, the earlier one of equal
scores, and returned in document order.
Source: Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond".
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

CHOICE = "BM25 (k1 1.2, b 0.75, words, idf of the contract's spans), 3 spans, v1"
"""Description of the selection, kept with the predictions."""
SPANS = 3
"""Spans selected for a hypothesis."""
_K1, _B = 1.2, 0.75
_WORD = re.compile(r"\w+")


class Spans:
    """Word index of the spans of one contract."""

    def __init__(self, spans: Sequence[str]) -> None:
        self._counts = [Counter(_words(span)) for span in spans]
        lengths = np.array([counts.total() for counts in self._counts], dtype=float)
        mean = lengths.mean() if lengths.any() else 1.0
        self._damping = _K1 * (1 - _B + _B * lengths / mean)

    def scores(self, hypothesis: str) -> np.ndarray:
        """Return BM25 of every span: (spans,) float, 0 without a common word."""
        total = np.zeros(len(self._counts))
        for word in dict.fromkeys(_words(hypothesis)):
            occurs = np.array([counts[word] for counts in self._counts], dtype=float)
            having = np.count_nonzero(occurs)
            idf = np.log(1 + (len(occurs) - having + 0.5) / (having + 0.5))
            total += idf * occurs * (_K1 + 1) / (occurs + self._damping)
        return total

    def nearest(self, hypothesis: str, spans: int = SPANS) -> list[int]:
        """Return the positions of the nearest spans, in document order; of all spans if there are fewer."""
        best = np.argsort(-self.scores(hypothesis), kind="stable")[:spans]
        return sorted(best.tolist())


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
