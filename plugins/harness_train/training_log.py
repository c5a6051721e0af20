"""What the log of a training says: was anything learned, and did it run as planned?"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import LOSSES, max_unit_distance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput, LogEntry

LEARNED = 0.05
"""Share of a blind model's loss that must be gone: below it, a training has not learned its task."""

ZERO = 5e-5
"""What a card, which writes four decimals, shows as 0."""

RAN = 0.98
"""Share of the plan that counts as all of it: an epoch's last batch, or rounding, is no early end."""


def check_log(training: CheckInput) -> Iterator[Finding]:
    """Find a loss that is no number, at chance, or at its hinge, and a run shorter than its plan."""
    broken = [line for line in training.log if line.loss is not None and not math.isfinite(line.loss)]
    if broken:
        yield Finding(
            "loss-not-finite",
            Severity.ERROR,
            f"The training loss is {broken[0].loss} at step {broken[0].step:,}, in {len(broken)} of"
            f" {sum(line.loss is not None for line in training.log)} lines of the log.",
            "Lower the learning rate, look for empty texts and labels that are no numbers, train in float32.",
        )
    else:
        yield from _at_chance(training)
        yield from _hinge(training)
    yield from _schedule(training)


def planned_steps(training: CheckInput) -> int | None:
    """Optimiser steps that were planned; None where the training does not say."""
    if training.steps:
        return training.steps
    if not (training.size and training.batch_size and training.epochs):
        return None
    return math.ceil(math.ceil(training.size / training.batch_size) * training.epochs)


def _at_chance(training: CheckInput) -> Iterator[Finding]:
    blind, last = blind_loss(training), _last_loss(training)
    if blind is None or last is None or blind[0] <= 0:
        return
    (value, why), (step, loss) = blind, last
    learned = 1 - loss / value
    if learned >= LEARNED:
        return
    how_far = f"{learned:.1%} below" if learned > 0 else "not below"
    yield Finding(
        "loss-at-chance",
        Severity.ERROR,
        f"The last training loss is {loss:.4g} (step {step:,}), {how_far} the {value:.4g} of {why}: the"
        " training learned almost nothing of its rows.",
        "Look whether the texts of a row belong together; then try another learning rate, or cleaner rows.",
    )


def blind_loss(training: CheckInput) -> tuple[float, str] | None:
    """Loss of a model that cannot tell one text from another, and what it does; None where unknown.

    In-batch losses: ln of the texts to choose from. ContrastiveLoss: all pairs at the distance (1 − p)·m
    that costs least, p the share of label 1. CosineSimilarityLoss: the mean label for every pair, so the
    labels' variance. MatryoshkaLoss adds one loss per number of dimensions.
    """
    loss, name = training.loss, training.loss_name
    times = len(loss.matryoshka) or 1 if loss is not None else 1
    if name in LOSSES and LOSSES[name].in_batch and training.batch_size and training.batch_size > 1:
        choices = training.batch_size * _candidates(training)
        each = f" in each of {times} sizes" if times > 1 else ""
        return times * math.log(choices), f"a blind guess among {choices} texts (ln {choices}{each})"
    labels = _labels(training)
    if name == "ContrastiveLoss" and loss is not None and loss.parameters["size_average"] is True:
        share = _mean_label(training, labels)
        if share is None:
            return None
        margin = loss.parameters["margin"]
        value = 0.5 * share * (1 - share) * margin**2
        return times * value, f"equal distances for all pairs ({share:.0%} of label 1, margin {margin:g})"
    if name == "CosineSimilarityLoss" and labels:
        mean = sum(labels) / len(labels)
        value = sum((label - mean) ** 2 for label in labels) / len(labels)
        return times * value, f"one answer for all pairs (the variance of the {len(labels):,} labels)"
    return None


def _candidates(training: CheckInput) -> int:
    """Texts that a row adds to the choice: its positive, and its hard negatives."""
    if training.columns:
        texts = [one for one in training.columns if one.name not in ("label", "labels", "score", "scores")]
        return max(len(texts) - 1, 1)
    return max(len(training.rows.texts) - 1, 1) if training.rows is not None else 1


def _labels(training: CheckInput) -> list[float]:
    """Labels of all rows; empty where they are not known, or not all numbers."""
    rows = training.rows
    if rows is None or not rows.complete or rows.labels is None:
        return []
    labels = [float(one) for one in rows.labels if isinstance(one, int | float) and math.isfinite(one)]
    return labels if len(labels) == len(rows.labels) else []


