"""Plan examples: how many it takes to pass a line, and the whole gate, if the models are equal."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.result import GatePlan
from harness.render import percent, plural
from harness.stats.curve import LEVEL, PointCurve
from harness.stats.flips_power import POWER
from harness.stats.joint import by_sample, line_of
from harness.stats.pass_chance import PassChance, smallest_number
from harness.stats.several_tasks import MeanCurve, mean_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.comparison.absent import Absent
    from harness.comparison.gate import Condition, Gate
    from harness.comparison.measure import MetricGain
    from harness.comparison.result import MetricComparison

_DRAWS = 20_000
"""Draws of the gains of correlated lines."""

_MOST_EXAMPLES = 10**9
"""Maximum number of examples of a line that is looked for."""

_MOST_TIMES = 1000
"""Maximum number of times as many examples that is looked for, for the whole gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A line of the gate that equal models may pass."""

    line: MetricComparison
    measured: MetricGain
    accepted: float
    """The loss that is accepted, above 0."""
    passing: PassChance

    def chance(self, times: float) -> float:
        """Return the probability that the line passes with so many times as many examples."""
        return self.passing.chance(times * self.passing.gain.units, self.accepted)

    @property
    def needed(self) -> int | None:
        """About how many examples make that 80 %."""
        found = smallest_number(
            lambda examples: self.chance(examples / self.line.examples), 1, _MOST_EXAMPLES
        )
        return None if found is None else round(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlannedMean:
    """A condition on the mean over tasks that equal models may pass."""

    members: Sequence[_Planned]
    accepted: float
    wider: float
    """Standard error over that of independent tasks."""

    def limit(self, times: float) -> tuple[np.ndarray, float]:
        """Return the weights of the members' normal deviates, and their least sum that passes."""
        passing = [each.passing for each in self.members]
        errors, halves = np.transpose([own.spread(times * own.gain.units) for own in passing])
        error = math.hypot(*errors)
        if not math.isfinite(error):
            return np.zeros(len(errors)), math.inf
        least = math.hypot(*halves) * self.wider - len(errors) * self.accepted
        return errors, least / self.wider


def plan_gate(
    gate: Gate,
    lines: Sequence[MetricComparison],
    measured: Sequence[MetricGain],
    level: float = LEVEL,
    absent: Sequence[Absent] = (),
) -> tuple[list[MetricComparison], GatePlan]:
    """Return the lines with the examples that they need, and the plan of the whole gate.

    lines, measured: in the same order. absent: lines that the gate asks for and that are not there; the plan
    names them. A line passes where its interval, at the level of all of them, lies
    above −margin, or above a required gain. Models are equal where their scores are, by all examples that
    there could be: a required gain, or a margin of 0, is then passed in 2.5 of 100 cases at most (at a level
    of 5 %), however many examples there are.
    """
    planned: list[_Planned] = []
    known: list[tuple[MetricComparison, MetricGain]] = []
    never, unknown, shown = [], [], []
    for line, each in zip(lines, measured, strict=True):
        loss, needed = accepted_loss(gate, line), None
        if loss is not None and not _same_answers(each) and loss <= 0:
            never.append(f"{line.task} by {line.metric} ({f'gain > {-loss:g}' if loss else 'margin 0'})")
        elif loss is not None and (line.low is None or loss < 0):
            unknown.append(f"{line.task} by {line.metric}")
        elif loss is not None:
            plan = _plan(line, each, loss, level)
            planned, needed = [*planned, plan], plan.needed
        known.append((line, each))
        shown.append(replace(line, needed=needed))
    means = []
    for condition in gate.conditions:
        if condition.on_gain and condition.over == "mean":
            loss = condition.threshold if condition.rule == "margin" else -condition.threshold
            if loss <= 0:
                never.append(f"{condition.subject} ({f'gain > {-loss:g}' if loss else 'margin 0'})")
                continue
            found = list(_means(condition, known, level))
            means += [mean for mean in found if mean]
            unknown += [condition.subject] if None in found else []
    remarks = [*_not_there(gate, absent), *_not_planned(unknown), *_left_out(gate, lines)]
    return shown, _whole_plan(planned, means, never, remarks)


