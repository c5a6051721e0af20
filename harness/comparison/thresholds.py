"""Gains held against a threshold of the gate: of one line, or of several tasks together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import plural
from harness.stats.curve import LEVEL
from harness.stats.several_tasks import mean_curve, smallest_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.result import MetricComparison
    from harness.comparison.words import Outcome, Over, Rule
    from harness.stats.gain import Gain

    Member = tuple[MetricComparison, Gain | None]
    """A line of a family of tasks, and its gain."""


def judge(low: float, high: float, threshold: float, *, identical: bool) -> tuple[Outcome, str]:
    """Return the outcome of an interval against a threshold, and how it lies to that, in words.

    identical: whether the predictions are the very same. Without that, an interval of no width is not
    evidence: it is undecided.
    """
    if identical and low == threshold:
        return "passes", "of the very same answers is not below"
    if low > threshold:
        outcome: Outcome = "passes"
        relation = "lies above"
    elif high < threshold:
        outcome, relation = "fails", "lies below"
    else:
        return "undecided", "reaches across"
    return (
        ("undecided", "is not known well enough for")
        if low == high and not identical
        else (outcome, relation)
    )


def judge_gain(rule: Rule, threshold: float, line: MetricComparison) -> tuple[Outcome, str]:
    """Return the outcome of a margin or a required gain on one line, and the figures that decide it."""
    if missing := _without_interval(line):
        return missing
    bound = _signed(rule, threshold)
    low, high = _ends(line)
    outcome, relation = judge(low, high, bound, identical=line.test == "identical")
    return outcome, f"gain {line.gain:+.4f} [{low:+.4f}, {high:+.4f}] {relation} {_signed_text(bound)}"


def judge_floor(floor: float, line: MetricComparison) -> tuple[Outcome, str]:
    """Return the outcome of a floor under the candidate's score, and the figures."""
    if line.candidate is None:
        return "broken", f"the candidate has no score: {line.reason}"
    outcome: Outcome = "passes" if line.candidate >= floor else "fails"
    relation = "at least" if outcome == "passes" else "below"
    return outcome, f"score {line.candidate:.4f} is {relation} {floor:g}"


def judge_tasks(
    rule: Rule, threshold: float, over: Over, members: Sequence[Member], level: float = LEVEL
) -> tuple[Outcome, str]:
    """Return the outcome of a condition over several tasks, one or more, and the figures that decide it.

    One line without an interval is enough for there to be none of all. level: of the interval.
    """
    if rule == "min":
        return _floor_of_tasks(threshold, over, [line for line, _ in members])
    missing = [(line, found) for line, _ in members if (found := _without_interval(line))]
    for outcome in ("broken", "undecided"):
        for line, found in missing:
            if found[0] == outcome:
                return outcome, f"{line.task}: {found[1]}"
    gains = [gain for _, gain in members if gain is not None]
    mean_of = over == "mean"
    low, high = mean_curve(gains).interval(level) if mean_of else smallest_interval(gains, level)
    bound = _signed(rule, threshold)
    identical = all(line.test == "identical" for line, _ in members)
    outcome, relation = judge(low, high, bound, identical=identical)
    worst = min((line for line, _ in members), key=lambda line: line.gain or 0.0)
    mean = sum(gain.value / len(gains) for gain in gains)
    figure = f"mean gain {mean:+.4f}" if mean_of else f"smallest gain {worst.gain:+.4f} ({worst.task})"
    tasks = plural(len(members), "task")
    return outcome, f"{figure} [{low:+.4f}, {high:+.4f}] over {tasks} {relation} {_signed_text(bound)}"


def _floor_of_tasks(floor: float, over: Over, lines: Sequence[MetricComparison]) -> tuple[Outcome, str]:
    scores = []
    for line in lines:
        if line.candidate is None:
            return judge_floor(floor, line)
        scores.append((line.candidate, line.task))
    lowest, task = min(scores)
    score = sum(score for score, _ in scores) / len(scores) if over == "mean" else lowest
    outcome: Outcome = "passes" if score >= floor else "fails"
    figure = f"mean score {score:.4f}" if over == "mean" else f"lowest score {score:.4f} ({task})"
    relation = "at least" if outcome == "passes" else "below"
    return outcome, f"{figure} over {plural(len(lines), 'task')} is {relation} {floor:g}"


def _without_interval(line: MetricComparison) -> tuple[Outcome, str] | None:
    """Return the outcome of a line whose gain has no interval; None where it has one."""
    if line.gain is not None and line.low is not None and line.high is not None:
        return None
    # Scores without an interval: too few examples to tell, but nothing is missing.
    known = line.test == "none" and line.gain is not None
    return "undecided" if known else "broken", f"no interval of the gain: {line.reason}"


def _ends(line: MetricComparison) -> tuple[float, float]:
    return line.low or 0.0, line.high or 0.0


def _signed(rule: Rule, threshold: float) -> float:
    return 0.0 - threshold if rule == "margin" else threshold


def _signed_text(bound: float) -> str:
    return f"{bound:+g}" if bound else "0"


def tasks_in_words(task: str | None, tag: str | None, over: Over | None) -> str:
    """Return the tasks that a condition of the gate applies to, in words."""
    if over is None:
        return task or (f"tasks tagged {tag}" if tag else "every task")
    return f"{over} of {tag or 'all'} tasks"
