"""The figures of docs/cluster.md, written from what was measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.cost.lines import (
    error,
    planned,
    predicted,
    residual,
    sizes,
    slope,
    speed_by_bench,
    spread,
)
from harness.bench.cost.model import plan_cost
from harness.bench.cost.records import CostQuestion
from harness.bench.cost.report import shown_bytes, shown_seconds
from harness.bench.cost.words import two_digits
from harness.bench.records import Bench
from harness.render import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.cost.lines import Size

    Found = Mapping[str, Any]

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "cost.json"
BENCH = ROOT / "benchmarks" / "results" / "cost-bench.json"
"""The bench that the page plans from, as `harness bench` writes it."""
COMMAND = "harness plan --documents 100M --workers 8 --bench benchmarks/results/cost-bench.json"
WIDTH = 100
"""Columns of what the page shows: as into a pipe."""
PAGE = ROOT / "docs" / "cluster.md"
_MIB = 1 << 20


def written(page: str) -> str:
    """Return a page with each block of figures as it was measured."""
    found = {**json.loads(RESULT.read_bytes()), "bench": json.loads(BENCH.read_bytes())}
    blocks: dict[str, Callable[[Found], Iterator[str]]] = {
        "cost-where": where_block,
        "cost-encode": encode_block,
        "cost-search": search_block,
        "cost-spread": spread_block,
        "cost-devices": devices_block,
        "cost-plan": plan_block,
    }
    for name, block in blocks.items():
        place = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = "\n".join(_wrapped(line) for line in block(found))
        page = place.sub(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", page)  # type: ignore[misc]
    return page


def _wrapped(line: str) -> str:
    """Return a sentence on lines of the page's width; a row of a table, and a command's output, as it is."""
    if line.startswith(("|", "`")) or "\n" in line:
        return line
    return textwrap.fill(line, 130, break_long_words=False, break_on_hyphens=False)


def where_block(found: Found) -> Iterator[str]:
    """Yield on which machine it was measured, and how much else that did."""
    here = found["environment"]
    runs = [run for each in found.values() if isinstance(each, list) for run in each]
    runs += [
        *found["side-by-side"]["alone"],
        *(run for pair in found["side-by-side"]["both"] for run in pair),
    ]
    loads = [run["load"] for run in runs]
    yield (
        f"Measured on {here['processor']}, {here['cores']} cores, torch {here['libraries']['torch']};"
        f" each process on one core, beside other work (load {min(loads):.0f} – {max(loads):.0f}):"
        " seconds are several times processor seconds, and errors are by the latter."
    )


def plan_block(_found: Found) -> Iterator[str]:
    """Yield what `harness plan` prints into a pipe."""
    environment = os.environ | {"COLUMNS": str(WIDTH)}
    ran = subprocess.run(
        [sys.executable, "-m", *COMMAND.split()],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    yield f"```console\n$ {COMMAND}\n```\n\n```"
    yield f"{ran.stdout.decode().rstrip()}\n```"


def encode_block(found: Found) -> Iterator[str]:
    """Yield the table of encoding, and how well the small sizes predict the large ones."""
    yield "| model | texts | seconds | processor seconds | by the two smallest | error | peak | grown by |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for kind, model in (("encode", "minilm"), ("tiny", "tiny, 32 dimensions")):
        measured = sizes(found, kind)
        for at, size in enumerate(measured):
            grown = f"{size.peak_mib - size.before_mib:.0f} MiB"
            yield _row(model, size, _guess(measured[:2], size) if at > 1 else ["", ""], grown)
    yield ""
    yield _encode_sentences(found)


def _row(first: str, size: Size, guess: Sequence[str], *more: str) -> str:
    seconds = [two_digits(size.seconds), _cpu(size.cpu_seconds)]
    cells = [first, f"{size.count:,}", *seconds, *guess, f"{size.peak_mib:,.0f} MiB", *more]
    return f"| {' | '.join(cells)} |"


def _guess(small: Sequence[Size], size: Size) -> list[str]:
    guess = predicted(small, size.count)
    return [_cpu(guess), f"{error(guess, size.cpu_seconds):+.0%}"]


def _cpu(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"


def _encode_sentences(found: Found) -> str:
    measured = sizes(found, "encode")
    of_text, tokens = speed_by_bench(found["bench"], "texts")
    run = measured[-1].runs[0]
    guess = of_text * run["texts"] * run["tokens_per_text"] / tokens
    _, steep = slope([(size.count, size.peak_mib - size.before_mib) for size in sizes(found, "tiny")])
    return (
        f"The line through all sizes of `minilm` leaves at most {percent(residual(measured), 1)} of the"
        f" largest one's processor seconds. `harness bench` on 256 of them ({two_digits(tokens)} tokens"
        f" on average, by the processor seconds of its rounds) gives {_cpu(guess)} for the"
        f" {measured[-1].count:,}, in proportion to tokens: {error(guess, measured[-1].cpu_seconds):+.0%}."
        f" Processor seconds of a text grew with the load: {_small(found['encode-1000'])} for the first"
        f" {measured[0].count:,} texts above, {_small(found['side-by-side']['alone'])} for as many of one"
        f" worker below, {_small(measured[-1].runs)} for all {measured[-1].count:,}. So most of the error"
        " goes with the load and not with the size; a plan allows for it."
        f" A text of the tiny model takes {two_digits(steep * _MIB)} bytes, of which its embedding is"
        f" {4 * run_width(found)}."
    )


def _small(runs: Sequence[Found]) -> str:
    """Return the milliseconds of processor time of a text, and the load."""
    milliseconds = median(1000 * run["cpu_seconds"] / run["texts"] for run in runs)
    loads = sorted(run["load"] for run in runs)
    span = f"{loads[0]:.0f}" if len(loads) == 1 else f"{loads[0]:.0f} – {loads[-1]:.0f}"
    return f"{milliseconds:.1f} ms at load {span}"


def run_width(found: Found) -> int:
    """Return the dimensions of the tiny model."""
    return int(sizes(found, "tiny")[0].runs[0]["dimensions"])


def search_block(found: Found) -> Iterator[str]:
    """Yield the table of search, with what a line through small sizes and `harness plan` say."""
    yield (
        "| documents | dimensions | seconds | processor seconds | 10⁹ operations/s |"
        " by 10,000 and 100,000 | error | by the model | error | peak |"
    )
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    measured = sizes(found, "search")
    for size in [*measured, *sizes(found, "search", ends="-96"), *sizes(found, "search", ends="-768")]:
        run = size.runs[0]
        operations = 2 * size.count * run["queries"] * run["dimensions"] / size.cpu_seconds / 1e9
        line = _guess(measured[1:3], size) if size.count > 100_000 else ["", ""]
        model = planned(size)
        cells = [
            f"{size.count:,}", str(run["dimensions"]), two_digits(size.seconds), _cpu(size.cpu_seconds),
            f"{operations:.0f}", *line,
            f"{_cpu(model.value)} ({_cpu(model.low)} – {_cpu(model.high)})",
            f"{error(model.value, size.cpu_seconds):+.0%}", f"{size.peak_mib:,.0f} MiB",
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield _search_sentences(found)


def _search_sentences(found: Found) -> str:
    widths = [sizes(found, "search", ends=ends)[-1] for ends in ("-96", "-768")]
    middle = [size for size in sizes(found, "search") if size.count == widths[0].count]
    points = [(size.runs[0]["dimensions"], size.cpu_seconds) for size in [*middle, *widths]]
    pairs = widths[0].count * widths[0].runs[0]["queries"]
    start, steep = slope(points)
    measured = sizes(found, "search")
    small, large = measured[0], measured[-1]
    matrix = (large.count - small.count) * large.runs[0]["dimensions"] * 4
    beside = ((large.peak_mib - small.peak_mib) * _MIB - matrix) / (large.count - small.count)
    best = max(run["ceiling_gflops"] for size in measured for run in size.runs)
    return (
        f"By the three widths of {widths[0].count:,} documents a query, a document and a dimension take"
        f" {steep / pairs:.2g} s, which is {2 * pairs / steep / 1e9:.0f}·10⁹ operations/s where the"
        f" fastest product reaches up to {best:.0f}, and a query and a document {start / pairs:.2g} s"
        f" whatever the width. From {small.count:,} to {large.count:,} documents, one takes"
        f" {two_digits(beside)} bytes besides its embedding."
    )


def spread_block(found: Found) -> Iterator[str]:
    """Yield what a second worker adds."""
    pair = found["side-by-side"]
    texts = pair["alone"][0]["texts"]

    def row(what: str, runs: Sequence[Found]) -> str:
        spans = [[run[key] for run in runs] for key in ("seconds", "cpu_seconds")]
        return f"| {what} | {' | '.join(f'{min(each):.1f} – {max(each):.1f}' for each in spans)} |"

    both = [run for each in pair["both"] for run in each]
    yield f"| {texts:,} texts for each worker, one core each | seconds | processor seconds |"
    yield "|---|--:|--:|"
    yield row(f"one worker, {len(pair['alone'])} runs", pair["alone"])
    yield row(f"two at the same time, {len(pair['both'])} runs", both)
    yield ""
    yield f"By processor seconds a second worker added {spread(pair):.2f} of the first's speed."


def devices_block(found: Found) -> Iterator[str]:
    """Yield seconds and memory of corpora of three sizes by several workers, planned from the bench."""
    bench = msgspec.convert(found["bench"], Bench)
    yield "| documents | workers | encode documents | search, 1,000 queries | disk | RAM of each worker |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for documents in (1_000_000, 10_000_000, 100_000_000):
        for workers in (1, 8, 64):
            plan = plan_cost(bench, CostQuestion(documents=documents, workers=workers))
            encoding, _, search = (shown_seconds(stage.seconds) for stage in plan.stages)
            held = [shown_bytes(plan.memory[at].bytes) for at in (0, -2)]
            yield f"| {' | '.join([f'{documents:,}', str(workers), encoding, search, *held])} |"
