"""Results folders made of columns alone: real records and parquet files, no model."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from conftest import evaluated

from harness.metrics.standard import PEARSON, SPEARMAN, mean_metric
from harness.results.folder import ResultsFolder, seal
from harness.results.publish import publish
from harness.results.records import Score, content_hash
from harness.stats.intervals import estimate
from harness.tasks.dataset import Dataset, Predictions

CORRECT = mean_metric("accuracy", "correct")


def answer(
    folder, model, task="quiz", *, metrics=(CORRECT,), fingerprint=None, tags=("quiz",), ids=None, **columns
):
    """Write a model's answers to a task as a run would; returns the record.

    columns: prediction columns, and fields of the record or its examination by the names they have there.
    """
    told = {
        name: columns.pop(name) for name in list(columns) if not isinstance(columns[name], list | np.ndarray)
    }
    rows = len(next(iter(columns.values())))
    dataset = Dataset({"id": ids or [f"e{row}" for row in range(rows)]})
    predictions = Predictions(dataset, **columns)
    scores = [_score(metric, predictions) for metric in metrics]
    fingerprint = fingerprint or hashlib.sha256(model.encode()).hexdigest()
    record = replace(
        evaluated(model, task, fingerprint=fingerprint, **told),
        scores=tuple(scores),
        predictions=content_hash(predictions),
        tags=tags,
    )
    ResultsFolder(Path(folder)).write(record, predictions)
    publish(ResultsFolder(Path(folder)))
    return record


def _score(metric, predictions) -> Score:
    found = estimate(metric, predictions)
    return Score(
        metric=metric.name,
        score=found.score if math.isfinite(found.score) else None,
        low=None,
        high=None,
        examples=found.examples,
        clusters=found.clusters,
        columns=metric.columns,
        where=metric.where,
        per_example=metric.per_example,
    )


def right(share, rows=400, *, seed=0):
    """Answers of which about a share is right: 1.0 or 0.0 each; a greater share keeps what was right."""
    return (np.random.default_rng(seed).random(rows) < share).astype(float)


def pairs(noise, rows=200, *, seed=0):
    """Gold ratings and similarities that follow them, the worse the more noise: columns of an STS task."""
    generator = np.random.default_rng(seed)
    gold, error = generator.uniform(0, 5, rows), generator.normal(size=rows)
    return {"gold": gold, "predicted": gold + noise * error}


def table(rows, **columns):
    """One model's predictions as they are read: arrays by column, with ids e0, e1, …"""
    return {"id": np.array([f"e{row}" for row in range(rows)], dtype=object)} | {
        name: np.array(values, dtype=object)
        if len(values) and isinstance(values[0], str)
        else np.asarray(values)
        for name, values in columns.items()
    }


__all__ = ["CORRECT", "PEARSON", "SPEARMAN", "answer", "pairs", "right", "table"]


def reseal(path, old: str, new: str) -> None:
    """Replace a text in a record, as one who forges its seal would."""
    content = json.loads(path.read_text().replace(old, new))
    path.write_text(json.dumps({**content, "seal": seal(content)}))
