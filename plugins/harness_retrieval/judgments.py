"""Read judgments: BEIR's three columns or TREC's four, with a header or without, in any format of rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import Finding, HarnessError, Severity, read_rows
from harness.authoring import as_floats, as_ids, read_text
from harness_retrieval.layout import LINES, first_few

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    Judgments = dict[str, dict[str, float]]
    """Query → document → score."""

ALIASES = {
    "query": ("query-id", "query_id", "qid"),
    "document": ("corpus-id", "corpus_id", "doc_id", "docid"),
    "score": ("score", "relevance", "rel"),
}
"""Our name of a column → BEIR's, and other names that published files give it."""
_BY_POSITION = {3: (0, 1, 2), 4: (0, 2, 3)}
"""Number of cells in a line → positions of query, document and score: BEIR's order, and TREC's."""
_SEPARATORS = {"tsv": "\t", "csv": ","}
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class JudgmentFiles:
    """The files of a split's judgments, and how they are read."""

    paths: Sequence[Path]
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column → the files' name, if it is none of ALIASES."""
    header: bool | None = None
    """Whether the first line names the columns; None: it does unless its last cell is a number."""

    def read(self) -> tuple[Judgments, list[Finding]]:
        """Return query → document → score, in the order of the files, and findings about the files.

        A judgment that repeats another is merged with it.
        Raises HarnessError for a line with another number of cells, a score that is not a number, and two
        judgments of one document for one query that differ.
        """
        judgments: Judgments = {}
        repeated: list[str] = []
        conflicts: list[str] = []
        bare: list[Path] = []
        for path in self.paths:
            rows, doubtful = self._rows(path)
            bare += [path] if doubtful else []
            for query, document, score in rows:
                known = judgments.setdefault(query, {})
                name = f"{document} for {query}"
                if document in known:
                    (repeated if known[document] == score else conflicts).append(name)
                known.setdefault(document, score)
        if conflicts:
            raise HarnessError(
                f"{self.paths[0]}: {len(conflicts)} documents are judged more than once for a query, and"
                f" differently: {first_few(conflicts)}",
                hint="keep one judgment of each",
            )
        return judgments, [*_no_header(bare), *_repeated(repeated, judgments)]

    def _rows(self, path: Path) -> tuple[Iterable[tuple[str, str, float]], bool]:
        """Return (query, document, score) of a file, and whether it lacks the header that BEIR's have."""
        name = path.name.lower()
        kind = next((kind for kind in (*_SEPARATORS, *LINES) if re.search(rf"\.{kind}(\.\w+)?$", name)), None)
        if kind is None:
            return self._named(path), False
        lines = [(number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]
        if not lines:
            raise HarnessError(f"empty dataset: {path} has no rows")
        separator = _separator(lines[0][1], kind)
        cells = [(number, _split(line, separator)) for number, line in lines]
        first = cells[0][1]
        has_header = self.header if self.header is not None else not _is_number(first[-1])
        positions = self._positions(first, path) if has_header else _order(first, path)
        lacks_header = not has_header and self.header is None and len(first) == len(ALIASES)
        return _typed(cells[has_header:], positions, len(first), path), lacks_header

    def _named(self, path: Path) -> Iterable[tuple[str, str, float]]:
        """Read a file whose format names its columns."""
        table = read_rows(path, (), optional=self._known())
        columns = {ours: self._column(ours, table) for ours in ALIASES}
        if missing := [ours for ours, name in columns.items() if name not in table]:
            read_rows(path, {ours: columns[ours] for ours in missing})  # raises, and says what there is
        query, document, score = (table[name] for name in columns.values())
        return zip(
            as_ids(query, columns["query"], path),
            as_ids(document, columns["document"], path),
            as_floats(score, columns["score"], path),
            strict=True,
        )

    def _positions(self, header: Sequence[str], path: Path) -> tuple[int, int, int]:
        """Return the positions of query, document and score among the names of a header."""
        names = [name.strip().strip('"') for name in header]
        wanted = [self._column(ours, names) for ours in ALIASES]
        missing = [name for name in wanted if name not in names]
        if missing:
            raise HarnessError(
                f"{path} has no column {', '.join(map(repr, missing))}",
                exists=f"its first line: {', '.join(names)}\nneeded: {', '.join(wanted)}",
                hint="in a task file: header = false if the first line is a judgment;"
                " columns = { query = '…', document = '…', score = '…' } if it names the columns",
            )
        query, document, score = (names.index(name) for name in wanted)
        return query, document, score

    def _known(self) -> list[str]:
        return [*self.columns.values(), *(name for names in ALIASES.values() for name in names)]

    def _column(self, ours: str, names: Iterable[str]) -> str:
        """Return the file's name of a column; BEIR's where it has none of the known ones."""
        if ours in self.columns:
            return self.columns[ours]
        present = set(names)
        return next((name for name in ALIASES[ours] if name in present), ALIASES[ours][0])


def _typed(
    cells: Sequence[tuple[int, Sequence[str]]], positions: Sequence[int], width: int, path: Path
) -> Iterable[tuple[str, str, float]]:
    """Yield (query, document, score) of lines; raises HarnessError that names the line."""
    query, document, score = positions
    for number, row in cells:
        if len(row) != width:
            raise HarnessError(f"{path}: line {number} has {len(row)} cells, not {width}")
        if not _is_number(row[score]):
            raise HarnessError(f"{path}: line {number}: the score is not a number: {row[score]!r}")
        if not row[query] or not row[document]:
            raise HarnessError(f"{path}: line {number} has an empty id: {row}")
        yield row[query], row[document], float(row[score])


def _order(first: Sequence[str], path: Path) -> tuple[int, int, int]:
    if len(first) not in _BY_POSITION:
        raise HarnessError(
            f"{path} has no header, and its first line {len(first)} cells: {', '.join(first)}",
            hint="judgments without a header have three cells (query, document, score), or TREC's four"
            " (query, 0, document, score)",
        )
    return _BY_POSITION[len(first)]


def _separator(line: str, kind: str) -> str | None:
    """Return what separates the cells of a file; None for any white space, as TREC's tools read it."""
    separator = _SEPARATORS.get(kind, "\t")
    return separator if separator in line else None


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return _BLANK.split(line.strip())
    if separator == ",":
        import csv

        try:
            return [cell.strip() for cell in next(csv.reader([line]))]
        except csv.Error:  # a cell of more than 131,072 characters is no id
            return [line]
    return [cell.strip() for cell in line.split(separator)]


def _is_number(text: Any) -> bool:  # noqa: ANN401 - a cell
    import math

    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _no_header(paths: Sequence[Path]) -> Iterable[Finding]:
    if paths:
        yield Finding(
            "no-header",
            Severity.NOTE,
            f"the last cell of the first line of {paths[0].name} is a number: it is read as a judgment,"
            " not as a header",
            "header = true or false in the task file says which it is",
        )


def _repeated(repeated: Sequence[str], judgments: Judgments) -> Iterable[Finding]:
    if repeated:
        total = sum(map(len, judgments.values()))
        yield Finding(
            "repeated-judgments",
            Severity.NOTE,
            f"{len(repeated)} of {total + len(repeated)} judgments repeat another, and are merged with it:"
            f" {first_few(repeated)}",
            "remove the repetitions from the file",
        )
