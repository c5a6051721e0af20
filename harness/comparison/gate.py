"""The gate: conditions that a candidate must meet, all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.comparison.result import GateLine
from harness.errors import HarnessError
from harness.system.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.comparison.result import MetricComparison, Outcome, Rule, Speed

_TOP = ("margin", "inconclusive", "throughput", "line")
_LINE = ("task", "tag", "metric", "margin", "gain", "min")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One rule for the lines that it is about."""

    rule: Rule
    threshold: float
    task: str | None = None
    tag: str | None = None
    """Every task with this tag; with neither task nor tag, every task."""
    metric: str | None = None
    """None for each task's headline."""

    def applies_to(self, line: MetricComparison) -> bool:
        """Whether the rule is about a line."""
        wanted = line.headline if self.metric is None else line.metric == self.metric
        return wanted and self.task in (None, line.task) and (self.tag is None or self.tag in line.tags)

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        where = self.task or (f"tasks tagged {self.tag}" if self.tag else "every task")
        return f"{where} by {self.metric}" if self.metric else where


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What must hold for a candidate to pass. Lines are not corrected for their number: all must hold."""

    conditions: tuple[Condition, ...]
    inconclusive: Literal["fail", "pass"] = "fail"
    throughput: float | None = None
    """The least ratio of candidate to baseline, in texts/s."""

    @property
    def metrics(self) -> frozenset[str]:
        """Metrics that are asked for by name."""
        return frozenset(one.metric for one in self.conditions if one.metric)

    def margin(self, line: MetricComparison) -> float | None:
        """The loss that is accepted on a line: a task's own, else its tag's, else everybody's."""
        found = [one for one in self.conditions if one.rule == "margin" and one.applies_to(line)]
        return min(found, key=_breadth).threshold if found else None


def margin_gate(margin: float) -> Gate:
    """Make the gate of `--margin`: no headline may be lower by more than that."""
    return Gate(conditions=(Condition(rule="margin", threshold=_checked_margin(margin, "--margin")),))


def read_gate(path: Path) -> Gate:
    """Read a gate file.

    Raises HarnessError for a file that cannot be read, an unknown key, a value that makes no sense, and a
    gate without a condition.
    """
    if not path.is_file():
        raise HarnessError(f"no gate file {path}", hint="docs/compare.md shows one")
    table = read_toml(path)
    _check_keys(table, _TOP, str(path))
    conditions = [one for entry in _entries(table, path) for one in _conditions(entry, path)]
    if "margin" in table:
        margin = _checked_margin(table["margin"], f"{path}: margin")
        conditions.append(Condition(rule="margin", threshold=margin))
    throughput = table.get("throughput")
    if throughput is not None:
        throughput = _number(throughput, f"{path}: throughput")
        if throughput <= 0:
            raise HarnessError(f"{path}: throughput must be above 0, not {throughput}")
    policy = table.get("inconclusive", "fail")
    if policy not in ("fail", "pass"):
        raise HarnessError(f"{path}: inconclusive must be 'fail' or 'pass', not {policy!r}")
    if not conditions and throughput is None:
        raise HarnessError(
            f"{path} has no condition", hint="margin = 0.01 accepts a loss of 0.01 on every task"
        )
    return Gate(conditions=tuple(conditions), inconclusive=policy, throughput=throughput)


def evaluate_gate(
    gate: Gate, lines: Sequence[MetricComparison], speed: Speed | None, why_no_speed: str
) -> list[GateLine]:
    """Hold every condition against every line that it is about; one that finds none is broken."""
    held = []
    for condition in gate.conditions:
        # A narrower rule takes the place of a broader one of its kind.
        found = [
            line for line in lines if condition.applies_to(line) and not _overruled(gate, condition, line)
        ]
        held += [_held(condition, line, gate) for line in found]
        if not any(condition.applies_to(line) for line in lines):
            sentence = f"{condition.subject}: there is no such line to hold the gate against"
            held.append(_line(condition, None, "broken", sentence, gate))
    if gate.throughput is not None:
        held.append(_fast_enough(gate, gate.throughput, speed, why_no_speed))
    return sorted(held, key=lambda one: (one.task is None, one.task or "", one.metric or "", one.rule))


def _overruled(gate: Gate, condition: Condition, line: MetricComparison) -> bool:
    return any(
        other.rule == condition.rule and other.applies_to(line) and _breadth(other) < _breadth(condition)
        for other in gate.conditions
    )


