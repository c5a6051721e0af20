"""Results of models on tasks, as Python users see them: scores, intervals, predictions, tables."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.api.result import Result, to_frame_of
from harness.api.temporary import TemporaryFolder
from harness.errors import HarnessError, did_you_mean
from harness.render import plural

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from harness.api.comparison import Comparisons
    from harness.api.report import ReportPage
    from harness.results.records import Evaluation

_SHOWN = 20
"""Maximum number of results that `repr` shows."""


class UnknownResultError(HarnessError, KeyError):
    """There is no result of this model on this task: results are a mapping, which raises KeyError."""

    __str__ = HarnessError.__str__


class Results(Mapping[tuple[str, str], Result]):
    """Results by (model, task): `results["minilm", "stsb"]`.

    A task that was asked on several sets of rows has a key for each: `stsb` for files, `stsb@sample`,
    `stsb@limit100`.
    """

    def __init__(
        self,
        folder: Path,
        records: Sequence[Evaluation],
        problems: Sequence[str] = (),
        keeper: object = None,
    ) -> None:
        """keeper: an object whose end removes the folder; None for a folder of the user's."""
        from harness.models.locate import display_names
        from harness.results.folder import file_stem

        self.folder = folder
        """The results folder: that of `out`, or a temporary one that is gone with this object."""
        self.problems = tuple(problems)
        """One sentence for each file that could not be read, or does not hold."""
        self.records = tuple(records)
        """What was evaluated, as it is kept on disk."""
        self._keeper = keeper
        self._own: TemporaryFolder | None = None
        names = display_names([record.model for record in records])
        pairs = [(names[record.model], record.examination.task) for record in records]
        several = {task for model, task in pairs if pairs.count((model, task)) > 1}
        self._results = {
            (model, file_stem(record.examination) if task in several else task): Result(
                record, model, folder, keeper
            )
            for record, (model, task) in zip(records, pairs, strict=True)
        }

    def own_folder(self) -> Path:
        """Return a folder with these results and no others: a folder of the user's may have more."""
        if self._own is None:
            self._own = _folder_of(self.records, self.folder)
        return self._own.path if self._own is not None else self.folder

    @property
    def in_memory(self) -> bool:
        """Whether the folder is a temporary one."""
        return self._keeper is not None

    @property
    def models(self) -> list[str]:
        """Names of the models, in their order."""
        return list(dict.fromkeys(model for model, _ in self._results))

    @property
    def tasks(self) -> list[str]:
        """Keys of the tasks, sorted."""
        return sorted({task for _, task in self._results})

    @property
    def failed(self) -> dict[tuple[str, str], str]:
        """(model, task) → why it has no score."""
        return {key: result.error for key, result in self._results.items() if result.error is not None}

    def __getitem__(self, key: tuple[str, str]) -> Result:
        """Return the result of a model on a task; raises HarnessError, and KeyError, where there is none."""
        if key in self._results:
            return self._results[key]
        if not _is_pair(key):
            first = next(iter(self._results), ("minilm", "stsb"))
            raise UnknownResultError(
                f"{key!r} is not a model and a task", hint=f"results[{first[0]!r}, {first[1]!r}]"
            )
        self._check_model(key[0])
        own = [task for model, task in self._results if model == key[0]]
        raise UnknownResultError(f"no result of {key[0]} on {key[1]!r}", exists=_known(str(key[1]), own))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per (model, task, metric) with its interval: the columns of leaderboard.csv.

        An undefined score is NaN. Rows are sorted by task, metric (the headline first) and model.
        """
        return to_frame_of(self.records)

    def leaderboard(self) -> pd.DataFrame:
        """Return headline scores, models by tasks; NaN where a model has none."""
        import pandas as pd

        rows = {
            model: [
                result.record.scores[0].score
                if (result := self._results.get((model, task))) is not None and result.error is None
                else None
                for task in self.tasks
            ]
            for model in self.models
        }
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=self.tasks, dtype=float)
        return frame.rename_axis(index="model", columns="task")

    def compare(self, baseline: str, *candidates: str, **options: Any) -> Comparisons:  # noqa: ANN401
        """Compare candidates with a baseline, all of them models of these results.

        Without candidates, all others are. options: those of `harness.compare`, such as margin=0.01.
        Raises HarnessError for a model that is not among them.
        """
        from harness.api.comparison import compare

        for name in (baseline, *candidates):
            self._check_model(name)
        known = [*inspect.signature(compare).parameters]
        for name in options:
            if name not in known:
                raise HarnessError.unknown("option of compare", name, known)
        chosen = candidates or [name for name in self.models if name != baseline]
        return compare(self, baseline=baseline, candidates=chosen, **options)

    def report(self, path: str | os.PathLike[str] | None = None, **options: Any) -> ReportPage:  # noqa: ANN401
        """Return a page of these results, as `harness report` writes it; path: write it, too.

        A notebook shows it; `ReportPage.save` writes it. options: those of `harness report`, such as
        baseline="minilm", margin=0.01, texts=False; plugins and task_files: lists of files.
        Raises HarnessError where no plugin can write pages, for an unknown option, and for a file that cannot
        be written.
        """
        from harness.api.report import report_page

        shown = "memory" if self.in_memory else str(self.folder)
        return report_page(self.own_folder(), shown, path, **options)

    def plot(self, kind: str = "intervals", ax: Axes | None = None) -> Axes:
        """Draw scores; return the axes.

        kind: `intervals`, headline scores with their intervals; `speed`, mean headline score against texts/s.
        Raises HarnessError for another kind, for speeds that were not measured, and without matplotlib.
        """
        from harness.api import plots

        if kind == "intervals":
            scored = [(key, result) for key, result in self._results.items() if result.error is None]
            rows = [(f"{task} · {model}", model, result.headline) for (model, task), result in scored]
            return plots.intervals(sorted(rows, key=lambda row: row[0].partition(" · ")[0]), ax)
        if kind == "speed":
            return plots.speed(self._speeds(), ax)
        raise HarnessError.unknown("plot of results", kind, ("intervals", "speed"))

    def _speeds(self) -> list[tuple[str, float, tuple[float, float, float]]]:
        """Return each timed model, its mean headline score over tasks that all have, and its texts/s.

        Raises HarnessError where no model was timed, or no task is common to all.
        """
        from harness.results.folder import ResultsFolder

        board = self.leaderboard().dropna(axis="columns")
        timed = {(one.model, one.fingerprint): one.rates for one in ResultsFolder(self.folder).throughputs()}
        known = {result.model: result.record.model for result in self._results.values()}
        if not timed or board.empty:
            raise HarnessError(
                "no speed was measured" if not timed else "no task has a score of every model",
                hint="harness.evaluate(…, throughput=True) times encoding",
            )
        means = dict(zip(self.models, board.mean(axis="columns").tolist(), strict=True))
        return [(name, means[name], timed[key]) for name, key in known.items() if key in timed]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Copy the results into a new folder, which `harness compare`, `leaderboard` and `verify` read.

        Raises HarnessError where it exists, or cannot be written.
        """
        import shutil

        from harness.results.folder import ResultsFolder
        from harness.results.publish import publish
        from harness.system.paths import user_path

        path = user_path(folder)
        if os.path.lexists(path):
            raise HarnessError(f"{path} exists already", hint="give the name of a new folder")
        try:
            shutil.copytree(self.own_folder(), path)
        except OSError as error:
            raise HarnessError(f"cannot write {path}: {error.strerror or error}") from error
        publish(ResultsFolder(path))

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        lines = [f"  {model} · {task}: {result.line()}" for (model, task), result in self._results.items()]
        shown = lines
        if len(lines) > _SHOWN + 1:  # a single further line is shown: its number would take as much room
            shown = [*lines[:_SHOWN], f"  … and {len(lines) - _SHOWN} more"]
        models, tasks = plural(len(self.models), "model"), plural(len(self.tasks), "task")
        head = f"<Results: {models} on {tasks}{failed}"
        return "\n".join([head, *shown]) + ">"

    def _repr_html_(self) -> str:
        """Return headline scores with their intervals as a table, for notebooks."""
        from harness.api.tables import to_html

        rows = [
            [
                model,
                *(cell.line() if (cell := self._results.get((model, task))) else "–" for task in self.tasks),
            ]
            for model in self.models
        ]
        return to_html(["model", *self.tasks], rows)

    def _check_model(self, name: str) -> None:
        if name not in self.models:
            raise UnknownResultError(f"no model {name!r} in these results", exists=_known(name, self.models))


