"""The leaderboard of a report: boards with letters and ranks, and the ranking over tasks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.report.content import (
    ReportBoard,
    ReportFinding,
    ReportMean,
    ReportRanked,
    ReportRanking,
    ReportRow,
    ReportScore,
    SetApart,
)
from harness.results.significance import ALONE
from harness.results.significance_tables import SignificanceLetters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.finding import Finding
    from harness.report.source import BoardSource
    from harness.results.leaderboard import Row
    from harness.results.overall import OverallRank, OverallRanking, TasksMean
    from harness.results.records import Score


def report_boards(
    sources: Sequence[BoardSource], letters: Mapping[int, SignificanceLetters | str]
) -> tuple[ReportBoard, ...]:
    """Return the boards of a report. letters: position of a board → its letters, or why there are none."""
    return tuple(_board(source, letters.get(position, "")) for position, source in enumerate(sources))


def _board(source: BoardSource, letters: SignificanceLetters | str) -> ReportBoard:
    board, asked = source.board, source.examination
    evaluations = [row.evaluation for row in board.rows]
    found = letters if isinstance(letters, SignificanceLetters) else None
    why = [] if found or letters in ("", ALONE) else [f"no letters: {letters}"]
    return ReportBoard(
        id=source.id,
        task=board.task,
        kind=next((one.kind for one in evaluations if one.kind), ""),
        tags=tuple(sorted({tag for one in evaluations for tag in one.tags})),
        data=asked.data,
        origin=asked.origin,
        split=asked.split,
        limit=asked.limit,
        version=asked.version,
        digest=asked.digest,
        metrics=tuple(board.metrics),
        rows=tuple(_row(row, found) for row in board.rows),
        apart=tuple(SetApart(model=model, differences=tuple(why)) for model, why in board.refused),
        remarks=tuple(found.remarks if found else why),
    )


def _row(row: Row, letters: SignificanceLetters | None) -> ReportRow:
    evaluation = row.evaluation
    cut = evaluation.truncation
    rank = letters.ranks.get(row.model) if letters else None
    return ReportRow(
        model=row.model,
        status=evaluation.status,
        error=evaluation.error,
        scores=tuple(map(_score, evaluation.scores)),
        letters=letters.of.get(row.model) if letters else None,
        rank=None if rank is None else (rank.low, rank.high),
        best=letters.best.get(row.model) if letters else None,
        findings=report_findings(evaluation.findings),
        truncated_texts=cut.truncated_share if cut else None,
        lost_tokens=cut.lost_share if cut else None,
        key=evaluation.key,
        predictions=evaluation.predictions,
        libraries=dict(sorted(evaluation.libraries.items())),
        fitted={name: value_text(value) for name, value in sorted(evaluation.fitted.items())},
    )


def _score(score: Score) -> ReportScore:
    return ReportScore(
        metric=score.metric,
        score=score.score,
        low=score.low,
        high=score.high,
        examples=score.examples,
        clusters=score.clusters,
    )


def report_findings(findings: Iterable[Finding]) -> tuple[ReportFinding, ...]:
    """Return findings as a report has them."""
    return tuple(
        ReportFinding(
            code=finding.code, severity=finding.severity, message=finding.evidence, remedy=finding.remedy
        )
        for finding in findings
    )


def value_text(value: Any) -> str:  # noqa: ANN401 - plain data
    """Return a value as text: a number with six digits."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def report_rankings(rankings: Sequence[OverallRanking]) -> tuple[ReportRanking, ...]:
    """Return the rankings over tasks of a report."""
    return tuple(
        ReportRanking(
            sample=ranking.sample,
            limit=ranking.limit,
            tasks=tuple(ranking.tasks),
            not_counted=tuple(ranking.not_counted),
            tags=tuple(ranking.tags),
            models=tuple(map(_ranked, ranking.models)),
        )
        for ranking in rankings
    )


def _ranked(row: OverallRank) -> ReportRanked:
    return ReportRanked(
        model=row.model,
        average_rank=row.average_rank,
        borda=row.borda,
        mean=None if row.mean is None else report_mean(row.mean),
        rank=None if row.ranks is None else (row.ranks.low, row.ranks.high),
        best=row.best,
        tags={tag: report_mean(mean) for tag, mean in sorted(row.means.items())},
        missing=row.missing,
    )


def report_mean(mean: TasksMean) -> ReportMean:
    """Return a mean over tasks as a report has it."""
    known = math.isfinite(mean.low) and math.isfinite(mean.high)
    return ReportMean(score=mean.score, low=mean.low if known else None, high=mean.high if known else None)
