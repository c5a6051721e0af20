"""The answer of a report: what was compared, the verdict in words, the gate, the winner of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import named, plural
from harness.report.content import Answer
from harness.report.families import outcome_of
from harness.report.outcome_words import judged, level_of_the_gate, other_faults, standing, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.comparison.report import ComparisonReport
    from harness.comparison.result import Comparison, GateLine
    from harness.comparison.sources import ModelResults
    from harness.report.content import Doubt
    from harness.report.request import ReportRequest

_NAMED_TASKS = 6
"""Maximum number of tasks that the first sentence names."""


def answer_of(
    compared: str,
    report: ComparisonReport | None,
    selected: ComparisonReport | None,
    doubts: Sequence[Doubt],
) -> Answer:
    """Return the answer of a report.

    compared: what was, in a sentence. report: all candidates against the baseline; None for a single model.
    selected: the best of them; None where there is only one, or none could be selected. Its outcome decides
    then: with a gate at the level for all candidates, without one by its own comparison.
    """
    if report is None:
        return Answer(
            compared=compared,
            outcome="no-candidate",
            standing=standing("no-candidate", None, None),
            gated=False,
            sentences=(),
            doubts=tuple(doubts),
        )
    decides = _deciding(report, selected)
    code = 2 if not report.whole else decides.exit_code if decides else report.exit_code
    winner = selected.selection if selected else None
    sentences = [comparison.sentence for comparison in worst_first(report.comparisons)]
    gate = decides.gate if decides else [line for one in report.comparisons for line in one.gate]
    return Answer(
        compared=compared,
        outcome=outcome_of(code),
        standing=standing(outcome_of(code), report, decides),
        judged=judged(report, decides),
        others=tuple(other_faults(report, decides)),
        gated=any(comparison.gated for comparison in report.comparisons),
        sentences=(*([winner.sentence] if winner else []), *sentences),
        gate=tuple(_failing_first(gate)),
        gate_level=level_of_the_gate(report, decides),
        selection=winner,
        warnings=(selected or report).warnings,
        doubts=tuple(doubts),
    )


def _deciding(report: ComparisonReport, selected: ComparisonReport | None) -> Comparison | None:
    """Return the comparison whose outcome is that of the report; None where it is that of them all."""
    if selected is None or selected.selection is None:
        return report.comparisons[0] if len(report.comparisons) == 1 else None
    (judged,) = selected.comparisons
    if judged.gated:
        return judged
    # Without a gate a selection asks which, not whether: its exit code says nothing of a loss.
    winner = selected.selection.fingerprint, selected.selection.winner
    return next(
        (one for one in report.comparisons if (one.candidate.fingerprint, one.candidate.name) == winner), None
    )


def _failing_first(gate: Iterable[GateLine]) -> list[GateLine]:
    return sorted(gate, key=lambda line: (line.holds, line.outcome == "passes"))


def compared_sentence(
    baseline: ModelResults,
    models: Sequence[ModelResults],
    why: str,
    request: ReportRequest,
    *,
    matrix: bool = False,
    seeds: int = 0,
) -> str:
    """Return what was compared, in a sentence.

    why: the baseline is that one; empty where it was named. matrix: whether all pairs were. seeds: number of
    training seeds that are one candidate together; 0 for candidates of their own.
    """
    others = [model.name for model in models if model is not baseline]
    on = _on_tasks(models)
    if not others:
        return f"{baseline.name} alone, {on}."
    if matrix:
        return f"All pairs of {len(models)} models ({named([model.name for model in models])}), {on}."
    who = others[0] if len(others) == 1 else f"{len(others)} candidates ({named(others)})"
    who = f"{seeds} training seeds of one candidate ({named(others)})" if seeds else who
    chosen = f" ({why}: --baseline NAME takes another)" if why else ""
    by = f", by the gate {request.gate}" if request.gate is not None else ""
    by = f", with a margin of {request.margin:g}" if request.margin is not None else by
    return f"{who} against the baseline {baseline.name}{chosen}{by}, {on}."


def ranked_sentence(models: Sequence[ModelResults]) -> str:
    """Return which models are on a leaderboard, in a sentence."""
    names = [model.name for model in models]
    return f"{plural(len(names), 'model')} ({named(names)}), {_on_tasks(models)}."


def _on_tasks(models: Sequence[ModelResults]) -> str:
    tasks = sorted({task for model in models for task, _, _ in model.answered})
    return f"on {plural(len(tasks), 'task')}: {named(tasks, _NAMED_TASKS)}"


def title_of(models: Sequence[ModelResults]) -> str:
    """Return a title that says what was compared. models: the baseline first."""
    baseline, *others = [model.name for model in models]
    if not others:
        return baseline
    who = others[0] if len(others) == 1 else f"{len(others)} candidates"
    return f"{who} against {baseline}"