def _means(
    condition: Condition, known: Sequence[tuple[MetricComparison, MetricGain]], level: float
) -> Iterator[_PlannedMean | None]:
    """Yield the mean over samples, and that over real data, as a gate has them; None without an interval."""
    for sample in (False, True):
        own = [
            (line, each)
            for line, each in known
            if condition.applies_to(line) and (line.data == "sample") == sample
        ]
        if any(each.gain is None or line.low is None for line, each in own):
            yield None
        elif own:
            members = [_plan(line, each, condition.threshold, level) for line, each in own]
            curve = mean_curve([member.passing.gain for member in members])
            wider = curve.wider if isinstance(curve, MeanCurve) else 1.0
            yield _PlannedMean(members=members, accepted=condition.threshold, wider=wider)


def accepted_loss(gate: Gate, line: MetricComparison) -> float | None:
    """Return the largest loss with which a line can pass, negative for a required gain; None without a rule.

    Of several conditions the strictest counts, and of those with one rule the narrowest, as in the gate.
    """
    losses = []
    for rule, sign in (("margin", 1), ("gain", -1)):
        own = [each for each in gate.conditions if each.rule == rule and each.applies_to(line)]
        narrowest = min((each.breadth for each in own if each.over is None), default=None)
        # The smallest of several gains passes exactly where each of them does.
        losses += [
            sign * each.threshold
            for each in own
            if each.over == "worst" or (each.over is None and each.breadth == narrowest)
        ]
    return min(losses, default=None)


def _same_answers(measured: MetricGain) -> bool:
    return measured.gain is not None and isinstance(measured.gain.curve, PointCurve)


def _plan(line: MetricComparison, measured: MetricGain, loss: float, level: float) -> _Planned:
    gain = measured.gain
    if gain is None:
        raise ValueError(f"{line.task} by {line.metric} has no gain to plan for")
    alone = measured.from_seeds is None and gain.influence is not None
    pair = measured.pair if alone else None
    passing = PassChance(gain, pair, measured.from_seeds or 0.0, level)
    return _Planned(line=line, measured=measured, accepted=loss, passing=passing)


def _whole_plan(
    planned: Sequence[_Planned], means: Sequence[_PlannedMean], never: Sequence[str], remarks: Sequence[str]
) -> GatePlan:
    if never:
        parts = [f"no number of examples lets an equal candidate pass {', '.join(never)}", *remarks]
        return GatePlan(chance=0.0, times=None, examples=None, sentence="; ".join(parts))
    if not planned and not means:
        parts = ["the gate has no margin to plan for", *remarks]
        return GatePlan(chance=None, times=None, examples=None, sentence="; ".join(parts))
    members = [*planned, *(member for mean in means for member in mean.members)]
    all_pass = _chance_with_means(planned, means) if means else _joint_chance(planned)
    present = _count(members)
    chance = all_pass(1.0)
    found = smallest_number(lambda hundredths: all_pass(hundredths / 100), 10, 100 * _MOST_TIMES)
    times = None if found is None else found / 100
    examples = None if times is None else _two_digits(times * present)
    parts = [_words(chance, times, examples, present), *remarks]
    return GatePlan(chance=chance, times=times, examples=examples, sentence="; ".join(parts))


def _joint_chance(planned: Sequence[_Planned]) -> Callable[[float], float]:
    """Return the probability that all lines pass, by how many times as many examples there are.

    Lines of one task are correlated as the influences of its units are: of normal variables with that
    correlation, each passes a quantile of its own chance. Tasks are independent.
    """
    samples = by_sample(
        [line_of(each.passing.gain, each.measured.evaluation.examination) for each in planned]
    )
    together = [sample for sample in samples if len(sample.positions) > 1]
    joined = {position for sample in together for position in sample.positions}
    alone = [each for position, each in enumerate(planned) if position not in joined]
    draws = [
        (_normal_draws(sample.covariance()), [planned[position] for position in sample.positions])
        for sample in together
    ]

    def all_pass(times: float) -> float:
        from scipy.special import ndtri

        chance = math.prod(each.chance(times) for each in alone)
        for normal, group in draws:
            limits = ndtri([1 - each.chance(times) for each in group])
            chance *= float((normal > limits).all(axis=1).mean())
        return chance

    return all_pass


