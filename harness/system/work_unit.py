"""Plain data between a run and its workers: what a worker is told, what it is, what became of a unit."""

from __future__ import annotations

import itertools
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from harness.errors import HarnessError
from harness.system.environment import is_out_of_memory
from harness.system.plugin_code import error_sentence, raised_by

if TYPE_CHECKING:
    from collections.abc import Mapping


next_number = itertools.count(1).__next__
"""Return another number for each unit of this process."""


class WorkUnit(Protocol):
    """A piece of work as plain, picklable data: whoever has it can do it, with the same result."""

    @property
    def number(self) -> int:
        """Of `next_number`: an outcome repeats it."""
        ...

    @property
    def group(self) -> str:
        """Units of one group share what must be loaded, such as a model; empty where nothing must be."""
        ...

    @property
    def what(self) -> str:
        """What is done, for people: `encoding 2,000 texts with minilm`."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """Files and folders that it may need, as the user wrote them; such a path may not exist."""
        ...

    def moved(self, places: Mapping[str, str]) -> Self:
        """Return the same unit where some paths are elsewhere: path → its place there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSetup:
    """What every worker of a run is told."""

    folder: str
    """The folder in which the command was given: paths are relative to it."""
    plugin_files: tuple[str, ...] = ()
    """Single files of plugins that the user named, in the order in which they were named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """What a worker says of itself when it has started."""

    host: str
    process: int
    cores: int
    """Processors that it may use."""
    accelerator: str = ""
    """What it sees of accelerators, such as `0`, as in CUDA_VISIBLE_DEVICES; empty for none."""
    processor: str = ""
    """Name of its processor; empty where it is not known."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python, libraries that can change a score, and a hash of our own code."""

    @property
    def place(self) -> str:
        """Where it is, for people: `process 4711 on gpu-box`."""
        return f"process {self.process} on {self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProgress:
    """How far a unit is that takes long, such as a training."""

    done: int
    total: int | None = None
    """None where it is not known yet."""
    remark: str = ""
    """What else is to be said, such as the newest loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a unit raised, without objects of plugins: they may not be importable where it is read."""

    message: str
    exists: str | None = None
    hint: str | None = None
    without_texts: str | None = None
    """As in `HarnessError`."""
    trace: str = ""
    """Its traceback; empty where it is a HarnessError."""
    out_of_memory: bool = False
    """Whether another worker may have room for it."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Return an exception as plain data."""
        if isinstance(error, HarnessError):
            return cls(
                message=error.message,
                exists=error.exists,
                hint=error.hint,
                without_texts=error.without_texts,
                out_of_memory=error.__cause__ is not None and is_out_of_memory(error.__cause__),
            )
        raised = raised_by(error)
        return cls(
            message=error_sentence(error),
            trace="".join(traceback.format_exception(raised)),
            out_of_memory=is_out_of_memory(raised),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a unit: what it returned, or a failure."""

    number: int
    """That of the unit: one that is told twice, or late, is not taken for another's."""
    result: Any = None
    failure: Failure | None = None
