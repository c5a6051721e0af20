"""A model on trial: loaded once, with its embeddings of a few texts, for the rules to look at."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

from harness.models.honor import load_located
from harness.models.interface import ModelScheme, Role
from harness.models.locate import locate_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import numpy as np

    from harness.models.interface import LocatedModel, Model, ModelSpec

TEXTS = (
    "The ferry leaves at six.",
    "Photosynthesis turns light into sugar.",
    "She paid the invoice on Monday, and the bank confirmed it in the evening.",
    "Rain.",
    "The committee will meet again after the summer, when all reports are in and have been read.",
    "A dog sleeps under the table",
    "Which train goes to the harbor?",
    "The harbor train leaves from platform two, ten minutes past every hour, and stops at the market.",
    "Interest is due on the first day of each quarter.",
    "Two cats watch a bird.",
)
"""Texts of different lengths that any model should tell apart."""
ODD = ("", " ", "\n\t", "😀 😀", "時間を返す。", "\x00", "0", "word " * 3000)
"""Texts that data sets have too."""

_CLOSE = {"float32": 1e-3}
"""Maximum relative distance of embeddings that are to be the same, by the type that is computed in."""
_HALF = 5e-2
"""The same for any other type, whose rounding depends on a batch's shape."""


class ModelTrial:
    """A located model and, once a rule asks for it, the loaded one; attributes raise what it raises."""

    def __init__(self, located: LocatedModel, scheme: ModelScheme | None) -> None:
        self.located = located
        self._scheme = scheme

    @cached_property
    def model(self) -> Model:
        """The loaded model; raises HarnessError for what is no model, and facts that contradict settings."""
        return load_located(self.located)

    @property
    def private(self) -> tuple[str, ...]:
        """The texts that it encodes."""
        return TEXTS

    @cached_property
    def embeddings(self) -> np.ndarray:
        """The embeddings of `TEXTS`, in an array of their own."""
        import numpy as np

        return np.array(self.model.encode(list(TEXTS), Role.TEXT))

    @cached_property
    def scheme(self) -> ModelScheme | None:
        """The scheme that locates the model; None where it is not known."""
        if self._scheme is not None:
            return self._scheme
        name = self.located.spec.scheme
        return _scheme_in_module(type(self.located).__module__, name) or _installed(name)

    def locate(self, spec: ModelSpec) -> LocatedModel:
        """Locate a model as `--model` would."""
        assert self.scheme is not None  # noqa: S101 - a rule before says so
        return locate_model(spec, {spec.scheme: self.scheme})

    def unlike(self, a: np.ndarray, b: np.ndarray) -> str:
        """Return how far embeddings that are to be the same are apart; empty where they are the same.

        Bits count where the model says that it is reproducible; otherwise rounding is allowed.
        """
        import numpy as np

        if a.shape != b.shape:
            return f"shape {b.shape} in place of {a.shape}"
        if self.model.facts.reproducible:
            rows = int((a != b).any(axis=1).sum()) if a.size else 0
            largest = float(np.abs(a - b).max(initial=0))
            said = "facts.reproducible promises the same bits"
            return f"{rows} of {len(a)} rows differ by up to {largest:.1e}, and {said}" if rows else ""
        apart = distances(a, b)
        close = _CLOSE.get(self.model.facts.dtype, _HALF)
        rows = int((apart > close).sum())
        return f"{rows} of {len(a)} rows are up to {apart.max():.1e} of their length apart" if rows else ""


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the distance of each row of `a` from that of `b`, relative to its length: (n,)."""
    import numpy as np

    apart: np.ndarray = np.linalg.norm(a - b, axis=1) / np.maximum(np.linalg.norm(a, axis=1), 1e-12)
    return apart


def _scheme_in_module(module: str, name: str) -> ModelScheme | None:
    """Return a scheme of the hook in a module, or in one that it is in: a plugin need not be installed."""
    parts = module.split(".")
    for count in range(len(parts), 0, -1):
        found = _answered(sys.modules.get(".".join(parts[:count])), name)
        if found is not None:
            return found
    return None


def _answered(module: ModuleType | None, name: str) -> ModelScheme | None:
    hook = getattr(module, "harness_model_schemes", None)
    schemes: Sequence[object] = list(hook()) if callable(hook) else []
    return next((one for one in schemes if isinstance(one, ModelScheme) and one.name == name), None)


def _installed(name: str) -> ModelScheme | None:
    from harness.plugins.loader import load_plugins

    return load_plugins().model_schemes().get(name)