def _chance_with_means(
    planned: Sequence[_Planned], means: Sequence[_PlannedMean]
) -> Callable[[float], float]:
    """Return the same where means of tasks are asked for, too: of joint draws of all lines that matter.

    A mean is as correlated with its tasks as their errors make it.
    """
    members = [*planned, *(member for mean in means for member in mean.members)]
    places = {(each.line.task, each.line.data, each.line.metric): each for each in members}
    lines, order = [*places.values()], {key: place for place, key in enumerate(places)}
    normal = np.random.default_rng(0).normal(size=(_DRAWS, len(lines)))
    asked = [line_of(each.passing.gain, each.measured.evaluation.examination) for each in lines]
    for seed, sample in enumerate(by_sample(asked), 1):
        normal[:, sample.positions] = _normal_draws(sample.covariance(), seed)

    def place(each: _Planned) -> int:
        return order[each.line.task, each.line.data, each.line.metric]

    def all_pass(times: float) -> float:
        from scipy.special import ndtri

        limits = ndtri([1 - each.chance(times) for each in planned])
        passed = (normal[:, [place(each) for each in planned]] > limits).all(axis=1)
        for mean in means:
            weights, least = mean.limit(times)
            passed &= normal[:, [place(each) for each in mean.members]] @ weights > least
        return float(passed.mean())

    return all_pass


def _normal_draws(covariance: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draw correlated standard normal variables: (_DRAWS, lines), always the same for a seed."""
    spread = np.sqrt(np.diag(covariance))
    # A line that no unit moves is correlated with none.
    correlation = covariance / np.outer(np.where(spread > 0, spread, 1), np.where(spread > 0, spread, 1))
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    generator = np.random.default_rng(seed)
    normal = generator.normal(size=(_DRAWS, len(correlation)))
    return np.asarray(normal * np.sqrt(np.maximum(values, 0)) @ vectors.T)


def _two_digits(number: float) -> int:
    scale = 10.0 ** max(0, math.floor(math.log10(max(number, 1))) - 1)
    return int(math.ceil(round(number / scale, 6)) * scale)


def _count(planned: Sequence[_Planned]) -> int:
    """Return the examples of all tasks with a planned line; a task's metrics have the same ones."""
    most: dict[object, int] = {}
    for each in planned:
        key = each.measured.evaluation.examination
        most[key] = max(most.get(key, 0), each.line.examples)
    return sum(most.values())


def _words(chance: float, times: float | None, examples: int | None, present: int) -> str:
    now = f"with {_in_words(chance)} on these {plural(present, 'example')}"
    if times is None or examples is None:
        then = f"not even with {percent(POWER)} on {_MOST_TIMES:,} times as many"
    else:
        then = f"with {percent(POWER)} on about {times:g} times as many of every task, {examples:,} in all"
    return f"a candidate that equals the baseline passes this gate {now}, and {then}"


def _in_words(chance: float) -> str:
    return "less than 1 %" if chance < 0.005 else "more than 99 %" if chance > 0.995 else percent(chance)


def _not_there(gate: Gate, absent: Sequence[Absent]) -> Iterator[str]:
    """Yield which lines the gate asks for that are missing, broken or not comparable."""
    missed = {
        f"{each.task} by {condition.metric}" if condition.metric else each.task: None
        for each in absent
        for condition in gate.conditions
        if condition.misses(each)
    }
    if missed:
        yield (
            f"without {', '.join(missed)}, which the gate asks for and which cannot be compared:"
            " it is broken until that can"
        )


def _not_planned(unknown: Sequence[str]) -> Iterator[str]:
    if unknown:
        yield f"without {', '.join(unknown)}, which cannot be planned: there is no interval of the gain"


def _left_out(gate: Gate, lines: Sequence[MetricComparison]) -> Iterator[str]:
    floors = [each for each in gate.conditions if each.rule == "min" and each.over is None]
    below = [
        f"the baseline's {line.task} by {line.metric} is itself below the floor of {floor.threshold:g}"
        for floor in floors
        for line in lines
        if floor.applies_to(line) and line.baseline is not None and line.baseline < floor.threshold
    ]
    yield from dict.fromkeys(below)
    all_floors = any(each.rule == "min" for each in gate.conditions)
    kinds = [
        *(["floors (min)"] if all_floors else []),
        *(["throughput"] if gate.throughput is not None else []),
    ]
    if kinds:
        yield f"left out: {' and '.join(kinds)}"
    if gate.undecided == "pass":
        yield 'a condition that is let pass undecided (undecided = "pass") is not counted as passed'
