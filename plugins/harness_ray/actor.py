"""The inside of an actor: a worker on a node of Ray. Arguments and answers are plain values, or pickles."""

from __future__ import annotations

import os
import pickle
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.authoring import UnitRunner, default_folder
from harness_ray.files import PlacedFiles
from harness_ray.processors import hold_processors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_ray.files import Content, Listing


@dataclass(frozen=True, slots=True)
class Missing:
    """Paths whose files a unit needs, and that are not here."""

    paths: tuple[str, ...]


class UnitActor:
    """Does units: `begin` first, then one at a time."""

    def __init__(self, cpus: int) -> None:
        self._held = hold_processors(cpus)

    def begin(self, setup: bytes, plugins: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        """Return what this worker is, as `WorkerFacts` in a dictionary.

        setup: a pickle of the WorkerSetup. plugins: single files, as the user named them, and their bytes.
        """
        told = pickle.loads(setup)  # noqa: S301 - the driver wrote it
        self._files = PlacedFiles(told.folder, default_folder())
        kept = tuple(self._files.keep(path, written) for path, written in plugins)
        self._runner = UnitRunner(replace(told, plugin_files=kept))
        return asdict(self._runner.facts())

    def run(self, unit: bytes, listings: dict[str, Listing]) -> bytes | Missing:
        """Do a unit, a pickle; return a pickle of its outcome, or what is missing here.

        An array that is not in a pickle would stay in the object store for as long as it is used.
        """
        if missing := self._files.missing(listings):
            return Missing(tuple(missing))
        given = pickle.loads(unit)  # noqa: S301 - as above
        if moved := self._files.places(listings):
            given = given.moved(moved)
        return pickle.dumps(self._runner.run(given), protocol=pickle.HIGHEST_PROTOCOL)

    def place(self, sent: Content, listing: Listing, references: list[list[Any]] | None = None) -> bool:
        """Whether a path's content is here; with references to its pieces, it is fetched."""
        if self._files.has(sent, listing):
            return True
        if references is None:
            return False
        import ray

        self._files.take(sent, listing, ((ray.get(piece) for piece in file) for file in references))
        return True

    def process(self) -> int:
        """Return the number of its process."""
        return os.getpid()
