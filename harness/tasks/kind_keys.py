"""The keys that a kind of task takes in a task file, as its `build` allows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.system.plugin_code import plugin_code
from harness.tasks.interface import TaskDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.tasks.interface import TaskKind, TaskOption


@dataclass(frozen=True, slots=True, kw_only=True)
class KindKeys:
    """What a kind passes to `TaskDefinition.allow`."""

    columns: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    options: Mapping[str, TaskOption | None] = field(default_factory=dict)
    """Name → its type and meaning; None where the kind gives names alone."""
    rows: bool = False
    """Whether it takes the keys that say how files of rows are read."""


def kind_keys(kind: TaskKind) -> KindKeys | None:
    """Return the keys that a kind takes beside those of every kind; None for one that refuses no key.

    Asks `build` with a definition that has no key, and ends it at `allow`: a kind looks at no data there.
    """
    try:
        with plugin_code():
            kind.build(_Question("example", kind.name, Path("example.csv")))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        # What a plugin raises is the cause of an error that names the plugin.
        raised: BaseException | None = error
        while raised is not None:
            if isinstance(raised, _Allowed):
                return raised.keys
            raised = raised.__cause__
    return None


class _Allowed(Exception):  # noqa: N818 - an answer, and no error
    def __init__(self, keys: KindKeys) -> None:
        super().__init__("asked for the keys of the kind alone")
        self.keys = keys


@dataclass(frozen=True)
class _Question(TaskDefinition):
    """A definition whose `allow` answers what the kind takes."""

    def allow(
        self,
        *,
        columns: Iterable[str] = (),
        templates: Iterable[str] = (),
        options: Iterable[str] | Mapping[str, TaskOption] = (),
        rows: bool = False,
    ) -> None:
        """Raise what is allowed."""
        typed = options if isinstance(options, Mapping) else dict.fromkeys(options)
        raise _Allowed(
            KindKeys(columns=tuple(columns), templates=tuple(templates), options=dict(typed), rows=rows)
        )
