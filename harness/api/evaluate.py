"""`harness.evaluate`: models on tasks, from Python."""

from __future__ import annotations

import numbers
import os
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from harness.api.temporary import TemporaryFolder
from harness.errors import Faults, HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sentence_transformers import SentenceTransformer

    from harness.api.models import EncodeFunction, Encoder, ModelSettings
    from harness.api.results import Results
    from harness.evaluation.execution_plan import ExecutionPlan
    from harness.evaluation.progress import Progress
    from harness.evaluation.runner import RunOutcome, RunPlan
    from harness.models.interface import Model
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task

    ModelLike = str | os.PathLike[str] | SentenceTransformer | Model | Encoder | EncodeFunction
    """What is taken as a model."""
    TaskLike = str | Task
    """What is taken as a task; evaluators of sentence-transformers are tasks too."""
    PathLike = str | os.PathLike[str]


def evaluate(
    models: ModelLike | Sequence[ModelLike] | Mapping[str, ModelLike],
    tasks: TaskLike | Sequence[TaskLike | Any],
    *,
    data: PathLike | None = None,
    out: PathLike | None = None,
    limit: int | None = None,
    fresh: bool = False,
    cache: bool | PathLike = False,
    throughput: bool = False,
    no_texts: bool = False,
    keep_going: bool = False,
    track: str | Sequence[str] = (),
    executor: str = "local",
    workers: int | None = None,
    progress: bool | None = None,
    plugins: Sequence[PathLike] = (),
    task_files: Sequence[PathLike] = (),
    **settings: Unpack[ModelSettings],
) -> Results:
    """Evaluate models on tasks; return the results, as `harness run` computes them.

    models: one, several, or name → model. A model is a name or path as `--model` takes it, with settings of
        its own (`"minilm,truncate_dim=128"`); a SentenceTransformer; what `load_model` returned; an object
        with `encode(list[str])`; or a function from a list of texts to embeddings.
    tasks: names, tags and suites with commas between them, task objects, evaluators of
        sentence-transformers, or several of these.
    data: folder with the real data, `"hub"`, or None for the samples that plugins ship.
    out: results folder, where what is there already is kept and not computed again; None writes none.
    limit: a sample of whole clusters, at most so many examples of each task. fresh: compute again what is in
        `out` and in the cache.
    cache: folder that keeps embeddings between calls; True for that of the command line.
    throughput: whether to time encoding. no_texts: keep the texts of rows out of the results.
    keep_going: return failures as results with the status `error`, where they raise otherwise.
    track: names of trackers that get each result, such as `"mlflow"` (docs/integrations.md).
    executor: who encodes, such as `"processes"` (docs/cluster.md); models must then be names or folders.
    workers: how many it has; None for its own choice.
    progress: whether to show it; None to show it in notebooks and terminals.
    plugins, task_files: files of plugins and of tasks. settings: of all models, as `ModelSettings` has them.

    Random numbers and torch's threads are afterwards as before, so that it may be called amid a training.
    Raises HarnessError that names all that is wrong before anything is encoded, and for what failed.
    """
    from harness.api.process_state import unchanged_process
    from harness.api.progress import shown_progress
    from harness.api.results import Results

    with _folder(out) as (folder, keeper), tempfile.TemporaryDirectory(prefix="harness-live-") as live:
        with unchanged_process(), shown_progress(shown=progress) as bar:
            plan = _plan(
                models,
                tasks,
                data=data,
                limit=limit,
                fresh=fresh,
                cache=cache,
                throughput=throughput,
                no_texts=no_texts,
                keep_going=keep_going,
                track=track,
                executor=executor,
                workers=workers,
                plugins=plugins,
                task_files=task_files,
                settings=settings,
                live=Path(live),
            )
            outcome = _run(plan, folder, bar, keep=out is not None, plugins=plugins, task_files=task_files)
        for problem in outcome.untold:
            warnings.warn(f"PROBLEM {problem}", stacklevel=2)
        results = Results(folder, outcome.evaluations, problems=outcome.problems, keeper=keeper)
        if not keep_going:
            _refuse_failures(outcome)
        return results


@contextmanager
def _folder(out: PathLike | None) -> Iterator[tuple[Path, object]]:
    """Return the results folder, and what keeps it: a temporary folder is removed with its last user."""
    from harness.system.paths import user_path

    if out is not None:
        yield user_path(_path(out, "out")), None
        return
    keeper = TemporaryFolder("results")
    yield keeper.path, keeper


def _is_count(value: object) -> bool:
    return type(value) is not bool and isinstance(value, numbers.Integral) and int(value) >= 1


def _cache_folder(cache: bool | PathLike | None) -> Path | None:
    from harness.encoding.cache_folder import default_folder
    from harness.system.paths import user_path

    if cache is False or cache is None:
        return None
    return default_folder(None) if cache is True else user_path(_path(cache, "cache"))


