"""64 fixed English texts, on which every model is timed and every lower precision is compared with float32.

workload.txt has one per line: sentences of everyday life and news, and clauses of laws. Every record of a
speed has their SHA-256: after a change of the texts, older speeds are not comparable any more.
"""

from __future__ import annotations

from pathlib import Path


def workload() -> list[str]:
    """Return the 64 texts, of 4 to 60 words each."""
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
