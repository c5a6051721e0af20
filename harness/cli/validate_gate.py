"""What a gate means: each condition as a sentence, as `harness compare` reads it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.render import percent
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.cli.meaning import Meaning
    from harness.cli.workspace import Workspace
    from harness.comparison.gate import Condition, Gate
    from harness.tasks.interface import Task

_MUCH_FASTER = 10.0
"""Ratio of speeds from which on a percentage may have been meant."""
_INTERVAL = f"the whole {percent(1 - LEVEL)} interval"


def explain_gate(meaning: Meaning, workspace: Workspace) -> None:
    """Add a sentence for each condition of a gate, and what its names and thresholds mean for the tasks here.

    A metric that its task does not have, and a threshold that no score could miss or meet, are faults. A task
    or a tag that is not known here is a note: results may have it nevertheless.
    """
    from harness.comparison.gate import read_gate

    gate = read_gate(meaning.file, meaning.faults)
    for condition in gate.conditions:
        meaning.part(condition.subject, *_sentences(condition, gate))
    if gate.throughput is not None:
        least = f"{gate.throughput:g}"
        meaning.part(
            "throughput",
            f"the candidate has to encode at least {least} times as many texts a second as the baseline",
            f"passes where the interval of the ratio lies above {least}, fails where it lies below",
        )
    meaning.part(
        "all together",
        "every condition has to hold; they are not corrected for their number",
        "what is undecided fails the gate, with exit code 4"
        if gate.undecided == "fail"
        else "what is undecided passes: only a loss that is shown fails the gate",
    )
    tasks = meaning.known_tasks(workspace)
    for condition in gate.conditions:
        _check_metric(condition, tasks, meaning)
    meaning.notes += dict.fromkeys(
        note for condition in gate.conditions for note in _unknown_names(condition, tasks)
    )
    _check_ranges(gate, tasks, meaning)
    if gate.throughput is not None and gate.throughput > _MUCH_FASTER:
        meaning.notes.append(
            f"throughput = {gate.throughput:g} asks for {gate.throughput:g} times the baseline's speed;"
            f" {gate.throughput:g} % of it is throughput = {gate.throughput / 100:g}"
        )


def _sentences(condition: Condition, gate: Gate) -> Iterator[str]:
    value = f"{condition.threshold:g}"
    what = {None: "gain", "mean": "mean gain", "worst": "smallest gain"}[condition.over]
    if condition.rule == "min":
        score = {None: "score", "mean": "mean score", "worst": "lowest score"}[condition.over]
        yield f"the candidate's {score} has to be {value} or more, whatever the baseline's is"
    elif condition.rule == "margin":
        bound = f"-{value}" if condition.threshold else "0"
        yield (
            f"the candidate may lose up to {value}"
            if condition.threshold
            else "the candidate may lose nothing"
        )
        yield f"passes where {_INTERVAL} of the {what} lies above {bound}, fails where it lies below"
    else:
        yield f"the candidate has to gain more than {value}"
        yield f"passes where {_INTERVAL} of the {what} lies above {value}, fails where it lies below"
    narrower = [
        other.subject
        for other in gate.conditions
        if condition.over is None
        and other.over is None
        and other.rule == condition.rule
        and other.breadth < condition.breadth
    ]
    if narrower:
        yield f"not where a narrower line says so itself: {', '.join(narrower)}"


def _unknown_names(condition: Condition, tasks: Mapping[str, Task]) -> Iterator[str]:
    """Yield a note on each name of a condition that no task here has: results may have it nevertheless."""
    from harness.tasks.selection import tags_of

    tags = tags_of(tasks)
    names = [("task", condition.task, [*tasks]), ("tag", condition.tag, [*tags])]
    if condition.task is None:
        own = [task for task in tasks.values() if condition.tag is None or condition.tag in task.tags]
        names += [("metric", condition.metric, [metric.name for task in own for metric in task.metrics])]
    for what, name, known in names:
        if name and name not in known:
            alike = difflib.get_close_matches(name, dict.fromkeys(known), n=2)
            meant = f"; did you mean {' or '.join(alike)}?" if alike else ""
            yield f"no {what} {name!r} is known here: the results must have it{meant}"


def _check_metric(condition: Condition, tasks: Mapping[str, Task], meaning: Meaning) -> None:
    """Add a fault for a metric that the task of a condition does not have; a tool's own are not known."""
    task = tasks.get(condition.task or "")
    metrics = [metric.name for metric in task.metrics] if task else []
    if task and metrics and condition.metric and condition.metric not in metrics:
        meaning.faults.add(HarnessError.unknown(f"metric of {task.name}", condition.metric, metrics))


def _check_ranges(gate: Gate, tasks: Mapping[str, Task], meaning: Meaning) -> None:
    """Add a fault for each threshold that no score could miss or meet, as `harness compare` refuses it.

    Where it says something of other tasks, it is a note: `compare` refuses it where this one is compared.
    """
    from harness.comparison.metric_range import MetricRange, meaningless
    from harness.stats.unseen_share import bounds_of

    ranges = [
        MetricRange(task.name, metric.name, task.tags, headline=not position, bounds=bounds_of(metric))
        for task in tasks.values()
        for position, metric in enumerate(task.metrics)
    ]
    for condition in gate.conditions:
        faults, others = meaningless(gate, condition, ranges)
        if faults and not others:
            meaning.faults.add(faults[0])
        elif faults:
            count = f" (and of {len(faults) - 1} more)" if len(faults) > 1 else ""
            meaning.notes.append(f"{faults[0].message}{count}; `harness compare` refuses it there")