def _breadth(condition: Condition) -> int:
    return 0 if condition.task else 1 if condition.tag else 2


def _held(condition: Condition, line: MetricComparison, gate: Gate) -> GateLine:
    if condition.rule == "min":
        return _line(condition, line, *_above_floor(condition.threshold, line), gate)
    if line.gain is None or line.low is None or line.high is None:
        # A line with scores and without an interval has too few examples: no answer, but nothing is missing.
        outcome: Outcome = "inconclusive" if line.test == "none" and line.gain is not None else "broken"
        return _line(condition, line, outcome, f"no interval of the gain: {line.reason}", gate)
    threshold = -condition.threshold if condition.rule == "margin" else condition.threshold
    interval = f"gain {line.gain:+.4f} [{line.low:+.4f}, {line.high:+.4f}]"
    if line.low > threshold or (line.test == "identical" and threshold <= 0):
        outcome, told = "passes", "lies above"
    elif line.high < threshold:
        outcome, told = "worse", "lies below"
    else:
        outcome, told = "inconclusive", "reaches across"
    return _line(condition, line, outcome, f"{interval} {told} {threshold:+g}", gate)


def _above_floor(floor: float, line: MetricComparison) -> tuple[Outcome, str]:
    if line.candidate is None:
        return "broken", f"the candidate has no score: {line.reason}"
    reached = line.candidate >= floor
    return (
        "passes" if reached else "worse",
        f"score {line.candidate:.4f} is {'at least' if reached else 'below'} {floor:g}",
    )


def _fast_enough(gate: Gate, least: float, speed: Speed | None, why_no_speed: str) -> GateLine:
    condition = Condition(rule="throughput", threshold=least)
    if speed is None:
        return _line(condition, None, "broken", f"throughput: {why_no_speed}", gate)
    told = f"throughput ratio {speed.ratio:.2f} [{speed.low:.2f}, {speed.high:.2f}]"
    if speed.low >= least:
        return _line(condition, None, "passes", f"{told} lies above {least:g}", gate)
    if speed.high < least:
        return _line(condition, None, "worse", f"{told} lies below {least:g}", gate)
    return _line(condition, None, "inconclusive", f"{told} reaches across {least:g}", gate)


def _line(
    condition: Condition, line: MetricComparison | None, outcome: Outcome, sentence: str, gate: Gate
) -> GateLine:
    return GateLine(
        rule=condition.rule,
        task=line.task if line else condition.task,
        metric=line.metric if line else condition.metric,
        threshold=condition.threshold,
        outcome=outcome,
        holds=outcome == "passes" or (outcome == "inconclusive" and gate.inconclusive == "pass"),
        sentence=sentence,
    )


def _entries(table: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    entries = table.get("line", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise HarnessError(
            f"{path}: line is not a list of tables", hint='[[line]]\ntask = "stsb"\nmargin = 0.01'
        )
    return entries


def _conditions(entry: dict[str, Any], path: Path) -> Iterable[Condition]:
    """Read one [[line]]: a subject, and a rule or more."""
    _check_keys(entry, _LINE, f"a line of {path}")
    for key in ("task", "tag", "metric"):
        if not isinstance(entry.get(key, ""), str):
            raise HarnessError(f"{path}: {key} is not a text: {entry[key]!r}")
    task, tag, metric = (entry.get(key) for key in ("task", "tag", "metric"))
    if task and tag:
        raise HarnessError(f"{path}: a line names a task and a tag", hint="write two lines")
    rules: tuple[Rule, ...] = ("margin", "gain", "min")
    given: list[Rule] = [rule for rule in rules if rule in entry]
    if not given:
        raise HarnessError(f"{path}: a line has no condition", exists="conditions: margin, gain, min")
    for rule in given:
        where = f"{path}: {rule}"
        number = _checked_margin(entry[rule], where) if rule == "margin" else _number(entry[rule], where)
        yield Condition(rule=rule, threshold=number, task=task, tag=tag, metric=metric)


def _check_keys(table: dict[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise HarnessError.unknown(f"key in {where}", key, known)


def _checked_margin(value: Any, where: str) -> float:  # noqa: ANN401 - TOML
    number = _number(value, where)
    if number < 0:
        raise HarnessError(f"{where} is a loss that is accepted, 0 or more, not {number}")
    return number


def _number(value: Any, where: str) -> float:  # noqa: ANN401 - TOML
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise HarnessError(f"{where} is not a number: {value!r}")
    return float(value)
