"""The answer in a sentence, and as an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.result import BROKEN, INCONCLUSIVE, NOT_COMPARABLE, PASSES, WORSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.result import GateLine, MetricComparison, ModelRef, Refusal

_NAMED = 3
"""Of more tasks than these, a sentence gives the number."""


def exit_code(
    lines: Sequence[MetricComparison],
    gate: Sequence[GateLine],
    refused: Sequence[Refusal],
    broken: Sequence[str],
    *,
    gated: bool,
) -> int:
    """What is broken goes before what does not compare, that before what is worse, that before doubt.

    A condition on a task that was refused finds no line: that is the refusal's, not a further fault.

    Without a gate a candidate passes unless it is significantly worse on some line.
    """
    outcomes = {line.outcome for line in gate if not line.holds}
    if broken:
        return BROKEN
    if refused:
        return NOT_COMPARABLE
    if "broken" in outcomes:
        return BROKEN
    if not gated:
        return WORSE if any(line.verdict == "worse" for line in lines) else PASSES
    if "worse" in outcomes:
        return WORSE
    return INCONCLUSIVE if "inconclusive" in outcomes else PASSES


def write_sentence(
    parties: tuple[ModelRef, ModelRef],
    lines: Sequence[MetricComparison],
    gate: Sequence[GateLine],
    refused: Sequence[Refusal],
    broken: Sequence[str],
    code: int,
) -> str:
    """Say which is better at what, and what follows."""
    baseline, candidate = (_distinct_name(party, parties) for party in parties)
    follows = _consequence(lines, gate, refused, broken, code)
    return f"{candidate} against {baseline}: {_verdicts(lines)}. {follows}"


def _distinct_name(party: ModelRef, parties: tuple[ModelRef, ModelRef]) -> str:
    """A name, with the first digits of the fingerprint where two models share it."""
    one, other = parties
    shared = one.name == other.name and one.fingerprint != other.fingerprint
    return f"{party.name}~{party.fingerprint[:8]}" if shared else party.name


def _verdicts(lines: Sequence[MetricComparison]) -> str:
    told = []
    for verdict in ("better", "worse", "equivalent", "inconclusive", "not tested"):
        found = [line for line in lines if line.verdict == verdict]
        if found:
            on = "" if verdict == "not tested" else "on "
            told.append(f"{verdict} {on}{_list_lines(found, gains=verdict in ('better', 'worse'))}")
    return ", ".join(told) or "nothing could be compared"


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
        lacking = len(broken) + sum(line.outcome == "broken" for line in gate)
        return f"No pass: {lacking} thing{'s are' if lacking > 1 else ' is'} missing or broken."
    if code == NOT_COMPARABLE:
        return f"No pass: not comparable on {', '.join(one.task for one in refused)}."
    failing = [line for line in gate if not line.holds]
    if failing:
        what = "does not pass" if code == WORSE else "does not say"
        named = ", ".join(dict.fromkeys(_condition_text(line) for line in failing[:_NAMED]))
        more = f" and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
        return f"The gate {what}: {named}{more}."
    if gate:
        return f"The gate passes: all {len(gate)} conditions hold." if len(gate) > 1 else "The gate passes."
    if code == WORSE:
        return "That does not pass: without a margin, no loss is accepted that is beyond noise."
    if not any(line.verdict in ("better", "worse", "equivalent", "inconclusive") for line in lines):
        return "Without predictions there is no verdict."
    return "Nothing is significantly worse; a --margin would say how much worse it could be."


def _condition_text(line: GateLine) -> str:
    return f"{line.task or 'throughput'} ({line.rule} {line.threshold:g}: {line.outcome})"
