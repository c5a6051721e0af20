"""A plugin whose models are names and whose answers are read from files: verdicts without a model.

`make.write_case(CASE, DIR)` writes the files; the environment variable ANSWERS names the folder.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

import harness
from harness import authoring

METRICS = {
    "spearman": harness.SPEARMAN,
    "roc_auc": harness.ROC_AUC,
    "macro_f1": harness.MACRO_F1,
}


def folder():
    return Path(os.environ["ANSWERS"])


class Answered(harness.Task):
    kind = "answered"

    def __init__(self, name, metrics):
        self.name, self.tags = name, frozenset({"answered"})
        self.metrics = tuple(
            METRICS.get(metric) or harness.mean_metric(metric, "value") for metric in metrics
        )

    def load(self, source):
        return harness.Dataset(json.loads((folder() / f"{self.name}.json").read_text()))

    def predict(self, model, dataset):
        answers = np.load(folder() / self.name / f"{model.name}.npz")
        return harness.Predictions(
            dataset, **{name: answers[name][: len(dataset["id"])] for name in answers.files}
        )


class Named:
    """A model that is only a name: what it encodes is not used."""

    facts = authoring.ModelFacts(dimensions=2, similarity="cosine")

    def __init__(self, spec):
        self.spec, self.name = spec, spec.location
        self.fingerprint = hashlib.sha256(spec.location.encode()).hexdigest()

    def load(self):
        return self

    def encode(self, texts, role=None):
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(1)

    def count_tokens(self, texts, role=None):
        return None

    def same_as(self, role):
        return harness.Role.TEXT


@harness.hookimpl
def harness_tasks():
    tasks = json.loads((folder() / "tasks.json").read_text())
    return [Answered(name, metrics) for name, metrics in tasks.items()]


@harness.hookimpl
def harness_model_schemes():
    return [authoring.ModelScheme("named", "models that are only names", Named)]
