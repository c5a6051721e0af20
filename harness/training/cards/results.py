"""Read the results on a model card: its log, claimed scores and examples."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

from harness.training.cards.markdown import (
    below,
    bullet,
    cells,
    code_blocks,
    commented_matrix,
    lists_of_texts,
    number,
    tables,
)
from harness.training.check_input import Claim, LogEntry, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.training.cards.hyperparameters import Hyperparameters
    from harness.training.cards.markdown import Section

    _Key = tuple[str, str, bool]

_ROUNDED = 0.00005001
"""Maximum difference of a score from its form in a table, which has four decimals."""


def read_log(cut: Sequence[Section]) -> tuple[LogEntry, ...]:
    """Read the training log.

    An evaluation outside of training has epoch and step -1, or 0 in some versions of the library.
    """
    entries = []
    for part in below(cut, "Training Logs"):
        for table in tables(part.text):
            header = cells(table[0])
            if header[:2] != ["Epoch", "Step"]:
                continue
            for line in table[1:]:
                row = cells(line)
                values = [number(cell) for cell in row]
                if len(row) != len(header) or not all(_possible(value) for value in values[:2]):
                    continue
                entries.append(_entry(dict(zip(header, values, strict=True))))
    return tuple(entries)


def _possible(value: float | None) -> bool:
    """Whether a number may be an epoch or a step."""
    return value is not None and abs(value) < 1e12


def _entry(row: dict[str, float | None]) -> LogEntry:
    epoch, step, loss = row.pop("Epoch"), row.pop("Step"), row.pop("Training Loss", None)
    metrics = {name: value for name, value in row.items() if value is not None}
    return LogEntry(epoch=epoch or 0.0, step=int(step or 0), loss=loss, metrics=metrics)


def read_claims(front: Mapping[str, Any], cut: Sequence[Section]) -> tuple[Claim, ...]:
    """Read the scores of the model index, then those that only the evaluation tables have.

    A score that is given twice is kept twice; a table's score that is one of the index, rounded, is dropped.
    """
    claims = list(_index(front))
    unmatched: defaultdict[_Key, list[float]] = defaultdict(list)
    for claim in claims:
        unmatched[_key(claim)].append(_comparable(claim))
    for values in unmatched.values():
        values.sort()
    for claim in _tables(cut):
        values, shown = unmatched[_key(claim)], _comparable(claim)
        nearest = bisect_right(values, shown - _ROUNDED)
        if nearest < len(values) and values[nearest] - shown < _ROUNDED:
            del values[nearest]
        else:
            claims.append(claim)
    return tuple(claims)


def _key(claim: Claim) -> _Key:
    """Key of claims that may be the same score."""
    return claim.dataset, claim.metric, math.isnan(claim.value)


def _comparable(claim: Claim) -> float:
    """Return the score, or 0 for NaN, which is not equal to itself; `_key` separates the two."""
    return 0.0 if math.isnan(claim.value) else claim.value


def _index(front: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the scores of the model index, as far as it has its usual shape."""
    for model in _records(front.get("model-index")):
        for result in _records(model.get("results")):
            dataset = result.get("dataset")
            known = dataset if isinstance(dataset, dict) else {}
            names = (_name(known.get("type")), _name(known.get("name")), "unknown")
            name = next(name for name in names if name)
            of = _context(result, known)
            for metric in _records(result.get("metrics")):
                value, kind = metric.get("value"), _name(metric.get("type"))
                value = number(value) if isinstance(value, str) else value
                if _is_score(value) and kind:
                    yield Claim(dataset=name, metric=kind, value=float(value), of=of)


def _context(result: Mapping[str, Any], dataset: Mapping[str, Any]) -> str:
    """Return what tells results on one dataset apart: the task and, of a hub's dataset, which part of it."""
    task = result.get("task")
    kind = task if isinstance(task, dict) else {}
    parts = [_name(kind.get("name")) or _name(kind.get("type"))]
    if "/" in _name(dataset.get("type")) or "config" in dataset or "split" in dataset:
        parts += [_name(dataset.get(key)) for key in ("name", "config", "split", "revision")]
    return ", ".join(part for part in parts if part)


def _name(value: Any) -> str:  # noqa: ANN401 - YAML
    """Read a name, which may be a number such as a year; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if _is_score(value) else ""


def _is_score(value: Any) -> TypeGuard[float]:  # noqa: ANN401 - YAML
    """Whether a value is a number in the range of a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 2**63


