"""`harness bench`: throughput as its own measurement."""

from __future__ import annotations

import datetime as dt
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import model_options, out_folder, plugin_options, plugins_from, settings_from, words
from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.system.signals import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.bench.records import Bench
    from harness.bench.session import BenchPlan, BenchProgress, Variant
    from harness.cli.config import Config
    from harness.models.interface import LocatedModel, ModelScheme, ModelSpec, Settings
    from harness.plugins.loader import Plugins

DEFAULT_OUT = "results/local/bench"
DTYPES = ("float32", "bfloat16", "float16", "int8")


def _several(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Take away shared options of which `bench` takes several values, to be declared again."""

    def without(command: Callable[..., Any]) -> Callable[..., Any]:
        # Where click keeps what decorators declared, until the command is made.
        declared: list[click.Parameter] = command.__click_params__  # type: ignore[attr-defined]
        command.__click_params__ = [one for one in declared if one.name not in names]  # type: ignore[attr-defined]
        return command

    return without


@click.command(name="bench", short_help="Measure throughput, models side by side.")
@click.option(
    "--model", "models", multiple=True, metavar="[NAME=]MODEL", help="Folder, hub id or scheme; repeatable."
)
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="NAMES|FILE",
    help="short, medium, long, sts, documents, all, or a file with one text a line."
    "  [default: short,sts,documents]",
)
@click.option("--dtype", "dtypes", multiple=True, metavar="NAMES", help=f"Of {', '.join(DTYPES)}; several.")
@click.option("--backend", "backends", multiple=True, metavar="NAMES", help="auto or backends; several.")
@click.option(
    "--budget",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="For all measuring, loading apart.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0.001, max=0.5),
    default=0.02,
    show_default=True,
    help="Relative half-width of an interval that is precise enough.",
)
@click.option("--against-itself", is_flag=True, help="Measure the first model twice: the noise floor.")
@click.option("--out", metavar="DIR", help=f"Folder of records.  [default: {DEFAULT_OUT}]")
@click.option("--pytest-json", metavar="FILE", help="Write all variants as one pytest-benchmark file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@_several("dtype", "backend")
@model_options
@plugin_options
def command(**options: Any) -> None:  # noqa: ANN401 - click's values, read below
    """Measure throughput: models, dtypes and backends side by side, each in a process of its own.

    \b
    harness bench --model minilm
    harness bench --model minilm --model ./candidate --dtype float32,bfloat16
    harness bench --model minilm --backend auto,plain --workload sts --against-itself

    Rounds of all variants alternate, so that what slows the machine slows all of them.
    Exit codes: 0 all measured (too noisy to say is an answer), 2 something failed.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.bench.files import write
    from harness.bench.session import failed, measure
    from harness.cli.config import read_config
    from harness.cli.output import echo
    from harness.results.folder import encode
    from harness.system.atomic import write_atomically

    config = read_config(Path.cwd())
    plugins = plugins_from(options["plugin_files"], config)
    plan = _plan(options, config, plugins)
    out = out_folder(options["out"] or DEFAULT_OUT)
    now = dt.datetime.now(dt.UTC)
    try:
        with _show_progress() as watcher:
            bench = measure(plan, watcher, started=now.isoformat(timespec="seconds"))
    except KeyboardInterrupt as error:
        raise Interrupted.telling(error, "Nothing was written.") from error
    written = write(bench, out, f"{now:%Y%m%dT%H%M%S}-{os.getpid()}")
    if options["pytest_json"]:
        from harness.bench.pytest_benchmark import pytest_benchmark

        write_atomically(Path(options["pytest_json"]), encode(pytest_benchmark(bench, bench.variants)))
    if options["as_json"]:
        echo(encode(bench).decode())
    else:
        _print(bench, written.record, plugins)
    if failed(bench) or plugins.problems:
        sys.exit(2)


def _plan(options: Mapping[str, Any], config: Config, plugins: Plugins) -> BenchPlan:
    """Turn what was asked into a plan; everything a user can get wrong is found here, before any work."""
    from harness.bench.session import BenchPlan
    from harness.bench.workloads import DEFAULT, select_workloads

    return BenchPlan(
        variants=_variants(options, config, plugins),
        workloads=select_workloads(words(options["workloads"]) or DEFAULT),
        plugins=tuple(
            str(user_path(file).absolute()) for file in (*config.plugins, *options["plugin_files"])
        ),
        margin=options["margin"],
        budget=options["budget"],
        against_itself=options["against_itself"],
    )


def _variants(options: Mapping[str, Any], config: Config, plugins: Plugins) -> list[Variant]:
    """Every model with every dtype and backend asked for; named by what tells them apart.

    Of several, one that cannot be located will be an ERROR, as its process finds out again; the only one
    raises HarnessError at once.
    """
    from harness.bench.session import Variant
    from harness.models.locate import parse_model

    named = list(options["models"]) or list(config.models)
    if not named:
        raise HarnessError("no model", hint="--model minilm, or --model PATH")
    schemes, ways = plugins.model_schemes(), _settings(options)
    several = [what for what in ("dtype", "backend") if len({getattr(one, what) for one in ways}) > 1]
    specs = [
        [parse_model(text, schemes, settings, threads=options["threads"]) for settings in ways]
        for text in named
    ]
    variants = []
    for text, name, same in zip(named, _display_names(named, specs, schemes), specs, strict=True):
        for spec in same:
            told = [str(getattr(spec.settings, what)) for what in several]
            variants.append(Variant(" ".join([name or spec.name or text, *told]), spec))
    _check_labels([one.label for one in variants])
    return variants


def _display_names(
    named: Sequence[str], specs: Sequence[Sequence[ModelSpec]], schemes: Mapping[str, ModelScheme]
) -> list[str | None]:
    """What each model is called; None for one that cannot be located under any settings."""
    from harness.models.locate import check_names, display_names, locate_model

    found: list[LocatedModel | None] = []
    for same in specs:
        located = None
        for spec in same:
            try:
                located = located or locate_model(spec, schemes)
            except HarnessError:
                if len(named) * len(same) == 1:
                    raise
        found.append(located)
    check_names([one for one in found if one])
    shown = display_names([(one.name, one.fingerprint) for one in found if one])
    return [shown[one.name, one.fingerprint] if one else None for one in found]


def _check_labels(labels: Sequence[str]) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise HarnessError(f"two variants are called {label!r}", hint="tell them apart: NAME=PATH")


def _settings(options: Mapping[str, Any]) -> list[Settings]:
    """Settings of every dtype with every backend; raises HarnessError for one that does not exist."""
    from harness.models.backends import BACKENDS

    dtypes = words(options["dtypes"]) or ["float32"]
    backends = words(options["backends"]) or ["auto"]
    for what, given, known in (("dtype", dtypes, DTYPES), ("backend", backends, ("auto", *BACKENDS))):
        for name in given:
            if name not in known:
                raise HarnessError.unknown(what, name, known)
    return [
        settings_from({**options, "dtype": dtype, "backend": backend})
        for dtype in dict.fromkeys(dtypes)
        for backend in dict.fromkeys(backends)
    ]


@contextmanager
def _show_progress() -> Iterator[BenchProgress]:
    """Show progress on standard error; it vanishes at the end, and when piped."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TimeElapsedColumn

    from harness.cli.output import DescriptionColumn, console

    class Bar:
        def step(self, what: str, done: float) -> None:
            progress.update(task, description=what, completed=done)

    columns = (SpinnerColumn(), DescriptionColumn(), BarColumn(), TimeElapsedColumn())
    target = console(err=True)
    with Progress(*columns, console=target, transient=True, disable=not target.is_terminal) as progress:
        task = progress.add_task("starting", total=1.0)
        yield Bar()


def _print(bench: Bench, record: Path, plugins: Plugins) -> None:
    from harness.bench.report import caveats, grids
    from harness.cli.output import console, print_tables, say

    target = console()
    print_tables(grids(bench), target)
    _say_all([*caveats(bench), *(f"PROBLEM {one}" for one in plugins.problems)], target)
    say(f"written: {record}", target)


def _say_all(sentences: Sequence[str], target: Any) -> None:  # noqa: ANN401 - rich's console
    from harness.cli.output import say

    for sentence in sentences:
        say(sentence, target)
