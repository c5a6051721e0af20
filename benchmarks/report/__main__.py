"""Size and speed of a page of made results, as JSON.

    python -m benchmarks.report --out benchmarks/results/report.json

writes results of 10 models on 20 tasks of 2,000 examples and a page of them all, and measures it in Chromium.
A bound that is broken is said, and the exit code is 1.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from benchmarks.report.bounds import BOUNDS
from benchmarks.report.make_results import make_results
from benchmarks.report.measure import bundle_sizes, in_chromium, sizes, without_data
from harness.bench.machine import describe_machine

if TYPE_CHECKING:
    from harness.authoring import ReportContent


def measure(models: int, tasks: int, examples: int, rounds: int) -> dict[str, Any]:
    """Return what is measured, and of what."""
    from harness.report.request import MOST_EXAMPLES
    from harness_report.page.write import page

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "results")
        make_results(root, models=models, tasks=tasks, examples=examples)
        began = time.perf_counter()
        content = _content(root, examples)
        collected = time.perf_counter()
        text = page(content)
        wrote = time.perf_counter()
        file = Path(folder, "report.html")
        file.write_text(text, encoding="utf-8")
        default = _content(root, MOST_EXAMPLES)
        return {
            "machine": msgspec.to_builtins(describe_machine()),
            "of": {
                "models": models,
                "tasks": tasks,
                "examples": examples,
                "embedded": _count(content),
                "kept": _count(default),
            },
            "seconds": {"collect": round(collected - began, 1), "write": round(wrote - collected, 1)},
            "without_data": sizes(page(without_data(content))),
            "page": sizes(text),
            "default": sizes(page(default)),
            "bundle": bundle_sizes(),
            "browser": in_chromium(file, rounds),
        }


def _content(root: Path, examples: int) -> ReportContent:
    """Return what `harness report DIR --examples N` would say."""
    from harness.report.collect import collect
    from harness.report.request import ReportRequest

    return collect(ReportRequest(folders=(str(root),), shown=("results",), most_examples=examples), {})


def _count(content: ReportContent) -> int:
    return sum(len(each.ids) for each in content.examples)


def broken(result: dict[str, Any]) -> list[str]:
    """Return a sentence for each bound that does not hold."""
    browser = result["browser"]
    figures = {
        "a page without data, gzipped": (result["without_data"]["gzipped"], BOUNDS["gzipped"]),
        "the page": (result["page"]["bytes"], BOUNDS["bytes"]),
        "the first paint": (browser["first_paint_ms"]["median"], BOUNDS["first_paint_ms"]),
        **{
            name: (found["median"], BOUNDS["interaction_ms"])
            for name, found in browser["interactions_ms"].items()
        },
    }
    return [
        f"{name}: {found:,} is above {bound:,}" for name, (found, bound) in figures.items() if found > bound
    ]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="JSON file; printed if not given.")
@click.option("--models", default=10, show_default=True)
@click.option("--tasks", default=20, show_default=True)
@click.option("--examples", default=2000, show_default=True, help="Of each task.")
@click.option("--rounds", default=7, show_default=True, help="Of which the median is taken.")
def main(out: Path | None, models: int, tasks: int, examples: int, rounds: int) -> None:
    """Measure, write, and say which bounds are broken."""
    result = measure(models, tasks, examples, rounds)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    if out:
        out.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
    found = broken(result)
    for sentence in found:
        click.echo(f"broken: {sentence}", err=True)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
