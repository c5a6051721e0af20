"""Losses of sentence-transformers, made from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentence_transformers import SentenceTransformer
    from torch import nn

    from harness import Recipe


def loss_of(recipe: Recipe, model: SentenceTransformer) -> nn.Module:
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
        options["similarity_fct"] = _similarity(given["similarity"])
    made: nn.Module = getattr(losses, name)(model, **options)
    if recipe.loss.matryoshka:
        made = losses.MatryoshkaLoss(model, made, list(recipe.loss.matryoshka))
    return made


_MARGIN_OF = {"BatchHardTripletLoss": "margin"}
"""Triplet losses that do not call it `triplet_margin`."""


def _distance(loss: str, name: str) -> Any:  # noqa: ANN401 - an enum's member, or a function
    """Find the function that a loss calls for a distance; each family has an enum of its own."""
    from sentence_transformers.sentence_transformer import losses

    if loss == "BatchHardTripletLoss":
        functions = losses.BatchHardTripletLossDistanceFunction
        return functions.cosine_distance if name == "cosine" else functions.eucledian_distance
    if loss == "TripletLoss":
        return losses.TripletDistanceMetric[name.upper()]
    return losses.SiameseDistanceMetric[{"cosine": "COSINE_DISTANCE"}.get(name, name.upper())]


def _similarity(name: str) -> Callable[..., Any]:
    from sentence_transformers import util

    return util.cos_sim if name == "cosine" else util.dot_score