def _path(value: Any, what: str) -> str:  # noqa: ANN401 - whatever a user passes
    """Return a path; raises HarnessError for what is none, and for an empty one."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        shown = "an empty path" if isinstance(value, str) else f"{type(value).__name__}"
        raise HarnessError(f"{what} must be a path, not {shown}", hint=f"leave {what} out for none")
    return os.fspath(value)


def _plan(
    models: Any,  # noqa: ANN401 - whatever a user passes
    tasks: Any,  # noqa: ANN401 - as above
    *,
    data: PathLike | None,
    limit: int | None,
    fresh: bool,
    cache: bool | PathLike,
    throughput: bool,
    no_texts: bool,
    keep_going: bool,
    track: str | Sequence[str],
    executor: str,
    workers: int | None,
    plugins: Sequence[PathLike],
    task_files: Sequence[PathLike],
    settings: ModelSettings,
    live: Path,
) -> RunPlan:
    """Return the plan; raises HarnessError that names all that is wrong with what is asked."""
    from harness.api.models import Locating, named_models, read_settings
    from harness.api.tasks import chosen_tasks, open_plugins
    from harness.evaluation.runner import RunPlan
    from harness.models.in_memory import refuse_in_memory
    from harness.models.interface import PROOFS
    from harness.models.locate import check_names
    from harness.plugins.selection import select_trackers
    from harness.tasks.data_choice import data_choice

    faults = Faults()
    loaded = open_plugins(plugins)
    if limit is not None and not _is_count(limit):
        faults.add(HarnessError(f"limit must be a whole number from 1, not {limit!r}"))
    choice = faults.attempt(lambda: data_choice(None if data is None else _path(data, "data")))
    folder = faults.attempt(lambda: _cache_folder(cache))
    selected = faults.attempt(lambda: chosen_tasks(tasks, loaded, task_files)) or []
    read = faults.attempt(lambda: read_settings(settings))
    named = (track,) if isinstance(track, str) else track
    trackers = faults.attempt(lambda: select_trackers(loaded, named)) or []
    execution = faults.attempt(lambda: _execution(loaded, executor, workers, plugins, throughput=throughput))
    located = []
    if read is not None:
        proofs = str(folder / PROOFS) if folder and not fresh else ""
        locating = Locating(settings=read, schemes=loaded.model_schemes(), folder=live, proofs=proofs)
        with faults.collect():
            for position, (name, model) in enumerate(named_models(models)):
                with faults.collect(f"model {name}" if name else ""):
                    located += locating.locate(name, model, position)
            check_names(located)
    for model in located if execution is not None else ():
        faults.attempt(lambda model=model: refuse_in_memory(model))  # type: ignore[misc]
    faults.refuse()
    return RunPlan(
        models=located,
        tasks=selected,
        data=choice,
        limit=None if limit is None else int(limit),
        fresh=fresh,
        cache=folder,
        throughput=throughput,
        no_texts=no_texts,
        keep_going=keep_going,
        plugins=loaded,
        trackers=trackers,
        execution=execution,
    )


def _execution(
    plugins: Plugins,
    name: str,
    workers: int | None,
    files: Sequence[PathLike],
    *,
    throughput: bool,
) -> ExecutionPlan | None:
    """Return by whom texts are encoded; None for this process. Raises HarnessError for what cannot be."""
    from harness.evaluation.execution_plan import ExecutionPlan
    from harness.plugins.selection import select_executor

    if workers is not None and not _is_count(workers):
        raise HarnessError(f"workers must be a whole number from 1, not {workers!r}")
    plugin_files = tuple(os.fspath(file) for file in files)
    selected = select_executor(plugins, name, workers=workers, plugin_files=plugin_files)
    if selected is None:
        if workers is not None:
            raise HarnessError("workers is of no use without an executor", hint='executor="processes"')
        return None
    if throughput:
        raise HarnessError(
            f"throughput: nothing is timed with executor {name}, whose workers share the machine",
            hint="`harness bench` times a model alone",
        )
    return ExecutionPlan(*selected)


def _run(
    plan: RunPlan,
    folder: Path,
    progress: Progress,
    *,
    keep: bool,
    plugins: Sequence[PathLike],
    task_files: Sequence[PathLike],
) -> RunOutcome:
    """Evaluate a plan; keep: whether the folder is the user's, which gets a leaderboard and a journal."""
    from harness.evaluation.publish_run import publish_run
    from harness.evaluation.run import run_plan
    from harness.evaluation.without_texts import refuse_to_add_texts
    from harness.results.folder import ResultsFolder

    results = ResultsFolder(folder)
    if not keep:
        return run_plan(plan, results, progress)
    if not plan.no_texts:
        refuse_to_add_texts(results)
    return publish_run(
        plan,
        results,
        progress,
        plugins=tuple(os.fspath(file) for file in plugins),
        task_files=tuple(os.fspath(file) for file in task_files),
    )


def _refuse_failures(outcome: RunOutcome) -> None:
    """Raise one HarnessError for all that failed, from what was raised first."""
    faults = Faults()
    for failure in outcome.failed:
        subject = f"{failure.candidate.model} on {failure.examination.task}"
        faults.add(HarnessError(failure.error or "failed"), subject)
    try:
        faults.refuse(hint="keep_going=True returns what could be evaluated, with these as errors")
    except HarnessError as error:
        raise error from next(iter(outcome.raised), None)
