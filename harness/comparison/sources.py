"""Models of a results folder or a leaderboard CSV, with their results and predictions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from harness.errors import HarnessError
from harness.models.interface import UNIDENTIFIED, ModelFacts, Settings
from harness.models.locate import display_names
from harness.results.folder import ResultsFolder, no_results
from harness.results.leaderboard import LeaderboardRow, leaderboard_rows, read_leaderboard
from harness.results.prediction_files import TaskResult
from harness.results.records import Evaluation, Examination, ModelRecord, Score, Throughput
from harness.results.soundness import as_broken, score_fault
from harness.results.unreadable import Unreadable, evaluations_or_broken
from harness.system.paths import shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    Slot = tuple[str, str, int | None]
    """Task, source of its data, limit: the key of a result in a results folder."""
    Table = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResults:
    """Results of one model in a results folder or leaderboard."""

    name: str
    fingerprint: str
    source: str
    """The folder or CSV, as the user wrote it."""
    answered: dict[Slot, TaskResult]
    throughput: Throughput | None = None
    folder: Path | None = field(default=None)
    """The results folder; None for a CSV without one."""
    file: Path | None = field(default=None)
    """The CSV; None for a folder."""

    @property
    def believed(self) -> bool:
        """Whether any of its records was read and holds, so that its settings are known."""
        return any(result.evaluation.status != "broken" for result in self.answered.values())

    @property
    def candidate(self) -> ModelRecord:
        """The model and its settings, from a result that has its facts if there is one."""
        known = [result.evaluation.candidate for result in self.answered.values()]
        return next((record for record in known if record.facts is not None), known[0])

    @property
    def identified(self) -> bool:
        """Whether all records say that their model is identified: see `ModelFacts.identified`."""
        known = [result.evaluation.candidate.facts for result in self.answered.values()]
        return all(facts.identified for facts in known if facts is not None)


def read_results(
    path: Path, shown: str | None = None, unreadable: Unreadable | None = None
) -> list[ModelResults]:
    """Read all models of a results folder or a leaderboard CSV, sorted by name.

    shown: the path as the user wrote it, for reports; None for `path`.
    unreadable: gets a sentence for each file that cannot be read. A record among them is a broken result.
    Predictions behind the rows of a CSV are read from the results folder that contains it.
    Raises HarnessError for any other path, for one without results and, without `unreadable`, for files that
    cannot be read and of which the model is unknown.
    """
    found = Unreadable() if unreadable is None else unreadable
    if path.is_dir():
        results = ResultsFolder(path)
        answered = [_from_record(results, evaluation) for evaluation in evaluations_or_broken(results, found)]
        if not answered:
            raise HarnessError(found.unplaced[0]) if found.unplaced else _nothing_in(path)
    elif path.is_file():
        results = ResultsFolder(path.parent)
        answered = _from_csv(read_leaderboard(path), results)
        if not answered:
            raise HarnessError(
                f"no results in {path}", hint="a leaderboard has a row for each model, task and metric"
            )
    else:
        raise HarnessError(f"no folder or file {path}", hint="give a results folder or its leaderboard.csv")
    models = _by_model(answered, shown or str(path), results, found)
    if unreadable is None and found.unplaced:
        raise HarnessError(found.unplaced[0])
    return [replace(model, file=path) for model in models] if path.is_file() else models


def _nothing_in(folder: Path) -> HarnessError:
    """Return the error for a folder without records; it names leaderboards that were copied without them."""
    boards = [path for path in sorted(folder.glob("*.csv")) if _is_leaderboard(path)]
    if not boards:
        return no_results(folder)
    names = ", ".join(path.name for path in boards)
    return HarnessError(
        f"no results in {shown_path(folder)}: it has no records, but a leaderboard ({names})",
        hint=f"give the file: {shown_path(boards[0])}; it has scores, but no intervals of gains",
    )


def _is_leaderboard(path: Path) -> bool:
    with suppress(HarnessError, OSError):
        return bool(read_leaderboard(path))
    return False


def pick(sides: Sequence[ModelResults], names: Sequence[str], option: str, where: Path) -> list[ModelResults]:
    """Pick models by name, NAME~FP8 or a shell pattern; without names, the only model.

    Raises HarnessError for an unknown name, and for several models without a name.
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
    picked: dict[tuple[str, str, str], ModelResults] = {}
    for name in names:
        matches = [side for side in sides if side.name == name] or [
            side for side in sides if fnmatchcase(side.name, name)
        ]
        if not matches:
            raise HarnessError.unknown(f"model in {where}", name, known, hint=f"{option} takes one of these")
        picked |= {(side.name, side.fingerprint, side.source): side for side in matches}
    return list(picked.values())


