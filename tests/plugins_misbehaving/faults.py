"""A task for each way to end or hang a process, and a model for each kind of invalid embeddings."""

from __future__ import annotations

import ctypes
import os
import signal
import time

import numpy as np

from harness import Dataset, Predictions, Role, Task, hookimpl, mean_metric
from harness.authoring import ModelFacts, ModelScheme

ENDINGS = {
    "exits": lambda: os._exit(0),
    "crashes": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hangs": lambda: time.sleep(60),
    # A C function that keeps the interpreter's lock: no signal handler of Python's runs meanwhile.
    "hangs-in-c": lambda: ctypes.PyDLL(None).sleep(60),
    "nothing": lambda: None,
    "exits-announcing": lambda: None,
}


class Ending(Task):
    """Ends the process, or hangs."""

    kind, metrics, tags = "ending", (mean_metric("accuracy", "correct"),), frozenset({"ending"})

    def __init__(self, name: str, ending: str) -> None:
        self.name, self.ending = name, ending

    def load(self, source):
        return Dataset({"text": [f"{self.name} {number}" for number in range(3)]})

    def texts(self, dataset):
        if self.ending == "exits-announcing":
            os._exit(0)
        return [(text, Role.TEXT) for text in dataset["text"]]

    def predict(self, model, dataset):
        ENDINGS[self.ending]()
        model.encode(dataset["text"])
        return Predictions(dataset, correct=[1.0, 0.0, 1.0])


def rows(texts):
    return np.array([[len(text), ord(text[0]), 1.0] for text in texts], dtype=np.float32).reshape(-1, 3)


def greedy(texts, limit):
    if len(texts) > limit:
        raise MemoryError(f"no memory for {len(texts)} texts")
    return rows(texts)


def late(texts):
    """Answer the first call, which is the tasks', and kill the process in the second, which is timed."""
    if late.called:
        os.kill(os.getpid(), signal.SIGKILL)
    late.called = True
    return rows(texts)


late.called = False
ANSWERS = {
    "late": late,
    "inf": lambda texts: rows(texts) * np.array([1, np.inf, 1], dtype=np.float32),
    "double": lambda texts: rows(texts).astype(float),
    "zeros": lambda texts: rows(texts) * 0,
    "some-zeros": lambda texts: rows(texts) * np.arange(len(texts), dtype=np.float32).clip(max=1)[:, None],
    "flat": lambda texts: rows(texts).reshape(-1),
    "too-few": lambda texts: rows(texts)[1:],
    "no-columns": lambda texts: rows(texts)[:, :0],
    "words": lambda texts: rows(texts).astype(str),
    "complex": lambda texts: rows(texts) * 1j,
    "ragged": lambda texts: [[1.0] * (row + 1) for row in range(len(texts))],
    "nothing": lambda _: None,
    "greedy": lambda texts: greedy(texts, 2),
    "starving": lambda texts: greedy(texts, 0),
}


class Answering:
    """Answers as its name says."""

    def __init__(self, spec):
        self.spec, self.name = spec, spec.name or spec.location
        self.fingerprint = f"{spec.location.encode().hex():0<64}"
        self.facts = ModelFacts(dimensions=3, similarity="cosine")

    def load(self):
        return self

    def encode(self, texts, role=Role.TEXT):
        return ANSWERS[self.spec.location](list(texts))

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        return None

    def same_as(self, role):
        return Role.TEXT


@hookimpl
def harness_tasks():
    return [Ending(f"ending-{number}-{ending}", ending) for number, ending in enumerate(ENDINGS)]


@hookimpl
def harness_model_schemes():
    return [ModelScheme("answering", "as its name says", Answering)]
