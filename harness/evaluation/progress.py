"""Callbacks that show the progress of a run. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.results.records import Evaluation


class Progress:
    """Callbacks of a run; each does nothing unless a subclass overrides it."""

    def expect(self, results: int) -> None:
        """Take note of how many results there will be: one for each model and task."""

    def stage(self, what: str) -> None:
        """Take note of work that encodes nothing, such as `reading stsb, task 3 of 10`."""

    def begin(self, model: str, task: str, texts: int) -> None:
        """Take note that a model starts on a task, with `texts` texts to encode."""

    def advance(self, texts: int) -> None:
        """Take note that so many more texts are encoded."""

    def units(self, done: int, left: int, workers: int, wanted: int) -> None:
        """Take note of units of work that are done and left, and of workers that are there of `wanted`."""

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Take note that a record is on disk: computed now, or kept from before."""

    def note(self, text: str) -> None:
        """Take note of a sentence that a reader of the scores should know."""
