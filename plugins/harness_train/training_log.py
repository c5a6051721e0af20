"""Check the log of a training: its loss, and its length compared with the plan."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import LOSSES, max_unit_distance
from harness_train.best_evaluation import written_at_best
from harness_train.label_inversion import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.training import CheckInput, LogEntry

LEARNED = 0.05
"""Minimum reduction of the loss of a blind model, as a share; below it, nothing was learned."""

ZERO = 5e-5
"""Maximum loss that a card with four decimals shows as 0."""

UNMOVED = 0.02
"""Maximum share of the maximum distance by which positives are nearer, where a hinge never closes."""

RAN = 0.98
"""Minimum share of the plan that counts as all of it; rounding and last batches are not an early end."""


def check_log(training: CheckInput) -> Iterator[Finding]:
    """Find a loss that is not finite, at chance or at its hinge, and a run shorter than its plan."""
    broken = [line for line in training.log if line.loss is not None and not math.isfinite(line.loss)]
    if broken:
        yield Finding(
            "loss-not-finite",
            Severity.ERROR,
            f"The training loss is {broken[0].loss} at step {broken[0].step:,}, in {len(broken)} of"
            f" {sum(line.loss is not None for line in training.log)} lines of the log.",
            "Lower the learning rate, look for empty texts and for labels that are not numbers, or train in"
            " float32.",
        )
    else:
        yield from _at_chance(training)
        yield from _hinge(training)
    yield from _schedule(training)


def planned_steps(training: CheckInput) -> int | None:
    """Return the number of planned optimizer steps; None if unknown."""
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
    # A scale near 0 leaves little below the blind loss, whatever is learned.
    if learned >= LEARNED * (1 - least_loss(training) / value):
        return
    # Some versions of transformers log the sum over accumulated batches.
    accumulated = training.loss_batch is not None and training.loss_batch != training.batch_size
    certain = not training.assumed and not accumulated and _is_counted(training)
    how_far = f"{learned:.1%} below" if learned > 0 else "not below"
    yield Finding(
        "loss-at-chance",
        Severity.ERROR if certain else Severity.WARNING,
        f"The last training loss is {loss:.4g} (step {step:,}), {how_far} the {value:.4g} of {why}: the"
        " training learned almost nothing from its rows.",
        "Check whether the texts of a row belong together; then try another learning rate, or cleaner rows.",
    )


def blind_loss(training: CheckInput) -> tuple[float, str] | None:
    """Return the loss of a model that cannot distinguish texts, and a description of it; None if unknown.

    Unknown also where the log is not of this loss as we know it: parameters that change it, several devices.

    In-batch losses: ln of the number of texts to choose from. ContrastiveLoss: all pairs at the distance
    (1 − p)·m of minimum loss, with p the share of label 1. CosineSimilarityLoss: the mean label for every
    pair, so the variance of the labels. MatryoshkaLoss adds one loss per number of dimensions.
    """
    loss, name = training.loss, training.loss_name
    if training.loss_options or training.devices > 1:
        return None
    times = len(loss.matryoshka) or 1 if loss is not None else 1
    rows = training.loss_batch or training.batch_size
    if name in LOSSES and LOSSES[name].in_batch and rows and rows > 1:
        choices = rows * _candidates(training)
        each = f" in each of {times} sizes" if times > 1 else ""
        return times * math.log(choices), f"a blind guess among {choices} texts (ln {choices}{each})"
    labels = _labels(training)
    known = "margin" not in training.assumed
    if name == "ContrastiveLoss" and known and loss is not None and loss.parameters["size_average"] is True:
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


def least_loss(training: CheckInput) -> float:
    """Return the least loss that an in-batch loss has at its scale, with cosines at most 1 apart; else 0."""
    loss, name = training.loss, training.loss_name
    rows = training.loss_batch or training.batch_size
    if loss is None or name not in LOSSES or not LOSSES[name].in_batch or not rows:
        return 0.0
    if loss.parameters["similarity"] == "dot" and not training.normalized:
        return 0.0
    others = rows * _candidates(training) - 1
    return (len(loss.matryoshka) or 1) * math.log1p(others * math.exp(-loss.parameters["scale"]))


def _is_counted(training: CheckInput) -> bool:
    """Whether the share of labels is of all rows, or does not matter for the loss at chance."""
    facts = LOSSES.get(training.loss_name)
    if facts is None or facts.in_batch or _labels(training):
        return True
    return training.counted is None or (training.size is not None and training.counted >= training.size)


def _candidates(training: CheckInput) -> int:
    """Return the number of texts that a row adds to the choice: its positive and its hard negatives."""
    if training.columns:
        labels = ("label", "labels", "score", "scores")
        texts = [column for column in training.columns if column.name not in labels]
        return max(len(texts) - 1, 1)
    return max(len(training.rows.texts) - 1, 1) if training.rows is not None else 1


def _labels(training: CheckInput) -> list[float]:
    """Return the labels of all rows; empty if unknown, or not all numbers."""
    rows = training.rows
    if rows is None or not rows.complete or rows.labels is None:
        return []
    labels = [float(label) for label in rows.labels if is_number(label)]
    return labels if len(labels) == len(rows.labels) else []


def _mean_label(training: CheckInput, labels: Sequence[float]) -> float | None:
    if labels:
        return sum(labels) / len(labels)
    return next((column.mean for column in training.columns if column.name in ("label", "score")), None)


def _last_loss(training: CheckInput) -> tuple[int, float] | None:
    """Return step and value of the last training loss; None if it is from the first half of the run."""
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
        step = next(line.step for line in training.log if line.loss is not None)
        yield Finding(
            "hinge-never-opens",
            Severity.WARNING,
            f"The training loss is 0 in {lines} of the log, from step {step:,} on: either every row was"
            " beyond the margin at the start, so that nothing was learned, or the loss was NaN, which"
            " transformers logs as 0.",
            "Use harder negatives, or a larger margin; if the embeddings are NaN, train in float32.",
        )
    if LOSSES[loss.name].kind == "triplets" and not (training.loss_options or training.assumed):
        yield from _never_closes(training, losses, lines)


def _never_closes(training: CheckInput, losses: Sequence[float], lines: str) -> Iterator[Finding]:
    """Find triplets whose positives are as far away as their negatives, in every line of the log.

    The loss of a triplet is d(a, p) − d(a, n) + margin where that is above 0, so that a mean loss of the
    margin or more means no order. Losses of the hardest triplets of a batch say nothing of the others.
    """
    if training.loss is None:
        return
    parameters, times = training.loss.parameters, len(training.loss.matryoshka) or 1
    margin = parameters["margin"]
    far = max_unit_distance(parameters["distance"], training.dimensions) or margin
    nearer = margin - min(losses) / times
    if nearer > min(LEARNED * min(margin, far), UNMOVED * far):
        return
    how = f"only {nearer:.2g} nearer than" if nearer > 0 else "not nearer than"
    yield Finding(
        "hinge-never-closes",
        Severity.ERROR if nearer <= 0 else Severity.WARNING,
        f"The training loss is {min(losses):.4g} to {max(losses):.4g} in {lines} of the log, its margin is"
        f" {times * margin:g}: on average, positives are {how} negatives.",
        "Check whether positives and negatives are correct, and whether the weights change at all; lower the"
        " learning rate if all texts have collapsed to one point.",
    )


def _schedule(training: CheckInput) -> Iterator[Finding]:
    """Find a run that ended, or will end, well before the learning rate has fallen as planned."""
    steps = planned_steps(training)
    plans = {name: plan for name, plan in (("epoch", training.epochs), ("step", steps)) if plan}
    log = [line for line in training.log if line.step > 0]
    if training.lineage is not None:
        ran, whole = float(training.lineage.steps), float(steps or 0)
        ended = f"ended at step {training.lineage.steps:,}"
    elif training.stops_after is not None:
        ran, whole = training.stops_after, training.epochs or 0
        ended = f"will end after epoch {training.stops_after:g}"
    elif log and plans and not written_at_best(training) and _all_ended(log, plans):
        measure = "epoch" if "epoch" in plans else "step"
        ran, whole = float(max(getattr(line, measure) for line in log)), float(plans[measure])
        ended = _describe_end(log)
    else:
        return
    if not whole or ran >= RAN * whole:
        return
    plan = " = ".join(f"{value:,g} {name}s" for name, value in plans.items())
    constant = (training.schedule or "").startswith("constant")
    left = f", with {1 - ran / whole:.0%} of the rate left" if training.schedule == "linear" else ""
    early = training.keeps_best or constant
    remark = ""
    if training.keeps_best:
        remark = " Early stopping does that, and the best weights were kept."
    elif training.what == "card":
        remark = " A card in the folder of a checkpoint says the same of a run that went on."
    yield Finding(
        "schedule-longer-than-run",
        Severity.NOTE if early else Severity.WARNING,
        f"The {'training' if constant else 'learning rate'} was planned over {plan}, but the run {ended}"
        f"{left}.{remark}",
        "Plan the epochs that are run, so that the learning rate reaches its end with them.",
    )


def _all_ended(log: Sequence[LogEntry], plans: Mapping[str, float]) -> bool:
    """Whether the log ends before the plan in every measure.

    Several processes make fewer steps than planned, and `max_steps` other epochs: both must be short.
    """
    return all(_ended_before(log, name, plan) for name, plan in plans.items())


def _ended_before(log: Sequence[LogEntry], measure: str, plan: float) -> bool:
    """Whether a line that was due before the end of the plan is missing.

    A log has a line only at intervals, so that a run may go on after its last line. The next line with a
    loss, or with metrics, is due after the largest interval between such lines. Where there are both, one
    of them alone may have ended: somebody evaluated by hand.
    """
    ended = []
    for lines in ([line for line in log if line.loss is not None], [line for line in log if line.metrics]):
        positions = sorted({0.0, *(float(getattr(line, measure)) for line in lines)})
        gap = max((later - earlier for earlier, later in itertools.pairwise(positions)), default=math.inf)
        ended += [positions[-1] + gap < RAN * plan] if lines else []
    return any(ended) and max(float(getattr(line, measure)) for line in log) < RAN * plan


def _describe_end(log: Sequence[LogEntry]) -> str:
    furthest = max(log, key=lambda line: line.step)
    again = f", and starts again (step {log[-1].step:,})" if log[-1].step < furthest.step else ""
    return f"logs nothing after epoch {furthest.epoch:g} (step {furthest.step:,}){again}"
