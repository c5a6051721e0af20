"""`harness.compare`: models held against a baseline, from Python."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol, overload

from harness.comparison.result import Comparison
from harness.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from harness.api.report import ReportPage
    from harness.comparison.report import ComparisonReport
    from harness.comparison.request import CompareRequest
    from harness.comparison.result import GateLine, MetricComparison, Selection

    Names = str | Sequence[str]
    """Names with commas between them, or in a list."""
    PathLike = str | os.PathLike[str]

_NUMBERS = ("baseline", "candidate", "gain", "low", "high", "p", "p_adjusted", "margin", "detectable")


class Evaluated(Protocol):
    """Results that are in a folder: what `harness.evaluate` returns."""

    folder: Path

    def own_folder(self) -> Path:
        """Return the folder of these results and no others."""
        ...

    @property
    def in_memory(self) -> bool:
        """Whether the folder is a temporary one, whose name says nothing."""
        ...


class Comparisons(Sequence[Comparison]):
    """One comparison for each candidate, made and corrected together; of a selection, the winner's."""

    def __init__(
        self,
        report: ComparisonReport,
        request: CompareRequest,
        plugins: Sequence[str] = (),
        task_files: Sequence[str] = (),
    ) -> None:
        """report: what was found; request: what was asked, with these files."""
        self.full = report
        """All that `harness compare` shows."""
        self._request, self._plugins, self._task_files = request, tuple(plugins), tuple(task_files)

    @property
    def exit_code(self) -> int:
        """The exit code of `harness compare`: 0 passes, 1 fails, 2 broken, 3 not comparable, 4 undecided."""
        return self.full.exit_code

    @property
    def passed(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0

    @property
    def sentences(self) -> list[str]:
        """The result of each comparison in words."""
        return [comparison.sentence for comparison in self.full.comparisons]

    @property
    def lines(self) -> list[MetricComparison]:
        """Each metric of each task of all comparisons."""
        return [line for comparison in self.full.comparisons for line in comparison.lines]

    @property
    def gate(self) -> list[GateLine]:
        """Each condition of the gate, of all comparisons."""
        return [line for comparison in self.full.comparisons for line in comparison.gate]

    @property
    def selection(self) -> Selection | None:
        """The best of several candidates, with `select="best"`."""
        return self.full.selection

    @property
    def warnings(self) -> tuple[str, ...]:
        """What limits all comparisons together."""
        return self.full.warnings

    @overload
    def __getitem__(self, position: int) -> Comparison: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[Comparison]: ...

    def __getitem__(self, position: int | slice) -> Comparison | Sequence[Comparison]:
        return self.full.comparisons[position]

    def __len__(self) -> int:
        return len(self.full.comparisons)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per candidate, task and metric: scores, gain, its interval, p-values, verdict.

        An undefined number is NaN; `level` is that of the interval from `low` to `high`.
        """
        import pandas as pd

        rows = [
            {
                "baseline_model": comparison.baseline.name,
                "candidate_model": comparison.candidate.name,
                **asdict(line),
                "level": comparison.level,
            }
            for comparison in self.full.comparisons
            for line in comparison.lines
        ]
        frame = pd.DataFrame(rows)
        return frame.astype({name: float for name in _NUMBERS if name in frame})

    def to_markdown(self) -> str:
        """Return tables and sentences as Markdown, for a pull request."""
        return self.full.document("md")

    def to_json(self) -> str:
        """Return everything as JSON, which `harness schema comparison` describes."""
        return self.full.document("json")

    def to_csv(self) -> str:
        """Return a row per line as CSV, with full precision."""
        return self.full.document("csv")

    def to_junit(self) -> str:
        """Return the gate as JUnit XML, for a CI server."""
        return self.full.document("junit")

    def report(self, path: PathLike | None = None, *, title: str | None = None) -> ReportPage:
        """Return a page of these comparisons, as `harness compare --report` writes it; path: write it, too.

        Raises HarnessError where no plugin can write pages, and for a file that cannot be written.
        """
        from harness.api.report import ReportPage, open_writer
        from harness.api.tasks import open_plugins, tasks_of
        from harness.comparison.command import compare_command
        from harness.report.collect_comparison import collect_comparison
        from harness.report.request import ReportRequest

        loaded = open_plugins(self._plugins)
        writer, asked = open_writer(loaded, path), self._request
        request = ReportRequest(
            folders=asked.pair.paths,
            margin=asked.gate.margin,
            gate=asked.gate.gate,
            domain=asked.scope.domain,
            title=title,
            plugin_files=self._plugins,
            task_files=self._task_files,
        )
        command = compare_command(asked, self._plugins, self._task_files)
        content = collect_comparison(self.full, request, command, tasks_of(loaded, self._task_files))
        return ReportPage.write(writer, content, path)

    def plot(self, kind: str = "forest", ax: Axes | None = None) -> Axes:
        """Draw gains with their intervals (`forest`), or scores against the baseline's (`scatter`).

        Return the axes. Raises HarnessError for another kind, and without matplotlib.
        """
        from harness.api import plots

        if kind == "forest":
            gains = [(comparison.candidate.name, line) for comparison in self for line in comparison.lines]
            level = min((comparison.level for comparison in self), default=0.95)
            return plots.forest(gains, level, ax)
        if kind == "scatter":
            return plots.scatter(self, ax)
        raise HarnessError.unknown("plot of a comparison", kind, ("forest", "scatter"))

    def __repr__(self) -> str:
        return "\n".join([f"<Comparisons: exit code {self.exit_code}", *self.sentences]) + ">"

    def _repr_html_(self) -> str:
        """Return verdicts and sentences as HTML, for notebooks."""
        from harness.api.tables import to_html

        header = ["model", "task", "metric", "baseline", "candidate", "gain", "p adjusted", "verdict"]
        rows = [
            [
                comparison.candidate.name,
                line.task,
                line.metric,
                _number(line.baseline),
                _number(line.candidate),
                _gain(line),
                _number(line.p_adjusted),
                line.verdict,
            ]
            for comparison in self.full.comparisons
            for line in comparison.lines
        ]
        return to_html(header, rows, (*self.warnings, *self.sentences))


def compare(
    *results: PathLike | Evaluated,
    baseline: str | None = None,
    candidates: Names = (),
    margin: float | None = None,
    gate: PathLike | None = None,
    tasks: Names = (),
    metrics: Names = (),
    domain: Names = (),
    allow: Names = (),
    seeds: bool = False,
    all_pairs: bool = False,
    select: str | None = None,
    by: str | None = None,
    select_on: Names = (),
    confirm_on: Names = (),
    power: bool = False,
    why: bool = False,
    ledger: PathLike | None = None,
    plugins: Sequence[PathLike] = (),
    task_files: Sequence[PathLike] = (),
) -> Comparisons:
    """Compare candidates with a baseline, as `harness compare` does; arguments are named as its options.

    results: results folders, leaderboard CSVs or what `harness.evaluate` returned: the baseline's first, then
        those of candidates; or one with several models.
    baseline, candidates: names of models, where there are several; candidates may be patterns.
    margin, gate: the loss that is accepted on every headline metric, or a gate file.
    select: `"best"` selects one of several candidates, and corrects for that.

    Raises HarnessError for what is not there, and for options that contradict each other. What is missing,
    broken or not comparable raises nothing: it is in the comparisons, and in `exit_code`.
    """
    from harness.api.tasks import open_plugins, tasks_of
    from harness.comparison.report import report_on
    from harness.comparison.request import (
        CompareRequest,
        GateOptions,
        PairOptions,
        ScopeOptions,
        SelectOptions,
    )
    from harness.system.paths import user_path
    from harness.tasks.suites import suites_by_name
    from harness.tasks.task_file import read_suites

    if margin is not None and (isinstance(margin, bool) or not hasattr(margin, "__float__")):
        raise HarnessError(f"margin must be a number, not {margin!r}")
    if not results:
        raise HarnessError("no results to compare", hint='harness.compare("results/base", "results/cand")')
    paths, shown = [], []
    for one in results:
        if isinstance(one, str | os.PathLike):
            paths.append(os.fspath(one))
            shown.append(paths[-1])
        else:
            paths.append(str(one.own_folder()))
            shown.append("memory" if one.in_memory else str(one.folder))
    request = CompareRequest(
        pair=PairOptions(
            paths=tuple(paths),
            shown=tuple(shown),
            baseline=baseline,
            candidates=_words(candidates),
            seeds=seeds,
            all_pairs=all_pairs,
        ),
        scope=ScopeOptions(
            tasks=_words(tasks),
            metrics=_words(metrics),
            allow=_words(allow),
            domain=_words(domain),
            power=power,
            why=why,
        ),
        gate=GateOptions(margin=margin, gate=None if gate is None else os.fspath(gate)),
        choice=SelectOptions(
            select=select, by=by, select_on=_words(select_on), confirm_on=_words(confirm_on)
        ),
    )
    loaded = open_plugins(plugins)
    known = tasks_of(loaded, task_files)
    files = [suite for file in task_files for suite in read_suites(user_path(file))]
    suites = suites_by_name(files, known, loaded.task_schemes())
    report = report_on(request, known, suites, None if ledger is None else user_path(ledger))
    named = [[os.fspath(file) for file in files] for files in (plugins, task_files)]
    return Comparisons(report, request, *named)


def _words(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _gain(line: MetricComparison) -> str:
    if line.gain is None:
        return "–"
    ends = "" if line.low is None or line.high is None else f" [{line.low:+.4f}, {line.high:+.4f}]"
    return f"{line.gain:+.4f}{ends}"
