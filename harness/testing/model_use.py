"""Rules of a model's roles, similarity and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.encoding.validate import are_apart, tokens_checked
from harness.errors import HarnessError
from harness.models.interface import SIMILARITIES, Role
from harness.testing.model_trial import ODD, TEXTS
from harness.testing.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from harness.testing.model_trial import ModelTrial


def _roles(trial: ModelTrial) -> Iterator[str]:
    model = trial.model
    rows: dict[Role, np.ndarray] = {}
    for role in Role:
        same: Any = model.same_as(role)
        if not isinstance(same, Role):
            yield f"same_as({role}) returns {same!r}: a Role is wanted, such as {role} itself"
            return
        if model.same_as(same) is not same:
            yield f"same_as({role}) is {same}, and same_as({same}) is not: one role stands for all"
            return
        rows[role] = model.encode(list(TEXTS), role)
    for role in Role:
        if found := trial.unlike(rows[model.same_as(role)], rows[role]):
            yield f"same_as says that {role} is encoded as {model.same_as(role)}, and it is not: {found}"
            return
    if found := trial.unlike(rows[Role.TEXT], model.encode(list(TEXTS))):
        yield f"encode without a role is not encode with Role.TEXT: {found}"


def _similarity(trial: ModelTrial) -> Iterator[str]:
    import numpy as np

    a, b = trial.embeddings[:4].copy(), trial.embeddings[3:9].copy()
    for left, right in ((a, b), (a[:0], b)):
        shape = np.shape(trial.model.similarity(left, right))
        if shape != (len(left), len(right)):
            yield f"similarity returns shape {shape} for {len(left)} and {len(right)} rows"
            return
    pairs = np.asarray(trial.model.pairwise_similarity(a, b[:4]))
    if pairs.shape != (4,):
        yield f"pairwise_similarity returns shape {pairs.shape} for 4 pairs: (4,) is wanted"
        return
    table = np.asarray(trial.model.similarity(a, b))
    if are_apart(np.diagonal(table[:, :4]), pairs):
        yield "pairwise_similarity of row i with row i is not what similarity has for them"
    elif not (np.array_equal(a, trial.embeddings[:4]) and np.array_equal(b, trial.embeddings[3:9])):
        yield "similarity changes the embeddings that it gets: work on a copy"
    elif not np.isfinite(trial.model.similarity(np.zeros_like(a), b)).all():
        yield "the similarity of an embedding of zeros is not finite: 0 is wanted"
    elif trial.model.facts.similarity in SIMILARITIES:
        wanted = similarity_of(trial.model.facts.similarity, a, b)
        if are_apart(wanted, table):
            yield (
                f"facts.similarity is {trial.model.facts.similarity!r}, and similarity returns"
                f" {table[0, 0]:.4f} where that is {wanted[0, 0]:.4f}"
            )


def similarity_of(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return similarities by a name of `SIMILARITIES`, (n, m): of the distances, minus the distance."""
    import numpy as np

    if name in ("cosine", "dot"):
        lengths = [
            np.linalg.norm(rows, axis=1, keepdims=True) if name == "cosine" else 1.0 for rows in (a, b)
        ]
        products: np.ndarray = (a / np.maximum(lengths[0], 1e-12)) @ (b / np.maximum(lengths[1], 1e-12)).T
        return products
    order = 1 if name == "manhattan" else 2
    distances: np.ndarray = np.linalg.norm(a[:, None] - b[None], ord=order, axis=2)
    return -distances


def _tokens(trial: ModelTrial) -> Iterator[str]:
    import numpy as np

    texts, limit = [*TEXTS, ODD[-1]], trial.model.facts.max_tokens
    for role in Role:
        found = trial.model.count_tokens(texts, role)
        if found is None:
            return
        try:
            counts = tokens_checked(trial.model, found, len(texts))
        except HarnessError as error:
            yield f"{error.message} ({error.hint})"
            return
        assert counts is not None  # noqa: S101 - it was asked before
        alone = np.asarray([np.asarray(trial.model.count_tokens([text], role))[0] for text in texts])
        if not np.array_equal(alone, counts):
            yield f"count_tokens depends on the other texts: {counts.tolist()}, each alone {alone.tolist()}"
        elif limit is not None and counts[-1] <= limit:
            yield (
                f"count_tokens says {counts[-1]} for a text of 3,000 words, and facts.max_tokens {limit}:"
                " count before the text is cut, so that cut texts are seen"
            )


ROLE_RULES = (Rule("roles", "encodes roles alike exactly where same_as says so", _roles),)
SIMILARITY_RULES = (
    Rule("similarity", "compares embeddings by the function that facts.similarity names", _similarity),
)
TOKEN_RULES = (Rule("tokens", "counts tokens before texts are cut, or says that it cannot", _tokens),)
