"""Where corpus, queries and judgments are in a folder: BEIR's layout, the hub's, MS MARCO's and TREC's.

| | files, by precedence |
|---|---|
| corpus | `corpus.jsonl`, `corpus/corpus-00000-of-00001.parquet`, `corpus/`, `collection.tsv` |
| queries | `queries.jsonl`, `queries/…`, `queries.SPLIT.tsv` |
| judgments | `qrels/SPLIT.tsv`, `qrels.SPLIT.txt`, `SPLIT.qrels`, `data/SPLIT-00000-of-00001.parquet` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from harness import Finding, HarnessError, Severity
from harness.authoring import missing_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ENDINGS = ("jsonl", "tsv", "json", "csv", "parquet", "arrow")
"""Endings of files of rows, by precedence; BEIR's own are jsonl for texts, tsv for judgments."""
LINES = ("txt", "qrels")
"""Further endings of judgments: TREC's four columns."""
_COMPRESSED = ("", ".gz", ".bz2", ".xz", ".zst")
_SHARD = re.compile(r"-\d+-of-\d+$")
_COUNT = re.compile(r"-of-(\d+)$")
_QRELS_FOLDERS = ("qrels", "data", "default")
"""Folders that hold a file for each split; on the hub, also under its names."""
_LAYOUT = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv (others: docs/data.md)"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a folder."""

    folder: Path
    split: str
    prefix: str = ""
    """The hub's name of one of several corpora: `en` for `en-corpus`, `en-queries`, `en-qrels`."""

    def corpus(self) -> list[Path]:
        """Return the file of the documents, or its shards; raises HarnessError where there is none."""
        return self._texts("corpus", ("corpus", "collection"))

    def queries(self) -> list[Path]:
        """Return the file of the queries, or its shards; raises HarnessError where there is none."""
        return self._texts("queries", self._query_names())

    def judgments(self) -> list[Path]:
        """Return the file of the split's judgments, or its shards.

        Raises HarnessError that names the splits that there are.
        """
        split, endings = self.split, (*ENDINGS, *LINES)
        names = [f"{folder}/{split}" for folder in self._qrels_folders()]
        names += [f"qrels.{split}", f"qrels.{split}.small", f"{split}.qrels", split, "qrels"]
        for name in names:
            if found := self._files(name, endings) or _saved(self.folder / name):
                return found
        self._require_folder()
        splits = self._splits()
        raise HarnessError(
            f"no judgments of the split {split!r} in {self.folder}",
            exists=f"splits: {', '.join(splits)}" if splits else _present(self.folder),
            hint=f"split = {splits[0]!r} in the task file" if splits else _LAYOUT,
        )

    def findings(self) -> list[Finding]:
        """Return which files that could be meant were not read, and which numbers parts lack."""
        split = self.split
        texts = (self._own(("corpus", "collection")), self._own(self._query_names()))
        found = []
        for files, names, endings in (
            (self.corpus(), texts[0], ENDINGS),
            (self.queries(), texts[1], ENDINGS),
            (self.judgments(), [f"{folder}/{split}" for folder in self._qrels_folders()], (*ENDINGS, *LINES)),
        ):
            found += [*self._unread(files, names, endings), *missing_parts(files)]
        return found

    def _unread(
        self, files: Sequence[Path], names: Iterable[str], endings: Iterable[str]
    ) -> Iterable[Finding]:
        """Find files of the same name and another ending, or compressed, beside those that were read."""
        candidates = [
            self.folder / f"{name}.{ending}{compression}"
            for name in names
            for ending in endings
            for compression in _COMPRESSED
        ]
        others = [path for path in candidates if path.is_file() and path not in files]
        if others:
            shown = first_few(str(path.relative_to(self.folder)) for path in others)
            evidence = f"{files[0].relative_to(self.folder)} was read, and not what is beside it: {shown}"
            remedy = "remove or rename the one that is not meant"
            yield Finding("other-files", Severity.WARNING, evidence, remedy)

    def _query_names(self) -> Sequence[str]:
        return "queries", f"queries.{self.split}", f"queries.{self.split}.small"

    def _own(self, names: Sequence[str]) -> list[str]:
        """Return names in the folder, by precedence; those of one of several corpora have its prefix."""
        if not self.prefix:
            return list(names)
        return [own for name in names for own in (f"{self.prefix}-{name}", f"{self.prefix}/{name}")]

    def _texts(self, what: str, names: Sequence[str]) -> list[Path]:
        for own in self._own(names):
            if found := self._files(own, ENDINGS) or self._inside(own):
                return found
        prefix = f"{self.prefix}-" if self.prefix else ""
        self._require_folder()
        raise HarnessError(
            f"no file {prefix}{what} in {self.folder}", exists=_present(self.folder), hint=_LAYOUT
        )

    def _inside(self, name: str) -> list[Path]:
        """Return the files of a folder of rows: of its own name, of the split, or all of one format."""
        if saved := _saved(self.folder / name):
            return saved
        for own in (re.split("[-/]", name)[-1], self.split):
            if found := self._files(f"{name}/{own}", ENDINGS) or _saved(self.folder / name / own):
                return found
        for ending in ENDINGS:
            for compression in _COMPRESSED:
                if found := sorted((self.folder / name).glob(f"*.{ending}{compression}")):
                    return _complete(found)
        return []

    def _qrels_folders(self) -> Sequence[str]:
        if not self.prefix:
            return _QRELS_FOLDERS
        return f"{self.prefix}-qrels", self.prefix, *(f"{self.prefix}/{name}" for name in _QRELS_FOLDERS)

    def _files(self, name: str, endings: Iterable[str]) -> list[Path]:
        """Return the file of a name with one of the endings, compressed or not, or all of its shards."""
        for ending in endings:
            for compression in _COMPRESSED:
                path = self.folder / f"{name}.{ending}{compression}"
                if path.is_file():
                    return [path]
                shards = sorted(
                    shard
                    for shard in path.parent.glob(f"*.{ending}{compression}")
                    if _SHARD.sub("", _stem(shard)) == path.name.removesuffix(f".{ending}{compression}")
                )
                if shards:
                    return _complete(shards)
        return []

    def _splits(self) -> list[str]:
        """Return the splits that have judgments."""
        inside = [
            _SHARD.sub("", _stem(path))
            for folder in self._qrels_folders()
            for path in sorted((self.folder / folder).glob("*.*"))
            if path.is_file() and not path.name.startswith((".", "README"))
        ]
        beside = [
            match["before"] or match["after"]
            for path in sorted(self.folder.glob("*qrels*"))
            if (match := re.match(r"(?:qrels\.(?P<after>[^.]+)|(?P<before>.+)\.qrels)", path.name))
        ]
        return list(dict.fromkeys([*inside, *beside]))

    def _require_folder(self) -> None:
        if not self.folder.is_dir():
            raise HarnessError(f"no folder {self.folder}", hint=_LAYOUT)


def first_few(items: Iterable[str], most: int = 3) -> str:
    """Return the first items for a sentence."""
    shown = list(islice(items, most + 1))
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")


def _complete(shards: list[Path]) -> list[Path]:
    """Return the numbered files of a table; raises HarnessError if some are missing."""
    counts = {int(match[1]) for path in shards if (match := _COUNT.search(_stem(path)))}
    if counts and counts != {len(shards)}:
        raise HarnessError(
            f"{shards[0].parent}: of {max(counts)} files such as {shards[0].name} there are {len(shards)}",
            hint="fetch the missing ones: part of the rows is not the dataset",
        )
    return shards


def _saved(folder: Path) -> list[Path]:
    """Return a folder that `save_to_disk` of datasets wrote, which is read as a whole."""
    return [folder] if (folder / "state.json").is_file() else []


def _present(folder: Path) -> str | None:
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    return f"there: {first_few(names, 20)}" if names else None


def _stem(path: Path) -> str:
    """Return a file's name without its ending, and without that of its compression."""
    name = path.name
    for compression in _COMPRESSED[1:]:
        name = name.removesuffix(compression)
    return name.rpartition(".")[0] or name
