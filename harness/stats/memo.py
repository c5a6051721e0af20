"""What was computed of columns that cannot change, to be used again: many candidates share a baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np

_MOST_CELLS = 1_000_000
"""Maximum number of cells of all arrays in one memory: four metrics of a hundred tasks of 1,000 examples."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Memo(Generic[T]):
    """Results by the very arrays that they were computed of; those that were used longest ago are dropped.

    Only results of arrays that cannot be written to are kept, such as the columns of `read_table`.
    """

    _known: dict[tuple[Hashable, ...], tuple[list[np.ndarray], T]] = field(default_factory=dict)

    def of(self, arrays: Sequence[np.ndarray], key: Hashable, compute: Callable[[], T]) -> T:
        """Return what was computed of these arrays and this key before, or compute it."""
        if any(array.flags.writeable for array in arrays):
            return compute()
        whole = (key, *map(id, arrays))
        # The arrays are held, so that none of another content can get their ids.
        found = self._known.pop(whole, None) or ([*arrays], compute())
        self._known[whole] = found
        cells = sum(array.size for own, _ in self._known.values() for array in own)
        while cells > _MOST_CELLS:
            dropped, _ = self._known.pop(next(iter(self._known)))
            cells -= sum(array.size for array in dropped)
        return found[1]
