"""Losses of sentence-transformers, made from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentence_transformers import SentenceTransformer
    from torch import nn

    from harness.training import Recipe


def build_loss(recipe: Recipe, model: SentenceTransformer) -> nn.Module:
    """Make the recipe's loss, under MatryoshkaLoss where the recipe names dimensions."""
    from sentence_transformers.sentence_transformer import losses

    name, given = recipe.loss.name, recipe.loss.parameters
    same = ("margin", "scale", "size_average", "mini_batch_size")
    options: dict[str, Any] = {ours: given[ours] for ours in same if ours in given}
    if "margin" in options and "Triplet" in name:
        options[_MARGIN_OF.get(name, "triplet_margin")] = options.pop("margin")
    if "distance" in given:
        options["distance_metric"] = _distance(name, given["distance"])
    if "similarity" in given:
        options["similarity_fct"] = _similarity(name, given["similarity"])
    made: nn.Module = getattr(losses, name)(model, **options)
    if recipe.loss.matryoshka:
        made = losses.MatryoshkaLoss(model, made, list(recipe.loss.matryoshka))
    return made


_MARGIN_OF = {"BatchHardTripletLoss": "margin"}
"""Triplet losses that do not call it `triplet_margin`."""


def _distance(loss: str, name: str) -> Callable[..., Any]:
    """Find the function that a loss calls for a distance; each family keeps its own."""
    from sentence_transformers.sentence_transformer import losses

    family: type
    if loss == "BatchHardTripletLoss":
        if name == "manhattan":
            raise HarnessError(f"{loss} has no Manhattan distance", exists="distances: cosine, euclidean")
        family, member = losses.BatchHardTripletLossDistanceFunction, f"{name}_distance"
    elif loss == "TripletLoss":
        family, member = losses.TripletDistanceMetric, name.upper()
    else:
        family, member = losses.SiameseDistanceMetric, _SIAMESE[name]
    function: Callable[..., Any] = getattr(family, member)
    return function


_SIAMESE = {"cosine": "COSINE_DISTANCE", "euclidean": "EUCLIDEAN", "manhattan": "MANHATTAN"}


def _similarity(loss: str, name: str) -> Callable[..., Any]:
    """Find the function that a loss calls for a similarity: of every two, or of pairs alone."""
    from sentence_transformers import util

    if loss == "CoSENTLoss":
        return util.pairwise_cos_sim if name == "cosine" else util.pairwise_dot_score
    return util.cos_sim if name == "cosine" else util.dot_score
