"""Which files of a dataset are a split: as its card says, or as `datasets` has cached it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.limits import CARD
from harness.system.text_file import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEADS_OUT = re.compile(r"^[/~]|(^|[/\\])\.\.([/\\]|$)|:/|::")
_SHARD = re.compile(r"(?P<name>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\..+")


def split_files(name: str, folder: Path, split: str, config: str | None) -> list[Path]:
    """Return the files of a split in a snapshot; `datasets` reads the card, or knows the names of files.

    Raises HarnessError for an unknown configuration or split, and where there are no files of rows.
    """
    import datasets

    _check_card(name, folder)
    try:
        with tempfile.TemporaryDirectory() as empty:  # it makes a lock file where it would cache
            builder = datasets.load_dataset_builder(str(folder), config, cache_dir=empty)
    except Exception as error:  # a card is a stranger's, of any shape, and the library trusts it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HarnessError(
            f"the dataset {name} cannot be read: {reason}",
            exists=f"in the cache: {_listed(folder)}",
            hint="config = '…' in a task file names a subset; harness reads files of rows alone",
        ) from error
    found = builder.config.data_files or {}
    if split not in found:
        raise HarnessError.unknown(
            f"split of the dataset {name}",
            split,
            map(str, found),
            hint=f"files in the cache: {_listed(folder)}; split = '…' in a task file names another",
        )
    files = [Path(file) for file in found[split]]
    for file in files:
        if not file.absolute().is_relative_to(folder.absolute()):
            raise HarnessError(f"the card of the dataset {name} names a file outside of it: {file}")
    _check_complete(files)
    return files


def _check_card(name: str, folder: Path) -> None:
    """Raise HarnessError for a card that names files elsewhere: `datasets` would fetch them."""
    from harness.system.front_matter import cut_front_matter

    for file in (folder / "README.md", folder / ".huggingface.yaml"):
        text = read_text(file, CARD) if file.is_file() else ""
        whole = text if file.suffix == ".md" else f"---\n{text}\n---\n"
        card, _ = cut_front_matter(whole, f"the card of the dataset {name}")
        elsewhere = next(_elsewhere(card.get("configs")), None)
        if elsewhere is not None:
            raise HarnessError(f"the card of the dataset {name} names files outside of it: {elsewhere}")


def _elsewhere(value: object) -> Iterator[str]:
    """Yield the texts of a card's configurations that lead out of the dataset, each value looked at once."""
    left, seen = [value], set()
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str) and _LEADS_OUT.search(value):
            yield value


def _check_complete(files: list[Path]) -> None:
    """Raise HarnessError where only some of a split's numbered files are there."""
    shards = [shard for file in files if (shard := _SHARD.fullmatch(file.name))]
    counts = {(shard["name"], int(shard["count"])) for shard in shards}
    for name, count in counts:
        there = [int(shard["number"]) for shard in shards if shard["name"] == name]
        if sorted(there) != list(range(count)):
            raise HarnessError(
                f"{files[0].parent}: of {count} files {name}-…-of-{count:05} there are {len(there)}",
                hint="fetch the dataset again: a download was interrupted",
            )


def cached_arrow_files(name: str, commit: str, split: str, config: str | None) -> list[Path]:
    """Return the Arrow files of a split that `datasets` has written to its own cache; none if it has not.

    Only those of the very commit: where the hub is out of reach, `datasets` itself takes whichever is newest.
    """
    import datasets

    owner, _, last = name.partition("/")
    snake = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", last)).lower()
    root = Path(datasets.config.HF_DATASETS_CACHE) / f"{owner}___{snake}"
    folders = [
        folder
        for folder in sorted(root.glob(f"{config or '*'}/*/{commit}"))
        if (folder / "dataset_info.json").is_file()
    ]
    if len(folders) != 1:
        return []
    stem = re.compile(rf".*-{re.escape(split)}(-\d+-of-\d+)?\.arrow")
    files = [file for file in sorted(folders[0].glob("*.arrow")) if stem.fullmatch(file.name)]
    _check_complete(files)
    return files


def _listed(folder: Path) -> str:
    names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "") if names else "nothing"
