"""Read and write lineage.json: the recipe, base, data and log that a candidate was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from harness.errors import HarnessError
from harness.system.limits import read_json_file

if TYPE_CHECKING:
    from pathlib import Path

NAME = "lineage.json"
SCHEMA = 1
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number of rows or steps, in the range that a float represents exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedLoss:
    """One line of the loss log."""

    step: Count
    epoch: float
    loss: float | None = None
    learning_rate: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Everything a candidate was made from, so that it can be reproduced and its scores trusted."""

    schema: int = SCHEMA
    recipe: dict[str, Any]
    """The recipe as it was run, changes included."""
    base: str
    """Display name of the base."""
    base_fingerprint: str
    seed: int
    trainer: str
    data: str
    """Name of the training file."""
    data_digest: str
    """Hex SHA-256 of the training rows as the loss took them, in order."""
    rows: Count
    texts: tuple[str, ...]
    """Sorted 16-digit hashes of the distinct training texts, normalized (`training.near_duplicates`)."""
    steps: Count
    seconds: float
    """Wall time of training, over all resumed runs."""
    log: tuple[LoggedLoss, ...] = ()
    best_step: Count | None = None
    """The step that was kept, if the recipe keeps the best; None for the last."""
    dtype: str = "float32"
    device: str = "cpu"
    threads: Count | None = None
    """Threads that the trainer could use, on which the last bits of the weights depend; None if unknown."""
    hardware: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    finished: str = ""
    """ISO 8601, UTC."""
    findings: tuple[str, ...] = ()
    """Codes of the allowed findings."""


def read_lineage(folder: Path) -> Lineage | None:
    """Read the lineage of a folder; None without one. Raises HarnessError for an unreadable file."""
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        lineage = msgspec.convert(read_json_file(path), Lineage)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise HarnessError(
            f"{path} cannot be read: {error}", hint="remove it if harness did not write it"
        ) from error
    if lineage.schema != SCHEMA:
        raise HarnessError(f"{path} has schema {lineage.schema}; this harness reads schema {SCHEMA}")
    return lineage


def write_lineage(folder: Path, lineage: Lineage) -> None:
    """Write `lineage.json` into a candidate's folder."""
    content = msgspec.json.format(msgspec.json.encode(lineage), indent=1)
    (folder / NAME).write_bytes(content + b"\n")
