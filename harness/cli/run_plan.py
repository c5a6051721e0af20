"""Turn the options of `harness run` into a plan; what the user got wrong is collected, to be told at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cli.options import cache_limit, out_folder
from harness.errors import Faults, HarnessError
from harness.tasks.data_choice import data_choice
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.execution_options import ExecutionOptions
    from harness.cli.options import CacheOptions, ModelOptions
    from harness.cli.workspace import Workspace
    from harness.evaluation.execution_plan import ExecutionPlan
    from harness.evaluation.runner import RunPlan
    from harness.models.interface import LocatedModel
    from harness.tasks.selection import SelectedTask
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What to evaluate, and how."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    exclude: tuple[str, ...]
    data: str | None
    limit: int | None
    no_texts: bool | None
    throughput: bool | None
    """None to time models on this machine alone."""
    fresh: bool
    keep_going: bool
    track: tuple[str, ...]
    isolate: bool
    timeout: float | None


def run_plan(
    run: RunOptions,
    model: ModelOptions,
    cache: CacheOptions,
    execution: ExecutionOptions,
    workspace: Workspace,
    out: str,
) -> RunPlan:
    """Return the plan of a run, with the faults of what was asked; nothing is read or written.

    out: the folder of results. Raises HarnessError that names all faults where there is no way around one:
    an option without a meaning, no model or no task that is left.
    """
    from harness.evaluation.runner import RunPlan
    from harness.models.interface import PROOFS
    from harness.models.usable import check_usable
    from harness.plugins.selection import select_trackers

    config, fatal, faults = workspace.config, Faults(), Faults()
    data = fatal.attempt(lambda: data_choice(run.data or config.data))
    cache_folder = fatal.attempt(lambda: cache.folder(config))
    cache_size = fatal.attempt(lambda: cache_limit(cache.cache_size, config))
    fatal.attempt(lambda: out_folder(out))
    fatal.attempt(model.settings)
    executed = fatal.attempt(lambda: _execution(execution, run, workspace))
    named = run.track or config.track
    trackers = fatal.attempt(lambda: select_trackers(workspace.plugins, named)) or []
    tasks, suites = _tasks(run, workspace, faults, fatal)
    proofs = str(cache_folder / PROOFS) if cache_folder and not run.fresh else ""
    models = models_of(run.models or config.model_names(), model, workspace, faults, fatal, proofs)
    if fatal.found or not (tasks and models):
        for fault in faults.found:
            fatal.add(fault)
        for located in models:
            with fatal.collect(f"model {located.name}" if len(models) > 1 else ""):
                check_usable(located)
        fatal.refuse()
    return RunPlan(
        models=models,
        tasks=tasks,
        suites=suites,
        data=data,
        limit=run.limit,
        fresh=run.fresh,
        no_texts=config.no_texts if run.no_texts is None else run.no_texts,
        cache=cache_folder,
        cache_size=cache_size,
        # A speed that is measured beside workers, or of them, would be that of no machine.
        throughput=run.throughput is not False and executed is None,
        time_remote=run.throughput is True,
        keep_going=run.keep_going,
        faults=faults.found,
        plugins=workspace.plugins,
        trackers=trackers,
        execution=executed,
    )


def _execution(execution: ExecutionOptions, run: RunOptions, workspace: Workspace) -> ExecutionPlan | None:
    """Return by whom texts are encoded; raises HarnessError for options that workers cannot do."""
    plan = execution.plan(workspace)
    if plan is None:
        return None
    name = f"--executor {plan.executor.name}"
    if run.isolate or run.timeout is not None:
        raise HarnessError(
            f"{'--isolate' if run.isolate else '--timeout'} goes with the local executor only",
            hint=f"a worker of {name} that ends costs no result: its unit is done again",
        )
    if run.throughput:
        raise HarnessError(
            f"--throughput: nothing is timed with {name}, whose workers share the machine",
            hint="`harness bench` times a model alone",
        )
    return plan


def _tasks(
    run: RunOptions, workspace: Workspace, faults: Faults, fatal: Faults
) -> tuple[list[SelectedTask], list[Suite]]:
    """Return the selected tasks, and the suites among the words that select them.

    faults: takes words that select nothing. fatal: takes errors of files, and of a selection of nothing.
    """
    from harness.tasks.selection import select_tasks

    config, selected, chosen = workspace.config, [], []
    with fatal.collect():
        tasks = workspace.tasks()
        suites = workspace.suites(tasks)
        wanted = split_words(run.tasks) or list(config.tasks)
        chosen = [suite for name, suite in suites.items() if name in wanted]
        selected = select_tasks(
            wanted,
            tasks,
            workspace.plugins.task_schemes(),
            split_words(run.exclude) or list(config.exclude),
            {name: suite.tasks for name, suite in suites.items()},
            faults,
        )
    return selected, chosen


def models_of(
    named: Sequence[str],
    model: ModelOptions,
    workspace: Workspace,
    faults: Faults,
    fatal: Faults,
    proofs: str = "",
) -> list[LocatedModel]:
    """Return the located models; one that cannot be located is there to become an ERROR on every task.

    proofs: folder of what was found of models before.
    faults: takes words that name no model. fatal: takes what two of them have in common.
    """
    from harness.models.locate import check_names, locate_model
    from harness.models.missing_model import MissingModel

    schemes, tables = workspace.plugins.model_schemes(), workspace.config.model_tables()
    located: list[LocatedModel] = []
    if not named:
        fatal.add(
            HarnessError(
                "no model", hint="--model minilm, or --model PATH; `harness list models` shows the schemes"
            )
        )
    for text in named:
        with faults.collect():
            for spec in model.specs(text, schemes, tables):
                try:
                    located.append(locate_model(replace(spec, proofs=proofs), schemes))
                except HarnessError as error:
                    located.append(MissingModel(spec, error))
    with fatal.collect():
        check_names(located)
    return located