def read_results(folder: str | os.PathLike[str]) -> Results:
    """Read a results folder that `harness run` or `harness.evaluate(out=…)` wrote.

    Records that do not hold have the status `broken`, and `Results.problems` says why.
    Raises HarnessError where there are none.
    """
    from harness.results.folder import ResultsFolder, no_results
    from harness.system.paths import user_path

    path = user_path(folder)
    if not path.is_dir():
        raise HarnessError(f"no results folder {path}", hint="harness.evaluate(…, out=FOLDER) writes one")
    problems: list[str] = []
    records = ResultsFolder(path).evaluations(problems)
    if not records:
        raise no_results(path)
    return Results(path, records, problems)


def _folder_of(records: Sequence[Evaluation], folder: Path) -> TemporaryFolder | None:
    """Return a copy of a folder with some of its records; None where it has no others."""
    import shutil

    from harness.results.folder import ResultsFolder

    results = ResultsFolder(folder)
    paths = [results.record_path(record) for record in records]
    if set(paths) >= set(results.record_paths()):
        return None
    own = TemporaryFolder("results")
    models = {path.parent.name for path in paths}
    paths += [results.predictions_path(record) for record in records if record.predictions is not None]
    paths += [path for path in folder.glob("throughput/*.json") if path.stem in models]
    for path in paths:
        if path.is_file():
            copy = own.path / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return own


def _is_pair(key: object) -> bool:
    return isinstance(key, tuple) and len(key) == 2


def _known(name: str, known: Sequence[str]) -> str:
    return "\n".join([*did_you_mean(name, known), f"known: {', '.join(known)}"])
