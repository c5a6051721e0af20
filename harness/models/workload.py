"""The fixed texts on which every model is timed, and half precision is compared with float32."""

from __future__ import annotations

from pathlib import Path


def workload() -> list[str]:
    """Return the fixed texts: 64, one a line of workload.txt, of 4 to 60 words."""
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
