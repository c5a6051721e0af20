"""`harness run`: evaluate models on tasks; write results and a leaderboard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from harness.cli.execution_options import ExecutionOptions, execution_options
from harness.cli.groups import grouped
from harness.cli.options import (
    CacheOptions,
    ModelOptions,
    OutputOptions,
    PluginOptions,
    model_options,
    out_folder,
    plugin_options,
)
from harness.cli.report_file import ReportFile, report_option
from harness.cli.run_plan import RunOptions, run_plan
from harness.cli.usage import is_verbose
from harness.render import plural
from harness.system.paths import shown_path
from harness.system.signals import Interrupted
from harness.tasks.data_choice import shown_data
from harness.tasks.interface import HUB

if TYPE_CHECKING:
    from harness.cli.workspace import Workspace
    from harness.evaluation.isolate import SubprocessEvaluator
    from harness.evaluation.runner import RunOutcome, RunPlan
    from harness.plugins.loader import Plugins
    from harness.results.folder import ResultsFolder

DEFAULT_OUT = "results/local"

_CONTINUE = "Finished results are on disk: the same command continues from there."


@click.command(name="run")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[NAME=]MODEL",
    help="Folder, hub id or scheme, with settings of its own: small=minilm,truncate_dim=128. Repeatable.",
)
@click.option(
    "--tasks", multiple=True, metavar="NAMES", help="Names of tasks, tags and suites, separated by commas."
)
@click.option("--exclude", multiple=True, metavar="NAMES", help="Names, tags and suites to leave out.")
@click.option(
    "--data",
    metavar="DIR|hub",
    envvar="HARNESS_DATA",
    help="Folder with the real data (or HARNESS_DATA); `hub` for public copies on the Hugging Face hub;"
    " `sample` (default) for the shipped samples.",
)
@click.option("--out", metavar="DIR", help=f"Results folder.  [default: {DEFAULT_OUT}]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="A sample of whole clusters, at most N examples: a quick look.",
)
@click.option(
    "--no-texts/--texts",
    "no_texts",
    default=None,
    help="Keep the texts of rows out of all results (docs/data.md).  [default: --texts]",
)
@click.option(
    "--throughput/--no-throughput",
    default=None,
    help="Time encoding after the evaluation.  [default: of models on this machine]",
)
@click.option(
    "--fresh", is_flag=True, help="Compute again what is there already, cached embeddings included."
)
@click.option(
    "--cache",
    metavar="DIR",
    help="Folder that keeps embeddings for later runs (or HARNESS_CACHE).  [default: ~/.cache/harness]",
)
@click.option(
    "--cache-size",
    metavar="SIZE",
    help="Maximum size of the cache (or HARNESS_CACHE_SIZE).  [default: 20GiB, or a tenth of a smaller disk]",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write cached embeddings.")
@click.option(
    "--keep-going",
    is_flag=True,
    help="Evaluate what can be; the rest is an ERROR.  [default: say all that is wrong, and do nothing]",
)
@click.option(
    "--track",
    multiple=True,
    metavar="NAME",
    help="Send results to a tracker: mlflow, wandb, or a plugin's (docs/integrations.md). Repeatable.",
)
@click.option("--isolate", is_flag=True, help="Each model in a process of its own: a crash costs one result.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For loading a model and for each task; more is an ERROR. Implies --isolate.",
)
@click.option(
    "--details",
    is_flag=True,
    help="Show all metrics, with all intervals; of more than three models, headline scores alone otherwise.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
@execution_options
@report_option
@model_options()
@plugin_options
@grouped(run=RunOptions, cache=CacheOptions, output=OutputOptions)
def command(
    *,
    run: RunOptions,
    model: ModelOptions,
    cache: CacheOptions,
    output: OutputOptions,
    execution: ExecutionOptions,
    details: bool,
    report_file: str | None,
    plugins: PluginOptions,
) -> None:
    """Evaluate models on tasks; write results and a leaderboard.

    \b
    harness run --model minilm --tasks sts,legal
    harness run --model base=minilm --model ./candidates/nda --tasks legal --data data/

    Rows, models and settings are looked at before anything is encoded: what is wrong is listed
    at once, and nothing is done.
    Finished results are kept: the same command continues after an interruption.
    Exit codes: 0 all evaluated, 2 something failed (ERROR in the table).
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.workspace import Workspace
    from harness.evaluation.without_texts import refuse_to_add_texts
    from harness.results.folder import ResultsFolder

    workspace = Workspace.open(plugins)
    out = output.out or workspace.config.out or DEFAULT_OUT
    plan = run_plan(run, model, cache, execution, workspace, out)
    results = ResultsFolder(out_folder(out))
    report = ReportFile.if_named(report_file, workspace)
    if not plan.no_texts and run.no_texts is None:
        refuse_to_add_texts(results)
    if is_verbose():
        _show_plan(plan, results)
    try:
        outcome = _evaluate(plan, results, workspace, _evaluator(run, workspace))
        _print(results, outcome, workspace.plugins, as_json=output.as_json, details=details)
        if report is not None:
            _report(report, out, plan, workspace)
    except KeyboardInterrupt as error:
        raise Interrupted.with_advice(error, _CONTINUE) from error
    if outcome.failed or outcome.problems or workspace.plugins.problems:
        sys.exit(2)


