"""Five tasks: three raise, one loads None, one works."""

from __future__ import annotations

from dataclasses import dataclass

from harness import Dataset, Predictions, Task, hookimpl, mean_metric


@dataclass
class Row:
    """A dataclass: it looks up its module by name."""

    text: str
    correct: float = 1.0


class Shaky(Task):
    """Fails in the step that its name says."""

    kind, metrics, tags = "shaky", (mean_metric("accuracy", "correct"),), frozenset({"shaky"})
    rows = (Row("one"), Row("two", 0.0), Row("three"), Row("four"))

    def __init__(self, where: str) -> None:
        self.name = f"shaky-{where}"

    def load(self, source):
        if self.name == "shaky-load":
            raise ValueError("a bug while reading")
        if self.name == "shaky-nothing":
            return None
        return Dataset({"text": [row.text for row in self.rows]})

    def predict(self, model, dataset):
        if self.name == "shaky-predict":
            raise KeyError("a bug while\n\x1b[31manswering")
        if self.name == "shaky-exit":
            raise SystemExit(0)
        model.encode(dataset["text"])
        return Predictions(dataset, correct=[row.correct for row in self.rows])


@hookimpl
def harness_tasks():
    return [Shaky(where) for where in ("load", "nothing", "predict", "exit", "not")]
