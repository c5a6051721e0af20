"""Progress of an evaluation in a notebook or a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.evaluation.progress import Progress
from harness.render import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterator


class BarProgress(Progress):
    """A bar for the texts of the task at hand: a widget in a notebook, a line on standard error elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._expected = self._ended = 0

    def expect(self, results: int) -> None:
        """Count results up to so many."""
        self._expected = results

    def stage(self, what: str) -> None:
        """Show what is done."""
        self._open(what, 0)

    def begin(self, model: str, task: str, texts: int) -> None:
        """Open the bar of a task."""
        counted = f" ({self._ended + 1} of {self._expected})" if self._ended < self._expected > 1 else ""
        self._open(f"{model} · {task}{counted}", texts)

    def advance(self, texts: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(texts)

    def end(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as in its base
        """Count a result."""
        self._ended += 1

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self, what: str, texts: int) -> None:
        from tqdm.auto import tqdm

        self.close()
        self._bar = tqdm(
            total=texts or None, desc=CONTROL.sub("", what), unit=" texts", leave=False, file=sys.stderr
        )


@contextmanager
def shown_progress(*, shown: bool | None) -> Iterator[Progress]:
    """Show the progress of the body; shown: None to show it in a notebook and in a terminal."""
    if not (_watched() if shown is None else shown):
        yield Progress()
        return
    bar = BarProgress()
    try:
        yield bar
    finally:
        bar.close()


def _watched() -> bool:
    """Whether somebody looks: in a notebook, or in a terminal."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None or sys.stderr.isatty()
