"""How the answers of a model are distributed: counts of bins, from all examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Counts of one quantity over the examples of a task, by class where there are classes."""

    board: str
    """`ReportBoard.id`."""
    model: str
    kind: Literal["similarity", "margin", "rank", "length"]
    """Similarity by class; positive minus negative similarity of triplets; rank of the first relevant
    document; quality by length of the texts."""
    label: str
    """Of the axis, with its unit, in words."""
    edges: tuple[float, ...] = ()
    """(bins + 1,) ascending ends of bins; empty where `bins` names them."""
    bins: tuple[str, ...] = ()
    """Names of bins that are no ranges, such as `not in the first 100`."""
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Class → (bins,) numbers of examples; the one class without a name is ``."""
    quality: tuple[float | None, ...] = ()
    """(bins,) mean quality of the examples of each bin, of `length`; None where it is empty."""
    threshold: float | None = None
    """Similarity from which the model says yes, chosen on the dev split; None where there is none."""
