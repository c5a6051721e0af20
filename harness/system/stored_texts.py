"""Texts that stay on disk: a sequence of strings, read where they are asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 4096
"""Texts of a batch of the file."""


class StoredTexts(Sequence[str]):
    """Many texts in a file of Arrow's, mapped into memory: pages that are not read take none.

    The file vanishes with the last object that has it open. A slice is a list.
    """

    def __init__(self, texts: Iterable[str], folder: Path | None = None) -> None:
        """Write texts to a file below `folder`, or where temporary files are.

        Raises OSError where it cannot be written.
        """
        import pyarrow as pa

        handle, name = tempfile.mkstemp(prefix="harness-texts-", suffix=".arrow", dir=folder)
        try:
            schema = pa.schema([("text", pa.large_string())])
            with os.fdopen(handle, "wb") as file, pa.ipc.new_file(file, schema) as writer:
                for batch in _batches(texts):
                    writer.write_batch(pa.record_batch([pa.array(batch, pa.large_string())], schema=schema))
            mapped = pa.memory_map(name)
        finally:
            Path(name).unlink(missing_ok=True)  # the mapping keeps it until it is closed
        self._column: pa.ChunkedArray = pa.ipc.open_file(mapped).read_all().column(0)

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            rows = range(len(self))[at]
            if rows.step != 1:
                return [self[row] for row in rows]
            texts: list[str] = self._column.slice(rows.start, len(rows)).to_pylist()
            return texts
        row = range(len(self))[at]  # raises IndexError, and counts from the end
        text: str = self._column[row].as_py()
        return text

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self[start : start + _AT_ONCE]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str) or len(self) != len(other):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(own == its for own, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it is equal to a list of the same texts


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
