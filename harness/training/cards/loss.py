"""Read the loss of a model card, and its parameters by our names."""

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
"""The library's names of distances, one misspelled, → ours."""

_SIMILARITIES = {
    "cos_sim": "cosine", "pairwise_cos_sim": "cosine", "dot_score": "dot", "pairwise_dot_score": "dot"
}  # fmt: skip

_DEFAULTS = {
    "loss_fct": ("torch.nn.modules.loss.MSELoss",),
    "cos_score_transformation": ("torch.nn.modules.linear.Identity",),
    "gather_across_devices": (False,),
    "directions": (["query_to_doc"],),
    "partition_mode": ("joint",),
    "hardness_strength": (0.0,),
    "n_dims_per_step": (-1,),
    "similarity_fct": ("pairwise_angle_sim",),
}
"""Parameters that recipes do not have → their default values, which recipes need not hold."""


@dataclass(frozen=True, slots=True)
class CardLoss:
    """The loss of a card."""

    name: str
    """The loss itself, or the one inside MatryoshkaLoss."""
    loss: Loss
    wrapper: str = ""
    """`MatryoshkaLoss` if it wraps the loss, else empty."""
    beyond: Mapping[str, Any] = field(default_factory=dict)
    """The library's parameters whose values recipes cannot hold."""

    @property
    def assumed(self) -> frozenset[str]:
        """Parameters that the card does not give: those inside MatryoshkaLoss, and of old versions."""
        given = {name for name in self.loss.parameters if getattr(self.loss, name) is not None}
        return frozenset(self.loss.parameters) - given


def read_loss(text: str, where: str) -> CardLoss | None:
    """Read the `* Loss:` line of a dataset's section, and the parameters below it.

    None without such a line. Raises HarnessError for a parameter that is not a number but should be.
    """
    line = bullet(text, "Loss")
    if line is None:
        return None
    name = _class_name(line.partition("<code>")[2].partition("</code>")[0] or line.split(" with ")[0])
    blocks = code_blocks(text, "json")
    parameters = _parameters(blocks[0]) if blocks else {}
    if name != "MatryoshkaLoss":
        return _card_loss(name, parameters, where)
    inner, inner_parameters = _parse_call(str(parameters.pop("loss", name)))
    dims = _whole_numbers(parameters.pop("matryoshka_dims", []), where)
    weights = parameters.pop("matryoshka_weights", None)
    wrapped = _card_loss(inner, inner_parameters, where, dims)
    beyond = {**_beyond(parameters, set()), **wrapped.beyond}
    if isinstance(weights, list) and any(weight != 1 for weight in weights):
        beyond["matryoshka_weights"] = weights
    return CardLoss(inner, wrapped.loss, name, beyond)


def _card_loss(name: str, parameters: Mapping[str, Any], where: str, dims: tuple[int, ...] = ()) -> CardLoss:
    ours: dict[str, Any] = {}
    for theirs, value in parameters.items():
        if theirs in _NUMBERS and value is not None:
            ours[_NUMBERS[theirs]] = _number(theirs, value, where)
    if isinstance(parameters.get("size_average"), bool):
        ours["size_average"] = parameters["size_average"]
    for theirs, our, names in (
        ("distance_metric", "distance", _DISTANCES),
        ("similarity_fct", "similarity", _SIMILARITIES),
    ):
        known = names.get(str(parameters.get(theirs)).rpartition(".")[2].lower())
        ours |= {our: known} if known else {}
    # These names may mean something else in a loss that we do not know.
    possible = LOSSES[name].parameters if name in LOSSES else {}
    ours = {our: value for our, value in ours.items() if our in possible}
    return CardLoss(name, Loss(name=name, matryoshka=dims, **ours), beyond=_beyond(parameters, set(ours)))


def _beyond(parameters: Mapping[str, Any], ours: set[str]) -> dict[str, Any]:
    """Return the parameters that recipes cannot hold."""
    names = {**_NUMBERS, "distance_metric": "distance", "similarity_fct": "similarity"}
    return {
        theirs: value
        for theirs, value in parameters.items()
        if value is not None
        and names.get(theirs, theirs) not in ours
        and value not in _DEFAULTS.get(theirs, ())
    }


def _parameters(code: str) -> dict[str, Any]:
    """Read parameters: JSON, or a Python literal where the library could not write JSON."""
    try:
        value = json.loads(code)
    except (ValueError, RecursionError):
        value = literal(code)
    return {str(name): item for name, item in value.items()} if isinstance(value, dict) else {}


def _parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Parse `Name(scale=20.0)` into its name and its parameters; a bare name has none."""
    lines = statements(text.strip())
    tree = lines[0].value if lines and isinstance(lines[0], ast.Expr) else None
    if not isinstance(tree, ast.Call):
        return _class_name(text), {}
    parameters = {keyword.arg: literal(keyword.value) for keyword in tree.keywords if keyword.arg}
    return _class_name(text.partition("(")[0]), parameters


def _class_name(text: str) -> str:
    return text.strip().strip("`").rpartition(".")[2]


def _number(name: str, value: Any, where: str) -> float | int:  # noqa: ANN401 - what a card holds
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise HarnessError(f"{where}: the loss parameter {name} is {value!r}, not a number")
    return int(value) if name == "mini_batch_size" else float(value)


def _whole_numbers(value: Any, where: str) -> tuple[int, ...]:  # noqa: ANN401 - what a card holds
    if not isinstance(value, list) or not all(type(item) is int and item > 0 for item in value):
        raise HarnessError(f"{where}: matryoshka_dims is {value!r}, not a list of whole numbers")
    return tuple(value)
