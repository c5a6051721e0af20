"""`harness.toml`, or `[tool.harness]` in `pyproject.toml`: defaults of the command line."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.system.toml_file import read_toml

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Defaults for the command line; an option given there wins. Paths are relative to the file's folder."""

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    data: str | None = None
    """A folder, or `sample`."""
    out: str | None = None
    cache: str | None = None
    """Folder of the embedding cache."""
    cache_size: str | None = None
    """How much it may take, such as `20GiB`."""
    task_files: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """Single-file plugins."""


def read_config(folder: Path) -> Config:
    """Read the configuration of a folder; an empty one where there is none.

    Raises HarnessError for TOML that cannot be read, an unknown key, or a value of the wrong type.
    """
    own, project = folder / "harness.toml", folder / "pyproject.toml"
    if own.is_file():
        return _config(read_toml(own), own)
    if project.is_file():
        tool = read_toml(project).get("tool", {})
        return _config(tool.get("harness", {}) if isinstance(tool, dict) else {}, project)
    return Config()


def _config(table: Any, path: Path) -> Config:  # noqa: ANN401 - TOML
    if not isinstance(table, dict):
        raise HarnessError(f"{path}: [tool.harness] is not a table")
    known = {column.name: column for column in fields(Config)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in known:
            raise HarnessError.unknown(f"key in {path}", key, known)
        many = name not in ("data", "out", "cache", "cache_size")
        if isinstance(value, str):
            values[name] = (value,) if many else value
        elif many and isinstance(value, list) and all(isinstance(item, str) for item in value):
            values[name] = tuple(value)
        else:
            raise HarnessError(
                f"{path}: {key} must be {'a list of texts' if many else 'a text'}, not {value!r}"
            )
    return _relative_to(path.parent, Config(**values))


def _relative_to(folder: Path, config: Config) -> Config:
    """Make paths absolute, so that they mean the same from wherever they are used."""

    def absolute(path: str) -> str:
        return str(user_path(path, folder))

    return Config(
        models=config.models,
        tasks=config.tasks,
        exclude=config.exclude,
        data=config.data if config.data in (None, "sample") else absolute(config.data or ""),
        out=absolute(config.out) if config.out else None,
        cache=absolute(config.cache) if config.cache else None,
        cache_size=config.cache_size,
        task_files=tuple(absolute(path) for path in config.task_files),
        plugins=tuple(absolute(path) for path in config.plugins),
    )
