"""What a comparison is asked: which models, on what, by which gate; turned into pairs and options."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.comparison.compare import CompareOptions
    from harness.comparison.gate import Gate
    from harness.comparison.sources import ModelResults
    from harness.results.unreadable import Unreadable
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOptions:
    """Which candidates are compared with which baseline."""

    paths: tuple[str, ...]
    shown: tuple[str, ...] = ()
    """What reports call the paths; the paths themselves if empty."""
    baseline: str | None
    candidates: tuple[str, ...]
    seeds: bool
    all_pairs: bool
    merge: bool = False
    """Whether the paths are taken as one folder; without names, all other models are candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeOptions:
    """Which results are compared, and what is said about them."""

    tasks: tuple[str, ...]
    metrics: tuple[str, ...]
    allow: tuple[str, ...]
    domain: tuple[str, ...]
    power: bool
    why: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """The conditions that a candidate must meet."""

    margin: float | None
    gate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectOptions:
    """Whether the best of several candidates is wanted, and by what."""

    select: str | None
    by: str | None
    select_on: tuple[str, ...]
    confirm_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """All that one comparison is asked."""

    pair: PairOptions
    scope: ScopeOptions
    gate: GateOptions
    choice: SelectOptions


def model_pairs(
    options: PairOptions, unreadable: Unreadable, *, every: bool = False
) -> list[tuple[ModelResults, Sequence[ModelResults]]]:
    """Return each baseline with its candidates; several candidates are one recipe with several seeds.

    unreadable: gets a sentence for each file that cannot be read.
    every: without names, take all other models for candidates, not the only one.
    Raises HarnessError for models that are not there, which names what could not be read.
    """
    from harness.comparison.merge_sources import merged_results
    from harness.comparison.sources import read_results

    paths = [user_path(path) for path in options.paths]
    names = options.shown or options.paths
    if options.merge:
        read = [merged_results(paths, names, unreadable)]
    else:
        read = [read_results(path, shown, unreadable) for path, shown in zip(paths, names, strict=True)]
    try:
        return _pairs_of(options, paths[: len(read)], read, every=every)
    except HarnessError as error:
        # The model that is missing may be the one that cannot be read.
        exists = "\n".join(filter(None, [error.exists, *unreadable.sentences]))
        raise HarnessError(error.message, exists=exists or None, hint=error.hint) from error


def _pairs_of(
    options: PairOptions, paths: Sequence[Path], read: Sequence[Sequence[ModelResults]], *, every: bool
) -> list[tuple[ModelResults, Sequence[ModelResults]]]:
    from harness.comparison.same_model import without_repeated
    from harness.comparison.sources import pick_one

    if options.all_pairs:
        return _all_pairs(options, read)
    baseline = pick_one(read[0], options.baseline, "--baseline", paths[0])
    names = split_words(options.candidates) or (["*"] if options.merge else [])
    if every and not names:
        candidates = _all_others(read, paths, baseline)
    else:
        candidates = _candidates(read, paths, names, baseline)
    candidates = without_repeated(candidates)
    if options.seeds:
        if len(candidates) < 2:
            raise HarnessError("--seeds needs two candidates or more", hint="--candidate 'nda-seed*'")
        return [(baseline, candidates)]
    return [(baseline, [candidate]) for candidate in candidates]


def _all_pairs(
    options: PairOptions, read: Sequence[Sequence[ModelResults]]
) -> list[tuple[ModelResults, Sequence[ModelResults]]]:
    models = {(side.name, side.fingerprint): side for sides in read for side in sides}
    if options.seeds or options.baseline or options.candidates:
        raise HarnessError(
            "--all-pairs compares every model", hint="leave out --baseline, --candidate, --seeds"
        )
    if len(models) < 2:
        raise HarnessError(f"only one model: {next(iter(models.values())).name}", hint="give another folder")
    return [(left, [right]) for left, right in itertools.combinations(models.values(), 2)]


def _candidates(
    read: Sequence[Sequence[ModelResults]],
    paths: Sequence[Path],
    names: Sequence[str],
    baseline: ModelResults,
) -> list[ModelResults]:
    """Return the models of the further paths, or those named; without such paths, the others of BASE."""
    from harness.comparison.sources import pick

    if len(paths) == 1:
        others = [side for side in read[0] if side.name != baseline.name]
        if not others:
            raise HarnessError(f"{paths[0]} has only one model: {baseline.name}", hint="give BASE and CAND")
        if baseline.name in names:
            raise HarnessError(
                f"--candidate {baseline.name}: it is the baseline already",
                exists=f"others in {paths[0]}: {', '.join(side.name for side in others)}",
                hint="--candidate takes one of these",
            )
        return pick(others, names, "--candidate", paths[0])
    if not names:
        return [
            side
            for sides, path in zip(read[1:], paths[1:], strict=True)
            for side in _other_model(sides, path, baseline)
        ]
    return pick([side for sides in read[1:] for side in sides], names, "--candidate", paths[1])


