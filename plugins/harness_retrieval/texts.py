"""Read a corpus or queries, ids and texts, from one file or its shards."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import Finding, HarnessError, Severity, read_rows
from harness.authoring import Columns, as_ids, as_texts, read_row_batches
from harness_retrieval.layout import first_few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

IDS = ("_id", "id")
"""Names of the column of ids: BEIR's, and the one that newer copies on the hub have."""
_READ = ("id", "text", "title")
_BARE = ("id", "text")
_MS_MARCO = re.compile(r"(collection|queries\..+)\.tsv")
_NAMES_OF_IDS = frozenset({*IDS, "pid", "qid", "docid"})
"""What the first cell of a header is called."""


class LateIdsError(Exception):
    """A column of ids that takes precedence began after rows without it: the file is to be read again."""

    def __init__(self, path: Path, column: str) -> None:
        super().__init__(path, column)
        self.path, self.column = path, column


@dataclass(frozen=True, slots=True)
class Texts:
    """Documents or queries, in the order of the files."""

    ids: Sequence[str]
    texts: Sequence[str]
    """What is encoded."""
    bodies: Sequence[str]
    """Without the title; empty if none has one."""
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class TextFiles:
    """The files of a corpus (`document`) or of queries (`query`), and how they are read."""

    paths: Sequence[Path]
    what: str
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column (id, text, title) → the files' name."""
    template: str | None = None
    """Template of the text, over the fields of a record."""
    header: bool | None = None
    """Whether tsv and csv files name their columns; None: they do, except MS MARCO's."""

    def read(self) -> Texts:
        """Return texts by id; the text of a document with a title is title + space + text, as in BEIR.

        The same id with the same text again is merged, and counted in a finding.
        Raises HarnessError for one id of different texts, and for what cannot be read.
        """
        texts: dict[str, str] = {}
        bodies: dict[str, str] = {}
        repeated: list[str] = []
        conflicts: list[str] = []
        titled = False
        seen: list[Finding] = []
        for path in self.paths:
            rows = self._read(path)
            seen += rows.findings
            for name, title, body in _typed(rows):
                titled |= bool(title)
                text = self.text(title, body)
                if name in texts:
                    (repeated if texts[name] == text else conflicts).append(name)
                else:
                    texts[name], bodies[name] = text, body
        self.refuse(conflicts)
        findings = (*seen, *self.findings(repeated, len(texts)))
        return Texts(list(texts), list(texts.values()), list(bodies.values()) if titled else [], findings)

    def refuse(self, conflicts: Sequence[str]) -> None:
        """Raise HarnessError if there are ids of different texts."""
        if conflicts:
            raise HarnessError(
                f"{self.paths[0]}: {len(conflicts)} duplicate ids of different texts: {first_few(conflicts)}",
                hint="each must occur once",
            )

    def findings(self, repeated: Sequence[str], total: int) -> list[Finding]:
        """Return findings on headers and on repetitions. repeated: their ids; total: number of the others."""
        return [*self._no_header(), *self._repeated(repeated, total)]

    def text(self, title: str, body: str) -> str:
        """Return what is encoded."""
        return f"{title} {body}".strip() if self._titled() else body

    def batches(self, path: Path, ids: str | None = None) -> Iterator[Columns]:
        """Yield the columns id, text and perhaps title of a file in batches; the last has findings alone.

        ids: name of the column of ids; None finds it, and raises LateIdsError if a later batch has another.
        """
        templates = self._templates()
        if self._bare(path):
            rows = read_row_batches(path, _BARE, templates=templates, header=_BARE)
            for number, batch in enumerate(rows):
                yield self._without_names(batch) if number == 0 and "id" in batch else batch
            return
        columns, optional = self._columns(), (*IDS, "title")
        rows = read_row_batches(path, columns, optional=optional, templates=templates, header=self.header)
        try:
            yield from rows if "id" in columns else self._with_ids(rows, path, ids)
        except HarnessError as error:
            raise self._with_hint(error, path) from error

    def _with_ids(self, rows: Iterator[Columns], path: Path, ids: str | None) -> Iterator[Columns]:
        """Yield batches with the column id; raises HarnessError if none has a column of ids."""
        name = ids
        for number, batch in enumerate(rows):
            if batch and ids is None:
                found = id_column(batch)
                if number and found is not None and found != name:
                    raise LateIdsError(path, found)
                name = found
            if batch:
                batch["id"] = batch.get(name or "", [None] * len(batch["text"]))
            yield batch
        if name is None:
            for _ in read_row_batches(path, {"id": IDS[0]}):  # raises, and says what there is
                pass

    def _templates(self) -> dict[str, str]:
        return {"text": self.template} if self.template is not None else {}

    def _columns(self) -> dict[str, str]:
        """Return our names of the columns that a file must have → the file's."""
        columns = {name: self.columns.get(name, name) for name in ("text", *self.columns) if name in _READ}
        if not self._titled():
            columns.pop("title", None)
        return columns

    def _without_names(self, rows: Columns) -> Columns:
        """Return the rows of a file without a header, without a first one that names columns."""
        start = rows["id"][0] in _NAMES_OF_IDS and self.header is None
        return rows.take(range(start, len(rows["id"])))

    def _read(self, path: Path) -> Columns:
        """Return the columns id, text and perhaps title of a file."""
        if not self._bare(path):
            return self._named(path)
        return self._without_names(read_rows(path, _BARE, templates=self._templates(), header=_BARE))

    def _named(self, path: Path) -> Columns:
        """Return the columns id, text and, of documents without a template, title if there is one."""
        columns, optional = self._columns(), (*IDS, "title")
        try:
            rows = read_rows(
                path, columns, optional=optional, templates=self._templates(), header=self.header
            )
            if "id" not in columns:
                name = id_column(rows) or IDS[0]
                rows["id"] = rows[name] if name in rows else read_rows(path, {"id": name})["id"]
        except HarnessError as error:
            raise self._with_hint(error, path) from error
        if not self._titled():
            rows.pop("title", None)
        return rows

    def _with_hint(self, error: HarnessError, path: Path) -> HarnessError:
        """Return an error of reading, with what to say if there is no header."""
        if error.exists and _delimited(path) and self.header is None:
            hint = f"header = false in a task file if the first line is a row; else {error.hint}"
            return HarnessError(error.message, exists=error.exists, hint=hint)
        return error

    def _titled(self) -> bool:
        """Whether titles belong to the texts: those of documents do, unless a template makes the text."""
        return self.what == "document" and self.template is None

    def _bare(self, path: Path) -> bool:
        """Whether a file has no header: as the task file says, else where MS MARCO's names are given."""
        if not _delimited(path):
            return False
        return not self.header if self.header is not None else bool(_MS_MARCO.match(path.name.lower()))

    def _no_header(self) -> Iterable[Finding]:
        if self.header is None and (bare := [path.name for path in self.paths if self._bare(path)]):
            yield Finding(
                "no-header",
                Severity.NOTE,
                f"{bare[0]} is read as MS MARCO's: id and text, without a header",
                "header = true or false in a task file says which it is",
            )

    def _repeated(self, repeated: Sequence[str], total: int) -> Iterable[Finding]:
        if repeated:
            plural = {"document": "documents", "query": "queries"}[self.what]
            yield Finding(
                f"repeated-{plural}",
                Severity.NOTE,
                f"{len(repeated)} of {total + len(repeated)} {plural} repeat another, id and text, and are"
                f" merged with it: {first_few(repeated)}",
                "remove the repetitions from the file",
            )


def id_column(rows: Columns) -> str | None:
    """Return the name of the column of ids; None if there is none of its names."""
    return next((known for known in IDS if known in rows), None)


def text_hash(text: str) -> bytes:
    """Return 128 bits that equal texts share, and no two others."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _typed(rows: Columns) -> Iterable[tuple[str, str, str]]:
    """Return (id, title, text) of rows."""
    bodies = as_texts(rows["text"], "text", rows)
    titles = as_texts([title or "" for title in rows.get("title", ())], "title", rows)
    return zip(as_ids(rows["id"], "id", rows), titles or [""] * len(bodies), bodies, strict=True)


def _delimited(path: Path) -> bool:
    return bool(re.search(r"\.(tsv|csv)(\.\w+)?$", path.name.lower()))
