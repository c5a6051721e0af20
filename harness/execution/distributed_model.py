"""A model whose texts are encoded by workers: what a run takes for a loaded model."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.encoding.shards import EncodedShard, shards
from harness.errors import HarnessError
from harness.execution.dispatcher import ExecutorError
from harness.execution.units import Encoded, EncodeUnit, SearchUnit
from harness.models.honor import load_located
from harness.models.interface import Role
from harness.models.sentence_transformer import LocatedFolder
from harness.models.similarity import pairwise_similarity, similarity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.execution.dispatcher import Dispatcher, Ticket
    from harness.execution.units import ModelDescription
    from harness.metrics.search_part import PartFound, SearchPart
    from harness.models.interface import LocatedModel, Model

_AHEAD = 2
"""Parts of a corpus for each worker that are in memory."""
_SHARDS_EACH = 4
"""Shards for each worker where texts allow: the last ones end at nearly the same time."""


class DistributedModel:
    """A model that workers load and encode with; its similarity is computed here.

    described: as a worker described it. Raises HarnessError where another worker's is not the same.
    """

    def __init__(
        self, located: LocatedModel, dispatcher: Dispatcher, described: Encoded, *, mixed: bool = False
    ) -> None:
        """mixed: whether workers may have processors of several kinds, so that bits depend on who encodes."""
        self.name, self.fingerprint, self.spec = located.name, located.fingerprint, located.spec
        self.facts = described.model.facts
        self.computation = dict(described.model.computation)
        self.threads = described.threads
        self._located, self._dispatcher = located, dispatcher
        self._alike, self._mixed = described.model.alike, mixed
        self.kinds = {str(described.model.computation.get("processor", ""))}
        """Processors that have encoded."""

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one float32 row per text, (len(texts), dimensions), in order."""
        embeddings = np.empty((len(texts), self.facts.dimensions), dtype=np.float32)
        encoder = DistributedEncoder(self, self._dispatcher)
        for shard in encoder.encode(texts, role):
            if shard is None:
                encoder.wait()
            else:
                embeddings[shard.positions] = shard.embeddings
        return embeddings

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of the model's own function: (n, m)."""
        if self._by_name:
            return similarity(self.facts.similarity, a, b)
        return self._loaded.similarity(a, b)

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of row i of `a` with row i of `b`: (n,)."""
        if self._by_name:
            return pairwise_similarity(self.facts.similarity, a, b)
        return self._loaded.pairwise_similarity(a, b)

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the tokens of each text before any cut, (n,), counted by workers; None if unknown."""
        tokens = np.zeros(len(texts), dtype=np.int64)
        tickets = [
            (part, self._dispatcher.submit(self.unit("tokens", [texts[at] for at in part], role)))
            for part in (shards(texts, at_least=self._dispatcher.size) if len(texts) else [[]])
        ]
        for part, ticket in tickets:
            counted = self.taken(self._done(ticket)).tokens
            if counted is None:
                return None
            tokens[part] = counted
        return tokens

    def same_as(self, role: Role) -> Role:
        """Return a role that is encoded exactly like this one."""
        return self._alike[role]

    def unit(self, want: str, texts: Sequence[str], role: Role) -> EncodeUnit:
        """Return a unit of this model."""
        return unit_of(self._located, want, texts, role)

    def taken(self, ticket: Ticket) -> Encoded:
        """Return what a unit returned; raises what it raised, and where its worker's model is another."""
        encoded: Encoded = ticket.take()
        if fault := _fault(encoded, ticket.unit, self.facts.dimensions):
            raise ExecutorError(f"a worker returned {fault} for {ticket.unit.what}")
        if difference := self._difference(encoded.model):
            raise HarnessError(
                f"workers load {self.name} differently: {difference}",
                hint="take workers of one kind; --allow processor accepts several kinds of processors,"
                " whose embeddings differ by rounding",
            )
        return encoded

    def _done(self, ticket: Ticket) -> Ticket:
        seen = self._dispatcher.events
        while not ticket.done:
            seen = self._dispatcher.wait(seen)
        return ticket

    def _difference(self, other: ModelDescription) -> str:
        """Return what another worker says of the model that the first does not; empty for nothing."""
        own, found = self.computation, dict(other.computation)
        self.kinds.add(str(found.get("processor", "")))
        if self._mixed:
            own = {**own, "processor": "", "kernels": ""}
            found = {**found, "processor": "", "kernels": ""}
        for name in own:
            if own[name] != found.get(name):
                return f"{name} {own[name]} and {found.get(name)}"
        if not self._mixed and other.facts != self.facts:
            return f"{self.facts} and {other.facts}"
        return ""

    @property
    def _by_name(self) -> bool:
        """Whether sentence-transformers computes its similarity from the function's name alone."""
        return isinstance(self._located, LocatedFolder)

    @cached_property
    def _loaded(self) -> Model:
        return load_located(self._located)