def pick_one(sides: Sequence[ModelResults], name: str | None, option: str, where: Path) -> ModelResults:
    """Pick one model as `pick` does; raises HarnessError for a pattern that several names match, too."""
    picked = pick(sides, [name] if name else [], option, where)
    if len(picked) > 1:
        raise HarnessError(
            f"{option} {name} matches {len(picked)} models in {where}",
            exists=f"models: {', '.join(side.name for side in picked)}",
            hint=f"say which: {option} NAME",
        )
    return picked[0]


def _from_record(results: ResultsFolder, evaluation: Evaluation) -> TaskResult:
    path = results.predictions_path(evaluation) if evaluation.predictions else None
    return TaskResult(evaluation=evaluation, predictions=path)


def _from_csv(rows: Sequence[LeaderboardRow], results: ResultsFolder) -> list[TaskResult]:
    """Return a result per model and task: the record in the CSV's folder or, where there is none, the rows.

    Rows that contradict the record beside them are broken, as is a score outside its interval.
    """
    records = {
        (record.candidate.fingerprint, _slot(record.examination)): record
        for record in (results.evaluations([]) if (results.root / "records").is_dir() else [])
    }
    grouped: dict[tuple[Any, ...], list[LeaderboardRow]] = {}
    for row in rows:
        key = row.model, row.fingerprint, row.task, row.data, row.limit, row.digest
        grouped.setdefault(key, []).append(row)
    answered = []
    for group in grouped.values():
        evaluation = _evaluation(group)
        record = records.get((evaluation.candidate.fingerprint, _slot(evaluation.examination)))
        fault = score_fault(evaluation.scores)
        if record is not None and record.status != "broken":
            fault = _contradiction(group, leaderboard_rows([record]))
        if record is None or fault:
            broken = as_broken(evaluation, f"its rows in the CSV: {fault}") if fault else evaluation
            answered.append(TaskResult(evaluation=broken))
        else:
            answered.append(_from_record(results, record))
    return answered


def _contradiction(rows: Sequence[LeaderboardRow], recorded: Sequence[LeaderboardRow]) -> str | None:
    """Return the first difference between rows of a CSV and those of the record beside it; None without any.

    The model's name may differ: it depends on the other models of a leaderboard.
    """
    known = {row.metric: row for row in recorded}
    if different := sorted({row.metric for row in rows} ^ known.keys()):
        return f"they and the record beside them do not have the same metrics: {', '.join(different)}"
    for row in rows:
        for column in fields(LeaderboardRow):
            name, own = column.name, known[row.metric]
            if name != "model" and getattr(row, name) != getattr(own, name):
                return f"{name} of {row.metric} is {getattr(row, name)}, in the record {getattr(own, name)}"
    return None


def _evaluation(rows: Sequence[LeaderboardRow]) -> Evaluation:
    """Return a partial record from rows of a CSV: enough to show scores, not to test them."""
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
            identified=UNIDENTIFIED.code not in (first.findings or "").split(),
        )
    return Evaluation(
        key="",
        status=first.status,
        examination=Examination(
            task=first.task,
            version=first.task_version,
            source=first.task_source,
            split=first.split,
            data=cast('Literal["sample", "files", "hub", "own"]', first.data),
            digest=first.digest,
            limit=first.limit,
        ),
        candidate=ModelRecord(
            model=first.model,
            fingerprint=first.fingerprint,
            settings=Settings(
                dtype=first.dtype,
                truncate_dim=first.truncate_dim,
                normalize=first.normalize,
                precision=first.precision,
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
        prompts = msgspec.json.decode(row.prompts or "{}", type=dict[str, str])
    except (msgspec.DecodeError, RecursionError) as error:
        raise HarnessError(f"not a leaderboard: the prompts of {row.model} are not JSON: {error}") from error
    return tuple(sorted(prompts.items()))


def _by_model(
    answered: Sequence[TaskResult], source: str, results: ResultsFolder, unreadable: Unreadable
) -> list[ModelResults]:
    shown = display_names(sorted(result.evaluation.model for result in answered))
    speeds = {(speed.model, speed.fingerprint): speed for speed in results.throughputs(unreadable.placed)}
    sides = {}
    for model, name in shown.items():
        own = [result for result in answered if result.evaluation.model == model]
        sides[name] = ModelResults(
            name=name,
            fingerprint=model[1],
            source=source,
            answered={_slot(result.evaluation.examination): result for result in own},
            throughput=speeds.get(model),
            folder=results.root if (results.root / "records").is_dir() else None,
        )
    return sorted(sides.values(), key=lambda side: side.name)


def _slot(examination: Examination) -> Slot:
    return examination.task, examination.data, examination.limit