def _all_others(
    read: Sequence[Sequence[ModelResults]], paths: Sequence[Path], baseline: ModelResults
) -> list[ModelResults]:
    """Return all models of the further paths, or of the only one, but the baseline."""
    others = [
        side for sides in read[1:] or read for side in sides if side.fingerprint != baseline.fingerprint
    ]
    if not others:
        raise HarnessError(
            f"no candidate in {', '.join(map(str, paths[1:] or paths))}: only {baseline.name} is there",
            hint="give BASE and CANDS",
        )
    return others


def _other_model(sides: Sequence[ModelResults], path: Path, baseline: ModelResults) -> list[ModelResults]:
    """Return the model of a further path; where the baseline is there too, the other one."""
    from harness.comparison.sources import pick

    others = [side for side in sides if side.fingerprint != baseline.fingerprint] or list(sides)
    return pick(others, [], "--candidate", path)


def compare_options(
    scope: ScopeOptions,
    gate: GateOptions,
    tasks: Mapping[str, Task],
    suites: Mapping[str, Suite],
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
    *,
    matrix: bool,
) -> CompareOptions:
    """Read what to compare; matrix: every model with every other.

    Raises HarnessError for an unknown task, tag, metric or key, for a bad gate, and for a gate of a matrix.
    """
    from harness.comparison.comparability import check_keys
    from harness.comparison.compare import CompareOptions

    if matrix and (gate.margin is not None or gate.gate is not None or scope.power):
        raise HarnessError(
            "--all-pairs has no baseline that a gate could ask about",
            hint="leave out --margin, --gate and --power; or leave out --all-pairs, and name a --baseline",
        )
    metrics, names = _known_metrics(split_words(scope.metrics), pairs), split_words(scope.tasks)
    return CompareOptions(
        tasks=tasks,
        gate=_gate(gate, power=scope.power),
        only=selected_tasks(names, tasks, suites, pairs),
        suites=tuple(suite for name, suite in suites.items() if name in names),
        metrics=None if "all" in metrics else metrics,
        allow=check_keys(split_words(scope.allow)),
        domain=_known_tags(split_words(scope.domain), tasks, pairs),
        power=scope.power,
        why=scope.why,
        matrix=matrix,
    )


def _known_metrics(
    names: Sequence[str], pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]]
) -> frozenset[str]:
    """Return the names of `--metrics`; raises HarnessError for one that no result has."""
    known = {
        score.metric
        for baseline, candidates in pairs
        for model in (baseline, *candidates)
        for result in model.answered.values()
        for score in result.evaluation.scores
    }
    for name in names:
        # Results without any score are reported as what they are.
        if known and name not in known | {"all"}:
            raise HarnessError.unknown(
                "metric", name, known | {"all"}, hint="--metrics takes those of results"
            )
    return frozenset(names)


def _known_tags(
    names: Sequence[str],
    tasks: Mapping[str, Task],
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
) -> frozenset[str]:
    """Return the tags of `--domain`; raises HarnessError for one that no task of the results has."""
    known = {tag for _, tags in _tags_of_tasks(tasks, pairs) for tag in tags}
    for name in names:
        if name not in known:
            raise HarnessError.unknown("tag", name, known, hint="--domain takes tags of the compared tasks")
    return frozenset(names)


def _tags_of_tasks(
    tasks: Mapping[str, Task], pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each result's task and its tags: those of the record, else of the task, as for a CSV."""
    models = [model for baseline, candidates in pairs for model in (baseline, *candidates)]
    for model in models:
        for result in model.answered.values():
            task = result.evaluation.examination.task
            yield task, result.evaluation.tags or (tuple(tasks[task].tags) if task in tasks else ())


def _gate(options: GateOptions, *, power: bool) -> Gate | None:
    from harness.comparison.gate import margin_gate, read_gate

    if options.gate is not None:
        if options.margin is not None:
            raise HarnessError("give either --gate or --margin", hint="write margin = … into the gate file")
        return read_gate(user_path(options.gate))
    if power and options.margin is None:
        raise HarnessError("--power needs a gate to plan for", hint="--margin 0.01, or --gate GATE.toml")
    return None if options.margin is None else margin_gate(options.margin)


def selected_tasks(
    names: Sequence[str],
    tasks: Mapping[str, Task],
    suites: Mapping[str, Suite],
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
) -> frozenset[str] | None:
    """Return the names of tasks that names, tags and suites select; None for all.

    A task without a result is kept, and will be reported as missing. Raises HarnessError for an unknown name,
    and for a suite that has the name of a tag or task in the results.
    """
    if not names:
        return None
    tags: dict[str, set[str]] = {}
    for task, own in _tags_of_tasks(tasks, pairs):
        for word in (task, *own):
            tags.setdefault(word, set()).add(task)
    known = {*tags, *tasks, *suites}
    for name in names:
        if name not in known:
            raise HarnessError.unknown("task, tag or suite" if suites else "task or tag", name, known)
        if name in suites and name in tags:
            raise HarnessError(
                f"{suites[name]} has the name of a task or tag of these results",
                exists=f"tasks of {name} there: {', '.join(sorted(tags[name]))}",
                hint=f"--tasks {name} could mean either: rename the suite",
            )
    chosen = {**tags, **{name: {*suite.tasks} for name, suite in suites.items()}}
    return frozenset(task for name in names for task in chosen.get(name, {name}))
