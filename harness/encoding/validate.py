"""Validate the embeddings that a model returns: shape, type, finite and distinct values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harness.errors import HarnessError, did_you_mean
from harness.render import with_article
from harness.system.environment import is_out_of_memory
from harness.system.read_only import FrozenList
from harness.system.stored_texts import StoredTexts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.interface import CountingModel, Model, Role

_FEWEST_TO_JUDGE = 8
"""Minimum number of distinct texts with one embedding for which a model is refused."""
_SAME = 1e-5
"""Maximum distance, relative to the norm, of equal embeddings: rounding of one value is below it."""
_SHORT = ["The ferry leaves at six.", "Photosynthesis turns light into sugar."]
"""Texts that no model cuts, and that every sound one tells apart."""
_AT_ONCE = 1024
"""Maximum rows that are compared at once."""


def same_role(model: Model, role: Role) -> Role:
    """Return the role that a model encodes like this one; raises HarnessError for what is no role."""
    same: Any = model.same_as(role)
    if not isinstance(same, type(role)):
        raise HarnessError(
            f"model {model.name} says that {role!s} is encoded as {same!r}: same_as returns a Role",
            hint="return the role itself where it is encoded apart",
        )
    return same


def role_checked(role: Any) -> Role:  # noqa: ANN401 - a plugin may pass anything
    """Return a role, also of its name; raises HarnessError for what is none."""
    from harness.models.interface import Role

    try:
        return Role(role)
    except ValueError as error:
        known = ", ".join(f"Role.{name}" for name in Role.__members__)
        exists = "\n".join([*did_you_mean(str(role), Role), f"roles: {known}"])
        raise HarnessError(f"encode got {role!r:.60} as its role", exists=exists) from error


def texts_checked(texts: Any) -> Sequence[str]:  # noqa: ANN401 - a plugin may pass anything
    """Return texts to encode, a list of anything that can be iterated; texts of numpy as plain ones.

    Raises HarnessError for a single text, whose letters would be encoded one by one, and for what is no text.
    """
    hint = "encode takes a list of texts, and returns one row for each: model.encode(dataset['text'])"
    if isinstance(texts, str | bytes) or not hasattr(texts, "__iter__"):
        kind = "a single text" if isinstance(texts, str) else with_article(type(texts).__name__)
        raise HarnessError(
            f"encode got {kind}, not a list of texts", hint=hint, without_texts=f"encode got {kind}"
        )
    if isinstance(texts, StoredTexts):
        return texts
    listed: Sequence[str] = texts if isinstance(texts, list | tuple) else list(texts)
    kinds = set(map(type, listed))
    if wrong := [kind for kind in kinds if not issubclass(kind, str)]:
        at = next(position for position, text in enumerate(listed) if isinstance(text, wrong[0]))
        found = f"encode got {with_article(wrong[0].__name__)} in position {at}, not a text"
        raise HarnessError(found, hint=hint, without_texts=found)
    return listed if kinds <= {str} else list(map(str.__str__, listed))


def similarities_checked(model: Model, similarities: Any, wanted: tuple[int, ...]) -> np.ndarray:  # noqa: ANN401 - of any plugin
    """Return what a model's `similarity` or `pairwise_similarity` returned, if it has the wanted shape.

    Raises HarnessError for another shape, for what is no array of numbers, and for NaN and infinity.
    """
    name = "similarity" if len(wanted) == 2 else "pairwise_similarity"
    try:
        array = np.asarray(similarities)
    except (TypeError, ValueError, RuntimeError) as error:
        raise HarnessError(f"{name} of model {model.name} returned no array: {error}") from error
    if array.dtype.kind not in "fiu" or array.shape != wanted:
        raise HarnessError(
            f"{name} of model {model.name} returned {array.dtype} of shape {array.shape}: numbers of shape"
            f" {wanted} are needed",
            hint="similarity compares every row of a with every row of b, (n, m);"
            " pairwise_similarity row i with row i, (n,)",
        )
    _refuse_not_finite(model, array)
    return array


def _refuse_not_finite(model: Model, array: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        # One pass without a copy: NaN and infinite values leave no finite sum. A finite sum may overflow.
        if array.dtype.kind != "f" or np.isfinite(array.sum(dtype=np.float64)):
            return
    broken = int(np.count_nonzero(~np.isfinite(array)))
    if broken:
        raise HarnessError(
            f"model {model.name} gives {broken} of {array.size} pairs a similarity that is not finite"
        )


def encode_checked(model: Model, texts: list[str], role: Role) -> tuple[np.ndarray, np.ndarray | None]:
    """Return embeddings of texts, and their tokens where the model counts them on the way: (n,), else None.

    -1 for a text that was not counted. Raises HarnessError for embeddings that cannot be scored.
    """
    embeddings, tokens = _encode_in_memory(model, texts, role)
    broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
    if len(broken):
        what = (
            f"model {model.name} returned NaN or infinite embeddings for {len(broken)} of {len(texts)} texts"
        )
        raise HarnessError(
            what,
            without_texts=what,
            exists=f"the first: {texts[broken[0]][:80]!r}",
            hint="are its weights finite?"
            if model.spec.settings.dtype == "float32"
            else "half precision overflows in some models: try --dtype float32",
        )
    if len(texts) >= _FEWEST_TO_JUDGE and not embeddings.any():
        what = f"model {model.name} gave all of {len(texts)} texts an embedding of zeros"
        raise HarnessError(
            what,
            without_texts=what,
            hint="are its weights there? its tokenizer may know none of these words",
        )
    if len(texts) >= _FEWEST_TO_JUDGE and _all_same(embeddings) and not _cut_to_the_same(model, texts, role):
        what = f"model {model.name} gave all of {len(texts)} different texts the same embedding"
        raise HarnessError(
            what,
            without_texts=what,
            exists=f"such as {texts[0][:60]!r} and {texts[1][:60]!r}",
            hint="the model has collapsed, or its tokenizer knows none of these words",
        )
    return embeddings, tokens


def _cut_to_the_same(model: Model, texts: list[str], role: Role) -> bool:
    """Whether texts may have one embedding because the model read only the beginning of nearly all.

    A model that cannot tell two short texts apart has no such excuse.
    """
    limit = model.facts.max_tokens
    tokens = tokens_checked(model, model.count_tokens(texts, role), len(texts)) if limit is not None else None
    if tokens is None or np.count_nonzero(tokens <= limit) >= _FEWEST_TO_JUDGE:
        return False
    return not _all_same(as_embeddings(model, model.encode(_SHORT, role), len(_SHORT)))


def _encode_in_memory(model: Model, texts: list[str], role: Role) -> tuple[np.ndarray, np.ndarray | None]:
    """Return embeddings, (len(texts), dimensions) float32, and tokens; in halves if memory runs out."""
    # A model that sorts its texts in place would give each the embedding of another.
    frozen = FrozenList(texts, "the list of texts")
    tokens: np.ndarray | None = None
    try:
        # Of its own class: a model around it may hand on what it does not have, and encode otherwise.
        if "encode_and_count" in vars(type(model)):
            output, tokens = cast("CountingModel", model).encode_and_count(frozen, role)
        else:
            output = model.encode(frozen, role)
    except Exception as error:
        if len(texts) == 1 or not is_out_of_memory(error):
            raise
    else:
        return as_embeddings(model, output, len(texts)), tokens
    middle = len(texts) // 2
    parts = [_encode_in_memory(model, half, role) for half in (texts[:middle], texts[middle:])]
    counts = [tokens for _, tokens in parts if tokens is not None]
    whole = np.concatenate(counts) if len(counts) == len(parts) else None
    return np.concatenate([embeddings for embeddings, _ in parts]), whole


def as_embeddings(model: Model, output: Any, count: int) -> np.ndarray:  # noqa: ANN401 - of any plugin
    """Return a model's output, if it is a float32 array of numpy with one row per text.

    It may be a view, or not be written to. Raises HarnessError for anything else: only the plugin knows
    whether float64 may be rounded, and what a tensor or a list was before.
    """
    wanted = "encode returns a float32 array of numpy, (texts, dimensions)"
    if not isinstance(output, np.ndarray) or isinstance(output, np.ma.MaskedArray):
        kind = "nothing (None)" if output is None else with_article(type(output).__name__)
        raise HarnessError(
            f"model {model.name} returned {kind}, not an array",
            hint=f"{wanted}: {_CONVERTED.get(type(output).__name__, 'np.array(rows, dtype=np.float32)')}",
        )
    array = np.asarray(output)
    if array.dtype != np.float32:
        rounded = ": rows.astype(np.float32)" if array.dtype.kind in "fiu" else ""
        raise HarnessError(
            f"model {model.name} returned embeddings of type {array.dtype}, not float32",
            hint=wanted + rounded,
        )
    if array.ndim != 2 or len(array) != count or not array.shape[1]:
        raise HarnessError(
            f"model {model.name} returned embeddings of shape {array.shape} for {count} texts",
            hint="one row per text is needed, (texts, dimensions)",
        )
    if array.shape[1] != model.facts.dimensions:
        raise HarnessError(
            f"model {model.name} returned embeddings of {array.shape[1]} dimensions: its facts say"
            f" {model.facts.dimensions}",
            hint="mend the model's plugin: `facts.dimensions` is the number of columns of `encode`",
        )
    return array


_CONVERTED = {"Tensor": "rows.detach().float().cpu().numpy()"}
"""Kind of an output → how it becomes an array."""


def tokens_checked(model: Model, tokens: Any, count: int) -> np.ndarray | None:  # noqa: ANN401 - of any plugin
    """Return what a model's `count_tokens` returned, (count,) of whole numbers; None where it is unknown.

    Raises HarnessError for another shape, for what are no whole numbers, and for those below 0.
    """
    if tokens is None:
        return None
    try:
        counts = np.asarray(tokens)
    except (TypeError, ValueError, RuntimeError) as error:
        raise HarnessError(f"count_tokens of model {model.name} returned no array: {error}") from error
    fault = f"{counts.dtype} of shape {counts.shape}"
    if count and counts.shape == (count,) and counts.dtype.kind in "iu":
        fault = f"{counts.min()} for a text" if counts.min() < 0 else ""
    elif not count and counts.shape == (0,):
        return counts.astype(int)
    if fault:
        raise HarnessError(
            f"count_tokens of model {model.name} returned {fault}: whole numbers of shape ({count},) are"
            " needed",
            hint="one number for each text, of its tokens before it is cut; None where they are unknown",
        )
    return counts


def check_pairs(model: Model, a: np.ndarray, b: np.ndarray) -> None:
    """Raise HarnessError where a model compares row i with row i otherwise than all rows with all.

    a, b: embeddings of the model, of which the first few are compared. Tasks ask for the one or the other.
    """
    count = min(len(a), len(b), _PAIRS)
    a, b = a[:count], b[:count]
    pairs = similarities_checked(model, model.pairwise_similarity(a, b), (count,))
    table = similarities_checked(model, model.similarity(a, b), (count, count))
    if not count or not are_apart(np.diagonal(table), pairs):
        return
    row = int(np.abs(np.diagonal(table) - pairs).argmax())
    raise HarnessError(
        f"pairwise_similarity of model {model.name} says {pairs[row]:.4f} where similarity says"
        f" {table[row, row]:.4f} of the same two embeddings",
        hint="pairwise_similarity of row i with row i is the diagonal of similarity",
    )


_PAIRS = 8
"""Maximum number of pairs whose similarity is asked in both ways."""
_CLOSE = 1e-3
"""Maximum difference of a similarity, relative to the largest: functions are computed in float32."""


def are_apart(wanted: np.ndarray, found: np.ndarray) -> bool:
    """Whether similarities are further apart than rounding in float32."""
    return bool(np.abs(wanted - found).max() > _CLOSE * max(1.0, float(np.abs(wanted).max())))


def _all_same(embeddings: np.ndarray) -> bool:
    """Whether all rows equal the first up to rounding, which depends on the shape of batches."""
    first = embeddings[0]
    near = _SAME * np.linalg.norm(first)
    # Some rows at a time: mostly the first decide, and a copy of all would double the memory.
    return all(
        bool(np.linalg.norm(embeddings[start : start + _AT_ONCE] - first, axis=1).max() <= near)
        for start in range(0, len(embeddings), _AT_ONCE)
    )
