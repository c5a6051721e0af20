"""What limits the answer of a report: one sentence for each cause, with its models and tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from harness.comparison.notes import doubts as doubts_of_lines
from harness.comparison.tables import line_name
from harness.finding import Severity
from harness.render import named, one_line, plural, verb
from harness.report.content import Doubt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Literal

    from harness.comparison.result import Comparison, MetricComparison
    from harness.comparison.sources import ModelResults
    from harness.finding import Finding
    from harness.report.source import BoardSource
    from harness.results.leaderboard import Row

    Kind = Literal["finding", "sample", "truncated", "settings", "not-comparable", "failed", "broken", "note"]

_SEVERITIES = list(Severity)
_OF_MODELS = frozenset({"dimensions", "parameters", "max_tokens"})
"""Differences between models that are what they are, and no doubt."""

_ASKED_FOR = frozenset({"settings"})
"""Kinds of doubts about what was asked for."""
_FEW = 0.1
"""Share of the results below which a note on them is minor."""
_MUCH_LOST = 0.1
"""Share of a task's tokens from which on texts that were cut are a warning."""


class _Seen(NamedTuple):
    """Something that one result shows."""

    model: str
    task: str
    text: str
    """What it shows, with its figures."""


def all_doubts(
    models: Sequence[ModelResults],
    sources: Sequence[BoardSource],
    comparisons: Sequence[Comparison],
    problems: Sequence[str],
    notes: Sequence[str] = (),
) -> tuple[Doubt, ...]:
    """Return the doubts of a report: the most serious first, then by how many results they concern.

    What was asked for, such as other settings, comes last among equally serious ones.

    comparisons: of each candidate with the baseline. problems: one sentence for each file that could not be
    read, or does not hold. notes: further doubts.
    """
    found = [
        *_unreadable(problems),
        *_failures(sources),
        *_missing(models),
        *_not_comparable(sources),
        *_samples(sources),
        *_findings(models, sources),
        *_settings(comparisons),
        *_truncated(models, sources),
        *(_doubt("note", Severity.WARNING, note) for note in notes),
        *_notes(comparisons),
    ]
    weighed = [_weighed(doubt, models, sources) for doubt in found]
    return tuple(sorted(weighed, key=_by_harm))


def _by_harm(doubt: Doubt) -> tuple[int, bool, float]:
    return _SEVERITIES.index(doubt.severity), doubt.kind in _ASKED_FOR, -doubt.touched


def _weighed(doubt: Doubt, models: Sequence[ModelResults], sources: Sequence[BoardSource]) -> Doubt:
    """Return a doubt with the share of results that it concerns, and whether it is minor."""
    tasks = {source.board.task for source in sources}
    of_models = len(doubt.models) / len(models) if doubt.models else 1.0
    of_tasks = len(doubt.tasks) / len(tasks) if doubt.tasks and tasks else 1.0
    touched = min(1.0, of_models * of_tasks)
    minor = doubt.severity is Severity.NOTE and (doubt.kind in _ASKED_FOR or touched < _FEW)
    return replace(doubt, touched=touched, minor=minor)


def _doubt(
    kind: Kind, severity: Severity, sentence: str, seen: Iterable[tuple[str, str]] = (), remedy: str = ""
) -> Doubt:
    """Return a doubt. seen: (model, task) of each result that it concerns; empty names are left out."""
    pairs = list(seen)
    return Doubt(
        kind=kind,
        severity=severity,
        sentence=sentence,
        remedy=remedy,
        models=tuple(sorted({model for model, _ in pairs} - {""})),
        tasks=tuple(sorted({task for _, task in pairs} - {""})),
    )


def _unreadable(problems: Sequence[str]) -> Iterator[Doubt]:
    if problems:
        shown = [*problems[:2], f"and {len(problems) - 2} more"] if len(problems) > 3 else problems
        does = verb(len(problems), "does", "do")
        sentence = f"{plural(len(problems), 'file')} cannot be read or {does} not hold: {'; '.join(shown)}"
        yield _doubt("broken", Severity.ERROR, sentence, remedy="`harness verify` says what holds")