def _fault(encoded: object, unit: object, dimensions: int) -> str:
    """Return what is wrong with the result of a unit, in words; empty if nothing is."""
    if not isinstance(encoded, Encoded) or not isinstance(unit, EncodeUnit):
        return f"a {type(encoded).__name__}"
    embeddings = encoded.embeddings
    if unit.want != "embeddings":
        return ""
    if not isinstance(embeddings, np.ndarray) or embeddings.dtype != np.float32:
        return "no float32 array"
    if embeddings.shape != (len(unit.texts), dimensions):
        return f"embeddings of shape {embeddings.shape}, not {(len(unit.texts), dimensions)}"
    return "" if np.isfinite(embeddings).all() else "embeddings that are NaN or infinite"


class DistributedEncoder:
    """Encode texts on workers: shards are handed in as fast as they are taken, and no faster."""

    def __init__(self, model: DistributedModel, dispatcher: Dispatcher) -> None:
        self._model, self._dispatcher = model, dispatcher
        self.computation = model.computation
        self._seen = 0

    def encode(self, texts: Sequence[str], role: Role) -> Iterator[EncodedShard | None]:
        """Yield shards in the order in which they are done; None where the next one is not.

        Raises HarnessError as the units do. What was not begun is dropped where it is not read to the end.
        """
        parts = _SHARDS_EACH * self._dispatcher.size
        invariant = self._model.facts.reproducible
        waiting = shards(texts, at_least=parts, invariant=invariant) if len(texts) else iter(())
        handed: dict[Ticket, np.ndarray] = {}
        try:
            while True:
                ended = [ticket for ticket in handed if ticket.done]
                for ticket in ended:
                    encoded = self._model.taken(ticket)
                    assert encoded.embeddings is not None  # noqa: S101 - that is what was asked for
                    yield EncodedShard(handed.pop(ticket), encoded.embeddings, encoded.tokens)
                # The first is always handed in, so that one task after another gets on.
                while not handed or self._dispatcher.wants_more:
                    positions = next(waiting, None)
                    if positions is None:
                        break
                    unit = self._model.unit("embeddings", [texts[at] for at in positions], role)
                    handed[self._dispatcher.submit(unit)] = np.asarray(positions)
                if not handed:
                    return
                if not ended:
                    yield None
        finally:
            self._dispatcher.cancel(handed)

    def wait(self) -> None:
        """Wait until a unit has ended since this last returned; raises HarnessError without any worker."""
        self._seen = self._dispatcher.wait(self._seen)


class DistributedSearcher:
    """Search parts of corpora on workers."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def search(self, parts: Iterator[SearchPart]) -> Iterator[PartFound]:
        """Yield what is found in each part, in order; a few parts are in memory at a time.

        Raises HarnessError as units do.
        """
        handed: deque[Ticket] = deque()
        seen = 0
        try:
            while True:
                while len(handed) < _AHEAD * self._dispatcher.size:
                    part = next(parts, None)
                    if part is None:
                        break
                    handed.append(self._dispatcher.submit(SearchUnit(part=part)))
                if not handed:
                    return
                while not handed[0].done:
                    seen = self._dispatcher.wait(seen)
                yield handed.popleft().take()
        finally:
            self._dispatcher.cancel(handed)


def unit_of(
    located: LocatedModel, want: str, texts: Sequence[str] = (), role: Role = Role.TEXT
) -> EncodeUnit:
    """Return a unit of a located model that encodes, not of one that stores what another encodes."""
    return EncodeUnit(
        spec=located.spec,
        name=located.name,
        fingerprint=located.fingerprint,
        want=want,  # type: ignore[arg-type] # one of the three
        role=role,
        texts=tuple(texts),
    )
