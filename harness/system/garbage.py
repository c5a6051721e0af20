"""Cyclic garbage of a process that imports large libraries, does one thing and ends."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALLOCATIONS = 10_000
"""Objects that are made, less those that are freed, after which Python looks for cycles.

Its own default is 700 (2,000 in newer versions): the search then takes a fifth of the time in which torch and
sentence-transformers are imported, and finds next to nothing.
"""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for cyclic garbage rarely, and not at all when the process ends, which frees its memory anyway.

    For a process of ours alone: `__del__` of objects that are part of a cycle at the end is not called, which
    Python does not promise either.
    """
    gc.set_threshold(_ALLOCATIONS)
    try:
        yield
    finally:
        gc.freeze()