def _rows(sources: Sequence[BoardSource]) -> Iterator[tuple[BoardSource, Row]]:
    for source in sources:
        for row in source.board.rows:
            yield source, row


def _failures(sources: Sequence[BoardSource]) -> Iterator[Doubt]:
    """Yield why results failed or are broken; results with the same reason share a doubt."""
    by_reason: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for source, row in _rows(sources):
        status, error = row.evaluation.status, row.evaluation.error or ""
        if status != "ok":
            reason = one_line(error.splitlines()[0]) if error else "without a reason"
            by_reason.setdefault((status, reason), []).append((row.model, source.board.task))
    for (how, reason), seen in by_reason.items():
        if how == "error":
            yield _doubt("failed", Severity.ERROR, f"failed: {reason}", seen, "run it again")
        else:
            yield _doubt("broken", Severity.ERROR, f"broken: {reason}", seen, "`harness verify` says more")


def _missing(models: Sequence[ModelResults]) -> Iterator[Doubt]:
    """Yield which tasks models have no result on, though others have."""
    every = {task for model in models for task, _, _ in model.answered}
    lacking: dict[tuple[str, ...], list[str]] = {}
    for model in models:
        own = every - {task for task, _, _ in model.answered}
        if own:
            lacking.setdefault(tuple(sorted(own)), []).append(model.name)
    for tasks, names in lacking.items():
        sentence = f"{named(names)}: no result on {named(tasks)}"
        seen = [(name, task) for name in names for task in tasks]
        yield _doubt("broken", Severity.WARNING, sentence, seen, "run what is missing: `harness run`")


def _not_comparable(sources: Sequence[BoardSource]) -> Iterator[Doubt]:
    by_difference: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for source in sources:
        for model, differences in source.board.refused:
            by_difference.setdefault(tuple(differences), []).append((model, source.board.task))
    for apart, seen in by_difference.items():
        sentence = f"asked something else than the others, so not ranked: {'; '.join(apart)}"
        yield _doubt("not-comparable", Severity.ERROR, sentence, seen, "run them on the same data and code")


def _samples(sources: Sequence[BoardSource]) -> Iterator[Doubt]:
    sample = [("", source.board.task) for source in sources if source.examination.data == "sample"]
    if sample:
        whole = len(sample) == len(sources)
        which = "all tasks" if whole else f"{len(sample)} of {plural(len(sources), 'task')}"
        sentence = f"samples on {which}: small and illustrative, not the real datasets"
        yield _doubt("sample", Severity.WARNING, sentence, sample, "--data DIR (docs/data.md)")
    limits: dict[int, list[tuple[str, str]]] = {}
    for source in sources:
        if source.examination.limit is not None:
            limits.setdefault(source.examination.limit, []).append(("", source.board.task))
    for limit, tasks in sorted(limits.items()):
        sentence = f"limited to at most {limit:,} examples of a task: a quick look"
        yield _doubt("sample", Severity.WARNING, sentence, tasks, "run without --limit")


def _findings(models: Sequence[ModelResults], sources: Sequence[BoardSource]) -> Iterator[Doubt]:
    """Yield the findings of models, then of results; those of one code share a doubt."""
    found: dict[tuple[str, Severity, str], list[_Seen]] = {}

    def add(findings: Iterable[Finding], model: str, task: str) -> None:
        for finding in findings:
            key = finding.code, finding.severity, finding.remedy
            found.setdefault(key, []).append(_Seen(model, task, finding.evidence))

    for model in models:
        facts = model.candidate.facts
        add(facts.all_findings if facts else (), model.name, "")
    for source, row in _rows(sources):
        add(row.evaluation.findings, row.model, source.board.task)
    for (code, severity, remedy), seen in found.items():
        yield _doubt(
            "finding", severity, f"{code}: {_example(seen)}", [(one.model, one.task) for one in seen], remedy
        )


