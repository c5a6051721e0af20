"""Compare a candidate with a baseline: pair what was asked alike, measure, then claim and hold the gate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.comparison.comparability import (
    KEYS,
    MACHINE,
    examination_differences,
    library_note,
    scoring_note,
    setting_differences,
)
from harness.comparison.gate import evaluate_gate
from harness.comparison.measure import TaskPair, measure
from harness.comparison.result import Comparison, ModelRef, Refusal
from harness.comparison.summary import exit_code, sentence_of
from harness.comparison.throughput import speed_of
from harness.comparison.verdicts import corrected, domain_of, lines_of
from harness.tasks.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.gate import Gate
    from harness.comparison.measure import Measured
    from harness.comparison.result import Changes
    from harness.comparison.sources import ModelResults, Slot
    from harness.results.prediction_files import TaskResult
    from harness.results.records import Score
    from harness.tasks.interface import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """What is to be compared, and held against what."""

    tasks: Mapping[str, Task]
    """Those of plugins: where metrics that are no means come from."""
    gate: Gate | None = None
    only: frozenset[str] | None = None
    """Tasks to compare; every one of the baseline's when None."""
    metrics: frozenset[str] | None = frozenset()
    """Metrics besides each task's headline; all when None."""
    allow: frozenset[str] = frozenset()
    domain: frozenset[str] = frozenset()
    """Tags whose tasks are the domain: what was gained there is held against what was lost elsewhere."""
    power: bool = False
    """Whether to say how many examples a gain as large as the margin would need."""
    why: bool = False
    """Whether to look for the examples behind each gain."""


@dataclass
class _Found:
    """What has come of a comparison so far."""

    measured: list[Measured] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    allowed: set[str] = field(default_factory=set)


def compare(
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]], question: CompareOptions
) -> list[Comparison]:
    """Compare candidates with baselines; *better* and *worse* are corrected over all lines of all pairs.

    A candidate is one model, or several that were trained alike but for their seeds.
    Nothing is raised for results that are missing, broken or not comparable: each is said, and is a failure.
    """
    found = [_measured(baseline, candidates, question) for baseline, candidates in pairs]
    adjusted = corrected([one.measured for one in found])
    return [
        _concluded(baseline, candidates, question, one, values)
        for (baseline, candidates), one, values in zip(pairs, found, adjusted, strict=True)
    ]


def _measured(baseline: ModelResults, candidates: Sequence[ModelResults], question: CompareOptions) -> _Found:
    found = _Found()
    for slot in sorted(baseline.answered, key=repr):
        if question.only is None or slot[0] in question.only:
            _compare_task(baseline, candidates, slot, question, found)
    _note_the_rest(baseline, candidates, question, found)
    return found


def _concluded(
    baseline: ModelResults,
    candidates: Sequence[ModelResults],
    question: CompareOptions,
    found: _Found,
    adjusted: Sequence[float],
) -> Comparison:
    """Claim what can be claimed, hold the gate, and say what follows."""
    gate, candidate = question.gate, candidates[0]
    lines = lines_of(found.measured, adjusted, gate, power=question.power)
    speed, why_no_speed, differing = speed_of(baseline, candidate, allow_machine=MACHINE in question.allow)
    if differing and speed is not None:
        found.allowed.add(MACHINE)
    elif differing and gate is not None and gate.throughput is not None:
        found.refused.append(Refusal(task="throughput", differences=differing))
    held = tuple(evaluate_gate(gate, lines, speed, why_no_speed)) if gate else ()
    parties = _party(baseline, ()), _party(candidate, candidates)
    code = exit_code(lines, held, found.refused, found.broken, gated=gate is not None)
    return Comparison(
        baseline=parties[0],
        candidate=parties[1],
        lines=tuple(lines),
        gated=gate is not None,
        gate=held,
        refused=tuple(found.refused),
        broken=tuple(found.broken),
        settings=setting_differences(baseline.candidate, candidate.candidate),
        notes=tuple(dict.fromkeys(found.notes)),
        allowed=tuple(sorted(found.allowed)),
        speed=speed,
        forgetting=domain_of(found.measured, question.domain),
        changes=tuple(_changes(found.measured)) if question.why else (),
        sentence=sentence_of(parties, lines, held, found.refused, found.broken, code),
        exit_code=code,
    )


