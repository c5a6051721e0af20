"""A plugin of models that take a known time, or misbehave in a known way: `acts:sleep-5`, `acts:raises`, …"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from harness import Role, hookimpl
from harness.authoring import ModelFacts, ModelScheme


class Acting:
    """Embeds nothing, at a known speed."""

    def __init__(self, spec):
        self.spec = spec
        self.act, _, number = spec.location.partition("-")
        self.seconds = float(number or 0) / 1000
        self.name = spec.name or spec.location
        self.fingerprint = spec.location.encode().hex()
        self.facts = ModelFacts(dimensions=2, similarity="cosine", dtype=spec.settings.dtype)
        self.calls = 0

    def load(self):
        if self.act == "hangs":
            time.sleep(60)
        return self

    def encode(self, texts, role=Role.TEXT):
        self.calls += 1
        print("a library that prints to standard output", flush=True)
        time.sleep(self.seconds)
        if self.act != "sleep" and self.calls > 3:
            self._misbehave()
        return np.ones((len(texts), 2), dtype=np.float32)

    def _misbehave(self):
        if self.act == "raises":
            raise ValueError("the model broke")
        if self.act == "exits":
            print("last words", file=sys.stderr, flush=True)
            os._exit(3)
        if self.act == "garbage":
            for descriptor in range(3, 20):
                try:
                    os.write(descriptor, b"garbage\n")
                except OSError:
                    continue

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        return np.array([len(text.split()) for text in texts])

    def padded_tokens(self, texts, role=Role.TEXT):
        return 2 * sum(len(text.split()) for text in texts)

    def same_as(self, role):
        return Role.TEXT


@hookimpl
def harness_model_schemes():
    return [ModelScheme("acts", "misbehaves in a known way", Acting, frozenset({"dtype", "backend"}))]
