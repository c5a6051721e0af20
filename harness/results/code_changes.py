"""Say which modules differ between the code of two records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import plural
from harness.system.code_hash import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


OPTIONS = "options of the task"
"""Key of the hash of a task's options, among those of its modules."""

OWN = "harness."
"""Prefix of our own modules."""


FEW = 3
"""Modules that a short phrase names."""


def task_changes(then: Mapping[str, str], now: Mapping[str, str], *, most: int | None = None) -> list[str]:
    """Return what differs in the task's code of two records, one phrase each.

    then, now: module, distribution or OPTIONS → its hash or version, as in `Evaluation.code`.
    most: maximum modules that a phrase names, and counts the others; None for all.
    """
    differing = [name for name in _differing_names(then, now) if not name.startswith(OWN)]
    versions = [name for name in differing if name.startswith(walk.DISTRIBUTION)]
    modules = [name for name in differing if name not in {*versions, OPTIONS}]
    phrases = [f"code of the task: {_list_changes(modules, then, now, most)}"] if modules else []
    phrases += [f"{name} {then.get(name, '–')} → {now.get(name, '–')}" for name in versions]
    return phrases + ([f"{OPTIONS} changed"] if OPTIONS in differing else [])


def scoring_changes(then: Mapping[str, str], now: Mapping[str, str], *, most: int | None = None) -> list[str]:
    """Return what differs in our own code of two records: one phrase, or none; most: as in `task_changes`."""
    own = [name for name in _differing_names(then, now) if name.startswith(OWN)]
    return [f"scoring code of harness: {_list_changes(own, then, now, most)}"] if own else []


def _differing_names(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*then, *now} if then.get(name) != now.get(name))


def _list_changes(
    names: Iterable[str], then: Mapping[str, str], now: Mapping[str, str], most: int | None
) -> str:
    """Return a phrase such as `one, two changed, three added`, or `9 modules changed (one, two, …)`."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind = "added" if name not in then else "removed" if name not in now else "changed"
        kinds.setdefault(kind, []).append(name.removeprefix(OWN).removeprefix(walk.PLUGIN_FILE))
    return ", ".join(
        _list_kind(kind, kinds[kind], most) for kind in ("changed", "added", "removed") if kind in kinds
    )


def _list_kind(kind: str, names: Sequence[str], most: int | None) -> str:
    if most is None or len(names) <= most:
        return f"{', '.join(names)} {kind}"
    return f"{plural(len(names), 'module')} {kind} ({', '.join(names[:most])}, …)"