def _compare_task(
    baseline: ModelResults,
    candidates: Sequence[ModelResults],
    slot: Slot,
    question: CompareOptions,
    found: _Found,
) -> None:
    """Measure one task, or say why it cannot be."""
    answered = [_answer(side, slot) for side in candidates]
    base = baseline.answered[slot]
    given = [one for one in answered if one is not None]
    for side, one in zip((baseline, *candidates), (base, *answered), strict=True):
        if one is None:
            found.broken.append(f"{slot[0]} is missing from the results of {side.name}")
        elif one.evaluation.status == "error":
            found.broken.append(f"{slot[0]} is an ERROR of {side.name}: {one.evaluation.error}")
    if len(given) < len(candidates) or any(one.evaluation.status == "error" for one in (base, *given)):
        return
    differences = {
        difference for one in given for difference in examination_differences(base.evaluation, one.evaluation)
    }
    if not {difference.key for difference in differences} <= question.allow:
        ordered = sorted(differences, key=lambda one: KEYS.index(one.key))
        found.refused.append(Refusal(task=slot[0], differences=tuple(ordered)))
        return
    found.allowed |= {difference.key for difference in differences}
    asked = TaskPair(
        baseline=base,
        candidates=given,
        names=[baseline.name, *(side.name for side in candidates)],
        common=bool({one.key for one in differences} - {"task_source", "task_version"}),
    )
    _measure_task(asked, slot[0], question, found)


def _measure_task(asked: TaskPair, task: str, question: CompareOptions, found: _Found) -> None:
    wanted = _wanted(asked.baseline.evaluation.scores, question)
    for one, name in zip(asked.candidates, asked.names[1:], strict=True):
        own = {score.metric for score in one.evaluation.scores}
        lacking = [score.metric for score in wanted if score.metric not in own]
        found.broken += [f"{task} by {metric} is missing from the results of {name}" for metric in lacking]
    measured, broken, left_out = measure(asked, wanted, question.tasks, texts=question.why)
    found.measured += measured
    found.broken += broken
    if left_out:
        found.notes.append(f"{task}: {left_out} examples that not all models were asked alike are left out")
    for one, name in zip((asked.baseline, *asked.candidates), asked.names, strict=True):
        # An error in a finding makes a score meaningless, such as one on rows that were trained on.
        errors = [finding for finding in one.evaluation.findings if finding.severity is Severity.ERROR]
        found.notes += [f"{task}: {finding.code} of {name}: {finding.evidence}" for finding in errors]
    for one in asked.candidates:
        if note := library_note(asked.baseline.evaluation.libraries, one.evaluation.libraries):
            found.notes.append(note)
        if note := scoring_note(asked.baseline.evaluation, one.evaluation):
            found.notes.append(note)


def _answer(side: ModelResults, slot: Slot) -> TaskResult | None:
    """What a side has in a slot; else what it has of that task in another one, which will be refused."""
    if slot in side.answered:
        return side.answered[slot]
    others = [one for own, one in sorted(side.answered.items(), key=repr) if own[0] == slot[0]]
    return others[0] if others else None


def _wanted(scores: Sequence[Score], question: CompareOptions) -> list[Score]:
    named = question.metrics
    if named is None:
        return list(scores)
    if question.gate is not None:
        named |= question.gate.metrics
    return [score for place, score in enumerate(scores) if place == 0 or score.metric in named]


def _note_the_rest(
    baseline: ModelResults, candidates: Sequence[ModelResults], question: CompareOptions, found: _Found
) -> None:
    """Say which tasks only the candidate has; a task that was asked for and that nobody has is broken."""
    known = {slot[0] for slot in baseline.answered}
    theirs = {slot[0] for side in candidates for slot in side.answered}
    extra = sorted(theirs - known)
    if question.only is not None:
        asked_for = question.only - known
        found.broken += [
            f"{task} is missing from the results of {baseline.name}" for task in sorted(asked_for)
        ]
        return
    if extra:
        found.notes.append(f"only {candidates[0].name} was asked: {', '.join(extra)}")


def _party(side: ModelResults, members: Sequence[ModelResults]) -> ModelRef:
    several = len(members) > 1
    return ModelRef(
        name=f"{side.name} and {_others(len(members) - 1)}" if several else side.name,
        fingerprint=side.fingerprint,
        source=str(side.source),
        members=tuple(one.name for one in members) if several else (),
    )


def _others(count: int) -> str:
    return f"{count} other seed{'s' if count > 1 else ''}"


def _changes(measured: Sequence[Measured]) -> list[Changes]:
    from harness.comparison.flips import changes_of

    found = []
    for one in measured:
        if one.metric is not None and one.gain is not None and math.isfinite(one.gain.value):
            asked = one.evaluation.examination
            found.append(changes_of(asked.task, one.metric, one.tables[0], one.tables[1]))
    return found
