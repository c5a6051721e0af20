"""A card's loss and its parameters, in our words."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.training.cards.markdown import bullet, code_blocks, literal, statements
from harness.training.losses import LOSSES
from harness.training.recipe import Loss

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = {
    "margin": "margin",
    "triplet_margin": "margin",
    "scale": "scale",
    "mini_batch_size": "mini_batch_size",
}
"""The library's names of parameters that are numbers → ours."""

_DISTANCES = {
    "cosine": "cosine", "cosine_distance": "cosine",
    "euclidean": "euclidean", "euclidean_distance": "euclidean", "eucledian_distance": "euclidean",
    "manhattan": "manhattan", "manhattan_distance": "manhattan",
}  # fmt: skip
"""The library's names of distances, a slip of its pen among them → ours."""

_SIMILARITIES = {
    "cos_sim": "cosine", "pairwise_cos_sim": "cosine", "dot_score": "dot", "pairwise_dot_score": "dot"
}  # fmt: skip

_PLAIN = {
    "loss_fct": ("torch.nn.modules.loss.MSELoss",),
    "cos_score_transformation": ("torch.nn.modules.linear.Identity",),
    "gather_across_devices": (False,),
    "directions": (["query_to_doc"],),
    "partition_mode": ("joint",),
    "hardness_strength": (0.0,),
    "n_dims_per_step": (-1,),
    "similarity_fct": ("pairwise_angle_sim",),
}
"""Parameters that recipes do not have, and the values at which they need not: the library's defaults."""


@dataclass(frozen=True, slots=True)
class CardLoss:
    """What a card says of its loss."""

    name: str
    """The loss itself, or the one under MatryoshkaLoss."""
    loss: Loss
    wrapper: str = ""
    """`MatryoshkaLoss` where it is around it."""
    beyond: Mapping[str, Any] = field(default_factory=dict)
    """The library's parameters whose values no recipe can say."""
    inner_unsaid: bool = False
    """Whether the parameters of the inner loss are left out, as MatryoshkaLoss leaves them out."""


def read_loss(text: str, where: str) -> CardLoss | None:
    """Read the `* Loss:` line of a dataset's section, and the parameters below it.

    None where there is no such line. Raises HarnessError for a parameter that is no number, but should be.
    """
    line = bullet(text, "Loss")
    if line is None:
        return None
    name = _class_name(line.partition("<code>")[2].partition("</code>")[0] or line.split(" with ")[0])
    blocks = code_blocks(text, "json")
    given = _parameters(blocks[0]) if blocks else {}
    if name != "MatryoshkaLoss":
        return _made(name, given, where)
    inner, inner_given = _call(str(given.pop("loss", name)))
    dims = _whole_numbers(given.pop("matryoshka_dims", []), where)
    weights = given.pop("matryoshka_weights", None)
    made = _made(inner, inner_given, where, dims)
    beyond = {**_beyond(given, set()), **made.beyond}
    if isinstance(weights, list) and any(weight != 1 for weight in weights):
        beyond["matryoshka_weights"] = weights
    has_parameters = bool(inner in LOSSES and LOSSES[inner].parameters)
    return CardLoss(inner, made.loss, name, beyond, has_parameters and not inner_given)


def _made(name: str, given: Mapping[str, Any], where: str, dims: tuple[int, ...] = ()) -> CardLoss:
    ours: dict[str, Any] = {}
    for theirs, value in given.items():
        if theirs in _NUMBERS and value is not None:
            ours[_NUMBERS[theirs]] = _number(theirs, value, where)
    if isinstance(given.get("size_average"), bool):
        ours["size_average"] = given["size_average"]
    for theirs, our, names in (
        ("distance_metric", "distance", _DISTANCES),
        ("similarity_fct", "similarity", _SIMILARITIES),
    ):
        known = names.get(str(given.get(theirs)).rpartition(".")[2].lower())
        ours |= {our: known} if known else {}
    # A loss that we do not know may call other things by these names.
    possible = LOSSES[name].parameters if name in LOSSES else {}
    ours = {our: value for our, value in ours.items() if our in possible}
    return CardLoss(name, Loss(name=name, matryoshka=dims, **ours), beyond=_beyond(given, set(ours)))


def _beyond(given: Mapping[str, Any], ours: set[str]) -> dict[str, Any]:
    names = {**_NUMBERS, "distance_metric": "distance", "similarity_fct": "similarity"}
    return {
        theirs: value
        for theirs, value in given.items()
        if value is not None and names.get(theirs, theirs) not in ours and value not in _PLAIN.get(theirs, ())
    }


def _parameters(code: str) -> dict[str, Any]:
    """Read the parameters: JSON, or a Python literal where the library could not write it as JSON."""
    try:
        value = json.loads(code)
    except (ValueError, RecursionError):
        value = literal(code)
    return {str(name): one for name, one in value.items()} if isinstance(value, dict) else {}


def _call(text: str) -> tuple[str, dict[str, Any]]:
    """Take `Name(scale=20.0)` apart; a bare name has no parameters."""
    lines = statements(text.strip())
    tree = lines[0].value if lines and isinstance(lines[0], ast.Expr) else None
    if not isinstance(tree, ast.Call):
        return _class_name(text), {}
    given = {one.arg: literal(one.value) for one in tree.keywords if one.arg}
    return _class_name(text.partition("(")[0]), given


def _class_name(text: str) -> str:
    return text.strip().strip("`").rpartition(".")[2]


def _number(name: str, value: Any, where: str) -> float | int:  # noqa: ANN401 - what a card holds
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise HarnessError(f"{where}: the loss's {name} is {value!r}, not a number")
    return int(value) if name == "mini_batch_size" else float(value)


def _whole_numbers(value: Any, where: str) -> tuple[int, ...]:  # noqa: ANN401 - what a card holds
    if not isinstance(value, list) or not all(type(one) is int and one > 0 for one in value):
        raise HarnessError(f"{where}: matryoshka_dims is {value!r}, not a list of whole numbers")
    return tuple(value)
