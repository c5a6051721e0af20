"""What is known of each loss: the rows it takes, its parameters, and what its value says."""

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
"""Kinds of training rows, and the names of their columns in the order in which a loss takes them."""

LABELS = ("score", "label")
"""Names of columns that are no texts; at most one in a kind, and it is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossFacts:
    """One loss of sentence-transformers, as recipes, cards and checks need to know it."""

    kind: str
    """The rows that it takes: one of KINDS. In-batch losses take triplets too, as `also` says."""
    also: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Our names of its parameters → sentence-transformers' defaults."""
    labels: tuple[float, float] | None = None
    """Smallest and largest label that makes sense; None where it takes none, or classes."""
    classes: bool = False
    """Labels are names of classes, or 0 and 1, and nothing between."""
    in_batch: bool = False
    """Every other row of a batch is taken for a negative: a loss of ln(batch size) is chance."""
    hinge: bool = False
    """It stops pushing once a distance is beyond the margin."""


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
        "MultipleNegativesRankingLoss": LossFacts(
            kind="pairs", also=("triplets",), parameters=_RANKING, in_batch=True
        ),
        "CachedMultipleNegativesRankingLoss": LossFacts(
            kind="pairs", also=("triplets",), parameters={**_RANKING, "mini_batch_size": 32}, in_batch=True
        ),
    }
)
"""The losses that recipes may name, any of them under MatryoshkaLoss too (`loss.matryoshka`)."""


def max_unit_distance(distance: str, dimensions: int | None = None) -> float | None:
    """Largest distance of two vectors of length 1: 2 for cosine and Euclidean, 2·√d for Manhattan.

    None where it depends on a number of dimensions that is not known, and for an unknown distance.
    """
    if distance in ("cosine", "euclidean"):
        return 2.0
    if distance == "manhattan" and dimensions:
        return float(2 * dimensions**0.5)
    return None