def _tables(cut: Sequence[Section]) -> Iterator[Claim]:
    """Yield the scores of the evaluation tables."""
    for part in below(cut, "Evaluation"):
        listed = bullet(part.text, "Dataset") or bullet(part.text, "Datasets") or ""
        names = listed.split("`")[1::2] or ["unknown"]
        for table in tables(part.text):
            header = cells(table[0])
            if header[0] != "Metric":
                continue
            columns = names if header[1:] == ["Value"] else header[1:]
            for line in table[1:]:
                metric, *values = cells(line)
                for dataset, cell in zip(columns, values, strict=False):
                    if (value := number(cell)) is not None:
                        yield Claim(dataset=dataset, metric=metric.strip("*"), value=value, of=part.title)


def has_other_results(cut: Sequence[Section]) -> bool:
    """Whether the author has added results: a table of numbers, or a section of that name with text.

    What sentence-transformers writes of an evaluation is `read_claims`'s; what it writes of the training
    has tables of numbers, too.
    """
    ours = [*below(cut, "Training Details"), *below(cut, "Training Logs", "Framework Versions")]
    for part in cut:
        if part in ours:
            continue
        text = _COMMENT.sub("", part.text).strip()
        if _RESULTS.search(part.title) and _MEASURED.search(text):
            return True
        rows = [line for table in tables(text) if cells(table[0])[0] != "Metric" for line in table[1:]]
        if any(_MEASURED.search(line) for line in rows):
            return True
    return False


_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_RESULTS = re.compile(r"evaluat|result|benchmark|performance|score|metric|leaderboard", re.IGNORECASE)
_MEASURED = re.compile(r"(?<![\d.])(?:\d{1,3}\.\d+|\d{1,3} ?%)(?![\d.])")
"""A score as people write it: 0.83, 83.1, 83 %."""


def read_usage(cut: Sequence[Section]) -> Usage | None:
    """Read the example of the usage section; None without one.

    An example with queries and documents gives texts only: it does not compare every two of them.
    """
    for code in (block for part in below(cut, "Usage") for block in code_blocks(part.text, "python")):
        texts = lists_of_texts(code, ("sentences", "inputs", "queries", "documents"))
        matrix = commented_matrix(code)
        square = len(matrix) == len(texts) and all(len(row) == len(texts) for row in matrix)
        if texts:
            return Usage(texts=tuple(texts), similarities=matrix if square else ())
    return None


def widget_texts(front: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of the widget, in order."""
    texts: list[Any] = []
    for example in _records(front.get("widget")):
        others = example.get("sentences")
        texts += [example.get("source_sentence"), example.get("text")]
        texts += others if isinstance(others, list) else []
    return tuple(text for text in texts if isinstance(text, str))


def _records(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - YAML
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


_EPOCH_ROUNDED = 0.0002
"""Maximum error of an epoch in a log, which rounds to four decimals."""


def stopped_after(log: Sequence[LogEntry], plan: Hyperparameters) -> float | None:
    """Return the epoch at which a run ended before its plan: a line that was due in its log is missing.

    None where no line is missing, or too few lines show how often one is due.
    """
    run = _longest_run(log)
    if plan.epochs is None or plan.max_steps is not None or not run:
        return None
    due = []
    for lines in ([line for line in run if line.loss is not None], [line for line in run if line.metrics]):
        gaps = [after.epoch - before.epoch for before, after in pairwise(lines)]
        due += [lines[-1].epoch + max(gaps)] if gaps else []
    return max(line.epoch for line in run) if due and min(due) <= plan.epochs + _EPOCH_ROUNDED else None


def _longest_run(log: Sequence[LogEntry]) -> list[LogEntry]:
    """Return the run with the highest step: a log starts again for each further training."""
    runs: list[list[LogEntry]] = [[]]
    for line in log:
        if line.step <= 0:
            continue
        if runs[-1] and line.step < runs[-1][-1].step:
            runs.append([])
        runs[-1].append(line)
    return max(runs, key=lambda run: run[-1].step if run else 0)


def count_devices(log: Sequence[LogEntry], plan: Hyperparameters) -> int:
    """Infer the number of devices from the log's steps per epoch; 1 if unknown."""
    run = _longest_run(log)
    if not run or not plan.per_epoch or not run[-1].epoch > 0:
        return 1
    return max(1, round(plan.per_epoch / (run[-1].step / run[-1].epoch)))