def _example(seen: Sequence[_Seen]) -> str:
    """Return what all show, or what the first one does and that the others are like it."""
    texts = list(dict.fromkeys(one.text for one in seen))
    if len(texts) == 1:
        return texts[0]
    first = seen[0]
    where = " on ".join(filter(None, (first.model, first.task)))
    return f"{texts[0]} ({where}; {plural(len(seen) - 1, 'further result')} alike)"


def _settings(comparisons: Sequence[Comparison]) -> Iterator[Doubt]:
    """Yield the settings that differ from the baseline's, with the models for which they do."""
    unequal: dict[tuple[str, str, str], list[str]] = {}
    for comparison in comparisons:
        for each in comparison.settings:
            if each.key not in _OF_MODELS:
                key = each.key, each.baseline, each.candidate
                unequal.setdefault(key, []).append(comparison.candidate.name)
    for (setting, before, now), names in unequal.items():
        sentence = f"{setting} differs: {before} for {comparisons[0].baseline.name}, {now} for {named(names)}"
        yield _doubt("settings", Severity.NOTE, sentence, [(name, "") for name in names])


def _truncated(models: Sequence[ModelResults], sources: Sequence[BoardSource]) -> Iterator[Doubt]:
    """Yield how much of the texts was not read, by the maximum number of tokens."""
    maxima = {
        model.name: model.candidate.facts.max_tokens for model in models if model.candidate.facts is not None
    }
    cut: dict[int | None, list[tuple[float, str, str]]] = {}
    for source, row in _rows(sources):
        found = row.evaluation.truncation
        if found is not None and (share := found.lost_share):
            cut.setdefault(maxima.get(row.model), []).append((share, source.board.task, row.model))
    for most, seen in cut.items():
        share, task, _ = max(seen)
        after = f"after {plural(most, 'token')}" if most is not None else "at the model's maximum"
        severity = Severity.WARNING if share >= _MUCH_LOST else Severity.NOTE
        upto = "up to " if len({one for one, _, _ in seen}) > 1 else ""
        sentence = f"texts are cut {after}: {upto}{share:.1%} of all tokens of {task} were not read"
        yield _doubt(
            "truncated",
            severity,
            sentence,
            [(model, task) for _, task, model in seen],
            "--max-seq-length, where the model has the positions for it",
        )


def _notes(comparisons: Sequence[Comparison]) -> Iterator[Doubt]:
    """Yield the notes of comparisons, and what their lines cannot show; equal ones once."""
    yield from _grouped_notes(comparisons, lambda comparison: comparison.notes)
    yield from _grouped_notes(comparisons, lambda comparison: doubts_of_lines(comparison, _named(comparison)))


def _named(comparison: Comparison) -> list[tuple[MetricComparison, str]]:
    return [(line, line_name(line, comparison.lines)) for line in comparison.lines]


def _tasks_of_note(note: str, comparisons: Sequence[Comparison]) -> set[str]:
    """Return the tasks of the lines that a note names at its beginning; none where it names no line."""
    tasks = {name: line.task for one in comparisons for line, name in _named(one)}
    names = note.partition(": ")[0].split(", ")
    return {tasks[name] for name in names} if all(name in tasks for name in names) else set()


def _grouped_notes(
    comparisons: Sequence[Comparison], notes_of: Callable[[Comparison], Iterable[str]]
) -> Iterator[Doubt]:
    said: dict[str, list[str]] = {}
    for comparison in comparisons:
        for note in notes_of(comparison):
            said.setdefault(note, []).append(comparison.candidate.name)
    for note, names in said.items():
        tasks = _tasks_of_note(note, comparisons) or {""}
        whose = [""] if len(names) == len(comparisons) else names
        yield _doubt("note", Severity.NOTE, note, [(name, task) for name in whose for task in tasks])