def _mean_label(training: CheckInput, labels: Sequence[float]) -> float | None:
    if labels:
        return sum(labels) / len(labels)
    return next((one.mean for one in training.columns if one.name in ("label", "score")), None)


def _last_loss(training: CheckInput) -> tuple[int, float] | None:
    """Step and value of the last training loss, unless it tells of the beginning of the run only."""
    lines = [(line.step, line.loss) for line in training.log if line.loss is not None]
    planned = planned_steps(training)
    if not lines or (planned is not None and lines[-1][0] < planned / 2):
        return None
    return lines[-1]


def _hinge(training: CheckInput) -> Iterator[Finding]:
    loss, last = training.loss, _last_loss(training)
    if loss is None or last is None or loss.name not in LOSSES or not LOSSES[loss.name].hinge:
        return
    losses = [line.loss for line in training.log if line.loss is not None]
    lines = f"all {len(losses)} lines" if len(losses) > 1 else "the one line"
    if max(losses) < ZERO:
        yield Finding(
            "hinge-never-opens",
            Severity.WARNING,
            f"The training loss is 0 in {lines} of the log, from step {training.log[0].step:,} on: every row"
            f" was beyond the margin of {loss.parameters['margin']:g} before, and nothing was changed.",
            "Take harder negatives, or a larger margin.",
        )
    margin, times = loss.parameters["margin"], len(loss.matryoshka) or 1
    far = max_unit_distance(loss.parameters["distance"], training.dimensions) or margin
    if LOSSES[loss.name].kind != "labeled-pairs" and min(losses) / times >= margin - LEARNED * min(
        margin, far
    ):
        yield Finding(
            "hinge-never-closes",
            Severity.ERROR,
            f"The training loss is {min(losses):.4g} to {max(losses):.4g} in {lines} of the log, its margin"
            f" is {times * margin:g}: in the end, positives are no nearer than negatives.",
            "Look whether positives and negatives are what they should be; lower the learning rate if all"
            " texts have become one.",
        )


def _schedule(training: CheckInput) -> Iterator[Finding]:
    """Find a run that ended, or is to end, well before the learning rate was planned to be down."""
    steps = planned_steps(training)
    plans = {name: plan for name, plan in (("epoch", training.epochs), ("step", steps)) if plan}
    if training.lineage is not None:
        ran, whole = float(training.lineage.steps), float(steps or 0)
        ended = f"ended at step {training.lineage.steps:,}"
    elif training.stops_after is not None:
        ran, whole = training.stops_after, training.epochs or 0
        ended = f"is to end after epoch {training.stops_after:g}"
    elif plans and all(_ended_before(training.log, name, plan) for name, plan in plans.items()):
        # Several processes make fewer steps than planned, `max_steps` other epochs: both must say it.
        measure = "epoch" if "epoch" in plans else "step"
        ran, whole = float(max(getattr(line, measure) for line in training.log)), float(plans[measure])
        ended = _ending(training.log)
    else:
        return
    if not whole or ran >= RAN * whole:
        return
    plan = " = ".join(f"{value:,g} {name}s" for name, value in plans.items())
    left = f", with {1 - ran / whole:.0%} of the rate left" if training.schedule == "linear" else ""
    yield Finding(
        "schedule-longer-than-run",
        Severity.WARNING,
        f"The learning rate was planned over {plan}, but the run {ended}{left}.",
        "Plan the epochs that are run, so that the learning rate comes down at their end.",
    )


def _ended_before(log: Sequence[LogEntry], measure: str, plan: float) -> bool:
    """Whether a line that should have come before the plan's end has not.

    A log has a line every so often, so that its end need not be the run's: the next line of a kind, losses or
    metrics, is looked for after the widest gap between those that are there.
    """
    for kind in ([one for one in log if one.loss is not None], [one for one in log if one.metrics]):
        places = sorted({0.0, *(float(getattr(line, measure)) for line in kind)})
        gap = max((later - earlier for earlier, later in itertools.pairwise(places)), default=math.inf)
        if places[-1] + gap < RAN * plan:
            return True
    return False


def _ending(log: Sequence[LogEntry]) -> str:
    furthest = max(log, key=lambda line: line.step)
    again = f", and begins again (step {log[-1].step:,})" if log[-1].step < furthest.step else ""
    return f"logs nothing after epoch {furthest.epoch:g} (step {furthest.step:,}){again}"
