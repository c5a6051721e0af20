"""Candidates that may be selected, and the tasks that decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.result import LeftOut
from harness.comparison.selection_words import reasons_text
from harness.errors import HarnessError
from harness.models.locate import display_names
from harness.render import plural
from harness.stats.contest import Contest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.compare import Partial
    from harness.comparison.measure import MetricGain
    from harness.comparison.sources import ModelResults
    from harness.stats.gain import Gain

    Pairs = Sequence[tuple[ModelResults, Sequence[ModelResults]]]

_MOST_REASONS = 10
"""Maximum number of reasons for which no candidate can be selected that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A candidate that may be selected."""

    pair: int
    """Its position among all pairs."""
    name: str
    fingerprint: str
    deciding: Sequence[MetricGain]
    """Headline gains on the tasks that decide, in the same order for all entries."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """The candidates that may be selected, those that may not, and by what."""

    may: Sequence[Entry]
    may_not: Sequence[LeftOut]
    by: str
    """What is compared, in words: `its gain on stsb`."""
    tasks: tuple[str, ...]
    """The tasks that decide."""

    def contest(self) -> Contest:
        """Return the contest of those that may be selected."""
        gains = [[_gain_of(each) for each in entry.deciding] for entry in self.may]
        return Contest.of(gains, [each.evaluation.examination for each in self.may[0].deciding])


def enter(pairs: Pairs, partials: Sequence[Partial], by: str | None) -> Entries:
    """Divide candidates into those that may be selected and those that may not.

    by: a task or a tag; None for all tasks that are compared.
    Raises HarnessError for an unknown `by`, and where none may be selected.
    """
    tasks = _deciding_tasks(partials, by)
    may, may_not = [], []
    for pair, (name, partial) in enumerate(zip(display_names_of(pairs), partials, strict=True)):
        deciding = [each for each in partial.measured if each.headline and task_of(each) in tasks]
        fingerprint = pairs[pair][1][0].fingerprint
        if reason := _why_not(partial, deciding):
            may_not.append(LeftOut(model=name, fingerprint=fingerprint, reason=reason))
        else:
            may.append(Entry(pair=pair, name=name, fingerprint=fingerprint, deciding=deciding))
    if not may:
        reasons = [*reasons_text(may_not)]
        if more := reasons[_MOST_REASONS:]:
            reasons[_MOST_REASONS:] = [f"and {plural(len(more), 'more reason')}"]
        raise HarnessError(
            "no candidate can be selected", exists="\n".join(reasons), hint=_hint(partials, tasks)
        )
    # Nothing may depend on the order in which candidates were given.
    may.sort(key=lambda entry: entry.name)
    return Entries(may=may, may_not=may_not, by=_words(tasks, by), tasks=tuple(sorted(tasks)))


def display_names_of(pairs: Pairs) -> list[str]:
    """Return a distinct name for each candidate: with its fingerprint or its folder, where it must be."""
    models = [candidates[0] for _, candidates in pairs]
    shown = display_names([(model.name, model.fingerprint) for model in models])
    names = [shown[model.name, model.fingerprint] for model in models]
    return [
        f"{name} ({model.source})" if names.count(name) > 1 else name
        for name, model in zip(names, models, strict=True)
    ]


def task_of(measured: MetricGain) -> str:
    """Return the name of a metric's task."""
    return measured.evaluation.examination.task


def _deciding_tasks(partials: Sequence[Partial], by: str | None) -> frozenset[str]:
    """Return the tasks that decide; raises HarnessError for a `by` that names none of those compared."""
    headlines = [each for partial in partials for each in partial.measured if each.headline]
    tasks = frozenset(task_of(each) for each in headlines)
    if by is None or not tasks:
        return tasks
    chosen = frozenset(task_of(each) for each in headlines if by == task_of(each) or by in each.tags)
    if not chosen:
        known = {word for each in headlines for word in (task_of(each), *each.tags)}
        raise HarnessError.unknown("task or tag", by, known, hint="--by takes one that is compared")
    return frozenset([by]) if by in chosen else chosen


def _words(tasks: frozenset[str], by: str | None) -> str:
    if len(tasks) == 1:
        return f"its gain on {min(tasks)}"
    return f"its mean gain on {len(tasks)} tasks{f' tagged {by}' if by else ''}"


def _why_not(partial: Partial, deciding: Sequence[MetricGain]) -> str | None:
    """Return why a candidate cannot be selected; None if it can."""
    if partial.broken:
        return "; ".join(partial.broken)
    if partial.refused:
        return "; ".join(
            f"{refused.task} is not comparable: {', '.join(each.key for each in refused.differences)}"
            for refused in partial.refused
        )
    without = [f"{task_of(each)} has no interval: {each.reason}" for each in deciding if _lacks_curve(each)]
    return "; ".join(without) or (None if deciding else "nothing was measured")


def _lacks_curve(measured: MetricGain) -> bool:
    return measured.gain is None or measured.gain.curve is None


def _hint(partials: Sequence[Partial], tasks: frozenset[str]) -> str:
    """Return which tasks to leave out so that some candidate may be selected, as far as that helps."""
    unusable = {
        task_of(each)
        for partial in partials
        for each in partial.measured
        if each.headline and task_of(each) in tasks and _lacks_curve(each)
    }
    usable = sorted(tasks - unusable)
    if not unusable or not usable:
        return "--tasks compares on some tasks only"
    return f"leave out {', '.join(sorted(unusable))}: --tasks {','.join(usable)}"


def _gain_of(measured: MetricGain) -> Gain:
    """Return the gain; raises ValueError without one."""
    if measured.gain is None:
        raise ValueError("a metric without a gain")
    return measured.gain
