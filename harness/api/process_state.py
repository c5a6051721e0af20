"""What evaluating changes of the user's process, put back: random numbers, threads, modes of libraries."""

from __future__ import annotations

import random
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def unchanged_process() -> Iterator[None]:
    """Leave random numbers, torch's threads and the progress bars of transformers as before the body.

    Loading a model draws random numbers, which must not change those of a training around it.
    """
    import numpy as np
    import torch

    drawn, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's, not ours
    threads = torch.get_num_threads()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    bars = _shows_bars()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        random.setstate(drawn)
        np.random.set_state(of_numpy)  # noqa: NPY002
        torch.set_num_threads(threads)
        _show_bars(shown=bars)


def _shows_bars() -> bool:
    logging = sys.modules.get("transformers.utils.logging")
    return logging is None or bool(logging.is_progress_bar_enabled())


def _show_bars(*, shown: bool) -> None:
    if shown and (logging := sys.modules.get("transformers.utils.logging")) is not None:
        logging.enable_progress_bar()
