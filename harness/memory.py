"""Tell when memory ran out: each library says it in its own way."""

from __future__ import annotations

_SAID = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "Failed to allocate memory",
    "bad_alloc",
    "Unable to allocate",
)
"""What torch (GPU and CPU), ONNX Runtime, C++ libraries and numpy say."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was no memory: less at a time may then fit."""
    # Not HarnessError: what was told to a user was tried already.
    told = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime")
    return isinstance(error, MemoryError) or (told and any(words in str(error) for words in _SAID))
