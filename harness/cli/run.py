"""`harness run`: evaluate models on tasks; write results and a leaderboard."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import (
    cache_limit,
    model_options,
    out_folder,
    plugin_options,
    plugins_from,
    settings_from,
    tasks_from,
    words,
)
from harness.errors import HarnessError
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cli.config import Config
    from harness.evaluation.isolate import SubprocessEvaluator
    from harness.evaluation.journal import RunRequest
    from harness.evaluation.run import RunOutcome, RunPlan
    from harness.models.interface import LocatedModel, ModelScheme, ModelSpec
    from harness.plugins.loader import Plugins
    from harness.results.folder import Results

DEFAULT_OUT = "results/local"


@click.command(name="run", short_help="Evaluate models on tasks; write results and a leaderboard.")
@click.option(
    "--model", "models", multiple=True, metavar="[NAME=]MODEL", help="Folder, hub id or scheme; repeatable."
)
@click.option("--tasks", multiple=True, metavar="NAMES", help="Names and tags of tasks, separated by commas.")
@click.option("--exclude", multiple=True, metavar="NAMES", help="Names and tags to leave out.")
@click.option(
    "--data",
    metavar="DIR",
    envvar="HARNESS_DATA",
    help="Folder with the real data (or HARNESS_DATA); `sample` (default) for the shipped samples.",
)
@click.option("--out", metavar="DIR", help=f"Results folder.  [default: {DEFAULT_OUT}]")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N examples: a quick look.")
@click.option("--throughput/--no-throughput", default=True, help="Time encoding after the evaluation.")
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
    help="What it may take (or HARNESS_CACHE_SIZE).  [default: 20GiB, or a tenth of a smaller disk]",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write cached embeddings.")
@click.option("--isolate", is_flag=True, help="Each model in a process of its own: a crash costs one result.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For loading a model and for each task; more is an ERROR. Implies --isolate.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
@model_options
@plugin_options
def command(**options: Any) -> None:  # noqa: ANN401 - click's values, read below
    """Evaluate models on tasks; write results and a leaderboard.

    \b
    harness run --model minilm --tasks sts,legal
    harness run --model base=minilm --model ./candidates/nda --tasks legal --data data/

    Finished results are kept: the same command continues after an interruption.
    Exit codes: 0 all evaluated, 2 something failed (ERROR in the table).
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.config import read_config
    from harness.evaluation.journal import RunRequest
    from harness.results.folder import Results

    config = read_config(Path.cwd())
    plugins = plugins_from(options["plugin_files"], config)
    plan = _plan(options, config, plugins)
    asked = RunRequest.of(
        plan,
        plugins=(*config.plugins, *options["plugin_files"]),
        task_files=(*config.task_files, *options["task_files"]),
    )
    results = Results(out_folder(options["out"] or config.out or DEFAULT_OUT))
    outcome = _evaluate(plan, asked, results, _evaluator(options, config))
    _print(results, outcome, plugins, as_json=options["as_json"])
    if outcome.failed or outcome.problems or plugins.problems:
        sys.exit(2)


def _plan(options: dict[str, Any], config: Config, plugins: Plugins) -> RunPlan:
    """Turn what was asked into a plan; everything a user can get wrong is found here, before any work."""
    from harness.evaluation.run import RunPlan
    from harness.models.locate import check_names, parse_model
    from harness.tasks.selection import select_tasks

    if options["cache"] and options["no_cache"]:
        raise HarnessError("--cache and --no-cache contradict each other", hint="leave one out")
    named = list(options["models"]) or list(config.models)
    if not named:
        raise HarnessError(
            "no model", hint="--model minilm, or --model PATH; `harness list models` shows the schemes"
        )
    tasks = select_tasks(
        words(options["tasks"]) or list(config.tasks),
        tasks_from(plugins, options["task_files"], config),
        plugins.task_schemes(),
        words(options["exclude"]) or list(config.exclude),
    )
    schemes, settings = plugins.model_schemes(), settings_from(options)
    models = _located(
        [parse_model(text, schemes, settings, threads=options["threads"]) for text in named], schemes
    )
    check_names(models)
    return RunPlan(
        models=models,
        tasks=tasks,
        data=_data_folder(options["data"] or config.data),
        limit=options["limit"],
        fresh=options["fresh"],
        cache=None if options["no_cache"] else _cache_folder(options["cache"], config),
        cache_size=cache_limit(options["cache_size"], config),
        throughput=options["throughput"],
    )


