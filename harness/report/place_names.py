"""Name results folders as the user did, in whatever a report says: their paths are this machine's."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Told = TypeVar("Told")


def with_names(told: Told, names: Mapping[str, str]) -> Told:
    """Return records in which each path is replaced by its name, in every text of theirs.

    names: path → name; a path is replaced before those of the folders that it is in.
    """
    paths = sorted((path for path, name in names.items() if path != name), reverse=True)
    if not paths:
        return told
    whole = re.compile(
        rf"({'|'.join(map(re.escape, paths))})(?![\w.-])"
    )  # not the beginning of a longer name
    replaced: Told = _replaced(told, lambda text: whole.sub(lambda found: names[found[0]], text))
    return replaced


def _replaced(told: Any, named: Callable[[str], str]) -> Any:  # noqa: ANN401 - any plain data
    if isinstance(told, str):
        return named(told)
    if isinstance(told, tuple):
        return tuple(_replaced(one, named) for one in told)
    if isinstance(told, dict):
        return {key: _replaced(value, named) for key, value in told.items()}
    if dataclasses.is_dataclass(told) and not isinstance(told, type):
        fields = {field.name: getattr(told, field.name) for field in dataclasses.fields(told)}
        changed = {name: new for name, old in fields.items() if (new := _replaced(old, named)) != old}
        return dataclasses.replace(told, **changed) if changed else told
    return told
