"""Texts that stay on disk: a sequence of strings, read where they are asked for."""

from __future__ import annotations

import mmap
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
_BYTES_HELD = 2**25
"""Bytes that are read before their pages are given back; the system keeps them where it has room."""
_CHARACTERS_AT_ONCE = 2**24
"""Characters at which a batch is written, however few its texts are."""


class StoredTexts(Sequence[str]):
    """Many texts in a file of Arrow's, mapped into memory: pages that are not read take none.

    The file vanishes with the last object that has it open. A slice is a list.
    """

    _column: pa.ChunkedArray
    _pages: mmap.mmap
    _read = 0
    """Bytes that were read since pages were given back."""

    def __init__(self, texts: Iterable[str], folder: Path | None = None) -> None:
        """Write texts to a file below `folder`, or where temporary files are.

        Raises OSError where it cannot be written.
        """
        with StoredTextsWriter(folder) as writer:
            writer.extend(texts)
            vars(self).update(vars(writer.close()))

    @classmethod
    def _of(cls, path: Path) -> StoredTexts:
        """Return the texts of a file that is written."""
        import pyarrow as pa

        with path.open("rb") as file:
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(pages)))
        stored = cls.__new__(cls)
        vars(stored).update(_pages=pages, _column=reader.read_all().column(0))
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
            part = self._column.slice(rows.start, len(rows))
            texts: list[str] = part.to_pylist()
            self._give_back(part.nbytes)
            return texts
        row = range(len(self))[at]  # raises IndexError, and counts from the end
        text: str = self._column[row].as_py()
        return text

    def _give_back(self, read: int) -> None:
        """Let go of pages now and then: those of a mapped file count as memory of the process until then."""
        self._read += read
        if self._read > _BYTES_HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._read = 0
            self._pages.madvise(mmap.MADV_DONTNEED)

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
        self._flush()
        self._writer.close()
        self._file.close()
        return StoredTexts._of(self._path)  # noqa: SLF001 - of this module

    def _flush(self) -> None:
        import pyarrow as pa

        column = pa.array(self._batch, pa.large_string())
        self._writer.write_batch(pa.record_batch([column], schema=self._schema))
        self._batch, self._size = [], 0
