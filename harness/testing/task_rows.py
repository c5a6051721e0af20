"""Rules of a task's rows: what `load` and `limited` return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.results.records import column_hash
from harness.tasks.dataset import Dataset
from harness.testing.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.testing.task_trial import TaskTrial

_SHARED = 0.1
"""Minimum share of examples with a text of another example at which the task needs clusters."""


def _loads(trial: TaskTrial) -> Iterator[str]:
    if trial.data is None and trial.task.sample is None:
        try:
            trial.dataset  # noqa: B018 - a task may make its own rows
        except HarnessError:
            yield "there is no data to try it with: set `sample` to a folder next to the module, or pass data"
            return
    before = _files(trial.source.root)
    loaded: object = trial.dataset
    if not isinstance(loaded, Dataset):
        yield f"load returns a {type(loaded).__name__}, not a Dataset"
    elif changed := _files(trial.source.root) ^ before:
        yield f"load writes to the folder of its data: {min(path for path, *_ in changed)}"


def _files(folder: Path | None) -> set[tuple[str, int, int]]:
    """Return path, size and time of each file below a folder."""
    files = [] if folder is None else [path for path in folder.rglob("*") if path.is_file()]
    return {(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def _same_rows(trial: TaskTrial) -> Iterator[str]:
    again = trial.other.load(trial.source)
    if again.digest == trial.dataset.digest:
        return
    before, after = trial.dataset.columns, again.columns
    differing = [name for name in before if name not in after or _differs(before[name], after[name])]
    where = f"column {differing[0]!r}" if differing else "further columns or tables"
    yield f"load returns other rows when it is called again: {where} differs; sort what has no order"


def _differs(before: Any, after: Any) -> bool:  # noqa: ANN401 - columns of any type
    return column_hash(before) != column_hash(after)


def _clusters(trial: TaskTrial) -> Iterator[str]:
    dataset = trial.dataset
    if "cluster" not in dataset:
        yield from _unclustered(trial)
        return
    clusters = list(dataset["cluster"])
    # NaN differs from itself.
    missing = sum(cluster is None or cluster != cluster for cluster in clusters)
    if missing:
        yield f"column 'cluster' has no value in {missing} of {len(clusters)} rows: name a cluster in each"
    elif kinds := {type(cluster).__name__ for cluster in clusters} - {type(clusters[0]).__name__}:
        yield f"column 'cluster' mixes {type(clusters[0]).__name__} with {', '.join(kinds)}: use texts"
    elif len(set(clusters)) == 1 < len(clusters):
        yield (
            f"column 'cluster' has one value in all {len(clusters)} rows: there is one independent unit, and"
            " so no interval; leave the column out where examples are independent"
        )


def _unclustered(trial: TaskTrial) -> Iterator[str]:
    """Find encoded texts that examples share: they are not independent of each other."""
    encoded = {text for text, _ in trial.watched.asked} if trial.answers is not None else set()
    for name, cells in trial.dataset.columns.items():
        seen: dict[str, int] = {}
        for cell in cells:
            if isinstance(cell, str) and cell in encoded:
                seen[cell] = seen.get(cell, 0) + 1
        shared = sum(count for count in seen.values() if count > 1)
        if shared >= max(2, _SHARED * len(cells)):
            yield (
                f"{shared} of {len(cells)} examples share a text of column {name!r} with another one, so they"
                " are not independent: name what they were drawn with in a column 'cluster'"
            )


def sampled(trial: TaskTrial) -> Iterator[str]:
    """Find what is wrong with the rows of `--limit`, of which `limited` is asked for three sizes."""
    whole = trial.dataset
    known = {example: row for row, example in enumerate(whole["id"])}
    ids: set[Any] = set()
    for limit in (1, max(2, len(whole) // 2), len(whole)):
        try:
            some: Any = trial.task.limited(whole, limit)
        except HarnessError:
            return  # its rows cannot be limited, and it says so
        if not isinstance(some, Dataset):
            yield f"limited returns a {type(some).__name__}, not a Dataset"
            return
        yield from _sample_faults(trial, some, limit, known)
        if lost := ids - set(some["id"]):
            yield f"limited({limit}) lacks the example {min(map(str, lost))!r} of a smaller sample"
        ids |= set(some["id"])
    trial.ask(trial.task, trial.first, trial.task.limited(whole, max(2, len(whole) // 2)).lent())


def _sample_faults(trial: TaskTrial, some: Dataset, limit: int, known: dict[Any, int]) -> Iterator[str]:
    whole = trial.dataset
    if strange := [example for example in some["id"] if example not in known]:
        yield f"limited({limit}) returns the id {strange[0]!r}, which is not in the dataset: keep the ids"
        return
    if "cluster" in whole and "cluster" in some:
        drawn = set(some["cluster"])
        wanted = sum(cluster in drawn for cluster in whole["cluster"])
        if wanted != len(some):
            yield f"limited({limit}) cuts clusters: it has {len(some)} of their {wanted} examples"
        if len(some) > limit and len(drawn) > 1:
            yield f"limited({limit}) returns {len(some)} examples"
    elif len(some) > limit:
        yield f"limited({limit}) returns {len(some)} examples"
    if trial.task.limited(whole, limit).digest != some.digest:
        yield f"limited({limit}) returns other rows when it is called again: draw them by their content"


LOAD_RULES = (Rule("load", "reads its rows from the data source, and changes no file there", _loads),)
ROW_RULES = (
    Rule("same-rows", "loads the same rows each time, in the same order", _same_rows),
    Rule("clusters", "names in `cluster` what examples were drawn with, where they share texts", _clusters),
    Rule("limited", "samples whole clusters for `--limit`, the same ones each time", sampled),
)
