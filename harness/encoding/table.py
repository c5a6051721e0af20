"""The embeddings of a run's distinct texts, held once."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BLOCK = 16 << 20
"""Bytes of a block of embeddings at least; what is not filled takes no memory."""
_ROWS_AT_ONCE = 1024
"""Rows that are copied at a time: a copy takes no more memory than its result."""


class EmbeddingTable:
    """The embeddings of one role, in few large blocks, and which row is whose.

    A row's number counts through all blocks. Segments of the cache are blocks too, which take no memory of
    their own: they are pages of a file.
    """

    def __init__(self) -> None:
        self.width: int | None = None
        """Dimensions; None while there is no embedding."""
        self._rows: dict[str, int] = {}
        self._blocks: list[np.ndarray] = []
        self._starts: list[int] = []
        self._adopted: dict[int, int] = {}
        """First row of each segment, by its identity."""
        self._free = range(0)
        """Rows of our own last block that are not reserved."""
        self._forgotten = 0
        """Texts that are gone, and whose rows are still there."""

    def __contains__(self, text: str) -> bool:
        return text in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def reserve(self, count: int, width: int) -> int:
        """Make room for so many neighboring rows, and return the first of them."""
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
        self._place(rows, texts)

    def adopt(self, block: np.ndarray, texts: Sequence[str], rows: np.ndarray) -> None:
        """Take a block as it is; `texts` have the given rows of it."""
        self._check_width(block.shape[1])
        if id(block) not in self._adopted:
            self._adopted[id(block)] = self._append(block)  # it stays alive, and so does its identity
        self._place(self._adopted[id(block)] + rows, texts)

    def without(self, texts: Iterable[str]) -> EmbeddingTable:
        """The table to go on with: this one without the texts, or a smaller one once half of it is gone."""
        self._forgotten += sum(self._rows.pop(text, None) is not None for text in texts)
        return self._compacted() if self._forgotten >= max(1, len(self._rows)) else self

    def rows_of(self, texts: Sequence[str]) -> np.ndarray:
        """The rows of texts that are there, (n,)."""
        return np.fromiter((self._rows[text] for text in texts), dtype=np.int64, count=len(texts))

    def embeddings_of(self, texts: Sequence[str]) -> np.ndarray:
        """(n, width), n > 0: neighboring rows as a view that cannot be written to, others as a copy."""
        return self._take(self.rows_of(texts))

    def parts(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """The embeddings of rows, in order, some at a time."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            yield self._take(rows[start : start + _ROWS_AT_ONCE])

    def _take(self, rows: np.ndarray) -> np.ndarray:
        at = self._block_of(int(rows[0]))
        first = int(rows[0]) - self._starts[at]
        if first + len(rows) <= len(self._blocks[at]) and (np.diff(rows) == 1).all():
            view = self._blocks[at][first : first + len(rows)]
            view.flags.writeable = False
            return view
        taken = np.empty((len(rows), self._blocks[at].shape[1]), dtype=np.float32)
        order = np.argsort(rows, kind="stable")
        for block, start, begin, end in self._by_block(rows[order]):
            for some in range(begin, end, _ROWS_AT_ONCE):
                which = order[some : min(some + _ROWS_AT_ONCE, end)]
                taken[which] = block[rows[which] - start]
        return taken

    def _compacted(self) -> EmbeddingTable:
        """The same without blocks that nobody needs; what is left of ours, where half is gone, is copied."""
        kept = EmbeddingTable()
        kept.width = self.width
        texts = sorted(self._rows, key=self._rows.__getitem__)
        rows = self.rows_of(texts)
        mapped = set(self._adopted.values())
        for block, start, begin, end in self._by_block(rows):
            some, whose = rows[begin:end] - start, texts[begin:end]
            if not whose:
                continue
            if start in mapped:
                kept.adopt(block, whose, some)
            elif 2 * len(some) > len(block):
                kept._place(kept._append(block) + some, whose)
            else:
                first = kept.reserve(len(some), block.shape[1])
                kept.fill(np.arange(first, first + len(some)), whose, block[some])
        return kept

    def _place(self, rows: np.ndarray, texts: Sequence[str]) -> None:
        """Note which row is whose."""
        self._rows.update(zip(texts, rows.tolist(), strict=True))

    def _append(self, block: np.ndarray) -> int:
        start = self._starts[-1] + len(self._blocks[-1]) if self._blocks else 0
        self._blocks.append(block)
        self._starts.append(start)
        return start

    def _by_block(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, int, int, int]]:
        """Each block, its first row, and from where to where the ascending rows are in it."""
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
