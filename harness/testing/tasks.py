"""Try a task: does it keep the rules of tasks?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.encoding.cached_model import CachedModel
from harness.errors import HarnessError
from harness.evaluation.answers import announced_texts
from harness.evaluation.evaluate import evaluate_task, load_task
from harness.plugins.validate import answer_error
from harness.results.prediction_files import to_parquet
from harness.results.records import column_hash, content_hash, plain_values
from harness.system.read_only import FrozenError
from harness.tasks.dataset import Predictions
from harness.tasks.interface import AggregateTask, Task
from harness.testing.findings import finding_problem
from harness.testing.rules import Rule, find_failures, raise_failures
from harness.testing.task_metrics import COLUMN_RULES, DEFINED_RULES, METRIC_RULES, VALUE_RULES
from harness.testing.task_rows import LOAD_RULES, ROW_RULES
from harness.testing.task_trial import TaskTrial, difference
from harness.testing.watched_model import WatchedModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_task(task: Task, data: Path | None = None) -> None:
    """Return if a task keeps all rules; data: a data folder; the task's sample if None.

    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    raise_failures(f"task {getattr(task, 'name', task)!r}", task_failures(task, data))


def task_failures(task: Task, data: Path | None = None) -> list[str]:
    """Return a sentence for each rule that a task breaks, `RULE: …`; an empty list if it keeps all."""
    stages = AGGREGATE_STAGES if isinstance(task, AggregateTask) else STAGES
    return [str(failure) for failure in find_failures(stages, TaskTrial(task, data))]


def _attributes(trial: TaskTrial) -> Iterator[str]:
    task: Any = trial.task
    if problem := answer_error(task, Task):
        yield f"it is {problem}"
        return
    repeated = [name for name, count in Counter(metric.name for metric in task.metrics).items() if count > 1]
    if repeated:
        yield f"two of its metrics are called {repeated[0]!r}"
    if not isinstance(task.version, int):
        yield f"its version is {task.version!r}, not a whole number"
    try:
        json.dumps(dict(task.options))
    except (TypeError, ValueError) as error:
        yield f"its options are not plain data, so a change in them cannot be seen: {error}"


def _answers(trial: TaskTrial) -> Iterator[str]:
    predictions = trial.answers
    if not isinstance(predictions, Predictions):
        yield f"predict returns a {type(predictions).__name__}, not Predictions, one row per example"
        return
    dataset = trial.dataset
    if plain_values(predictions["id"]) != plain_values(dataset["id"]):
        yield "predict returns answers with other ids, or in another order, than the rows it was given"
    for name in predictions.rows.columns.keys() & dataset.columns.keys():
        if column_hash(predictions.rows[name]) != column_hash(dataset[name]):
            yield f"predict returns answers to rows with another column {name!r} than those it was given"


def _scores(trial: TaskTrial) -> Iterator[str]:
    scores: Any = trial.answers
    if not isinstance(scores, Mapping) or not scores:
        yield f"score returns {scores!r}, not a mapping of metrics to scores"
    elif not isinstance(next(iter(scores.values())), float):
        yield f"score returns {next(iter(scores.values()))!r} for its headline, not a float"


def _inputs(trial: TaskTrial) -> Iterator[str]:
    """Find changed rows and embeddings. Lists of rows refuse it, but not to compiled code."""
    try:
        trial.answers  # noqa: B018 - it is computed once
    except FrozenError as error:
        yield f"predict changes its rows: {error}"
        return
    except Exception:  # noqa: BLE001 - the next rule says what it raises
        return
    for name, values in trial.dataset.columns.items():
        if column_hash(values) != column_hash(trial.lent[name]):
            yield f"predict changes column {name!r} of its rows: work on a copy"
    if trial.watched.changed():
        yield "predict changes the embeddings that encode returned, which other tasks get too: work on a copy"


def _encodes(trial: TaskTrial) -> Iterator[str]:
    if trial.answers is not None and trial.watched.misuse:
        yield trial.watched.misuse


