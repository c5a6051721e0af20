"""Read a corpus that is too large for memory: its texts stay on disk, its ids do not."""

from __future__ import annotations

import tempfile
from itertools import repeat
from typing import TYPE_CHECKING, Any

from harness import Finding, HarnessError
from harness.authoring import Columns, StoredTextsWriter, as_ids, as_texts
from harness_retrieval.texts import LateIdsError, Texts, text_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness_retrieval.texts import TextFiles

LARGE = 200 * 2**20
"""Bytes of files that are not compressed, from which on their texts stay on disk."""
LARGE_COMPRESSED = 64 * 2**20
"""Bytes of compressed files, parquet among them, from which on their texts stay on disk."""
_PLAIN = (".jsonl", ".json", ".tsv", ".csv", ".arrow")


def are_large(paths: Sequence[Path]) -> bool:
    """Whether files, or those of folders, are so large together that their texts stay on disk."""
    plain = compressed = 0
    files = [file for path in paths for file in (path.iterdir() if path.is_dir() else [path])]
    for file in files:
        if file.suffix.lower() in _PLAIN:
            plain += file.stat().st_size
        else:
            compressed += file.stat().st_size
    return plain > LARGE or compressed > LARGE_COMPRESSED


def read_large_texts(files: TextFiles) -> Texts:
    """Return what `files.read` returns, with texts on disk.

    Raises HarnessError as it does, and where the texts cannot be written.
    """
    id_columns: dict[Path, str] = {}
    bodies = False
    while True:
        try:
            with StoredTextsWriter() as texts, StoredTextsWriter() as titleless:
                return _Reader(files, id_columns, texts, titleless if bodies else None).read()
        except LateIdsError as late:
            id_columns[late.path] = late.column
        except _LateTitleError:
            bodies = True
        except OSError as error:
            raise HarnessError(
                f"cannot write the texts of {files.paths[0]} to {tempfile.gettempdir()}: {error.strerror}",
                hint="TMPDIR=DIR says where temporary files go; they take about as much as the texts",
            ) from error


class _LateTitleError(Exception):
    """The first title: from here on texts without their titles are needed, those of earlier rows too."""


class _Reader:
    """Reads files once, in batches."""

    def __init__(
        self,
        files: TextFiles,
        id_columns: dict[Path, str],
        texts: StoredTextsWriter,
        bodies: StoredTextsWriter | None,
    ) -> None:
        self._files, self._id_columns = files, id_columns
        self._texts, self._bodies = texts, bodies
        self._ids: dict[str, None] = {}
        self._again: list[tuple[str, bytes]] = []
        """Ids that were there before, and the hashes of the texts that they came with."""

    def read(self) -> Texts:
        """Return ids and texts; raises HarnessError, OSError, LateIdsError and _LateTitleError."""
        seen = [finding for path in self._files.paths for finding in self._read_file(path)]
        ids, texts = list(self._ids), self._texts.close()
        self._ids.clear()
        wanted = {name for name, _ in self._again}
        pairs = zip(ids, texts, strict=True) if wanted else ()
        first = {name: text_hash(text) for name, text in pairs if name in wanted}
        self._files.refuse([name for name, found in self._again if found != first[name]])
        repeated = [name for name, _ in self._again]
        bodies = self._bodies.close() if self._bodies is not None else []
        return Texts(ids, texts, bodies, (*seen, *self._files.findings(repeated, len(ids))))

    def _read_file(self, path: Path) -> list[Finding]:
        """Keep the rows of a file, and return the findings on it."""
        faults = _Faults()
        findings: list[Finding] = []
        for rows in self._files.batches(path, self._id_columns.get(path)):
            findings += rows.findings
            if rows and not faults.find(rows):
                self._keep(rows)
        faults.check()
        return findings

    def _keep(self, rows: Columns) -> None:
        """Append rows; one whose id was there before is put aside."""
        bodies = rows["text"]
        titles = [title or "" for title in rows.get("title", ())] or [""] * len(bodies)
        if self._bodies is None and any(titles):
            raise _LateTitleError
        new, kept = [], []
        for name, title, body in zip(as_ids(rows["id"], "id", rows), titles, bodies, strict=True):
            text = self._files.text(title, body)
            if name in self._ids:
                self._again.append((name, text_hash(text)))
            else:
                self._ids[name] = None
                new.append(text)
                kept.append(body)
        self._texts.extend(new)
        if self._bodies is not None:
            self._bodies.extend(kept)


class _Faults:
    """Cells of a file that are not what they must be: named as those of a whole file, when it was read."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[Columns, Any, int]] = {}
        """Column → place and value of the first cell that is not a text, and how many there are."""
        self._ids: HarnessError | None = None

    def find(self, rows: Columns) -> bool:
        """Return whether there are faults up to here."""
        for column in ("text", "title"):
            cells = rows.get(column, [])
            if column == "title":
                cells = [title or "" for title in cells]
            wrong = [row for row, cell in enumerate(cells) if not isinstance(cell, str)]
            if wrong:
                place = Columns({}, [rows.places[wrong[0]]])
                place, value, count = self._texts.get(column, (place, cells[wrong[0]], 0))
                self._texts[column] = place, value, count + len(wrong)
        if self._ids is None:
            try:
                as_ids(rows["id"], "id", rows)
            except HarnessError as error:
                self._ids = error
        return bool(self._texts or self._ids)

    def check(self) -> None:
        """Raise HarnessError for the first fault: of texts, then of titles, then of ids."""
        for column in ("text", "title"):
            if column in self._texts:
                place, value, count = self._texts[column]
                as_texts([value, *repeat(None, count - 1)], column, place)
        if self._ids is not None:
            raise self._ids
