"""Words on the command line, as far as they are understood before any work begins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from fuzzing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fuzzing.mutators import Files
    from harness.cli.workspace import Workspace
    from harness.plugins.loader import Plugins


_SAID = """\
run --model base=lexical --model ./model --tasks sts,legal --exclude x --limit 9 --prompt query=q:
run --model lexical --tasks stsb --threads 2x1 --dtype float32 --max-seq-length 64 --truncate-dim \
    8,4 --precision int8,binary --no-cache
train --recipe sts-cosine --base ./model --set train.epochs=1 --column text1=left --seeds 1,2 \
    --out out
train --from-card card.md --data rows.csv --set loss.scale=20.0 --set data.columns.text1=a --out \
    out
train --from-card card.md --data rows.csv --set data.kind=pairs --set data.header=[] --set loss={} \
    --out out
check rows.csv --kind scored-pairs --column text1=left --tasks stsb --allow a-code,b --base \
    ./model
bench --model lexical --workload sts:64,short --dtype float32,bfloat16 --threads 2 --budget 5 \
    --margin 0.1
compare results --baseline base --candidate mine --margin 0.01 --metrics spearman --allow digest \
    --tasks sts
"""


def seeds() -> list[Files]:
    """Words on the command line, as a list; the first is the command."""
    files = {"card.md": written.cards()[0]["card.md"], "rows.csv": written.cards()[0]["rows.csv"]}
    return [{"words.json": json.dumps(line.split()).encode(), **files} for line in _SAID.splitlines()]


def understand(folder: Path, plugins: Plugins) -> None:
    """Read the words of `words.json` as the command that the first of them names would.

    What click itself refuses is refused well: its exceptions end here.
    """
    from harness.cli import _check_arguments

    try:
        words = json.loads((folder / "words.json").read_bytes())
    except (ValueError, OSError, RecursionError):
        return
    if not isinstance(words, list) or not words:
        return
    command, *given = [_word(str(word)) for word in words]
    if command in _COMMANDS:
        _check_arguments(given)
        try:
            _COMMANDS[command](_parsed(command, given), plugins)
        except click.ClickException as error:
            error.format_message()


def _word(text: str) -> str:
    """A word as a process gets it: no NUL, not too long, and what is no UTF-8 byte by byte."""
    return (
        text.replace("\0", "")[:100_000].encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    )


def _parsed(command: str, given: list[str]) -> dict[str, Any]:
    import importlib

    found: click.Command = importlib.import_module(f"harness.cli.{command}").command
    try:
        return found.make_context(command, given).params
    except click.exceptions.Exit as ended:  # --help
        raise click.ClickException("help") from ended


def _workspace(values: Mapping[str, Any], plugins: Plugins) -> Workspace:
    from harness.cli.config import Config
    from harness.cli.workspace import Workspace

    return Workspace(config=Config(), plugins=plugins, task_files=values["task_files"])


def _run(values: Mapping[str, Any], plugins: Plugins) -> None:
    from harness.cli.execution_options import ExecutionOptions
    from harness.cli.groups import read_options
    from harness.cli.options import CacheOptions, ModelOptions
    from harness.cli.run_plan import RunOptions, run_plan

    groups = (RunOptions, ModelOptions, CacheOptions, ExecutionOptions)
    options = (read_options(group, values) for group in groups)
    run_plan(*options, _workspace(values, plugins), "out")


def _bench(values: Mapping[str, Any], plugins: Plugins) -> None:
    from harness.cli.bench import BenchOptions, _plan
    from harness.cli.groups import read_options
    from harness.cli.options import ModelOptions

    options = (read_options(group, values) for group in (BenchOptions, ModelOptions))
    _plan(*options, _workspace(values, plugins))


def _check(values: Mapping[str, Any], plugins: Plugins) -> None:
    from harness.checks import check_input_from_path
    from harness.cli.check import InputOptions, _check_options
    from harness.cli.groups import read_options

    options = _check_options(read_options(InputOptions, values), _workspace(values, plugins))
    for path in values["paths"]:
        check_input_from_path(path, options)


def _train(values: Mapping[str, Any], plugins: Plugins) -> None:
    from harness.cli.groups import read_options
    from harness.cli.train_plan import RecipeOptions, _recipe, _seeds
    from harness.tasks.data_choice import data_path

    if values["seeds"]:
        _seeds(values["seeds"])
    _recipe(read_options(RecipeOptions, values), plugins, data_path(values["data"]))


def _compare(values: Mapping[str, Any], plugins: Plugins) -> None:
    from harness.cli.compare import _format_of
    from harness.cli.groups import read_options
    from harness.comparison.request import (
        GateOptions,
        PairOptions,
        ScopeOptions,
        compare_options,
        model_pairs,
    )
    from harness.results.unreadable import Unreadable

    for file in values["files"]:
        _format_of(file)
    scope, gate = read_options(ScopeOptions, values), read_options(GateOptions, values)
    compare_options(scope, gate, plugins.tasks(), {}, [], matrix=values["all_pairs"])
    model_pairs(read_options(PairOptions, values), Unreadable())


_COMMANDS: dict[str, Callable[[Mapping[str, Any], Plugins], None]] = {
    "run": _run, "bench": _bench, "check": _check, "train": _train, "compare": _compare
}  # fmt: skip
