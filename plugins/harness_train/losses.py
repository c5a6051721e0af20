"""Build the loss of a recipe with sentence-transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentence_transformers import SentenceTransformer
    from torch import nn

    from harness.training import Recipe


def build_loss(recipe: Recipe, model: SentenceTransformer) -> nn.Module:
    """Return the recipe's loss, inside MatryoshkaLoss if the recipe names dimensions."""
    from sentence_transformers.sentence_transformer import losses

    name, parameters = recipe.loss.name, recipe.loss.parameters
    same = ("margin", "scale", "size_average", "mini_batch_size")
    options: dict[str, Any] = {ours: parameters[ours] for ours in same if ours in parameters}
    if name == "TripletLoss" and "margin" in options:
        options["triplet_margin"] = options.pop("margin")
    if "distance" in parameters:
        options["distance_metric"] = _distance(name, parameters["distance"])
    if "similarity" in parameters:
        options["similarity_fct"] = _similarity(name, parameters["similarity"])
    loss: nn.Module = getattr(losses, name)(model, **options)
    if recipe.loss.matryoshka:
        loss = losses.MatryoshkaLoss(model, loss, list(recipe.loss.matryoshka))
    return loss


def _distance(loss: str, name: str) -> Callable[..., Any]:
    """Return the distance function of a loss; each family has its own."""
    from sentence_transformers.sentence_transformer import losses

    family: type
    if loss.startswith("Batch"):
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
    """Return the similarity function of a loss: of all combinations, or pairwise."""
    from sentence_transformers import util

    if loss == "CoSENTLoss":
        return util.pairwise_cos_sim if name == "cosine" else util.pairwise_dot_score
    return util.cos_sim if name == "cosine" else util.dot_score
