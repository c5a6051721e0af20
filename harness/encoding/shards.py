"""Cut texts into parts, and encode them: the same parts for any number of workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from harness.encoding.validate import encode_checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.models.interface import Model, Role

_CHUNK = 120_000
"""Maximum characters that a model gets at once: few partly filled batches, but frequent progress."""
_LONGEST = 1_200
"""Maximum characters that count of a text: models truncate longer ones."""


@dataclass(frozen=True, slots=True)
class EncodedShard:
    """The embeddings of some of the texts that an `Encoder` was given."""

    positions: np.ndarray
    """(n,): which of the texts."""
    embeddings: np.ndarray
    """(n, dimensions) float32."""
    tokens: np.ndarray | None
    """(n,): tokens of each text before any cut, -1 where they were not counted; None if unknown."""


class Encoder(Protocol):
    """What turns many texts into embeddings, here or elsewhere."""

    @property
    def computation(self) -> Mapping[str, Any] | None:
        """What their bits depend on where it encodes: `models.computation`; None for this process."""
        ...

    def encode(self, texts: Sequence[str], role: Role) -> Iterator[EncodedShard | None]:
        """Yield shards as they are done; None where nothing is, and others are working on them.

        Raises HarnessError for embeddings that cannot be scored, and what the model raises.
        """
        ...

    def wait(self) -> None:
        """Wait until `encode` may have something."""
        ...


class LocalEncoder:
    """Encode texts by a loaded model, in this thread."""

    computation = None

    def __init__(self, model: Model) -> None:
        self._model = model

    def encode(self, texts: Sequence[str], role: Role) -> Iterator[EncodedShard]:
        """Yield chunks, the shortest texts first; raises as `encode_checked`."""
        for positions in chunks(texts):
            part = [texts[at] for at in positions]
            yield EncodedShard(np.asarray(positions), *encode_checked(self._model, part, role))

    def wait(self) -> None:
        """Return: nothing is done elsewhere."""


def chunks(texts: Sequence[str], most: float | None = None) -> Iterator[list[int]]:
    """Yield positions of texts in chunks of at most `most` (`_CHUNK`) characters, the shortest texts first.

    A text counts at most `_LONGEST`.
    """
    chunk: list[int] = []
    characters, most = 0, most or _CHUNK
    for position in sorted(range(len(texts)), key=lambda position: len(texts[position])):
        counted = min(len(texts[position]), _LONGEST)
        if characters + counted > most:
            yield sorted(chunk)
            chunk, characters = [], 0
        chunk.append(position)
        characters += counted
    if chunk:
        yield sorted(chunk)


def shards(texts: Sequence[str], *, at_least: int, invariant: bool = False) -> Iterator[list[int]]:
    """Yield positions of texts in shards, each a few adjacent chunks of them.

    at_least: how many shards there are to be, if there are as many chunks. invariant: whether the model is
    batch-invariant; chunks of few texts are then smaller, so that all workers get some. Otherwise chunks are
    those of `LocalEncoder`, also when a shard is cut into them again: the model gets the same batches.
    """
    most = float(_CHUNK)
    if invariant:
        characters = sum(min(len(text), _LONGEST) for text in texts)
        most = min(most, max(characters / max(1, at_least), _CHUNK / 8))
    whole = list(chunks(texts, most))
    each = max(1, min(_MOST_CHUNKS, len(whole) // max(1, at_least)))
    for start in range(0, len(whole), each):
        yield sorted(position for chunk in whole[start : start + each] for position in chunk)


_MOST_CHUNKS = 6
"""Maximum chunks of a shard: about 10,000 sentences, or 600 long texts."""


def encode_shard(model: Model, texts: Sequence[str], role: Role) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the embeddings and tokens of a shard, as `LocalEncoder` encodes the chunks it was made of."""
    done = list(LocalEncoder(model).encode(texts, role))
    if not done:
        return np.zeros((0, model.facts.dimensions), dtype=np.float32), None
    embeddings = np.empty((len(texts), done[0].embeddings.shape[1]), dtype=np.float32)
    tokens = np.full(len(texts), -1, dtype=np.int64)
    for part in done:
        embeddings[part.positions] = part.embeddings
        if part.tokens is not None:
            tokens[part.positions] = part.tokens
    return embeddings, None if any(part.tokens is None for part in done) else tokens
