"""`harness.toml`, or `[tool.harness]` in `pyproject.toml`: what one would otherwise retype."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import CONFIG, DEPTH, check_nesting
from harness.system.paths import user_path

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


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises HarnessError that says where it cannot be read, or which limit it is over."""
    from harness.tasks.readers import read_text

    text = read_text(path, CONFIG)
    _check_keys(text, path)
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own for a number of too many digits
        raise HarnessError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(path) from error
    check_nesting(content, path)
    _check_integers(content, path)
    return content


# Nothing here can be matched in two ways, and what is not closed goes on to the end: it never takes long.
_PART = r"""(?:[\w-]+|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|'[^'\n]*'?)"""
_LONG_TEXT = (
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{0,5}',
    r"'''[^']*(?:'(?!'')[^']*)*'{0,5}",
)
_TOKEN = re.compile(
    rf"{'|'.join(_LONG_TEXT)}|#[^\n]*|(?P<key>{_PART}(?:[ \t]*\.[ \t]*{_PART})*)|.", re.ASCII | re.DOTALL
)


def _check_keys(text: str, path: Path) -> None:
    """Refuse dotted keys of too many parts before they are read: tomllib takes the square of their number.

    Whatever stands between dots and outside of comments and texts of several lines may be a key.
    """
    most = DEPTH.most
    for found in _TOKEN.finditer(text):
        key = found["key"]
        if key and key.count(".") >= most:
            DEPTH.check(len(re.findall(_PART, key, re.ASCII | re.DOTALL)), path)


def _check_integers(value: Any, path: Path) -> None:  # noqa: ANN401 - TOML
    """Refuse what TOML itself does, and Python's reader does not: whole numbers beyond 64 bits."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise HarnessError(f"{path} is not TOML: it holds a whole number of more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_integers(inner, path)


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
