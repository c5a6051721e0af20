"""Facts about each loss: its rows, its parameters, its labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROW_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pairs": ("text1", "text2"),
        "scored-pairs": ("text1", "text2", "score"),
        "labeled-pairs": ("text1", "text2", "label"),
        "triplets": ("anchor", "positive", "negative"),
        "labeled-texts": ("text", "label"),
    }
)
"""Kind of training rows → names of its columns, in the order of the loss."""

LABELS = ("score", "label")
"""Names of columns that are not texts; a kind has at most one, as its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossFacts:
    """Facts about one loss of sentence-transformers, for recipes, cards and checks."""

    kind: str
    """The rows that it takes, one of ROW_KINDS."""
    also: tuple[str, ...] = ()
    """Other kinds that it takes: triplets for in-batch losses."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Our names of its parameters → sentence-transformers' defaults."""
    labels: tuple[float, float] | None = None
    """Minimum and maximum label that makes sense; None for a loss without labels, or with classes."""
    classes: bool = False
    """Whether labels are names of classes, or 0 and 1 with nothing between."""
    in_batch: bool = False
    """Whether every other row of a batch is a negative: a loss of ln(batch size) is chance."""
    hinge: bool = False
    """Whether its gradient is zero once a distance exceeds the margin."""


_CONTRASTIVE = {"distance": "cosine", "margin": 0.5, "size_average": True}
_TRIPLET = {"distance": "euclidean", "margin": 5.0}
_RANKING = {"scale": 20.0, "similarity": "cosine"}

LOSSES: Mapping[str, LossFacts] = MappingProxyType(
    {
        "ContrastiveLoss": LossFacts(
            kind="labeled-pairs", parameters=_CONTRASTIVE, labels=(0, 1), classes=True, hinge=True
        ),
        "OnlineContrastiveLoss": LossFacts(
            kind="labeled-pairs",
            parameters={"distance": "cosine", "margin": 0.5},
            labels=(0, 1),
            classes=True,
            hinge=True,
        ),
        "CosineSimilarityLoss": LossFacts(kind="scored-pairs", labels=(-1, 1)),
        "CoSENTLoss": LossFacts(kind="scored-pairs", parameters=_RANKING),
        "AnglELoss": LossFacts(kind="scored-pairs", parameters={"scale": 20.0}),
        "TripletLoss": LossFacts(kind="triplets", parameters=_TRIPLET, hinge=True),
        "BatchHardTripletLoss": LossFacts(
            kind="labeled-texts", parameters=_TRIPLET, classes=True, hinge=True
        ),
        "BatchSemiHardTripletLoss": LossFacts(
            kind="labeled-texts", parameters=_TRIPLET, classes=True, hinge=True
        ),
        "BatchAllTripletLoss": LossFacts(kind="labeled-texts", parameters=_TRIPLET, classes=True, hinge=True),
        "BatchHardSoftMarginTripletLoss": LossFacts(
            kind="labeled-texts", parameters={"distance": "euclidean"}, classes=True
        ),
        "MultipleNegativesRankingLoss": LossFacts(
            kind="pairs", also=("triplets",), parameters=_RANKING, in_batch=True
        ),
        "CachedMultipleNegativesRankingLoss": LossFacts(
            kind="pairs", also=("triplets",), parameters={**_RANKING, "mini_batch_size": 32}, in_batch=True
        ),
    }
)
"""The losses that recipes may name, each also inside MatryoshkaLoss (`loss.matryoshka`)."""


def max_unit_distance(distance: str, dimensions: int | None = None) -> float | None:
    """Return the maximum distance of two vectors of length 1: 2 for cosine and Euclidean, 2·√d for Manhattan.

    None for an unknown distance, and for Manhattan without the number of dimensions.
    """
    if distance in ("cosine", "euclidean"):
        return 2.0
    if distance == "manhattan" and dimensions:
        return float(2 * dimensions**0.5)
    return None
