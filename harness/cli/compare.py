"""`harness compare`: is the candidate better, at what, by how much beyond noise, and may it be shipped?"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions, grouped, plugin_options, words
from harness.errors import HarnessError
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.compare import CompareOptions
    from harness.comparison.gate import Gate
    from harness.comparison.result import Comparison, ParetoPoint
    from harness.comparison.sources import ModelResults
    from harness.tasks.interface import Task

FORMATS = ("table", "md", "json", "csv", "junit", "github")
MOST_ALONE = 2
"""Of more models than these, quality and speed are shown in a table of their own."""

_ENDINGS = {".md": "md", ".json": "json", ".csv": "csv", ".xml": "junit"}
"""Ending of a file of `--write` → its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOptions:
    """Which candidates are compared with which baseline."""

    paths: tuple[str, ...]
    baseline: str | None
    candidates: tuple[str, ...]
    seeds: bool
    all_pairs: bool


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
class ReportOptions:
    """How a comparison is printed, and the files that it is written to."""

    form: str
    files: tuple[str, ...]


@click.command(name="compare", short_help="Hold candidates against a baseline; a gate for CI.")
@click.argument("paths", nargs=-1, required=True, metavar="BASE [CAND]...")
@click.option("--baseline", metavar="NAME", help="Which model of BASE, where it holds several.")
@click.option(
    "--candidate", "candidates", multiple=True, metavar="NAMES", help="Which of CAND; several, or patterns."
)
@click.option("--seeds", is_flag=True, help="All candidates are one recipe, trained with different seeds.")
@click.option("--all-pairs", is_flag=True, help="Compare every model with every other.")
@click.option("--margin", type=float, help="Gate: the loss that is accepted on every headline.")
@click.option("--gate", metavar="GATE.toml", help="Gate: conditions for tasks, tags and speed.")
@click.option("--tasks", multiple=True, metavar="NAMES", help="Only these tasks and tags.")
@click.option("--metrics", multiple=True, metavar="NAMES", help="Metrics besides the headlines, or `all`.")
@click.option("--allow", multiple=True, metavar="KEYS", help="Compare although this differs; it is stamped.")
@click.option(
    "--domain", multiple=True, metavar="TAGS", help="Sum up gains on these tags, and losses elsewhere."
)
@click.option("--power", is_flag=True, help="Say how many examples it takes to see the margin.")
@click.option("--why", is_flag=True, help="Show the examples that changed, and where.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--write", "files", multiple=True, metavar="FILE", help="Write .md, .json, .csv or .xml (JUnit) too."
)
@plugin_options
@grouped(pair=PairOptions, scope=ScopeOptions, gate=GateOptions, report=ReportOptions)
def command(
    *,
    pair: PairOptions,
    scope: ScopeOptions,
    gate: GateOptions,
    report: ReportOptions,
    plugins: PluginOptions,
) -> None:
    """Hold candidates against a baseline: result folders, or leaderboard CSVs with their predictions beside.

    \b
    harness compare results/base results/candidate --margin 0.01
    harness compare results/local --baseline minilm --candidate nda --gate gate.toml --why

    Exit codes: 0 passes, 1 worse, 2 something is missing or broken, 3 not comparable, 4 inconclusive.
    Without --margin or --gate: 1 where the candidate is significantly worse on a line, else 0.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import clean, echo
    from harness.cli.workspace import Workspace
    from harness.comparison.compare import compare
    from harness.system.atomic import write_atomically

    forms = {Path(file): _format_of(file) for file in report.files}
    workspace = Workspace.open(plugins)
    tasks = workspace.tasks()
    pairs = _pairs(pair)
    comparisons = compare(pairs, _compare_options(scope, gate, tasks, pairs))
    front, matrix = _pareto_front(pairs), pair.all_pairs
    for file, form in forms.items():
        write_atomically(file, _document(comparisons, form, front, matrix=matrix).encode())
    if report.form == "table":
        _print(comparisons, front, matrix=matrix)
    else:
        echo(_document(comparisons, report.form, front, matrix=matrix))
    for problem in workspace.plugins.problems:
        click.echo(clean(f"PROBLEM {problem}"), err=True)
    sys.exit(_exit_code(comparisons, gate=not matrix))


def _pairs(options: PairOptions) -> list[tuple[ModelResults, Sequence[ModelResults]]]:
    """Return each baseline with its candidates; several candidates are one recipe with several seeds."""
    from harness.comparison.sources import pick, read_results

    paths = [user_path(path) for path in options.paths]
    read = [read_results(path) for path in paths]
    if options.all_pairs:
        return _all_pairs(options, read)
    (baseline,) = pick(read[0], [options.baseline] if options.baseline else [], "--baseline", paths[0])
    candidates = _candidates(read, paths, words(options.candidates), baseline)
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
        raise HarnessError("--all-pairs takes every model", hint="leave out --baseline, --candidate, --seeds")
    if len(models) < 2:
        raise HarnessError(f"only one model: {next(iter(models.values())).name}", hint="give another folder")
    return [(left, [right]) for left, right in itertools.combinations(models.values(), 2)]


def _candidates(
    read: Sequence[Sequence[ModelResults]],
    paths: Sequence[Path],
    names: Sequence[str],
    baseline: ModelResults,
) -> list[ModelResults]:
    """Candidates: of the further paths, each one's only model or those named; of BASE alone, the others."""
    from harness.comparison.sources import pick

    if len(paths) == 1:
        others = [side for side in read[0] if side.name != baseline.name]
        if not others:
            raise HarnessError(f"{paths[0]} holds one model only: {baseline.name}", hint="give BASE and CAND")
        return pick(others, names, "--candidate", paths[0])
    if not names:
        return [
            side
            for sides, path in zip(read[1:], paths[1:], strict=True)
            for side in _other_model(sides, path, baseline)
        ]
    return pick([side for sides in read[1:] for side in sides], names, "--candidate", paths[1])


