"""What a look at results found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that does not hold."""

    path: str
    """Relative to the results folder."""
    what: str
    """One sentence: what is there, and what should be."""
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """Something that could not be looked at again, which is no fault of the folder."""

    path: str
    why: str


@dataclass
class Verified:
    """What was looked at in one results folder, and what came of it."""

    records: int = 0
    """Records that could be read, and whose seal holds where they have one."""
    sealed: int = 0
    """Records whose own hash was there, and held."""
    predictions: int = 0
    """Files whose values were hashed again, and are their record's."""
    scores: int = 0
    """Scores that were computed again, and are their record's, interval and counts included."""
    faults: list[Fault] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)

    def fault(self, path: str, what: str, remedy: str) -> None:
        """Note something that does not hold."""
        self.faults.append(Fault(path=path, what=what, remedy=remedy))

    def skip(self, path: str, why: str) -> None:
        """Note something that could not be looked at."""
        self.unchecked.append(Unchecked(path=path, why=why))
