"""`harness.toml`, or `[tool.harness]` in `pyproject.toml`: defaults of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Faults
from harness.models.request import ModelTable  # noqa: TC001 - the reader asks for the types of fields
from harness.system.paths import accessible, user_path
from harness.system.toml_file import read_table, read_toml
from harness.tasks.suites import SuiteTable, make_suites

if TYPE_CHECKING:
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Defaults for the command line; an option given there wins. Paths are relative to the file's folder."""

    models: tuple[str, ...] | dict[str, ModelTable] = ()
    """As `--model` takes them; or tables by name, which `--model NAME` asks for."""
    tasks: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    data: str | None = None
    """A folder, `hub` or `sample`."""
    out: str | None = None
    cache: str | None = None
    """Folder of the embedding cache."""
    cache_size: str | None = None
    """Maximum size of the embedding cache, such as `20GiB`."""
    no_texts: bool = False
    """Whether `harness run` keeps the texts of rows out of results."""
    track: tuple[str, ...] = ()
    """Trackers that `harness run` sends results to."""
    executor: str | None = None
    """Who encodes: `local`, `processes`, `ray` or a plugin's."""
    workers: int | None = None
    """How many workers that executor has."""
    task_files: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """Single-file plugins."""
    ledger: str | None = None
    """File in which `harness compare` notes comparisons."""
    suites: dict[str, SuiteTable] = field(default_factory=dict)
    """By name."""
    file: str = field(default="", compare=False)
    """The file that was read; empty without one."""
    table: tuple[str, ...] = field(default=(), compare=False)
    """Keys of the table in it that is the configuration."""

    def model_tables(self) -> dict[str, ModelTable]:
        """Return the models that have a table, by name."""
        return self.models if isinstance(self.models, dict) else {}

    def model_names(self) -> tuple[str, ...]:
        """Return the models to evaluate where a command names none, as `--model` takes them."""
        return tuple(self.models)

    def read_suites(self) -> list[Suite]:
        """Return the suites; raises HarnessError for a definition that is not right."""
        return make_suites(self.suites, Path(self.file), (*self.table, "suites"))


_PROJECT = "pyproject.toml"
LISTS = frozenset(column.name for column in fields(Config) if column.default == () and column.compare)
"""Keys of lists, for which one text may be written."""


def read_config(folder: Path) -> Config:
    """Read the configuration of a folder; an empty one where there is none.

    Raises HarnessError for a folder that may not be entered, TOML that cannot be read, an unknown key, or a
    value of the wrong type.
    """
    for name in ("harness.toml", _PROJECT):
        if (file := accessible(folder / name)).is_file():
            return read_config_file(file)
    return Config()


def read_config_file(file: Path, faults: Faults | None = None) -> Config:
    """Read a configuration: a file of its own, or `[tool.harness]` of a `pyproject.toml`.

    faults: takes unknown keys and wrong values, and the rest is read; nothing of it where a value is wrong.
    Raises HarnessError as `read_config` does.
    """
    at: tuple[str, ...] = ()
    content: object = read_toml(file)
    if file.name == _PROJECT:
        tool, at = read_toml(file).get("tool", {}), ("tool", "harness")
        content = tool.get("harness", {}) if isinstance(tool, dict) else {}
    found = Faults()
    config = read_table(_with_lists(content), Config, file, found, at=at, hyphens=True)
    if faults is None:
        found.refuse(str(file))
    else:
        faults.found += found.found
    return replace(_relative_to(file.parent, config or Config()), file=str(file), table=at)


def _with_lists(table: object) -> object:
    """Return a table in which one text may be written for a list of one."""
    if not isinstance(table, dict):
        return table
    return {
        key: [value] if isinstance(value, str) and key.replace("-", "_") in LISTS else value
        for key, value in table.items()
    }


def _relative_to(folder: Path, config: Config) -> Config:
    """Make paths absolute, so that they mean the same from any folder."""

    def absolute(path: str) -> str:
        return str(user_path(path, folder))

    return replace(
        config,
        data=config.data if config.data in (None, "sample", "hub") else absolute(config.data or ""),
        out=absolute(config.out) if config.out else None,
        cache=absolute(config.cache) if config.cache else None,
        ledger=absolute(config.ledger) if config.ledger else None,
        task_files=tuple(absolute(path) for path in config.task_files),
        plugins=tuple(absolute(path) for path in config.plugins),
    )
