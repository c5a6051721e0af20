"""The figures of docs/report.md, from what was measured.

    python -m benchmarks.report.pages          # writes them; a test holds the page against the result

They stand between comments such as `<!-- figures: page -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.report.bounds import BOUNDS

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "report.json"
PAGE = ROOT / "docs" / "report.md"

_MARKED = re.compile(r"(<!-- figures: (page|bundle) -->\n).*?(<!-- end -->)", re.DOTALL)
_LIBRARIES = {
    "vega": "Vega 6 with its interpreter, without Vega-Lite",
    "@tanstack": "TanStack Table 9",
    "preact": "Preact 11",
    "other": "what these need",
    "ours": "ours",
}
"""Group of the bundle → what it is."""


def written(page: str, result: dict[str, Any]) -> str:
    """Return the page with the figures of the result."""
    blocks = {"page": _figures(result), "bundle": _bundle(result["bundle"])}
    return _MARKED.sub(lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}", page)


def read_result() -> dict[str, Any]:
    """Return the committed result."""
    result: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return result


def _figures(result: dict[str, Any]) -> str:
    of, browser = result["of"], result["browser"]
    rows = [
        (
            "the page without data, gzipped",
            f"{result['without_data']['gzipped'] / 1e3:.0f} kB",
            f"{BOUNDS['gzipped'] / 1e3:.0f} kB",
        ),
        ("the whole page", f"{result['page']['bytes'] / 1e6:.1f} MB", f"{BOUNDS['bytes'] / 1e6:.0f} MB"),
        (
            f"with the {of['kept']:,} examples that differ most, as by default",
            f"{result['default']['bytes'] / 1e6:.1f} MB",
            "",
        ),
        ("first paint", f"{browser['first_paint_ms']['median']:.0f} ms", f"{BOUNDS['first_paint_ms']} ms"),
        *(
            (name, f"{found['median']:.0f} ms", f"{BOUNDS['interaction_ms']} ms")
            for name, found in browser["interactions_ms"].items()
        ),
    ]
    head = (
        f"{of['models']} models × {of['tasks']} tasks × {of['examples']:,} examples, all"
        f" {of['embedded']:,} in the page (`--examples {of['examples']}`); medians of"
        f" {browser['rounds']} rounds in Chromium {browser['chromium'].partition('.')[0]},"
        f" {result['machine']['cores']} cores"
        " ([report.json](../benchmarks/results/report.json)):"
    )
    lines = [f"| {what} | {found} | {bound} |" for what, found, bound in rows]
    return "\n".join([head, "", "| what | measured | at most |", "|---|---:|---:|", *lines])


def _bundle(bundle: dict[str, Any]) -> str:
    lines = [
        f"| {words} | {bundle['libraries'][name] / 1e3:.0f} kB |"
        for name, words in _LIBRARIES.items()
        if name in bundle["libraries"]
    ]
    whole = f"| report.js ({bundle['gzipped'] / 1e3:.0f} kB gzipped) | {bundle['bytes'] / 1e3:.0f} kB |"
    return "\n".join(["| in report.js, minified | |", "|---|---:|", *lines, whole])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), read_result()), encoding="utf-8")
