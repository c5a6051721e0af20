"""Is a question nearer to its paraphrase than to another question?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness import Dataset, Predictions, Role, Task, hookimpl, mean_metric
from harness.authoring import as_ids, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import DataSource, Model

TEXTS = ("question", "paraphrase", "other")
"""Columns of texts of the file of rows."""


class MyPlugin(Task):
    """An example is a question, a paraphrase of it, and another question on the same topic."""

    name, kind, tags = "my-plugin", "paraphrase", frozenset({"paraphrases"})
    version = 1
    """Increase it when the same rows would be answered or scored differently."""
    metrics = (mean_metric("accuracy", "correct", bounds=(0, 1)), mean_metric("mean_margin", "margin"))
    """The first is the headline. Both are means of columns that `predict` returns."""
    sample = Path(__file__).parent / "sample"

    def load(self, source: DataSource) -> Dataset:
        """Read `my-plugin.csv` from the data folder, or from the sample."""
        rows = source.rows("my-plugin.csv", columns=[*TEXTS, "topic"])
        columns = {name: as_texts(rows[name], name, rows) for name in TEXTS}
        # Examples on one topic resemble each other: intervals and tests take whole topics as their units.
        columns["cluster"] = as_ids(rows["topic"], "topic", rows)
        return Dataset(columns, findings=rows.findings)

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce what `predict` encodes, so that it is encoded in few, full batches."""
        return [(text, Role.TEXT) for name in TEXTS for text in dataset[name]]

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Answer each example: which of the two is nearer, and by how much."""
        question, paraphrase, other = (model.encode(dataset[name], Role.TEXT) for name in TEXTS)
        near = model.pairwise_similarity(question, paraphrase)
        far = model.pairwise_similarity(question, other)
        return Predictions(dataset, near=near, far=far, margin=near - far, correct=near > far)


@hookimpl
def harness_tasks() -> list[Task]:
    """Return the tasks that this plugin brings."""
    return [MyPlugin()]
