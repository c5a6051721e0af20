"""A model around a model that notes what a task asks of it, and what the task does with the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from harness.models.interface import Model


_ROLES = frozenset(Role)
"""Roles, which are equal to their names."""


class WatchedModel:
    """A model around a model; embeddings that it returns may be written to, and it knows which were.

    zeros: whether the first text that it is asked for has an embedding of zeros.
    """

    def __init__(self, model: Model, *, zeros: bool = False) -> None:
        self.name, self.fingerprint, self.spec, self.facts = (
            model.name,
            model.fingerprint,
            model.spec,
            model.facts,
        )
        self.asked: dict[tuple[str, Role], None] = {}
        """Texts and roles that were encoded, in order."""
        self.misuse = ""
        """What was wrong with the arguments of `encode`; empty where nothing was."""
        self._model, self._zeros = model, zeros
        self._returned: list[tuple[np.ndarray, np.ndarray]] = []

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return the model's embeddings, (len(texts), dimensions) float32, in an array of their own."""
        import numpy as np

        self._note_misuse(texts, role)
        # What is no role is noted above; as a text, the rest can still be tried.
        texts, role = [str(text) for text in texts], Role(role) if role in _ROLES else Role.TEXT
        self.asked.update(((text, role), None) for text in texts)
        embeddings = np.array(self._model.encode(texts, role))
        if self._zeros and texts:
            first = next(iter(self.asked))[0]
            embeddings[[row for row, text in enumerate(texts) if text == first]] = 0
        self._returned.append((embeddings, embeddings.copy()))
        return embeddings

    def changed(self) -> bool:
        """Whether an array that `encode` returned was changed afterwards."""
        import numpy as np

        return any(not np.array_equal(now, before) for now, before in self._returned)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the model's own similarity: (n, m)."""
        return self._model.similarity(a, b)

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the model's own similarity: (n,)."""
        return self._model.pairwise_similarity(a, b)

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the tokens of each text: (n,); None if unknown."""
        return self._model.count_tokens(texts, role)

    def same_as(self, role: Role) -> Role:
        """Return the role that the model encodes like this one."""
        return self._model.same_as(role)

    def _note_misuse(self, texts: Any, role: Any) -> None:  # noqa: ANN401 - what a task passes
        strange = [] if isinstance(texts, str) else [text for text in texts if not isinstance(text, str)]
        if self.misuse:
            return
        if isinstance(texts, str):
            self.misuse = f"predict calls encode with the text {texts[:40]!r}: a list of texts is wanted"
        elif strange:
            self.misuse = (
                f"predict calls encode with {strange[0]!r}, a {type(strange[0]).__name__}, not a text"
            )
        elif role not in _ROLES:
            known = ", ".join(f"Role.{name}" for name in Role.__members__)
            self.misuse = f"predict calls encode with the role {role!r}: {known} exist"
