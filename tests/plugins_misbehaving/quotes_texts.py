"""Tasks that put texts of their rows wherever they can: ids, findings, parameters, errors, standard error."""

from __future__ import annotations

import os
import sys

from harness import (
    Dataset,
    Finding,
    HarnessError,
    Predictions,
    Severity,
    Task,
    hookimpl,
    mean_metric,
    read_rows,
)


class Quoting(Task):
    """Quotes texts in the place that its name says; `quoting-answers` does so in what it answers."""

    kind, metrics = "quoting", (mean_metric("accuracy", "correct"),)

    def __init__(self, where: str) -> None:
        self.name = f"quoting-{where}"
        # A crash ends the process: no tag selects it by chance.
        self.tags = frozenset({"quoting"} if where != "crash" else ())

    def load(self, source):
        texts = read_rows(source.path("texts.jsonl"), ["text"])["text"]
        if self.name == "quoting-load":
            raise ValueError(f"cannot read {texts[0]}")
        columns = {"text": texts, "id": texts, "mirror": texts}
        if self.name != "quoting-unclustered":
            columns["cluster"] = [text[::-1] for text in texts]
        return Dataset({**columns, "topic": ["a" if row % 2 else "b" for row in range(len(texts))]})

    def predict(self, model, dataset):
        first = dataset["text"][0]
        if self.name == "quoting-error":
            try:
                raise KeyError(first)
            except KeyError as error:
                error.add_note(f"a note on {first}")
                raise HarnessError(f"row 3 is odd: {first[:30]}", exists=first, hint=first) from error
        if self.name == "quoting-bug":
            raise type("Odd", (RuntimeError,), {})(first)
        if self.name == "quoting-crash":
            print(f"working on {first}", file=sys.stderr, flush=True)
            print(f"working on {first}", flush=True)
            os.abort()
        norms = (model.encode(dataset["text"]) ** 2).sum(axis=1)
        return Predictions(
            dataset,
            correct=[
                float(norm > 0 and "2" not in text) for norm, text in zip(norms, dataset["text"], strict=True)
            ],
            predicted=["a" for _ in dataset["text"]],
            gold=dataset["topic"],
            nearest=[[text, text.upper()] for text in dataset["text"]],
            fitted={"word": first.split()[1], "weights": dict.fromkeys(first.split(), 0.5), "C": 0.5},
            findings=[
                Finding("odd-row", Severity.WARNING, f"1 of 12 rows is odd, such as {first[:20]!r}"),
                Finding("long-row", Severity.ERROR, f"this row is long: {first}"),
                Finding("cut-row", Severity.NOTE, f"this row is cut: {first[:40]}", f"remove “{first}”"),
            ],
        )


@hookimpl
def harness_tasks():
    return [Quoting(where) for where in ("answers", "unclustered", "load", "error", "bug", "crash")]
