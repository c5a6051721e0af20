"""Compare candidates with baselines: pair results, measure gains, decide verdicts, evaluate the gate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.comparison.absent import Absent, absent_metric, absent_task
from harness.comparison.comparability import (
    KEYS,
    MACHINE,
    examination_differences,
    setting_differences,
)
from harness.comparison.evidence import Evidence
from harness.comparison.frozen_suites import changed_rows, metrics_of, suite_notes, without_other_rows
from harness.comparison.gate import evaluate_gate
from harness.comparison.identity import identity_notes, undecided_if_unidentified, unidentified
from harness.comparison.measure import TaskPair, measure
from harness.comparison.metric_range import refuse_out_of_range
from harness.comparison.overall_gain import measure_forgetting, overall_gains
from harness.comparison.planning import plan_gate
from harness.comparison.result import Comparison, ModelRef, Refusal
from harness.comparison.same_model import alike_seeds_notes, refuse_same_records
from harness.comparison.summary import exit_code, write_sentence
from harness.comparison.task_notes import task_notes
from harness.comparison.throughput import compare_speed
from harness.comparison.verdicts import claim_level, correct_p_values, count_tests, make_lines
from harness.render import plural
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.gate import Gate
    from harness.comparison.measure import MetricGain
    from harness.comparison.result import MetricComparison
    from harness.comparison.result_changes import Changes
    from harness.comparison.sources import ModelResults, Slot
    from harness.results.prediction_files import TaskResult
    from harness.results.records import Score
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """Options of `compare`."""

    tasks: Mapping[str, Task]
    """Tasks of plugins: the source of metrics that are not means."""
    gate: Gate | None = None
    only: frozenset[str] | None = None
    """Tasks to compare; None for all of the baseline's."""
    metrics: frozenset[str] | None = frozenset()
    """Metrics besides each task's headline; None for all."""
    allow: frozenset[str] = frozenset()
    """Keys of differences that are allowed."""
    domain: frozenset[str] = frozenset()
    """Tags of the domain, whose gains are compared with the losses on other tasks."""
    power: bool = False
    """Whether to compute the examples that it takes to pass the gate if the models are equal."""
    why: bool = False
    """Whether to find the examples behind each gain."""
    matrix: bool = False
    """Whether every model is compared with every other: neither is a baseline, so that none fails."""
    suites: tuple[Suite, ...] = ()
    """Suites among `only`: they say which rows and metrics of their tasks count."""


@dataclass
class Partial:
    """What was measured of a pair, before its verdicts."""

    measured: list[MetricGain] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    """Lines that are not there, for one of these reasons."""
    notes: list[str] = field(default_factory=list)
    allowed: set[str] = field(default_factory=set)
    level: float = LEVEL
    """Level of the intervals of all gains, and of what the gate asks of them."""


def compare(
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]], options: CompareOptions
) -> list[Comparison]:
    """Compare candidates with baselines; *better* and *worse* are corrected over all lines of all pairs.

    A candidate is one model, or several that differ in their training seed only.
    Results that are missing, broken or not comparable raise nothing: they are listed, and are failures.
    Raises HarnessError where both sides of a pair are the very same records, and for a gate's threshold that
    no pair of scores of a metric could miss, or could meet.
    """
    return conclude(pairs, options, measure_pairs(pairs, options))


def measure_pairs(
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]], options: CompareOptions
) -> list[Partial]:
    """Measure all gains of each pair, before any verdict; raises HarnessError as `compare` does."""
    for pair in pairs:
        refuse_same_records(*pair)
    partials = [_measure_pair(baseline, candidates, options) for baseline, candidates in pairs]
    for partial in partials:
        refuse_out_of_range(options.gate, partial.measured)
    return partials


def conclude(
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
    options: CompareOptions,
    partials: Sequence[Partial],
) -> list[Comparison]:
    """Decide verdicts, gate and exit code of each pair. partials: what was measured, one of each pair."""
    families = [partial.measured for partial in partials]
    adjusted, level = correct_p_values(families), claim_level(families)
    # All candidates of one command are judged at one level.
    evidence = Evidence(min((partial.level for partial in partials), default=LEVEL))
    tests = count_tests(families)
    return [
        _conclude(
            (baseline, candidates),
            options,
            partial,
            make_lines(partial.measured, p_values, options.gate, evidence, level=level),
            tests,
            len(pairs),
        )
        for (baseline, candidates), partial, p_values in zip(pairs, partials, adjusted, strict=True)
    ]


