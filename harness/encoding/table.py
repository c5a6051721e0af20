"""Table of the embeddings of a run's distinct texts, each held once."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.system.read_only import read_only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BLOCK = 16 << 20
"""Minimum bytes of a block of embeddings; pages that are not filled take no memory."""
_ROWS_AT_ONCE = 1024
"""Maximum rows that are copied at once: a copy takes no more memory than its result."""


class EmbeddingTable:
    """Embeddings of one role in few large blocks, and the row of each text.

    Rows are numbered through all blocks. Segments of the cache are blocks too, and take no memory of their
    own: they are pages of a file.
    """

    def __init__(self) -> None:
        self.width: int | None = None
        """Dimensions; None while the table is empty."""
        self._rows: dict[str, int] = {}
        self._blocks: list[np.ndarray] = []
        self._starts: list[int] = []
        self._adopted: dict[int, int] = {}
        """First row of each segment, by the `id` of its array."""
        self._free = range(0)
        """Rows of our own last block that are not reserved."""
        self._forgotten = 0
        """Number of dropped texts whose rows are still there."""
        self._tokens = np.zeros(0, dtype=np.int32)
        """Tokens of the text in each row; -1 where they were not counted."""

    def __contains__(self, text: str) -> bool:
        return text in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def reserve(self, count: int, width: int) -> int:
        """Reserve adjacent rows, and return the first."""
        self._check_width(width)
        if len(self._free) < count:
            rows = max(count, _BLOCK // (4 * max(1, width)))
            first = self._append(np.empty((rows, width), dtype=np.float32))
            self._free = range(first, first + rows)
        first = self._free.start
        self._free = self._free[count:]
        return first

    def fill(self, rows: np.ndarray, texts: Sequence[str], embeddings: np.ndarray) -> None:
        """Put embeddings into rows that were reserved together."""
        self._check_width(embeddings.shape[1])
        at = self._block_of(int(rows[0]))
        self._blocks[at][rows - self._starts[at]] = embeddings
        self._assign(rows, texts)

    def adopt(self, block: np.ndarray, texts: Sequence[str], rows: np.ndarray) -> None:
        """Add a block without copying it; `texts[i]` is in its row `rows[i]`."""
        self._check_width(block.shape[1])
        if id(block) not in self._adopted:
            self._adopted[id(block)] = self._append(block)  # it stays alive, so its id is not used again
        self._assign(self._adopted[id(block)] + rows, texts)

    def without(self, texts: Iterable[str]) -> EmbeddingTable:
        """Drop texts; return this table, or a smaller one if half of the texts were dropped."""
        self._forgotten += sum(self._rows.pop(text, None) is not None for text in texts)
        return self._compacted() if self._forgotten >= max(1, len(self._rows)) else self

    def rows_of(self, texts: Sequence[str]) -> np.ndarray:
        """Return the rows of known texts, (n,)."""
        return np.fromiter((self._rows[text] for text in texts), dtype=np.int64, count=len(texts))

    def note_tokens(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Keep the tokens of the texts in some rows, (n,); -1 for what is not known."""
        # A count beyond 32 bits is counted again in place of being kept.
        self._tokens[rows] = np.where(tokens > np.iinfo(np.int32).max, -1, tokens)

    def tokens_of(self, texts: Sequence[str]) -> np.ndarray:
        """Return the tokens of texts, (n,) int64; -1 for those that are not here, or were not counted."""
        rows = np.fromiter((self._rows.get(text, -1) for text in texts), dtype=np.int64, count=len(texts))
        tokens = np.full(len(rows), -1, dtype=np.int64)
        tokens[rows >= 0] = self._tokens[rows[rows >= 0]]
        return tokens

    def embeddings_of(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, width), n > 0: adjacent rows as a read-only view, others as a copy."""
        return self._take(self.rows_of(texts))

    def parts(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the embeddings of rows, in order, some at a time."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            yield self._take(rows[start : start + _ROWS_AT_ONCE])

    def _take(self, rows: np.ndarray) -> np.ndarray:
        at = self._block_of(int(rows[0]))
        first = int(rows[0]) - self._starts[at]
        if first + len(rows) <= len(self._blocks[at]) and (np.diff(rows) == 1).all():
            return read_only(self._blocks[at][first : first + len(rows)])
        taken = np.empty((len(rows), self._blocks[at].shape[1]), dtype=np.float32)
        order = np.argsort(rows, kind="stable")
        for block, start, begin, end in self._by_block(rows[order]):
            for at in range(begin, end, _ROWS_AT_ONCE):
                positions = order[at : min(at + _ROWS_AT_ONCE, end)]
                taken[positions] = block[rows[positions] - start]
        return taken

    def _compacted(self) -> EmbeddingTable:
        """Return a table without unused blocks; of our own blocks, those less than half used are copied."""
        kept = EmbeddingTable()
        kept.width = self.width
        texts = sorted(self._rows, key=self._rows.__getitem__)
        rows = self.rows_of(texts)
        mapped = set(self._adopted.values())
        for block, start, begin, end in self._by_block(rows):
            used, inside = rows[begin:end] - start, texts[begin:end]
            if not inside:
                continue
            if start in mapped:
                kept.adopt(block, inside, used)
            elif 2 * len(used) > len(block):
                kept._assign(kept._append(block) + used, inside)
            else:
                first = kept.reserve(len(used), block.shape[1])
                kept.fill(np.arange(first, first + len(used)), inside, block[used])
        kept.note_tokens(kept.rows_of(texts), self._tokens[rows])
        return kept

    def _assign(self, rows: np.ndarray, texts: Sequence[str]) -> None:
        """Record the row of each text."""
        self._rows.update(zip(texts, rows.tolist(), strict=True))

    def _append(self, block: np.ndarray) -> int:
        start = self._starts[-1] + len(self._blocks[-1]) if self._blocks else 0
        self._blocks.append(block)
        self._starts.append(start)
        self._tokens = np.concatenate([self._tokens, np.full(len(block), -1, dtype=np.int32)])
        return start

    def _by_block(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, int, int, int]]:
        """Yield each block, its first row, and the range of the ascending `rows` that is in it."""
        bounds = [*np.searchsorted(rows, self._starts).tolist(), len(rows)]
        for block, start, (begin, end) in zip(self._blocks, self._starts, pairwise(bounds), strict=True):
            yield block, start, begin, end

    def _block_of(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _check_width(self, width: int) -> None:
        if self.width not in (None, width):
            raise HarnessError(
                f"the model returned embeddings of {self.width} dimensions, and then of {width}"
            )
        self.width = width
