"""The base that the checks ask: all-MiniLM-L6-v2, each text encoded once, by its first words alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import load_model
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.models.interface import Model

_OFTEN = 1000
"""New embeddings after which the cache is written."""
WORDS = 24
"""Words of a text that are encoded: the whole study has ten minutes on one core."""


class BriefBase:
    """A model that reads the first words of a text, and remembers its embeddings; else the model's own.

    Tokens are counted of whole texts. The class of the model does not matter to a check: it only asks.
    """

    def __init__(self, name: str = "minilm", cache: Path | None = None) -> None:
        self._name = name
        self._cache = cache
        self._known: dict[str, np.ndarray] = {}
        self._tokens: dict[str, int] = {}
        self._kept = 0
        if cache is not None and cache.is_file():
            with np.load(cache, allow_pickle=False) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["embeddings"], strict=True))

    @cached_property
    def _model(self) -> Model:
        """The model, loaded when it is first asked: cards ask nothing of it."""
        return load_model(self._name)

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one embedding per text: (n, dim)."""
        brief = [" ".join(text.split()[:WORDS]) for text in texts]
        new = [text for text in dict.fromkeys(brief) if text not in self._known]
        if new:
            self._known.update(zip(new, self._model.encode(new, role), strict=True))
        return np.array([self._known[text] for text in brief])

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the number of tokens of each whole text: (n,)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._tokens]
        counted = self._model.count_tokens(new, role) if new else []
        if counted is None:
            return None
        self._tokens.update(zip(new, map(int, counted), strict=True))
        return np.array([self._tokens[text] for text in texts])

    def keep(self, *, last: bool = False) -> None:
        """Write the embeddings to the cache, if there is one: now and then, and at last."""
        if self._cache is None or not (last or len(self._known) > self._kept + _OFTEN):
            return
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        texts, embeddings = np.array(list(self._known)), np.array(list(self._known.values()))
        np.savez(self._cache, texts=texts, embeddings=embeddings)
        self._kept = len(self._known)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a model has
        return getattr(self._model, name)
