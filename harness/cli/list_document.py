"""The JSON document that `harness list --json` prints; its parts are also the rows of the tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTask:
    """A task of a plugin or a task file."""

    name: str
    from_: str
    """The plugin, or `task file`."""
    kind: str
    tags: tuple[str, ...]
    headline: str
    """Its first metric; empty where that is known once it was scored."""
    split: str
    sample: bool
    """Whether there is a sample of its data."""
    hub: str
    """Its dataset on the hub; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTag:
    """A word that selects tasks."""

    name: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSuite:
    """A named set of tasks."""

    name: str
    from_: str
    """The file that defines it."""
    tasks: tuple[str, ...]
    metrics: tuple[str, ...]
    frozen: str
    """How many of its tasks have a digest: `1 of 2`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecipe:
    """A recipe of a plugin."""

    name: str
    from_: str
    loss: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAnswer:
    """A named answer of a plugin: a model scheme, a trainer, a check, a tracker, a command, …"""

    name: str
    from_: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPlugin:
    """A plugin that was looked at."""

    name: str
    from_: str
    """Distribution and version, or the file."""
    answers: tuple[str, ...]
    """What it is asked for."""
    state: str
    """`in use`, or why it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDocument:
    """What exists, and where each comes from; a part that was not asked for is null."""

    schema: int = 1
    tasks: tuple[ListedTask, ...] | None = None
    tags: tuple[ListedTag, ...] | None = None
    suites: tuple[ListedSuite, ...] | None = None
    models: tuple[ListedAnswer, ...] | None = None
    recipes: tuple[ListedRecipe, ...] | None = None
    trainers: tuple[ListedAnswer, ...] | None = None
    checks: tuple[ListedAnswer, ...] | None = None
    trackers: tuple[ListedAnswer, ...] | None = None
    reports: tuple[ListedAnswer, ...] | None = None
    """Writers of reports."""
    executors: tuple[ListedAnswer, ...] | None = None
    commands: tuple[ListedAnswer, ...] | None = None
    """Those of plugins."""
    plugins: tuple[ListedPlugin, ...] | None = None
    task_prefixes: tuple[ListedAnswer, ...] | None = None
    """Prefixes of names of tasks that are too many to list, such as `mteb:NAME`; with `tasks`."""
    problems: tuple[str, ...] = ()
    """One sentence for each fault of a plugin."""
