"""Which texts need not be held after each task: many tasks take little more memory than the largest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.interfaces import Role


def last_uses(announced: Iterable[Collection[tuple[str, Role]]]) -> list[dict[Role, list[str]]]:
    """Per task, the texts by role that it is the last to need.

    announced: what each task announces (`Task.texts`), in the order in which they are evaluated, with the
    role that stands for all that the model treats alike (`Model.same_as`). One that announces nothing may
    ask for any text: what was announced before it is needed until it is done.
    """
    last: dict[Role, dict[str, int]] = defaultdict(dict)
    leaving: list[dict[Role, list[str]]] = []
    silent = -1
    for at, texts in enumerate(announced):
        leaving.append(defaultdict(list))
        silent = silent if texts else at
        for text, role in texts:
            last[role][text] = at
    for role, uses in last.items():
        for text, at in uses.items():
            leaving[max(at, silent)][role].append(text)
    return leaving
