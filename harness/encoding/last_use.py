"""The last task that uses each text, so that its embedding can be dropped after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.models.interface import Role


class LastUse:
    """Last task that uses each text, as tasks announce them; holds hashes of texts, not texts.

    announced: the texts of each task (`Task.texts`), in the order of evaluation, with the role that
    `Model.same_as` gives. A task that announces nothing may request any
    text: until it is done, all are needed.
    first: number of the first of these tasks.
    """

    def __init__(self, announced: Iterable[Collection[tuple[str, Role]]], first: int = 0) -> None:
        self._last: dict[int, int] = {}
        self._unannounced = -1
        for number, texts in enumerate(announced, first):
            # Two texts with the same hash are held as long as one of them is needed.
            self._last |= {hash(text): number for text in texts}
            if not texts:
                self._unannounced = number

    def is_unused_after(self, text: str, role: Role, number: int) -> bool:
        """Whether no task after this number needs a text."""
        return self._unannounced <= number and self._last.get(hash((text, role)), number) <= number
