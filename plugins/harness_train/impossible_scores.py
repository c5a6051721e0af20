"""Find scores of one evaluation that cannot all be true, by the definitions of the metrics."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.score_names import NEAR_CHANCE, read_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput
    from harness_train.score_names import Scores

OPPOSITE = 0.1
"""Minimum size of two correlations of opposite sign; smaller ones may differ in sign by chance."""
AT_CHANCE = 0.02
"""Maximum excess of an average precision over the share of positives that counts as chance."""
_LEAST_ACCURACY = 0.55
"""Minimum accuracy that looks like success although the ranking is at chance."""
_MOST_SHOWN = 3
"""Maximum number of contradictions in a message."""
_MAXIMA = ("accuracy", "f1", "precision", "recall", "ap", "mcc", "pearson", "spearman")


def check_impossible_scores(training: CheckInput) -> Iterator[Finding]:
    """Find scores that contradict each other, and an accuracy that hides a ranking at chance."""
    groups = read_scores(training)
    impossible = [sentence for group in groups for sentence in _impossible(group)]
    impossible += _above_maximum(groups)
    if impossible:
        yield Finding(
            "scores-contradict",
            Severity.ERROR,
            f"Scores of one evaluation cannot all be true: {_shown(impossible)}.",
            "Measure them again, with one evaluator and one model: harness run --model MODEL.",
        )
    opposite = [sentence for group in groups for sentence in _opposite(group)]
    if opposite:
        yield Finding(
            "correlations-of-opposite-sign",
            Severity.WARNING,
            f"Two correlations of the same pairs have opposite signs: {_shown(opposite)}. A few outliers,"
            " or scores of another scale among the labels, decide one of them.",
            "Look at the pairs with the highest and the lowest labels, and measure again.",
        )
    hidden = [sentence for group in groups for sentence in _hidden(group)]
    if hidden:
        yield Finding(
            "ranking-at-chance",
            Severity.WARNING,
            f"The accuracy hides that the model ranks by chance: {_shown(hidden)}. The accuracy is that of"
            " one answer for all pairs.",
            "Report average precision, and check labels and columns of training and test.",
        )


def _shown(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - _MOST_SHOWN} more" if len(sentences) > _MOST_SHOWN else ""
    return "; ".join(sentences[:_MOST_SHOWN]) + more


def _impossible(group: Scores) -> Iterator[str]:
    yield from _falling(group)
    yield from _beyond_accuracy(group)
    yield from _beyond_ranks(group)
    yield from _f1(group)
    yield from _average_precision(group)


def _sentence(group: Scores, larger: tuple[str, float], smaller: tuple[str, float], why: str) -> str:
    return f"{larger[0]} {larger[1]:.4f}, but {smaller[0]} {smaller[1]:.4f} {group.place} ({why})"


def _falling(group: Scores) -> Iterator[str]:
    """Recall, accuracy and MRR over more results are never lower; nor are hits, k times the precision."""
    for metric in ("accuracy", "recall", "mrr"):
        for (k, low), (more, high) in itertools.pairwise(group.ranked.get(metric, {}).items()):
            if high < low - 2 * group.rounding:
                yield _sentence(
                    group,
                    (group.name(metric, k), low),
                    (group.name(metric, more), high),
                    "more results find no less",
                )
    for (k, low), (more, high) in itertools.pairwise(group.ranked.get("precision", {}).items()):
        if more * high < k * low - (k + more) * group.rounding:
            yield _sentence(
                group, (group.name("precision", k), low), (group.name("precision", more), high),
                f"{k * low:.2f} relevant results in the first {k} are not {more * high:.2f} in the first"
                f" {more}",
            )  # fmt: skip


def _beyond_accuracy(group: Scores) -> Iterator[str]:
    """Every score at k is at most accuracy@k, the share of queries with a hit among the first k."""
    for k, accuracy in group.ranked.get("accuracy", {}).items():
        for metric in ("recall", "precision", "mrr", "ndcg", "map"):
            value = group.ranked.get(metric, {}).get(k)
            if value is not None and value > accuracy + 2 * group.rounding:
                yield _sentence(
                    group, (group.name(metric, k), value), (group.name("accuracy", k), accuracy),
                    f"queries without a hit in the first {k} have none of it",
                )  # fmt: skip
    for metric in ("accuracy", "recall"):
        for k, value in group.ranked.get(metric, {}).items():
            precision = group.ranked.get("precision", {}).get(k)
            if precision is not None and k * precision < value - (k + 1) * group.rounding:
                yield _sentence(
                    group, (group.name(metric, k), value), (group.name("precision", k), precision),
                    f"{k} times the precision is the number of hits, which is at least the {metric}",
                )  # fmt: skip


def _beyond_ranks(group: Scores) -> Iterator[str]:
    """MRR lies between the sums that the first hits allow, which accuracy@k counts by rank."""
    found = group.ranked.get("accuracy") or _single(group)
    for limit, value in group.ranked.get("mrr", {}).items():
        known = {k: accuracy for k, accuracy in found.items() if k <= limit}
        if not known:
            continue
        steps = list(itertools.pairwise([(0, 0.0), *known.items()]))
        least = sum(max(high - low, 0) / k for (_, low), (k, high) in steps)
        most = sum(max(high - low, 0) / (before + 1) for (before, low), (_, high) in steps)
        last = max(known)
        if last < limit:
            most += (1 - known[last]) / (last + 1)
        slack = (2 * len(steps) + 1) * group.rounding
        if not least - slack <= value <= most + slack:
            shown = ", ".join(f"@{k} {accuracy:.4f}" for k, accuracy in known.items())
            yield (
                f"{group.name('mrr', limit)} {value:.4f} {group.place}, but accuracies of {shown} allow"
                f" {least:.4f} to {most:.4f}"
            )


def _single(group: Scores) -> dict[int, float]:
    """Return recall@k where it is the accuracy: k times the precision shows one relevant result per query."""
    hits, recall = group.ranked.get("precision", {}), group.ranked.get("recall", {})
    same = all(abs(k * hits.get(k, 1.0) - value) <= (k + 1) * group.rounding for k, value in recall.items())
    return dict(recall) if recall and same else {}


def _f1(group: Scores) -> Iterator[str]:
    """F1 is at most the harmonic mean of precision and recall, also of their averages and maxima."""
    precision, recall, f1 = (group.alone.get(name) for name in ("precision", "recall", "f1"))
    if precision is None or recall is None or f1 is None or precision + recall <= 0:
        return
    most = 2 * precision * recall / (precision + recall)
    # The derivative of the harmonic mean is at most 2.
    if f1 > most + 5 * group.rounding:
        yield (
            f"{group.name('f1')} {f1:.4f} {group.place}, but precision {precision:.4f} and recall"
            f" {recall:.4f} allow {most:.4f} at most"
        )


def _average_precision(group: Scores) -> Iterator[str]:
    """Average precision is at least what one point of its curve ensures, negatives first up to there."""
    precision, recall, ap = (group.alone.get(name) for name in ("precision", "recall", "ap"))
    if precision is None or recall is None or ap is None or not group.function or group.function == "max":
        return
    if not 0 < precision < 1:
        return
    ratio = recall * (1 - precision) / precision
    least = recall + ratio * math.log(1 - precision)
    if ap < least - 10 * group.rounding:
        yield (
            f"{group.name('ap')} {ap:.4f} {group.place}, but a precision of {precision:.4f} at a recall of"
            f" {recall:.4f} ensures {least:.4f}"
        )


def _above_maximum(groups: list[Scores]) -> Iterator[str]:
    """A maximum over similarity functions is at least the score of each."""
    maxima = {(group.where, group.data): group for group in groups if group.function == "max"}
    for group in groups:
        maximum = maxima.get((group.where, group.data))
        if maximum is None or group is maximum or not group.function:
            continue
        for metric in _MAXIMA:
            value, most = group.alone.get(metric), maximum.alone.get(metric)
            if value is not None and most is not None and value > most + 2 * group.rounding:
                yield _sentence(
                    group, (group.name(metric), value), (maximum.name(metric), most), "the maximum"
                )


def _opposite(group: Scores) -> Iterator[str]:
    spearman, pearson = group.alone.get("spearman"), group.alone.get("pearson")
    if spearman is None or pearson is None or spearman * pearson >= 0:
        return
    if min(abs(spearman), abs(pearson)) >= OPPOSITE:
        yield f"Spearman {spearman:.4f} and Pearson {pearson:.4f} {group.place}"


def _hidden(group: Scores) -> Iterator[str]:
    """The best accuracy is at least 1 − p, for a share p of positives, and a random AP is p.

    So p is at least 1 − accuracy, and an AP of no more is no better than chance; far less is `below-chance`.
    """
    accuracy, ap = group.alone.get("accuracy"), group.alone.get("ap")
    if accuracy is None or ap is None or not group.function or accuracy < _LEAST_ACCURACY:
        return
    if -NEAR_CHANCE <= ap - (1 - accuracy) <= AT_CHANCE:
        yield (
            f"accuracy {accuracy:.4f} means at least {1 - accuracy:.0%} positives, and the average"
            f" precision, which is their share by chance, is {ap:.4f} {group.place}"
        )
