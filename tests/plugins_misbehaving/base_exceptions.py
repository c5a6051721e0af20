"""Tasks, models and a hook that raise what is not an `Exception`, change the folder, or fork."""

from __future__ import annotations

import asyncio
import os

import numpy as np

from harness import Dataset, Predictions, Role, Task, hookimpl, mean_metric
from harness.authoring import ModelFacts, ModelScheme


class Outcome(BaseException):
    """As pytest's `Failed` and `Skipped` are."""


class UnspeakableError(Exception):
    """Has a text that cannot be made."""

    def __str__(self):
        raise SystemExit("no text")


def endless():
    return endless()


RAISED = {
    "exit": SystemExit(0),
    "keyboard": KeyboardInterrupt(),
    "generator": GeneratorExit(),
    "cancelled": asyncio.CancelledError(),
    "outcome": Outcome("mine"),
    "memory": MemoryError("no more"),
    "text": UnspeakableError(),
}


def act(what):
    """Raise what is named, recur without end, or leave the folder; do nothing for any other word."""
    if what in RAISED:
        raise RAISED[what]
    if what == "recursion":
        endless()
    if what == "chdir":
        os.chdir("/")


class Raising(Task):
    """Its step raises; steps: load, texts, predict, metric."""

    kind, tags = "raising", frozenset({"raising"})

    def __init__(self, step, what):
        self.name, self.step, self.what = f"raising-{step}-{what}", step, what
        self.metrics = (mean_metric("accuracy", "correct"),)

    def load(self, source):
        act(self.what if self.step == "load" else "")
        return Dataset({"text": [f"{self.name} {number}" for number in range(4)]})

    def texts(self, dataset):
        act(self.what if self.step == "texts" else "")
        return [(text, Role.TEXT) for text in dataset["text"]]

    def predict(self, model, dataset):
        if self.step == "predict" and self.what == "fork" and os.fork() == 0:
            return Predictions(dataset, correct=[0.0] * 4)
        act(self.what if self.step == "predict" else "")
        model.encode([*dataset["text"], f"another text of {self.name}"])
        return Predictions(dataset, correct=[1.0, 0.0, 1.0, 1.0])


class RaisingModel:
    """Its member raises; members: load, encode, same_as, count_tokens."""

    def __init__(self, spec):
        self.spec, self.name = spec, spec.name or "raising"
        self.member, _, self.what = spec.location.partition("-")
        self.fingerprint = f"{spec.location.encode().hex():0<64}"
        if self.member != "members":
            self.facts = ModelFacts(dimensions=2, similarity="cosine", max_tokens=8)

    def load(self):
        act(self.what if self.member == "load" else "")
        return self

    def encode(self, texts, role=Role.TEXT):
        act(self.what if self.member == "encode" else "")
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        act(self.what if self.member == "count_tokens" else "")
        return np.ones(len(texts), dtype=int)

    def same_as(self, role):
        act(self.what if self.member == "same_as" else "")
        return Role.TEXT


@hookimpl
def harness_tasks():
    steps = [("load", "exit"), ("texts", "generator"), *(("predict", what) for what in RAISED)]
    return [
        Raising(step, what)
        for step, what in [
            *steps,
            ("predict", "recursion"),
            ("predict", "chdir"),
            ("predict", "fork"),
            ("z", ""),
        ]
    ]


@hookimpl
def harness_model_schemes():
    return [ModelScheme("raising", "raises in the member that its location names", RaisingModel)]
