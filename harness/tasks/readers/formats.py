"""Formats by a file's ending, and the files of a folder that hold a split."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.compression import COMPRESSIONS, compression_of
from harness.system.paths import accessible
from harness.tasks.readers.json_rows import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeGuard

DELIMITED = ("csv", "tsv", "txt")
JSON = ("jsonl", "json")
BINARY = ("parquet", "arrow")
FORMATS = (*DELIMITED, *JSON, *BINARY)
"""Endings of files of rows; those of text may be followed by one of COMPRESSIONS."""
_SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")
_SPLIT_NAMES = re.compile(r"(train|test|dev|val|valid|validation|eval|trial)\b", re.IGNORECASE)


def format_of(path: Path) -> str | None:
    """Return the format that a file's ending names: `jsonl` for `rows.jsonl.gz`; None for an unknown one."""
    compressed = compression_of(path)
    ending = Path(path.stem if compressed else path.name).suffix.lower().lstrip(".")
    return ending if ending in FORMATS and not (compressed and ending in BINARY) else None


def unknown_format(path: Path) -> HarnessError:
    """Return the error for a file whose ending names no format."""
    compressed = ", ".join(f".jsonl.{name}" for name in COMPRESSIONS)
    return HarnessError(
        f"{path}: unknown format {path.suffix!r}",
        exists=f"known: {', '.join(FORMATS)}; compressed texts, such as {compressed}",
    )


def find_files(paths: Path | Sequence[Path], split: str | None = None) -> list[Path]:
    """Return the files of rows at paths, in order; those of a pattern, such as `2015/*.tsv`, sorted by name.

    Raises HarnessError as `files_of` does, for a pattern without files, and for a file that is named twice.
    """
    named = [paths] if isinstance(paths, Path) else paths
    files = [file for path in named for found in _expand(path) for file in files_of(found, split)]
    repeated = next((file for number, file in enumerate(files) if file in files[:number]), None)
    if repeated is not None:
        raise HarnessError(f"{repeated} is named twice", hint="its rows would count twice")
    return files


def _expand(path: Path) -> list[Path]:
    """Return the files of a pattern, sorted; a path without one, or that exists, is itself."""
    if not re.search(r"[*?[]", str(path)) or path.exists():
        return [path]
    folder, pattern = path.parent, path.name
    while not folder.is_dir() and folder.name:
        folder, pattern = folder.parent, f"{folder.name}/{pattern}"
    try:
        found = sorted(file for file in folder.glob(pattern) if file.is_file())
    except (ValueError, NotImplementedError) as error:
        raise HarnessError(f"{path} is not a pattern of files: {error}") from error
    if not found:
        there = sorted(entry.name for entry in folder.iterdir())
        raise HarnessError(
            f"no file matches {path}",
            exists=f"in {folder}: {', '.join(there[:20]) or 'nothing'}{' …' if len(there) > 20 else ''}",
        )
    return found


def files_of(path: Path, split: str | None = None) -> list[Path]:
    """Return the files of rows at a path, in order: the file itself, or those of a folder's split.

    A folder is one that `datasets` saved (`save_to_disk`, of a dataset or of several splits), a copy of a
    hub's repository (`data/test-00000-of-00002.parquet`, `test.jsonl`, `test/…`), or holds the files of one
    split. split: `test` if None; it must be None for a file, and where there are no splits.
    Raises HarnessError for a path that does not exist, a missing shard, and an unknown split.
    """
    if path.is_file():
        if split is not None:
            raise HarnessError(f"{path} is a file, so it has no split {split!r}", hint="leave out `split`")
        return [path]
    if not path.is_dir():
        raise HarnessError(
            f"no file {path}", hint="check the path; folders are read by tasks that expect one"
        )
    if (path / "dataset_dict.json").is_file():
        return _saved_dataset(accessible(path / _of_saved_splits(path, split)))
    if (path / "state.json").is_file():
        if split is not None:
            raise HarnessError(f"{path} has no splits: one dataset was saved", hint="leave out `split`")
        return _saved_dataset(path)
    return _split_files(path, split)


def _of_saved_splits(folder: Path, split: str | None) -> str:
    content = read_json(folder / "dataset_dict.json")
    names = content.get("splits") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(_is_plain_name(name) for name in names):
        raise HarnessError(f"{folder / 'dataset_dict.json'} does not list splits")
    return _chosen(split, names, folder)


def _saved_dataset(folder: Path) -> list[Path]:
    """Return the files that `state.json` lists."""
    state = folder / "state.json"
    content = read_json(state) if state.is_file() else None
    listed = content.get("_data_files") if isinstance(content, dict) else None
    entries = listed if isinstance(listed, list) else []
    names = [entry.get("filename") if isinstance(entry, dict) else None for entry in entries]
    plain = [name for name in names if _is_plain_name(name)]
    if not names or len(plain) < len(names):
        raise HarnessError(f"{folder} is not a dataset that save_to_disk wrote: state.json names no files")
    files = [accessible(folder / name) for name in plain]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise HarnessError(f"{folder} lacks {', '.join(missing)}, which its state.json lists")
    return files