def _announces(trial: TaskTrial) -> Iterator[str]:
    """Find texts that are announced and not encoded, or encoded and not announced."""
    try:
        pairs, again = (announced_texts(trial.task, trial.dataset) for _ in range(2))
    except HarnessError as error:
        yield f"{error.message} ({error.hint})" if error.hint else error.message
        return
    if pairs != again:
        yield "texts announces other texts when it is asked again: return a new list or generator each time"
        return
    announced, encoded = set(pairs), set(trial.watched.asked)
    if missing := [item for item in trial.watched.asked if item not in announced]:
        text, role = missing[0]
        roles = [other for known, other in announced if known == text]
        as_what = f"announced as {roles[0]}" if roles else "not announced"
        yield (
            f"predict encodes {len(missing)} of {len(encoded)} texts that texts does not announce, such as"
            f" {text[:40]!r} as {role} ({as_what}): batches are not full, and --precision int8 has no ranges"
        )
    elif unused := announced - encoded:
        yield (
            f"texts announces {len(unused)} texts that predict does not encode, such as"
            f" {min(unused)[0][:40]!r}: they are encoded for nothing"
        )


def _twice(trial: TaskTrial) -> Iterator[str]:
    if found := difference(trial.answers, trial.again):
        yield f"the same model gets other answers when it is asked again: {found}; seed what is drawn"


def _models(trial: TaskTrial) -> Iterator[str]:
    """Find answers that depend on which model was asked before: of the same object, and of a copy."""
    later = trial.ask(trial.task, WatchedModel(trial.second))
    alone = trial.ask(trial.other, WatchedModel(trial.second))
    if not (found := difference(alone, later)):
        found = difference(trial.answers, trial.ask(trial.task, WatchedModel(trial.first)))
    if found:
        yield f"a model gets other answers after another one: {found}; keep nothing of a model in the task"


def _stored(trial: TaskTrial) -> Iterator[str]:
    predictions = trial.answers
    try:
        to_parquet(predictions, content_hash(predictions))
    except Exception as error:  # noqa: BLE001 - pyarrow and json have many
        yield f"its predictions cannot be written: {' '.join(str(error).split())}"
    try:
        json.dumps(predictions.fitted)
    except TypeError as error:
        yield f"fitted is not plain data: {error}; float(…) and .tolist() make it so"


def _findings(trial: TaskTrial) -> Iterator[str]:
    findings = [*trial.dataset.findings, *getattr(trial.answers, "findings", ())]
    yield from filter(None, map(finding_problem, findings))


def _evaluates(trial: TaskTrial) -> Iterator[str]:
    """Find what fails in the same evaluation as `harness run` makes."""
    loaded = load_task(trial.task, trial.source)
    evaluate_task(CachedModel(trial.first), loaded)
    yield from ()


_ATTRIBUTES = Rule(
    "attributes", "has a name, a kind, tags and metrics, and options of plain data", _attributes
)
_INPUTS = Rule("inputs", "changes neither its rows nor embeddings", _inputs)
_ENCODES = Rule("encodes", "encodes lists of texts, each with a Role", _encodes)
_TWICE = Rule("twice", "gives a model the same answers each time", _twice)
_MODELS = Rule("models", "answers each model alike, whichever was asked before", _models)
_FINDINGS = Rule("findings", "has findings with code, severity, evidence and remedy", _findings)
_EVALUATES = Rule("evaluates", "is evaluated with its intervals, as by `harness run`", _evaluates)

STAGES = (
    (_ATTRIBUTES,),
    LOAD_RULES,
    (_INPUTS,),
    (Rule("answers", "returns Predictions: one row per example, in order", _answers),),
    COLUMN_RULES,
    (_TWICE, *VALUE_RULES),
    DEFINED_RULES,
    (
        *ROW_RULES,
        _ENCODES,
        Rule("texts", "announces in `texts` exactly what predict encodes", _announces),
        _MODELS,
        *METRIC_RULES,
        Rule("stored", "has predictions and fitted values of plain data", _stored),
        _FINDINGS,
    ),
    (_EVALUATES,),
)
"""Rules of tasks."""
AGGREGATE_STAGES = (
    (_ATTRIBUTES,),
    LOAD_RULES,
    (_INPUTS,),
    (Rule("scores", "returns metrics with scores, the headline first", _scores),),
    (_TWICE,),
    (ROW_RULES[0], ROW_RULES[2], _ENCODES, _MODELS, _FINDINGS),
    (_EVALUATES,),
)
"""Rules of tasks that another tool scores."""