def _report(report: ReportFile, out: str, plan: RunPlan, workspace: Workspace) -> None:
    """Write the page of the whole results folder, as `harness report` does."""
    from harness.cli.output import advise, console, show_progress
    from harness.report.collect import collect
    from harness.report.request import ReportRequest

    request = ReportRequest(
        folders=(out,),
        texts=not plan.no_texts,
        data=str(plan.data) if plan.data not in (None, HUB) else None,
        plugin_files=workspace.plugin_files,
        task_files=workspace.task_files,
    )
    tasks = workspace.tasks()
    with show_progress() as progress:
        content = collect(request, tasks, workspace.suites(tasks), progress=progress)
    said = report.write(content)
    advise(said, console(err=True))  # standard output may be JSON


def _show_plan(plan: RunPlan, results: ResultsFolder) -> None:
    """Print what is evaluated, and what is read and written: `-v`."""
    from harness.cli.output import detail

    for model in plan.models:
        detail(f"model {model.name}: fingerprint {model.fingerprint[:8]}")
    detail(f"tasks: {', '.join(selected.task.name for selected in plan.tasks)}")
    detail(f"data: {shown_data(plan.data) or 'the samples of plugins'}")
    detail(f"cache of embeddings: {shown_path(plan.cache) if plan.cache else 'none'}")
    detail(f"results: {shown_path(results.root)}")


def _evaluator(run: RunOptions, workspace: Workspace) -> SubprocessEvaluator | None:
    """Return the evaluator of `--isolate`, which `--timeout` implies; None to evaluate in this process."""
    if not run.isolate and run.timeout is None:
        return None
    from harness.evaluation.isolate import SubprocessEvaluator

    return SubprocessEvaluator(
        plugin_files=workspace.plugin_files, task_files=workspace.task_files, timeout=run.timeout
    )


def _evaluate(
    plan: RunPlan, results: ResultsFolder, workspace: Workspace, evaluator: SubprocessEvaluator | None
) -> RunOutcome:
    from harness.cli.output import show_progress
    from harness.evaluation.publish_run import publish_run

    with show_progress() as progress:
        return publish_run(
            plan,
            results,
            progress,
            plugins=workspace.plugin_files,
            task_files=workspace.task_files,
            evaluator=evaluator,
        )


def _print(
    results: ResultsFolder, outcome: RunOutcome, plugins: Plugins, *, as_json: bool, details: bool
) -> None:
    """Print the results of this run: tables for people, or JSON for programs."""
    from harness.cli.documents import RunDocument
    from harness.cli.output import advise, console, echo, print_tables, say
    from harness.results.headlines import headline_table, shows_headlines_alone
    from harness.results.leaderboard import boards, leaderboard_rows
    from harness.results.tables import models_table, task_tables
    from harness.system.json_text import json_document

    if as_json:
        document = RunDocument(
            records=tuple(leaderboard_rows(outcome.evaluations)),
            skipped=tuple(outcome.skipped),
            problems=(*plugins.problems, *outcome.problems),
        )
        echo(json_document(document))
        return
    ranked = boards(outcome.evaluations)
    target = console()
    alone = shows_headlines_alone(ranked, details=details)
    of_tasks = [headline_table(ranked)] if alone else task_tables(ranked, details=details)
    print_tables([models_table(ranked, results.throughputs(), details=details), *of_tasks], target)
    if any(record.examination.data == "sample" and record.status == "ok" for record in outcome.evaluations):
        advise("Samples are small and illustrative. Real data: --data DIR (docs/data.md).", target)
    if outcome.reused:
        kept = plural(outcome.reused, "result")
        advise(f"{kept} kept from before: same model, data and settings (--fresh recomputes).", target)
    for failure in outcome.failed:
        trace = results.trace_path(failure)
        if trace.is_file():
            say(f"traceback of {failure.examination.task}: {shown_path(trace)}", target)
    for problem in [*plugins.problems, *outcome.problems]:
        say(f"PROBLEM {problem}", target)
    advise(f"written: {shown_path(results.root / 'leaderboard.csv')}", target)