def _measure_pair(
    baseline: ModelResults, candidates: Sequence[ModelResults], options: CompareOptions
) -> Partial:
    partial = Partial(notes=[*identity_notes(baseline, candidates), *suite_notes(options.suites)])
    slots = [slot for slot in baseline.answered if options.only is None or slot[0] in options.only]
    slots = sorted(without_other_rows(slots, baseline, options.suites), key=repr)
    partial.notes += alike_seeds_notes(candidates, slots)
    for slot in slots:
        _compare_task(baseline, candidates, slot, options, partial)
    _note_other_tasks(baseline, candidates, options, partial)
    return partial


def _conclude(
    pair: tuple[ModelResults, Sequence[ModelResults]],
    options: CompareOptions,
    partial: Partial,
    lines: Sequence[MetricComparison],
    tests: int,
    comparisons: int,
) -> Comparison:
    """Decide gate and exit code. tests: lines of all `comparisons` that have a test."""
    baseline, candidates = pair
    gate, candidate = options.gate, candidates[0]
    gains = [measured.gain for measured in partial.measured]
    lines, gate_plan = (
        plan_gate(gate, lines, partial.measured, partial.level, partial.absent)
        if options.power and gate is not None
        else (lines, None)
    )
    members = [*zip(lines, gains, strict=True)]
    speed, why_no_speed, differences = compare_speed(
        baseline, candidate, allow_machine=MACHINE in options.allow
    )
    if differences and speed is not None:
        partial.allowed.add(MACHINE)
    elif differences and gate is not None and gate.throughput is not None:
        partial.refused.append(Refusal(task="throughput", differences=differences))
    held = (lines, speed, why_no_speed, gains, partial.level, partial.absent)
    decided = evaluate_gate(gate, *held) if gate else ()
    gate_lines = tuple(undecided_if_unidentified(decided, (baseline, *candidates)))
    models = _model_ref(baseline, ()), _model_ref(candidate, candidates)
    overall = overall_gains(members, options.domain, gate, partial.level, comparisons)
    said = lines, gate_lines, partial.refused, partial.broken, overall
    code = exit_code(*said, gated=gate is not None, matrix=options.matrix)
    return Comparison(
        baseline=models[0],
        candidate=models[1],
        lines=tuple(lines),
        gated=gate is not None,
        gate=gate_lines,
        gate_plan=gate_plan,
        refused=tuple(partial.refused),
        broken=tuple(partial.broken),
        settings=(
            setting_differences(baseline.candidate, candidate.candidate)
            if baseline.believed and candidate.believed
            else ()
        ),
        notes=tuple(dict.fromkeys(partial.notes)),
        allowed=tuple(sorted(partial.allowed)),
        tests=tests,
        level=1 - partial.level,
        speed=speed,
        overall=overall,
        forgetting=measure_forgetting(members, options.domain, partial.level),
        changes=find_all_changes(partial.measured) if options.why else (),
        sentence=write_sentence(
            models,
            lines,
            gate_lines,
            partial.refused,
            partial.broken,
            code,
            overall,
            partial.level,
            matrix=options.matrix,
            unidentified=unidentified((baseline, *candidates)),
        ),
        exit_code=code,
    )


def _compare_task(
    baseline: ModelResults,
    candidates: Sequence[ModelResults],
    slot: Slot,
    options: CompareOptions,
    partial: Partial,
) -> None:
    """Measure one task, or record why that is impossible."""
    models = (baseline, *candidates)
    results = [baseline.answered[slot], *(_result(model, slot) for model in candidates)]
    before = len(partial.broken)
    for model, result in zip(models, results, strict=True):
        of = f"in the results of {model.name}"
        if result is None:
            partial.broken.append(f"{slot[0]} is missing from the results of {model.name}")
        elif result.evaluation.status == "broken":
            partial.broken.append(f"{slot[0]} is BROKEN {of}: {result.evaluation.error}")
        elif result.evaluation.status == "error":
            partial.broken.append(f"{slot[0]} is an ERROR of {model.name}: {result.evaluation.error}")
    base, *others = [result for result in results if result is not None]
    failed = any(result.evaluation.status != "ok" for result in (base, *others))
    changed = changed_rows([model.name for model in models], results, options.suites)
    partial.broken += changed
    if failed or changed or len(others) < len(candidates):
        reason = partial.broken[before]
        partial.absent.append(absent_task(slot[0], results, options.tasks, options.suites, reason))
        return
    differences = {
        difference
        for result in others
        for difference in examination_differences(base.evaluation, result.evaluation)
    }
    keys = {difference.key for difference in differences}
    if not keys <= options.allow:
        ordered = sorted(differences, key=lambda difference: KEYS.index(difference.key))
        partial.refused.append(Refusal(task=slot[0], differences=tuple(ordered)))
        reason = f"{slot[0]} is not comparable: {', '.join(each.key for each in ordered)} differs"
        partial.absent.append(absent_task(slot[0], results, options.tasks, options.suites, reason))
        return
    partial.allowed |= keys
    pair = TaskPair(
        baseline=base,
        candidates=others,
        names=[model.name for model in models],
        common=bool(keys - {"task_source", "task_version"}),
        headline=next(iter(metrics_of(slot[0], options.suites)), None),
    )
    _measure_task(pair, slot[0], options, partial)


