"""How candidates were trained: curves, lineage and findings of their checks."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A line of a training's log."""

    step: int
    epoch: float
    loss: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """The training of a candidate whose folder was at hand."""

    model: str
    """Display name."""
    base: str
    """Display name of what it was trained from."""
    loss: str
    """Name of the loss function."""
    data: str
    rows: int
    steps: int
    best_step: int | None
    """The step that was kept; None for the last."""
    seed: int
    seconds: float
    recipe: dict[str, str] = field(default_factory=dict)
    """Settings that are not the default, by name, as text."""
    lineage: tuple[str, ...] = ()
    """Display names from the first base to the candidate."""
    findings: tuple[str, ...] = ()
    """Codes of findings that were allowed."""
    curve: tuple[CurvePoint, ...] = ()