def _located(specs: Sequence[ModelSpec], schemes: Mapping[str, ModelScheme]) -> list[LocatedModel]:
    """Locate models; of several, one that cannot be located will be an ERROR on every task.

    Raises HarnessError where the only one cannot be located: there is nothing else to do.
    """
    from harness.models.locate import locate_model
    from harness.models.missing import MissingModel

    located: list[LocatedModel] = []
    for spec in specs:
        try:
            located.append(locate_model(spec, schemes))
        except HarnessError as error:
            if len(specs) == 1:
                raise
            located.append(MissingModel(spec, error))
    return located


def _data_folder(given: str | None) -> Path | None:
    if given is None or given == "sample":
        return None
    folder = user_path(given)
    if not folder.is_dir():
        raise HarnessError(
            f"no data folder {given}", hint="--data sample uses the samples that the project ships"
        )
    return folder


def _cache_folder(given: str | None, config: Config) -> Path | None:
    from harness.encoding.cache_folder import default_folder

    return user_path(given) if given else default_folder(config.cache)


def _evaluator(options: dict[str, Any], config: Config) -> SubprocessEvaluator | None:
    """Evaluate in processes of their own, where that is asked for."""
    if not options["isolate"] and options["timeout"] is None:
        return None
    from harness.evaluation.isolate import SubprocessEvaluator

    return SubprocessEvaluator(
        plugin_files=(*config.plugins, *options["plugin_files"]),
        task_files=(*config.task_files, *options["task_files"]),
        timeout=options["timeout"],
    )


def _evaluate(
    plan: RunPlan, asked: RunRequest, results: Results, apart: SubprocessEvaluator | None
) -> RunOutcome:
    """Evaluate and publish; what is finished is published too when this is cut off."""
    from harness.cli.output import show_progress
    from harness.evaluation.journal import keep_journal
    from harness.evaluation.run import run_plan
    from harness.results.publish import publish
    from harness.system.environment import current_environment

    started = dt.datetime.now(dt.UTC)
    environment = current_environment(started.isoformat(timespec="microseconds"))
    name = f"{started:%Y%m%d-%H%M%S.%f}-{os.getpid()}"
    head = {**asdict(environment), "data": str(plan.data) if plan.data else "sample"}
    with keep_journal(results, name, asked, head) as did:
        try:
            with show_progress() as watcher:
                outcome = run_plan(plan, results, watcher, apart)
        finally:
            unreadable = publish(results)
        outcome.problems += unreadable
        did.update(_run_log(outcome))
    return outcome


def _run_log(outcome: RunOutcome) -> dict[str, Any]:
    """What a run did, for whoever wonders later."""
    return {
        "evaluations": [
            {
                "model": one.candidate.model,
                "fingerprint": one.candidate.fingerprint,
                "task": one.examination.task,
            }
            | {"status": one.status, "key": one.key}
            for one in outcome.evaluations
        ],
        "threads": outcome.threads,
        "reused": outcome.reused,
        "skipped": outcome.skipped,
    }


def _print(results: Results, outcome: RunOutcome, plugins: Plugins, *, as_json: bool) -> None:
    """Print what this run was asked for: a table for people, or JSON for programs."""
    from harness.cli.output import console, print_tables, say
    from harness.results.leaderboard import boards, records
    from harness.results.tables import models_table, task_tables

    if as_json:
        rows = [asdict(record) for record in records(outcome.evaluations)]
        problems = [*plugins.problems, *outcome.problems]
        click.echo(json.dumps({"records": rows, "skipped": outcome.skipped, "problems": problems}, indent=1))
        return
    ranked = boards(outcome.evaluations)
    target = console()
    print_tables([models_table(ranked, results.throughputs()), *task_tables(ranked)], target)
    if any(one.examination.data == "sample" and one.status == "ok" for one in outcome.evaluations):
        target.print("Samples are small and illustrative. Real data: --data DIR (docs/data.md).")
    if outcome.reused:
        target.print(
            f"{outcome.reused} results kept from before: same model, data and settings (--fresh recomputes)."
        )
    for one in outcome.failed:
        trace = results.trace_path(one)
        if trace.is_file():
            say(f"traceback of {one.examination.task}: {trace}", target)
    for problem in [*plugins.problems, *outcome.problems]:
        say(f"PROBLEM {problem}", target)
    say(f"written: {results.root / 'leaderboard.csv'}", target)