def _measure_task(pair: TaskPair, task: str, options: CompareOptions, partial: Partial) -> None:
    scores = _select_scores(pair.baseline.evaluation.scores, task, options)
    absent = sorted({*metrics_of(task, options.suites)} - {score.metric for score in scores})
    before = len(partial.broken)
    partial.broken += [
        f"{task} by {metric} is missing from the results of {pair.names[0]}" for metric in absent
    ]
    partial.absent += [
        absent_metric(task, metric, pair.baseline, sentence, headline=metric == pair.headline)
        for metric, sentence in zip(absent, partial.broken[before:], strict=True)
    ]
    for result, name in zip(pair.candidates, pair.names[1:], strict=True):
        own = {score.metric for score in result.evaluation.scores}
        missing = [score.metric for score in scores if score.metric not in own]
        partial.broken += [f"{task} by {metric} is missing from the results of {name}" for metric in missing]
    measured, broken, left_out = measure(pair, scores, options.tasks, texts=options.why)
    partial.measured += measured
    partial.broken += broken
    partial.notes += task_notes(pair, task, left_out, texts=options.why or pair.common)


def _result(model: ModelResults, slot: Slot) -> TaskResult | None:
    """Return a model's result in a slot, else one on other data of the task, which will be refused."""
    return model.answered.get(slot) or _other_result(model, slot[0])


def _other_result(model: ModelResults, task: str) -> TaskResult | None:
    others = [result for own, result in sorted(model.answered.items(), key=repr) if own[0] == task]
    return others[0] if others else None


def _select_scores(scores: Sequence[Score], task: str, options: CompareOptions) -> list[Score]:
    """Select the headline, which comes first, and the metrics that options or gate name.

    Suites may name another headline and further metrics of a task; they come first, in their order.
    """
    named, own = options.metrics, metrics_of(task, options.suites) or (scores[0].metric,)
    ordered = sorted(scores, key=lambda score: own.index(score.metric) if score.metric in own else len(own))
    if named is None:
        return ordered
    if options.gate is not None:
        named |= options.gate.metrics
    return [score for score in ordered if score.metric in own or score.metric in named]


def _note_other_tasks(
    baseline: ModelResults, candidates: Sequence[ModelResults], options: CompareOptions, partial: Partial
) -> None:
    """Note tasks that only the candidate has; a task of `options.only` that is missing is broken."""
    known = {slot[0] for slot in baseline.answered}
    if options.only is not None:
        missing = sorted(options.only - known)
        for task in missing:
            partial.broken.append(f"{task} is missing from the results of {baseline.name}")
            results = [_other_result(model, task) for model in candidates]
            reason = partial.broken[-1]
            partial.absent.append(absent_task(task, results, options.tasks, options.suites, reason))
        return
    extra = sorted({slot[0] for candidate in candidates for slot in candidate.answered} - known)
    if extra:
        partial.notes.append(f"only {candidates[0].name} has results on {', '.join(extra)}")


def _model_ref(model: ModelResults, seeds: Sequence[ModelResults]) -> ModelRef:
    several = len(seeds) > 1
    return ModelRef(
        name=f"{model.name} and {plural(len(seeds) - 1, 'other seed')}" if several else model.name,
        fingerprint=model.fingerprint,
        source=model.source,
        members=tuple(seed.name for seed in seeds) if several else (),
    )


def find_all_changes(measured: Sequence[MetricGain]) -> tuple[Changes, ...]:
    """Find the examples and slices behind the gain of each line."""
    from harness.comparison.flips import find_changes

    return tuple(
        find_changes(each.evaluation.examination.task, each.metric, *each.tables)
        for each in measured
        if each.metric is not None and each.gain is not None and math.isfinite(each.gain.value)
    )
