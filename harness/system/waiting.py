"""Threads of numerical libraries that sleep while they wait."""

from __future__ import annotations

import os

SETTINGS = {
    "OMP_WAIT_POLICY": "PASSIVE",  # OpenMP: torch, scikit-learn
    "OPENBLAS_THREAD_TIMEOUT": "4",  # OpenBLAS: numpy, scipy; 2 to this power of cycles, and 4 is the least
}
"""Environment variables that the libraries read when they are loaded. They change no result.

By default threads spin for up to 0.1 s after each call. On a machine that others use too, that cost encoding
up to ten times, and a logistic regression of 340 rows seven times the processor time and up to twenty times
the seconds.
"""


def wait_asleep() -> None:
    """Set these variables for this process, unless the user has set them; before numpy or torch is loaded."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
