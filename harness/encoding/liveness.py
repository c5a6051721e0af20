"""Until when texts need be held: many tasks take little more memory than the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.models.interface import Role


class Liveness:
    """Which task is the last to need a text, as tasks announce it; holds hashes, and no text.

    announced: what each task announces (`Task.texts`), in the order in which they are evaluated, with the
    role that stands for all that the model treats alike (`Model.same_as`). One that announces nothing may
    ask for any text: until it is done, all are needed.
    first: the number of the first of these tasks.
    """

    def __init__(self, announced: Iterable[Collection[tuple[str, Role]]], first: int = 0) -> None:
        self._last: dict[int, int] = {}
        self._silent = -1
        for number, texts in enumerate(announced, first):
            # Two texts of one hash are held for as long as one of them is needed.
            self._last |= {hash(one): number for one in texts}
            if not texts:
                self._silent = number

    def is_unused_after(self, text: str, role: Role, number: int) -> bool:
        """Whether no task after the one of this number needs a text."""
        return self._silent <= number and self._last.get(hash((text, role)), number) <= number
