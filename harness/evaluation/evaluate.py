"""Evaluate one model on one task: read the rows, let the model answer, score the answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.encoding.cached_model import CachedModel
from harness.errors import HarnessError
from harness.evaluation.answers import (
    aggregate_scores,
    announced_texts,
    check_columns,
    check_dataset,
    check_predictions,
    infinite_findings,
    infinite_metrics,
    predictions_hash,
    undefined,
)
from harness.evaluation.keys import code_summary, record_key, task_code, training_of
from harness.evaluation.requested_texts import TruncatedTexts, zero_embeddings
from harness.finding import Finding, Severity
from harness.results.records import (
    Evaluation,
    Examination,
    ModelRecord,
    Score,
)
from harness.stats.intervals import estimate
from harness.system.code_hash.walk import digest
from harness.system.environment import libraries
from harness.system.paths import without_start_folder
from harness.system.plugin_code import PluginError, error_sentence, error_text, plugin_code, raised_by
from harness.system.redact import redact
from harness.tasks.interface import AggregateTask
from harness.training.contamination import find_contamination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.metrics.interface import Metric
    from harness.models.interface import LocatedModel, Model, ModelFacts
    from harness.tasks.dataset import Dataset, Predictions
    from harness.tasks.interface import DataSource, Task


LENGTHS = "text_length"
"""Column of the lengths of examples, which slices are made of: they need no texts."""
_NAMES = ("id", "cluster", "gold")
"""Columns that are no texts."""


@dataclass(frozen=True)
class LoadedTask:
    """A task with its rows, or with the error that reading them raised."""

    task: Task
    examination: Examination
    dataset: Dataset | None = None
    error: Exception | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    """Modules that the task's code reaches → hashes: see `keys.task_code`."""


def load_task(task: Task, source: DataSource, limit: int | None = None) -> LoadedTask:
    """Read a task's rows; an error is returned in the result, not raised."""
    dataset: Dataset | None = None
    failure: Exception | None = None
    code: Mapping[str, str] = {}
    try:
        with plugin_code():
            code = task_code(task)
            dataset = _load(task, source, limit)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it becomes an ERROR
        failure = error
    examination = Examination(
        task=task.name,
        version=task.version,
        source=digest(code),
        split=task.splits.evaluated,
        data=source.kind if source.used else "own",
        hub=source.name if source.used else "",
        digest=dataset.digest if dataset is not None else "",
        limit=limit,
    )
    return LoadedTask(task, examination, dataset, failure, code)


def rows_of(loaded: LoadedTask) -> Dataset:
    """Return the rows of a task; raises HarnessError that names it where they could not be read."""
    if loaded.dataset is not None:
        return loaded.dataset
    error = loaded.error
    if isinstance(error, HarnessError) or error is None:
        raise error or HarnessError(f"{loaded.task.name} has no rows")
    sentence = f"task {loaded.task.name} cannot be read: {error_sentence(error)}"
    raise HarnessError(sentence) from raised_by(error)


def _load(task: Task, source: DataSource, limit: int | None) -> Dataset:
    dataset = check_dataset(task.load(source))
    if limit is not None:
        dataset = check_dataset(task.limited(dataset, limit), "limited")
    findings = source.findings()
    return replace(dataset, findings=(*findings, *dataset.findings)) if findings else dataset


def evaluate_task(model: CachedModel, loaded: LoadedTask) -> tuple[Evaluation, Predictions | None]:
    """Evaluate a model on a task; predictions are None for aggregate scores.

    Raises HarnessError where the headline metric is undefined, and what the task raises: see `plugin_code`.
    """
    with plugin_code():
        return _evaluate_task(model, loaded)


