"""Encode each text once over all tasks of a run, and check what comes back."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.encoding.cache_key import cacheable
from harness.encoding.table import Table
from harness.errors import HarnessError
from harness.memory import is_out_of_memory
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.encoding.cache import EmbeddingCache, Store
    from harness.models.interface import Model

_CHUNK = 120_000
"""Characters handed to a model at once while prefetching: few batches part-filled, progress still seen."""
_LONGEST = 1_200
"""Characters that a text counts at most: models cut what is longer."""
_FEWEST_TO_JUDGE = 8
"""Distinct texts that must share one embedding before a model is called degenerate."""
_SAME = 1e-5
"""Distance, relative to the norm, at which embeddings count as one: rounding of one value is below it."""
_AT_ONCE = 1024
"""Rows that are compared at a time."""
_SECONDS_UNSAVED = 20.0
_TEXTS_UNSAVED = 50_000
"""What an interruption costs at most, when there is an embedding cache."""


class EncodedOnce:
    """A model around a model that encodes each text once per role, and checks what comes back.

    With a cache on disk, a text that was encoded by an earlier run is not encoded either, and what is encoded
    is kept there: after each `prefetch`, during long ones, and by `save`.
    It also notes which texts were asked for, so that a task's truncated texts can be counted.
    Raises HarnessError for embeddings that are not finite, not one per text, or all equal.
    """

    def __init__(self, model: Model, cache: EmbeddingCache | None = None) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.spec, self.facts = model.spec, model.facts
        self._model = model
        # Asked once: there is one answer per role, and a corpus has a text per document.
        self._alike = {role: model.same_as(role) for role in Role}
        self._tables: dict[Role, Table] = defaultdict(Table)
        self._asked: dict[Role, dict[str, None]] = defaultdict(dict)
        self._stores: dict[Role, Store] = {}
        if cache is not None and cacheable(model):
            self._stores = {role: cache.store(model, role) for role in set(self._alike.values())}
        self._unsaved: dict[Role, list[str]] = defaultdict(list)
        self._saved = time.monotonic()

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """One float32 row per text, in input order; texts met before are not encoded again.

        The array may be a view that refuses to be written to: copy it before changing it.
        """
        role = self._alike[role]
        if not len(texts):
            return self._model.encode([], role)
        distinct = dict.fromkeys(texts)
        self._asked[role].update(distinct)
        missing = self._recall(distinct, role)
        self._encode(missing, _chunks(missing), role)
        return self._tables[role].embeddings_of(texts)

    def prefetch(self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]) -> None:
        """Encode announced texts in full batches; `advance` is told how many texts were done."""
        by_role: dict[Role, dict[str, None]] = defaultdict(dict)
        for text, role in texts:
            by_role[self._alike[role]][text] = None
        try:
            for role, distinct in by_role.items():
                missing = self._recall(distinct, role)
                advance(len(distinct) - len(missing))
                self._encode(missing, _chunks(missing), role, advance)
        finally:
            self.save()  # what is finished is kept, whatever cut the rest off

    def save(self) -> None:
        """Keep on disk what is not there yet; nothing without a cache, or where the disk refuses."""
        for role, texts in self._unsaved.items():
            table, store = self._tables[role], self._stores[role]
            if texts and table.width == store.dimensions:
                # In the order of rows, in which they are probably asked for again.
                rows = table.rows_of(texts)
                order = np.argsort(rows)
                store.write([texts[at] for at in order], table.parts(rows[order]))
        self._unsaved.clear()
        self._saved = time.monotonic()

    def forget(self, is_over: Callable[[str, Role], bool]) -> None:
        """Let go of the embeddings of texts that are over; one that is asked for all the same is made again.

        is_over: is asked for each text that is held, and the role that stands for all that are the same.
        """
        self.save()
        for role, table in self._tables.items():
            self._tables[role] = table.without([text for text in table if is_over(text, role)])

    def distinct(self, texts: Iterable[tuple[str, Role]]) -> int:
        """How many different embeddings the given texts need."""
        return len({(text, self._alike[role]) for text, role in texts})

    def asked(self) -> list[tuple[str, Role]]:
        """Return the distinct texts asked for since the last call, and forget them."""
        asked = [(text, role) for role, texts in self._asked.items() for text in texts]
        self._asked.clear()
        return asked

    def zeros(self, asked: Iterable[tuple[str, Role]]) -> int:
        """How many of the texts asked for, blank ones aside, have an embedding of zeros, like no other."""
        by_role: dict[Role, list[str]] = defaultdict(list)
        for text, role in asked:
            if text.strip():
                by_role[role].append(text)
        tables = ((self._tables[role], texts) for role, texts in by_role.items())
        parts = (part for table, texts in tables for part in table.parts(table.rows_of(texts)))
        return sum(int((~part.any(axis=1)).sum()) for part in parts)

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

    def _recall(self, texts: Iterable[str], role: Role) -> list[str]:
        """Take what the cache has, and return the texts that it does not have."""
        table, store = self._tables[role], self._stores.get(role)
        missing = [text for text in texts if text not in table]
        if store is None or not missing:
            return missing
        for embeddings, positions, rows in store.find(missing):
            table.adopt(embeddings, [missing[at] for at in positions], rows)
        return [text for text in missing if text not in table]

    def _encode(
        self,
        texts: Sequence[str],
        chunks: Iterable[Sequence[int]],
        role: Role,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Encode texts in chunks of their positions; their rows are in the order of `texts`."""
        table, first = self._tables[role], None
        for positions in chunks:
            chunk = [texts[at] for at in positions]
            embeddings = _checked(self._model, chunk, role)
            if first is None:
                first = table.reserve(len(texts), embeddings.shape[1])
            table.fill(first + np.asarray(positions), chunk, embeddings)
            if role in self._stores:
                self._unsaved[role] += chunk
                self._save_now_and_then()
            advance(len(chunk))

    def _save_now_and_then(self) -> None:
        unsaved = sum(map(len, self._unsaved.values()))
        if unsaved >= _TEXTS_UNSAVED or time.monotonic() - self._saved > _SECONDS_UNSAVED:
            self.save()


