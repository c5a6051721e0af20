"""Functions and objects that encode, as models: what they are is not known, only what they return."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.models.honor import refuse_settings
from harness.models.interface import ModelFacts, ModelSpec, Role
from harness.models.similarity import pairwise_similarity, similarity
from harness.models.storage import encoding_settings, storage_settings
from harness.models.stored_model import LocatedStored
from harness.render import plural
from harness.system.plugin_code import error_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.models.interface import LocatedModel, Model

HONORED = frozenset({"similarity", "revision", "truncate_dim", "normalize", "precision"})
"""Settings that a function honors: how embeddings are stored and compared, and its declared revision."""
_METHODS = {Role.TEXT: "encode", Role.QUERY: "encode_query", Role.DOCUMENT: "encode_document"}
_PROBE = "The lease ends in June."
_HINT = "it gets a list of texts and returns one row of numbers for each: an array, a tensor or lists"


def locate_callable(model: Any, spec: ModelSpec) -> LocatedModel:  # noqa: ANN401 - an object or a function
    """Return a located model of a function from texts to embeddings, or of an object with `encode`.

    Its fingerprint is that of the revision that the settings declare, with the name of the function or class.
    Without one it is unidentified: each call is another model. Raises HarnessError for settings that it
    cannot honor.
    """
    refuse_settings(replace(spec, scheme="function"), HONORED)
    source = LocatedCallable(model, replace(spec, settings=encoding_settings(spec.settings)))
    return LocatedStored(source, spec) if storage_settings(spec.settings) else source


class LocatedCallable:
    """A function or an object with `encode`, which is asked nothing yet."""

    remote = False

    def __init__(self, model: Any, spec: ModelSpec) -> None:  # noqa: ANN401 - as above
        what = model if hasattr(model, "__qualname__") else type(model)
        self.spec = spec
        self.name = spec.name or str(getattr(what, "__name__", "function")).strip("<>")
        revision = spec.settings.revision
        self.identified = revision is not None
        content = f"{what.__module__}.{what.__qualname__}@{revision}" if revision else uuid.uuid4().hex
        self.fingerprint = hashlib.sha256(f"python\n{content}".encode()).hexdigest()
        self._model = model

    def load(self) -> Model:
        """Return the model, once a text was encoded to count its dimensions."""
        return CallableModel(self._model, self)


class CallableModel:
    """A function or an object with `encode`; of an object, `encode_query` and `encode_document` too."""

    def __init__(self, model: Any, located: LocatedCallable) -> None:  # noqa: ANN401 - as above
        self.name, self.fingerprint, self.spec = located.name, located.fingerprint, located.spec
        self._functions = _functions(model)
        self.facts = ModelFacts(
            dimensions=self._encode([_PROBE], Role.TEXT).shape[1],
            similarity=self.spec.settings.similarity or "cosine",
            backend="python",
            identified=located.identified,
        )

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one row per text, (len(texts), dimensions) float32.

        Raises HarnessError for what has another shape or is not numbers, and what the function raises.
        """
        if not len(texts):
            return np.zeros((0, self.facts.dimensions), dtype=np.float32)
        return self._encode(texts, role)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities: (n, m)."""
        return similarity(self.facts.similarity, a, b)

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of row i of `a` with row i of `b`: (n,)."""
        return pairwise_similarity(self.facts.similarity, a, b)

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> None:
        """Return None: its tokens are not known."""

    def same_as(self, role: Role) -> Role:
        """Return TEXT for a role without a method of its own."""
        return role if role in self._functions else Role.TEXT

    def _encode(self, texts: Sequence[str], role: Role) -> np.ndarray:
        function = self._functions[self.same_as(role)]
        returned = function(list(texts))
        try:
            rows = np.asarray(_on_cpu(returned))
        except (TypeError, ValueError, RuntimeError) as error:
            raise HarnessError(
                f"model {self.name} returned what is not numbers: {error_sentence(error)}", hint=_HINT
            ) from error
        masked = np.ma.isMaskedArray(returned)
        if rows.dtype.kind not in "fiub" or masked:
            kind = "a masked array" if masked else f"cells of type {rows.dtype}"
            raise HarnessError(f"model {self.name} returned what is not numbers: {kind}", hint=_HINT)
        if rows.ndim != 2 or len(rows) != len(texts):
            first = " of a first trial" if list(texts) == [_PROBE] else ""
            raise HarnessError(
                f"model {self.name} returned an array of shape {rows.shape}"
                f" for {plural(len(texts), 'text')}{first}",
                hint=_HINT,
            )
        return rows.astype(np.float32)


def _functions(model: Any) -> dict[Role, Callable[[list[str]], Any]]:  # noqa: ANN401 - as above
    """Return role → the function that encodes it, of those that a model has."""
    if not callable(getattr(model, "encode", None)):
        return {Role.TEXT: model}
    found = {role: getattr(model, name, None) for role, name in _METHODS.items()}
    return {role: function for role, function in found.items() if callable(function)}


def _on_cpu(returned: Any) -> Any:  # noqa: ANN401 - an array, a tensor, lists
    """Return what can become an array; a tensor, or a list of them, comes from its device."""
    if isinstance(returned, list | tuple) and returned and hasattr(returned[0], "detach"):
        return [_on_cpu(row) for row in returned]
    return returned.detach().float().cpu().numpy() if hasattr(returned, "detach") else returned
