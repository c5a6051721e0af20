"""A quick task, and one that hangs until it is interrupted."""

from __future__ import annotations

import time

from harness import Dataset, Predictions, Task, hookimpl, mean_metric


class Slow(Task):
    """Sleeps if its name is `z-hangs`."""

    kind, metrics, tags = "slow", (mean_metric("accuracy", "correct"),), frozenset({"slow"})

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self, source):
        return Dataset({"text": ["a", "b"]})

    def predict(self, model, dataset):
        if self.name == "z-hangs":
            print("hanging", flush=True)
            time.sleep(60)
        return Predictions(dataset, correct=[1.0, 0.0])


@hookimpl
def harness_tasks():
    return [Slow("a-quick"), Slow("z-hangs")]