def _chunks(texts: Sequence[str]) -> Iterator[list[int]]:
    """Cut texts into chunks of at most `_CHUNK` characters, the shortest in the first; yields positions.

    No text counts more than `_LONGEST`.
    """
    chunk: list[int] = []
    characters = 0
    for position in sorted(range(len(texts)), key=lambda position: len(texts[position])):
        counted = min(len(texts[position]), _LONGEST)
        if characters + counted > _CHUNK:
            yield sorted(chunk)
            chunk, characters = [], 0
        chunk.append(position)
        characters += counted
    if chunk:
        yield sorted(chunk)


def _checked(model: Model, texts: list[str], role: Role) -> np.ndarray:
    """Encode, and refuse what no score could be computed from."""
    embeddings = _fitting(model, texts, role)
    broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
    if len(broken):
        raise HarnessError(
            f"model {model.name} returned NaN or infinite embeddings for {len(broken)} of {len(texts)} texts",
            exists=f"the first: {texts[broken[0]][:80]!r}",
            hint="are its weights finite?"
            if model.spec.settings.dtype == "float32"
            else "half precision overflows in some models: try --dtype float32",
        )
    if len(texts) >= _FEWEST_TO_JUDGE and not embeddings.any():
        raise HarnessError(
            f"model {model.name} gave all of {len(texts)} texts an embedding of zeros",
            hint="are its weights there? its tokenizer may know none of these words",
        )
    if len(texts) >= _FEWEST_TO_JUDGE and _all_same(embeddings):
        raise HarnessError(
            f"model {model.name} gave all of {len(texts)} different texts the same embedding",
            exists=f"such as {texts[0][:60]!r} and {texts[1][:60]!r}",
            hint="the model has collapsed, or its tokenizer knows none of these words",
        )
    return embeddings


def _fitting(model: Model, texts: list[str], role: Role) -> np.ndarray:
    """Encode, in halves where there is no memory for all: (len(texts), dimensions) float32."""
    try:
        given = model.encode(texts, role)
    except Exception as error:
        if len(texts) == 1 or not is_out_of_memory(error):
            raise
    else:
        return _rows(model, given, len(texts))
    middle = len(texts) // 2
    return np.concatenate([_fitting(model, half, role) for half in (texts[:middle], texts[middle:])])


def _rows(model: Model, given: Any, count: int) -> np.ndarray:  # noqa: ANN401 - whatever a stranger's model gives
    """Take what a model gave as float32 embeddings; raises HarnessError where it is not one row per text."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise HarnessError(
            f"model {model.name} returned a {type(given).__name__}, which is no array: {error}",
            hint="encode returns a float32 array on the host, (texts, dimensions)",
        ) from error
    if array.dtype.kind not in "fiu":
        raise HarnessError(
            f"model {model.name} returned embeddings of type {array.dtype}", hint="float32 is needed"
        )
    if array.ndim != 2 or len(array) != count or not array.shape[1]:
        raise HarnessError(
            f"model {model.name} returned embeddings of shape {array.shape} for {count} texts",
            hint="one row per text is needed, (texts, dimensions)",
        )
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
        return array.astype(np.float32, copy=False)


def _all_same(embeddings: np.ndarray) -> bool:
    """Whether all rows are the first up to rounding, which batches of another shape differ by."""
    first = embeddings[0]
    near = _SAME * np.linalg.norm(first)
    # A few rows at a time: mostly the first few settle it, and a copy of all would take as much memory again.
    return all(
        bool(np.linalg.norm(embeddings[start : start + _AT_ONCE] - first, axis=1).max() <= near)
        for start in range(0, len(embeddings), _AT_ONCE)
    )
