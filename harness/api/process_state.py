"""What evaluating changes of the user's process, put back: random numbers, threads, modes of libraries."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_ONE_AT_A_TIME = threading.RLock()
"""Held while the state of the process is changed: two threads would put back what the other has changed."""


@contextmanager
def unchanged_process() -> Iterator[None]:
    """Leave random numbers, torch's threads and the progress bars of transformers as before the body.

    Loading a model draws random numbers, which must not change those of a training around it. The bars are
    of files that nobody asked for. Threads take turns.
    """
    import numpy as np
    import torch
    from transformers.utils import logging

    with _ONE_AT_A_TIME:
        drawn, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's, not ours
        threads = torch.get_num_threads()
        devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            with torch.random.fork_rng(devices):
                yield
        finally:
            random.setstate(drawn)
            np.random.set_state(of_numpy)  # noqa: NPY002
            torch.set_num_threads(threads)
            if bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
