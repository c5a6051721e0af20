"""Records that cannot be read, as broken results of the model and task in whose place they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import unquote

from harness.errors import HarnessError
from harness.models.interface import Settings
from harness.results.folder import file_stem, model_folder
from harness.results.records import Evaluation, Examination, ModelRecord
from harness.results.soundness import as_broken

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results.folder import ResultsFolder

_FOLDER = re.compile(r"(?P<name>[^~]+)(?:~[0-9a-f]+)?~(?P<fingerprint>[0-9a-f]{1,8})")
_STEM = re.compile(
    r"(?P<task>[^~@]+)(?:~[0-9a-f]+)?(?:@(?P<data>sample|hub))?(?:@limit(?P<limit>[0-9]{1,9}))?"
)
"""Names of a model's folder and of a record, see `system.paths.file_name`."""


@dataclass(slots=True)
class Unreadable:
    """Files of results folders that cannot be read."""

    placed: list[str] = field(default_factory=list)
    """A sentence for each of which its place says model and task, whose result is then broken."""
    unplaced: list[str] = field(default_factory=list)
    """A sentence for each other one: a result of any model may be missing."""

    @property
    def sentences(self) -> list[str]:
        """All sentences, each once."""
        return [*dict.fromkeys(self.placed + self.unplaced)]


def evaluations_or_broken(results: ResultsFolder, unreadable: Unreadable) -> list[Evaluation]:
    """Read all records, as `ResultsFolder.evaluations` does; one that cannot be read is a broken result.

    unreadable: gets a sentence for each file and folder that cannot be read.
    """
    records = list(results.read_all(unreadable.unplaced))
    sound = [read for _, read, _ in records if isinstance(read, Evaluation)]
    models = {model_folder(read.model): read.candidate for read in sound}
    examinations = {file_stem(read.examination): read.examination for read in sound}
    latest: dict[tuple[str, str], Evaluation] = {}
    for path, read, _ in records:
        found = read
        if isinstance(found, HarnessError):
            candidate = models.get(path.parent.name) or _model_of(path.parent.name)
            examination = examinations.get(path.stem) or _examination_of(path.stem)
            if candidate is None or examination is None:
                unreadable.unplaced.append(found.message)
                continue
            unreadable.placed.append(found.message)
            found = _broken(candidate, examination, found, path)
        latest[path.parent.name, path.stem] = found
    return [latest[key] for key in sorted(latest, key=lambda key: (latest[key].examination.task, *key))]


def _broken(candidate: ModelRecord, examination: Examination, error: HarnessError, path: Path) -> Evaluation:
    # The error names the whole path, which reports do not show.
    reason = error.message.partition(path.name)[2].strip() or error.message
    empty = Evaluation(
        key="",
        status="broken",
        examination=examination,
        candidate=candidate,
        kind="",
    )
    return as_broken(empty, f"its record {reason}")


def _model_of(folder: str) -> ModelRecord | None:
    """Return the model that the name of a folder says; None where it says none."""
    if not (named := _FOLDER.fullmatch(folder)):
        return None
    return ModelRecord(
        model=unquote(named["name"]), fingerprint=named["fingerprint"], settings=Settings(), facts=None
    )


def _examination_of(stem: str) -> Examination | None:
    """Return task, data and limit as the name of a record says; None where it says none."""
    if not (named := _STEM.fullmatch(stem)):
        return None
    return Examination(
        task=unquote(named["task"]),
        version=0,
        source="",
        split="",
        data=cast('Literal["sample", "files", "hub"]', named["data"] or "files"),
        digest="",
        limit=int(named["limit"]) if named["limit"] else None,
    )