def _evaluate_task(model: CachedModel, loaded: LoadedTask) -> tuple[Evaluation, Predictions | None]:
    task, dataset = loaded.task, loaded.dataset
    if dataset is None:
        raise loaded.error or HarnessError(f"{task.name} has no rows")
    # Its lists refuse to be changed; compiled code that does not ask them, such as heapq's, changes a copy.
    rows, dataset = dataset, dataset.lent()
    calibration = model.calibrate(announced_texts(task, rows) if model.needs_ranges else ())
    model.pop_requested()
    model.pop_requested_stored()
    predictions: Predictions | None = None
    if isinstance(task, AggregateTask):
        aggregates = aggregate_scores(task, task.score(model, dataset))
        scores = [Score(metric=name, score=_defined(value)) for name, value in aggregates.items()]
        infinite = [name for name, value in aggregates.items() if math.isinf(value)]
    else:
        predictions = check_predictions(task.predict(model, dataset), dataset, rows)
        scores = [score_predictions(metric, predictions) for metric in task.metrics]
        infinite = infinite_metrics(task, predictions, scores)
    if not scores or scores[0].score is None:
        name = scores[0].metric if scores else "every metric"
        headline = task.metrics[0] if task.metrics else None
        raise undefined(headline, name, predictions, len(dataset), infinite=name in infinite)
    requested, stored = model.pop_requested(), model.pop_requested_stored()
    truncated = TruncatedTexts.of(model, requested, stored)
    if predictions is not None and truncated is not None and "truncated" not in predictions:
        predictions.columns["truncated"] = truncated.rows(predictions)
    if predictions is not None and LENGTHS not in predictions and (lengths := _text_lengths(dataset)):
        predictions.columns[LENGTHS] = lengths
    evaluation = _evaluation(
        model,
        loaded,
        status="ok",
        facts=model.facts,
        scores=tuple(scores),
        predictions=predictions_hash(predictions) if predictions else None,
        fitted=predictions.fitted if predictions else {},
        findings=(
            *(predictions.findings if predictions else dataset.findings),
            *infinite_findings(infinite, len(dataset)),
            *calibration,
            *_contamination(model, loaded),
            *zero_embeddings(model, requested, stored),
        ),
        truncation=truncated.truncation if truncated else None,
    )
    return evaluation, predictions


def _text_lengths(dataset: Dataset) -> list[int]:
    """Return the number of characters of each example's texts: (n,); empty for a dataset without texts."""
    texts = [
        values
        for name, values in dataset.columns.items()
        if name not in _NAMES and all(isinstance(value, str) for value in values)
    ]
    return [sum(map(len, row)) for row in zip(*texts, strict=True)]


def evaluate(
    model: Model, task: Task, source: DataSource, *, limit: int | None = None
) -> tuple[Evaluation, Predictions | None]:
    """Evaluate a model on a task in memory; nothing is written.

    Raises HarnessError for data that cannot be read or a headline that is undefined, and what the task
    raises.
    """
    return evaluate_task(CachedModel(model), load_task(task, source, limit))


def failure_record(located: LocatedModel, loaded: LoadedTask, error: Exception) -> Evaluation:
    """Return the ERROR record of a model that could not be scored on a task."""
    metrics = loaded.task.metrics[:1]
    plain = isinstance(error, HarnessError | PluginError)
    text = error_text(error)
    reason = text if plain else f"{type(error).__name__}: {text}"
    if not text.strip():
        reason = error_sentence(error)
    # A path may hold bytes that are not UTF-8, and is not to name this machine's folders.
    reason = redact(without_start_folder(reason)).encode(errors="replace").decode()
    return _evaluation(
        located,
        loaded,
        status="error",
        scores=tuple(Score(metric=metric.name, score=None) for metric in metrics),
        error=reason,
    )


def _contamination(model: CachedModel, loaded: LoadedTask) -> list[Finding]:
    """Find evaluated texts that the model was trained on; notes are left to `harness check`."""
    trained, task = training_of(model), loaded.task
    if trained is None or loaded.dataset is None or isinstance(task, AggregateTask):
        return []
    findings = find_contamination(trained, loaded.dataset, task.name)
    return [finding for finding in findings if finding.severity is not Severity.NOTE]


def _evaluation(
    model: LocatedModel | CachedModel,
    loaded: LoadedTask,
    *,
    facts: ModelFacts | None = None,
    **result: Any,  # noqa: ANN401 - further fields of the record
) -> Evaluation:
    """Return a record, with the fields that a success and a failure have in common."""
    candidate = ModelRecord(
        model=redact(model.name), fingerprint=model.fingerprint, settings=model.spec.settings, facts=facts
    )
    return Evaluation(
        key=record_key(model, loaded.examination),
        examination=loaded.examination,
        candidate=candidate,
        kind=loaded.task.kind,
        tags=tuple(sorted(loaded.task.tags)),
        libraries=libraries(),
        code=code_summary(loaded.code),
        **result,
    )


def score_predictions(metric: Metric, predictions: Predictions) -> Score:
    """Score predictions by a metric, with its interval; raises HarnessError where it lacks a column."""
    check_columns(metric, predictions)
    estimated = estimate(metric, predictions)
    return Score(
        metric=metric.name,
        score=_defined(estimated.score),
        low=_defined(estimated.interval.low),
        high=_defined(estimated.interval.high),
        examples=estimated.examples,
        clusters=estimated.clusters,
        columns=metric.columns,
        where=metric.where,
        per_example=metric.per_example,
    )


def _defined(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
