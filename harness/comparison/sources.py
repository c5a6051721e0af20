"""Read what is compared: result folders and leaderboard CSVs, model by model, with their predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from harness.errors import HarnessError
from harness.models.interface import ModelFacts, Settings
from harness.models.locate import display_names
from harness.results.folder import Results, no_results
from harness.results.leaderboard import LeaderboardRow, read_leaderboard
from harness.results.prediction_files import TaskResult
from harness.results.records import Evaluation, Examination, ModelRecord, Score, Throughput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    Slot = tuple[str, str, int | None]
    """Task, source of its data, limit: what stands apart in a results folder."""
    Table = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResults:
    """One model, as a results folder or a leaderboard has it."""

    name: str
    fingerprint: str
    source: Path
    answered: dict[Slot, TaskResult]
    throughput: Throughput | None = None
    folder: Path | None = field(default=None)
    """The results folder, where there is one."""

    @property
    def candidate(self) -> ModelRecord:
        """Who was asked, and how it was used; a result that says more of it comes first."""
        known = [one.evaluation.candidate for one in self.answered.values()]
        return next((one for one in known if one.facts is not None), known[0])


def read_results(path: Path) -> list[ModelResults]:
    """Read every model of a results folder or of a leaderboard CSV, by name.

    Beside a CSV, the folder that it lies in is looked through for the predictions behind its rows.
    Raises HarnessError for what is neither, for one without a row, and for a record that cannot be read.
    """
    if path.is_dir():
        results = Results(path)
        answered = [_of_folder(results, one) for one in results.evaluations()]
        if not answered:
            raise no_results(path)
    elif path.is_file():
        results = Results(path.parent)
        answered = _of_csv(read_leaderboard(path), results)
        if not answered:
            raise HarnessError(
                f"no results in {path}", hint="a leaderboard has a row for each model, task and metric"
            )
    else:
        raise HarnessError(f"no folder or file {path}", hint="give a results folder or its leaderboard.csv")
    return _by_model(answered, path, results)


def pick(sides: Sequence[ModelResults], names: Sequence[str], option: str, where: Path) -> list[ModelResults]:
    """Pick models by name (or NAME~FP8, or a shell pattern of names); the only one when none is named.

    Raises HarnessError for a name that is not there, and where several are there and none is named.
    """
    from fnmatch import fnmatchcase

    known = [side.name for side in sides]
    if not names:
        if len(sides) == 1:
            return list(sides)
        raise HarnessError(
            f"{where} holds {len(sides)} models",
            exists=f"models: {', '.join(known)}",
            hint=f"say which: {option} NAME",
        )
    picked: dict[str, ModelResults] = {}
    for name in names:
        found = [side for side in sides if side.name == name] or [
            side for side in sides if fnmatchcase(side.name, name)
        ]
        if not found:
            raise HarnessError.unknown(f"model in {where}", name, known, hint=f"{option} takes one of these")
        picked |= {side.name: side for side in found}
    return list(picked.values())


def _of_folder(results: Results, evaluation: Evaluation) -> TaskResult:
    path = results.predictions_path(evaluation) if evaluation.predictions else None
    return TaskResult(evaluation=evaluation, predictions=path)


def _of_csv(rows: Sequence[LeaderboardRow], results: Results) -> list[TaskResult]:
    """Rows of one model and task are one result; a record beside the CSV that says the same stands for it."""
    beside = {
        (one.candidate.fingerprint, one.examination, one.predictions): one
        for one in (results.evaluations([]) if (results.root / "records").is_dir() else [])
    }
    grouped: dict[tuple[Any, ...], list[LeaderboardRow]] = {}
    for row in rows:
        key = row.model, row.fingerprint, row.task, row.data, row.limit, row.digest
        grouped.setdefault(key, []).append(row)
    answered = []
    for group in grouped.values():
        told = _evaluation(group)
        known = beside.get((told.candidate.fingerprint, told.examination, told.predictions))
        if known is not None and _scores(known) == _scores(told):
            answered.append(_of_folder(results, known))
        else:
            answered.append(TaskResult(evaluation=told))
    return answered


def _scores(one: Evaluation) -> dict[str, float | None]:
    return {score.metric: score.score for score in one.scores}


def _evaluation(rows: Sequence[LeaderboardRow]) -> Evaluation:
    """Make of a CSV's rows as much of a record as they hold: enough to show scores, not to test them."""
    first = rows[0]
    facts = None
    if first.dimensions is not None and first.similarity is not None:
        facts = ModelFacts(
            dimensions=first.dimensions,
            similarity=first.similarity,
            parameters=first.parameters,
            max_tokens=first.max_tokens,
            size_bytes=first.size_bytes,
            device=first.device or "cpu",
            backend=first.backend or "plain",
        )
    return Evaluation(
        key="",
        status=first.status,
        examination=Examination(
            task=first.task,
            version=first.task_version,
            source=first.task_source,
            split=first.split,
            data=cast('Literal["sample", "files", "own"]', first.data),
            digest=first.digest,
            limit=first.limit,
        ),
        candidate=ModelRecord(
            model=first.model,
            fingerprint=first.fingerprint,
            settings=Settings(
                dtype=first.dtype,
                truncate_dim=first.truncate_dim,
                max_seq_length=first.max_seq_length,
                prompts=_prompts(first),
                trust_remote_code=first.trust_remote_code,
            ),
            facts=facts,
        ),
        kind="",
        scores=tuple(
            Score(
                metric=row.metric,
                score=row.score,
                low=row.low,
                high=row.high,
                examples=row.examples,
                clusters=row.clusters,
            )
            for row in sorted(rows, key=lambda row: not row.headline)
        ),
        predictions=first.predictions,
        libraries=dict(word.split("=", 1) for word in first.libraries.split() if "=" in word),
        error=first.error,
    )


def _prompts(row: LeaderboardRow) -> tuple[tuple[str, str], ...]:
    try:
        given = msgspec.json.decode(row.prompts or "{}", type=dict[str, str])
    except (msgspec.DecodeError, RecursionError) as error:
        raise HarnessError(f"not a leaderboard: the prompts of {row.model} are no JSON: {error}") from error
    return tuple(sorted(given.items()))


def _by_model(answered: Sequence[TaskResult], source: Path, results: Results) -> list[ModelResults]:
    shown = display_names(sorted(one.evaluation.model for one in answered))
    speeds = {(one.model, one.fingerprint): one for one in results.throughputs()}
    sides = {}
    for model, name in shown.items():
        own = [one for one in answered if one.evaluation.model == model]
        sides[name] = ModelResults(
            name=name,
            fingerprint=model[1],
            source=source,
            answered={_slot(one.evaluation.examination): one for one in own},
            throughput=speeds.get(model),
            folder=results.root if (results.root / "records").is_dir() else None,
        )
    return sorted(sides.values(), key=lambda side: side.name)


def _slot(examination: Examination) -> Slot:
    return examination.task, examination.data, examination.limit
