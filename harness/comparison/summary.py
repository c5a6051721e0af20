"""Summary of a comparison: a sentence and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.notes import excludes_zero
from harness.comparison.result import BROKEN, FAILS, NOT_COMPARABLE, PASSES, UNDECIDED
from harness.comparison.thresholds import tasks_in_words
from harness.render import named
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.result import GateLine, MetricComparison, ModelRef, Refusal
    from harness.comparison.result_overall import Overall

_NAMED = 3
"""Maximum number of tasks or conditions that a sentence names; of more, it gives the number."""


def exit_code(
    lines: Sequence[MetricComparison],
    gate: Sequence[GateLine],
    refused: Sequence[Refusal],
    broken: Sequence[str],
    overall: Sequence[Overall] = (),
    *,
    gated: bool,
    matrix: bool = False,
) -> int:
    """Return the exit code. Precedence: broken, not comparable, fails, undecided.

    A condition on a refused task finds no line; the code is then that of the refusal.
    Without a gate, a candidate passes unless it is significantly worse on some line, or by an overall mean: a
    loss that no task shows alone is no smaller for that. In a matrix of all pairs one of two is always worse,
    and neither fails.
    """
    outcomes = {line.outcome for line in gate if not line.holds}
    if broken:
        return BROKEN
    if refused:
        return NOT_COMPARABLE
    if "broken" in outcomes:
        return BROKEN
    if matrix:
        return PASSES
    if not gated:
        verdicts = {line.verdict for line in lines} | {mean.verdict for mean in overall}
        return FAILS if "worse" in verdicts else PASSES
    if "fails" in outcomes:
        return FAILS
    return UNDECIDED if "undecided" in outcomes else PASSES


def write_sentence(
    models: tuple[ModelRef, ModelRef],
    lines: Sequence[MetricComparison],
    gate: Sequence[GateLine],
    refused: Sequence[Refusal],
    broken: Sequence[str],
    code: int,
    overall: Sequence[Overall] = (),
    level: float = LEVEL,
    *,
    matrix: bool = False,
    unidentified: Sequence[str] = (),
) -> str:
    """Write the verdicts and the outcome in words.

    models: baseline and candidate. overall: of which those that are better or worse are named. level: of the
    intervals, which the gate goes by. matrix: whether neither of them is a baseline, so that there is no
    outcome but of what is missing. unidentified: names of models because of which the gate decides nothing.
    """
    baseline, candidate = (_distinct_name(model, models) for model in models)
    means = _overall_verdicts(overall)
    if matrix and code == PASSES:
        return f"{candidate} against {baseline}: {_verdicts(lines)}{means}."
    follows = _consequence(lines, gate, refused, broken, code)
    if gate and code == UNDECIDED and unidentified:
        are = "is" if len(unidentified) == 1 else "are"
        names = " and ".join(unidentified)
        follows = f"The gate is undecided: {names} {are} unidentified (declare what it is: --revision NAME)."
    of_gate = "not" if level >= LEVEL else "for all candidates"
    levels = f" (verdicts corrected over all lines, the gate {of_gate})" if gate and _corrected(lines) else ""
    return f"{candidate} against {baseline}: {_verdicts(lines)}{levels}{means}. {follows}"


def _corrected(lines: Sequence[MetricComparison]) -> bool:
    """Whether a line has no verdict because of the correction alone."""
    return any(line.verdict == "inconclusive" and excludes_zero(line) for line in lines)


def _distinct_name(model: ModelRef, models: tuple[ModelRef, ModelRef]) -> str:
    """Return the name, with the first digits of the fingerprint if two models share it."""
    left, right = models
    shared = left.name == right.name and left.fingerprint != right.fingerprint
    return f"{model.name}~{model.fingerprint[:8]}" if shared else model.name


def _verdicts(lines: Sequence[MetricComparison]) -> str:
    parts = []
    for verdict in ("better", "worse", "equivalent", "inconclusive", "not tested"):
        matching = [line for line in lines if line.verdict == verdict]
        if matching:
            on = "" if verdict == "not tested" else "on "
            parts.append(f"{verdict} {on}{_list_lines(matching, gains=verdict in ('better', 'worse'))}")
    return ", ".join(parts) or "nothing could be compared"


def _overall_verdicts(overall: Sequence[Overall]) -> str:
    """Return the means that are better or worse, with the words of the remark below the table."""
    return "".join(
        f"; {each.verdict} over {each.which} (mean gain {each.mean.gain:+.4f})"
        for each in overall
        if each.verdict in ("better", "worse")
    )


def _list_lines(lines: Sequence[MetricComparison], *, gains: bool) -> str:
    if len(lines) > _NAMED:
        return f"{len(lines)} {'tasks' if all(line.headline for line in lines) else 'lines'}"
    return ", ".join(_line_text(line, gain=gains) for line in lines)


def _line_text(line: MetricComparison, *, gain: bool) -> str:
    name = line.task if line.headline else f"{line.task} {line.metric}"
    within = ", within the margin" if line.verdict == "worse" and line.within_margin else ""
    return f"{name} ({line.gain:+.4f}{within})" if gain and line.gain is not None else name


def _consequence(
    lines: Sequence[MetricComparison],
    gate: Sequence[GateLine],
    refused: Sequence[Refusal],
    broken: Sequence[str],
    code: int,
) -> str:
    if code == BROKEN:
        # A condition that is broken since a result is says so in the same words: that is one item.
        count = len({*broken, *(line.sentence for line in gate if line.outcome == "broken")})
        return f"Fails: {count} item{'s are' if count > 1 else ' is'} missing or broken."
    if code == NOT_COMPARABLE:
        return f"Fails: not comparable on {', '.join(refusal.task for refusal in refused)}."
    failing = sorted((line for line in gate if not line.holds), key=lambda line: line.outcome != "fails")
    if failing:
        outcome = "fails" if code == FAILS else "is undecided"
        return f"The gate {outcome}: {_list_conditions(failing)}."
    if gate:
        return _passing(gate)
    if code == FAILS:
        return "Fails: without a margin, a significant loss is not accepted."
    if not any(line.verdict in ("better", "worse", "equivalent", "inconclusive") for line in lines):
        return "Without predictions there is no verdict."
    return "Nothing is significantly worse; a --margin would say how much worse it could be."


def _passing(gate: Sequence[GateLine]) -> str:
    """Return that all conditions hold, and which of them only because the policy lets doubt pass."""
    if let_pass := [line for line in gate if line.let_pass]:
        return f"The gate passes; undecided, let pass: {_list_conditions(let_pass, outcomes=False)}."
    if len(gate) == 1:
        return "The gate passes."
    return f"The gate passes: {'both' if len(gate) == 2 else f'all {len(gate)}'} conditions hold."


def _list_conditions(conditions: Sequence[GateLine], *, outcomes: bool = True) -> str:
    return named([*dict.fromkeys(_condition_text(line, outcome=outcomes) for line in conditions)], _NAMED)


def _condition_text(line: GateLine, *, outcome: bool) -> str:
    where = "throughput" if line.rule == "throughput" else tasks_in_words(line.task, line.tag, line.over)
    return f"{where} ({line.rule} {line.threshold:g}{f': {line.outcome}' if outcome else ''})"
