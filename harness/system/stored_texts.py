"""Texts that stay on disk: a sequence of strings, read where they are asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from typing import Self

    import pyarrow as pa

_AT_ONCE = 4096
"""Maximum texts of a batch of the file."""
_CHARACTERS_AT_ONCE = 2**24
"""Characters at which a batch is written, however few its texts are."""


class StoredTexts(Sequence[str]):
    """Many texts in a file of Arrow's, mapped into memory: pages that are not read take none.

    The file vanishes with the last object that has it open. A slice is a list.
    """

    _column: pa.ChunkedArray

    def __init__(self, texts: Iterable[str], folder: Path | None = None) -> None:
        """Write texts to a file below `folder`, or where temporary files are.

        Raises OSError where it cannot be written.
        """
        with StoredTextsWriter(folder) as writer:
            writer.extend(texts)
            self._column = writer.close()._column  # noqa: SLF001 - of its own class

    @classmethod
    def _mapped(cls, column: pa.ChunkedArray) -> StoredTexts:
        stored = cls.__new__(cls)
        stored._column = column  # noqa: SLF001 - of its own class
        return stored

    def take(self, rows: Iterable[int], folder: Path | None = None) -> StoredTexts:
        """Return the given rows, in the given order, in a file of their own."""
        return StoredTexts((self[row] for row in rows), folder)

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


class StoredTextsWriter:
    """Writes texts to a file piece by piece: `close` returns them; without it, the file vanishes."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin a file below `folder`, or where temporary files are; raises OSError where that fails."""
        import pyarrow as pa

        handle, name = tempfile.mkstemp(prefix="harness-texts-", suffix=".arrow", dir=folder)
        self._path, self._file = Path(name), os.fdopen(handle, "wb")
        self._schema = pa.schema([("text", pa.large_string())])
        self._writer = pa.ipc.new_file(self._file, self._schema)
        self._batch: list[str] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)  # a mapping keeps it until it is closed

    def extend(self, texts: Iterable[str]) -> None:
        """Append texts; raises OSError where they cannot be written."""
        for text in texts:
            self._batch.append(text)
            self._size += len(text)
            if len(self._batch) == _AT_ONCE or self._size >= _CHARACTERS_AT_ONCE:
                self._flush()

    def close(self) -> StoredTexts:
        """Return what was written; raises OSError where the last of it cannot be."""
        import pyarrow as pa

        self._flush()
        self._writer.close()
        self._file.close()
        return StoredTexts._mapped(pa.ipc.open_file(pa.memory_map(str(self._path))).read_all().column(0))  # noqa: SLF001 - of this module

    def _flush(self) -> None:
        import pyarrow as pa

        column = pa.array(self._batch, pa.large_string())
        self._writer.write_batch(pa.record_batch([column], schema=self._schema))
        self._batch, self._size = [], 0
