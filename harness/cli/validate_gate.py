"""What a gate means: each condition as a sentence, as `harness compare` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import nearest
from harness.render import percent
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.cli.meaning import Meaning
    from harness.cli.workspace import Workspace
    from harness.comparison.gate import Condition, Gate
    from harness.tasks.interface import Task

_INTERVAL = f"the whole {percent(1 - LEVEL)} interval"


def explain_gate(meaning: Meaning, workspace: Workspace) -> None:
    """Add a sentence for each condition of a gate, and notes on names that no task here has."""
    from harness.comparison.gate import read_gate

    gate = read_gate(meaning.file)
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
    meaning.notes += dict.fromkeys(
        note for condition in gate.conditions for note in _unknown_names(condition, tasks)
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
    for what, name, known in (("task", condition.task, [*tasks]), ("tag", condition.tag, [*tags])):
        if name and name not in known:
            alike = nearest(name, known, most=2)
            meant = f"; did you mean {' or '.join(alike)}?" if alike else ""
            yield f"no {what} {name!r} is known here: the results must have it{meant}"
    if condition.metric and condition.task is not None and condition.task in tasks:
        metrics = [metric.name for metric in tasks[condition.task].metrics]
        if metrics and condition.metric not in metrics:
            yield f"{condition.task} has no metric {condition.metric!r}; it has {', '.join(metrics)}"
