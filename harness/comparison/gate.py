"""The gate: conditions that a candidate must meet, all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from harness.comparison.result import GateLine
from harness.comparison.thresholds import judge_floor, judge_gain, judge_tasks, tasks_in_words
from harness.errors import Faults, HarnessError
from harness.stats.curve import LEVEL
from harness.system.toml_file import read_table, read_toml, table_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from harness.comparison.absent import Absent
    from harness.comparison.result import MetricComparison, Speed
    from harness.comparison.thresholds import Member
    from harness.comparison.words import Outcome, Over, Rule
    from harness.stats.gain import Gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A rule, and the lines that it applies to."""

    rule: Rule
    threshold: float
    task: str | None = None
    tag: str | None = None
    """Every task with this tag; with neither task nor tag, every task."""
    metric: str | None = None
    """None for each task's headline."""
    over: Over | None = None
    """Whether it holds for the mean or the smallest gain of these tasks; None for each of them."""

    def applies_to(self, line: MetricComparison) -> bool:
        """Whether the rule applies to a line."""
        return self.covers(line.task, line.metric, line.tags, headline=line.headline)

    def covers(self, task: str, metric: str, tags: Collection[str], *, headline: bool) -> bool:
        """Whether the rule applies to a metric of a task with these tags."""
        wanted = headline if self.metric is None else metric == self.metric
        return wanted and self.task in (None, task) and (self.tag is None or self.tag in tags)

    def misses(self, absent: Absent) -> bool:
        """Whether the rule would apply to a line that is not there."""
        wanted = absent.headline if self.metric is None else self.metric in absent.metrics
        return wanted and self.task in (None, absent.task) and (self.tag is None or self.tag in absent.tags)

    @property
    def on_gain(self) -> bool:
        """Whether it makes a claim about the gain, which may hold by luck; not a floor under the score."""
        return self.rule in ("margin", "gain")

    @property
    def breadth(self) -> int:
        """0 for a task, 1 for a tag, 2 for every task: of one rule, the narrowest condition counts."""
        return 0 if self.task else 1 if self.tag else 2

    @property
    def subject(self) -> str:
        """The tasks and the metric that the rule applies to, in words."""
        where = tasks_in_words(self.task, self.tag, self.over)
        return f"{where} by {self.metric}" if self.metric else where


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Conditions of which a candidate must meet all; so there is no correction for their number."""

    conditions: tuple[Condition, ...]
    undecided: Literal["fail", "pass"] = "fail"
    throughput: float | None = None
    """Minimum ratio of candidate to baseline, in texts/s."""

    @property
    def metrics(self) -> frozenset[str]:
        """Metrics that conditions name."""
        return frozenset(condition.metric for condition in self.conditions if condition.metric)

    def margin(self, line: MetricComparison) -> float | None:
        """The loss that is accepted on a line: its task's, else its tag's, else every task's."""
        margins = [
            condition
            for condition in self.conditions
            if condition.rule == "margin" and condition.over is None and condition.applies_to(line)
        ]
        return min(margins, key=lambda each: each.breadth).threshold if margins else None

    def decides(
        self, condition: Condition, task: str, metric: str, tags: Collection[str], *, headline: bool
    ) -> bool:
        """Whether one of its conditions applies to a metric of a task, and no narrower one in its place."""
        return condition.covers(task, metric, tags, headline=headline) and not (
            condition.over is None
            and any(
                other.over is None
                and other.rule == condition.rule
                and other.breadth < condition.breadth
                and other.covers(task, metric, tags, headline=headline)
                for other in self.conditions
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTable:
    """A [[line]] of a gate file: what it applies to, and one or more rules."""

    task: str | None = None
    """The one task that it applies to; without it and a tag, every task."""
    tag: str | None = None
    """Every task with this tag."""
    metric: str | None = None
    """Without it, each task's headline."""
    over: Literal["mean", "worst"] | None = None
    """Whether it holds for the mean or the worst gain of these tasks; without it, for each of them."""
    margin: float | None = None
    """The loss that is accepted."""
    gain: float | None = None
    """The gain that is required."""
    min: float | None = None
    """The lowest score of the candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFile:
    """A gate file, as it is written."""

    margin: float | None = None
    """The loss that is accepted on every task; that of a line counts before it."""
    undecided: Literal["fail", "pass"] = "fail"
    """What an undecided condition does."""
    throughput: float | None = None
    """Minimum ratio of candidate to baseline, in texts/s."""
    line: tuple[LineTable, ...] = ()
    """Conditions for some tasks."""


def margin_gate(margin: float) -> Gate:
    """Make the gate of `--margin`: the loss that is accepted on every headline."""
    _check_threshold("margin", margin, "--margin")
    return Gate(conditions=(Condition(rule="margin", threshold=margin),))


def read_gate(path: Path, faults: Faults | None = None) -> Gate:
    """Read a gate file.

    faults: takes what is wrong in it, and the gate has the conditions that are sound.
    Raises HarnessError for a file that cannot be read, for all unknown keys or values that make no sense, and
    for a gate without a condition.
    """
    if not path.is_file():
        raise HarnessError(f"no gate file {path}", hint="docs/compare.md shows one")
    conditions: list[Condition] = []
    found, throughput = Faults(), None
    hint = "docs/compare.md shows a gate file"
    # Each of its keys has a default.
    content = read_toml(path)
    file = read_table(content, GateFile, path, found, hint=hint, partial=True) or GateFile()
    whole = read_table(content, GateFile, path, Faults()) is not None
    for number, line in enumerate(file.line):
        with found.collect():
            conditions += _conditions(line, f"{path}: {table_name('line', number)}", whole=whole)
    if file.margin is not None:
        with found.collect():
            _check_threshold("margin", file.margin, f"{path}: margin")
            conditions.append(Condition(rule="margin", threshold=file.margin))
    if file.throughput is not None:
        with found.collect():
            _check_threshold("throughput", file.throughput, f"{path}: throughput")
            throughput = file.throughput
    if not (conditions or file.throughput is not None or found.found):
        found.add(
            HarnessError(
                f"{path} has no condition", hint="margin = 0.01 accepts a loss of 0.01 on every task"
            )
        )
    if faults is None:
        found.refuse(str(path))
    else:
        faults.found += found.found
    return Gate(conditions=tuple(conditions), undecided=file.undecided, throughput=throughput)


def _conditions(line: LineTable, where: str, *, whole: bool) -> list[Condition]:
    """Return the conditions of a line; raises HarnessError for all that is wrong in it.

    whole: whether all of the file could be read; else a line may lack a condition because it could not be.
    """
    faults = Faults()
    if line.task and line.tag:
        faults.add(HarnessError(f"{where} names a task and a tag", hint="write two lines"))
    if line.task and line.over:
        faults.add(
            HarnessError(
                f"{where} names one task, and over = {line.over!r} is for several",
                hint="leave one of the two out, or give a tag in place of the task",
            )
        )
    thresholds: dict[Rule, float | None] = {"margin": line.margin, "gain": line.gain, "min": line.min}
    given = {rule: threshold for rule, threshold in thresholds.items() if threshold is not None}
    if not given and whole:
        faults.add(HarnessError(f"{where} has no condition", exists=f"conditions: {', '.join(thresholds)}"))
    for rule, threshold in given.items():
        with faults.collect():
            _check_threshold(rule, threshold, f"{where}: {rule}")
    faults.refuse()
    return [
        Condition(
            rule=rule, threshold=threshold, task=line.task, tag=line.tag, metric=line.metric, over=line.over
        )
        for rule, threshold in given.items()
    ]


def _check_threshold(rule: Rule, value: float, where: str) -> None:
    """Raise HarnessError for a threshold that the rule cannot have."""
    if not math.isfinite(value):
        raise HarnessError(f"{where} must be a finite number, not {value}")
    if rule == "margin" and value < 0:
        raise HarnessError(f"{where} must be 0 or more, not {value}", hint="it is the loss that is accepted")
    if rule == "throughput" and value <= 0:
        raise HarnessError(f"{where} must be above 0, not {value}", hint="it is a ratio of texts/s")


def evaluate_gate(
    gate: Gate,
    lines: Sequence[MetricComparison],
    speed: Speed | None,
    why_no_speed: str,
    gains: Sequence[Gain | None] = (),
    level: float = LEVEL,
    absent: Sequence[Absent] = (),
) -> list[GateLine]:
    """Evaluate every condition on every line that it applies to; a condition without a line is broken.

    So is one that a line is absent of: a mean over the tasks that are left is another mean.
    gains: of the lines, in their order; for conditions over several tasks. level: of their intervals, which
    is that of the lines' intervals.
    """
    results = []
    for condition in gate.conditions:
        applies = [condition.applies_to(line) for line in lines]
        missed = [each for each in absent if condition.misses(each)]
        if not any(applies) and not missed:
            sentence = f"{condition.subject}: the comparison has no such line"
            results.append(_line(condition, None, "broken", sentence, gate))
        elif condition.over is not None:
            members = [pair for pair, own in zip(zip(lines, gains, strict=True), applies, strict=True) if own]
            results += _evaluate_over(condition, condition.over, members, missed, gate, level)
        else:
            results += [
                _evaluate_condition(condition, line, gate)
                for line in lines
                if gate.decides(condition, line.task, line.metric, line.tags, headline=line.headline)
            ]
            results += [line for each in missed if (line := _absent_line(condition, each, gate))]
    if gate.throughput is not None:
        results.append(_throughput(gate, gate.throughput, speed, why_no_speed))
    return sorted(
        results, key=lambda line: (line.task is None, line.task or "", line.metric or "", line.rule)
    )


def _evaluate_over(
    condition: Condition,
    over: Over,
    members: Sequence[Member],
    missed: Sequence[Absent],
    gate: Gate,
    level: float,
) -> Iterable[GateLine]:
    """Yield a line for samples and one for real data, which are never taken together."""
    for sample in (False, True):
        own = [member for member in members if (member[0].data == "sample") == sample]
        if reasons := [each.reason for each in missed if each.sample == sample]:
            yield _line(condition, None, "broken", reasons[0], gate)
        elif own:
            outcome, sentence = judge_tasks(condition.rule, condition.threshold, over, own, level)
            yield _line(condition, None, outcome, sentence, gate)


def _absent_line(condition: Condition, absent: Absent, gate: Gate) -> GateLine | None:
    """Return the broken condition on a line that is not there; None where a narrower one takes its place."""
    headline = next(iter(absent.metrics), None) if absent.headline else None
    metric = condition.metric or headline
    if not gate.decides(condition, absent.task, metric or "", absent.tags, headline=metric == headline):
        return None
    of_task = replace(condition, task=absent.task, tag=None, metric=metric)
    return _line(of_task, None, "broken", absent.reason, gate)


def _evaluate_condition(condition: Condition, line: MetricComparison, gate: Gate) -> GateLine:
    if condition.rule == "min":
        return _line(condition, line, *judge_floor(condition.threshold, line), gate)
    return _line(condition, line, *judge_gain(condition.rule, condition.threshold, line), gate)


def _throughput(gate: Gate, minimum: float, speed: Speed | None, why_no_speed: str) -> GateLine:
    condition = Condition(rule="throughput", threshold=minimum)
    if speed is None:
        return _line(condition, None, "broken", f"throughput: {why_no_speed}", gate)
    low, high = speed.low, speed.high
    interval = f"throughput ratio {speed.ratio:.2f}"
    if low is None or high is None:
        low = high = speed.ratio
        interval = f"{interval} ({speed.source})"
    else:
        interval = f"{interval} [{low:.2f}, {high:.2f}]"
    if low >= minimum:
        return _line(condition, None, "passes", f"{interval} lies above {minimum:g}", gate)
    if high < minimum:
        return _line(condition, None, "fails", f"{interval} lies below {minimum:g}", gate)
    return _line(condition, None, "undecided", f"{interval} reaches across {minimum:g}", gate)


def _line(
    condition: Condition, line: MetricComparison | None, outcome: Outcome, sentence: str, gate: Gate
) -> GateLine:
    return GateLine(
        rule=condition.rule,
        task=line.task if line else condition.task,
        over=condition.over,
        tag=None if line else condition.tag,
        metric=line.metric if line else condition.metric,
        threshold=condition.threshold,
        outcome=outcome,
        holds=outcome == "passes" or (outcome == "undecided" and gate.undecided == "pass"),
        sentence=sentence,
    )
