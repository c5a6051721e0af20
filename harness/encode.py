"""Encode each text once over all tasks of a run, and check what comes back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.interfaces import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.interfaces import Model

_CHUNK = 60_000
"""Characters handed to a model at once while prefetching: few batches part-filled, progress still seen."""
_LONGEST = 1_200
"""Characters that a text counts at most: models cut what is longer."""
_FEWEST_TO_JUDGE = 8
"""Distinct texts that must share one embedding before a model is called degenerate."""
_SAME = 1e-5
"""Distance, relative to the norm, at which embeddings count as one: rounding of one value is below it."""


class EncodedOnce:
    """A model around a model that encodes each text once per role, and checks what comes back.

    It also notes which texts were asked for, so that a task's truncated texts can be counted.
    Raises HarnessError for embeddings that are not finite, not one per text, or all equal.
    """

    def __init__(self, model: Model) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.spec, self.facts = model.spec, model.facts
        self._model = model
        # Asked once: there is one answer per role, and a corpus has a text per document.
        self._alike = {role: model.same_as(role) for role in Role}
        self._embeddings: dict[Role, dict[str, np.ndarray]] = defaultdict(dict)
        self._asked: dict[Role, dict[str, None]] = defaultdict(dict)

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """One float32 row per text, in input order; texts met before are not encoded again."""
        role = self._alike[role]
        self._asked[role].update(dict.fromkeys(texts))
        self._encode_missing(list(dict.fromkeys(texts)), role)
        known = self._embeddings[role]
        return np.stack([known[text] for text in texts]) if len(texts) else self._model.encode([], role)

    def prefetch(self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]) -> None:
        """Encode announced texts in full batches; `advance` is told how many texts were done."""
        by_role: dict[Role, dict[str, None]] = defaultdict(dict)
        for text, role in texts:
            by_role[self._alike[role]][text] = None
        for role, distinct in by_role.items():
            missing = sorted((text for text in distinct if text not in self._embeddings[role]), key=len)
            advance(len(distinct) - len(missing))
            for chunk in _chunks(missing):
                self._encode_missing(chunk, role)
                advance(len(chunk))

    def distinct(self, texts: Iterable[tuple[str, Role]]) -> int:
        """How many different embeddings the given texts need."""
        return len({(text, self._alike[role]) for text, role in texts})

    def asked(self) -> list[tuple[str, Role]]:
        """Return the distinct texts asked for since the last call, and forget them."""
        asked = [(text, role) for role, texts in self._asked.items() for text in texts]
        self._asked.clear()
        return asked

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity, (n, m)."""
        return self._model.similarity(a, b)

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity, (n,); raises HarnessError where it is not finite."""
        similarity = self._model.pairwise_similarity(a, b)
        if not np.isfinite(similarity).all():
            broken = int((~np.isfinite(similarity)).sum())
            raise HarnessError(
                f"model {self.name} gives {broken} of {len(similarity)} pairs no finite similarity"
            )
        return similarity

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Tokens of each text before any cut; None if unknown."""
        return self._model.count_tokens(texts, role)

    def same_as(self, role: Role) -> Role:
        """The role that the model treats alike."""
        return self._alike[role]

    def _encode_missing(self, texts: list[str], role: Role) -> None:
        known = self._embeddings[role]
        missing = [text for text in texts if text not in known]
        if missing:
            known.update(zip(missing, _checked(self._model, missing, role), strict=True))


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into runs of at most `_CHUNK` characters, in order; no text counts more than `_LONGEST`."""
    chunk: list[str] = []
    characters = 0
    for text in texts:
        counted = min(len(text), _LONGEST)
        if characters + counted > _CHUNK:
            yield chunk
            chunk, characters = [], 0
        chunk.append(text)
        characters += counted
    if chunk:
        yield chunk


def _checked(model: Model, texts: list[str], role: Role) -> np.ndarray:
    """Encode, and refuse what no score could be computed from."""
    embeddings = np.asarray(model.encode(texts, role), dtype=np.float32)
    if embeddings.ndim != 2 or len(embeddings) != len(texts):
        raise HarnessError(
            f"model {model.name} returned embeddings of shape {embeddings.shape} for {len(texts)} texts",
            hint="one row per text is needed, (texts, dimensions)",
        )
    broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
    if len(broken):
        raise HarnessError(
            f"model {model.name} returned NaN or infinite embeddings for {len(broken)} of {len(texts)} texts",
            exists=f"the first: {texts[broken[0]][:80]!r}",
            hint="are its weights finite?"
            if model.spec.settings.dtype == "float32"
            else "half precision overflows in some models: try --dtype float32",
        )
    if len(texts) >= _FEWEST_TO_JUDGE and _all_same(embeddings):
        raise HarnessError(
            f"model {model.name} gave all of {len(texts)} different texts the same embedding",
            exists=f"such as {texts[0][:60]!r} and {texts[1][:60]!r}",
            hint="the model has collapsed, or its tokenizer knows none of these words",
        )
    return embeddings


def _all_same(embeddings: np.ndarray) -> bool:
    """Whether all rows are the first up to rounding, which batches of another shape differ by."""
    first = embeddings[0]
    return bool(np.linalg.norm(embeddings - first, axis=1).max() <= _SAME * np.linalg.norm(first))
