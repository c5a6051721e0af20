"""What a file of the user's means, in words: the answer of `harness validate`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cli.workspace import Workspace
    from harness.tasks.interface import Task


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file, such as one of its tasks, and sentences about it."""

    name: str
    sentences: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Meaning:
    """What a file means. What is a fault has no sentence, and what has sentences is read as they say."""

    file: Path
    kind: str
    """`task file`, `gate`, `recipe` or `configuration`."""
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be looked at, or is doubtful; no faults."""
    faults: Faults = field(default_factory=Faults)

    def part(self, name: str, *sentences: str) -> Part:
        """Add a part, and return it."""
        added = Part(name, list(sentences))
        self.parts.append(added)
        return added

    def known_tasks(self, workspace: Workspace) -> dict[str, Task]:
        """Return all tasks that are known here; where other files have faults, those of plugins alone."""
        try:
            return workspace.tasks()
        except HarnessError as error:
            self.notes.append(f"tasks of other task files are not known: {error.message}")
            return workspace.plugins.tasks()
