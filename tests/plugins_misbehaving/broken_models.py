"""Model schemes whose models cannot be used, each for another reason."""

from __future__ import annotations

import hashlib

import numpy as np

from harness import HarnessError, Role, hookimpl
from harness.authoring import ModelFacts, ModelScheme


class Broken:
    """Returns embeddings that cannot be scored, or raises."""

    def __init__(self, spec):
        self.spec = spec
        self.name = spec.name or spec.scheme
        self.fingerprint = hashlib.sha256(spec.scheme.encode()).hexdigest()
        self.facts = ModelFacts(dimensions=2, similarity="cosine")

    def load(self):
        if self.spec.scheme == "unloadable":
            raise MemoryError("not enough memory for the weights")
        return self

    def encode(self, texts, role=Role.TEXT):
        if self.spec.scheme == "raising":
            raise RuntimeError("the kernel is not compiled for this machine")
        if self.spec.scheme == "nan":
            return np.full((len(texts), 2), np.nan, dtype=np.float32)
        return np.ones((len(texts), 2), dtype=np.float32)

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        return None

    def same_as(self, role):
        return Role.TEXT


def absent(spec):
    """Raise HarnessError."""
    raise HarnessError("no such model in the shop", hint="ask for another")


@hookimpl
def harness_model_schemes():
    names = ("nan", "equal", "raising", "unloadable")
    return [*(ModelScheme(name, "broken", Broken) for name in names), ModelScheme("absent", "", absent)]
