"""The tables of docs/check.md, from the result of the study.

    python -m benchmarks.checks.pages          # writes them; a test holds the page against the result

Each table stands between two comments, `<!-- figures: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.checks.consequences import CLAIMED_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "checks.json"
PAGE = ROOT / "docs" / "check.md"
REPORTED = "reported"

_MARKED = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(page: str, result: dict[str, Any]) -> str:
    """Return a page with all figures as the result has them."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]](result)}\n{found[3]}", page)


def read_result() -> dict[str, Any]:
    """Return the committed result."""
    result: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return result


def summary(result: dict[str, Any]) -> str:
    """Return the figures of both halves, with what was wanted."""
    rows = [
        [
            half,
            _share(found["right"], found["findings"]),
            _share(found["errors_right"], found["errors"]),
            _share(found["found"], found["claimed"]),
            f"{found['clean_findings']} on {found['clean']}",
        ]
        for half, found in result["totals"].items()
    ]
    rows.append(["wanted", "97 %", "100 %", "85 %", "none"])
    header = ["half", "precision of findings", "of errors", "recall", "findings on clean sets"]
    return _table(header, rows, numeric=range(1, 5))


def codes(result: dict[str, Any]) -> str:
    """Return precision by code, on the reported half."""
    rows = [
        [
            f"`{row['code']}`",
            _share(row["findings_right"], row["findings"]),
            _share(row["errors_right"], row["errors"]),
            _share(row["notes_right"], row["notes"]),
            str(row["clean"] or ""),
        ]
        for row in result["codes"]
        if row["half"] == REPORTED
    ]
    header = ["code", "warnings and errors that are right", "errors", "notes", "on clean sets"]
    return _table(header, rows, numeric=range(1, 5))


def faults(result: dict[str, Any]) -> str:
    """Return recall by fault and share of the rows, on the reported half."""
    found: dict[str, dict[float, str]] = {}
    for row in result["faults"]:
        if row["half"] == REPORTED and row["how"] == "recipe":
            found.setdefault(row["fault"], {})[row["share"]] = f"{row['found']} of {row['sets']}"
    shares = sorted({share for by_share in found.values() for share in by_share})
    rows = [
        [
            fault,
            _percent(CLAIMED_FROM.get(fault, min(by_share))),
            *(by_share.get(share, "") for share in shares),
        ]
        for fault, by_share in found.items()
    ]
    return _table(["fault", "claimed from", *map(_percent, shares)], rows, numeric=range(1, 2 + len(shares)))


def without_recipe(result: dict[str, Any]) -> str:
    """Return recall without a recipe, and of faults on cards, on the reported half."""
    rows = [
        [row["fault"], {"bare": "rows alone", "card": "card"}[row["how"]], f"{row['found']} of {row['sets']}"]
        for row in result["faults"]
        if row["half"] == REPORTED and row["how"] != "recipe"
    ]
    return _table(["fault", "seen in", "found"], rows, numeric=[2])


def not_reached(result: dict[str, Any]) -> str:
    """Return a list of false findings, and of faults that are seen too seldom, on the reported half."""
    counts: dict[tuple[str, str, str], list[str]] = {}
    for row in result["false"]:
        if row["half"] == REPORTED:
            counts.setdefault((row["code"], row["severity"], row["fault"]), []).append(row["subject"])
    lines = [
        f"- `{code}`, {severity}, {len(subjects)} × false on {', '.join(sorted(set(subjects)))} ({fault})"
        for (code, severity, fault), subjects in sorted(counts.items())
    ]
    seen: dict[str, list[int]] = {}
    for row in result["faults"]:
        claimed = row["share"] >= CLAIMED_FROM.get(row["fault"], 0)
        if row["half"] == REPORTED and row["how"] in ("recipe", "card") and claimed:
            sums = seen.setdefault(row["fault"], [0, 0])
            sums[0] += row["found"]
            sums[1] += row["sets"]
    lines += [
        f"- {fault}: found in {found} of {sets}"
        for fault, (found, sets) in seen.items()
        if found < 0.85 * sets
    ]
    return "\n".join(lines) or "None."


def material(result: dict[str, Any]) -> str:
    """Return a sentence on what was asked."""
    left_out = ", ".join(result["left_out"]) or "none"
    part = "" if result["whole"] else " **This is a part of the study: the rest has not been asked yet.**"
    return (
        f"{len(result['sets'])} data sets (left out for lack of their files: {left_out}),"
        f" {result['cards']} cards, {result['asked']:,} questions.{part}"
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int]) -> str:
    right = {*numeric}
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    lines = ["| " + " | ".join(row) + " |" for row in (header, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "material": material,
    "summary": summary,
    "codes": codes,
    "faults": faults,
    "without-recipe": without_recipe,
    "not-reached": not_reached,
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), read_result()), encoding="utf-8")


if __name__ == "__main__":
    main()
