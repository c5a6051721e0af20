"""`harness plan`: what encoding and searching a corpus would take, from a bench of the device."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from harness.bench.cost.records import SEARCHED_AT_ONCE, CostQuestion
from harness.cli.groups import grouped
from harness.cli.usage import Choice
from harness.errors import HarnessError
from harness.models.storage import PRECISIONS
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.bench.cost.records import CostPlan
    from harness.bench.records import Bench

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_COUNT = re.compile(r"(?P<number>\d{1,15}(?:,\d{3})*(?:\.\d{1,9})?)(?P<unit>[kKMGB]?)")
_THOUSANDS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "B": 3}
_MOST = 10**15


def read_count(text: str, option: str) -> int:
    """Return a whole number from 1, such as `2500`, `10k`, `1.5M` or `100M`.

    option: what it is the value of. Raises HarnessError for anything else.
    """
    found = _COUNT.fullmatch(text.strip().replace("_", ""))
    if not found:
        raise HarnessError(f"{option} {text!r} is not a number", hint="such as 2500, 10k, 1.5M or 100M")
    whole, _, rest = found["number"].replace(",", "").partition(".")
    zeros = 3 * _THOUSANDS[found["unit"]]
    if rest.rstrip("0")[zeros:]:
        raise HarnessError(f"{option} {text!r} is not a whole number")
    count = int(whole + rest[:zeros].ljust(zeros, "0"))
    if not count:
        raise HarnessError(f"{option} {text}: there is nothing to plan", hint="from 1 on")
    if count > _MOST:
        raise HarnessError(f"{option} {text} is too many", hint=f"at most {_MOST:,}")
    return count


def _count_option(name: str, text: str, default: int | None = None, *, required: bool = False) -> Decorator:
    """Return an option whose value is a number as `read_count` takes it."""
    return click.option(
        name,
        metavar="N",
        default=None if default is None else str(default),
        show_default=default is not None,
        callback=lambda _context, _option, value: None if value is None else read_count(value, name),
        required=required,
        help=text,
    )


@click.command(name="plan")
@_count_option("--documents", "Documents of the corpus: 10k, 1M, 100M.", required=True)
@click.option(
    "--bench", "file", required=True, metavar="FILE", help="Record of `harness bench` on a worker's device."
)
@_count_option("--workers", "Workers of that device.", 1)
@click.option("--model", metavar="NAME", help="Which of the bench's variants, where it has several.")
@_count_option("--models", "Candidates, each as fast.", 1)
@_count_option("--queries", "Queries that are searched.", 1000)
@_count_option("--depth", "Documents kept of each ranking.", 100)
@click.option(
    "--tokens", type=float, metavar="N", help="Mean tokens of a document.  [default: the bench's documents]"
)
@click.option(
    "--query-tokens",
    type=float,
    metavar="N",
    help="Mean tokens of a query.  [default: the bench's short texts]",
)
@_count_option("--dimensions", "Dimensions that are searched.  [default: all of the model]")
@click.option(
    "--precision",
    type=Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="How embeddings are stored.",
)
@_count_option("--shard", "Documents that a worker holds and searches at once.", SEARCHED_AT_ONCE)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@grouped(question=CostQuestion)
def command(*, question: CostQuestion, file: str, model: str | None, as_json: bool) -> None:
    """Print what encoding and searching a corpus would take: time and memory, and what that rests on.

    \b
    harness bench --model minilm
    harness plan --documents 100M --workers 8 --bench results/local/bench/records/…/….json

    Nothing is loaded or measured: figures are those of the bench, in proportion. docs/cluster.md shows how
    well such predictions held.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.bench.cost.model import plan_cost
    from harness.cli.output import echo
    from harness.system.json_text import json_document

    plan = plan_cost(_read(file), question, model)
    if as_json:
        from harness.cli.documents import PlanDocument

        echo(json_document(PlanDocument(plan=plan)))
    else:
        _print(plan)


def _read(file: str) -> Bench:
    """Read the record of a bench; raises HarnessError for any other file."""
    from harness.bench.files import read

    path = user_path(file)
    if not path.is_file():
        raise HarnessError(
            f"no file {file}", hint="give a file of results/local/bench/records, which `harness bench` writes"
        )
    try:
        return read(path)
    except HarnessError as error:
        hint = (
            "give a file of results/local/bench/records: `harness bench` writes it, or `harness bench --json`"
        )
        raise HarnessError(error.message, exists=error.exists, hint=error.hint or hint) from error


def _print(plan: CostPlan) -> None:
    """Print the tables, and then what they rest on."""
    from harness.bench.cost.report import plan_tables
    from harness.cli.output import console, print_tables, tell

    target = console()
    print_tables(plan_tables(plan), target)
    for title, sentences in (
        ("taken for granted", plan.assumptions),
        ("beyond what was measured", plan.extrapolations),
        ("not in these figures", plan.left_out),
    ):
        tell(f"{title}:", target)
        for sentence in sentences:
            tell(f"- {sentence}", target)
