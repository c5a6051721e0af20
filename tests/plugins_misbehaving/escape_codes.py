"""Names and messages with terminal escape codes."""

from __future__ import annotations

from harness import Dataset, HarnessError, Predictions, Task, hookimpl, mean_metric
from harness.authoring import ModelScheme

NASTY = "\x1b[2J\x1b]0;owned\x07\u202eevil\x9b31m"


class Nasty(Task):
    """A task whose name clears the screen."""

    kind, metrics, tags = NASTY, (mean_metric("accuracy", "correct"),), frozenset({"nasty", NASTY})

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self, source):
        if "fails" in self.name:
            raise HarnessError(f"cannot read {NASTY}", hint=NASTY)
        return Dataset({"text": ["a", "b"]})

    def predict(self, model, dataset):
        return Predictions(dataset, correct=[1.0, 0.0])


def refuse(spec):
    """Raise an error with escape codes in its message."""
    raise HarnessError(f"no model {NASTY}", exists=NASTY, hint=NASTY)


@hookimpl
def harness_tasks():
    return [Nasty(f"nasty{NASTY}"), Nasty(f"fails{NASTY}")]


@hookimpl
def harness_model_schemes():
    return [ModelScheme("nasty", f"help {NASTY}", refuse)]
