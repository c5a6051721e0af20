"""Tasks of a task file over a dataset of the hub: `path = "hub:ORG/NAME"`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.tasks.hub import HubDataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.tasks.dataset import Dataset
    from harness.tasks.interface import DataSource, Task, TaskDefinition, TaskKind

PREFIX = "hub:"
KEYS = ("revision", "config", "subset", "split")
"""Keys of a task file that say which part of a dataset is meant; `subset` is another word for config."""
_FITTED = ("dev", "train")
"""Keys that name further files of rows; for a dataset of the hub, its splits."""


def hub_dataset(paths: Sequence[str], table: Mapping[str, Any], where: str) -> HubDataset | None:
    """Return the dataset of the hub that a task's table names; None for paths on this machine.

    Raises HarnessError for an id that is none, a key that is not a text, and a further path.
    """
    if not any(path.startswith(PREFIX) for path in paths):
        return None
    if len(paths) > 1:
        raise HarnessError(f"{where}: a dataset of the hub is the only path of a task")
    if {"config", "subset"} <= table.keys():
        raise HarnessError(f"{where}: config and subset are two words for one key", hint="leave one out")
    values = {key: table[key] for key in KEYS if key in table}
    for key, value in values.items():
        if not isinstance(value, str) or not value:
            raise HarnessError(f"{where}: {key} is not a text: {value!r}")
    return HubDataset(
        paths[0].removeprefix(PREFIX),
        values.get("revision", "main"),
        values.get("config", values.get("subset")),
        values.get("split"),
        only=True,
    )


def hub_options(options: Mapping[str, Any], kind: TaskKind) -> dict[str, Any]:
    """Return the options that are the kind's own: a folder's split and config are read by the kind."""
    taken = {"revision", "subset", *(() if kind.folder else ("config", "split"))}
    own = {key: value for key, value in options.items() if key not in taken}
    return own | ({"config": options["subset"]} if kind.folder and "subset" in options else {})


def hub_task(kind: TaskKind, definition: TaskDefinition, hub: HubDataset, table: Mapping[str, Any]) -> Task:
    """Return a task of a kind that reads its rows from the hub; nothing is fetched before they are loaded.

    table: the task's table in the task file.
    """
    task = kind.build(definition)
    fitted_on = {key: str(table[key]) for key in _FITTED if key in table}
    task.hub = hub
    task.load = partial(_load, kind, definition, hub, fitted_on)  # type: ignore[method-assign]
    if not kind.folder and hub.split:
        task.splits = replace(task.splits, evaluated=hub.split)
    return task


def _load(
    kind: TaskKind,
    definition: TaskDefinition,
    hub: HubDataset,
    fitted_on: Mapping[str, str],
    source: DataSource,
) -> Dataset:
    """Load the rows as the kind does with files on this machine."""
    if kind.folder:
        return kind.build(replace(definition, path=hub.folder())).load(source)
    files = hub.files(hub.split or "test")
    fitted = {key: _only(hub.files(name), name) for key, name in fitted_on.items()}
    here = replace(
        definition,
        path=files[0],
        paths=tuple(files) if len(files) > 1 else (),
        options={**definition.options, **fitted},
    )
    return kind.build(here).load(source)


def _only(files: Sequence[Path], split: str) -> Path:
    if len(files) > 1:
        raise HarnessError(
            f"the split {split!r} is in {len(files)} files, and a split to fit on must be in one",
            hint="copy the dataset, and name its folder or files in the task file",
        )
    return files[0]