def _other_model(sides: Sequence[ModelResults], path: Path, baseline: ModelResults) -> list[ModelResults]:
    """The model of a further path; where the baseline stands there too, the other one."""
    from harness.comparison.sources import pick

    others = [side for side in sides if side.fingerprint != baseline.fingerprint] or list(sides)
    return pick(others, [], "--candidate", path)


def _compare_options(
    scope: ScopeOptions,
    gate: GateOptions,
    tasks: Mapping[str, Task],
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
) -> CompareOptions:
    from harness.comparison.comparability import check_keys
    from harness.comparison.compare import CompareOptions

    metrics = frozenset(words(scope.metrics))
    return CompareOptions(
        tasks=tasks,
        gate=_gate(gate, power=scope.power),
        only=_selected_tasks(words(scope.tasks), tasks, pairs),
        metrics=None if "all" in metrics else metrics,
        allow=check_keys(words(scope.allow)),
        domain=frozenset(words(scope.domain)),
        power=scope.power,
        why=scope.why,
    )


def _gate(options: GateOptions, *, power: bool) -> Gate | None:
    from harness.comparison.gate import margin_gate, read_gate

    if options.gate is not None:
        if options.margin is not None:
            raise HarnessError("--gate and --margin say the same", hint="write margin = … into the gate file")
        return read_gate(user_path(options.gate))
    if power and options.margin is None:
        raise HarnessError("--power needs a margin to be seen", hint="--margin 0.01")
    return None if options.margin is None else margin_gate(options.margin)


def _selected_tasks(
    names: Sequence[str],
    tasks: Mapping[str, Task],
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
) -> frozenset[str] | None:
    """Names and tags of tasks → names; a name that no result has stays, and will be found missing."""
    if not names:
        return None
    sides = [side for baseline, candidates in pairs for side in (baseline, *candidates)]
    answered = [one.evaluation for side in sides for one in side.answered.values()]
    tags: dict[str, set[str]] = {}
    for one in answered:
        task = one.examination.task
        own = one.tags or (tuple(tasks[task].tags) if task in tasks else ())
        for word in (task, *own):
            tags.setdefault(word, set()).add(task)
    known = {*tags, *tasks}
    for name in names:
        if name not in known:
            raise HarnessError.unknown("task or tag", name, known)
    return frozenset(task for name in names for task in tags.get(name, {name}))


def _pareto_front(pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]]) -> list[ParetoPoint]:
    """Quality beside speed of all that are compared; two alone say it in their own table."""
    from harness.comparison.pareto import front_of

    sides = {(side.name, side.fingerprint): side for base, others in pairs for side in (base, *others)}
    return front_of([*sides.values()]) if len(sides) > MOST_ALONE else []


def _document(
    comparisons: Sequence[Comparison], form: str, front: Sequence[ParetoPoint], *, matrix: bool
) -> str:
    from harness.comparison import formats
    from harness.comparison import tables as shown

    if form == "md":
        return shown.markdown(comparisons, matrix=matrix, front=front)
    if form == "json":
        return formats.to_json(comparisons, front)
    write = {
        "csv": formats.to_csv,
        "junit": formats.to_junit,
        "github": formats.to_github,
    }[form]
    return write(comparisons)


def _print(comparisons: Sequence[Comparison], front: Sequence[ParetoPoint], *, matrix: bool) -> None:
    from harness.cli.output import console, print_tables, say
    from harness.comparison.tables import comparison_grids, front_grid, matrix_grids

    target = console()
    if matrix:
        print_tables(matrix_grids(comparisons), target)
    for comparison in comparisons:
        if not matrix:
            print_tables(comparison_grids(comparison), target)
    if front:
        print_tables([front_grid(front)], target)
    for comparison in comparisons:
        say(comparison.sentence, target, style="bold")


def _format_of(file: str) -> str:
    form = _ENDINGS.get(Path(file).suffix.lower())
    if form is None:
        raise HarnessError(f"--write {file}: unknown ending", exists=f"known: {', '.join(_ENDINGS)}")
    return form


def _exit_code(comparisons: Sequence[Comparison], *, gate: bool) -> int:
    """The exit code of all; a matrix of all pairs is no gate, since one of two is always the worse."""
    codes = {comparison.exit_code for comparison in comparisons}
    order = (2, 3, 1, 4) if gate else (2, 3)
    return next((code for code in order if code in codes), 0)