def _is_plain_name(name: object) -> TypeGuard[str]:
    """Whether a value of a file is the name of an entry of its folder: no path leads out."""
    return isinstance(name, str) and name not in ("", ".", "..") and not re.search(r"[/\\\0]", name)


def _chosen(split: str | None, names: Iterable[str], folder: Path) -> str:
    wanted, known = split or "test", list(dict.fromkeys(names))
    if wanted not in known:
        raise HarnessError.unknown(f"split in {folder}", wanted, known, hint='choose one: split = "…"')
    return wanted


def _split_files(folder: Path, split: str | None) -> list[Path]:
    """Find a split's files in a folder, in `data/`, or in a folder of the split's name."""
    groups = _by_split(folder) or _by_split(folder / "data")
    if not groups:
        there = sorted(entry.name for entry in folder.iterdir())
        raise HarnessError(
            f"{folder} has no files of rows",
            exists=f"there: {', '.join(there[:20]) or 'nothing'}{' …' if len(there) > 20 else ''}",
            hint=f"endings: {', '.join(FORMATS)}",
        )
    if not any(_is_split(name, files) for name, files in groups.items()):
        return _unnamed_split(folder, [file for files in groups.values() for file in files], split)
    if split is None and list(groups) == [folder.name]:
        split = folder.name  # corpus/corpus-00000-of-00001.parquet
    files = groups[_chosen(split, groups, folder)]
    _check_shards(files)
    return _of_one_format(folder, files)


def _unnamed_split(folder: Path, files: list[Path], split: str | None) -> list[Path]:
    """Return files whose names name no split: they are parts of one if their names differ in digits alone."""
    there = ", ".join(file.name for file in files[:20])
    if split is not None:
        raise HarnessError(f"{folder} has no splits", exists=f"there: {there}", hint="leave out `split`")
    if len({re.sub(r"[0-9]+", "", file.name) for file in files}) > 1:
        raise HarnessError(
            f"{folder} has several files of rows, and not as parts of one",
            exists=f"there: {there}",
            hint='name those to read: path = ["…"]',
        )
    return files


def _by_split(folder: Path) -> Mapping[str, list[Path]]:
    """Group a folder's files of rows by the split that their names, or their folders, begin with."""
    groups: dict[str, list[Path]] = {}
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    for entry in entries:
        if entry.is_file() and format_of(entry):
            groups.setdefault(_split_name(entry), []).append(entry)
        elif entry.is_dir() and _SPLIT_NAMES.fullmatch(entry.name):
            inner = [file for file in sorted(entry.iterdir()) if file.is_file() and format_of(file)]
            if inner:
                groups.setdefault(entry.name, []).extend(inner)
    return groups


def _split_name(file: Path) -> str:
    shard = _shard(file)
    return shard["split"] if shard else file.name.partition(".")[0]


def _is_split(name: str, files: Sequence[Path]) -> bool:
    """Whether the name of a group is a split's, and not that of a file or a part."""
    return bool(_SPLIT_NAMES.match(name)) or any(_shard(file) for file in files)


def _shard(file: Path) -> re.Match[str] | None:
    return _SHARD.fullmatch(file.name.partition(".")[0])


def are_shards(files: Sequence[Path]) -> bool:
    """Whether all files are numbered as `00000-of-00003`, so that none can be missing unseen."""
    return all(_shard(file) for file in files)


def _check_shards(files: Sequence[Path]) -> None:
    """Raise HarnessError if files that are numbered `00000-of-00003` are not all there."""
    shards = [shard for file in files if (shard := _shard(file))]
    if not shards:
        return
    numbers, count = [int(shard["number"]) for shard in shards], int(shards[0]["count"])
    if sorted(numbers) != list(range(count)) or len({shard["count"] for shard in shards}) > 1:
        name = f"{shards[0]['split']}-…-of-{count:05}"
        missing = next((number for number in range(count) if number not in numbers), None)
        raise HarnessError(
            f"{files[0].parent}: of {count} files {name} there are {len(files)}",
            hint="remove those of another version"
            if missing is None
            else f"download number {missing:05}, which is missing",
        )


def _of_one_format(folder: Path, files: list[Path]) -> list[Path]:
    formats = dict.fromkeys(format_of(file) for file in files)
    if len(formats) > 1:
        raise HarnessError(
            f"{folder} has files of rows in several formats",
            exists=f"there: {', '.join(file.name for file in files[:20])}",
            hint='name the files: path = ["…"]',
        )
    return files
