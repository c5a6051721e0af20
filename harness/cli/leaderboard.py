"""`harness leaderboard`: merge result folders and rank what is comparable."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.records import Evaluation, Examination, Throughput

    Identity = tuple[str, str]


@click.command(name="leaderboard", short_help="Merge result folders and rank what is comparable.")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "md", "json"]), default="table", show_default=True
)
def command(folders: tuple[str, ...], form: str) -> None:
    """Merge result folders and rank, task by task, the models that were asked the same.

    Models whose data, split, task version or limit differ are not ranked, and the reason is said.
    Where two folders hold the same model and task with different results, that is an error.
    """
    from harness.grid import grids, models_grid, to_markdown
    from harness.leaderboard import boards, records, to_csv

    evaluations, throughputs = _merged([Path(folder) for folder in folders])
    if form == "csv":
        click.echo(to_csv(records(evaluations)), nl=False)
    elif form == "json":
        click.echo(json.dumps([asdict(record) for record in records(evaluations)], indent=1))
    elif form == "md":
        click.echo(to_markdown(grids(boards(evaluations))), nl=False)
    else:
        from harness.cli.show import console, print_grids

        ranked = boards(evaluations)
        print_grids([models_grid(ranked, throughputs), *grids(ranked)], console())


def _merged(folders: list[Path]) -> tuple[list[Evaluation], list[Throughput]]:
    """Read all folders; the same result in two of them counts once, and a success more than a failure."""
    from harness.results import Results

    merged: dict[tuple[Identity, Examination], Evaluation] = {}
    throughputs: dict[Identity, Throughput] = {}
    for folder in folders:
        results = Results(folder)
        found = results.evaluations()
        if not found:
            raise HarnessError(f"no results in {folder}", hint="give a folder that `harness run --out` wrote")
        for one in found:
            place = one.model, one.examination
            known = merged.get(place)
            if known is None or known.status == "error":
                merged[place] = one
            elif one.status == "ok" and (one.predictions, one.scores) != (known.predictions, known.scores):
                raise HarnessError(
                    f"{folder} holds another result of {one.candidate.model} for {one.examination.task}",
                    exists=f"settings: {one.candidate.settings}\nbefore: {known.candidate.settings}",
                    hint="another device, machine or library? give it a name of its own: --model NAME=MODEL",
                )
        throughputs |= {(one.model, one.fingerprint): one for one in results.throughputs()}
    return list(merged.values()), list(throughputs.values())
