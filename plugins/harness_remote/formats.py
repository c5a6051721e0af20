"""Whether a server's base64 is float32, as it should be: one text in both formats says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_remote.mask import masked_error
from harness_remote.refusals import TroubleError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness_remote.answers import Answer

_APART = 0.1
"""Maximum distance of one text's two embeddings, as a share of their length: more than rounding to 8 bits
between two requests, and less than what numbers of another format, read as float32, are apart."""
_UNSURE = "its embeddings are in base64 alone, so that nothing shows whether they are float32"


async def right_format(
    first: Answer, ask: Callable[[], Awaitable[Answer]], name: str
) -> tuple[Answer, bool, str]:
    """Return the answer that is right, whether it is of numbers, and a note, which may be empty.

    first: one in base64. ask: asks for the same text in numbers.
    Raises TroubleError and HarnessError as `ask` does.
    """
    try:
        second = await ask()
    except TroubleError as trouble:
        if trouble.remedy != "floats":
            raise
        return first, False, _UNSURE
    if second.packed:
        if not _alike(first, second):
            raise masked_error(f"{name}: the server answers the same text with two different embeddings")
        return first, False, _UNSURE
    if _alike(first, second):
        return first, False, ""
    return second, True, f"numbers are asked for: base64 is not float32 here ({_difference(first, second)})"


def _alike(one: Answer, other: Answer) -> bool:
    import numpy as np

    if one.rows.shape != other.rows.shape:
        return False
    a: np.ndarray = one.rows.astype(np.float64)
    b: np.ndarray = other.rows.astype(np.float64)
    return bool(np.linalg.norm(a - b) <= _APART * np.linalg.norm(b))


def _difference(one: Answer, other: Answer) -> str:
    here, there = one.rows.shape[1], other.rows.shape[1]
    return f"{here} dimensions, and {there} as numbers" if here != there else "other values than as numbers"
