"""`harness bench`: measure throughput, models side by side."""

from __future__ import annotations

import datetime as dt
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.cli.groups import grouped
from harness.cli.options import (
    ModelOptions,
    OutputOptions,
    PluginOptions,
    model_options,
    out_folder,
    plugin_options,
)
from harness.errors import Faults, HarnessError
from harness.system.paths import shown_path, user_path
from harness.system.signals import Interrupted
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.bench.records import Bench
    from harness.bench.session import BenchPlan, BenchProgress, Variant
    from harness.cli.workspace import Workspace
    from harness.models.interface import LocatedModel, ModelScheme, ModelSpec
    from harness.plugins.loader import Plugins

DEFAULT_OUT = "results/local/bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What to measure, and how precisely."""

    models: tuple[str, ...]
    workloads: tuple[str, ...]
    budget: float
    margin: float
    against_itself: bool
    keep_going: bool


@click.command(name="bench")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[NAME=]MODEL",
    help="Folder, hub id or scheme, with settings of its own: fast=minilm,dtype=bfloat16. Repeatable.",
)
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="NAMES|FILE",
    help="short, medium, long, sts, documents, all, or a file with one text a line."
    "  [default: short,sts,documents]",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="For all measuring, without loading.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0.001, max=0.5),
    default=0.02,
    show_default=True,
    help="Relative half-width of an interval that is precise enough.",
)
@click.option("--against-itself", is_flag=True, help="Measure the first model twice: the noise floor.")
@click.option(
    "--keep-going",
    is_flag=True,
    help="Measure what can be; the rest is an ERROR.  [default: say all that is wrong, and do nothing]",
)
@click.option("--out", metavar="DIR", help=f"Folder of records.  [default: {DEFAULT_OUT}]")
@click.option("--pytest-json", metavar="FILE", help="Write all variants as one pytest-benchmark file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@model_options(several=("dtype", "backend"))
@plugin_options
@grouped(bench=BenchOptions, output=OutputOptions)
def command(
    *,
    bench: BenchOptions,
    model: ModelOptions,
    output: OutputOptions,
    pytest_json: str | None,
    plugins: PluginOptions,
) -> None:
    """Measure throughput: models, dtypes and backends side by side, each in a process of its own.

    \b
    harness bench --model minilm
    harness bench --model minilm --model ./candidate --dtype float32,bfloat16
    harness bench --model minilm --backend auto,plain --workload sts --against-itself

    Rounds of all variants alternate, so that what slows the machine slows all of them.
    Exit codes: 0 all measured (too noisy to decide is a result too), 2 something failed.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.bench.files import write
    from harness.bench.session import failed_variants, measure
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace
    from harness.results.folder import encode

    workspace = Workspace.open(plugins)
    plan = _plan(bench, model, workspace)
    out = out_folder(output.out or DEFAULT_OUT)
    pytest_file = user_path(pytest_json) if pytest_json else None
    now = dt.datetime.now(dt.UTC)
    try:
        with _show_progress() as progress:
            measured = measure(plan, progress, started=now.isoformat(timespec="seconds"))
    except KeyboardInterrupt as error:
        raise Interrupted.with_advice(error, "Nothing was written.") from error
    written = write(measured, out, f"{now:%Y%m%dT%H%M%S}-{os.getpid()}")
    if pytest_file:
        _write_pytest_json(measured, pytest_file)
    if output.as_json:
        echo(encode(measured).decode())
    else:
        _print(measured, written.record, workspace.plugins)
    if failed_variants(measured) or workspace.plugins.problems:
        sys.exit(2)


def _plan(bench: BenchOptions, model: ModelOptions, workspace: Workspace) -> BenchPlan:
    """Make the plan of a bench; raises HarnessError for every mistake of the user's, before any work."""
    from harness.bench.session import BenchPlan
    from harness.bench.workloads import DEFAULT, select_workloads
    from harness.models.storage import storage_settings

    faults, broken, workloads = Faults(), Faults(), []
    with faults.collect():
        workloads = select_workloads(split_words(bench.workloads) or DEFAULT)
    variants: list[Variant] = []
    with faults.collect():
        variants = _variants(bench.models or workspace.config.model_names(), model, workspace, broken)
    own = {name for variant in variants for name in storage_settings(variant.spec.settings)}
    if own & {"truncate_dim", "precision"} or model.truncate_dim or model.precision != ("float32",):
        faults.add(
            HarnessError(
                "bench measures encoding, which --truncate-dim and --precision do not change",
                hint="leave them out, in --model and [models.…] too; `harness run` evaluates with them",
            )
        )
    advice = "--keep-going measures the rest" if len(broken.found) < len(variants) else None
    if faults.found or not bench.keep_going or len(variants) == 1:
        for fault in broken.found:
            faults.add(fault)
        faults.refuse(hint=advice if len(faults.found) == len(broken.found) else None)
    return BenchPlan(
        variants=variants,
        workloads=workloads,
        plugins=tuple(str(user_path(file).absolute()) for file in workspace.plugin_files),
        margin=bench.margin,
        budget=bench.budget,
        against_itself=bench.against_itself,
    )


def _variants(
    named: Sequence[str], model: ModelOptions, workspace: Workspace, broken: Faults
) -> list[Variant]:
    """Make a variant of every model with every dtype and backend, labeled by what tells them apart.

    broken: takes the fault of each that cannot be used, as its process would find out again.
    Raises HarnessError for all that are no models.
    """
    from harness.bench.session import Variant

    if not named:
        raise HarnessError("no model", hint="--model minilm, or --model PATH")
    schemes, faults, specs = workspace.plugins.model_schemes(), Faults(), []
    tables = workspace.config.model_tables()
    for text in named:
        with faults.collect():
            specs.append(model.specs(text, schemes, tables))
    faults.refuse()
    varied = [name for name in ("dtype", "backend") if len(getattr(model, name)) > 1]
    variants = []
    for text, name, same in zip(named, _display_names(specs, schemes, broken), specs, strict=True):
        for spec in same:
            values = [str(getattr(spec.settings, setting)) for setting in varied]
            variants.append(Variant(" ".join([name or spec.name or text, *values]), spec))
    _check_labels([variant.label for variant in variants])
    return variants


def _write_pytest_json(bench: Bench, path: Path) -> None:
    from harness.bench.pytest_benchmark import pytest_benchmark
    from harness.results.folder import encode
    from harness.system.atomic import write_report

    write_report(path, encode(pytest_benchmark(bench, bench.variants)), "--pytest-json")


def _display_names(
    specs: Sequence[Sequence[ModelSpec]], schemes: Mapping[str, ModelScheme], broken: Faults
) -> list[str | None]:
    """Return the name to show of each model; None for one that cannot be located under any settings."""
    from harness.bench.remote import refuse_remote
    from harness.models.honor import refuse_settings
    from harness.models.known import is_remote
    from harness.models.locate import check_names, display_names, locate_model
    from harness.models.missing_model import MissingModel
    from harness.models.usable import check_usable

    models: list[LocatedModel | None] = []
    for same in specs:
        located = None
        for spec in same:
            try:
                if located is None:
                    located = locate_model(spec, schemes)
                    refuse_remote(located.name, remote=is_remote(located))
                    check_usable(located)
                else:  # the same content, which is not hashed again
                    refuse_settings(spec, schemes[spec.scheme].honors)
            except HarnessError as error:
                broken.add(error, f"model {MissingModel(spec, error).name}" if len(specs) > 1 else "")
        models.append(located)
    check_names([model for model in models if model])
    names = display_names([(model.name, model.fingerprint) for model in models if model])
    return [names[model.name, model.fingerprint] if model else None for model in models]


def _check_labels(labels: Sequence[str]) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise HarnessError(f"two variants are called {label!r}", hint="tell them apart: NAME=PATH")


@contextmanager
def _show_progress() -> Iterator[BenchProgress]:
    """Show the current step as a progress bar on standard error."""
    from rich.progress import BarColumn, SpinnerColumn, TimeElapsedColumn

    from harness.bench.session import BenchProgress
    from harness.cli.output import DescriptionColumn, progress_bar

    class Bar(BenchProgress):
        def step(self, what: str, done: float) -> None:
            progress.update(task, description=what, completed=done)

    with progress_bar(SpinnerColumn(), DescriptionColumn(), BarColumn(), TimeElapsedColumn()) as progress:
        task = progress.add_task("starting", total=1.0)
        yield Bar()


def _print(bench: Bench, record: Path, plugins: Plugins) -> None:
    from harness.bench.report import bench_tables, caveats
    from harness.cli.output import advise, console, print_tables, say, tell

    target = console()
    print_tables(bench_tables(bench), target)
    for sentence in caveats(bench):
        tell(sentence, target)
    for problem in plugins.problems:
        say(f"PROBLEM {problem}", target)
    advise(f"written: {shown_path(record)}", target)
